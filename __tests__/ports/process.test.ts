import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, CommandError } from '../../src/errors.ts';
import { childEnvironment, childProcesses } from '../../src/ports/process.ts';
import { RecordingLog } from '../fakes/log.ts';

let folder: string;
let log: RecordingLog;
const environment = {
  PATH: process.env['PATH'],
  HOME: '/home/ci',
  AWS_SECRET_ACCESS_KEY: 'hidden',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'hidden',
};
const shell = (script: string) => ({ program: 'sh', arguments: ['-c', script] });
const processes = () => childProcesses({ log, environment, grace: 200 });
const running = (): AbortSignal => new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'process-test-'));
  log = new RecordingLog();
});
afterEach(async () => rm(folder, { recursive: true }));

describe('a short command', () => {
  test('is silent, takes its input by stdin and gives both outputs', async () => {
    await expect(processes().run({ ...shell('cat; echo oops >&2'), input: 'hunter2' })).resolves.toEqual({
      stdout: 'hunter2',
      stderr: 'oops',
    });
    expect(log.lines).toEqual([]);
  });

  test('that warns only is fine; that fails says its last lines, never its input or options', async () => {
    await processes().run(shell('echo warning >&2'));
    const failing = processes().run({ ...shell('echo first >&2; echo; echo "no basic auth credentials" >&2; exit 3'), input: 'hunter2' });
    await expect(failing).rejects.toThrow(
      new CommandError('sh failed with exit code 3: first\nno basic auth credentials', { command: 'sh', exitCode: 3 }),
    );
  });

  test('that ends without reading its input, ends as its exit code says', async () => {
    const input = 'x'.repeat(1_000_000);
    await expect(processes().run({ ...shell('exit 0'), input })).resolves.toEqual({ stdout: '', stderr: '' });
    await expect(processes().run({ ...shell('exit 1'), input })).rejects.toThrow('sh failed with exit code 1: it said nothing');
  });

  test('that is not there', async () => {
    await expect(processes().run({ program: 'no-such-program', arguments: [] })).rejects.toThrow('no-such-program was not found on PATH');
  });

  test('gets arguments as they are', async () => {
    const odd = ['a b', '"q"', "it's", '$HOME', '', '\\'];
    const { stdout } = await processes().run({ program: 'sh', arguments: ['-c', 'printf "%s|" "$@"', 'sh', ...odd] });
    expect(stdout).toBe(odd.map((one) => `${one}|`).join(''));
  });
});

describe('the environment of a child', () => {
  test('has what a build may depend on, and nothing of AWS, GitHub or the inputs', async () => {
    const { stdout } = await processes().run({ ...shell('env'), variables: { DOCKER_CONFIG: '/x' } });
    expect(stdout).toContain('HOME=/home/ci\n');
    expect(stdout).toContain('DOCKER_CONFIG=/x\n');
    expect(stdout).not.toContain('hidden');
  });

  test.each(['https_proxy', 'NO_PROXY', 'DOCKER_HOST', 'BUILDX_BUILDER', 'SSH_AUTH_SOCK', 'LC_ALL'])('%s is passed on', (name) => {
    expect(childEnvironment({ [name]: 'x' })).toEqual({ [name]: 'x' });
  });

  test.each([
    'AWS_SESSION_TOKEN',
    'GITHUB_TOKEN',
    'INPUT_GITHUB-TOKEN',
    'ACTIONS_RUNTIME_TOKEN',
    'STATE_cleanup',
    'DOCKER_PASSWORD',
    'NODE_OPTIONS',
  ])('%s is not', (name) => {
    expect(childEnvironment({ [name]: 'x' })).toEqual({});
  });
});

describe('a long command', () => {
  test('streams each line to the log as it comes', async () => {
    const output = processes().follow(shell('echo one; sleep 0.2; printf "two\\nthree"; echo four >&2'), { signal: running() });
    while (log.lines.length === 0) await sleep(5);
    expect(log.lines).toEqual(['one']);
    await expect(output).resolves.toEqual({ stdout: 'one\ntwo\nthree', stderr: 'four' });
    expect([...log.lines].sort()).toEqual(['four', 'one', 'three', 'two']);
  });

  test('that fails, fails', async () => {
    await expect(processes().follow(shell('echo why; exit 7'), { signal: running() })).rejects.toThrow('sh failed with exit code 7: why');
  });

  test('that a signal ended, failed', async () => {
    await expect(processes().follow(shell('kill -KILL $$'), { signal: running() })).rejects.toThrow('exit code 137');
  });

  test('is not started when the step is cancelled already', async () => {
    await expect(processes().follow(shell('echo ran'), { signal: AbortSignal.abort(new CancelledError('stop')) })).rejects.toThrow('stop');
    expect(log.lines).toEqual([]);
  });

  test.each([
    ['that ends when asked', 'exec sleep 60'],
    ['with children of its own', 'sleep 60 & sleep 60'],
    ['that does not listen', 'trap "" TERM; echo $$; while :; do sleep 0.05; done'],
  ])('%s is ended at once with its whole group', async (_, script) => {
    const cancel = new AbortController();
    const pidFile = join(folder, 'pid');
    const followed = processes().follow(shell(`echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; ${script}`), {
      signal: cancel.signal,
    });
    const group = await firstText(pidFile);
    expect(isAlive(group)).toBe(true);
    const begun = Date.now();
    cancel.abort(new CancelledError('cancelled by the test'));
    await expect(followed).rejects.toThrow(new CancelledError('cancelled by the test'));
    expect(Date.now() - begun).toBeLessThan(1_000);
    while (isAlive(group)) await sleep(5);
  });
});

async function firstText(path: string): Promise<number> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return Number(text);
    await sleep(5);
  }
}

/** Whether any process of the group lives; one that nobody has reaped yet does not. */
function isAlive(group: number): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      const [state, , ownGroup] = statusOf(pid);
      return Number(ownGroup) === group && state !== 'Z';
    });
}

/** State, parent and group, of `pid (name) state parent group …` (proc_pid_stat(5)). */
function statusOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
