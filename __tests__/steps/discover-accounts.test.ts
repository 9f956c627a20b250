import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import { parseOuTarget, type OrganizationId, type OuTarget } from '../../src/domain/organization.ts';
import { AwsError } from '../../src/errors.ts';
import type { ListedAccount } from '../../src/ports/organizations.ts';
import { discoverAccounts } from '../../src/steps/discover-accounts.ts';
import { RecordingLog } from '../fakes/log.ts';
import { FakeOrganizations, someOrganization, type FakeNode } from '../fakes/organizations.ts';
import { failureOf } from './deployment-setting.ts';

const account = (id: string, state = 'ACTIVE'): ListedAccount => ({ id: id.padStart(12, '0') as AccountId, name: `account ${id}`, state });
const [root, services, workloads, development, sandbox] = [
  'r-ab12',
  'ou-ab12-00000000',
  'ou-ab12-aaaaaaaa',
  'ou-ab12-11111111',
  'ou-ab12-22222222',
];

const tree: FakeNode = {
  id: root,
  name: 'Root',
  accounts: [{ ...account('0'), id: someOrganization.management }],
  children: [
    { id: services, name: 'Services', accounts: [account('1')] },
    {
      id: workloads,
      name: 'Workloads',
      accounts: [account('2')],
      children: [
        {
          id: development,
          name: 'Development',
          accounts: [account('4'), account('3'), account('5', 'SUSPENDED')],
          children: [{ id: sandbox, name: 'Sandbox', accounts: [account('6')] }],
        },
      ],
    },
  ],
};

const target = (text: string): OuTarget => {
  const parsed = parseOuTarget(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};

interface Given {
  readonly ous: readonly string[];
  readonly exclude?: readonly string[];
  readonly organizationId?: string;
  readonly organizations?: FakeOrganizations;
  readonly log?: RecordingLog;
}

const discover = async ({
  ous,
  exclude = [],
  organizationId,
  organizations = new FakeOrganizations(tree),
  log = new RecordingLog(),
}: Given) =>
  discoverAccounts({
    inputs: {
      'target-ous': ous.map(target),
      'organization-id': organizationId as OrganizationId | undefined,
      'exclude-accounts': exclude.map((id) => id.padStart(12, '0') as AccountId),
    },
    organizations,
    session: { identity: async () => ({ account: '111111111111' as AccountId, arn: 'arn:aws:sts::111111111111:assumed-role/ci/run' }) },
    log,
  });
const found = async (given: Given) =>
  (await discover(given)).accounts.map(({ id, path }) => `${Number(id)} ${path.slice(someOrganization.id.length + 1)}`);

const all = [
  `999999999999 ${root}/`,
  `1 ${root}/${services}/`,
  `2 ${root}/${workloads}/`,
  `3 ${root}/${workloads}/${development}/`,
  `4 ${root}/${workloads}/${development}/`,
  `6 ${root}/${workloads}/${development}/${sandbox}/`,
];

describe('the accounts of', () => {
  test.each([
    ['an OU and those below', [workloads], all.slice(2)],
    ['an OU by its path', [`${someOrganization.id}/${root}/${workloads}/${development}/`], all.slice(3)],
    ['an OU by its names', ['Workloads/Development'], all.slice(3)],
    ['several OUs', [sandbox, services], [all[1], all[5]]],
    ['an OU and one inside of it, each account once', [development, workloads, 'Workloads'], all.slice(2)],
    ['the root, the management account among them', [root], all],
    ['the organization', [someOrganization.id], all],
    ['the root by its path', [`${someOrganization.id}/${root}/`], all],
    ['the root and an OU', [root, development], all],
  ])('%s', async (_, ous, expected) => {
    expect(await found({ ous })).toEqual(expected);
  });

  test('all but those that are excluded, and strangers are told', async () => {
    const { accounts, leftOut, strangers } = await discover({ ous: [development], exclude: ['4', '77'] });
    expect(accounts.map(({ id }) => Number(id))).toEqual([3, 6]);
    expect([...leftOut].map(([reason, ids]) => [reason, ids.map(Number)])).toEqual([
      ['excluded', [4]],
      ['suspended', [5]],
    ]);
    expect(strangers.map(Number)).toEqual([77]);
  });

  test('the management account is left out where the root is not targeted', async () => {
    const moved: FakeNode = {
      ...tree,
      children: [{ id: services, name: 'Services', accounts: [{ ...account('0'), id: someOrganization.management }, account('1')] }],
    };
    const { accounts, leftOut } = await discover({ ous: [services], organizations: new FakeOrganizations(moved) });
    expect(accounts.map(({ id }) => Number(id))).toEqual([1]);
    expect([...leftOut]).toEqual([['the management account', [someOrganization.management]]]);
  });

  test('an OU without any', async () => {
    expect((await discover({ ous: [services], exclude: ['1'] })).accounts).toEqual([]);
  });
});

describe('the shortest way', () => {
  test('a few OUs: the tree below them, nothing else', async () => {
    const organizations = new FakeOrganizations(tree);
    await discover({ ous: [development], organizations });
    expect(organizations.journal.toSorted()).toEqual(
      [
        'organization',
        `pathOf ${development}`,
        `accountsIn ${development}`,
        `children ${development}`,
        `accountsIn ${sandbox}`,
        `children ${sandbox}`,
      ].toSorted(),
    );
  });

  test('the whole organization: the list, and the tree is not read', async () => {
    const organizations = new FakeOrganizations(tree);
    await discover({ ous: [someOrganization.id], organizations });
    expect(organizations.journal).toEqual(['organization', 'accounts']);
  });

  const wide = (ous: number): FakeNode => ({
    ...tree,
    children: [
      {
        id: workloads,
        name: 'Workloads',
        children: Array.from({ length: ous }, (_, index) => ({
          id: `ou-ab12-${String(index).padStart(8, '0')}`,
          name: `Team ${index}`,
          accounts: [account(String(index + 1))],
        })),
      },
    ],
  });

  test('many OUs: the list, as soon as it shows', async () => {
    const organizations = new FakeOrganizations(wide(100));
    expect((await discover({ ous: [workloads], organizations })).accounts).toHaveLength(100);
    expect(organizations.journal).toEqual([
      'organization',
      `pathOf ${workloads}`,
      `accountsIn ${workloads}`,
      `children ${workloads}`,
      'accounts',
    ]);
  });

  test('where accounts don’t tell their paths the tree is walked to its end', async () => {
    const organizations = new FakeOrganizations(wide(100));
    organizations.tellsPaths = false;
    expect((await discover({ ous: [workloads], organizations })).accounts).toHaveLength(100);
    expect(organizations.journal.filter((call) => call.startsWith('accountsIn'))).toHaveLength(102);
    const whole = new FakeOrganizations(tree);
    whole.tellsPaths = false;
    expect(await found({ ous: [root], organizations: whole })).toEqual(all);
  });

  test('and where the list is denied', async () => {
    const organizations = new FakeOrganizations(tree);
    organizations.failures.set('accounts', refusal('AccessDeniedException'));
    const log = new RecordingLog();
    expect(await found({ ous: [root], organizations, log })).toEqual(all);
    expect(log.lines).toEqual(['organizations:ListAccounts is denied: walking the tree instead, which takes longer.']);
  });
});

test('an OU that goes away while the tree is read has no accounts any more', async () => {
  const organizations = new FakeOrganizations(tree);
  const { children } = organizations;
  organizations.children = async (parent) => [
    ...((await children(parent)) ?? []),
    ...(parent.id === development ? [{ id: 'ou-ab12-99999999', name: 'Gone' }] : []),
  ];
  expect(await found({ ous: [workloads], organizations })).toEqual(all.slice(2));
});

function refusal(code: string, service = 'organizations'): AwsError {
  return new AwsError(`${code}: the test says so`, { service, operation: 'ListAccountsForParent', code });
}

describe('refused', () => {
  test.each([
    [
      ['ou-ab12-99999999', 'ou-ab12-88888888'],
      '2 inputs need attention:\n  - target-ous: there is no OU ou-ab12-99999999 in o-a1b2c3d4e5\n  - target-ous: there is no OU ou-ab12-88888888 in o-a1b2c3d4e5',
    ],
    [['r-zz99'], 'target-ous: r-zz99 is not the root of o-a1b2c3d4e5: that is r-ab12'],
    [['o-zzzzzzzzzz'], "target-ous: o-zzzzzzzzzz is not the caller's organization, o-a1b2c3d4e5"],
    [['o-zzzzzzzzzz/r-ab12/'], 'target-ous: o-zzzzzzzzzz/r-ab12/ is not in o-a1b2c3d4e5'],
    [
      [`${someOrganization.id}/${root}/${development}/`],
      `target-ous: ${development} is not at o-a1b2c3d4e5/r-ab12/${development}/ but at o-a1b2c3d4e5/r-ab12/${workloads}/${development}/: it was moved, or the path is wrong`,
    ],
    [
      ['Workloads/Developmnt'],
      'target-ous: "Workloads/Developmnt": below Workloads (ou-ab12-aaaaaaaa) there is no OU "Developmnt" (did you mean "Development"?); there are: Development',
    ],
  ])('%j', async (ous, message) => {
    expect((await failureOf(discover({ ous }))).message).toBe(message);
  });

  test('another organization than organization-id', async () => {
    expect((await failureOf(discover({ ous: [root], organizationId: 'o-zzzzzzzzzz' }))).message).toBe(
      'organization-id: is o-zzzzzzzzzz, but these credentials are in o-a1b2c3d4e5',
    );
  });

  test('a caller who may not: told who it is, and who may', async () => {
    const organizations = new FakeOrganizations(tree);
    organizations.failures.set('accountsIn', refusal('AccessDeniedException'));
    expect(await failureOf(discover({ ous: [development], organizations }))).toMatchObject({
      name: 'AwsError',
      code: 'AccessDeniedException',
      message:
        "arn:aws:sts::111111111111:assumed-role/ci/run may not read the organization's tree: AccessDeniedException: the test says so",
      hint: 'Only the management account of o-a1b2c3d4e5 (999999999999) and delegated administrators may. Give organization-role: a role there with the policy of docs/iam.md, section discover.',
    });
  });

  test('an account in no organization', async () => {
    const organizations = new FakeOrganizations(tree);
    organizations.failures.set('organization', refusal('AWSOrganizationsNotInUseException'));
    expect(await failureOf(discover({ ous: [root], organizations }))).toMatchObject({
      message: 'Account 111111111111 (arn:aws:sts::111111111111:assumed-role/ci/run) is in no organization.',
      hint: expect.stringContaining('give organization-role'),
    });
  });

  test('any other failure is told as it is', async () => {
    const organizations = new FakeOrganizations(tree);
    const failure = refusal('AccessDenied', 'sts');
    organizations.failures.set('organization', failure);
    expect(await failureOf(discover({ ous: [root], organizations }))).toBe(failure);
  });
});
