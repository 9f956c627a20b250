import { expect, test } from '@jest/globals';
import { code, codeBlock, escapeMarkdown } from '../../src/domain/markdown.ts';

test.each([
  ['a|b', 'a\\|b'],
  ['<img src=x>', '&lt;img src=x>'],
  ['[x](javascript:1)', '\\[x\\]\\(javascript:1\\)'],
  ['two\nlines', 'two lines'],
  ['@octocat #1', '\\@octocat \\#1'],
  ['**bold** `code`', '\\*\\*bold\\*\\* \\`code\\`'],
])('%j can not become markup', (text, escaped) => {
  expect(escapeMarkdown(text)).toBe(escaped);
});

test('code survives backquotes', () => {
  expect(code('plain')).toBe('`plain`');
  expect(code('a`b``c')).toBe('``` a`b``c ```');
  expect(codeBlock(['```', 'x'])).toBe('````\n```\nx\n````');
});
