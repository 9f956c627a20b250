import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defuse } from '../../src/domain/workflow-command.ts';

/** As the runner decides (actions/runner, ActionCommand.cs). */
function isCommand(line: string): boolean {
  return line.replace(/^[\s\u0085]+/, '').startsWith('::') || line.includes('##[');
}

test.each(['::set-output name=x::1', '  ::stop-commands::t', 'text ##[save-state name=x]1', 'a\n::error::b', 'a\r##[group]b'])(
  '%j is no command any more',
  (text) => {
    const defused = defuse(text);
    expect(defused.split(/\r\n|\r|\n/).some(isCommand)).toBe(false);
    expect(defused.replaceAll('\u200b', '')).toBe(text.replaceAll('\r', '\n'));
  },
);

test('text that is no command stays as it is', () => {
  expect(defuse('arn:aws:iam::111111111111:role/x\n  indented: yes')).toBe('arn:aws:iam::111111111111:role/x\n  indented: yes');
});

test('no text can drive the step', () => {
  const pieces = fc.constantFrom('::', ':', '#', '##[', '[', ' ', '\n', '\r', '\t', 'group', '\u200b', '\u00a0', '\u0085');
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      expect(defuse(parts.join('')).split('\n').some(isCommand)).toBe(false);
    }),
  );
});
