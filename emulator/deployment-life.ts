/**
 * The life of one CodeDeploy ECS blue/green deployment, as a pure function of AWS time: what a deployment is at a moment follows from its
 * plan and from the commands it got, so nothing keeps a timer. Created → Queued → InProgress with eight lifecycle events → (Ready, before
 * the traffic shift) → the wait before blue is terminated → Succeeded; or Failed, or Stopped. Order, statuses and texts follow
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html and …/userguide/troubleshooting-ecs.html;
 * what AWS does not document (how long a step takes) is an option.
 */
import { taskId } from './ecs.ts';
import type { ServiceEvent, StoppedTask, TaskSetStatus } from './ecs.ts';

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

export type DeploymentStatus = 'Created' | 'Queued' | 'InProgress' | 'Ready' | 'Succeeded' | 'Failed' | 'Stopped';
export type EventStatus = 'Pending' | 'InProgress' | 'Succeeded' | 'Failed' | 'Skipped';
export type RollbackEvent = 'DEPLOYMENT_FAILURE' | 'DEPLOYMENT_STOP_ON_ALARM' | 'DEPLOYMENT_STOP_ON_REQUEST';

export type TrafficRouting =
  | { readonly type: 'AllAtOnce' }
  | { readonly type: 'TimeBasedCanary'; readonly percentage: number; readonly minutes: number }
  | { readonly type: 'TimeBasedLinear'; readonly percentage: number; readonly minutes: number };

export interface Diagnostics {
  readonly errorCode: 'Success' | 'ScriptMissing' | 'ScriptNotExecutable' | 'ScriptTimedOut' | 'ScriptFailed' | 'UnknownError';
  readonly scriptName?: string;
  readonly message?: string;
  readonly logTail?: string;
}

export interface ErrorInformation {
  readonly code: string;
  readonly message: string;
}

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

/** In AWS seconds. */
export interface Durations {
  readonly created: number;
  readonly queued: number;
  /** An event without a hook, and the test listener's switch. */
  readonly event: number;
  readonly hook: number;
  readonly hookTimeout: number;
  /** From the making of the green task set until all its tasks are healthy. */
  readonly install: number;
  readonly installTimeout: number;
  /** Between two attempts of a green task that does not get healthy. */
  readonly retry: number;
  /** Until the listener's first new weight. */
  readonly shift: number;
  readonly terminate: number;
  /** How long a draining task set is still shown. */
  readonly drain: number;
  /** From StopDeployment to Stopped. */
  readonly stop: number;
}

/** The measure is a deployment of two small Fargate tasks. */
export const DURATIONS: Durations = {
  created: 2,
  queued: 3,
  event: 0.4,
  hook: 10,
  hookTimeout: 3600,
  install: 90,
  installTimeout: 3600,
  retry: 60,
  shift: 5,
  terminate: 5,
  drain: 30,
  stop: 10,
};

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

export interface LifecycleEvent {
  readonly name: LifecycleEventName;
  readonly status: EventStatus;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly diagnostics?: Diagnostics;
}

export interface TaskSetLife {
  readonly id: string;
  readonly label: 'Blue' | 'Green';
  readonly status: TaskSetStatus;
  readonly desired: number;
  readonly pending: number;
  readonly running: number;
  readonly trafficWeight: number;
  readonly targetGroup: TaskSetPlan['targetGroup'];
  readonly createdAt?: number;
  readonly updatedAt?: number;
  readonly goneAt?: number;
}

export interface Life {
  readonly status: DeploymentStatus;
  readonly startedAt?: number;
  readonly completedAt?: number;
  /** The target's own; absent before it starts. It is Succeeded as soon as the events are, while the deployment still waits for blue's end. */
  readonly targetStatus?: EventStatus | 'Ready';
  readonly lastUpdatedAt: number;
  readonly lifecycleEvents: readonly LifecycleEvent[];
  readonly taskSets: readonly TaskSetLife[];
  readonly instanceTerminationWaitTimeStarted: boolean;
  readonly errorInformation?: ErrorInformation;
  /** The event by which a rollback may follow, once the deployment has ended; `wanted` is what a StopDeployment asked for. */
  readonly rollback?: { readonly event: RollbackEvent; readonly wanted?: boolean };
  readonly serviceEvents: readonly ServiceEvent[];
  readonly stoppedTasks: readonly StoppedTask[];
}

const MINUTE = 60_000;

interface Step {
  readonly name: LifecycleEventName;
  readonly from: number;
  readonly to: number;
  readonly end: 'Succeeded' | 'Failed' | 'Skipped';
  readonly error?: ErrorInformation;
  readonly diagnostics?: Diagnostics;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface End {
  readonly at: number;
  readonly status: 'Succeeded' | 'Failed' | 'Stopped';
  readonly error?: ErrorInformation;
  readonly rollback?: { readonly event: RollbackEvent; readonly wanted?: boolean };
}

/** All of a deployment's life that is known from what has been asked of it so far. */
interface Course {
  readonly startsAt: number;
  readonly steps: readonly Step[];
  readonly weights: readonly { readonly at: number; readonly green: number }[];
  readonly ready?: Span;
  readonly wait?: Span;
  readonly end: End;
}

/** What AWS says of a failed event, by default. */
const failureOf = (name: LifecycleEventName): ErrorInformation => {
  if (isHook(name)) {
    return {
      code: 'HOOK_EXECUTION_FAILURE',
      message: 'The deployment failed because one or more of the lifecycle event validation functions failed.',
    };
  }
  return name === 'Install'
    ? installTimeout(60)
    : {
        code: 'ELASTIC_LOAD_BALANCING_INVALID',
        message: 'The ELB could not be updated due to the following error: Primary taskset target group must be behind listener',
      };
};

const installTimeout = (minutes: number): ErrorInformation => ({
  code: 'TIMEOUT',
  message: `The deployment timed out while waiting for the replacement task set to become healthy. This time out period is ${minutes} minutes.`,
});

/** The listener's new weights: when, and green's percentage. */
const weightsOf = (routing: TrafficRouting, first: number): { at: number; green: number }[] => {
  switch (routing.type) {
    case 'AllAtOnce':
      return [{ at: first, green: 100 }];
    case 'TimeBasedCanary':
      return [
        { at: first, green: routing.percentage },
        { at: first + routing.minutes * MINUTE, green: 100 },
      ];
    case 'TimeBasedLinear':
      return Array.from({ length: Math.ceil(100 / routing.percentage) }, (_, index) => ({
        at: first + index * routing.minutes * MINUTE,
        green: Math.min(100, routing.percentage * (index + 1)),
      }));
  }
};

const stepOf = (plan: DeploymentPlan, name: LifecycleEventName, from: number): Step => {
  const { outcome, durations: lasts } = plan;
  const after = (seconds: number): number => from + seconds * 1000;
  if (plan.kind === 'rollback' && name !== 'AllowTraffic') return { name, from, to: from, end: 'Skipped' };
  const hook = plan.kind === 'deploy' && isHook(name) ? plan.hooks[name] : undefined;
  const failing = outcome !== 'succeed' && 'failAt' in outcome && outcome.failAt === name ? outcome : undefined;
  const ok = (seconds: number): Step => ({ name, from, to: after(seconds), end: 'Succeeded' });
  const failed = (to: number, error: ErrorInformation, diagnostics?: Diagnostics): Step => ({
    name,
    from,
    to,
    end: 'Failed',
    error,
    ...(diagnostics && { diagnostics }),
  });

  if (outcome !== 'succeed' && 'hookTimeoutAt' in outcome && outcome.hookTimeoutAt === name) {
    const message =
      'The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one hour after a deployment hook is invoked.';
    const diagnostics = { errorCode: 'ScriptTimedOut' as const, ...(hook !== undefined && { scriptName: hook }), message };
    return failed(after(lasts.hookTimeout), { code: 'TIMEOUT', message }, diagnostics);
  }
  if (name === 'Install' && plan.kind === 'deploy' && plan.refused) return failed(after(lasts.event), plan.refused);
  if (name === 'Install' && outcome !== 'succeed' && 'tasks' in outcome) {
    return failed(after(lasts.installTimeout), installTimeout(Math.round(lasts.installTimeout / 60)));
  }
  const natural =
    name === 'Install'
      ? after(lasts.install)
      : name === 'AllowTraffic'
        ? (trafficOf(plan, from).at(-1)?.at ?? from) + lasts.event * 1000
        : after(hook !== undefined || (failing && isHook(name)) ? lasts.hook : lasts.event);
  if (failing) {
    const error = {
      ...failureOf(name),
      ...(failing.code !== undefined && { code: failing.code }),
      ...(failing.message !== undefined && { message: failing.message }),
    };
    const said: Diagnostics | undefined =
      failing.diagnostics ??
      (isHook(name) || failing.logTail !== undefined
        ? {
            errorCode: 'ScriptFailed',
            ...(hook !== undefined && { scriptName: hook }),
            message: failing.message ?? 'The lifecycle event validation function reported Failed.',
            ...(failing.logTail !== undefined && { logTail: failing.logTail }),
          }
        : undefined);
    // A shift fails half-way, so that it can be seen what becomes of a split listener.
    return failed(name === 'AllowTraffic' ? (from + natural) / 2 : natural, error, said);
  }
  if (name === 'AllowTestTraffic' && plan.kind === 'deploy' && !plan.testListener) return { name, from, to: from, end: 'Skipped' };
  return name === 'Install' || name === 'AllowTraffic' ? { name, from, to: natural, end: 'Succeeded' } : ok((natural - from) / 1000);
};

const trafficOf = (plan: DeploymentPlan, from: number): { at: number; green: number }[] => {
  const first = from + plan.durations.shift * 1000;
  return plan.kind === 'deploy' ? weightsOf(plan.routing, first) : [{ at: first, green: 0 }];
};

const command = (plan: DeploymentPlan, wait: 'READY_WAIT' | 'TERMINATION_WAIT', span: Span): number | undefined =>
  plan.commands.find((each) => each.command === 'continue' && each.wait === wait && each.at >= span.from && each.at < span.to)?.at;

/** The course without anybody's stopping it. */
const undisturbed = (plan: DeploymentPlan): Course => {
  const { createdAt, durations: lasts } = plan;
  const startsAt = createdAt + (lasts.created + lasts.queued) * 1000;
  const steps: Step[] = [];
  let ready: Span | undefined;
  let weights: Course['weights'] = [];
  let at = startsAt;
  let end: End | undefined;
  for (const name of LIFECYCLE_EVENTS) {
    if (end) {
      steps.push({ name, from: at, to: at, end: 'Skipped' });
      continue;
    }
    if (name === 'BeforeAllowTraffic' && plan.kind === 'deploy' && plan.readyWait !== undefined) {
      const whole = { from: at, to: at + plan.readyWait * MINUTE };
      const continued = command(plan, 'READY_WAIT', whole);
      ready = { from: at, to: continued ?? whole.to };
      at = ready.to;
      if (continued === undefined) {
        const message = `The deployment timed out while waiting for a notification to continue. This time out period is ${plan.readyWait} minutes.`;
        end = { at, status: 'Stopped', error: { code: 'TIMEOUT', message }, rollback: { event: 'DEPLOYMENT_FAILURE' } };
        steps.push({ name, from: at, to: at, end: 'Skipped' });
        continue;
      }
    }
    const step = stepOf(plan, name, at);
    steps.push(step);
    at = step.to;
    if (name === 'AllowTraffic') {
      weights = trafficOf(plan, step.from).filter((each) => each.at <= step.to);
      if (plan.kind === 'rollback' && step.end === 'Failed') weights = [];
    }
    if (step.end === 'Failed') {
      const error = step.error ?? failureOf(name);
      // "If BeforeInstall fails, a rollback can't be triggered": nothing has been installed yet.
      end = { at, status: 'Failed', error, ...(name !== 'BeforeInstall' && { rollback: { event: 'DEPLOYMENT_FAILURE' } }) };
    }
  }
  if (end) return { startsAt, steps, weights, end, ...(ready && { ready }) };
  if (plan.kind === 'rollback' || plan.terminationWait === undefined) {
    return { startsAt, steps, weights, end: { at, status: 'Succeeded' }, ...(ready && { ready }) };
  }
  const whole = { from: at, to: at + plan.terminationWait * MINUTE };
  const wait = { from: at, to: command(plan, 'TERMINATION_WAIT', whole) ?? whole.to };
  return { startsAt, steps, weights, wait, end: { at: wait.to + lasts.terminate * 1000, status: 'Succeeded' }, ...(ready && { ready }) };
};

/** When a moment of the course is; undefined if the course never gets there. */
const momentOf = (course: Course, moment: Moment): number | undefined => {
  const span =
    moment === 'Ready'
      ? course.ready
      : moment === 'TerminationWait'
        ? course.wait
        : course.steps.find(({ name, end }) => name === moment && end !== 'Skipped');
  return span && (span.from + span.to) / 2;
};

const stopOf = (plan: DeploymentPlan, course: Course): { readonly at: number; readonly wanted?: boolean } | undefined => {
  const { outcome, durations, commands } = plan;
  const asked = commands.find((each) => each.command === 'stop');
  const scripted = outcome !== 'succeed' && 'stoppedAt' in outcome ? outcome : undefined;
  const scriptedAt = scripted && momentOf(course, scripted.stoppedAt);
  if (scripted && scriptedAt !== undefined && (!asked || scriptedAt < asked.at)) {
    return { at: scriptedAt + durations.stop * 1000, ...(scripted.rollback !== undefined && { wanted: scripted.rollback }) };
  }
  return asked && { at: asked.at + durations.stop * 1000, ...(asked.rollback !== undefined && { wanted: asked.rollback }) };
};

/** The whole course: the undisturbed one, cut short by an alarm or a stop that comes before blue is being terminated. */
const courseOf = (plan: DeploymentPlan): Course => {
  const course = undisturbed(plan);
  const { outcome } = plan;
  const last = course.wait && course.end.status === 'Succeeded' ? course.wait.to : course.end.at;
  const ends: End[] = [];
  const stop = stopOf(plan, course);
  if (stop) {
    const rollback = { event: 'DEPLOYMENT_STOP_ON_REQUEST' as const, ...(stop.wanted !== undefined && { wanted: stop.wanted }) };
    ends.push({
      at: stop.at,
      status: 'Stopped',
      error: { code: 'MANUAL_STOP', message: 'The deployment was manually stopped.' },
      rollback,
    });
  }
  if (outcome !== 'succeed' && 'alarmAt' in outcome) {
    const message = `One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <${outcome.alarm ?? ''}>`;
    const at = momentOf(course, outcome.alarmAt);
    if (at !== undefined) {
      ends.push({ at, status: 'Stopped', error: { code: 'ALARM_ACTIVE', message }, rollback: { event: 'DEPLOYMENT_STOP_ON_ALARM' } });
    }
  }
  const [cut] = ends.filter(({ at }) => at < last).toSorted((a, b) => a.at - b.at);
  if (!cut) return course;
  const clip = (span: Span | undefined): Span | undefined =>
    span && span.from < cut.at ? { from: span.from, to: Math.min(span.to, cut.at) } : undefined;
  const ready = clip(course.ready);
  const wait = clip(course.wait);
  return {
    startsAt: course.startsAt,
    steps: course.steps.map((step): Step => {
      if (step.to <= cut.at && step.from < cut.at) return step;
      const { name, from } = step;
      return from >= cut.at ? { name, from: cut.at, to: cut.at, end: 'Skipped' } : { name, from, to: cut.at, end: 'Failed' };
    }),
    weights: course.weights.filter(({ at }) => at <= cut.at),
    end: cut,
    ...(ready && { ready }),
    ...(wait && { wait }),
  };
};

const eventAt = (step: Step, now: number): LifecycleEvent => {
  if (step.end === 'Skipped') return { name: step.name, status: now >= step.to ? 'Skipped' : 'Pending' };
  if (now < step.from) return { name: step.name, status: 'Pending' };
  if (now < step.to) return { name: step.name, status: 'InProgress', startedAt: step.from };
  const { name, from, to, end, diagnostics } = step;
  return { name, status: end, startedAt: from, endedAt: to, ...(diagnostics && { diagnostics }) };
};

/** The attempts of a green task that does not get healthy. */
const SYMPTOMS = {
  cannotPull: {
    stopCode: 'TaskFailedToStart',
    runs: false,
    reason: () =>
      'CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref: unexpected status from HEAD request: 403 Forbidden',
    events: (said: string) => [`was unable to place a task. Reason: ${said}.`],
  },
  unhealthy: {
    stopCode: 'ServiceSchedulerInitiated',
    runs: true,
    reason: (green: TaskSetPlan) => `Task failed ELB health checks in (target-group ${green.targetGroup.arn})`,
    events: (_said: string, green: TaskSetPlan, task: string) => [
      `(task ${task}) is unhealthy in (target-group ${green.targetGroup.arn}) due to (reason Health checks failed).`,
      `has stopped 1 running tasks: (task ${task}).`,
    ],
  },
  exit: {
    stopCode: 'EssentialContainerExited',
    runs: true,
    reason: () => 'Essential container in task exited',
    events: (_said: string, green: TaskSetPlan, task: string) => [
      `deregistered 1 targets in (target-group ${green.targetGroup.arn})`,
      `has stopped 1 running tasks: (task ${task}).`,
    ],
  },
} as const;

const attemptsOf = (plan: DeploymentPlan, install: Span, now: number): { tasks: StoppedTask[]; events: ServiceEvent[] } => {
  const { outcome, green, durations, service } = plan;
  if (outcome === 'succeed' || !('tasks' in outcome)) return { tasks: [], events: [] };
  const symptom = SYMPTOMS[outcome.tasks];
  const said = outcome.reason ?? symptom.reason(green);
  const tasks: StoppedTask[] = [];
  const events: ServiceEvent[] = [];
  const every = durations.retry * 1000;
  for (let attempt = 0; ; attempt += 1) {
    const createdAt = install.from + attempt * every;
    const stoppedAt = createdAt + every * 0.75;
    if (stoppedAt > Math.min(now, install.to)) break;
    const id = taskId(green.id, `stopped-${attempt}`);
    tasks.push({
      id,
      taskSetId: green.id,
      taskDefinition: green.taskDefinition,
      createdAt,
      stoppedAt,
      stopCode: symptom.stopCode,
      stoppedReason: said,
      ...(symptom.runs ? { startedAt: createdAt + every * 0.25 } : { containerReason: said }),
    });
    for (const message of symptom.events(said, green, id)) {
      events.push({ at: stoppedAt, message: `(service ${service}, taskSet ${green.id}) ${message}` });
    }
    if (attempt === 2) {
      const help = 'For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.';
      events.push({ at: stoppedAt, message: `(service ${service}) is unable to consistently start tasks successfully. ${help}` });
    }
  }
  return { tasks, events };
};

/** How many tasks of a set that scales up are running: they start one after the other between a third and the end of Install. */
const runningAt = (install: Span, desired: number, now: number): number =>
  Array.from({ length: desired }, (_, index) => install.from + (install.to - install.from) * (0.3 + (0.65 * (index + 1)) / desired)).filter(
    (startsAt) => startsAt <= now,
  ).length;

const taskSetsAt = (plan: DeploymentPlan, course: Course, now: number): TaskSetLife[] => {
  const { blue, green, durations } = plan;
  const ended = now >= course.end.at;
  const stepNamed = (name: LifecycleEventName): Step | undefined =>
    course.steps.find((step) => step.name === name && step.end !== 'Skipped');
  const shift = stepNamed('AllowTraffic');
  const shifted = shift?.end === 'Succeeded' && now >= shift.to;
  const initial = plan.kind === 'rollback' ? plan.green.trafficWeight : 0;
  const weight = course.weights.findLast(({ at }) => at <= now)?.green ?? initial;
  const greenIsPrimary = plan.kind === 'rollback' ? plan.green.primary && !shifted : shifted;
  const won = ended && course.end.status === 'Succeeded';
  const blueEndsAt = plan.kind === 'deploy' && course.wait && course.end.status === 'Succeeded' ? course.wait.to : undefined;
  const blueDrains = blueEndsAt !== undefined && now >= blueEndsAt;
  const label = { blue: 'Blue', green: 'Green' } as const;
  const sets: TaskSetLife[] = [
    {
      id: blue.id,
      label: label.blue,
      status: blueDrains ? 'DRAINING' : greenIsPrimary ? 'ACTIVE' : 'PRIMARY',
      desired: blueDrains ? 0 : blue.desiredCount,
      pending: 0,
      running: blue.desiredCount,
      trafficWeight: 100 - weight,
      targetGroup: blue.targetGroup,
      ...(blueDrains && { updatedAt: blueEndsAt, goneAt: course.end.at + durations.drain * 1000 }),
    },
  ];
  const install = stepNamed('Install');
  const made = plan.kind === 'rollback' || (install && !plan.refused && now >= install.from);
  if (!made) return sets;
  const drained = plan.kind === 'rollback' && won;
  const sick = plan.outcome !== 'succeed' && 'tasks' in plan.outcome;
  const running =
    plan.kind === 'rollback'
      ? plan.green.running
      : sick
        ? 0
        : install
          ? runningAt({ from: install.from, to: install.from + durations.install * 1000 }, green.desiredCount, Math.min(now, course.end.at))
          : 0;
  sets.push({
    id: green.id,
    label: label.green,
    status: drained ? 'DRAINING' : greenIsPrimary ? 'PRIMARY' : 'ACTIVE',
    desired: drained ? 0 : green.desiredCount,
    pending: drained ? 0 : green.desiredCount - running,
    running,
    trafficWeight: weight,
    targetGroup: green.targetGroup,
    ...(install && { createdAt: install.from, updatedAt: Math.min(now, install.to) }),
    ...(drained && { updatedAt: course.end.at, goneAt: course.end.at + durations.drain * 1000 }),
  });
  return sets;
};

/** What the ECS service says of it. */
const serviceEventsOf = (plan: DeploymentPlan, course: Course): ServiceEvent[] => {
  const { blue, green, service } = plan;
  const about = (set: TaskSetPlan): string => `(service ${service}, taskSet ${set.id})`;
  const tasks = (set: TaskSetPlan): string =>
    Array.from({ length: set.desiredCount }, (_, index) => `(task ${taskId(set.id, index)})`).join(' ');
  const events: ServiceEvent[] = [];
  const install = course.steps.find(({ name }) => name === 'Install');
  if (plan.kind === 'deploy' && install && install.end !== 'Skipped' && !plan.refused) {
    events.push({ at: install.from + 1000, message: `${about(green)} has started ${green.desiredCount} tasks: ${tasks(green)}.` });
    if (install.end === 'Succeeded') {
      events.push(
        {
          at: install.to - 1,
          message: `${about(green)} registered ${green.desiredCount} targets in (target-group ${green.targetGroup.arn})`,
        },
        { at: install.to, message: `${about(green)} has reached a steady state.` },
      );
    }
  }
  const drained = plan.kind === 'rollback' ? green : blue;
  const from = plan.kind === 'rollback' ? course.end.at - 2 : course.wait?.to;
  if (from !== undefined && course.end.status === 'Succeeded') {
    events.push(
      { at: from, message: `${about(drained)} has begun draining connections on ${drained.desiredCount} tasks.` },
      {
        at: from + 1,
        message: `${about(drained)} deregistered ${drained.desiredCount} targets in (target-group ${drained.targetGroup.arn})`,
      },
      { at: from + 2, message: `${about(drained)} has stopped ${drained.desiredCount} running tasks: ${tasks(drained)}.` },
    );
  }
  return events;
};

/** What a deployment is at this AWS time (milliseconds). */
export const lifeOf = (plan: DeploymentPlan, now: number): Life => {
  const course = courseOf(plan);
  const { startsAt, steps, ready, wait, end } = course;
  const ended = now >= end.at;
  const waitsFor = ready && now >= ready.from && now < ready.to;
  const status: DeploymentStatus = ended
    ? end.status
    : now < plan.createdAt + plan.durations.created * 1000
      ? 'Created'
      : now < startsAt
        ? 'Queued'
        : waitsFor
          ? 'Ready'
          : 'InProgress';
  const eventsDone =
    steps.every((step) => step.end !== 'Failed') && end.at >= (steps.at(-1)?.to ?? 0) && now >= (steps.at(-1)?.to ?? Infinity);
  const done = eventsDone && (steps.at(-1)?.end === 'Succeeded' || end.status === 'Succeeded');
  const install = steps.find(({ name }) => name === 'Install');
  const attempts = install && install.end !== 'Skipped' ? attemptsOf(plan, install, now) : { tasks: [], events: [] };
  const moments = [plan.createdAt, startsAt, ...steps.flatMap(({ from, to }) => [from, to]), ...course.weights.map(({ at }) => at)];
  return {
    status,
    ...(now >= startsAt && startsAt <= end.at && { startedAt: startsAt }),
    ...(ended && { completedAt: end.at }),
    ...(now >= startsAt &&
      startsAt <= end.at && {
        targetStatus: done ? ('Succeeded' as const) : ended ? ('Failed' as const) : waitsFor ? ('Ready' as const) : ('InProgress' as const),
      }),
    lastUpdatedAt: Math.max(...moments.filter((at) => at <= now), plan.createdAt),
    lifecycleEvents: steps.map((step) => eventAt(step, now)),
    taskSets: taskSetsAt(plan, course, now),
    instanceTerminationWaitTimeStarted: wait !== undefined && now >= wait.from,
    ...(ended && end.error && { errorInformation: end.error }),
    ...(ended && end.rollback && { rollback: end.rollback }),
    serviceEvents: [...serviceEventsOf(plan, course), ...attempts.events].filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at),
    stoppedTasks: attempts.tasks,
  };
};
