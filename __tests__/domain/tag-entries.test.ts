import { describe, expect, test } from '@jest/globals';
import type { RepositoryName } from '../../src/domain/image.ts';
import { parseTagEntries, tagsOfEvent, tagsOfHomes, wantsTree, type EventTags } from '../../src/domain/tag-entries.ts';
import type { TagEvent } from '../../src/domain/tags.ts';
import { on, pull } from './event.ts';

const host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
const home = (name: string) => ({ host, repository: name as RepositoryName });
const branch = on('refs/heads/main');

function tagsOf(lines: readonly string[], event: TagEvent = branch): EventTags {
  const entries = parseTagEntries(lines);
  if (!entries.ok) throw new Error(entries.problem);
  const tags = tagsOfEvent(entries.value, event);
  if (!tags.ok) throw new Error(tags.problem);
  return tags.value;
}
const names = ({ tags }: EventTags) => tags.map(({ tag }) => tag);

describe('lines', () => {
  test('are plain tags, commas, full references, rules and comments', () => {
    const lines = ['# ours', 'blue, green', `${host}/shop/web:1.2`, 'type=sha', ' '];
    expect(names(tagsOf(lines))).toEqual(['blue', 'green', '1.2', 'sha-0123456']);
  });

  test('are in the order of their priorities: the first is the image’s version', () => {
    const lines = ['type=sha', 'plain', 'type=ref,event=tag', 'type=semver,pattern={{version}}', 'type=raw,value=first,priority=2000'];
    expect(names(tagsOf(lines, on('refs/tags/v1.2.3')))).toEqual(['first', '1.2.3', 'v1.2.3', 'plain', 'sha-0123456']);
  });

  test('none: what suits the event', () => {
    expect(names(tagsOf([]))).toEqual(['main', 'sha-0123456789ab']);
    expect(tagsOf([], pull).tags).toEqual([
      { tag: 'pr-7', kind: 'moving', of: undefined },
      { tag: 'pr-7-fedcba987654', kind: 'commit', of: undefined },
    ]);
  });

  test.each([
    ['-x', 'is not a tag'],
    ['a b', 'is not a tag'],
    ['shop/web:1', 'has no registry host'],
    [`${host}/shop/web@sha256:${'0'.repeat(64)}`, 'is not host/repository:tag'],
    ['x'.repeat(129), 'is not a tag'],
    ['type=match,pattern=x', 'type=match is not one of'],
    ['colour=green', 'has no colour'],
  ])('%s is refused', (line, problem) => {
    expect(parseTagEntries([line])).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  test('all wrong lines are told at once', () => {
    expect(parseTagEntries(['-x', 'fine', '.y'])).toEqual({ ok: false, problem: expect.stringMatching(/"-x".*; ".y"/) });
  });

  test('no rule that has a tag for the event is an error that says what would', () => {
    const entries = parseTagEntries(['type=semver,pattern={{version}}', 'type=ref,event=pr']);
    expect(entries.ok && tagsOfEvent(entries.value, branch)).toEqual({
      ok: false,
      problem: 'no rule has a tag for this event (push of refs/heads/main); add one that does, such as type=sha,format=long',
    });
  });

  test('a rule that has none is no error beside one that has; why is told', () => {
    expect(tagsOf(['type=semver,pattern={{version}}', 'type=sha'], on('refs/tags/nightly')).notes).toEqual([
      '"nightly" is not a semantic version (semver.org), so {{version}} gives no tag',
    ]);
  });

  test.each([
    [['type=tree'], true],
    [['type=tree,enable=false'], false],
    [['type=sha', 'tree-0123456789ab'], false],
  ])('%j asks for the tree: %s', (lines, wanted) => {
    const entries = parseTagEntries(lines);
    expect(entries.ok && wantsTree(entries.value)).toBe(wanted);
  });
});

describe('several repositories', () => {
  test('each gets the plain tags, and the full references that are its own; each tag once', () => {
    const { tags } = tagsOf(['blue', `${host}/shop/web:1`, `${host}/shop/api:2`, `${host}/shop/api:blue`]);
    const each = tagsOfHomes(tags, [home('shop/web'), home('shop/api')]);
    expect(each.ok && each.value.map((list) => list.map(({ tag }) => tag))).toEqual([
      ['blue', '1'],
      ['blue', '2'],
    ]);
  });

  test.each([
    ['a reference to another host', '222222222222.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1'],
    ['a reference to another repository', `${host}/shop/cart:1`],
  ])('%s is refused by name', (_, line) => {
    expect(tagsOfHomes(tagsOf([line]).tags, [home('shop/web'), home('shop/api')])).toEqual({
      ok: false,
      problem: `${line} is not of ${host}/shop/web, ${host}/shop/api`,
    });
  });

  test('one without a tag is refused by name', () => {
    expect(tagsOfHomes(tagsOf([`${host}/shop/web:1`]).tags, [home('shop/web'), home('shop/api')])).toEqual({
      ok: false,
      problem: `has no tag for ${host}/shop/api`,
    });
  });
});
