/**
 * Where the images of a repository are: in memory beside our own OCI registry, or in a real registry that stands beside the
 * emulator (remote-image-store.ts). The ECR API knows only this.
 */
import { createHash } from 'node:crypto';
import type { Blobs } from './blobs.ts';
import type { Repository, StoredImage } from './repository.ts';
import type { World } from './world.ts';

export type ImageReference = { readonly digest: string } | { readonly tag: string };

export interface ImageStore {
  find(repository: Repository, reference: ImageReference): Promise<StoredImage | undefined>;
  /** Tag → digest. */
  tags(repository: Repository): Promise<ReadonlyMap<string, string>>;
  /** All images, untagged ones and the children of indexes too. */
  list(repository: Repository): Promise<readonly StoredImage[]>;
  put(repository: Repository, image: { bytes: Buffer; mediaType: string; tag?: string | undefined }): Promise<StoredImage>;
  untag(repository: Repository, tag: string): Promise<void>;
  remove(repository: Repository, digest: string): Promise<void>;
  /** The size of a layer or configuration; undefined if it isn't there. */
  blobSize(repository: Repository, digest: string): Promise<number | undefined>;
  /** Copies an image with all that it needs, as replication does. */
  copy(digest: string, ends: { from: Repository; to: Repository }): Promise<void>;
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export class MemoryImageStore implements ImageStore {
  readonly #world: World;
  readonly #blobs: Blobs;

  constructor({ world, blobs }: { world: World; blobs: Blobs }) {
    this.#world = world;
    this.#blobs = blobs;
  }

  find(repository: Repository, reference: ImageReference): Promise<StoredImage | undefined> {
    const digest = 'digest' in reference ? reference.digest : repository.tags.get(reference.tag);
    return Promise.resolve(digest === undefined ? undefined : repository.images.get(digest));
  }

  tags(repository: Repository): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(repository.tags);
  }

  list(repository: Repository): Promise<readonly StoredImage[]> {
    return Promise.resolve([...repository.images.values()]);
  }

  put(
    repository: Repository,
    { bytes, mediaType, tag }: { bytes: Buffer; mediaType: string; tag?: string | undefined },
  ): Promise<StoredImage> {
    const digest = digestOf(bytes);
    const image = repository.images.get(digest) ?? { digest, mediaType, bytes, pushedAt: this.#world.clock.now() };
    repository.images.set(digest, image);
    if (tag !== undefined) repository.tags.set(tag, digest);
    return Promise.resolve(image);
  }

  untag(repository: Repository, tag: string): Promise<void> {
    repository.tags.delete(tag);
    return Promise.resolve();
  }

  remove(repository: Repository, digest: string): Promise<void> {
    repository.images.delete(digest);
    for (const [tag, tagged] of repository.tags) if (tagged === digest) repository.tags.delete(tag);
    return Promise.resolve();
  }

  blobSize(repository: Repository, digest: string): Promise<number | undefined> {
    return Promise.resolve(this.#blobs.get(repository, digest)?.length);
  }

  copy(digest: string, { from, to }: { from: Repository; to: Repository }): Promise<void> {
    const image = from.images.get(digest);
    if (image && !to.images.has(digest)) {
      this.#blobs.share(from, to);
      for (const child of from.images.values())
        if (image.bytes.includes(child.digest)) to.images.set(child.digest, { ...child, pushedAt: this.#world.clock.now() });
      to.images.set(digest, { ...image, pushedAt: this.#world.clock.now() });
    }
    for (const [tag, tagged] of from.tags) if (tagged === digest) to.tags.set(tag, digest);
    return Promise.resolve();
  }
}
