/**
 * An OCI layout on disk (image-spec: image-layout.md): the one image in it, every blob of it present and of the digest that its name
 * says. Read before anything is sent, so that a broken layout costs no half push.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../domain/image.ts';
import {
  isIndex,
  imageMediaTypes,
  parseConfiguration,
  parseLayoutIndex,
  parseManifest,
  platformsOf,
  type Descriptor,
  type Manifest,
  type Platform,
} from '../domain/oci.ts';
import { bad, ok, type Parsed } from '../domain/parsed.ts';
import { DocumentError, type DocumentProblem } from '../errors.ts';

export interface LayoutManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface LayoutBlob extends Descriptor {
  /** Where it is. */
  readonly path: string;
}

export interface OciLayout {
  readonly path: string;
  /** What the image is: the digest of its manifest or index. */
  readonly digest: Digest;
  readonly platforms: readonly Platform[];
  /** Children before the index that names them; the last one is the image. */
  readonly manifests: readonly LayoutManifest[];
  /** Configurations and layers, each once. */
  readonly blobs: readonly LayoutBlob[];
}

/** What a registry takes as a manifest at most (ECR: PutImage). */
const largestManifest = 4_194_304;

/** @throws DocumentError with every problem of the layout */
export async function readOciLayout(path: string): Promise<OciLayout> {
  const marker = await readText(join(path, 'oci-layout'));
  const index = await readText(join(path, 'index.json'));
  if (marker === undefined || index === undefined) {
    const missing = marker === undefined ? 'oci-layout' : 'index.json';
    throw new DocumentError([{ file: path, problem: `is not an OCI layout: it has no file ${missing}` }], {
      hint: 'Give the folder that holds oci-layout, index.json and blobs/, e.g. as "docker buildx build --output type=oci,tar=false,dest=PATH" writes it.',
    });
  }
  const root = parseLayoutIndex(index);
  if (!root.ok) throw new DocumentError([{ file: join(path, 'index.json'), problem: root.problem }]);
  const found = new LayoutReader(path);
  // What a single image runs on, its own configuration says.
  const { platform: _claimed, ...image } = root.value;
  await found.manifest(image);
  await found.checkBlobs();
  if (found.problems.length > 0) throw new DocumentError(found.problems, { hint: 'Nothing was pushed. Write the layout again.' });
  return {
    path,
    digest: root.value.digest,
    platforms: await found.platforms(),
    manifests: [...found.manifests.values()],
    blobs: [...found.blobs.values()],
  };
}

class LayoutReader {
  readonly problems: DocumentProblem[] = [];
  readonly manifests = new Map<Digest, LayoutManifest>();
  readonly blobs = new Map<Digest, LayoutBlob>();
  readonly #path: string;
  readonly #platforms: Platform[] = [];
  readonly #configurations: LayoutBlob[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads a manifest and, before it takes its place, what it names. */
  async manifest(descriptor: Descriptor): Promise<void> {
    const { digest, mediaType } = descriptor;
    if (this.manifests.has(digest)) return;
    const read = await this.#readManifest(descriptor);
    if (!read.ok) {
      this.#complain(this.#blobPath(digest), read.problem);
      return;
    }
    const { manifest, bytes } = read.value;
    if (manifest.kind === 'index') {
      for (const child of manifest.children) await this.#child(child);
      this.#platforms.push(...platformsOf(manifest));
    } else {
      for (const blob of [manifest.config, ...manifest.layers]) this.blobs.set(blob.digest, { ...blob, path: this.#blobPath(blob.digest) });
      if (descriptor.platform === undefined)
        this.#configurations.push({ ...manifest.config, path: this.#blobPath(manifest.config.digest) });
    }
    this.manifests.set(digest, { digest, mediaType, bytes });
  }

  async checkBlobs(): Promise<void> {
    for (const { path, digest, size } of this.blobs.values()) {
      const found = await stat(path).catch(() => undefined);
      if (!found?.isFile()) this.#complain(path, 'is missing');
      else if (found.size !== size) this.#complain(path, `has ${found.size} bytes, but its descriptor says ${size}`);
      else {
        const actual = await digestOfFile(path);
        if (actual !== digest) this.#complain(path, `is not what its name says: its digest is ${actual}`);
      }
    }
  }

  /** From the index, or from the configurations of images that no index describes. */
  async platforms(): Promise<readonly Platform[]> {
    const own = await Promise.all(this.#configurations.map(async ({ path }) => parseConfiguration((await readText(path)) ?? '')));
    return [...this.#platforms, ...own.flatMap((platform) => (platform.ok ? [platform.value] : []))];
  }

  async #child(child: Descriptor): Promise<void> {
    const known = isIndex(child.mediaType) || imageMediaTypes.some((type) => type === child.mediaType);
    if (known) await this.manifest(child);
    else this.#complain(this.#blobPath(child.digest), `has the media type ${child.mediaType}, which is no image`);
  }

  async #readManifest({ digest, mediaType, size }: Descriptor): Promise<Parsed<{ readonly manifest: Manifest; readonly bytes: Buffer }>> {
    if (size > largestManifest) return bad(`is a manifest of ${size} bytes; ECR takes at most ${largestManifest}`);
    const bytes = await readFile(this.#blobPath(digest)).catch(() => undefined);
    if (!bytes) return bad('is missing');
    if (digestOf(bytes) !== digest) return bad(`is not what its name says: its digest is ${digestOf(bytes)}`);
    const manifest = parseManifest(bytes.toString('utf8'), mediaType);
    return manifest.ok ? ok({ manifest: manifest.value, bytes }) : manifest;
  }

  #blobPath(digest: Digest): string {
    const [algorithm = '', hex = ''] = digest.split(':');
    return join(this.#path, 'blobs', algorithm, hex);
  }

  #complain(file: string, problem: string): void {
    this.problems.push({ file, problem });
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
