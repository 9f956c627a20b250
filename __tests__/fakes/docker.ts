import type { BuildRequest } from '../../src/domain/docker-arguments.ts';
import type { Digest } from '../../src/domain/image.ts';
import type { BuildOptions, Docker, DockerConfig, DockerFacts, DockerVariables, LoginRequest, OwnBuilder } from '../../src/ports/docker.ts';
import type { RegistryLogin } from '../../src/ports/ecr.ts';
import { digestOf } from './ecr.ts';
import type { Journal } from './journal.ts';

/** A Docker that notes what it is asked for; what a build does is the test's to say. */
export class FakeDocker implements Docker {
  readonly journal: Journal;
  variables: DockerVariables = { DOCKER_CONFIG: '', BUILDX_CONFIG: '' };
  facts: DockerFacts = {
    engine: '28.2.2',
    problem: undefined,
    buildx: 'v0.24.0',
    builder: { name: 'default', driver: 'docker' },
    builderProblem: undefined,
    hasContainerdStore: false,
  };
  installed = true;
  loginFailure: Error | undefined;
  removeFailure: Error | undefined;
  build: (request: BuildRequest, options: BuildOptions) => Promise<Digest> = async () => digestOf('built');
  readonly builds: { readonly request: BuildRequest; readonly options: BuildOptions }[] = [];
  /** What our own environment has. */
  readonly environment = new Map<string, string>();
  /** Name → what a push of it does. */
  readonly images = new Map<string, (references: readonly string[]) => Promise<Digest>>();
  /** Host → the login of the configuration in force. */
  readonly logins = new Map<string, RegistryLogin>();

  constructor(journal: Journal = []) {
    this.journal = journal;
  }

  variable = (name: string) => this.environment.get(name);
  isInstalled = async () => this.installed;
  probe = async () => this.facts;
  hasImage = async (reference: string) => this.images.has(reference);
  loginFor = async (host: string) => this.logins.get(host);

  isolate = async ({ folder, hosts }: { folder: string; hosts: readonly string[] }): Promise<DockerConfig> => {
    this.journal.push(`docker isolate ${folder} for ${hosts.join(', ')}`);
    return { folder, variables: { DOCKER_CONFIG: folder, BUILDX_CONFIG: '/home/ci/.docker/buildx' } };
  };

  login = async ({ config, host, login, signal }: LoginRequest) => {
    signal?.throwIfAborted();
    this.journal.push(`docker login ${host} as ${login.username} in ${config.folder}`);
    if (this.loginFailure) throw this.loginFailure;
  };

  buildAndPush = async (request: BuildRequest, options: BuildOptions) => {
    this.journal.push(`docker build ${request.references.join(' ')}`);
    this.builds.push({ request, options });
    return this.build(request, options);
  };

  push = async ({ image, references }: { image: string; references: readonly string[] }) => {
    this.journal.push(`docker push ${image} as ${references.join(' ')}`);
    const push = this.images.get(image);
    if (!push) throw new Error(`the fake engine has no image ${image}`);
    return push(references);
  };

  createBuilder = async (name: string) => void this.journal.push(`docker create builder ${name}`);

  removeBuilder = async ({ name }: OwnBuilder) => {
    this.journal.push(`docker remove builder ${name}`);
    if (this.removeFailure) throw this.removeFailure;
  };
}
