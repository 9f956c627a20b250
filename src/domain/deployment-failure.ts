/**
 * Why a deployment failed, in words for someone who has never seen CodeDeploy: its error, the event that failed and what its hook
 * said, the service's last events, and why tasks stopped, each with the likely cause.
 * Sources: https://docs.aws.amazon.com/codedeploy/latest/userguide/error-codes.html,
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
 */
import { durationOf } from './deployment-progress.ts';
import type { LifecycleEvent, Snapshot } from './deployment.ts';
import type { ServiceEvent, StoppedTask } from './live-service.ts';

export interface Circumstances {
  readonly serviceEvents: readonly ServiceEvent[];
  readonly stoppedTasks: readonly StoppedTask[];
}

export interface Failure {
  /** One sentence: `INVALID_ECS_SERVICE: …` or what status it ended in. */
  readonly reason: string;
  /** Who saw the new tasks: nobody, or so many percent of the users. */
  readonly impact: string | undefined;
  /** The evidence, a line each. */
  readonly details: readonly string[];
  /** What the service said beside, which explains nothing by itself. */
  readonly background: readonly string[];
  /** What to do, where the evidence says it. */
  readonly advice: string | undefined;
}

export function explainFailure({ snapshot, circumstances }: { snapshot: Snapshot; circumstances: Circumstances }): Failure {
  const { deployment, target } = snapshot;
  const failed = target?.events.find(({ status }) => status === 'Failed');
  const tasks = distinctTasks(circumstances.stoppedTasks.filter(({ reason = '' }) => !isRoutine(reason)));
  const said = [...new Set(circumstances.serviceEvents.map(({ message }) => message.replace(/^\(service [^)]*\) /, '')))];
  const details = [
    ...(failed ? eventDetails(failed) : []),
    ...deployment.statusMessages,
    ...tasks.map((task) => `a task of ${task.taskDefinition} stopped: ${taskReason(task)}`),
    ...said.filter((message) => !isRoutine(message)).map((message) => `service event: ${message}`),
  ];
  const { error, status } = deployment;
  const reason = error
    ? `${error.code}: ${error.message}`
    : failed
      ? `the lifecycle event ${failed.name} failed`
      : `it ended as ${status}, and CodeDeploy gives no reason`;
  const evidence = [...(error ? [error.message] : []), ...tasks.map(taskReason), ...said, ...deployment.statusMessages];
  return {
    reason,
    impact: impactOf(snapshot),
    details,
    background: said.filter(isRoutine).map((message) => `service event: ${message}`),
    advice: likelyCause(evidence) ?? adviceByCode[error?.code ?? ''],
  };
}

/** What each lifecycle event is, for someone who reads its name for the first time. */
const meanings: Readonly<Record<string, string>> = {
  BeforeInstall: 'your hook, before the new tasks are made',
  Install: 'the new tasks are started, and must become healthy',
  AfterInstall: 'your hook, when the new tasks run',
  AllowTestTraffic: 'the test listener is pointed at the new tasks',
  AfterAllowTestTraffic: 'your hook, which may test the new tasks through the test listener',
  BeforeAllowTraffic: 'your hook, before the production traffic moves',
  AllowTraffic: 'the production traffic moves to the new tasks',
  AfterAllowTraffic: 'your hook, when the production traffic has moved',
  RECONCILE_SERVICE: 'what an earlier deployment left is sorted out',
  PRE_SCALE_UP: 'before the new tasks are started',
  SCALE_UP: 'the new tasks are started, and must become healthy',
  POST_SCALE_UP: 'the new tasks run, without traffic',
  TEST_TRAFFIC_SHIFT: 'the test traffic moves to the new tasks',
  POST_TEST_TRAFFIC_SHIFT: 'the new tasks have the test traffic',
  PRE_PRODUCTION_TRAFFIC_SHIFT: 'before the production traffic moves',
  PRODUCTION_TRAFFIC_SHIFT: 'the production traffic moves to the new tasks',
  POST_PRODUCTION_TRAFFIC_SHIFT: 'the production traffic has moved',
  BAKE_TIME: 'the old tasks are kept in case an alarm goes off',
  CLEAN_UP: 'the old tasks are ended',
};

function impactOf({ target }: Snapshot): string | undefined {
  const green = target?.taskSets.find(({ label }) => label === 'Green');
  if (!target) return undefined;
  if (target.mostTraffic !== undefined) {
    // It is over, and so is what they had: only what was seen is known.
    if (target.mostTraffic > 0) return `The new tasks had up to ${target.mostTraffic} % of the production traffic.`;
    return target.events.length > 0 ? 'The new tasks were never seen with production traffic.' : undefined;
  }
  if (!green || green.traffic === 0) return 'The new tasks had no production traffic: the users saw nothing of it.';
  return `The new tasks had ${green.traffic} % of the production traffic then.`;
}

/** What ECS says of any deployment, also of one that goes well. */
function isRoutine(message: string): boolean {
  return /^Scaling activity initiated|has reached a steady state|has started \d+ tasks|registered \d+ targets|has begun draining|has stopped \d+ running tasks/.test(
    message,
  );
}

function eventDetails(event: LifecycleEvent): string[] {
  const duration = durationOf(event);
  const meaning = meanings[event.name];
  const { code, message, logTail } = event.diagnostics ?? { code: '', message: '', logTail: '' };
  return [
    `${event.name}${meaning === undefined ? '' : ` (${meaning})`} failed${duration === undefined ? '' : ` after ${duration}`}${[
      code,
      message,
    ]
      .filter((part) => part !== '')
      .map((part) => `: ${part}`)
      .join('')}`,
    ...logTail.split(/\r?\n/).filter((line) => line.trim() !== ''),
  ];
}

function taskReason({ reason, stopCode, containers }: StoppedTask): string {
  const ofContainers = containers.flatMap(({ name, reason: why, exitCode }) => {
    if (why !== undefined) return [`${name}: ${why}`];
    return exitCode === undefined || exitCode === 0 ? [] : [`${name} exited with ${exitCode}`];
  });
  const why = reason ?? stopCode ?? 'ECS gives no reason';
  // ECS often says of the task what it says of the container.
  return [why, ...ofContainers.filter((text) => !text.endsWith(why))].join('; ');
}

/** Ten tasks that stopped for one reason say it once. */
function distinctTasks(tasks: readonly StoppedTask[]): readonly StoppedTask[] {
  const seen = new Set<string>();
  return tasks.filter((task) => {
    const reason = taskReason(task);
    if (seen.has(reason)) return false;
    seen.add(reason);
    return true;
  });
}

const causes: readonly (readonly [evidence: RegExp, advice: string])[] = [
  [
    /notification to continue/i,
    'Nobody let it go on in time: run mode: continue while it waits in Ready, or let the deployment group continue by itself (CONTINUE_DEPLOYMENT).',
  ],
  [
    /status callback/i,
    'A hook’s Lambda function did not report back within an hour: it must call codedeploy:PutLifecycleEventHookExecutionStatus; see its log in CloudWatch Logs.',
  ],
  [
    /CannotPullContainerError.*(?:denied|not authorized|403|no basic auth)/is,
    'The task execution role may not pull: allow ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer in its policy AND in the policy of the shared repository (mode: share).',
  ],
  [
    /CannotPullContainerError.*(?:timeout|timed out|i\/o|dial tcp|connection)/is,
    'The tasks can’t reach the registry: their subnets need a NAT gateway, a public IP, or VPC endpoints for ecr.api, ecr.dkr and S3.',
  ],
  [
    /CannotPullContainerError.*(?:platform|descriptor matching)/is,
    'The image has no build for the platform of the tasks: build it for their runtimePlatform.',
  ],
  [
    /CannotPullContainerError/i,
    'ECS can’t pull the image: see that it exists, that the task execution role may pull it, and that the subnets reach the registry.',
  ],
  [/exec format error/i, 'The image was built for another processor: build it for the runtimePlatform of the task definition.'],
  [
    /ResourceInitializationError/i,
    'A task could not be set up: see that the task execution role may read its secrets and its log group exists, and that the subnets reach them.',
  ],
  [/OutOfMemory/i, 'A container ran out of memory: raise its memory in the task definition.'],
  [
    /health check/i,
    'The new tasks fail their health check: see the path, port and grace period of the target group, the security groups, and the container’s own log.',
  ],
  [/Essential container in task exited|exited with \d/i, 'A container of the new tasks exits: its own log (CloudWatch Logs) says why.'],
  [
    /unable to (?:consistently start tasks|place a task)/i,
    'ECS can’t place the new tasks: see the capacity of the cluster and its quotas.',
  ],
  // What a deployment of ECS's own tells of itself.
  [/^the lifecycle hook/, 'A lifecycle hook’s Lambda function failed or did not answer in time: see its log in CloudWatch Logs.'],
  [/^the pause hook .* timed out/, 'Nobody continued it in time: let mode: continue do so earlier, or give the hook a longer timeout.'],
  [/^the CloudWatch alarm/, 'An alarm of the service went off: see it in CloudWatch.'],
  [/^the deployment circuit breaker/, 'The new tasks do not stay up: their own logs (CloudWatch Logs) and the service’s events say why.'],
];

function likelyCause(evidence: readonly string[]): string | undefined {
  return causes.find(([pattern]) => evidence.some((text) => pattern.test(text)))?.[1];
}

const adviceByCode: Readonly<Record<string, string>> = {
  ALARM_ACTIVE: 'An alarm of the deployment group was active: see CloudWatch.',
  HOOK_EXECUTION_FAILURE: 'A hook’s Lambda function failed or did not answer within an hour: see its log in CloudWatch Logs.',
  INVALID_LAMBDA_FUNCTION: 'A hook’s Lambda function can’t be called: see its name, and that CodeDeploy’s service role may invoke it.',
  IAM_ROLE_MISSING: 'The deployment group’s service role is gone: give the group another one.',
  IAM_ROLE_PERMISSIONS: 'The deployment group’s service role lacks a permission: AWSCodeDeployRoleForECS has those for ECS.',
  ECS_UPDATE_ERROR:
    'ECS refused the new task set: see that CodeDeploy’s service role may pass the task’s roles, and the service’s own limits.',
  ELASTIC_LOAD_BALANCING_INVALID: 'The load balancer does not fit: see the listener and the two target groups of the deployment group.',
  MISSING_ELB_INFORMATION: 'The deployment group names no load balancer: give it a listener and two target groups.',
  INVALID_ECS_SERVICE: 'The service does not fit the deployment group: see that it is ACTIVE and has the CODE_DEPLOY controller.',
  STOPPED:
    'It ended without a rollback: another deployment took its place, or the service is not set to roll back. A concurrency group of the workflow keeps the runs apart.',
  MANUAL_STOP: 'Someone stopped it: the description and CloudTrail say who.',
  TIMEOUT: 'The new tasks did not become healthy in time: see the service’s events and the target group’s health checks.',
};
