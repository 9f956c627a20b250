import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import {
  accountLabel,
  deploymentsJson,
  failureLine,
  failureLines,
  outcomesMarkdown,
  shortReason,
  tally,
  type AccountOutcome,
} from '../../src/domain/account-outcome.ts';

const outcome = (digit: string, given: Partial<AccountOutcome> = {}): AccountOutcome => ({
  account: digit.repeat(12) as AccountId,
  name: `dev-${digit}`,
  wave: 1,
  status: 'succeeded',
  ...given,
});

test.each([
  ['dev-2', 'dev-2 222222222222'],
  ['', '222222222222'],
  ['a\n::error::b', 'a ::error::b 222222222222'],
])('an account named %j', (name, label) => expect(accountLabel(outcome('2', { name }))).toBe(label));

describe('a reason', () => {
  const words = 'word '.repeat(50).trim();
  const x = (length: number) => 'x'.repeat(length);

  test.each([
    ['of several lines is its first', 'first\nsecond', 'first'],
    ['that fits is told whole', x(200), x(200)],
    ['of sentences that fit loses the others', `${x(99)}. ${x(99)}. No more.`, `${x(99)}.`],
    ['whose sentences fill the room keeps them', `${x(98)}. ${x(99)}. No more.`, `${x(98)}. ${x(99)}.`],
    ['of one long sentence is cut at a word', words, `${'word '.repeat(40).trim()}…`],
    ['of one long word is cut within it', x(201), `${x(199)}…`],
  ])('%s in the output', (_, reason, short) => {
    expect(shortReason({ reason })).toBe(short);
    expect(short.length).toBeLessThanOrEqual(200);
  });

  test('is told whole in messages and in the summary', () => {
    const failed = outcome('2', { status: 'denied', reason: `${words}\nmore` });
    expect(failureLine(failed)).toBe(`dev-2 222222222222: denied. ${words}`);
    const markdown = outcomesMarkdown({ service: 'web', cluster: 'dev', images: [], outcomes: [failed] });
    expect(markdown).toContain(`| ${words} |`);
  });
});

describe('the output deployments', () => {
  test('has every member, empty where nothing is known', () =>
    expect(
      JSON.parse(deploymentsJson([outcome('2', { status: 'not-started' }), outcome('3', { deploymentId: 'd-1', reason: 'a\nb' })])),
    ).toEqual([
      {
        'account-id': '222222222222',
        'account-name': 'dev-2',
        wave: 1,
        status: 'not-started',
        'deployment-id': '',
        'task-definition-arn': '',
        'rollback-deployment-id': '',
        url: '',
        reason: '',
      },
      expect.objectContaining({ 'account-id': '333333333333', 'deployment-id': 'd-1', reason: 'a' }),
    ]));
});

test('a tally begins with what there is most of', () =>
  expect(tally([outcome('1', { status: 'failed' }), outcome('2'), outcome('3')])).toBe('2 succeeded, 1 failed'));

test('of many failures the first are named', () => {
  const failed = ['1', '2', '3'].map((digit) => outcome(digit, { status: 'denied', reason: 'No.' }));
  expect(failureLines([outcome('4'), ...failed], 2)).toEqual([
    'dev-1 111111111111: denied. No.',
    'dev-2 222222222222: denied. No.',
    'and 1 more; the job summary names all',
  ]);
});

test('in the summary names and reasons are text, never markup', () => {
  const markdown = outcomesMarkdown({
    service: 'web',
    cluster: 'dev',
    images: [],
    outcomes: [outcome('2', { name: '<b>|x', status: 'failed', reason: '[click](http://x)' })],
  });
  expect(markdown.split('\n').at(-2)).toBe('| `222222222222` | &lt;b>\\|x | 1 | failed |  | \\[click\\]\\(http://x\\) |');
});
