/**
 * Child processes. `@actions/exec` serves the short ones. It can't end its child, though, and a child outlives our own SIGINT
 * (RULES 5.3): long ones run in a process group of their own, which is ended as soon as the step is cancelled.
 *
 * A child gets an allow-listed environment (RULES 6.23): nothing of AWS, GitHub or the inputs goes to a build unasked.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { getExecOutput } from '@actions/exec';
import { CommandError, toError } from '../errors.ts';
import type { Log } from './log.ts';

export interface Command {
  /** A program on PATH, or a path. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** Beside what every child gets (`childEnvironment`). */
  readonly variables?: Readonly<Record<string, string>>;
  /** Goes to stdin: the one way of a secret. */
  readonly input?: string;
  /** What an error calls it. Default: the program and its arguments up to the first option. */
  readonly name?: string;
}

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Processes {
  /**
   * Where a program is.
   * @throws CommandError where it is not on PATH
   */
  find(program: string): Promise<string>;
  /**
   * Runs a short command, silently.
   * @throws CommandError for any exit code but 0; the signal's reason when one that gets an input is aborted
   */
  run(command: Command, options?: { readonly signal?: AbortSignal | undefined }): Promise<CommandOutput>;
  /**
   * Runs a long command in a process group of its own; its output goes to the log line by line.
   * @throws CommandError for any exit code but 0; the signal's reason when it is aborted, after the group has ended
   */
  follow(command: Command, options: { readonly signal: AbortSignal }): Promise<CommandOutput>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** How many lines of a failed command go into the error. */
const shownLines = 5;
/** A build may print without end; its log has all of it, and the error only needs the end. */
const keptLines = 2_000;

export interface ProcessSettings {
  readonly log: Log;
  readonly environment: Environment;
  /** How long a cancelled child may take to clean up, in milliseconds; the whole step has five seconds (DESIGN 6.7). */
  readonly grace?: number;
}

export function childProcesses({ log, environment, grace = 1_500 }: ProcessSettings): Processes {
  return {
    find: async (program) => findProgram(program, environment),

    run: async (command, { signal = neverAborted } = {}) => {
      // With an input we run it ourselves: the toolkit dies of EPIPE when a child ends before it has read all.
      if (command.input !== undefined) return supervise({ command, environment, grace, signal, onLine: () => undefined });
      const program = await findProgram(command.program, environment);
      const { exitCode, stdout, stderr } = await getExecOutput(`"${program}"`, [...command.arguments], {
        silent: true,
        ignoreReturnCode: true,
        env: variablesOf(command, environment),
      });
      if (exitCode !== 0) throw failure({ command, exitCode, stdout, stderr });
      return { stdout, stderr };
    },

    follow: async (command, { signal }) => supervise({ command, environment, grace, signal, onLine: (line) => log.info(line) }),
  };
}

const neverAborted = new AbortController().signal;

interface Supervision {
  readonly command: Command;
  readonly environment: Environment;
  readonly grace: number;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Runs a command in a process group of its own, which ends with the step. */
async function supervise({ command, environment, grace, signal, onLine }: Supervision): Promise<CommandOutput> {
  const program = await findProgram(command.program, environment);
  signal.throwIfAborted();
  const child = spawn(program, command.arguments, {
    detached: true,
    env: variablesOf(command, environment),
    stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const ended = endOf(child);
  const output = Promise.all([child.stdout, child.stderr].map(async (stream) => linesOf(stream, onLine)));
  // A child that is gone reads no input; its exit code says why.
  child.stdin?.on('error', () => undefined).end(command.input);
  const stop = stopper(child, grace);
  const over = new AbortController();
  process.once('exit', stop.now);
  signal.addEventListener('abort', stop.soon, { signal: over.signal });
  try {
    const exitCode = await ended;
    // A process that left the group may hold the pipes open: a cancelled step does not wait for it.
    const [stdout = '', stderr = ''] = await Promise.race([output, rejectedBy(signal, over.signal)]);
    signal.throwIfAborted();
    if (exitCode !== 0) throw failure({ command, exitCode, stdout, stderr });
    return { stdout, stderr };
  } finally {
    over.abort();
    process.removeListener('exit', stop.now);
    if (signal.aborted) stop.now();
  }
}

function variablesOf({ variables }: Command, environment: Environment): Record<string, string> {
  return { ...childEnvironment(environment), ...variables };
}

/** Variables that a build may depend on; every other one stays with us. */
const passed = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LC_\w+|TMPDIR|SOURCE_DATE_EPOCH)$/,
  /^(HTTPS?_PROXY|NO_PROXY|ALL_PROXY|FTP_PROXY)$/i,
  /^(DOCKER_(HOST|CONTEXT|TLS|TLS_VERIFY|CERT_PATH|API_VERSION|CONFIG|DEFAULT_PLATFORM|BUILDKIT|CONTENT_TRUST\w*))$/,
  /^(BUILDX_\w+|BUILDKIT_\w+|EXPERIMENTAL_BUILDKIT_\w+)$/,
  /^(XDG_(CONFIG_HOME|DATA_HOME|CACHE_HOME|RUNTIME_DIR)|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR))$/,
];

/** What every child gets of our own environment. */
export function childEnvironment(environment: Environment): Record<string, string> {
  const known = Object.entries(environment).filter(([name]) => passed.some((pattern) => pattern.test(name)));
  return Object.fromEntries(known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function findProgram(program: string, { PATH = '' }: Environment): Promise<string> {
  const candidates = program.includes('/')
    ? [program]
    : PATH.split(delimiter).flatMap((folder) => (folder === '' ? [] : [join(folder, program)]));
  for (const candidate of candidates) {
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  throw new CommandError(`${program} was not found on PATH`, { command: program, exitCode: 127 });
}

/** The exit code; a child that a signal ended has 128 and its number, as in a shell. */
async function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

/** Passes on each line as it comes; resolves with the last ones. */
async function linesOf(stream: Readable | null, onLine: (line: string) => void): Promise<string> {
  const lines: string[] = [];
  if (!stream) return '';
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    onLine(line);
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
  }
  return lines.join('\n');
}

/** Never resolves; rejects with the signal's reason, until it is over. */
async function rejectedBy(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const cancel = (): void => reject(toError(signal.reason));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { signal: over });
  });
}

/** Ends a child with all that it has started: the group bears its process ID. */
function stopper(child: ChildProcess, grace: number): { soon: () => void; now: () => void } {
  const kill = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  };
  return {
    soon: () => {
      kill('SIGTERM');
      setTimeout(() => kill('SIGKILL'), grace).unref();
    },
    now: () => kill('SIGKILL'),
  };
}

function failure({ command, exitCode, stdout, stderr }: CommandOutput & { command: Command; exitCode: number }): CommandError {
  const firstOption = command.arguments.findIndex((argument) => argument.startsWith('-'));
  const shown = command.name ?? [command.program, ...command.arguments.slice(0, firstOption < 0 ? 2 : firstOption)].join(' ');
  const said = lastLines(stderr) || lastLines(stdout) || 'it said nothing';
  const output = `${stdout}\n${stderr}`;
  return new CommandError(`${shown} failed with exit code ${exitCode}: ${said}`, { command: shown, exitCode, output });
}

function lastLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-shownLines)
    .join('\n');
}
