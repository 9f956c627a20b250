/**
 * How late it is noticed what a deployment does, and with how many calls: our follower beside a fixed poll of 15 seconds, and beside
 * the SDK's waiter (waitUntilDeploymentSuccessful with its own delays of 15 to 120 seconds).
 *
 *     npm run bench -- notice [--small]
 *
 * Nothing waits: the deployments are the emulator's, as functions of time, and the clock is simulated. Everything follows from seeds.
 * Aims: on average at most 3 seconds late for whatever is not a wait of somebody else's; never more than one call a second.
 */
import { DURATIONS, lifeOf, type DeployPlan, type Life } from '../emulator/deployment-life.ts';
import { courseOf } from '../emulator/life/course.ts';
import type { DeployedTaskSet, Deployment, LifecycleEvent, Snapshot } from '../src/domain/deployment.ts';
import { isTerminal } from '../src/domain/deployment.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Log } from '../src/ports/log.ts';
import { watchDeployment } from '../src/steps/watch-deployment.ts';
import { printTable } from './measure.ts';

type Random = () => number;

/** Mulberry32: small, seeded, good enough to spread durations. https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const between = (random: Random, least: number, most: number): number => least + random() * (most - least);
const seconds = 1_000;
const minutes = 60 * seconds;

/** How a kind of deployment differs from the plainest one. */
type Kind = (random: Random) => Partial<DeployPlan>;

const canary = (every: number) => ({ routing: { type: 'TimeBasedCanary', percentage: 10, minutes: every } }) as const;
const linear = (every: number) => ({ routing: { type: 'TimeBasedLinear', percentage: 10, minutes: every } }) as const;

const kinds: Readonly<Record<string, Kind>> = {
  'all at once': () => ({}),
  'fails in a hook': () => ({ outcome: { failAt: 'AfterAllowTestTraffic' }, hooks: { AfterAllowTestTraffic: 'smoke' } }),
  'alarm in mid-canary': () => ({ ...canary(5), outcome: { alarmAt: 'AllowTraffic', alarm: 'errors' } }),
  'canary, 5 min': () => canary(5),
  'linear, 10 % every minute': () => linear(1),
  'old tasks kept 5 min': () => ({ terminationWait: 5 }),
  'canary 15 min, kept 15 min': () => ({ ...canary(15), terminationWait: 15 }),
  'linear 3 min, kept 60 min': () => ({ ...linear(3), terminationWait: 60 }),
  'Ready, continued in 5 to 30 min': (random) => ({ readyWait: 120, ...waiting(between(random, 5, 30)) }),
  'Ready 30 to 60 min, kept 60 min': (random) => ({ readyWait: 120, terminationWait: 60, ...waiting(between(random, 30, 60)) }),
  'tasks never healthy (1 h)': () => ({ outcome: { tasks: 'unhealthy' } }),
};

/** Continued so many minutes after it came to Ready; `planOf` makes a moment of it. */
const waiting = (after: number): Partial<DeployPlan> => ({ commands: [{ at: after * minutes, command: 'continue', wait: 'READY_WAIT' }] });

const start = Date.parse('2026-11-22T12:00:00Z');
const arn = 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/web/0123456789abcdef';
const taskSet = { taskDefinition: 'web:1', desiredCount: 2, targetGroup: { name: 'web', arn } };

function planOf(kind: Kind, random: Random): DeployPlan {
  const plan: DeployPlan = {
    kind: 'deploy',
    id: 'd-BENCH0000',
    createdAt: start,
    service: 'web',
    durations: { ...DURATIONS, created: between(random, 0.5, 4), queued: between(random, 0.5, 5), install: between(random, 8, 150) },
    outcome: 'succeed',
    commands: [],
    blue: { ...taskSet, id: 'ecs-svc/1' },
    green: { ...taskSet, id: 'ecs-svc/2' },
    routing: { type: 'AllAtOnce' },
    testListener: false,
    hooks: {},
    ...kind(random),
  };
  const ready = courseOf({ ...plan, commands: [] }).ready?.from ?? 0;
  return { ...plan, commands: plan.commands.map((command) => ({ ...command, at: ready + command.at })) };
}

interface News {
  readonly at: number;
  /** Whether somebody's decision just brought it, which ended a long wait when nobody could know: there we look every 20 seconds. */
  readonly decided: boolean;
}

/** Whatever a reader of the log is told, and the end. */
function newsOf(plan: DeployPlan): { readonly news: readonly News[]; readonly end: number } {
  const { steps, weights, ready, wait, end } = courseOf(plan);
  const events = steps.filter((step) => step.end !== 'Skipped').flatMap(({ from, to }) => [from, to]);
  const told = [...events, ...weights.map(({ at }) => at), ready?.from, wait?.from, end.at];
  const times = [...new Set(told.filter((at) => at !== undefined && at <= end.at))] as number[];
  const decided = (at: number): boolean => ready !== undefined && at >= ready.to && at < ready.to + 20 * seconds;
  return { news: times.map((at) => ({ at, decided: decided(at) })), end: end.at };
}

function snapshotOf(plan: DeployPlan, now: number): Snapshot {
  const life = lifeOf(plan, now);
  const deployment: Deployment = {
    id: plan.id,
    status: life.status,
    application: 'A',
    group: 'G',
    config: undefined,
    description: '',
    creator: 'user',
    error: undefined,
    createdAt: plan.createdAt,
    completedAt: life.completedAt,
    terminationWaitStarted: life.instanceTerminationWaitTimeStarted,
    rollback: { by: undefined, of: undefined, message: undefined },
    rollsBack: true,
    statusMessages: [],
    waits: { ready: plan.readyWait, termination: plan.terminationWait },
    revision: undefined,
    previousRevision: undefined,
  };
  return { deployment, target: life.startedAt === undefined ? undefined : targetOf(life) };
}

function targetOf(life: Life): Snapshot['target'] {
  const events = life.lifecycleEvents.map(({ name, status, startedAt, endedAt }): LifecycleEvent => ({
    name,
    status,
    startedAt,
    endedAt,
    diagnostics: undefined,
  }));
  const taskSets = life.taskSets.map(({ trafficWeight, ...set }): DeployedTaskSet => ({ ...set, traffic: trafficWeight }));
  return { status: life.targetStatus ?? '', events, taskSets };
}

/** A world in which only sleeping and calling take time. */
class World implements Clock {
  readonly plan: DeployPlan;
  readonly random: Random;
  /** When each look saw what it saw, and when its answer was there. */
  readonly looks: { readonly saw: number; readonly answered: number }[] = [];
  #now: number;

  constructor(plan: DeployPlan, random: Random) {
    this.plan = plan;
    this.random = random;
    this.#now = plan.createdAt + between(random, 50, 400);
  }

  now = (): number => this.#now;
  monotonic = (): number => this.#now;
  sleep = async (milliseconds: number): Promise<void> => void (this.#now += milliseconds);

  look = async (): Promise<Snapshot> => {
    const took = between(this.random, 60, 250);
    const saw = this.#now + took / 2;
    this.#now += took;
    this.looks.push({ saw, answered: this.#now });
    return snapshotOf(this.plan, saw);
  };
}

interface Follower {
  readonly name: string;
  readonly callsOfLook: number;
  readonly follow: (world: World) => Promise<unknown>;
}

const silent: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  group: async (_title, work) => work(),
};

const ours: Follower = {
  name: 'ours',
  callsOfLook: 2,
  follow: async (world) =>
    watchDeployment({
      deployments: { look: world.look, url: () => '' },
      id: world.plan.id,
      session: { expiresAt: () => undefined, ending: () => undefined },
      ports: { clock: world, log: silent },
      until: ({ deployment }) => isTerminal(deployment.status),
      milliseconds: Infinity,
      consequence: '',
    }),
};

const fixed: Follower = { name: 'every 15 s', callsOfLook: 1, follow: async (world) => poll(world, () => 15 * seconds) };

/**
 * At once, then between 15 seconds and twice the last bound, from the fifth on 120 seconds (exponentialBackoffWithJitter).
 * https://github.com/smithy-lang/smithy-typescript/blob/main/packages/util-waiter/src/poller.ts
 */
const waiter: Follower = {
  name: 'SDK waiter',
  callsOfLook: 1,
  follow: async (world) => poll(world, (attempt) => (attempt > 4 ? 120 : between(world.random, 15, 15 * 2 ** (attempt - 1))) * seconds),
};

async function poll(world: World, delay: (attempt: number) => number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (isTerminal((await world.look()).deployment.status)) return;
    await world.sleep(delay(attempt));
  }
}

interface Measured {
  readonly endLate: number;
  /** Whether somebody's decision just brought the end. */
  readonly endDecided: boolean;
  readonly newsLate: readonly number[];
  readonly decidedLate: readonly number[];
  readonly calls: number;
  readonly callsASecond: number;
}

async function measure({ plan, follower, seed }: { plan: DeployPlan; follower: Follower; seed: number }): Promise<Measured> {
  const world = new World(plan, seeded(seed));
  await follower.follow(world);
  const { news, end } = newsOf(plan);
  const late = (at: number): number => (world.looks.find(({ saw }) => saw >= at)?.answered ?? NaN) - at;
  const gaps = world.looks.slice(1).map(({ answered }, index) => answered - (world.looks[index]?.answered ?? 0));
  return {
    endLate: late(end),
    endDecided: news.some(({ at, decided }) => at === end && decided),
    newsLate: news.filter(({ decided }) => !decided).map(({ at }) => late(at)),
    decidedLate: news.filter(({ decided }) => decided).map(({ at }) => late(at)),
    calls: world.looks.length * follower.callsOfLook,
    callsASecond: (follower.callsOfLook * seconds) / Math.min(...gaps),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const inSeconds = (milliseconds: number): string => (milliseconds / seconds).toFixed(1);

const worlds = process.argv.includes('--small') ? 4 : 100;
const rows: string[][] = [];
const all: Measured[] = [];
let latestEnds = 0;
for (const [name, kind] of Object.entries(kinds)) {
  const plans = Array.from({ length: worlds }, (_, seed) => planOf(kind, seeded(seed + 1)));
  const length = mean(plans.map((plan) => newsOf(plan).end - start)) / minutes;
  const cells: string[] = [];
  for (const follower of [ours, fixed, waiter]) {
    const measured: Measured[] = [];
    for (const [seed, plan] of plans.entries()) measured.push(await measure({ plan, follower, seed: seed + 10_000 }));
    const ends = measured.map(({ endLate }) => endLate);
    if (follower === ours) {
      all.push(...measured);
      cells.push(inSeconds(mean(measured.flatMap(({ newsLate }) => newsLate))));
      const aimed = measured.filter(({ endDecided }) => !endDecided).map(({ endLate }) => endLate);
      if (aimed.length > 0) latestEnds = Math.max(latestEnds, mean(aimed) / seconds);
    }
    cells.push(`${inSeconds(mean(ends))} / ${inSeconds(Math.max(...ends))}`, mean(measured.map(({ calls }) => calls)).toFixed(0));
  }
  rows.push([name, length.toFixed(length < 10 ? 1 : 0), ...cells]);
}
printTable(
  ['deployment', 'min', 'ours: news, s', 'end, s (mean / max)', 'calls', '15 s: end, s', 'calls', 'SDK waiter: end, s', 'calls'],
  rows,
);
const news = mean(all.flatMap(({ newsLate }) => newsLate)) / seconds;
const decided = mean(all.flatMap(({ decidedLate }) => decidedLate)) / seconds;
const rate = Math.max(...all.map(({ callsASecond }) => callsASecond));
console.log(
  `\n${worlds} deployments of each kind. Ours: news ${news.toFixed(1)} s late on average, the end of the latest kind ${latestEnds.toFixed(1)} s (aim 3.0 each), what somebody's decision brings in a wait ${decided.toFixed(1)} s; at most ${rate.toFixed(2)} calls a second (aim 1.00).`,
);
if (news > 3 || latestEnds > 3 || rate > 1) process.exitCode = 1;
