import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actionsGitHub } from '../../src/ports/github.ts';

let folder: string;
const sha = '0123456789abcdef0123456789abcdef01234567';
const headSha = 'fedcba9876543210fedcba9876543210fedcba98';
const repository = {
  name: 'shop',
  description: 'The shop',
  html_url: 'https://github.example.com/acme/shop',
  default_branch: 'trunk',
  license: { spdx_id: 'MIT' },
};

/** What the port makes of an event. */
const event = async (payload: unknown, environment: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'event.json'), typeof payload === 'string' ? payload : JSON.stringify(payload));
  const run = {
    GITHUB_EVENT_PATH: join(folder, 'event.json'),
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_SHA: sha,
    GITHUB_REF: 'refs/heads/trunk',
  };
  return actionsGitHub({ ...run, ...environment }).sourceEvent();
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'github-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the event', () => {
  test('of a push: the repository, and when its commit was made', async () => {
    const commits = [
      { id: 'f'.repeat(40), timestamp: '2026-11-19T00:00:00Z' },
      { id: sha, timestamp: '2026-11-20T09:30:00+01:00' },
    ];
    await expect(event({ repository, commits })).resolves.toEqual({
      repository: {
        name: 'shop',
        description: 'The shop',
        url: 'https://github.example.com/acme/shop',
        license: 'MIT',
        defaultBranch: 'trunk',
      },
      baseRef: undefined,
      revision: sha,
      commitTime: Date.parse('2026-11-20T08:30:00Z'),
      shortShaLength: 7,
    });
    await expect(event({ head_commit: commits[1] })).resolves.toMatchObject({ commitTime: Date.parse('2026-11-20T08:30:00Z') });
    await expect(event({ head_commit: commits[0] })).resolves.toMatchObject({ commitTime: undefined });
  });

  test('of a pull request: its base, and its head where DOCKER_METADATA_PR_HEAD_SHA says so', async () => {
    const payload = { pull_request: { base: { ref: 'trunk' }, head: { sha: headSha } } };
    const pull = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge' };
    await expect(event(payload, pull)).resolves.toMatchObject({ baseRef: 'trunk', revision: sha });
    await expect(event(payload, { ...pull, DOCKER_METADATA_PR_HEAD_SHA: 'true' })).resolves.toMatchObject({ revision: headSha });
    await expect(event({}, { DOCKER_METADATA_PR_HEAD_SHA: 'true' })).resolves.toMatchObject({ revision: sha });
  });

  test('of a tag: the branch it is on', async () => {
    await expect(event({ base_ref: 'refs/heads/trunk' }, { GITHUB_REF: 'refs/tags/v1' })).resolves.toMatchObject({ baseRef: 'trunk' });
  });

  test.each(['{', '[]', '{"repository":[],"commits":{}}'])('that is odd (%s) tells what the runner tells', async (text) => {
    await expect(event(text)).resolves.toMatchObject({
      repository: { name: 'shop', description: '', url: 'https://github.com/acme/shop', license: '', defaultBranch: undefined },
      revision: sha,
    });
  });

  test('short commits are as long as DOCKER_METADATA_SHORT_SHA_LENGTH says', async () => {
    await expect(event({}, { DOCKER_METADATA_SHORT_SHA_LENGTH: '12' })).resolves.toMatchObject({ shortShaLength: 12 });
    await expect(event({}, { DOCKER_METADATA_SHORT_SHA_LENGTH: 'long' })).rejects.toThrow(
      'tags: DOCKER_METADATA_SHORT_SHA_LENGTH is "long", not a number of digits',
    );
  });
});
