/** Writes OCI layouts for tests: small, whole, and then broken as a test wants. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

export interface WrittenBlob {
  readonly digest: string;
  readonly size: number;
  /** Where it is in the layout. */
  readonly path: string;
}

export interface WrittenLayout {
  readonly path: string;
  readonly digest: string;
  /** By what they are: `config linux/amd64`, `layer linux/amd64`, `manifest linux/amd64`, `index`. */
  readonly blobs: ReadonlyMap<string, WrittenBlob>;
}

/** One image, or an index of one image a platform where there are several. `unknown/unknown` stands for an attestation. */
export async function writeLayout(path: string, { platforms = ['linux/amd64'], content = 'hello' } = {}): Promise<WrittenLayout> {
  const blobs = new Map<string, WrittenBlob>();
  const write = async (name: string, text: string): Promise<WrittenBlob> => {
    const hex = createHash('sha256').update(text).digest('hex');
    const blob = { digest: `sha256:${hex}`, size: Buffer.byteLength(text), path: join(path, 'blobs/sha256', hex) };
    await writeFile(blob.path, text);
    blobs.set(name, blob);
    return blob;
  };
  await mkdir(join(path, 'blobs/sha256'), { recursive: true });
  const images = [];
  for (const platform of platforms) {
    const [os, architecture] = platform.split('/');
    const config = await write(`config ${platform}`, JSON.stringify({ os, architecture, config: {} }));
    const layer = await write(`layer ${platform}`, `${content} on ${platform}`);
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.size }],
    };
    const { digest, size } = await write(`manifest ${platform}`, JSON.stringify(manifest));
    images.push({ mediaType: manifestType, digest, size, platform: { os, architecture } });
  }
  const root = await rootOf(images, write);
  await writeFile(join(path, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  return { path, digest: root.digest, blobs };
}

async function rootOf(
  images: readonly { mediaType: string; digest: string; size: number }[],
  write: (name: string, text: string) => Promise<WrittenBlob>,
): Promise<{ mediaType: string; digest: string; size: number }> {
  const [first, ...others] = images;
  if (first && others.length === 0) return { mediaType: first.mediaType, digest: first.digest, size: first.size };
  const { digest, size } = await write('index', JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: images }));
  return { mediaType: indexType, digest, size };
}
