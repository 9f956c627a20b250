import { join, relative } from 'node:path';
import type { Files } from '../../src/ports/files.ts';
import type { Journal } from './journal.ts';

/** A workspace in memory: text by absolute path. Temporary folders are numbered. */
export class FakeFiles implements Files {
  readonly journal: Journal;
  readonly files = new Map<string, string>();
  readonly folders = new Set<string>();
  #temporary = 0;

  constructor(journal: Journal = []) {
    this.journal = journal;
  }

  resolve = (path: string) => (path.startsWith('/') ? path : join('/workspace', path));
  isInside = (path: string, folder: string) => !/^\.\.(\/|$)/.test(relative(this.resolve(folder), this.resolve(path)));
  readText = async (path: string) => this.files.get(this.resolve(path));
  kind = async (path: string): Promise<'file' | 'folder' | 'none'> => {
    const at = this.resolve(path);
    if (this.files.has(at)) return 'file';
    const inside = [...this.files.keys()].some((file) => file.startsWith(at.endsWith('/') ? at : `${at}/`));
    return inside || this.folders.has(at) ? 'folder' : 'none';
  };
  writeSecret = async (path: string, text: string) => void this.files.set(this.resolve(path), text);
  temporaryFolder = async (prefix: string) => {
    const folder = `/temp/${prefix}${(this.#temporary += 1)}`;
    this.folders.add(folder);
    return folder;
  };
  remove = async (path: string) => {
    this.journal.push(`files remove ${path}`);
    this.folders.delete(path);
    this.files.delete(path);
  };
}
