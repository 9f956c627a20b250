/**
 * The lifecycle events of an ECS deployment, in their order, and what each says of itself.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
 */

export const LIFECYCLE_EVENTS = [
  'BeforeInstall',
  'Install',
  'AfterInstall',
  'AllowTestTraffic',
  'AfterAllowTestTraffic',
  'BeforeAllowTraffic',
  'AllowTraffic',
  'AfterAllowTraffic',
] as const;
export type LifecycleEventName = (typeof LIFECYCLE_EVENTS)[number];

/** The events that an AppSpec can hang a Lambda function on. */
export const HOOKS = ['BeforeInstall', 'AfterInstall', 'AfterAllowTestTraffic', 'BeforeAllowTraffic', 'AfterAllowTraffic'] as const;
export type HookName = (typeof HOOKS)[number];

export const isHook = (name: string): name is HookName => (HOOKS as readonly string[]).includes(name);

export type EventStatus = 'Pending' | 'InProgress' | 'Succeeded' | 'Failed' | 'Skipped';

export interface Diagnostics {
  readonly errorCode: 'Success' | 'ScriptMissing' | 'ScriptNotExecutable' | 'ScriptTimedOut' | 'ScriptFailed' | 'UnknownError';
  readonly scriptName?: string;
  readonly message?: string;
  readonly logTail?: string;
}

export interface LifecycleEvent {
  readonly name: LifecycleEventName;
  readonly status: EventStatus;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly diagnostics?: Diagnostics;
}
