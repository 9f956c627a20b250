/**
 * Images in a real registry that stands beside the emulator (CI: `registry:3` behind TLS). The ECR API asks it over HTTPS with
 * Basic auth as user `AWS`; a private CA comes by NODE_EXTRA_CA_CERTS. Policies are not enforced there: a registry knows none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { registryRoot } from './ecr-public.ts';
import type { RegistryHosts } from './ecr/target.ts';
import { digestOf, type ImageReference, type ImageStore } from './image-store.ts';
import { parseRecord, texts } from './json.ts';
import { isIndex, parseManifest } from './manifest.ts';
import type { Repository, StoredImage } from './repository.ts';
import type { World } from './world.ts';

const accepted = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

export class RemoteImageStore implements ImageStore {
  readonly #world: World;
  readonly #hosts: RegistryHosts;
  /** A registry doesn't say when an image was pushed: it is when the emulator first saw it. */
  readonly #seen = new Map<string, number>();

  constructor({ world, hosts }: { world: World; hosts: RegistryHosts }) {
    this.#world = world;
    this.#hosts = hosts;
  }

  async find(repository: Repository, reference: ImageReference): Promise<StoredImage | undefined> {
    const name = 'digest' in reference ? reference.digest : reference.tag;
    const response = await this.#ask(repository, { path: `manifests/${name}`, headers: { accept: accepted } });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`The registry answered ${response.status} for ${repository.name}:${name}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    return this.#stored(repository, {
      bytes,
      mediaType: response.headers.get('content-type')?.split(';')[0] ?? parseManifest(bytes).mediaType,
    });
  }

  async tags(repository: Repository): Promise<ReadonlyMap<string, string>> {
    const response = await this.#ask(repository, { path: 'tags/list' });
    const names = response.ok ? texts(parseRecord(await response.text()) ?? {}, 'tags') : [];
    const found = await Promise.all(names.map(async (tag) => [tag, (await this.find(repository, { tag }))?.digest] as const));
    return new Map(found.flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest] as const])));
  }

  /** All that can be reached from the tags: a registry lists nothing else. */
  async list(repository: Repository): Promise<readonly StoredImage[]> {
    const images = new Map<string, StoredImage>();
    const visit = async (digest: string): Promise<void> => {
      if (images.has(digest)) return;
      const image = await this.find(repository, { digest });
      if (!image) return;
      images.set(digest, image);
      if (isIndex(image.mediaType)) for (const child of parseManifest(image.bytes, image.mediaType).children) await visit(child.digest);
    };
    for (const digest of (await this.tags(repository)).values()) await visit(digest);
    return [...images.values()];
  }

  async put(
    repository: Repository,
    { bytes, mediaType, tag }: { bytes: Buffer; mediaType: string; tag?: string | undefined },
  ): Promise<StoredImage> {
    const response = await this.#ask(repository, {
      path: `manifests/${tag ?? digestOf(bytes)}`,
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes,
    });
    if (!response.ok)
      throw new Error(`The registry answered ${response.status} to a manifest for ${repository.name}: ${await response.text()}`);
    return this.#stored(repository, { bytes, mediaType });
  }

  async untag(repository: Repository, tag: string): Promise<void> {
    await this.#delete(repository, tag);
  }

  async remove(repository: Repository, digest: string): Promise<void> {
    await this.#delete(repository, digest);
  }

  async blobSize(repository: Repository, digest: string): Promise<number | undefined> {
    const response = await this.#ask(repository, { path: `blobs/${digest}`, method: 'HEAD' });
    return response.ok ? Number(response.headers.get('content-length') ?? 0) : undefined;
  }

  /** One host serves all accounts and Regions: what is pushed once is everywhere. */
  copy(): Promise<void> {
    return Promise.resolve();
  }

  async #delete(repository: Repository, reference: string): Promise<void> {
    const response = await this.#ask(repository, { path: `manifests/${reference}`, method: 'DELETE' });
    if (!response.ok && response.status !== 404)
      throw new Error(`The registry answered ${response.status} to the deletion of ${repository.name} ${reference}`);
  }

  #stored(repository: Repository, { bytes, mediaType }: { bytes: Buffer; mediaType: string }): StoredImage {
    const digest = digestOf(bytes);
    const key = `${repository.arn}@${digest}`;
    const pushedAt = this.#seen.get(key) ?? this.#world.clock.now();
    this.#seen.set(key, pushedAt);
    return { digest, mediaType, bytes, pushedAt };
  }

  async #ask(
    repository: Repository,
    { path, method = 'GET', headers = {}, body }: { path: string; method?: string; headers?: Record<string, string>; body?: Buffer },
  ): Promise<Response> {
    const endpoint = await this.#hosts.endpoint(repository.account, repository.region);
    const authorization = `Basic ${Buffer.from(`AWS:${this.#hosts.password ?? ''}`).toString('base64')}`;
    const url = `${endpoint}${registryRoot(repository)}/${repository.name}/${path}`;
    const options = { method, headers: { ...headers, authorization }, ...(body ? { body: new Uint8Array(body) } : {}) };
    if (!['GET', 'HEAD'].includes(method)) return fetch(url, options);
    // The registry keeps tags as files and answers 500 for one that is being written at the moment, which ECR's tags never are.
    for (const pause of [50, 100, 200, 400]) {
      const response = await fetch(url, options);
      if (response.status !== 500) return response;
      await response.body?.cancel();
      await sleep(pause);
    }
    return fetch(url, options);
  }
}
