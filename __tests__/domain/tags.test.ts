import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTag, type RepositoryName, type Tag } from '../../src/domain/image.ts';
import { defaultTags, isImmutable, kindOf, parseTagEntries, tagsOfRepository, type TagEvent } from '../../src/domain/tags.ts';

const sha = '0123456789abcdef0123456789abcdef01234567';
const headSha = 'fedcba9876543210fedcba9876543210fedcba98';
const on = (ref: string, pullRequest?: TagEvent['pullRequest']): TagEvent => ({ ref, sha, pullRequest });
const host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
const repository = 'shop/web' as RepositoryName;

describe('default tags by event', () => {
  test.each<[string, TagEvent, string[]]>([
    ['a pull request: the head, not the merge commit', on('refs/pull/7/merge', { number: 7, headSha }), ['pr-7', 'pr-7-fedcba987654']],
    ['a branch', on('refs/heads/main'), ['main', 'sha-0123456789ab']],
    ['a branch with odd characters', on('refs/heads/feature/Ünï code'), ['feature-n-code', 'sha-0123456789ab']],
    ['a branch of nothing but odd characters', on('refs/heads/###'), ['sha-0123456789ab']],
    ['a version tag', on('refs/tags/v1.2.3'), ['1.2.3', '1.2', '1']],
    ['a version tag without v', on('refs/tags/1.2.3'), ['1.2.3', '1.2', '1']],
    ['a version below 1 has no major tag', on('refs/tags/v0.4.1'), ['0.4.1', '0.4']],
    ['a prerelease has only itself', on('refs/tags/v2.0.0-rc.1'), ['2.0.0-rc.1']],
    ['build metadata is no part of a version', on('refs/tags/v1.2.3+build.5'), ['1.2.3', '1.2', '1']],
    ['any other Git tag', on('refs/tags/release/7'), ['release-7']],
    ['neither branch nor tag', on('refs/pull/7/merge'), ['sha-0123456789ab']],
  ])('%s', (_, event, tags) => {
    expect(defaultTags(event)).toEqual({ ok: true, value: tags });
  });

  test('an event that names nothing needs tags', () => {
    expect(defaultTags({ ref: '', sha: '' })).toEqual({ ok: false, problem: expect.stringContaining('is required') });
  });

  test('any branch gives tags in the grammar of OCI', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'grapheme' }), (branch) => {
        const tags = defaultTags(on(`refs/heads/${branch}`));
        expect(tags.ok && tags.value.every((tag) => parseTag(tag).ok)).toBe(true);
      }),
    );
  });
});

describe('the input', () => {
  test('takes plain tags, commas and full references of this repository, each once', () => {
    const entries = parseTagEntries(['blue, green', `${host}/shop/web:1.2`, 'blue', ' ']);
    expect(entries.ok && tagsOfRepository(entries.value, { host, repository })).toEqual({ ok: true, value: ['blue', 'green', '1.2'] });
  });

  test.each([
    ['a reference to another host', '222222222222.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1'],
    ['a reference to another repository', `${host}/shop/api:1`],
  ])('%s is refused by name', (_, line) => {
    const entries = parseTagEntries([line]);
    expect(entries.ok && tagsOfRepository(entries.value, { host, repository })).toEqual({
      ok: false,
      problem: `${line} is not of ${host}/shop/web`,
    });
  });

  test.each([
    ['type=sha,prefix=x', 'is a rule'],
    ['-x', 'is not a tag'],
    ['a b', 'is not a tag'],
    ['shop/web:1', 'has no registry host'],
    [`${host}/shop/web@sha256:${'0'.repeat(64)}`, 'is not host/repository:tag'],
    ['x'.repeat(129), 'is not a tag'],
  ])('%s is refused', (line, problem) => {
    expect(parseTagEntries([line])).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  test('all wrong lines are told at once', () => {
    expect(parseTagEntries(['-x', 'fine', '.y'])).toEqual({ ok: false, problem: expect.stringMatching(/"-x".*; ".y"/) });
  });
});

describe('what a tag is', () => {
  const branch = on('refs/heads/feature/x');
  const pull = on('refs/pull/7/merge', { number: 7, headSha });
  test.each<[string, TagEvent, string]>([
    ['sha-0123456789ab', branch, 'commit'],
    [`web-${sha}`, branch, 'commit'],
    ['pr-7-fedcba987654', pull, 'commit'],
    ['sha-0123456789ab', pull, 'commit'],
    ['sha-0123456789', branch, 'fixed'],
    ['sha-0123456789aba', branch, 'fixed'],
    ['build0123456789ab', branch, 'fixed'],
    ['sha-fedcba987654', branch, 'fixed'],
    ['feature-x', branch, 'moving'],
    ['latest', branch, 'moving'],
    ['pr-7', pull, 'moving'],
    ['pr-8', branch, 'moving'],
    ['1', branch, 'moving'],
    ['v1.2', branch, 'moving'],
    ['1.2.3', branch, 'fixed'],
    ['blue', branch, 'fixed'],
  ])('%s', (tag, event, kind) => {
    expect(kindOf(tag as Tag, event)).toBe(kind);
  });

  test('of the defaults, the commit’s are known as such', () => {
    for (const event of [branch, pull]) {
      const tags = defaultTags(event);
      expect(tags.ok && tags.value.map((tag) => kindOf(tag, event))).toEqual(['moving', 'commit']);
    }
  });
});

test.each([
  ['MUTABLE', [], 'x', false],
  ['IMMUTABLE', [], 'x', true],
  ['IMMUTABLE_WITH_EXCLUSION', ['latest', 'pr-*'], 'pr-12', false],
  ['IMMUTABLE_WITH_EXCLUSION', ['latest', 'pr-*'], 'xpr-12', true],
  ['IMMUTABLE_WITH_EXCLUSION', ['1.*'], '1x2', true],
  ['MUTABLE_WITH_EXCLUSION', ['v*'], 'v1', true],
  ['MUTABLE_WITH_EXCLUSION', ['v*'], 'main', false],
] as const)('%s %j: %s is immutable: %s', (mutability, exclusionFilters, tag, immutable) => {
  expect(isImmutable(tag as Tag, { mutability, exclusionFilters })).toBe(immutable);
});
