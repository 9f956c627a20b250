/** Layers and configurations by digest: stored once, linked into each repository that has them; and the uploads under way. */
import { randomUUID } from 'node:crypto';
import { digestOf } from './image-store.ts';
import type { Repository } from './repository.ts';

export interface Upload {
  readonly id: string;
  readonly repository: Repository;
  readonly chunks: Buffer[];
  size: number;
}

export class Blobs {
  readonly #bytes = new Map<string, Buffer>();
  readonly #links = new WeakMap<Repository, Set<string>>();
  readonly #uploads = new Map<string, Upload>();

  get(repository: Repository, digest: string): Buffer | undefined {
    return this.#linksOf(repository).has(digest) ? this.#bytes.get(digest) : undefined;
  }

  put(repository: Repository, bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.#bytes.set(digest, bytes);
    this.#linksOf(repository).add(digest);
    return digest;
  }

  /** Mounts a blob of another repository; false if that doesn't have it. */
  mount(digest: string, { from, to }: { from: Repository; to: Repository }): boolean {
    const isThere = this.#linksOf(from).has(digest);
    if (isThere) this.#linksOf(to).add(digest);
    return isThere;
  }

  /** Links all blobs of one repository into another. */
  share(from: Repository, to: Repository): void {
    for (const digest of this.#linksOf(from)) this.#linksOf(to).add(digest);
  }

  begin(repository: Repository): Upload {
    const upload: Upload = { id: randomUUID(), repository, chunks: [], size: 0 };
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  upload(repository: Repository, id: string): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload?.repository === repository ? upload : undefined;
  }

  end(upload: Upload): void {
    this.#uploads.delete(upload.id);
  }

  #linksOf(repository: Repository): Set<string> {
    let links = this.#links.get(repository);
    if (!links) this.#links.set(repository, (links = new Set()));
    return links;
  }
}
