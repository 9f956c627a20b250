import type { BuildRequest } from '../../src/domain/docker-arguments.ts';
import type { Digest } from '../../src/domain/image.ts';
import type { BuildOptions, Docker, DockerConfig, DockerFacts } from '../../src/ports/docker.ts';
import type { RegistryLogin } from '../../src/ports/ecr.ts';
import { digestOf } from './ecr.ts';
import type { Journal } from './journal.ts';

/** A Docker that notes what it is asked for; what a build does is the test's to say. */
export class FakeDocker implements Docker {
  readonly journal: Journal;
  readonly variables = { DOCKER_CONFIG: '', BUILDX_CONFIG: '' };
  facts: DockerFacts = { engine: '28.2.2', problem: undefined, buildx: 'v0.24.0' };
  loginFailure: Error | undefined;
  build: (request: BuildRequest, options: BuildOptions) => Promise<Digest> = async () => digestOf('built');
  readonly builds: BuildRequest[] = [];

  constructor(journal: Journal = []) {
    this.journal = journal;
  }

  probe = async () => this.facts;

  isolate = async ({ folder, hosts }: { folder: string; hosts: readonly string[] }): Promise<DockerConfig> => {
    this.journal.push(`docker isolate ${folder} for ${hosts.join(', ')}`);
    return { folder, variables: { DOCKER_CONFIG: folder, BUILDX_CONFIG: '/home/ci/.docker/buildx' } };
  };

  login = async ({ config, host, login }: { config: DockerConfig; host: string; login: RegistryLogin }) => {
    this.journal.push(`docker login ${host} as ${login.username} in ${config.folder}`);
    if (this.loginFailure) throw this.loginFailure;
  };

  buildAndPush = async (request: BuildRequest, options: BuildOptions) => {
    this.journal.push(`docker build ${request.references.join(' ')}`);
    this.builds.push(request);
    return this.build(request, options);
  };
}
