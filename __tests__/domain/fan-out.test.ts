import { describe, expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import { cutWaves, fillPlaceholders, fillTemplate, parseDeployAccounts, parseWaves, type Filling } from '../../src/domain/fan-out.ts';

describe('waves', () => {
  const wavesOf = (text: string, count: number): readonly number[] => {
    const parsed = parseWaves(text);
    if (!parsed.ok) throw new Error(parsed.problem);
    const accounts = Array.from({ length: count }, (_, index) => index);
    const waves = cutWaves(accounts, parsed.value);
    expect(waves.flat()).toEqual(accounts);
    return waves.map((wave) => wave.length);
  };

  test.each<[string, number, readonly number[]]>([
    ['100%', 5, [5]],
    ['1, 10%, 100%', 80, [1, 7, 72]],
    ['1, 10%', 80, [1, 7, 72]],
    ['10%\n50%', 5, [1, 2, 2]],
    ['1%', 1, [1]],
    ['1%, 2%, 3%', 10, [1, 9]],
    ['5', 3, [3]],
    ['3, 10%', 10, [3, 7]],
    ['1, 2, 3', 0, []],
    ['7%', 100, [7, 93]],
  ])('%j of %i accounts', (text, count, expected) => expect(wavesOf(text, count)).toEqual(expected));

  test.each([
    ['0', '"0" is neither a number of accounts from 1 nor a percentage from 1% to 100%'],
    ['101%', '"101%" is neither a number of accounts from 1 nor a percentage from 1% to 100%'],
    ['1, many, -3', '"many" is neither'],
    ['50%, 10%', '"50%, 10%" does not grow: each size counts the accounts of the waves before too, as in 1, 10%, 100%'],
    ['5, 2', '"5, 2" does not grow'],
  ])('%j is refused', (text, problem) => expect(parseWaves(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) }));
});

test.each<[string, unknown]>([
  ['discover', 'discover'],
  ['222222222222, 111111111111', ['222222222222', '111111111111']],
  ['["222222222222","111111111111"]', ['222222222222', '111111111111']],
])('deploy-accounts %j', (text, value) => expect(parseDeployAccounts(text)).toEqual({ ok: true, value }));

test.each([
  ['[]', 'names no account'],
  ['discover, 222222222222', '"discover" stands alone: it means the accounts of target-ous'],
  ['discovr', '"discovr" is not an AWS account ID (12 digits; quote it in YAML, or a leading zero is lost)'],
])('deploy-accounts %j is refused', (text, problem) => expect(parseDeployAccounts(text)).toEqual({ ok: false, problem }));

describe('placeholders', () => {
  const filling: Filling = { account: '222222222222' as AccountId, name: 'dev-$&', region: 'eu-west-1' as Region };

  test('are filled in wherever they stand, each with its own text', () =>
    expect(fillPlaceholders('{account-id}/{account-name}/{region}/{account-id}', filling)).toEqual({
      ok: true,
      value: '222222222222/dev-$&/eu-west-1/222222222222',
    }));

  test('what stands for one is not looked through', () =>
    expect(fillPlaceholders('{account-name}', { ...filling, name: '{region}{account-id}' })).toEqual({
      ok: true,
      value: '{region}{account-id}',
    }));

  test.each(['../../outside', 'b/task', 'a\\b', '..', '.'])('a name that leads elsewhere is in no template: %j', (name) => {
    const template = { template: 'tasks/{account-name}.json', parse: (text: string) => ({ ok: true as const, value: text }) };
    expect(fillTemplate(template, { ...filling, name })).toEqual({
      ok: false,
      problem: `"tasks/{account-name}.json" can't take the account name "${name}": it would lead elsewhere`,
    });
    expect(fillTemplate(template, { ...filling, name: 'v1.2 of a' })).toEqual({ ok: true, value: 'tasks/v1.2 of a.json' });
  });

  test.each<[string, Partial<Filling>, string]>([
    [
      '{account-id}-x',
      { account: undefined },
      'holds {account-id}: deploy-accounts says which accounts are meant, or deploy-account-id the one',
    ],
    ['{account-name}', { name: '' }, 'holds {account-name}, which is known with deploy-accounts: discover only'],
  ])('%j of which nothing is known', (text, given, problem) =>
    expect(fillPlaceholders(text, { ...filling, ...given })).toEqual({ ok: false, problem }),
  );
});
