/**
 * Writes a small OCI image layout to disk: one layer with the given files, one platform, no compression, and the same bytes every time.
 * Format: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LayoutOptions {
  /** Path in the image → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly os?: string;
  readonly architecture?: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes the layout below `folder` and gives the image's digest. */
export function writeOciLayout(folder: string, { files, os = 'linux', architecture = 'amd64' }: LayoutOptions): string {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const store = (mediaType: string, bytes: Buffer): Descriptor => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(folder, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layer = store('application/vnd.oci.image.layer.v1.tar', tar(files));
  const config = store(
    'application/vnd.oci.image.config.v1+json',
    json({ architecture, os, config: { ExposedPorts: { '80/tcp': {} } }, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
  );
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = store(manifestType, json({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }));
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...manifest, platform: { os, architecture } }],
  };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
  return manifest.digest;
}

const block = 512;

/** A POSIX (ustar) archive with times and owners of zero. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, text]) => {
    const content = Buffer.from(text);
    return [header({ name, size: content.length }), content, Buffer.alloc((block - (content.length % block)) % block)];
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * block)]);
}

function header({ name, size }: { name: string; size: number }): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  bytes.write(name, 0, 100);
  bytes.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100);
  bytes.write('        0', 148);
  bytes.write('ustar\0' + '00', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
