import { describe, expect, test } from '@jest/globals';
import { breach, formatCounts, scanMarkdown, severities, toSeverity, type Finding, type SeverityGate } from '../../src/domain/scan.ts';

describe('the gate', () => {
  const one = (severity: string) => ({ [severity]: 1 });
  test.each<[SeverityGate, readonly string[]]>([
    ['none', []],
    ['critical', ['CRITICAL']],
    ['high', ['CRITICAL', 'HIGH']],
    ['medium', ['CRITICAL', 'HIGH', 'MEDIUM']],
    ['low', ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']],
  ])('%s stops %j', (gate, stopped) => {
    expect(severities.filter((severity) => breach(one(severity), gate) !== undefined)).toEqual(stopped);
  });

  test('tells only what it stops', () => {
    expect(breach({ CRITICAL: 1, HIGH: 2, MEDIUM: 3 }, 'high')).toBe('1 critical and 2 high findings');
    expect(breach({ LOW: 1 }, 'low')).toBe('1 low finding');
    expect(breach({}, 'low')).toBeUndefined();
  });
});

test.each([
  [{}, 'no'],
  [{ LOW: 1 }, '1 low'],
  [{ LOW: 1, CRITICAL: 2 }, '2 critical and 1 low'],
  [{ LOW: 1, CRITICAL: 2, UNDEFINED: 0, MEDIUM: 3 }, '2 critical, 3 medium and 1 low'],
])('%j reads as %s', (counts, text) => {
  expect(formatCounts(counts)).toBe(text);
});

test('a severity that nobody knows is undefined', () => {
  expect(['HIGH', 'UNTRIAGED', undefined].map(toSeverity)).toEqual(['HIGH', 'UNDEFINED', 'UNDEFINED']);
});

describe('the summary', () => {
  const finding = (given: Partial<Finding>): Finding => ({
    name: 'CVE-1',
    severity: 'HIGH',
    package: undefined,
    fixedIn: undefined,
    uri: undefined,
    ...given,
  });
  const markdown = (findings: readonly Finding[]) =>
    scanMarkdown([{ name: 'shop/web', scan: { status: 'COMPLETE', why: undefined, counts: {}, findings }, problem: undefined }], {
      gate: 'low',
    });

  test('others’ text is no markup, and a strange address is no link', () => {
    const text = markdown([
      finding({ name: '<img src=x>|[a](b)', package: '`*x*`|y', uri: 'https://evil.test/)![x](y' }),
      finding({ name: 'CVE-2', uri: 'javascript:alert(1)' }),
    ]);
    expect(text).not.toMatch(/<img|javascript|evil\.test/);
    expect(text).toContain('\\`\\*x\\*\\`\\|y');
  });

  test('the most severe come first, and at most fifty', () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      finding({ name: `CVE-${index + 100}`, severity: index === 59 ? 'CRITICAL' : 'LOW' }),
    );
    const text = markdown(many);
    expect(text.split('\n').filter((line) => line.includes('CVE'))).toHaveLength(50);
    expect(text.split('\n').find((line) => line.includes('CVE'))).toContain('Critical');
    expect(text).toContain('… and 10 more, in ECR.');
  });

  test('without findings there is one table', () => {
    expect(markdown([]).match(/^\| --- /gm)).toHaveLength(1);
  });
});
