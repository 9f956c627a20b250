import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvField, parseCsv } from '../../src/domain/csv.ts';

test.each<[string, string[][]]>([
  ['', []],
  ['a', [['a']]],
  ['a,b\nc', [['a', 'b'], ['c']]],
  ['a,', [['a', '']]],
  [',a', [['', 'a']]],
  ['\n\na\n\n', [['a']]],
  ['a\r\nb', [['a'], ['b']]],
  ['"a,b",c', [['a,b', 'c']]],
  ['"two\nlines"', [['two\nlines']]],
  ['"say ""hi"""', [['say "hi"']]],
  // Relaxed, as Docker's actions read it: a quote that does not begin or end a field is itself.
  ['say "hi"', [['say "hi"']]],
  ['"a"b,c', [['"a"b', 'c']]],
  ['{"json":"x"}', [['{"json":"x"}']]],
  ['A="x y"', [['A="x y"']]],
])('%j', (text, records) => {
  expect(parseCsv(text)).toEqual(records);
});

test('what is written is read back', () => {
  const field = fc.string().filter((text) => !text.includes('\r'));
  fc.assert(
    fc.property(fc.array(field, { minLength: 2, maxLength: 5 }), (fields) => {
      expect(parseCsv(fields.map(csvField).join(','))).toEqual([fields]);
    }),
  );
});
