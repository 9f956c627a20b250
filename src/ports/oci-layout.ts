/**
 * An OCI layout (image-spec: image-layout.md), as a folder or as a tar archive of one: the one image in it, every blob of it present and
 * of the digest that its name says. Read before anything is sent, so that a broken layout costs no half push.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
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
import { DocumentError, toError, type DocumentProblem } from '../errors.ts';
import { digestOf, largestManifest, type OciBlob, type OciImage, type OciManifest } from './oci-image.ts';
import { readTar } from './tar.ts';

/** The files of a layout, wherever they are. */
interface LayoutFiles {
  /** The path of a file as an author finds it. */
  readonly shown: (name: string) => string;
  /** In bytes; undefined where there is no such file. */
  readonly size: (name: string) => Promise<number | undefined>;
  readonly open: (name: string) => Readable;
}

/** @throws DocumentError with every problem of the layout */
export async function readOciLayout(path: string): Promise<OciImage> {
  const files = await layoutFiles(path);
  const [marker, index] = [await readText(files, 'oci-layout'), await readText(files, 'index.json')];
  if (marker === undefined || index === undefined) {
    const missing = marker === undefined ? 'oci-layout' : 'index.json';
    throw new DocumentError([{ file: path, problem: `is not an OCI layout: it has no file ${missing}` }], {
      hint: 'Give the folder that holds oci-layout, index.json and blobs/, or a tar archive of it, e.g. as "docker buildx build --output type=oci,dest=PATH" writes it.',
    });
  }
  const root = parseLayoutIndex(index);
  if (!root.ok) throw new DocumentError([{ file: files.shown('index.json'), problem: root.problem }]);
  const found = new LayoutReader(files);
  // What a single image runs on, its own configuration says.
  const { platform: _claimed, ...image } = root.value;
  await found.manifest(image);
  await found.checkBlobs();
  if (found.problems.length > 0) throw new DocumentError(found.problems, { hint: 'Nothing was pushed. Write the layout again.' });
  return {
    name: path,
    digest: root.value.digest,
    platforms: await found.platforms(),
    manifests: [...found.manifests.values()],
    blobs: [...found.blobs.values()],
  };
}

async function layoutFiles(path: string): Promise<LayoutFiles> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new DocumentError([{ file: path, problem: 'is not there' }], { hint: 'Give oci:PATH with the path of an OCI layout.' });
  return found.isDirectory() ? folderFiles(path) : archiveFiles(path);
}

function folderFiles(path: string): LayoutFiles {
  return {
    shown: (name) => join(path, name),
    size: async (name) => {
      const found = await stat(join(path, name)).catch(() => undefined);
      return found?.isFile() === true ? found.size : undefined;
    },
    open: (name) => createReadStream(join(path, name)),
  };
}

async function archiveFiles(path: string): Promise<LayoutFiles> {
  const entries = await readTar(path).catch((error: unknown) => {
    throw new DocumentError([{ file: path, problem: `can't be read: ${toError(error).message}` }], { cause: error });
  });
  if (!entries) {
    throw new DocumentError([{ file: path, problem: 'is neither a folder nor a tar archive' }], {
      hint: 'A compressed archive has to be unpacked first (gunzip).',
    });
  }
  return {
    shown: (name) => `${path}: ${name}`,
    size: async (name) => entries.get(name)?.size,
    open: (name) => {
      const { offset = 0, size = 0 } = entries.get(name) ?? {};
      return size === 0 ? Readable.from([]) : createReadStream(path, { start: offset, end: offset + size - 1 });
    },
  };
}

class LayoutReader {
  readonly problems: DocumentProblem[] = [];
  readonly manifests = new Map<Digest, OciManifest>();
  readonly blobs = new Map<Digest, OciBlob>();
  readonly #files: LayoutFiles;
  readonly #platforms: Platform[] = [];
  readonly #configurations: OciBlob[] = [];

  constructor(files: LayoutFiles) {
    this.#files = files;
  }

  /** Reads a manifest and, before it takes its place, what it names. */
  async manifest(descriptor: Descriptor): Promise<void> {
    const { digest, mediaType } = descriptor;
    if (this.manifests.has(digest)) return;
    const read = await this.#readManifest(descriptor);
    if (!read.ok) {
      this.#complain(digest, read.problem);
      return;
    }
    const { manifest, bytes } = read.value;
    if (manifest.kind === 'index') {
      for (const child of manifest.children) await this.#child(child);
      this.#platforms.push(...platformsOf(manifest));
    } else {
      for (const blob of [manifest.config, ...manifest.layers]) this.blobs.set(blob.digest, this.#blob(blob));
      if (descriptor.platform === undefined) this.#configurations.push(this.#blob(manifest.config));
    }
    this.manifests.set(digest, { digest, mediaType, bytes });
  }

  async checkBlobs(): Promise<void> {
    for (const { digest, size, open } of this.blobs.values()) {
      const found = await this.#files.size(blobName(digest));
      if (found === undefined) this.#complain(digest, 'is missing');
      else if (found !== size) this.#complain(digest, `has ${found} bytes, but its descriptor says ${size}`);
      else {
        const actual = await digestOfStream(open());
        if (actual !== digest) this.#complain(digest, `is not what its name says: its digest is ${actual}`);
      }
    }
  }

  /** From the index, or from the configurations of images that no index describes. */
  async platforms(): Promise<readonly Platform[]> {
    const own = await Promise.all(
      this.#configurations.map(async ({ digest }) => parseConfiguration((await readText(this.#files, blobName(digest))) ?? '')),
    );
    return [...this.#platforms, ...own.flatMap((platform) => (platform.ok ? [platform.value] : []))];
  }

  async #child(child: Descriptor): Promise<void> {
    const known = isIndex(child.mediaType) || imageMediaTypes.some((type) => type === child.mediaType);
    if (known) await this.manifest(child);
    else this.#complain(child.digest, `has the media type ${child.mediaType}, which is no image`);
  }

  async #readManifest({ digest, mediaType, size }: Descriptor): Promise<Parsed<{ readonly manifest: Manifest; readonly bytes: Buffer }>> {
    if (size > largestManifest) return bad(`is a manifest of ${size} bytes; ECR takes at most ${largestManifest}`);
    const bytes = await readBytes(this.#files, blobName(digest));
    if (!bytes) return bad('is missing');
    if (digestOf(bytes) !== digest) return bad(`is not what its name says: its digest is ${digestOf(bytes)}`);
    const manifest = parseManifest(bytes.toString('utf8'), mediaType);
    return manifest.ok ? ok({ manifest: manifest.value, bytes }) : manifest;
  }

  #blob(descriptor: Descriptor): OciBlob {
    return { ...descriptor, open: () => this.#files.open(blobName(descriptor.digest)) };
  }

  #complain(digest: Digest, problem: string): void {
    this.problems.push({ file: this.#files.shown(blobName(digest)), problem });
  }
}

function blobName(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `blobs/${algorithm}/${hex}`;
}

async function readBytes(files: LayoutFiles, name: string): Promise<Buffer | undefined> {
  return (await files.size(name)) === undefined ? undefined : Buffer.concat((await files.open(name).toArray()) as Buffer[]);
}

async function readText(files: LayoutFiles, name: string): Promise<string | undefined> {
  return (await readBytes(files, name))?.toString('utf8');
}

async function digestOfStream(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(stream, hash);
  return `sha256:${hash.digest('hex')}`;
}
