import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../emulator/emulator.ts';
import { serverError, throttling } from '../../emulator/faults.ts';
import { World } from '../../emulator/world.ts';
import type { AccountId, Region } from '../../src/domain/account.ts';
import { parseOuTarget } from '../../src/domain/organization.ts';
import { awsOrganizations, type Organizations } from '../../src/ports/organizations.ts';
import { atMost } from '../../src/ports/at-most.ts';
import { discoverAccounts } from '../../src/steps/discover-accounts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { RecordingLog } from '../fakes/log.ts';

const management = '999999999999';
const organizationId = 'o-a1b2c3d4e5';
const before = { ...process.env };
let emulator: Emulator;
let world: World;

beforeEach(() => {
  world = new World();
  world.organization({ id: organizationId, rootId: 'r-ab12', management });
});

afterEach(async () => {
  process.env = { ...before };
  expect(emulator.violations).toEqual([]);
  await emulator.close();
});

/** AWS's time is ours: it passes only while we sleep. */
async function start(options: EmulatorOptions['organizations'] = {}, caller = management): Promise<Organizations> {
  emulator = await startEmulator({ world, speed: 0, organizations: options });
  process.env['AWS_ENDPOINT_URL'] = emulator.url;
  const clock = new FakeClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (milliseconds, signal) => {
    emulator.clock.advance(milliseconds);
    await sleep(milliseconds, signal);
  };
  const { accessKeyId, secretAccessKey } = world.user(caller, 'ci');
  return awsOrganizations({ region: 'eu-west-1' as Region, credentials: async () => ({ accessKeyId, secretAccessKey }) }, { clock });
}

/** So many OUs below Workloads, each with so many accounts. */
function grow(ous: number, accountsEach: number): void {
  let next = 100_000_000_000;
  for (let ou = 0; ou < ous; ou++) {
    const unit = world.ou(`Workloads/Team ${ou}`);
    for (let index = 0; index < accountsEach; index++) world.account(String(next++), { name: `a-${next}`, ou: unit });
  }
}

const calls = (operation: string) => emulator.requests.of('organizations', operation);
const discover = async (organizations: Organizations, ou: string) => {
  const target = parseOuTarget(ou);
  if (!target.ok) throw new Error(target.problem);
  const { accounts } = await discoverAccounts({
    inputs: { 'target-ous': [target.value], 'organization-id': undefined, 'exclude-accounts': [] },
    organizations,
    session: { identity: async () => ({ account: management as AccountId, arn: '' }) },
    log: new RecordingLog(),
  });
  return accounts;
};

/** What AWS publishes: requests a second, and at once. */
const published = {
  DescribeOrganization: [1, 2],
  DescribeOrganizationalUnit: [2, 2],
  ListRoots: [1, 2],
  ListParents: [5, 8],
  ListAccountsForParent: [5, 8],
  ListOrganizationalUnitsForParent: [5, 8],
  ListAccounts: [8, 12],
} as const;

function expectWithinRates(): void {
  for (const [operation, [rate, burst]] of Object.entries(published)) {
    const at = calls(operation).map((entry) => entry.at / 1_000);
    for (const [from, begin] of at.entries())
      for (const [to, end] of at.entries())
        if (to >= from && to - from + 1 > burst + (end - begin) * rate + 1e-6)
          throw new Error(`${operation}: ${to - from + 1} requests within ${end - begin} s`);
  }
  expect(emulator.requests.entries.filter(({ error }) => error === 'TooManyRequestsException')).toEqual([]);
}

describe('never above the published rates', () => {
  test('walking the tree', async () => {
    grow(50, 2);
    const organizations = await start({ throttling: true });
    expect(await discover(organizations, 'Workloads')).toHaveLength(100);
    expect(calls('ListAccountsForParent')).toHaveLength(51);
    expectWithinRates();
  });

  test('listing all', async () => {
    grow(100, 8);
    const organizations = await start({ throttling: true });
    expect(await discover(organizations, 'r-ab12')).toHaveLength(801);
    // Forty-one pages, and an empty one between each two.
    expect(calls('ListAccounts')).toHaveLength(81);
    expectWithinRates();
  });

  test('changing from the tree to the list', async () => {
    grow(100, 2);
    expect(await discover(await start({ throttling: true }), 'Workloads')).toHaveLength(200);
    expect(calls('ListAccounts').length).toBeGreaterThan(0);
    expectWithinRates();
  });

  test('many OUs by their IDs, and paths that have to be worked out', async () => {
    grow(12, 1);
    const ids = world.organizations[0]?.root.children[0]?.children.map(({ id }) => id) ?? [];
    const organizations = await start({ throttling: true, paths: false });
    const paths = await atMost(2, ids, async (id) => organizations.pathOf(id));
    const workloads = world.organizations[0]?.root.children[0]?.id ?? '';
    expect(paths).toEqual(ids.map((id) => `${organizationId}/r-ab12/${workloads}/${id}/`));
    expectWithinRates();
  });
});

describe('what it reads', () => {
  test('pages to their end, also behind an empty one', async () => {
    grow(3, 25);
    expect(await discover(await start(), 'Workloads')).toHaveLength(75);
  });

  test('State before Status, and paths up to the unit', async () => {
    grow(1, 1);
    world.account('100000000000', { state: 'PENDING_CLOSURE' });
    const organizations = await start();
    const [unit] = world.organizations[0]?.root.children[0]?.children ?? [];
    const path = (await organizations.pathOf(unit?.id ?? '')) ?? '';
    expect(await organizations.accounts()).toEqual([
      { id: '100000000000', name: 'a-100000000001', state: 'PENDING_CLOSURE', path },
      { id: management, name: 'management', state: 'ACTIVE', path: `${organizationId}/r-ab12/` },
    ]);
    expect(await organizations.accountsIn({ id: unit?.id ?? '' })).toEqual([
      { id: '100000000000', name: 'a-100000000001', state: 'PENDING_CLOSURE' },
    ]);
  });

  test('paths that AWS does not tell', async () => {
    grow(1, 1);
    const organizations = await start({ paths: false });
    expect(await organizations.accounts()).toBeUndefined();
    expect(calls('ListAccounts')).toHaveLength(1);
  });

  test('what holds an account directly', async () => {
    grow(1, 1);
    const organizations = await start();
    const unit = world.organizations[0]?.root.children[0]?.children[0]?.id;
    expect(await organizations.parentOf('100000000000' as AccountId)).toEqual({ id: unit, isRoot: false });
    expect(await organizations.parentOf(management as AccountId)).toEqual({ id: 'r-ab12', isRoot: true });
    expect(await organizations.parentOf('123456789012' as AccountId)).toBeUndefined();
  });

  test('what is not there', async () => {
    const organizations = await start();
    const gone = { id: 'ou-ab12-99999999' };
    expect(await Promise.all([organizations.children(gone), organizations.accountsIn(gone), organizations.pathOf(gone.id)])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('who the organization is: any member may ask', async () => {
    world.account('222222222222', { ou: world.root });
    const organizations = await start({}, '222222222222');
    expect(await organizations.organization()).toEqual({ id: organizationId, management });
    await expect(organizations.root()).rejects.toMatchObject({
      code: 'AccessDeniedException',
      hint: expect.stringContaining('ask from the management account or a delegated administrator (organization-role)'),
    });
  });
});

test.each([
  ['throttled by others', throttling()],
  ['failing', serverError()],
])('%s: repeated', async (_, fault) => {
  grow(1, 1);
  const organizations = await start();
  emulator.faults.inject({ service: 'organizations', operation: 'ListAccounts' }, fault);
  expect(await organizations.accounts()).toHaveLength(2);
});
