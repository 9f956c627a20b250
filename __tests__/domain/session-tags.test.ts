import { describe, expect, test } from '@jest/globals';
import { checkSessionTags, parseSessionTag } from '../../src/domain/session-tags.ts';

describe('a session tag', () => {
  test.each([
    ['team=shop', 'team', 'shop'],
    ['cost centre = 4711', 'cost centre', '4711'],
    ['query=a=b', 'query', 'a=b'],
    ['empty=', 'empty', ''],
    ['Größe=é/1:2+3@x-y_z.', 'Größe', 'é/1:2+3@x-y_z.'],
  ])('%s', (line, key, value) => {
    expect(parseSessionTag(line)).toEqual({ ok: true, value: { key, value } });
  });

  test.each([
    ['team', '"team" is not key=value'],
    ['=shop', '"=shop" is not key=value'],
    [' =shop', 'the key "" has not 1 to 128 characters'],
    ['aws:x=1', '"aws:x" begins with "aws:", which is AWS\'s own'],
    ['a=b;c', '"a=b;c" holds other characters than letters, digits, blanks and _.:/=+-@'],
    [`${'k'.repeat(129)}=1`, `the key "${'k'.repeat(129)}" has not 1 to 128 characters`],
    [`k=${'v'.repeat(257)}`, 'the value of "k" has more than 256 characters'],
  ])('not %s', (line, problem) => {
    expect(parseSessionTag(line)).toEqual({ ok: false, problem });
  });
});

describe('the tags of a session', () => {
  test('are 50 at most', () => {
    const tags = Array.from({ length: 51 }, (_, index) => ({ key: `k${index}`, value: '' }));
    expect(checkSessionTags(tags.slice(1))).toMatchObject({ ok: true });
    expect(checkSessionTags(tags)).toEqual({ ok: false, problem: 'there are 51, and a session takes 50 at most' });
  });

  test('have each key once, whatever its case', () => {
    const tags = ['team', 'Team'].map((key) => ({ key, value: '' }));
    expect(checkSessionTags(tags)).toEqual({ ok: false, problem: 'the key "Team" is given twice' });
  });
});
