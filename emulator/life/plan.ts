/**
 * A deployment's plan: all that its life follows from, with the commands it got so far. A `DeployPlan` makes a green task set;
 * a `RollbackPlan` gives the traffic back to blue.
 */
import type { Durations } from './durations.ts';
import type { HookName } from './events.ts';
import type { ErrorInformation } from './failure.ts';
import type { Outcome } from './outcome.ts';
import type { TrafficRouting } from './traffic.ts';

export type Command =
  | { readonly at: number; readonly command: 'continue'; readonly wait: 'READY_WAIT' | 'TERMINATION_WAIT' }
  | { readonly at: number; readonly command: 'stop'; readonly rollback?: boolean };

export interface TaskSetPlan {
  readonly id: string;
  readonly taskDefinition: string;
  readonly desiredCount: number;
  readonly targetGroup: { readonly name: string; readonly arn: string };
}

interface CommonPlan {
  readonly id: string;
  /** AWS milliseconds. */
  readonly createdAt: number;
  readonly durations: Durations;
  readonly outcome: Outcome;
  readonly commands: readonly Command[];
  /** The ECS service's name, for its events. */
  readonly service: string;
  readonly blue: TaskSetPlan;
}

export interface DeployPlan extends CommonPlan {
  readonly kind: 'deploy';
  readonly green: TaskSetPlan;
  readonly routing: TrafficRouting;
  readonly testListener: boolean;
  readonly hooks: Readonly<Partial<Record<HookName, string>>>;
  /** Minutes to wait for ContinueDeployment; absent with actionOnTimeout CONTINUE_DEPLOYMENT. */
  readonly readyWait?: number;
  /** Minutes until blue is terminated; absent with KEEP_ALIVE. */
  readonly terminationWait?: number;
  /** What ECS answers when CodeDeploy asks for the green task set. */
  readonly refused?: ErrorInformation;
}

/** Traffic back to the original task set, and the replacement that another deployment made drained. */
export interface RollbackPlan extends CommonPlan {
  readonly kind: 'rollback';
  readonly green: TaskSetPlan & { readonly running: number; readonly trafficWeight: number; readonly primary: boolean };
}

export type DeploymentPlan = DeployPlan | RollbackPlan;
