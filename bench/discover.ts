/**
 * `discover` in an organization of 2,000 OUs and 10,000 accounts, at AWS's own rates: how long it takes, how many calls it makes, and how
 * much memory. The emulator throttles, and its clock and the action's run 5 times as fast; times are told by that clock, so that each
 * request takes longer here than on AWS. A process of its own discovers, for its memory.
 *
 *     npm run bench -- discover [--small]
 */
import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../emulator/emulator.ts';
import { keyEnvironment } from '../emulator/identity.ts';
import { World } from '../emulator/world.ts';
import type { AccountId, Region } from '../src/domain/account.ts';
import { matrixOf } from '../src/domain/discovery.ts';
import { parseOuTarget } from '../src/domain/organization.ts';
import type { Clock } from '../src/ports/clock.ts';
import { awsOrganizations } from '../src/ports/organizations.ts';
import { discoverAccounts } from '../src/steps/discover-accounts.ts';
import { printTable } from './measure.ts';

const management = '999999999999';
const speed = 5;

interface Size {
  readonly ous: number;
  readonly accounts: number;
}

interface Found {
  readonly accounts: number;
  readonly seconds: number;
  readonly megabytes: number;
  readonly outputs: number;
}

/** Five levels deep, ten children each, until there are so many; the accounts are spread over all of them. */
function newWorld({ ous, accounts }: Size): World {
  const world = new World();
  world.organization({ id: 'o-a1b2c3d4e5', rootId: 'r-ab12', management });
  const paths = ['Workloads', 'Workloads/Few'];
  for (let parent = 0; paths.length < ous; parent += 1) {
    const above = paths[parent] ?? '';
    if (above === 'Workloads/Few' || above.split('/').length === 5) continue;
    for (let child = 0; child < 10 && paths.length < ous; child += 1) paths.push(`${above}/ou-${child}`);
  }
  const units = paths.map((path) => world.ou(path));
  for (let index = 0; index < accounts; index += 1) {
    const ou = units[index % units.length];
    world.account(String(100_000_000_000 + index), { name: `account-${index}`, ...(ou && { ou }) });
  }
  return world;
}

const fastClock: Clock = {
  now: () => Date.now() * speed,
  monotonic: () => performance.now() * speed,
  sleep: async (milliseconds) => {
    await delay(milliseconds / speed);
  },
  random: Math.random,
};

/** In the process that discovers. */
async function discover(ous: string): Promise<Found> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
  const target = parseOuTarget(ous);
  if (!target.ok) throw new Error(target.problem);
  const access = { region: 'eu-west-1' as Region, credentials: async () => ({ accessKeyId, secretAccessKey }) };
  // The SDK is loaded before the time starts, which runs fast for it too.
  await awsOrganizations(access).organization();
  const begin = fastClock.monotonic();
  const { accounts } = await discoverAccounts({
    inputs: { 'organization-id': undefined, 'target-ous': [target.value], 'exclude-accounts': [] },
    organizations: awsOrganizations(access, { clock: fastClock }),
    session: { identity: async () => ({ account: management as AccountId, arn: '' }) },
    log: { ...console, notice: console.log, warning: console.log, group: async (_title, work) => work() },
  });
  const outputs = JSON.stringify(matrixOf(accounts)).length + JSON.stringify(accounts.map(({ id }) => id)).length;
  return {
    accounts: accounts.length,
    seconds: (fastClock.monotonic() - begin) / 1_000,
    megabytes: process.resourceUsage().maxRSS / 1_024,
    outputs,
  };
}

async function inChild(ous: string, environment: Readonly<Record<string, string>>): Promise<Found> {
  const child = fork(fileURLToPath(import.meta.url), [ous], { env: { ...process.env, ...environment } });
  return new Promise((settle, reject) => {
    child.once('message', (found) => settle(found as Found));
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`discovering ${ous} ended with ${String(code)}`));
    });
  });
}

async function measure(size: Size): Promise<void> {
  const rows: (string | number)[][] = [];
  // With `paths: false` the accounts don't tell where they are, and the tree is walked to its end.
  for (const [way, ous, paths] of [
    ['the organization, listed', 'o-a1b2c3d4e5', true],
    ['an OU of nearly all, listed', 'Workloads', true],
    ['one OU, walked', 'Workloads/Few', true],
    ['the organization, walked', 'o-a1b2c3d4e5', false],
  ] as const) {
    const world = newWorld(size);
    const emulator = await startEmulator({ world, speed, organizations: { throttling: true, emptyPages: false, paths } });
    try {
      const found = await inChild(ous, emulator.environment(keyEnvironment(world.user(management, 'bench'))));
      const requests = emulator.requests.of('organizations');
      const throttled = requests.filter(({ error }) => error === 'TooManyRequestsException').length;
      rows.push([way, found.accounts, requests.length, Math.round(found.seconds), throttled, Math.round(found.megabytes), found.outputs]);
      if (throttled > 0) process.exitCode = 1;
      if (emulator.violations.length > 0) throw new Error(emulator.violations.join('\n'));
    } finally {
      await emulator.close();
    }
  }
  printTable(['way', 'accounts', 'calls', 'seconds', 'throttled', 'peak MB', 'outputs, characters'], rows);
  console.log(`\n${size.ous} OUs, ${size.accounts} accounts; seconds of a clock that runs ${speed} times as fast.`);
}

const [, , ous] = process.argv;
if (process.send && ous !== undefined) {
  process.send(await discover(ous));
  process.disconnect();
} else await measure(process.argv.includes('--small') ? { ous: 80, accounts: 300 } : { ous: 2_000, accounts: 10_000 });
