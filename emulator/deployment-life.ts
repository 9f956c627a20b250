/**
 * The life of one CodeDeploy ECS blue/green deployment, as a pure function of AWS time: what a deployment is at a moment follows from its
 * plan and from the commands it got, so nothing keeps a timer. Created → Queued → InProgress with eight lifecycle events → (Ready, before
 * the traffic shift) → the wait before blue is terminated → Succeeded; or Failed, or Stopped. Order, statuses and texts follow
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html and …/userguide/troubleshooting-ecs.html;
 * what AWS does not document (how long a step takes) is an option.
 */
import type { ServiceEvent } from './ecs/service.ts';
import type { StoppedTask } from './ecs/stopped-task.ts';
import { attemptsOf } from './life/attempts.ts';
import { courseOf } from './life/course.ts';
import type { EventStatus, LifecycleEvent } from './life/events.ts';
import type { ErrorInformation, RollbackEvent } from './life/failure.ts';
import type { DeploymentPlan } from './life/plan.ts';
import { serviceEventsOf } from './life/service-events.ts';
import { eventAt } from './life/steps.ts';
import { taskSetsAt } from './life/task-sets.ts';
import type { TaskSetLife } from './life/task-sets.ts';

export { DURATIONS } from './life/durations.ts';
export type { Durations } from './life/durations.ts';
export { HOOKS, isHook, LIFECYCLE_EVENTS } from './life/events.ts';
export type { Diagnostics, EventStatus, HookName, LifecycleEvent, LifecycleEventName } from './life/events.ts';
export type { ErrorInformation, RollbackEvent } from './life/failure.ts';
export type { Moment, Outcome } from './life/outcome.ts';
export type { Command, DeploymentPlan, DeployPlan, RollbackPlan, TaskSetPlan } from './life/plan.ts';
export type { TaskSetLife } from './life/task-sets.ts';
export type { TrafficRouting } from './life/traffic.ts';

export type DeploymentStatus = 'Created' | 'Queued' | 'InProgress' | 'Ready' | 'Succeeded' | 'Failed' | 'Stopped';

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
  const { outcome } = plan;
  const attempts =
    install && install.end !== 'Skipped' && outcome !== 'succeed' && 'tasks' in outcome
      ? attemptsOf({ ...plan, symptom: outcome.tasks, reason: outcome.reason }, install, now)
      : { tasks: [], events: [] };
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
