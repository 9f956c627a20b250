/** Follows a deployment as far as the author waits for it, and tells the truth about how it ends. */
import type { Cleanup, Memory } from '../cleanup.ts';
import { explainFailure, type Circumstances, type Failure } from '../domain/deployment-failure.ts';
import { courseLine, formatDuration } from '../domain/deployment-progress.ts';
import { hasReached, isTerminal, type Deployment, type LifecycleEvent, type Snapshot } from '../domain/deployment.ts';
import type { WaitBudget } from '../domain/wait-budget.ts';
import { CancelledError, DeploymentError, toError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer, Deployments } from './deployer.ts';
import { cancelDeployment, undoDeployment, type Undoing } from './finish-deployment.ts';
import type { DeploymentInputs } from './prepare-deployment.ts';
import type { DeploySide } from './sessions.ts';
import { warnOfEnding } from './warn-of-ending.ts';
import { watchDeployment, type Pace, type Watched } from './watch-deployment.ts';

export type FollowedOutput = 'deployment-id' | 'deployment-status' | 'deployment-url' | 'task-definition-arn' | 'rollback-deployment-id';
export type DeploymentOutput = FollowedOutput | 'changed';

export type SetOutput = (name: DeploymentOutput, value: string) => void;
export type SetFollowedOutput = (name: FollowedOutput, value: string) => void;

/** Where a deployment runs, and how it is to be followed; a prepared deployment is one. */
export interface FollowTarget {
  readonly deployer: Deployer;
  /** One that was there before: its own settings tell how long it may take. */
  readonly deployment?: Deployment;
  readonly side: Pick<DeploySide, 'session' | 'ecs'>;
  readonly inputs: Pick<DeploymentInputs, 'cluster' | 'service' | 'wait-until' | 'wait-for-minutes' | 'on-cancel'> &
    // A rollback has none: it is never rolled back itself.
    Partial<Pick<DeploymentInputs, 'on-timeout'>>;
}

export interface FollowRequest {
  readonly id: string;
  readonly target: FollowTarget;
  readonly ports: Pick<Ports, 'clock' | 'log'>;
  readonly signal: AbortSignal;
  readonly output: SetFollowedOutput;
  /** Each look, before anything is concluded from it. */
  readonly seen?: (snapshot: Snapshot) => Promise<void>;
  /** How often it is looked at. Default: as it moves. */
  readonly pace?: Pace | undefined;
  /** Whether a wait that the credentials will not outlive was warned of already. */
  readonly forewarned?: boolean;
  /** What the post step would do, forgotten when it need not any more. */
  readonly unfinished?: { readonly memory: Memory; readonly item: Cleanup } | undefined;
}

export interface Followed {
  /** As `Deployment` spells it; `Created` where nothing was waited for. */
  readonly status: string;
  readonly events: readonly LifecycleEvent[];
}

/** How long a rollback is followed: the traffic goes back at once, to tasks that run already. */
const rollbackMinutes = 30;

/**
 * @throws DeploymentError where it failed, was stopped or rolled back, takes too long, or can't be followed any more
 * @throws CancelledError after `on-cancel` was done
 */
export async function followDeployment(request: FollowRequest): Promise<Followed> {
  const { unfinished, signal, target, output } = request;
  const forget = (): void => unfinished?.memory.forget(unfinished.item);
  try {
    signal.throwIfAborted();
    const followed = target.inputs['wait-until'] === 'started' ? { status: 'Created', events: [] } : await follow(request);
    output('deployment-status', followed.status);
    forget();
    return followed;
  } catch (error) {
    // A cancel that can't be carried out is not forgotten: the post step has its second chance.
    const thrown = signal.aborted && !(error instanceof DeploymentError) ? await cancelled(request) : error;
    forget();
    throw thrown;
  }
}

async function cancelled({ id, target: { deployer, inputs } }: FollowRequest): Promise<CancelledError> {
  try {
    const fate = await cancelDeployment({ deployments: deployer, id, onCancel: inputs['on-cancel'] });
    return new CancelledError(`The run was cancelled. ${fate}`, { fate });
  } catch (error) {
    const fate = `deployment ${id} could not be stopped: ${toError(error).message}`;
    throw new CancelledError(`The run was cancelled, and ${fate}`, {
      fate,
      cause: error,
      hint: `The post step tries again. ${deployer.url(id)}`,
    });
  }
}

async function follow(request: FollowRequest): Promise<Followed> {
  const { id, target, ports } = request;
  const until = target.inputs['wait-until'];
  const budget = await budgetOf(request);
  const limit = `for at most ${formatDuration(budget.minutes * 60_000)} (${budget.explanation})`;
  const hasEnded = target.deployment !== undefined && isTerminal(target.deployment.status);
  if (!hasEnded && !request.forewarned) warnOfEnding({ session: target.side.session, minutes: budget.minutes, log: ports.log });
  const { end, snapshot } = await ports.log.group(`${id}  ${hasEnded ? 'how it went' : `following until ${until}, ${limit}`}`, async () =>
    watchDeployment({
      ...watching(request),
      id,
      until: ({ deployment }) => hasReached({ deployment, until }),
      seen: request.seen,
      milliseconds: budget.minutes * 60_000,
    }),
  );
  if (end === 'time-out' || !snapshot) return outOfTime({ request, budget, snapshot });
  return conclude({ request, snapshot });
}

/** What a deployment that has come to an end, or as far as was waited for, means for the step. */
async function conclude({ request, snapshot }: { request: FollowRequest; snapshot: Snapshot }): Promise<Followed> {
  const { id, target, ports, output } = request;
  ports.log.info(`${id}  ${courseLine(snapshot)}`);
  if (!hasReached({ deployment: snapshot.deployment, until: target.inputs['wait-until'] })) {
    output('deployment-status', snapshot.deployment.status);
    throw await failed({ request, snapshot });
  }
  return { status: snapshot.deployment.status, events: snapshot.target?.events ?? [] };
}

/** What it means for a deployment that it can't be followed any more. */
export const consequence = 'It goes on without this job: neither this step nor its post step touches it any more.';

function watching({ target, ports, signal, pace }: FollowRequest) {
  return { deployments: target.deployer, session: target.side.session, ports, signal, consequence, pace };
}

/** Watches a deployment that is rolled back, or one that rolls back. */
async function watchToEnd(request: FollowRequest, id: string): Promise<Watched> {
  const milliseconds = rollbackMinutes * 60_000;
  return watchDeployment({ ...watching(request), id, until: ({ deployment }) => isTerminal(deployment.status), milliseconds });
}

/** How long a deployment is waited for: one that is to be started, or one that is there. */
export async function plannedWait({
  inputs,
  deployer,
  deployment,
}: {
  readonly inputs: { readonly 'wait-for-minutes': number | undefined };
  readonly deployer: Pick<Deployer, 'budget'>;
  readonly deployment?: Deployment | undefined;
}): Promise<WaitBudget> {
  const minutes = inputs['wait-for-minutes'];
  return minutes === undefined ? deployer.budget(deployment) : { minutes, explanation: 'wait-for-minutes' };
}

async function budgetOf({ target, ports }: FollowRequest): Promise<WaitBudget> {
  try {
    return await plannedWait(target);
  } catch (error) {
    // It runs already: what can't be read of its settings is no reason to leave it.
    ports.log.warning(`How long the deployment may take could not be read: ${toError(error).message}`);
    return { minutes: 6 * 60, explanation: 'the limit of a hosted job' };
  }
}

interface OutOfTime {
  readonly request: FollowRequest;
  readonly budget: WaitBudget;
  readonly snapshot: Snapshot | undefined;
}

/** The time is over: what `on-timeout` says is done, and the step fails – but for a deployment that ends well in the same moment. */
async function outOfTime(late: OutOfTime): Promise<Followed> {
  const { request, snapshot } = late;
  const { id, target, ports, output } = request;
  if (snapshot) output('deployment-status', snapshot.deployment.status);
  if (target.inputs['on-timeout'] === undefined) throw tooLate(late, { fate: 'It goes on.' });
  if (target.inputs['on-timeout'] === 'leave') throw tooLate(late, { fate: 'It goes on, as on-timeout says.' });
  const { result } = await undoing(late);
  if (result === 'ended') return conclude({ request, snapshot: await target.deployer.look(id) });
  if (result === 'shifted')
    throw tooLate(late, { fate: 'It goes on: its traffic has shifted whole, and only the old tasks are still kept.' });
  ports.log.info(`${id}  is stopped with a rollback, as on-timeout says`);
  const watched = await watchToEnd(request, id);
  const stopped = watched.snapshot;
  if (!stopped || watched.end === 'time-out')
    throw tooLate(late, { fate: `It was stopped with a rollback, as on-timeout says, and had not ended ${rollbackMinutes} min later.` });
  if (stopped.deployment.status === 'Succeeded') return conclude({ request, snapshot: stopped });
  output('deployment-status', stopped.deployment.status);
  const undone = await followRollback({ request, deployment: stopped.deployment, wasAsked: true });
  ports.log.info(`${id}  ${undone.said}`);
  throw tooLate(late, {
    fate: `It was stopped with a rollback, as on-timeout says.\n${undone.said}`,
    stopped,
    rollback: undone.rollback,
  });
}

async function undoing(late: OutOfTime): Promise<Undoing> {
  const { request } = late;
  const { id, unfinished } = request;
  const { deployer } = request.target;
  try {
    return await undoDeployment({ deployments: deployer, deployment: await deployer.deployment(id) });
  } catch (error) {
    request.signal.throwIfAborted();
    // The post step has its second chance, whatever on-cancel says.
    if (unfinished?.item.kind === 'deployment') unfinished.memory.remember({ ...unfinished.item, onCancel: 'rollback' });
    const next = unfinished ? ' The post step tries again.' : '';
    throw tooLate(late, { fate: `It goes on, for it could not be stopped, as on-timeout says: ${toError(error).message}.${next}` });
  }
}

function tooLate(
  { request, budget, snapshot }: OutOfTime,
  { fate, stopped = snapshot, rollback }: { fate: string; stopped?: Snapshot | undefined; rollback?: DeploymentError['rollback'] },
): DeploymentError {
  const { id, target } = request;
  const { 'wait-until': until, 'on-timeout': onTimeout } = target.inputs;
  const status = snapshot?.deployment.status ?? 'Unknown';
  const url = target.deployer.url(id);
  const running = snapshot?.target?.events.find((event) => event.status === 'InProgress');
  const where = running === undefined ? `It was ${status}.` : `It was ${status}, in ${running.name}.`;
  const advice =
    status === 'Ready'
      ? `It waits for someone to continue it: let mode: continue (deployment-id: ${id}) do so, or the console, or wait-until: ready end the step here.`
      : `Raise wait-for-minutes, or let an earlier wait-until end the step${onTimeout === 'leave' ? ', or on-timeout: rollback undo it' : ''}.`;
  return new DeploymentError(
    `Deployment ${id} did not come to ${until} within ${formatDuration(budget.minutes * 60_000)} (${budget.explanation}). ${where} ${fate}`,
    {
      deploymentId: id,
      status: stopped?.deployment.status ?? status,
      url,
      events: stopped?.target?.events,
      rollback,
      hint: `${advice} ${url}`,
    },
  );
}

async function failed({ request, snapshot }: { request: FollowRequest; snapshot: Snapshot }): Promise<DeploymentError> {
  const { id, target, ports } = request;
  const { deployment } = snapshot;
  const url = target.deployer.url(id);
  const failure = explainFailure({ snapshot, circumstances: await circumstancesOf({ request, deployment }) });
  await tell({ request, failure });
  const undone = await followRollback({ request, deployment });
  ports.log.info(`${id}  ${undone.said}`);
  const verb = deployment.status === 'Stopped' ? 'was stopped' : 'failed';
  const evidence = [failure.reason, ...failure.details.slice(0, 5)].join('\n  ');
  return new DeploymentError([`Deployment ${id} ${verb}: ${evidence}`, failure.impact, undone.said].filter(Boolean).join('\n'), {
    deploymentId: id,
    status: deployment.status,
    url,
    events: snapshot.target?.events,
    rollback: undone.rollback,
    hint: [failure.advice, url].filter((part) => part !== undefined).join(' '),
  });
}

async function tell({ request: { id, ports }, failure }: { request: FollowRequest; failure: Failure }): Promise<void> {
  const { reason, impact, details, background, advice } = failure;
  await ports.log.group(`Why ${id} did not succeed, and what to do`, async () => {
    for (const line of [reason, ...details, ...background]) ports.log.info(line);
    if (impact !== undefined) ports.log.info(impact);
    if (advice !== undefined) ports.log.info(`What to do: ${advice}`);
  });
}

/** What ECS tells of the time since the deployment began. It explains; that it can't be read is no failure of its own. */
async function circumstancesOf({ request, deployment }: { request: FollowRequest; deployment: Deployment }): Promise<Circumstances> {
  const { ecs } = request.target.side;
  const { cluster, service } = request.target.inputs;
  const since = deployment.createdAt ?? 0;
  const [answer, tasks] = await Promise.allSettled([ecs.describeService({ cluster, service }), ecs.stoppedTasks({ cluster, service })]);
  for (const { reason } of [answer, tasks].filter((settled) => settled.status === 'rejected'))
    request.ports.log.debug(`what ECS knows could not be read: ${toError(reason).message}`);
  const live = answer.status === 'fulfilled' && answer.value.found === 'service' ? answer.value.service : undefined;
  return {
    serviceEvents: (live?.events ?? []).filter(({ at }) => at >= since).slice(0, 10),
    stoppedTasks: (tasks.status === 'fulfilled' ? tasks.value : []).filter(({ stoppedAt = 0 }) => stoppedAt >= since),
  };
}

interface Undone {
  /** What became of the traffic, as a sentence. */
  readonly said: string;
  readonly rollback?: DeploymentError['rollback'];
}

/** Follows the rollback to its end, and says what became of the traffic. A rolled-back deployment is a failed one all the same. */
async function followRollback({
  request,
  deployment,
  wasAsked = deployment.rollsBack !== false,
}: {
  request: FollowRequest;
  deployment: Deployment;
  wasAsked?: boolean;
}): Promise<Undone> {
  const { target, ports, signal, output } = request;
  const { within } = deployment.rollback;
  if (within !== undefined) return { said: rolledBackWithin({ within, url: target.deployer.url(deployment.id) }) };
  try {
    const id = await rollbackOf({ deployment, wasAsked, deployments: target.deployer, ports, signal });
    if (id === undefined) return { said: notRolledBack({ deployment, wasAsked }) };
    output('rollback-deployment-id', id);
    const url = target.deployer.url(id);
    const { snapshot } = await ports.log.group(`${deployment.id}  is rolled back by ${id}: ${url}`, async () => watchToEnd(request, id));
    const status = snapshot?.deployment.status ?? 'Unknown';
    const rollback = { id, status, url };
    if (status === 'Succeeded') return { said: `It was rolled back by ${id}: the old tasks have the whole traffic again.`, rollback };
    const why = snapshot?.deployment.error ? ` (${snapshot.deployment.error.code}: ${snapshot.deployment.error.message})` : '';
    const end = isTerminal(status) ? `ended as ${status}${why}` : `is still ${status} after ${rollbackMinutes} min`;
    return { said: `Its rollback ${id} ${end}: see which tasks have the traffic, ${url}`, rollback };
  } catch (error) {
    if (signal.aborted) return { said: 'Its rollback goes on without being followed: the run was cancelled.' };
    return { said: `Its rollback could not be followed: ${toError(error).message}` };
  }
}

/** What became of the traffic where ECS itself deploys: it rolls back within the deployment, so this is over too. */
function rolledBackWithin({ within, url }: { within: NonNullable<Deployment['rollback']['within']>; url: string }): string {
  if (within === 'succeeded') return 'ECS rolled it back: the old tasks have the whole traffic again.';
  return within === 'failed'
    ? `Its rollback failed: see which tasks have the traffic, ${url}`
    : `ECS did not roll it back: see which tasks have the traffic, ${url}`;
}

function notRolledBack({ deployment: { rollback, rollsBack }, wasAsked }: { deployment: Deployment; wasAsked: boolean }): string {
  if (rollback.message !== undefined) return `It was not rolled back: ${rollback.message}.`;
  if (wasAsked)
    return 'It was not rolled back, and CodeDeploy does not say why: where no new tasks were made, there is nothing to roll back.';
  const cure = rollsBack === false ? ' auto-rollback: failure would have CodeDeploy do it.' : '';
  return `It was not rolled back, so that the new tasks stay as they are until the next deployment.${cure}`;
}

/** Looks for the rollback, which CodeDeploy makes a moment after the failure, if it makes one; surely where it was asked for. */
export async function rollbackOf({
  deployment,
  wasAsked = deployment.rollsBack !== false,
  deployments,
  ports,
  signal,
}: {
  deployment: Deployment;
  wasAsked?: boolean;
  deployments: Pick<Deployments, 'deployment'>;
  ports: Pick<Ports, 'clock'>;
  signal: AbortSignal;
}): Promise<string | undefined> {
  let latest = deployment;
  for (const pause of [2_000, 3_000, 5_000]) {
    if (latest.rollback.by !== undefined || latest.rollback.within !== undefined || !wasAsked) break;
    await ports.clock.sleep(pause, signal);
    latest = await deployments.deployment(deployment.id);
  }
  return latest.rollback.by;
}
