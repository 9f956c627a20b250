import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import {
  countInWords,
  findingLines,
  findingsJson,
  findingsMarkdown,
  findingsOf,
  verdict,
  type CheckedAccount,
  type Fact,
  type Severity,
  type Subject,
} from '../../src/domain/findings.ts';

const account = (id: string, name = ''): CheckedAccount => ({ id: id as AccountId, name });
const devA = account('222222222222', 'dev-a');
const devB = account('333333333333', 'dev-b');
const fact = (severity: Severity, subject: Subject = 'service', reason = `${severity} of ${subject}`, advice?: string): Fact => ({
  severity,
  subject,
  reason,
  advice,
});
const wholeJson = (facts: readonly Fact[]) => findingsJson(findingsOf(devA, facts), 10_000);

test('an account’s findings: each once, the worst first, then by subject', () => {
  const facts = [
    fact('ok', 'wait'),
    fact('warning', 'image'),
    fact('error', 'wait'),
    fact('error', 'image'),
    fact('error', 'image'),
    fact('info'),
  ];
  expect(findingsOf(devA, facts).map(({ severity, subject }) => `${severity} ${subject}`)).toEqual([
    'error image',
    'error wait',
    'warning image',
    'info service',
    'ok wait',
  ]);
});

test.each<[string, readonly Severity[], string]>([
  ['nothing', [], 'nothing wrong'],
  ['what is no trouble', ['ok', 'info'], 'nothing wrong'],
  ['one of each', ['error', 'warning', 'ok'], '1 error, 1 warning'],
  ['several', ['error', 'error', 'warning', 'warning'], '2 errors, 2 warnings'],
])('counted: %s', (_, severities, expected) => {
  expect(countInWords(severities.map((severity) => fact(severity)))).toBe(expected);
});

test.each<[string, readonly (readonly [CheckedAccount, Severity])[], string]>([
  ['fine', [[devA, 'ok']], 'Nothing was found that would make a deployment fail.'],
  ['warnings', [[devA, 'warning']], 'Nothing was found that would make a deployment fail; 1 warning.'],
  [
    'errors, in each account named once',
    [
      [{ id: '111111111111' as AccountId, name: '', isRegistry: true }, 'error'],
      [devA, 'error'],
      [devB, 'warning'],
      [devA, 'error'],
    ],
    'A deployment would fail: 3 errors, 1 warning, in registry 111111111111, dev-a 222222222222.',
  ],
  ['of nobody knows whom', [[{ id: undefined, name: '' }, 'error']], 'A deployment would fail: 1 error, in the job’s own account.'],
])('the verdict: %s', (_, found, expected) => {
  expect(verdict(found.map(([of, severity]) => ({ ...fact(severity), account: of })))).toBe(expected);
});

test('in the log advice stands below, line by line', () => {
  expect(findingLines([fact('warning', 'wait', 'a\nb', 'c\nd'), fact('ok')])).toEqual([
    'warning  wait: a',
    '         b',
    '         c',
    '         d',
    'ok       service: ok of service',
  ]);
});

describe('as JSON', () => {
  test('with counts, and everything of each', () => {
    expect(JSON.parse(wholeJson([fact('ok'), fact('error', 'image', 'none', 'push it')]))).toEqual({
      errors: 1,
      warnings: 0,
      findings: [
        { severity: 'error', 'account-id': '222222222222', 'account-name': 'dev-a', subject: 'image', reason: 'none', advice: 'push it' },
        { severity: 'ok', 'account-id': '222222222222', 'account-name': 'dev-a', subject: 'service', reason: 'ok of service', advice: '' },
      ],
    });
  });

  test('too long: the least severe are left out, and the counts stay', () => {
    const facts = [fact('ok'), fact('warning'), fact('error'), fact('ok', 'wait')];
    const limit = wholeJson(facts).length - 1;
    const json = findingsJson(findingsOf(devA, facts), limit);
    expect(json.length).toBeLessThanOrEqual(limit);
    const { findings, ...others } = JSON.parse(json) as { findings: { severity: string }[] };
    expect(others).toEqual({ errors: 1, warnings: 1, truncated: true });
    expect(findings.map(({ severity }) => severity)).toEqual(['error', 'warning', 'ok']);
    expect(JSON.parse(findingsJson(findingsOf(devA, facts), 80))).toMatchObject({ findings: [], truncated: true });
  });
});

describe('in the summary', () => {
  test('the same words of several accounts are one row; text of others is no markup', () => {
    const facts = [fact('error', 'image', 'none | <b>', 'push\nit')];
    const markdown = findingsMarkdown([...findingsOf(devA, facts), ...findingsOf(devB, facts)]);
    expect(markdown).toContain('| ❌ error | dev\\-a 222222222222, dev\\-b 333333333333 | image | none \\| &lt;b> | push it |');
    expect(markdown).not.toContain('<details>');
  });

  test('who has to act is named, who has not is counted', () => {
    const all = Array.from({ length: 12 }, (_, index) => account(String(index).padStart(12, '0')));
    const markdown = findingsMarkdown(all.flatMap((of) => findingsOf(of, [fact('warning'), fact('ok', 'wait')])));
    expect(markdown).toMatch(/⚠️ warning \| (\d{12}, ){10}and 2 more \|/);
    expect(markdown).toMatch(/✅ ok \| (\d{12}, ){3}and 9 more \|/);
  });

  test('rows beyond what GitHub shows are counted', () => {
    const facts = Array.from({ length: 502 }, (_, index) => fact('error', 'image', `reason ${index}`));
    expect(findingsMarkdown(findingsOf(devA, facts))).toContain('\n\nAnd 2 more.\n');
  });
});
