import { beforeEach, describe, expect, test } from '@jest/globals';
import { nameImage, type NamingInputs } from '../../src/steps/name-image.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeFiles } from '../fakes/files.ts';
import { FakeGit } from '../fakes/git.ts';
import { FakeGitHub } from '../fakes/github.ts';

let git: FakeGit;
let github: FakeGitHub;
const name = async (given: Partial<NamingInputs> = {}) =>
  nameImage({
    inputs: { folder: '.', otherPaths: [], tags: [], labels: [], ...given },
    ports: { clock: new FakeClock(), files: new FakeFiles(), git, github },
  });
const tags = async (given: Partial<NamingInputs>) => (await name(given)).tags.map(({ tag }) => tag);

beforeEach(() => {
  git = new FakeGit();
  github = new FakeGitHub();
});

describe('the event', () => {
  test('pull_request_target runs on the base branch, and is about the pull request all the same', async () => {
    github = new FakeGitHub({ eventName: 'pull_request_target', ref: 'refs/heads/main' });
    github.pull = { number: 7, headSha: 'fedcba9876543210fedcba9876543210fedcba98', fork: true };
    await expect(tags({ tags: ['type=ref,event=pr', 'type=ref,event=branch'] })).resolves.toEqual(['pr-7']);
    await expect(tags({})).resolves.toEqual(['pr-7', 'pr-7-fedcba987654']);
  });

  test('the commit’s date is the checkout’s where the event does not tell it', async () => {
    github.source = { commitTime: undefined };
    git.time = Date.parse('2026-11-19T00:00:00Z');
    await expect(tags({ tags: [`type=raw,value={{commit_date 'YYYYMMDD'}}`] })).resolves.toEqual(['20261119']);
    git.time = undefined;
    const { labels } = await name();
    expect(labels.map(([label]) => label)).not.toContain('org.opencontainers.image.created');
  });

  test('the version label is the first tag', async () => {
    const { labels } = await name({ tags: ['type=sha', 'v1'] });
    expect(new Map(labels).get('org.opencontainers.image.version')).toBe('v1');
  });

  test('wrong tags are the author’s to mend', async () => {
    await expect(name({ tags: ['type=raw,value=-x'] })).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(/^tags: .*"-x" is not a tag/),
    });
  });
});

describe('type=tree', () => {
  const tree = { tags: ['type=tree'] };

  test('names the tree of the context', async () => {
    git.answer = { answer: 'tree', id: '0123456789abcdef'.repeat(2) + '01234567' };
    await expect(tags(tree)).resolves.toEqual(['tree-0123456789ab']);
  });

  test('is not asked for where no rule wants it', async () => {
    await expect(tags({ tags: ['type=tree,enable=false', 'v1'] })).resolves.toEqual(['v1']);
  });

  test.each<[string, Partial<NamingInputs>, FakeGit['answer'], string]>([
    ['a remote context', { folder: undefined }, { answer: 'none', reason: '' }, 'there is no context in the checkout'],
    [
      'a work tree that is not what is committed',
      {},
      { answer: 'dirty', paths: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] },
      'the context . is not what is committed: a, b, c, d, e and 2 more',
    ],
    ['no checkout', {}, { answer: 'none', reason: 'not a git repository' }, 'Git knows no tree of the context .: not a git repository'],
    [
      'a Dockerfile elsewhere',
      { folder: 'app', otherPaths: ['docker/Dockerfile', 'app/x'] },
      { answer: 'tree', id: 'a'.repeat(40) },
      'docker/Dockerfile lies outside of the context app, whose tree tells nothing of it',
    ],
  ])('%s is refused', async (_, given, answer, problem) => {
    git.answer = answer;
    await expect(name({ ...tree, ...given })).rejects.toMatchObject({ message: expect.stringContaining(`tags: type=tree: ${problem}`) });
  });
});
