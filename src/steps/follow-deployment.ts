/** Follows a deployment as far as the author waits for it, and tells the truth about how it ends. */
import type { Cleanup, Memory } from '../cleanup.ts';
import { explainFailure, type Circumstances, type Failure } from '../domain/deployment-failure.ts';
import { hasReached, isTerminal, type Deployment, type LifecycleEvent, type Snapshot } from '../domain/deployment.ts';
import type { WaitBudget } from '../domain/wait-budget.ts';
import { CancelledError, DeploymentError, toError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer } from './deployer.ts';
import { cancelDeployment } from './finish-deployment.ts';
import type { DeploymentInputs } from './prepare-deployment.ts';
import type { DeploySide } from './sessions.ts';
import { warnOfEnding } from './warn-of-ending.ts';
import { watchDeployment } from './watch-deployment.ts';

export type DeploymentOutput =
  'deployment-id' | 'deployment-status' | 'deployment-url' | 'task-definition-arn' | 'rollback-deployment-id' | 'changed';

export type SetOutput = (name: DeploymentOutput, value: string) => void;

/** Where a deployment runs, and how it is to be followed; a prepared deployment is one. */
export interface FollowTarget {
  readonly deployer: Deployer;
  readonly side: Pick<DeploySide, 'session' | 'ecs'>;
  readonly inputs: Pick<DeploymentInputs, 'cluster' | 'service' | 'wait-until' | 'wait-for-minutes' | 'on-cancel'>;
}

export interface FollowRequest {
  readonly id: string;
  readonly target: FollowTarget;
  readonly ports: Pick<Ports, 'clock' | 'log'>;
  readonly signal: AbortSignal;
  readonly output: SetOutput;
  /** What the post step would do, forgotten when it need not any more. */
  readonly unfinished?: { readonly memory: Memory; readonly item: Cleanup } | undefined;
}

export interface Followed {
  /** As CodeDeploy spells it; `Created` where nothing was waited for. */
  readonly status: string;
  readonly events: readonly LifecycleEvent[];
}

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
    return new CancelledError(
      `The run was cancelled. ${await cancelDeployment({ deployments: deployer, id, onCancel: inputs['on-cancel'] })}`,
    );
  } catch (error) {
    throw new CancelledError(`The run was cancelled, and deployment ${id} could not be stopped: ${toError(error).message}`, {
      cause: error,
      hint: `The post step tries again. ${deployer.url(id)}`,
    });
  }
}

async function follow(request: FollowRequest): Promise<Followed> {
  const { id, target, ports, output } = request;
  const until = target.inputs['wait-until'];
  const budget = await budgetOf(request);
  ports.log.info(`${id}  following until ${until}, for at most ${budget.minutes} min (${budget.explanation})`);
  warnOfEnding({ session: target.side.session, minutes: budget.minutes, log: ports.log });
  const { end, snapshot } = await watchDeployment({
    ...watching(request),
    id,
    until: ({ deployment }) => hasReached({ deployment, until }),
    milliseconds: budget.minutes * 60_000,
  });
  if (snapshot && end !== 'reached') output('deployment-status', snapshot.deployment.status);
  if (end === 'time-out' || !snapshot) throw timeOut({ request, budget, snapshot });
  if (end === 'terminal') throw await failed({ request, budget, snapshot });
  return { status: snapshot.deployment.status, events: snapshot.target?.events ?? [] };
}

function watching({ target, ports, signal }: FollowRequest) {
  return { deployments: target.deployer, session: target.side.session, ports, signal };
}

async function budgetOf({ target, ports }: FollowRequest): Promise<WaitBudget> {
  const minutes = target.inputs['wait-for-minutes'];
  if (minutes !== undefined) return { minutes, explanation: 'wait-for-minutes' };
  try {
    return await target.deployer.budget();
  } catch (error) {
    // It runs already: what can't be read of its settings is no reason to leave it.
    ports.log.warning(`How long the deployment may take could not be read: ${toError(error).message}`);
    return { minutes: 6 * 60, explanation: 'the limit of a hosted job' };
  }
}

function timeOut({
  request,
  budget,
  snapshot,
}: {
  request: FollowRequest;
  budget: WaitBudget;
  snapshot: Snapshot | undefined;
}): DeploymentError {
  const { id, target } = request;
  const status = snapshot?.deployment.status ?? 'Unknown';
  const url = target.deployer.url(id);
  const isReady = status === 'Ready';
  return new DeploymentError(
    `Deployment ${id} did not come to ${target.inputs['wait-until']} within ${budget.minutes} min (${budget.explanation}). It is ${status} and goes on.`,
    {
      deploymentId: id,
      status,
      url,
      hint: isReady
        ? `It waits for someone to continue it: let mode: continue do so, or the console, or wait-until: ready end the step here. ${url}`
        : `Raise wait-for-minutes, or let an earlier wait-until end the step. ${url}`,
    },
  );
}

async function failed({
  request,
  budget,
  snapshot,
}: {
  request: FollowRequest;
  budget: WaitBudget;
  snapshot: Snapshot;
}): Promise<DeploymentError> {
  const { id, target, ports } = request;
  const { deployment } = snapshot;
  const url = target.deployer.url(id);
  const failure = explainFailure({ snapshot, circumstances: await circumstancesOf({ request, deployment }) });
  await tell({ request, failure });
  const undone = await followRollback({ request, budget, deployment });
  ports.log.info(`${id}  ${undone}`);
  const verb = deployment.status === 'Stopped' ? 'was stopped' : 'failed';
  return new DeploymentError(`Deployment ${id} ${verb}: ${[failure.reason, ...failure.details.slice(0, 5)].join('\n  ')}\n${undone}`, {
    deploymentId: id,
    status: deployment.status,
    url,
    hint: [failure.advice, url].filter((part) => part !== undefined).join(' '),
  });
}

async function tell({ request: { id, ports }, failure }: { request: FollowRequest; failure: Failure }): Promise<void> {
  await ports.log.group(`Why ${id} did not succeed`, async () => {
    for (const line of [failure.reason, ...failure.details]) ports.log.info(line);
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
    serviceEvents: (live?.events ?? []).filter(({ at }) => at >= since).slice(0, 5),
    stoppedTasks: (tasks.status === 'fulfilled' ? tasks.value : []).filter(({ stoppedAt = 0 }) => stoppedAt >= since),
  };
}

/** Follows the rollback to its end, and says what became of the traffic. A rolled-back deployment is a failed one all the same. */
async function followRollback({
  request,
  budget,
  deployment,
}: {
  request: FollowRequest;
  budget: WaitBudget;
  deployment: Deployment;
}): Promise<string> {
  const { target, ports, output } = request;
  try {
    const id = await rollbackOf({ request, deployment });
    if (id === undefined)
      return `It was not rolled back${deployment.rollback.message === undefined ? '' : `: ${deployment.rollback.message}`}.`;
    output('rollback-deployment-id', id);
    ports.log.info(`${deployment.id}  is rolled back by ${id}: ${target.deployer.url(id)}`);
    const { snapshot } = await watchDeployment({
      ...watching(request),
      id,
      until: ({ deployment: { status } }) => isTerminal(status),
      milliseconds: budget.minutes * 60_000,
    });
    const status = snapshot?.deployment.status ?? 'Unknown';
    if (status === 'Succeeded') return `It was rolled back by ${id}: the old tasks have the whole traffic again.`;
    return `Its rollback ${id} ended as ${status}: see which tasks have the traffic, ${target.deployer.url(id)}`;
  } catch (error) {
    if (request.signal.aborted) return 'Its rollback goes on without being followed: the run was cancelled.';
    return `Its rollback could not be followed: ${toError(error).message}`;
  }
}

/** Looks for the rollback, which CodeDeploy makes a moment after the failure, if it makes one. */
async function rollbackOf({ request, deployment }: { request: FollowRequest; deployment: Deployment }): Promise<string | undefined> {
  const { target, ports, signal } = request;
  let latest = deployment;
  for (const pause of [2_000, 3_000, 5_000]) {
    if (latest.rollback.by !== undefined || latest.rollsBack === false) break;
    await ports.clock.sleep(pause, signal);
    latest = await target.deployer.deployment(deployment.id);
  }
  return latest.rollback.by;
}
