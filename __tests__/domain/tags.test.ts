import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTag, type Tag } from '../../src/domain/image.ts';
import { defaultTags, isImmutable, kindOf, type TagEvent } from '../../src/domain/tags.ts';
import { on, pull, sha } from './event.ts';

describe('default tags by event', () => {
  test.each<[string, TagEvent, string[]]>([
    ['a pull request: the head, not the merge commit', pull, ['pr-7', 'pr-7-fedcba987654']],
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
    expect(defaultTags(on('', { sha: '' }))).toEqual({ ok: false, problem: expect.stringContaining('is required') });
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

describe('what a tag is', () => {
  const branch = on('refs/heads/feature/x');
  const tree = on('refs/heads/main', { tree: 'feed'.repeat(10) });
  test.each<[string, TagEvent, string]>([
    ['sha-0123456789ab', branch, 'commit'],
    [`web-${sha}`, branch, 'commit'],
    ['pr-7-fedcba987654', pull, 'commit'],
    ['sha-0123456789ab', pull, 'commit'],
    ['sha-0123456789', branch, 'fixed'],
    ['sha-0123456789aba', branch, 'fixed'],
    ['build0123456789ab', branch, 'fixed'],
    ['sha-fedcba987654', branch, 'fixed'],
    ['tree-feedfeedfeed', tree, 'tree'],
    ['tree-feedfeedfee', tree, 'fixed'],
    ['tree-feedfeedfeed', branch, 'fixed'],
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
