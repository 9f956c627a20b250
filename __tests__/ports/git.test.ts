import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitCli } from '../../src/ports/git.ts';
import { RecordingLog } from '../fakes/log.ts';

let folder: string;
const port = () => gitCli({ log: new RecordingLog(), environment: { PATH: process.env['PATH'], HOME: folder } });
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_COMMITTER_DATE: '2026-11-20T08:30:00Z' },
  }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'git-test-'));
  mkdirSync(join(folder, 'app'));
  writeFileSync(join(folder, 'app/Dockerfile'), 'FROM scratch\n');
  writeFileSync(join(folder, '.gitignore'), 'dist\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'one');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the tree of a folder', () => {
  test('is Git’s, of the root and below', async () => {
    await expect(port().tree(folder)).resolves.toEqual({ answer: 'tree', id: git('rev-parse', 'HEAD^{tree}') });
    await expect(port().tree(join(folder, 'app'))).resolves.toEqual({ answer: 'tree', id: git('rev-parse', 'HEAD:app') });
  });

  test('is not touched by what lies elsewhere, or what Git ignores', async () => {
    writeFileSync(join(folder, 'README.md'), 'changed');
    mkdirSync(join(folder, 'app/dist'));
    writeFileSync(join(folder, 'app/dist/x'), 'built');
    await expect(port().tree(join(folder, 'app'))).resolves.toMatchObject({ answer: 'tree' });
  });

  test.each([
    ['a changed file', () => writeFileSync(join(folder, 'app/Dockerfile'), 'FROM x\n'), ['app/Dockerfile']],
    ['a new file', () => writeFileSync(join(folder, 'app/größe x'), ''), ['app/größe x']],
    ['a removed file', () => rmSync(join(folder, 'app/Dockerfile')), ['app/Dockerfile']],
    ['a renamed file', () => void git('mv', 'app/Dockerfile', 'app/Other'), ['app/Dockerfile', 'app/Other']],
  ])('%s makes it dirty', async (_, change, paths) => {
    change();
    await expect(port().tree(join(folder, 'app'))).resolves.toEqual({ answer: 'dirty', paths });
  });

  test('is none where there is no checkout', async () => {
    rmSync(join(folder, '.git'), { recursive: true });
    await expect(port().tree(folder)).resolves.toEqual({ answer: 'none', reason: expect.stringContaining('not a git repository') });
  });
});

test('a commit’s time, as far as the checkout has it', async () => {
  await expect(port().commitTime(folder, git('rev-parse', 'HEAD'))).resolves.toBe(Date.parse('2026-11-20T08:30:00Z'));
  await expect(port().commitTime(folder, 'f'.repeat(40))).resolves.toBeUndefined();
  await expect(port().commitTime('/nowhere', 'HEAD')).resolves.toBeUndefined();
});
