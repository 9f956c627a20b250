/** The workspace's files. Paths are relative to it unless they are absolute. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { DocumentError, toError } from '../errors.ts';

export interface Files {
  /** The text of a file, or undefined where there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Whether there is a file or a folder. */
  kind(path: string): Promise<'file' | 'folder' | 'none'>;
  /** Writes a file that only the user may read (mode 0600), with its folders. */
  writeSecret(path: string, text: string): Promise<void>;
  /** A new empty folder under the runner's temporary folder, private to this step. */
  temporaryFolder(prefix: string): Promise<string>;
  remove(path: string): Promise<void>;
  /** The absolute path. */
  resolve(path: string): string;
  /** Whether a path is the folder or lies in it. */
  isInside(path: string, folder: string): boolean;
}

/** Every temporary folder's name begins with it. */
const folderPrefix = 'ecr-org-deploy-';

export function workspaceFiles({ workspace, temp }: { workspace: string; temp: string }): Files {
  const at = (path: string): string => (isAbsolute(path) ? path : resolve(workspace, path));
  return {
    readText: async (path) => readable(path, missingAsUndefined(readFile(at(path), 'utf8'))),
    kind: async (path) => {
      const found = await missingAsUndefined(stat(at(path)));
      if (!found) return 'none';
      return found.isDirectory() ? 'folder' : 'file';
    },
    writeSecret: async (path, text) => {
      await mkdir(dirname(at(path)), { recursive: true, mode: 0o700 });
      await writeFile(at(path), text, { mode: 0o600 });
    },
    temporaryFolder: async (prefix) => {
      await mkdir(temp, { recursive: true });
      return mkdtemp(join(temp, prefix));
    },
    remove: async (path) => {
      // Only what `temporaryFolder` made: whatever the state of a post step says.
      if (!basename(at(path)).startsWith(folderPrefix)) throw new Error(`${path} is no folder of this action`);
      await rm(at(path), { recursive: true, force: true });
    },
    resolve: at,
    isInside: (path, folder) => !/^\.\.(\/|$)/.test(relative(at(folder), at(path))),
  };
}

/** A file that is there and can't be read – a folder, a loop of links, no permission – is its author's to mend. */
async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { message } = toError(error);
    throw new DocumentError([{ file: path, problem: `can't be read: ${message}` }], { cause: error });
  }
}

async function missingAsUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}
