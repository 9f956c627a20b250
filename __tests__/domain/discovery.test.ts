import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import { matrixOf, selectAccounts, type OrganizationAccount } from '../../src/domain/discovery.ts';
import { largeOutputLimit } from '../../src/domain/output-limit.ts';
import type { OrgPath } from '../../src/domain/organization.ts';

const account = (id: string, given: Partial<Record<'name' | 'state' | 'path', string>> = {}): OrganizationAccount => ({
  id: id as AccountId,
  name: given.name ?? `name of ${id}`,
  state: given.state ?? 'ACTIVE',
  path: (given.path ?? 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/') as OrgPath,
});
const ids = (accounts: readonly OrganizationAccount[]) => accounts.map(({ id }) => id);
const numbered = (length: number) => Array.from({ length }, (_, index) => account(String(index).padStart(12, '0')));

describe('the accounts that count', () => {
  test('are sorted by path, then by ID', () => {
    const found = [
      account('3', { path: 'o-1/r-1/ou-b/' }),
      account('9', { path: 'o-1/r-1/ou-a/' }),
      account('1', { path: 'o-1/r-1/ou-b/' }),
    ];
    expect(ids(selectAccounts(found, { exclude: [], management: undefined }).accounts)).toEqual(['9', '1', '3']);
  });

  test('are active; the others are told by their state', () => {
    const found = ['ACTIVE', 'SUSPENDED', 'PENDING_CLOSURE', 'PENDING_ACTIVATION', 'CLOSED', 'NEW_ONE'].map((state, index) =>
      account(String(index), { state }),
    );
    const { accounts, leftOut } = selectAccounts(found, { exclude: [], management: undefined });
    expect(ids(accounts)).toEqual(['0']);
    expect([...leftOut]).toEqual([
      ['suspended', ['1']],
      ['closing', ['2']],
      ['not activated yet', ['3']],
      ['closed', ['4']],
      ['in the state NEW_ONE', ['5']],
    ]);
  });

  test('are not those that are excluded, nor the management account', () => {
    const selected = selectAccounts([account('1'), account('2'), account('3')], {
      exclude: ['2', '7'] as AccountId[],
      management: '3' as AccountId,
    });
    expect(ids(selected.accounts)).toEqual(['1']);
    expect([...selected.leftOut]).toEqual([
      ['excluded', ['2']],
      ['the management account', ['3']],
    ]);
    expect(selected.strangers).toEqual(['7']);
  });

  test('are there once: one that moved while the tree was read counts where it was found last', () => {
    const found = [account('1', { path: 'o-1/r-1/ou-a/' }), account('1', { path: 'o-1/r-1/ou-b/' })];
    expect(selectAccounts(found, { exclude: [], management: undefined }).accounts).toEqual([found[1]]);
  });
});

describe('the matrix', () => {
  test('has an entry for each account', () => {
    expect(matrixOf([account('222222222222', { name: 'dev-a' })])).toEqual({
      include: [
        {
          'account-ids': '222222222222',
          'account-name': 'dev-a',
          'ou-id': 'ou-ab12-11111111',
          'ou-path': 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/',
        },
      ],
    });
  });

  test('names the root for accounts in no OU', () => {
    expect(matrixOf([account('1', { path: 'o-a1b2c3d4e5/r-ab12/' })]).include[0]).toMatchObject({ 'ou-id': 'r-ab12' });
  });

  test('is empty without accounts', () => {
    expect(matrixOf([])).toEqual({ include: [] });
  });

  test.each([
    [1, 1, 1],
    [256, 256, 1],
    [257, 129, 2],
    [512, 256, 2],
    [513, 171, 3],
    [10_000, 250, 40],
    [50_000, 256, 196],
  ])('%i accounts are %i entries of %i, all of them in order', (accounts, entries, size) => {
    const all = numbered(accounts);
    const { include } = matrixOf(all);
    expect(include).toHaveLength(entries);
    expect(include[0]?.['account-ids'].split(',')).toHaveLength(size);
    expect(include.flatMap((entry) => entry['account-ids'].split(','))).toEqual(ids(all));
  });

  test('leaves empty what differs within an entry', () => {
    const [first, ...rest] = numbered(257);
    const { include } = matrixOf([{ ...account('x', { path: 'o-1/r-1/ou-z/' }) }, ...(first ? [first] : []), ...rest.slice(1)]);
    expect(include[0]).toEqual({ 'account-ids': 'x,000000000000', 'account-name': '', 'ou-id': '', 'ou-path': '' });
    expect(include[1]).toMatchObject({
      'account-name': '',
      'ou-id': 'ou-ab12-11111111',
      'ou-path': 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/',
    });
  });

  test('of 10,000 accounts and their list fit into a job’s outputs', () => {
    const all = numbered(10_000);
    expect(JSON.stringify(matrixOf(all)).length + JSON.stringify(ids(all)).length).toBeLessThan(largeOutputLimit);
  });
});
