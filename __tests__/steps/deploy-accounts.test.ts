import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import type { OrganizationAccount } from '../../src/domain/discovery.ts';
import { readInputs } from '../../src/inputs.ts';
import { common, deploying, discovering, manyAccounts } from '../../src/modes/shared-inputs.ts';
import type { SideRequest } from '../../src/ports/credentials.ts';
import { accountProblems, inputsOf, resolveAccounts, type TargetAccount } from '../../src/steps/deploy-accounts.ts';
import { FakeOrganizations } from '../fakes/organizations.ts';
import { failureOf, reopening, Setting } from './deployment-setting.ts';

const rows = { ...common, ...deploying, ...manyAccounts, ...discovering };
const role = 'arn:aws:iam::{account-id}:role/deploy';

function inputsFrom(given: Readonly<Record<string, string>>) {
  const all = new Map(Object.entries({ 'aws-region': 'eu-west-1', cluster: 'dev', service: 'web', ...given }));
  return readInputs({ rows, given: all, known: [], mode: 'deploy' }).values;
}

const said = (given: Readonly<Record<string, string>>): readonly string[] =>
  accountProblems(inputsFrom(given)).map(({ input, problem }) => `${input}: ${problem}`);

const target = (account: string, name = ''): TargetAccount => ({ account: account as AccountId, name, ouPath: '' });

describe('what the inputs mean in an account', () => {
  test('the placeholders are filled in, and the account is guarded', () => {
    const inputs = inputsFrom({
      'deploy-role': role,
      cluster: '{account-name}',
      service: 'web-{region}',
      'deploy-region': 'eu-north-1',
      'task-definition': 'td/{account-id}.json',
      'codedeploy-appspec': 'spec-{account-name}.yml',
      'codedeploy-application': 'App-{account-name}',
      'codedeploy-deployment-group': 'Dgp-{account-name}',
    });
    expect(inputsOf(inputs, target('222222222222', 'dev-a'))).toEqual({
      ...inputs,
      'deploy-role': 'arn:aws:iam::222222222222:role/deploy',
      'deploy-account-id': '222222222222',
      cluster: 'dev-a',
      service: 'web-eu-north-1',
      'task-definition': 'td/222222222222.json',
      'codedeploy-appspec': 'spec-dev-a.yml',
      'codedeploy-application': 'App-dev-a',
      'codedeploy-deployment-group': 'Dgp-dev-a',
    });
  });

  test('without deploy-accounts the account is that of deploy-account-id', () =>
    expect(inputsOf(inputsFrom({ 'deploy-role': role, 'deploy-account-id': '333333333333' }))).toMatchObject({
      'deploy-role': 'arn:aws:iam::333333333333:role/deploy',
      cluster: 'dev',
    }));

  test('a name that does not fit is refused, as are placeholders of which nothing is known, all at once', () => {
    const inputs = inputsFrom({ 'deploy-role': role, cluster: '{account-name}', service: '{account-name}' });
    expect(() => inputsOf(inputs, target('222222222222', 'dev a'))).toThrow(
      /cluster: "dev a" is not an ECS cluster[^]*service: "dev a" is not/,
    );
    expect(() => inputsOf(inputs)).toThrow(/deploy-role: .* holds \{account-id\}[^]*cluster: .* holds \{account-name\}/);
  });
});

describe('what the inputs alone show to be wrong', () => {
  test.each<[string, Record<string, string>, readonly string[]]>([
    ['nothing', { 'deploy-role': role, 'deploy-accounts': '222222222222,333333333333' }, []],
    ['one role in one account', { 'deploy-role': 'arn:aws:iam::222222222222:role/x', 'deploy-accounts': '222222222222' }, []],
    ['no role for one account', { 'deploy-accounts': '222222222222,222222222222' }, []],
    [
      'one role in two accounts',
      { 'deploy-role': 'arn:aws:iam::222222222222:role/x', 'deploy-accounts': '222222222222,333333333333' },
      [
        "deploy-role: arn:aws:iam::222222222222:role/x is one role and can't be in 2 accounts; put {account-id} in its place: arn:aws:iam::{account-id}:role/deploy",
      ],
    ],
    [
      'no role for two',
      { 'deploy-accounts': '222222222222,333333333333' },
      ['deploy-role: is needed to deploy to 2 accounts, with {account-id} in it: arn:aws:iam::{account-id}:role/deploy'],
    ],
    [
      'all excluded, and two ways to say it',
      { 'deploy-role': role, 'deploy-accounts': '222222222222', 'exclude-accounts': '222222222222', 'deploy-account-id': '222222222222' },
      ['deploy-account-id: is for one account; with deploy-accounts leave it out', 'deploy-accounts: leaves no account to deploy to'],
    ],
    [
      'names that nobody knows',
      { 'deploy-role': role, 'deploy-accounts': '222222222222,333333333333', cluster: '{account-name}' },
      ['cluster: "{account-name}" holds {account-name}, which is known with deploy-accounts: discover only'],
    ],
    [
      'a placeholder without an account',
      { 'deploy-role': role },
      [`deploy-role: "${role}" holds {account-id}: deploy-accounts says which accounts are meant, or deploy-account-id the one`],
    ],
    [
      'a partition',
      { 'deploy-role': role, 'deploy-accounts': '222222222222', 'deploy-region': 'cn-north-1' },
      ['deploy-role: arn:aws:iam::222222222222:role/deploy is in the partition aws, and cn-north-1 in aws-cn'],
    ],
    [
      'discover without OUs',
      { 'deploy-role': role, 'deploy-accounts': 'discover' },
      ['target-ous: is needed: deploy-accounts: discover means the accounts of these OUs'],
    ],
    [
      'OUs of another organization',
      { 'deploy-role': role, 'deploy-accounts': 'discover', 'target-ous': 'o-1111111111', 'organization-id': 'o-a1b2c3d4e5' },
      ['target-ous: o-1111111111 is not the organization-id o-a1b2c3d4e5'],
    ],
  ])('%s', (_, given, problems) => expect(said(given)).toEqual(problems));
});

describe('the accounts', () => {
  const ou = 'ou-ab12-11111111';
  const listed = (id: string, state = 'ACTIVE'): Omit<OrganizationAccount, 'path'> => ({
    id: id as AccountId,
    name: `dev-${id[0] ?? ''}`,
    state,
  });
  const organizations = () =>
    new FakeOrganizations({
      id: 'r-ab12',
      name: 'Root',
      children: [{ id: ou, name: 'Dev', accounts: [listed('333333333333'), listed('222222222222'), listed('444444444444', 'SUSPENDED')] }],
    });

  async function resolved(given: Readonly<Record<string, string>>, { tree = organizations() } = {}) {
    const setting = new Setting();
    const opened: SideRequest[] = [];
    const ports = { ...reopening(setting, opened), organizations: () => tree };
    const accounts = await resolveAccounts({ inputs: inputsFrom({ 'deploy-role': role, ...given }), ports });
    return { accounts, log: setting.log.lines, opened, tree };
  }

  test('are none where deploy-accounts is not given, and nobody is asked', async () => {
    const { accounts, tree, opened } = await resolved({});
    expect([accounts, tree.journal, opened]).toEqual([[], [], []]);
  });

  test('that are named are sorted, named twice they count once, and nobody is asked', async () => {
    const { accounts, log, tree } = await resolved({
      'deploy-accounts': '333333333333, 222222222222\n333333333333, 444444444444',
      'exclude-accounts': '444444444444, 555555555555',
    });
    expect(accounts).toEqual([target('222222222222'), target('333333333333')]);
    expect(tree.journal).toEqual([]);
    expect(log).toEqual([
      'deploy-accounts: 333333333333 is named more than once, and deployed to once.',
      'left out, excluded: 444444444444',
      'exclude-accounts: 555555555555 is not among the accounts that were found.',
    ]);
  });

  test('of OUs come with their names and paths; those that are suspended are left out', async () => {
    const { accounts, log, opened } = await resolved({
      'deploy-accounts': 'discover',
      'target-ous': ou,
      'organization-role': 'arn:aws:iam::999999999999:role/read',
    });
    const ouPath = `o-a1b2c3d4e5/r-ab12/${ou}/`;
    expect(accounts).toEqual([
      { account: '222222222222', name: 'dev-2', ouPath },
      { account: '333333333333', name: 'dev-3', ouPath },
    ]);
    expect(log).toEqual(['deploy-accounts: 2 active accounts of o-a1b2c3d4e5', 'left out, suspended: 444444444444']);
    expect(opened.map(({ side, role: wanted }) => `${side} ${wanted ?? ''}`)).toEqual(['organization arn:aws:iam::999999999999:role/read']);
  });

  test('that were found are checked as those that are named', async () => {
    const failure = await failureOf(
      resolved({ 'deploy-accounts': 'discover', 'target-ous': ou, 'deploy-role': 'arn:aws:iam::222222222222:role/x' }),
    );
    expect(failure.message).toMatch(/^deploy-role: .* can't be in 2 accounts/);
    expect(failure.hint).toBe('Nothing was changed.');
  });

  test('of an OU without any are an error', async () => {
    const tree = new FakeOrganizations({ id: 'r-ab12', name: 'Root', children: [{ id: ou, name: 'Dev' }] });
    const failure = await failureOf(resolved({ 'deploy-accounts': 'discover', 'target-ous': ou }, { tree }));
    expect(failure.message).toBe('deploy-accounts: leaves no account to deploy to');
  });
});
