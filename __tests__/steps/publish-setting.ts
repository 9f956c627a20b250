/** The stage of the tests of publishing: fakes that share a journal, and the inputs as a mode parses them. */
import { cleanupMemory } from '../../src/cleanup.ts';
import type { Region } from '../../src/domain/account.ts';
import type { Tag } from '../../src/domain/image.ts';
import type { Session } from '../../src/ports/credentials.ts';
import { preparePublish, readWish, type PreparedPublish, type PublishInputs, type PublishPorts } from '../../src/steps/prepare-publish.ts';
import { publishImage, type PublishedImage } from '../../src/steps/publish-image.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeDocker } from '../fakes/docker.ts';
import { digestOf, FakeEcr } from '../fakes/ecr.ts';
import { FakeFiles } from '../fakes/files.ts';
import { FakeGit } from '../fakes/git.ts';
import { FakeGitHub } from '../fakes/github.ts';
import type { Journal } from '../fakes/journal.ts';
import { RecordingLog } from '../fakes/log.ts';
import { FakeOciRegistry } from '../fakes/oci-registry.ts';

export const uri = '111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web';
export const folder = '/temp/ecr-org-deploy-build-1';

export class PublishSetting {
  readonly journal: Journal = [];
  readonly ecr = new FakeEcr(this.journal);
  readonly docker = new FakeDocker(this.journal);
  readonly files = new FakeFiles(this.journal);
  readonly git = new FakeGit();
  readonly github = new FakeGitHub();
  readonly log = new RecordingLog();
  readonly ociRegistry = new FakeOciRegistry({ ecr: this.ecr, journal: this.journal });
  /** The registry side's clients of other Regions. */
  readonly otherRegions = new Map<string, FakeEcr>();

  constructor() {
    this.files.files.set('/workspace/Dockerfile', 'FROM scratch');
    this.docker.build = this.pushes('built');
  }

  /** A build that ends in the registry, as the builder says or not. */
  pushes(word: string, held = word): FakeDocker['build'] {
    return async ({ references }) => {
      this.#hold(references, held);
      return digestOf(word);
    };
  }

  /** An image of the engine. */
  local(name: string, word: string): void {
    this.docker.images.set(name, async (references) => {
      this.#hold(references, word);
      return digestOf(word);
    });
  }

  #hold(references: readonly string[], word: string): void {
    for (const reference of references) {
      const [, repository = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
      this.ecr.hold({ in: repository, digest: digestOf(word), tags: [tag] });
    }
  }

  get ports(): PublishPorts {
    const { docker, files, git, github, log, ociRegistry } = this;
    const ecr = ({ region }: Session) => {
      const other = this.otherRegions.get(region);
      if (!other) throw new Error(`the test has no ECR in ${region}`);
      return other;
    };
    return { clock: new FakeClock(), docker, ecr, files, git, github, log, ociRegistry };
  }

  inputs(given: Partial<PublishInputs> = {}): PublishInputs {
    return {
      repository: [this.ecr.name],
      context: '.',
      file: undefined,
      target: undefined,
      platforms: [],
      'build-args': [],
      'build-contexts': [],
      secrets: [],
      'secret-envs': [],
      'secret-files': [],
      ssh: [],
      labels: [],
      annotations: [],
      'cache-from': [],
      'cache-to': [],
      'no-cache': false,
      pull: false,
      provenance: undefined,
      sbom: undefined,
      builder: undefined,
      tags: ['blue', '1.2.3'],
      'on-existing-tag': 'reuse',
      'create-repository': false,
      'image-tag-mutability': 'MUTABLE',
      image: undefined,
      'github-token': undefined,
      ...given,
    };
  }

  async prepare(given: Partial<PublishInputs> = {}): Promise<PreparedPublish> {
    const { ports, ecr } = this;
    const inputs = this.inputs(given);
    const wish = await readWish({ inputs, ports });
    const session = { region: 'eu-west-1' as Region } as Session;
    return preparePublish({ inputs, wish, registryId: ecr.account, ecr, session, ports, signal: new AbortController().signal });
  }

  async publish(given: Partial<PublishInputs> = {}, signal = new AbortController().signal): Promise<PublishedImage> {
    const prepared = await this.prepare(given);
    return publishImage(prepared, { ecr: this.ecr, creator: this.ecr, ports: this.ports, memory: cleanupMemory(this.github), signal });
  }

  /** What the repository's tags name. */
  tags(repository = 'shop/web'): Readonly<Record<string, string>> {
    return Object.fromEntries(this.ecr.of(repository)?.tags ?? []);
  }
}

export const tag = (name: string): Tag => name as Tag;
