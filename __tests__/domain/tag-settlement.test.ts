/** RULES 5.14, for each of the four mutabilities. */
import { describe, expect, test } from '@jest/globals';
import type { Digest, Tag } from '../../src/domain/image.ts';
import { reusable, settleTags, type Held } from '../../src/domain/tag-settlement.ts';
import type { TagKind, TagRule, WantedTag } from '../../src/domain/tags.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const [ours, theirs] = [digest('a'), digest('b')];
const wanted = (tag: string, kind: TagKind): WantedTag => ({ tag: tag as Tag, kind });
const tags = [
  wanted('main', 'moving'),
  wanted('sha-0123456789ab', 'commit'),
  wanted('tree-feedfeedfeed', 'tree'),
  wanted('1.2.3', 'fixed'),
];
const held = (rule: TagRule, existing: Record<string, Digest>): Held => ({
  name: 'shop/web',
  rule,
  tags,
  existing: new Map(Object.entries(existing) as [Tag, Digest][]),
});
const rules: Record<string, TagRule> = {
  MUTABLE: { mutability: 'MUTABLE', exclusionFilters: [] },
  IMMUTABLE: { mutability: 'IMMUTABLE', exclusionFilters: [] },
  'IMMUTABLE_WITH_EXCLUSION main': { mutability: 'IMMUTABLE_WITH_EXCLUSION', exclusionFilters: ['ma*'] },
  'MUTABLE_WITH_EXCLUSION 1.*': { mutability: 'MUTABLE_WITH_EXCLUSION', exclusionFilters: ['1.*'] },
};
const all = (digest: Digest) => Object.fromEntries(tags.map(({ tag }) => [tag, digest]));
/** Tags that are left, how many notices, and which tags are refused. */
const told = (settled: ReturnType<typeof settleTags>) => ({
  tags: settled.tags.map(({ tag }) => tag),
  notices: settled.notices.length,
  refused: settled.problems.map((problem) => problem.split(' ')[0]),
});
const names = tags.map(({ tag }) => tag);

describe('tags that name another image', () => {
  test.each([
    ['MUTABLE', { tags: names, notices: 0, refused: [] }],
    ['IMMUTABLE', { tags: [], notices: 1, refused: ['sha-0123456789ab', 'tree-feedfeedfeed', '1.2.3'] }],
    ['IMMUTABLE_WITH_EXCLUSION main', { tags: ['main'], notices: 0, refused: ['sha-0123456789ab', 'tree-feedfeedfeed', '1.2.3'] }],
    ['MUTABLE_WITH_EXCLUSION 1.*', { tags: names.slice(0, 3), notices: 0, refused: ['1.2.3'] }],
  ])('%s', (rule, expected) => {
    const settling = held(rules[rule] as TagRule, all(theirs));
    expect(told(settleTags(settling, { image: ours, onExisting: 'reuse' }))).toEqual(expected);
    // What is not built yet can't be known to be the same.
    expect(told(settleTags(settling, { image: undefined, onExisting: 'reuse' }))).toEqual(expected);
  });
});

test.each(Object.keys(rules))('%s: tags that name this image stay, and new ones are set', (rule) => {
  for (const existing of [all(ours), {}])
    for (const onExisting of ['reuse', 'fail'] as const)
      expect(told(settleTags(held(rules[rule] as TagRule, existing), { image: ours, onExisting }))).toEqual({
        tags: names,
        notices: 0,
        refused: [],
      });
});

test('on-existing-tag: fail refuses what says the commit or the tree, also where tags move', () => {
  const settled = settleTags(held(rules['MUTABLE'] as TagRule, all(theirs)), { image: undefined, onExisting: 'fail' });
  expect(told(settled)).toEqual({ tags: ['main', '1.2.3'], notices: 0, refused: ['sha-0123456789ab', 'tree-feedfeedfeed'] });
});

test('both digests are told, and whose tag it is', () => {
  const { problems, notices } = settleTags(held(rules['IMMUTABLE'] as TagRule, { '1.2.3': theirs, main: theirs }), {
    image: ours,
    onExisting: 'reuse',
  });
  expect(problems).toEqual([`1.2.3 of shop/web is ${theirs} already, and the new image is ${ours}`]);
  expect(notices).toEqual([`Tag main stays on ${theirs}: shop/web does not let tags move.`]);
});

test('moving tags only, all taken: a problem', () => {
  const settling = { ...held(rules['IMMUTABLE'] as TagRule, { main: theirs }), tags: [wanted('main', 'moving')] };
  expect(settleTags(settling, { image: ours, onExisting: 'reuse' }).problems).toEqual([
    'every one of them is taken in shop/web, where tags don’t move',
  ]);
});

describe('an image that need not be made again', () => {
  const [mutable, none] = [rules['MUTABLE'] as TagRule, {}];
  test.each<[string, Held[], ReturnType<typeof reusable>]>([
    ['none', [held(mutable, none), held(mutable, none)], undefined],
    ['only by a tag that says what it was made from', [held(mutable, { main: theirs, '1.2.3': theirs })], undefined],
    ['by the commit', [held(mutable, { 'sha-0123456789ab': theirs })], { index: 0, tag: 'sha-0123456789ab' as Tag, digest: theirs }],
    ['by the tree', [held(mutable, { 'tree-feedfeedfeed': theirs })], { index: 0, tag: 'tree-feedfeedfeed' as Tag, digest: theirs }],
    [
      'in any repository',
      [held(mutable, none), held(mutable, { 'sha-0123456789ab': theirs })],
      { index: 1, tag: 'sha-0123456789ab' as Tag, digest: theirs },
    ],
  ])('%s', (_, each, expected) => {
    expect(reusable(each)).toEqual(expected);
  });
});
