/**
 * Deploys to many accounts in waves (RULES 4). All of them are prepared; from here on each has its own fate:
 *
 *   wave 1: at most max-parallel at once, each to wait-until  →  wave 2  →  …
 *
 * More failures than max-failures, or a cancel, start nothing new: what is under way ends by itself, or as on-cancel says, and the rest
 * is told as not started.
 */
import type { Memory } from '../cleanup.ts';
import {
  accountLabel,
  deploymentsJson,
  failureLine,
  failureLines,
  hasFailed,
  outcomesMarkdown,
  reasonLine,
  tally,
  type AccountOutcome,
  type AccountStatus,
} from '../domain/account-outcome.ts';
import { formatDuration } from '../domain/deployment-progress.ts';
import { isActive } from '../domain/deployment.ts';
import { cutWaves, type WaveSize } from '../domain/fan-out.ts';
import { formatImage } from '../domain/image.ts';
import type { PinnedImage } from '../domain/task-definition.ts';
import { ActionError, CancelledError, DeploymentError, FanOutError, toError } from '../errors.ts';
import { atMost } from '../ports/at-most.ts';
import { isDenial } from '../ports/aws.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ports } from '../ports/index.ts';
import { deployService, isUnchanged } from './deploy-service.ts';
import { followDeployment, plannedWait, type DeploymentOutput, type SetOutput } from './follow-deployment.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import { renderDefinition } from './render-definition.ts';
import type { FanOutMember } from './targets.ts';
import type { Pace } from './watch-deployment.ts';

export interface FanOutInputs {
  readonly waves: readonly WaveSize[];
  readonly 'max-parallel': number;
  readonly 'max-failures': number;
}

/** An account in which everything was checked. */
export interface ReadyAccount {
  readonly member: FanOutMember;
  readonly prepared: PreparedDeployment;
  /** By digest, in the order of the containers that get them. */
  readonly images: readonly PinnedImage[];
}

export interface FanOutRequest {
  readonly inputs: FanOutInputs;
  /** One at least. */
  readonly accounts: readonly ReadyAccount[];
  readonly ports: Pick<Ports, 'clock' | 'log' | 'github'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  /** The single outputs are those of the one account, where there is one only (RULES 6.17). */
  readonly output: (name: DeploymentOutput | 'deployments', value: string) => void;
}

/** Older preparations are made anew before an account's turn. */
const freshFor = 30_000;

/**
 * @throws FanOutError where more accounts failed than may; CancelledError after each active deployment was treated as `on-cancel` says
 */
export async function fanOut(request: FanOutRequest): Promise<void> {
  const { inputs, accounts, ports, output } = request;
  const waves = cutWaves(accounts, inputs.waves);
  await warnOfLength({ waves, request });
  if (inputs['max-failures'] >= accounts.length)
    ports.log.warning(
      `max-failures is ${inputs['max-failures']}, and there are ${accounts.length} accounts: the step is green even if all of them fail.`,
    );
  ports.log.info(readiness(accounts));
  const course = begin(request, waves);
  for (const [index, wave] of waves.entries()) {
    if (course.mustStop()) break;
    if (index > 0) output('deployments', deploymentsJson(course.outcomes()));
    ports.log.info(`wave ${index + 1} of ${waves.length}: ${wave.map(({ member }) => accountLabel(member)).join(', ')}`);
    await atMost(inputs['max-parallel'], wave, async (account) => {
      if (!course.mustStop()) await course.run(account);
    });
    ports.log.info(`wave ${index + 1} of ${waves.length} has ended; of all: ${tally(course.outcomes())}`);
  }
  await conclude(request, course);
}

function readiness(accounts: readonly ReadyAccount[]): string {
  const done = accounts.filter(hasNothingToDo).length;
  const all = accounts.length === 1 ? '1 account was checked and is' : `${accounts.length} accounts were checked and are`;
  return `${all} ready${done === 0 ? '' : `; ${done === accounts.length ? 'all' : done} of them ${done === 1 ? 'runs' : 'run'} this image already`}`;
}

function hasNothingToDo({ prepared, images }: ReadyAccount): boolean {
  return isUnchanged(prepared, renderDefinition(prepared, images));
}

interface Course {
  /** Nothing new is to be started. */
  mustStop(): boolean;
  /** Never rejects: one account's failure is not the others'. */
  run(account: ReadyAccount): Promise<void>;
  /** In the order of the waves; an account whose turn has not come is `not-started`. */
  outcomes(): readonly AccountOutcome[];
  readonly errors: readonly Error[];
  hasChanged(): boolean;
}

function begin(request: FanOutRequest, waves: readonly (readonly ReadyAccount[])[]): Course {
  const { inputs, accounts, ports, signal } = request;
  const begun = ports.clock.monotonic();
  const pace = paceFor(Math.min(inputs['max-parallel'], accounts.length), ports.clock);
  const order = waves.flatMap((wave, index) => wave.map((account) => ({ account, wave: index + 1 })));
  const ends = new Map<ReadyAccount, End>();
  const errors: Error[] = [];
  const failures = (): number => [...ends.values()].filter(hasFailed).length;
  return {
    mustStop: () => signal.aborted || failures() > inputs['max-failures'],
    run: async (account) => {
      const start = ports.clock.monotonic();
      const { error, ...end } = await deployTo(account, { request, pace, isFresh: start - begun < freshFor });
      if (error) errors.push(error);
      ends.set(account, end);
      const took = formatDuration(ports.clock.monotonic() - start);
      await account.member.log.end(`${accountLabel(account.member)}: ${end.status} after ${took}`);
    },
    outcomes: () =>
      order.map(({ account, wave }) => {
        const { account: id, name } = account.member;
        return { account: id, name, wave, ...(ends.get(account) ?? { status: 'not-started' as const }) };
      }),
    errors,
    hasChanged: () => [...ends.values()].some(({ changed }) => changed),
  };
}

type End = Omit<AccountOutcome, 'account' | 'name' | 'wave'> & { readonly changed: boolean };

async function deployTo(
  { member, prepared, images }: ReadyAccount,
  { request, pace, isFresh }: { request: FanOutRequest; pace: Pace; isFresh: boolean },
): Promise<End & { readonly error?: Error }> {
  const { accounts, memory, signal } = request;
  const facts = new Map<DeploymentOutput, string>();
  const output: SetOutput = (name, value) => {
    facts.set(name, value);
    if (accounts.length === 1) request.output(name, value);
  };
  const ports = { ...request.ports, log: member.log };
  const end = (status: AccountStatus, reason?: string): End => ({
    status,
    reason,
    deploymentId: facts.get('deployment-id'),
    taskDefinition: facts.get('task-definition-arn'),
    rollbackDeploymentId: facts.get('rollback-deployment-id'),
    url: facts.get('deployment-url'),
    changed: facts.get('changed') === 'true',
  });
  try {
    signal.throwIfAborted();
    const each = { images, ports, memory, signal, output, pace };
    const deployed = await deployService(isFresh ? prepared : await prepared.again(), each);
    if (deployed.result === 'yielded') return end('yielded', `${deployed.to.id} of a newer run`);
    if (deployed.result === 'unchanged') return end('unchanged');
    const { status } = await followDeployment({ ...each, ...deployed });
    return end(status === 'Succeeded' ? 'succeeded' : prepared.inputs['wait-until']);
  } catch (thrown) {
    const error = toError(thrown);
    const { message } = error;
    const hint = error instanceof ActionError ? error.hint : undefined;
    for (const text of [message, ...(hint === undefined ? [] : [`What to do: ${hint}`])]) member.log.info(text);
    const reason = error instanceof CancelledError ? error.fate : message;
    return { ...end(statusOf(error, { isStarted: facts.has('deployment-id') }), reason), error };
  }
}

function statusOf(error: Error, { isStarted }: { isStarted: boolean }): AccountStatus {
  if (error instanceof CancelledError) return isStarted ? 'cancelled' : 'not-started';
  const { cause } = error;
  if (isDenial(error) || isDenial(cause)) return 'denied';
  if (!(error instanceof DeploymentError)) return 'failed';
  if (error.rollback?.status === 'Succeeded') return 'rolled-back';
  // Without a cause it could be followed, and took too long.
  return isStarted && isActive(error.status) && cause === undefined ? 'timed-out' : 'failed';
}

/** Two calls a look: 100 accounts make 14 calls a second. A little chance keeps them apart. */
function paceFor(atOnce: number, clock: Clock): Pace {
  const usual = atOnce > 50 ? 15_000 : 10_000;
  return () => usual * (0.8 + 0.4 * clock.random());
}

/** As long as a hosted job may last, but for ten minutes. */
const mostMinutes = 350;

/** Nobody follows the last waves where the earlier ones use up the job's time. */
export async function warnOfLength({
  waves,
  request: { inputs, ports },
}: {
  waves: readonly (readonly ReadyAccount[])[];
  request: Pick<FanOutRequest, 'inputs' | 'ports'>;
}): Promise<void> {
  const lengths = await Promise.all(
    waves.map(async (wave) => {
      const longest = Math.max(...(await Promise.all(wave.map(plannedMinutes))));
      return longest * Math.ceil(wave.length / inputs['max-parallel']);
    }),
  );
  const minutes = lengths.reduce((sum, length) => sum + length, 0);
  if (minutes <= mostMinutes) return;
  ports.log.warning(
    `The waves may take ${formatDuration(minutes * 60_000)} together by their deployments’ own waits, and a hosted job ends after 6 h. Raise max-parallel, cut fewer waves, or let an earlier wait-until end each of them.`,
  );
}

async function plannedMinutes(account: ReadyAccount): Promise<number> {
  const { inputs, deployer } = account.prepared;
  if (inputs['wait-until'] === 'started' || hasNothingToDo(account)) return 0;
  try {
    return (await plannedWait({ inputs, deployer })).minutes;
  } catch {
    // Whoever follows the deployment says that it can't be read.
    return 0;
  }
}

async function conclude({ inputs, accounts, ports, signal, output }: FanOutRequest, course: Course): Promise<void> {
  const outcomes = course.outcomes();
  const failed = outcomes.filter(hasFailed);
  // The one account that there is has said so itself.
  if (accounts.length > 1) output('changed', String(course.hasChanged()));
  output('deployments', deploymentsJson(outcomes));
  await ports.github.summarise(summaryOf(accounts, outcomes));
  ports.log.info(`${outcomes.length === 1 ? '1 account' : `${outcomes.length} accounts`}: ${tally(outcomes)}`);
  // A fault of our own is told as one.
  const ours = course.errors.find((error) => !(error instanceof ActionError));
  if (ours) throw ours;
  if (signal.aborted && outcomes.some(({ status }) => status === 'cancelled' || status === 'not-started')) throw cancelled(outcomes);
  if (failed.length <= inputs['max-failures']) {
    for (const outcome of failed) ports.log.warning(failureLine(outcome));
    return;
  }
  const left = outcomes.filter(({ status }) => status === 'not-started').length;
  const lines = failureLines(outcomes).map((line) => `  - ${line}`);
  throw new FanOutError(
    [
      `${failed.length} of ${outcomes.length} accounts failed, and max-failures is ${inputs['max-failures']}:`,
      ...lines,
      ...(left > 0 ? [`Nothing was started in ${left} further ${left === 1 ? 'account' : 'accounts'}.`] : []),
    ].join('\n'),
    { hint: 'Run the step again when that is mended: only what does not run this image yet is deployed.' },
  );
}

function cancelled(outcomes: readonly AccountOutcome[]): CancelledError {
  const lines = outcomes
    .filter(({ status }) => status === 'cancelled')
    .map((outcome) => `  - ${accountLabel(outcome)}: ${reasonLine(outcome)}`);
  return new CancelledError([`The run was cancelled: ${tally(outcomes)}.`, ...lines].join('\n'), {
    hint: 'Run the step again: only what does not run this image yet is deployed.',
  });
}

function summaryOf(accounts: readonly ReadyAccount[], outcomes: readonly AccountOutcome[]): string {
  const names = (of: (prepared: PreparedDeployment) => string): string =>
    [...new Set(accounts.map(({ prepared }) => of(prepared)))].join(', ');
  return outcomesMarkdown({
    service: names(({ inputs }) => inputs.service),
    cluster: names(({ inputs }) => inputs.cluster),
    images: [...new Set(accounts.flatMap(({ images }) => images.map(formatImage)))],
    outcomes,
  });
}
