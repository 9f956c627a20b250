/**
 * A service deployment: ECS's own blue/green, linear or canary, told in the words of `Deployment`.
 *
 *   PENDING → IN_PROGRESS → SUCCESSFUL                                                       Created → InProgress → Succeeded
 *                IN_PROGRESS, held by a pause hook                                           Ready
 *                ROLLBACK_REQUESTED → ROLLBACK_IN_PROGRESS → ROLLBACK_SUCCESSFUL | …_FAILED  RollingBack → Failed
 *                STOP_REQUESTED → STOPPED                                                    Stopping → Stopped
 *
 * A rollback happens within the deployment: it has no ID of its own. ECS tells only the stage that a deployment is in, so what was
 * seen before is handed on from look to look.
 * Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html,
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
 */
import { consoleHost, type AccountId, partitionOf, type Region } from './account.ts';
import type { DeployedTaskSet, Deployment, LifecycleEvent, Snapshot, WaitUntil } from './deployment.ts';
import type { PauseAhead } from './deployment-continuation.ts';
import type { LiveService, OwnDeployments, Pause } from './live-service.ts';

/** The stages in their order. RECONCILE_SERVICE comes only after a deployment that was broken off. */
export const lifecycleStages = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
] as const;
type Stage = (typeof lifecycleStages)[number];

/** What has not ended; ListServiceDeployments is asked for these. */
export const activeServiceStatuses = ['PENDING', 'IN_PROGRESS', 'STOP_REQUESTED', 'ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS'] as const;

/** The strategies with two sets of tasks; `ROLLING` replaces tasks one by one. */
export const ownStrategies = ['BLUE_GREEN', 'LINEAR', 'CANARY'] as const;

/** The tasks of a service revision within a deployment. */
export interface RevisionTasks {
  /** `arn:…:service-revision/<cluster>/<service>/<19 digits>`. */
  readonly arn: string;
  readonly requested: number;
  readonly pending: number;
  readonly running: number;
  /** Percent of the production and of the test traffic; undefined where ECS does not shift any. */
  readonly traffic: number | undefined;
  readonly testTraffic: number | undefined;
}

export interface LifecycleHook {
  readonly id: string;
  /** `AWS_LAMBDA` or `PAUSE`. */
  readonly kind: string;
  /** The Lambda function's ARN. */
  readonly target: string | undefined;
  /** `AWAITING_ACTION`, `IN_PROGRESS`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`. */
  readonly status: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** What ECS does when nobody acts: `CONTINUE` or `ROLLBACK`. */
  readonly onTimeout: string | undefined;
}

export interface ServiceDeployment {
  /** `arn:…:service-deployment/<cluster>/<service>/<id>`. */
  readonly arn: string;
  /** As ECS spells it. */
  readonly status: string;
  readonly reason: string | undefined;
  /** Undefined before it starts. */
  readonly stage: string | undefined;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly target: RevisionTasks | undefined;
  readonly sources: readonly RevisionTasks[];
  readonly hooks: readonly LifecycleHook[];
  readonly rollback: { readonly reason: string | undefined } | undefined;
  readonly circuitBreaker: { readonly status: string; readonly failures: number; readonly threshold: number } | undefined;
  /** Minutes for which the old tasks are kept after the shift, by the settings that it was made with. */
  readonly bakeMinutes: number | undefined;
  /** Alarms that went off during the deployment. */
  readonly alarms: readonly string[];
}

/** Whether ECS itself deploys the service with two sets of tasks. */
export function deploysItself({ controller, own }: LiveService): boolean {
  return controller === 'ECS' && ownStrategies.some((strategy) => strategy === own.strategy);
}

/** The pauses between the start of the new tasks and the shift of the traffic: where a deployment is Ready. */
export function pausesBeforeShift({ pauses }: OwnDeployments): readonly Pause[] {
  const [from, to] = [positionOf('POST_SCALE_UP'), positionOf('PRODUCTION_TRAFFIC_SHIFT')];
  return pauses.filter(({ stage }) => positionOf(stage) >= from && positionOf(stage) < to);
}

/** The hook at which somebody must continue the deployment; ECS holds it till then. */
export function pauseOf({ status, hooks }: Pick<ServiceDeployment, 'status' | 'hooks'>): LifecycleHook | undefined {
  return status === 'IN_PROGRESS' ? hooks.find((hook) => hook.kind === 'PAUSE' && hook.status === 'AWAITING_ACTION') : undefined;
}

/**
 * Whether a pause holds a deployment yet: `none` is set there, all are `past`, or one is `ahead`. One before the shift comes again
 * before each of its steps.
 */
export function pauseAhead({
  own,
  deployment,
  until,
}: {
  own: OwnDeployments;
  deployment: ServiceDeployment;
  until: WaitUntil;
}): PauseAhead {
  const last = until === 'succeeded' ? 'CLEAN_UP' : 'PRODUCTION_TRAFFIC_SHIFT';
  const pauses = own.pauses.filter(({ stage }) => positionOf(stage) <= positionOf(last));
  if (pauses.length === 0) return 'none';
  return pauses.some((pause) => isAhead(pause, { own, deployment })) ? 'ahead' : 'past';
}

function isAhead({ stage }: Pause, { own, deployment }: { own: OwnDeployments; deployment: ServiceDeployment }): boolean {
  const { hooks, target } = deployment;
  if (stage === deployment.stage) return !hooks.some(({ kind, status }) => kind === 'PAUSE' && status === 'SUCCEEDED');
  const isRepeated = stage === 'PRE_PRODUCTION_TRAFFIC_SHIFT' && own.routing.kind !== 'all-at-once';
  if (isRepeated && deployment.stage === 'PRODUCTION_TRAFFIC_SHIFT') return (target?.traffic ?? 0) < 100;
  return positionOf(stage) > positionOf(deployment.stage);
}

/** The service revision that has the production traffic, as the newest deployment tells it. */
export function runningRevision({ status, target, sources }: ServiceDeployment): string | undefined {
  if (status === 'SUCCESSFUL') return target?.arn;
  return sources.toSorted((one, other) => (other.traffic ?? 0) - (one.traffic ?? 0))[0]?.arn;
}

/** The last part of a service deployment's ARN: no account is in it, so GitHub does not drop it as a job output. */
export function serviceDeploymentId(arnOrId: string): string {
  return arnOrId.slice(arnOrId.lastIndexOf('/') + 1);
}

export interface ServicePlace {
  readonly region: Region;
  readonly account: AccountId;
  readonly cluster: string;
  readonly service: string;
}

export function serviceDeploymentArn({ region, account, cluster, service }: ServicePlace, id: string): string {
  return `arn:${partitionOf(region)}:ecs:${region}:${account}:service-deployment/${cluster}/${service}/${id}`;
}

/** The service's deployments in the AWS console of the Region's partition; one deployment's own page has no documented address. */
export function serviceDeploymentsUrl({ region, cluster, service }: Omit<ServicePlace, 'account'>): string {
  return `https://${region}.${consoleHost(region)}/ecs/v2/clusters/${cluster}/services/${service}/deployments?region=${region}`;
}

/** As a `Deployment`; `description` holds the mark of the run that made it, where that is known. */
export function deploymentOf(given: ServiceDeployment, { description = '' }: { description?: string | undefined } = {}): Deployment {
  const status = statusOf(given);
  const pause = pauseOf(given);
  const within = rollbackWithin[given.status] ?? 'none';
  return {
    id: serviceDeploymentId(given.arn),
    status,
    application: '',
    group: '',
    config: undefined,
    description,
    creator: '',
    error: errorOf(given),
    createdAt: given.createdAt,
    completedAt: given.endedAt,
    terminationWaitStarted: ['InProgress', 'Ready'].includes(status) && positionOf(given.stage) >= positionOf('BAKE_TIME'),
    pause: pause && { said: pauseText(pause, given.stage), isAfterShift: positionOf(given.stage) > positionOf('PRODUCTION_TRAFFIC_SHIFT') },
    rollback: { by: undefined, of: undefined, message: within === 'none' ? undefined : (given.rollback?.reason ?? given.reason), within },
    rollsBack: undefined,
    statusMessages: messagesOf(given),
    waits: { ready: pause && minutesOf(pause, given), termination: given.bakeMinutes },
    revision: given.target?.arn,
    previousRevision: given.sources[0]?.arn,
  };
}

/** One look, with what was seen before. */
export function snapshotOf(given: ServiceDeployment, previous?: Snapshot): Snapshot {
  const deployment = deploymentOf(given);
  const { target, sources } = given;
  return {
    deployment,
    target: {
      status: deployment.status,
      events: eventsAfter(previous?.target?.events ?? [], given),
      taskSets: [...sources.map((set) => taskSet(set, 'Blue')), ...(target ? [taskSet(target, 'Green')] : [])],
      mostTraffic: Math.max(previous?.target?.mostTraffic ?? 0, target?.traffic ?? 0),
    },
  };
}

const statuses: Readonly<Record<string, string>> = {
  PENDING: 'Created',
  IN_PROGRESS: 'InProgress',
  STOP_REQUESTED: 'Stopping',
  ROLLBACK_REQUESTED: 'RollingBack',
  ROLLBACK_IN_PROGRESS: 'RollingBack',
  SUCCESSFUL: 'Succeeded',
  STOPPED: 'Stopped',
  ROLLBACK_SUCCESSFUL: 'Failed',
  ROLLBACK_FAILED: 'Failed',
};

const rollbackWithin: Readonly<Record<string, NonNullable<Deployment['rollback']['within']>>> = {
  ROLLBACK_REQUESTED: 'running',
  ROLLBACK_IN_PROGRESS: 'running',
  ROLLBACK_SUCCESSFUL: 'succeeded',
  ROLLBACK_FAILED: 'failed',
};

function statusOf(given: ServiceDeployment): string {
  return pauseOf(given) ? 'Ready' : (statuses[given.status] ?? given.status);
}

/** ECS's own status says more than ours. */
function errorOf({ status, reason, rollback }: ServiceDeployment): Deployment['error'] {
  if (!['STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'].includes(status)) return undefined;
  const reasons = [...new Set([rollback?.reason, reason].filter((text) => text !== undefined && text !== ''))];
  return { code: status, message: reasons.join(' ') || 'ECS gives no reason' };
}

function messagesOf({ alarms, circuitBreaker, hooks, stage }: ServiceDeployment): readonly string[] {
  return [
    ...hooks.filter(hasFailed).map((hook) => hookText(hook, stage)),
    ...alarms.map((alarm) => `the CloudWatch alarm ${alarm} went off`),
    ...(circuitBreaker?.status === 'TRIGGERED'
      ? [
          `the deployment circuit breaker tripped: ${circuitBreaker.failures} tasks failed, and ${circuitBreaker.threshold} are its threshold`,
        ]
      : []),
  ];
}

function hasFailed({ status }: LifecycleHook): boolean {
  return status === 'FAILED' || status === 'TIMED_OUT';
}

function hookText({ kind, target, status }: LifecycleHook, stage = ''): string {
  const what = kind === 'PAUSE' ? 'pause hook' : `lifecycle hook ${target ?? ''}`;
  if (status === 'TIMED_OUT') return `the ${what} at ${stage} timed out`;
  return kind === 'PAUSE' ? `somebody answered the ${what} at ${stage} with a rollback` : `the ${what} at ${stage} failed`;
}

function pauseText({ expiresAt, onTimeout }: LifecycleHook, stage = ''): string {
  const until = expiresAt === undefined ? '' : `, until ${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const then = onTimeout === 'CONTINUE' ? 'goes on by itself' : 'rolls back';
  return `a pause hook holds it at ${stage}${until}; then ECS ${then}`;
}

/** For how long a pause may hold it; undefined where ECS does not say until when. */
function minutesOf({ expiresAt }: LifecycleHook, { updatedAt }: ServiceDeployment): number | undefined {
  return expiresAt === undefined || updatedAt === undefined ? undefined : (expiresAt - updatedAt) / 60_000;
}

function positionOf(stage: string | undefined): number {
  return lifecycleStages.indexOf(stage as Stage);
}

/**
 * The stages that were seen, the one that it is in last. A stage never comes back: a canary or linear shift goes to and fro between
 * PRE_PRODUCTION_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT, and its traffic tells the steps. During a rollback nothing is added, for
 * the stages that ECS names then are those of the way back.
 */
function eventsAfter(seen: readonly LifecycleEvent[], given: ServiceDeployment): readonly LifecycleEvent[] {
  const { stage, status, updatedAt } = given;
  if (status === 'SUCCESSFUL') return seen.map((event) => ended(event, 'Succeeded', updatedAt));
  if (!['PENDING', 'IN_PROGRESS'].includes(status)) return seen.map((event) => ended(event, 'Failed', updatedAt, given));
  if (stage === undefined || seen.some(({ name }) => name === stage)) return seen;
  const position = positionOf(stage);
  // One that is not known here is news all the same.
  if (position >= 0 && seen.some(({ name }) => positionOf(name) > position)) return seen;
  const begun = { name: stage, status: 'InProgress', startedAt: updatedAt, endedAt: undefined, diagnostics: undefined };
  return [...seen.map((event) => ended(event, 'Succeeded', updatedAt)), begun];
}

function ended(
  event: LifecycleEvent,
  status: 'Succeeded' | 'Failed',
  at: number | undefined,
  because?: Pick<ServiceDeployment, 'hooks'>,
): LifecycleEvent {
  if (event.status !== 'InProgress') return event;
  const hook = because?.hooks.find(hasFailed);
  const diagnostics = hook && { code: hook.status, message: hook.target ?? 'pause hook', logTail: '' };
  return { ...event, status, endedAt: at, diagnostics };
}

function taskSet(tasks: RevisionTasks, label: 'Blue' | 'Green'): DeployedTaskSet {
  return {
    id: tasks.arn,
    label,
    status: label === 'Green' ? 'PRIMARY' : 'ACTIVE',
    desired: tasks.requested,
    pending: tasks.pending,
    running: tasks.running,
    traffic: tasks.traffic ?? 0,
    testTraffic: tasks.testTraffic,
  };
}
