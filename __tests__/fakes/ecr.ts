import { createHash } from 'node:crypto';
import type { AccountId } from '../../src/domain/account.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import type { ReplicationRule } from '../../src/domain/replica.ts';
import type { ImageScan } from '../../src/domain/scan.ts';
import { isImmutable, type TagRule } from '../../src/domain/tags.ts';
import { AwsError } from '../../src/errors.ts';
import type {
  Ecr,
  EcrManifest,
  ImageId,
  RegistryService,
  RegistryPolicy,
  Replication,
  RepositoryPlace,
  ScanStart,
} from '../../src/ports/ecr.ts';
import type { PolicyWritten } from '../../src/ports/policy-store.ts';
import type { Journal } from './journal.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** The digest of some text, for images that are told by a word. */
export function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}

/** What one repository holds. */
export class FakeRepository {
  rule: TagRule = { mutability: 'MUTABLE', exclusionFilters: [] };
  /** Tag → digest. */
  readonly tags = new Map<string, Digest>();
  readonly images = new Set<Digest>();
  /** Digests that are indexes. */
  readonly indexes = new Set<Digest>();
}

/** A registry in memory, with one repository at the beginning. Only writes and logins go to the journal: reads may happen in any order. */
export class FakeEcr implements Ecr {
  service: RegistryService = 'ecr';
  readonly name = 'shop/web' as RepositoryName;
  readonly account = '111111111111' as AccountId;
  readonly host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
  readonly journal: Journal;
  readonly repositories = new Map<string, FakeRepository>([[this.name, new FakeRepository()]]);
  /** Called before each PutImage: what another run does at this moment. */
  beforePut: (() => void) | undefined;
  policy: string | undefined;
  /** The registry's own. */
  ownPolicy: RegistryPolicy | undefined;
  /** Manifests that a test cares for. */
  readonly manifests = new Map<Digest, EcrManifest>();
  /** Digest → what DescribeImageScanFindings answers, one after the other; the last one stays. */
  readonly scans = new Map<Digest, (ImageScan | undefined)[]>();
  scanStart: ScanStart = { start: 'started' };
  rules: readonly ReplicationRule[] = [];
  /** What DescribeImageReplicationStatus answers, one after the other; the last one stays. */
  readonly copies: (readonly Replication[])[] = [];

  constructor(journal: Journal = []) {
    this.journal = journal;
  }

  of(name: string): FakeRepository | undefined {
    return this.repositories.get(name);
  }

  /** A further repository. */
  add(name: string): FakeRepository {
    const repository = new FakeRepository();
    this.repositories.set(name, repository);
    return repository;
  }

  get web(): FakeRepository {
    const found = this.of(this.name);
    if (!found) throw new Error('the test has removed shop/web');
    return found;
  }

  /** As a push would leave it. */
  hold({ in: name = this.name, digest, tags = [] }: { in?: string; digest: Digest; tags?: readonly string[] }): void {
    const repository = this.of(name);
    if (!repository) throw new Error(`there is no repository ${name}`);
    repository.images.add(digest);
    for (const tag of tags) repository.tags.set(tag, digest);
  }

  authorization = async () => {
    this.journal.push('ecr authorization');
    return { username: 'AWS', password: 'p4ssw0rd', host: this.host, expiresAt: undefined };
  };

  repository = async ({ repository: name }: RepositoryPlace) => {
    const held = this.of(name);
    if (!held) return undefined;
    const { account: registryId, host } = this;
    return { name, registryId, host, uri: `${host}/${name}`, arn: `arn:aws:ecr:eu-west-1:${registryId}:repository/${name}`, ...held.rule };
  };

  createRepository: Ecr['createRepository'] = async (place, { mutability }) => {
    this.journal.push('ecr create repository');
    this.add(place.repository).rule = { mutability, exclusionFilters: [] };
    const repository = await this.repository(place);
    if (!repository) throw new Error('it was just made');
    return { repository, created: true };
  };

  image = async ({ repository }: RepositoryPlace, id: ImageId) => {
    const held = this.of(repository);
    const digest = 'tag' in id ? held?.tags.get(id.tag) : id.digest;
    if (!held || digest === undefined || !held.images.has(digest)) return undefined;
    const tags = [...held.tags].flatMap(([tag, tagged]) => (tagged === digest ? [tag as Tag] : []));
    return { digest, tags, mediaType: held.indexes.has(digest) ? indexType : manifestType };
  };

  manifest = async (place: RepositoryPlace, id: ImageId) => {
    const image = await this.image(place, id);
    if (!image) return { answer: 'missing' as const };
    const given = this.manifests.get(image.digest);
    if (given) return { answer: 'found' as const, ...given };
    const { digest, mediaType } = image;
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 2 };
    const child = { mediaType: manifestType, digest: digestOf('child'), size: 2, platform: { os: 'linux', architecture: 'arm64' } };
    const content = mediaType === indexType ? { manifests: [child] } : { config, layers: [] };
    return { answer: 'found' as const, digest, mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, ...content }) };
  };

  configuration = async () => '{"os":"linux","architecture":"amd64"}';

  putManifest = async ({ repository }: RepositoryPlace, { digest, tag }: EcrManifest & { tag: Tag }) => {
    this.journal.push(`ecr put ${repository}:${tag}`);
    this.beforePut?.();
    const held = this.of(repository);
    // As ECR: also for the same digest.
    if (held?.tags.has(tag) && isImmutable(tag, held.rule)) {
      throw new AwsError(`${tag} is taken`, { service: 'ecr', operation: 'PutImage', code: 'ImageTagAlreadyExistsException' });
    }
    this.hold({ in: repository, digest, tags: [tag] });
  };

  scan = async (_: RepositoryPlace, digest: Digest) => nextOf(this.scans.get(digest));

  startScan = async (_: RepositoryPlace, digest: Digest) => {
    this.journal.push(`ecr start scan ${digest}`);
    return this.scanStart;
  };

  replicationRules = async () => this.rules;

  replications = async () => nextOf(this.copies) ?? [];

  readPolicy = async () => this.policy;

  registryPolicy = async () => this.ownPolicy;

  writePolicy = async (_: RepositoryPlace, text: string): Promise<PolicyWritten> => {
    this.journal.push('ecr write policy');
    this.policy = text;
    return 'written';
  };
}

/** The last one stays. */
function nextOf<T>(answers: T[] | undefined): T | undefined {
  return answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
}
