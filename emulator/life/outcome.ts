/** How a deployment goes: what a test or the demo asks of it before it starts. */
import type { Diagnostics, HookName, LifecycleEventName } from './events.ts';

/** Where something happens to a deployment: half-way through an event or wait. */
export type Moment = LifecycleEventName | 'Ready' | 'TerminationWait';

/** How a deployment goes. */
export type Outcome =
  | 'succeed'
  /** An event fails; code, message and diagnostics default to what AWS says for it. A hook needs no function in the AppSpec to fail. */
  | {
      readonly failAt: LifecycleEventName;
      readonly code?: string;
      readonly message?: string;
      readonly logTail?: string;
      readonly diagnostics?: Diagnostics;
    }
  /** The hook's function never reports back: failed after an hour. */
  | { readonly hookTimeoutAt: HookName }
  /** A CloudWatch alarm fires. Only where the group, or the deployment, watches alarms; `alarm` defaults to the first of them. */
  | { readonly alarmAt: Moment; readonly alarm?: string }
  /** Somebody else calls StopDeployment; `rollback` is its `autoRollbackEnabled`. */
  | { readonly stoppedAt: Moment; readonly rollback?: boolean }
  /** Green tasks never get healthy, so that Install times out after an hour. `reason` defaults to AWS's words. */
  | { readonly tasks: 'cannotPull' | 'unhealthy' | 'exit'; readonly reason?: string };
