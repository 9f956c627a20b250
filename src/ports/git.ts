/** The checkout, as Git knows it. Where there is no Git or no checkout, that is an answer, not an error. */
import { CommandError } from '../errors.ts';
import type { Log } from './log.ts';
import { childProcesses, type Environment } from './process.ts';

/** The tree of a folder; `dirty` where files differ from the commit, with their paths from the checkout's root. */
export type TreeAnswer =
  | { readonly answer: 'tree'; readonly id: string }
  | { readonly answer: 'dirty'; readonly paths: readonly string[] }
  | { readonly answer: 'none'; readonly reason: string };

export interface Git {
  /** When a commit was made, in milliseconds since the epoch; undefined where the checkout does not have it. */
  commitTime(folder: string, revision: string): Promise<number | undefined>;
  /** The tree of a folder in the commit that is checked out. Files that Git ignores are no part of it. */
  tree(folder: string): Promise<TreeAnswer>;
}

export function gitCli({ log, environment }: { log: Log; environment: Environment }): Git {
  const processes = childProcesses({ log, environment });
  const git = async (folder: string, args: readonly string[]): Promise<string> => {
    // In a container the checkout is another user's, which Git distrusts; nothing here runs what its configuration names.
    const settings = ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false'];
    const { stdout } = await processes.run({ program: 'git', arguments: ['-C', folder, ...settings, ...args] });
    return stdout;
  };
  return {
    commitTime: async (folder, revision) => {
      const seconds = await git(folder, ['show', '--no-patch', '--format=%ct', `${revision}^{commit}`]).catch(commandFailed);
      return typeof seconds === 'string' && /^\d+\s*$/.test(seconds) ? Number(seconds) * 1000 : undefined;
    },

    tree: async (folder) => {
      const found = await Promise.all([
        git(folder, ['rev-parse', 'HEAD:./']),
        git(folder, ['status', '--porcelain', '--no-renames', '--untracked-files=all', '-z', '--', '.']),
      ]).catch(commandFailed);
      if (found instanceof CommandError) return { answer: 'none', reason: found.message };
      const [id, status] = found;
      const paths = status.split('\0').flatMap((entry) => (/^.. /.test(entry) ? [entry.slice(3)] : []));
      return paths.length > 0 ? { answer: 'dirty', paths } : { answer: 'tree', id: id.trim() };
    },
  };
}

function commandFailed(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  throw error;
}
