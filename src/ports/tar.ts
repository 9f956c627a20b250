/**
 * Where the files of a tar archive are, without unpacking it (POSIX pax interchange format; GNU long names).
 *
 *   archive  = *(header [contents, padded to 512 bytes]) two blocks of zeros
 *   header   = name(0, 100) … size(124, 12, octal) … type(156) … magic(257) … prefix(345, 155)
 *   types    "0", NUL: a file;  "x": "LENGTH KEY=VALUE\n"… for the next entry (path, size);  "L": its long name
 */
import { open, type FileHandle } from 'node:fs/promises';

/** A file's bytes in the archive. */
export interface TarEntry {
  readonly offset: number;
  readonly size: number;
}

const block = 512;

/** By path, without a leading "./"; undefined where it is no tar archive. */
export async function readTar(path: string): Promise<ReadonlyMap<string, TarEntry> | undefined> {
  const file = await open(path);
  try {
    return await entriesOf(file);
  } finally {
    await file.close();
  }
}

async function entriesOf(file: FileHandle): Promise<ReadonlyMap<string, TarEntry> | undefined> {
  const entries = new Map<string, TarEntry>();
  let extended: Readonly<Record<string, string>> = {};
  for (let at = 0; ;) {
    const header = await bytesOf(file, { offset: at, size: block });
    if (header.length < block || header.every((byte) => byte === 0)) return at === 0 ? undefined : entries;
    if (!isHeader(header)) return undefined;
    const type = String.fromCharCode(header[156] ?? 0);
    const size = Number(extended['size'] ?? sizeIn(header));
    const offset = at + block;
    if (type === 'x') extended = paxRecords(await bytesOf(file, { offset, size }));
    else if (type === 'L') extended = { path: text(await bytesOf(file, { offset, size })) };
    else {
      const name = (extended['path'] ?? nameIn(header)).replace(/^(\.\/)+/, '');
      if (type === '0' || type === '\0') entries.set(name, { offset, size });
      extended = {};
    }
    at = offset + Math.ceil(size / block) * block;
  }
}

async function bytesOf(file: FileHandle, { offset, size }: TarEntry): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
  return buffer.subarray(0, bytesRead);
}

/** By its checksum, in which the checksum's own bytes count as blanks. */
function isHeader(header: Buffer): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return parseInt(text(header.subarray(148, 156)), 8) === sum;
}

function nameIn(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  const prefix = text(header.subarray(257, 263)).startsWith('ustar') ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal, or base 256 for what is too large for that (GNU). */
function sizeIn(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) === 0) return parseInt(text(field), 8) || 0;
  return field.subarray(1).reduce((size, byte) => size * 256 + byte, 0);
}

function paxRecords(bytes: Buffer): Readonly<Record<string, string>> {
  const records: [string, string][] = [];
  for (let at = 0; at < bytes.length;) {
    const [, length = ''] = /^(\d+) /.exec(bytes.subarray(at, at + 20).toString()) ?? [];
    const size = Number(length);
    if (size === 0) break;
    const [, name = '', value = ''] = /^\d+ ([^=]+)=([^]*)\n$/.exec(bytes.subarray(at, at + size).toString()) ?? [];
    records.push([name, value]);
    at += size;
  }
  return Object.fromEntries(records);
}

/** Up to the first NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString()
    .trim();
}
