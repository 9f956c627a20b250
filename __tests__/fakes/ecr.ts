import { createHash } from 'node:crypto';
import type { AccountId } from '../../src/domain/account.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import type { TagRule } from '../../src/domain/tags.ts';
import { AwsError } from '../../src/errors.ts';
import type { Ecr, EcrManifest, ImageId, RepositoryPlace } from '../../src/ports/ecr.ts';
import type { PolicyWritten } from '../../src/ports/policy-store.ts';
import type { Journal } from './journal.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** The digest of some text, for images that are told by a word. */
export function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}

/** One repository in memory. Only writes and logins go to the journal: reads may happen in any order. */
export class FakeEcr implements Ecr {
  readonly name = 'shop/web' as RepositoryName;
  readonly account = '111111111111' as AccountId;
  readonly host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
  readonly journal: Journal;
  rule: TagRule = { mutability: 'MUTABLE', exclusionFilters: [] };
  exists = true;
  /** Tag → digest. */
  readonly tags = new Map<string, Digest>();
  readonly images = new Set<Digest>();
  readonly manifests = new Map<Digest, EcrManifest>();
  policy: string | undefined;

  constructor(journal: Journal = []) {
    this.journal = journal;
  }

  /** As a push would leave it. */
  hold(digest: Digest, ...tags: readonly string[]): void {
    this.images.add(digest);
    for (const tag of tags) this.tags.set(tag, digest);
  }

  authorization = async () => {
    this.journal.push('ecr authorization');
    return { username: 'AWS', password: 'p4ssw0rd', host: this.host, expiresAt: undefined };
  };

  repository = async ({ repository }: RepositoryPlace) => {
    if (!this.exists || repository !== this.name) return undefined;
    const { name, account: registryId, host } = this;
    return { name, registryId, host, uri: `${host}/${name}`, arn: `arn:aws:ecr:eu-west-1:${registryId}:repository/${name}`, ...this.rule };
  };

  createRepository: Ecr['createRepository'] = async (place, { mutability }) => {
    this.journal.push('ecr create repository');
    this.exists = true;
    this.rule = { mutability, exclusionFilters: [] };
    const repository = await this.repository(place);
    if (!repository) throw new Error('the fake has one repository only');
    return { repository, created: true };
  };

  image = async (_: RepositoryPlace, id: ImageId) => {
    const digest = 'tag' in id ? this.tags.get(id.tag) : id.digest;
    if (digest === undefined || !this.images.has(digest)) return undefined;
    const tags = [...this.tags].flatMap(([tag, tagged]) => (tagged === digest ? [tag as Tag] : []));
    return { digest, tags, mediaType: manifestType };
  };

  manifest = async (place: RepositoryPlace, id: ImageId) => {
    const image = await this.image(place, id);
    if (!image) return { answer: 'missing' as const };
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 2 };
    const text = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] });
    return { answer: 'found' as const, digest: image.digest, mediaType: manifestType, text };
  };

  configuration = async () => '{"os":"linux","architecture":"amd64"}';

  putManifest = async (_: RepositoryPlace, { digest, tag }: EcrManifest & { tag: Tag }) => {
    this.journal.push(`ecr put ${tag}`);
    if (this.rule.mutability === 'IMMUTABLE' && this.tags.has(tag) && this.tags.get(tag) !== digest) {
      throw new AwsError(`${tag} is taken`, { service: 'ecr', operation: 'PutImage', code: 'ImageTagAlreadyExistsException' });
    }
    this.hold(digest, tag);
  };

  readPolicy = async () => this.policy;

  writePolicy = async (_: RepositoryPlace, text: string): Promise<PolicyWritten> => {
    this.journal.push('ecr write policy');
    this.policy = text;
    return 'written';
  };
}
