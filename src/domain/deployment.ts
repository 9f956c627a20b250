/**
 * A blue/green deployment, in CodeDeploy's words; ECS's own are told in them too (service-deployment.ts).
 *
 *   Created → Queued → InProgress → (Ready) → Succeeded | Failed | Stopped
 *
 * Anything but the last three is active, also the wait before the blue tasks end, and a group has one active deployment at most. A
 * rollback of CodeDeploy's is a deployment of its own, with its own ID; the one that it undoes names it. ECS's own happens within the
 * deployment: it is RollingBack, then Failed.
 * Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
 */
import { consoleHost, type Region } from './account.ts';
import { matching, type Branded } from './parsed.ts';

export type DeploymentId = Branded<'DeploymentId'>;
/** As CodeDeploy makes them: `d-` and nine letters and digits; that there are nine is nowhere promised. */
/** CodeDeploy's IDs are shorter than ECS's, which may begin with `d-` too. */
export const parseDeploymentId = matching<'DeploymentId'>(
  /^(?:d-[A-Za-z0-9]{1,13}|[\w-]{16,64}|arn:aws(?:-[a-z]+)*:ecs:[a-z0-9-]+:\d{12}:service-deployment\/[\w-]+\/[\w-]+\/[\w-]+)$/,
  'a CodeDeploy deployment ID such as d-9XKQ2T7LM, or the ID or the ARN of an ECS service deployment',
);

/** Whether it is a deployment that ECS itself makes. */
export function isServiceDeployment(id: DeploymentId): boolean {
  return id.length >= 16;
}

export const activeStatuses = ['Created', 'Queued', 'InProgress', 'Baking', 'Ready'] as const;
export const terminalStatuses = ['Succeeded', 'Failed', 'Stopped'] as const;

export interface Deployment {
  readonly id: string;
  /** One of the statuses above; kept as text, for AWS may add one. */
  readonly status: string;
  /** CodeDeploy's; empty where ECS itself deploys. */
  readonly application: string;
  readonly group: string;
  readonly config: string | undefined;
  readonly description: string;
  /** `user`, `codeDeployRollback`, `CloudFormation`, … */
  readonly creator: string;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number | undefined;
  readonly completedAt: number | undefined;
  /** Traffic has shifted whole; only the blue tasks' end is waited for. */
  readonly terminationWaitStarted: boolean;
  /** What holds a Ready deployment; undefined: the wait before the traffic shifts. */
  readonly pause?: Pause | undefined;
  readonly rollback: Rollback;
  /** Whether CodeDeploy rolls it back by itself when it fails; undefined where it does not say. */
  readonly rollsBack: boolean | undefined;
  readonly statusMessages: readonly string[];
  /** For how many minutes it waits by its own settings, at most; undefined where AWS does not say. */
  readonly waits: { readonly ready: number | undefined; readonly termination: number | undefined };
  /** What was deployed, by the name that AWS knows it by: with CodeDeploy the SHA-256 of the AppSpec, with ECS the ARN of the service revision. */
  readonly revision: string | undefined;
  /** What ran before. */
  readonly previousRevision: string | undefined;
}

export interface Pause {
  /** `a pause hook holds it at POST_SCALE_UP, until …`. */
  readonly said: string;
  /** Whether the traffic has shifted by then. */
  readonly isAfterShift: boolean;
}

export interface Rollback {
  /** The deployment that undoes this one. */
  readonly by: string | undefined;
  /** The deployment that this one undoes. */
  readonly of: string | undefined;
  readonly message: string | undefined;
  /** How a rollback within this deployment goes, where ECS itself deploys; undefined with CodeDeploy. */
  readonly within?: 'none' | 'running' | 'succeeded' | 'failed' | undefined;
}

export interface LifecycleEvent {
  readonly name: string;
  /** `Pending`, `InProgress`, `Succeeded`, `Failed`, `Skipped`, `Unknown`. */
  readonly status: string;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly diagnostics: { readonly code: string; readonly message: string; readonly logTail: string } | undefined;
}

export interface DeployedTaskSet {
  readonly id: string;
  /** `Blue` or `Green`; undefined where CodeDeploy does not say. */
  readonly label: string | undefined;
  /** `PRIMARY`, `ACTIVE`, `DRAINING`. */
  readonly status: string;
  readonly desired: number;
  readonly pending: number;
  readonly running: number;
  /** Percent of the production traffic. */
  readonly traffic: number;
  /** Percent of the test traffic; undefined where it is not told. */
  readonly testTraffic?: number | undefined;
}

export interface DeploymentTarget {
  readonly status: string;
  readonly events: readonly LifecycleEvent[];
  readonly taskSets: readonly DeployedTaskSet[];
  /**
   * Percent of the production traffic that the new tasks were seen with at most, where a rollback has taken it back by the end;
   * undefined: what they have now is what they had.
   */
  readonly mostTraffic?: number | undefined;
}

/** One look at a deployment. */
export interface Snapshot {
  readonly deployment: Deployment;
  /** Undefined as long as the deployment has not started. */
  readonly target: DeploymentTarget | undefined;
}

/** The new tasks; undefined before they are made. */
export function greenOf({ target }: Snapshot): DeployedTaskSet | undefined {
  return target?.taskSets.find(({ label }) => label === 'Green');
}

export function isTerminal(status: string): boolean {
  return terminalStatuses.some((terminal) => terminal === status);
}

export function isActive(status: string): boolean {
  return !isTerminal(status);
}

/** Whether the traffic is on its way back: nothing more is to be undone. */
export function isRollingBack({ rollback }: Deployment): boolean {
  return rollback.of !== undefined || rollback.within === 'running';
}

/** Traffic has shifted whole: from here on a rollback would undo a healthy deployment (RULES 5.17). */
export function hasShifted(deployment: Deployment): boolean {
  return deployment.terminationWaitStarted || deployment.status === 'Succeeded';
}

export const waits = ['started', 'ready', 'traffic-shifted', 'succeeded'] as const;
export type WaitUntil = (typeof waits)[number];

/** Whether a deployment has come as far as is waited for; Succeeded meets every wish (RULES 6.8). */
export function hasReached({ deployment, until }: { deployment: Deployment; until: WaitUntil }): boolean {
  switch (until) {
    case 'started':
      return true;
    case 'ready':
      return deployment.status === 'Ready' || hasShifted(deployment);
    case 'traffic-shifted':
      return hasShifted(deployment);
    case 'succeeded':
      return deployment.status === 'Succeeded';
  }
}

/** The deployment in the AWS console of the Region's partition. */
export function deploymentUrl({ id, region }: { id: string; region: Region }): string {
  return `https://${region}.${consoleHost(region)}/codesuite/codedeploy/deployments/${id}?region=${region}`;
}
