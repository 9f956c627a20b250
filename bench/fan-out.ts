/**
 * `deploy` to many accounts in one step beside `deploy` to one: 100 accounts with max-parallel 100 may take 1.3 times as long as one. The
 * real ports, against the emulator in this same process; its clock and the action's run 10 times as fast, so that whatever this machine
 * computes weighs 10 times as much as it would on a runner. Each deployment takes what a canary of five minutes takes.
 *
 *     npm run bench -- fan-out [--small]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { writeOciLayout } from '../emulator/oci-layout.ts';
import { Job } from '../emulator/runner.ts';
import { cluster, region, repositoryName, roles, service, sharedPolicy, startScenario, type Scenario } from '../emulator/scenario.ts';
import { deploy } from '../src/modes/deploy.ts';
import type { Clock } from '../src/ports/clock.ts';
import { stsCredentials } from '../src/ports/credentials.ts';
import { awsEcr } from '../src/ports/ecr.ts';
import type { GitHub } from '../src/ports/github.ts';
import type { Ports } from '../src/ports/index.ts';
import type { Log } from '../src/ports/log.ts';
import { realPorts } from '../src/ports/real.ts';
import { printTable } from './measure.ts';

const isSmall = process.argv.includes('--small');
const speed = isSmall ? 100 : 10;
const sizes = isSmall ? [1, 5] : [1, 10, 100];

const fastClock: Clock = {
  now: () => performance.timeOrigin + performance.now() * speed,
  monotonic: () => performance.now() * speed,
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds / speed, undefined, signal ? { signal } : {});
  },
  random: () => Math.random(),
};

const silentLog: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  group: async (_, work) => work(),
};

interface Timed {
  readonly minutes: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly cpuSeconds: number;
}

const accountsOf = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => String(500_000_000_000 + index));

async function timeFanOut(count: number): Promise<Timed> {
  const scenario = await startScenario({ speed, policy: sharedPolicy });
  const job = new Job({ environment: scenario.emulator.environment() });
  try {
    const accounts = accountsOf(count);
    for (const [index, id] of accounts.entries()) scenario.addAccount(id, { name: `dev-${index}`, ou: 'Workloads/Development' });
    const image = await publish(job);
    scenario.emulator.requests.clear();
    return await timeStep({ scenario, inputs: inputsFor({ accounts, image }) });
  } finally {
    job.remove();
    await scenario.emulator.close();
  }
}

async function publish(job: Job): Promise<string> {
  writeOciLayout(`${job.workspace}/image`, { files: { 'index.html': 'hello' } });
  const inputs = { mode: 'publish', 'aws-region': region, repository: repositoryName, 'registry-role': roles.registry };
  const { exitCode, raw, outputs } = await job.step({ with: { ...inputs, image: 'oci:image', tags: 'v1' } });
  if (exitCode !== 0) throw new Error(`publish ended with ${String(exitCode)}:\n${raw}`);
  return outputs['image-uri'] ?? '';
}

function inputsFor({ accounts, image }: { accounts: readonly string[]; image: string }): ReadonlyMap<string, string> {
  const inputs = {
    'aws-region': region,
    'registry-role': roles.registry,
    image,
    'deploy-accounts': accounts.join(','),
    'deploy-role': roles.deploy('{account-id}'),
    'max-parallel': '100',
    cluster,
    service,
  };
  return new Map(Object.entries(inputs));
}

/** The real ones, but for the clock, and for the runner, who is not told anything. */
function portsOn({ emulator }: Scenario): Ports {
  const environment = emulator.environment();
  Object.assign(process.env, environment);
  const { github: runner, ...ports } = realPorts(environment);
  const idToken = async (audience: string): Promise<string> => emulator.github.identity.token(audience);
  const github: GitHub = { ...runner, idToken, mask: () => undefined, summarise: async () => undefined };
  const credentials = stsCredentials({ github, clock: fastClock, log: silentLog, environment });
  const ecr: Ports['ecr'] = (session) => awsEcr(session, { mask: () => undefined });
  return { ...ports, clock: fastClock, log: silentLog, github, credentials, ecr };
}

async function timeStep({ scenario, inputs }: { scenario: Scenario; inputs: ReadonlyMap<string, string> }): Promise<Timed> {
  const ports = portsOn(scenario);
  const outputs = new Map<string, string>();
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await deploy.prepare(inputs, []).run({
    ports,
    output: (name, value) => void outputs.set(name, value),
    memory: { remember: () => undefined, forget: () => undefined },
    signal: new AbortController().signal,
  });
  const seconds = ((performance.now() - start) / 1_000) * speed;
  const { user, system } = process.cpuUsage(cpu);
  const fates = JSON.parse(outputs.get('deployments') ?? '[]') as readonly { readonly status: string }[];
  if (!fates.every(({ status }) => status === 'succeeded')) throw new Error(`not all succeeded: ${outputs.get('deployments') ?? ''}`);
  const calls = scenario.emulator.requests.entries.length;
  return { minutes: seconds / 60, calls, callsPerSecond: calls / seconds, cpuSeconds: (user + system) / 1_000_000 };
}

const timed: Timed[] = [];
for (const count of sizes) timed.push(await timeFanOut(count));
const [one] = timed;
printTable(
  ['accounts', 'min', 'times one', 'calls', 'calls/s', 'CPU, s'],
  timed.map(({ minutes, calls, callsPerSecond, cpuSeconds }, index) => [
    sizes[index] ?? 0,
    minutes.toFixed(1),
    (minutes / (one?.minutes ?? NaN)).toFixed(2),
    calls,
    callsPerSecond.toFixed(1),
    cpuSeconds.toFixed(1),
  ]),
);
