/** An image that is not built here: its manifests in memory, and blobs that are opened when they are pushed. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Digest } from '../domain/image.ts';
import type { Descriptor, Platform } from '../domain/oci.ts';

export interface OciManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface OciBlob extends Descriptor {
  /** Its bytes, from the beginning; each call opens them anew. */
  readonly open: () => Readable;
}

export interface OciImage {
  /** Where it is from, for messages. */
  readonly name: string;
  /** What the image is: the digest of its manifest or index. */
  readonly digest: Digest;
  readonly platforms: readonly Platform[];
  /** Children before the index that names them; the last one is the image. */
  readonly manifests: readonly OciManifest[];
  /** Configurations and layers, each once. */
  readonly blobs: readonly OciBlob[];
}

/** What a registry takes as a manifest at most (ECR: PutImage). */
export const largestManifest = 4_194_304;

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}
