/**
 * The life of one deployment that ECS itself makes – blue/green, linear or canary – as a pure function of AWS time, as CodeDeploy's is
 * (deployment-life.ts): PENDING → IN_PROGRESS through its lifecycle stages → SUCCESSFUL; or back within the same deployment, to
 * ROLLBACK_SUCCESSFUL or ROLLBACK_FAILED; or STOPPED.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
 */
import type { ServiceEvent } from './ecs/service.ts';
import type { StoppedTask } from './ecs/stopped-task.ts';
import { attemptsOf } from './life/attempts.ts';
import { serviceCourseOf } from './life/service-course.ts';
import type { HookSpan, ServiceCourse } from './life/service-course.ts';
import type { ServiceDeploymentPlan } from './life/service-plan.ts';
import type { Stage } from './life/stages.ts';
import { runningAt } from './life/task-sets.ts';

export type { ServiceCommand, ServiceDeploymentPlan, ServiceOutcome } from './life/service-plan.ts';
export type { Hook, Stage } from './life/stages.ts';

export type ServiceDeploymentStatus =
  | 'PENDING'
  | 'IN_PROGRESS'
  | 'SUCCESSFUL'
  | 'STOP_REQUESTED'
  | 'STOPPED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED';

export interface RevisionLife {
  /** Whether it has tasks, or would have them if the service wanted any. */
  readonly active: boolean;
  readonly desired: number;
  readonly pending: number;
  readonly running: number;
  /** Percent; absent where ECS shifts no traffic. */
  readonly production?: number;
  readonly test?: number;
}

export interface HookLife extends Pick<HookSpan, 'id' | 'hook' | 'expiresAt'> {
  readonly status: 'AWAITING_ACTION' | 'IN_PROGRESS' | HookSpan['end'];
}

export interface ServiceDeploymentLife {
  readonly status: ServiceDeploymentStatus;
  readonly reason?: string;
  readonly stage?: Stage;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly updatedAt: number;
  readonly green: RevisionLife;
  /** In the order of the plan. */
  readonly blue: readonly RevisionLife[];
  readonly hooks: readonly HookLife[];
  readonly rollback?: { readonly at: number; readonly reason?: string };
  readonly alarm?: string;
  readonly tripped: boolean;
  readonly failedTasks: number;
  readonly serviceEvents: readonly ServiceEvent[];
  readonly stoppedTasks: readonly StoppedTask[];
}

/** What a service deployment is at this AWS time (milliseconds). */
export const serviceLifeOf = (plan: ServiceDeploymentPlan, now: number): ServiceDeploymentLife => {
  const course = serviceCourseOf(plan);
  const { startsAt, stages, end } = course;
  const ended = now >= end.at;
  const goesBack = end.rollbackAt !== undefined && now >= end.rollbackAt;
  const status = statusAt(course, now);
  const production = productionAt(plan, course, now);
  const reached = stages.findLast(({ from }) => from <= now);
  // ECS names the stages of the way back by those of the way there (lambda-lifecycle-hooks.html, "during rollback").
  const stage = goesBack && production !== undefined && course.weights.length > 0 ? 'PRODUCTION_TRAFFIC_SHIFT' : reached?.stage;
  const scaleUp = stages.find((span) => span.stage === 'SCALE_UP');
  const { outcome } = plan;
  const attempts =
    scaleUp && outcome !== 'succeed' && 'tasks' in outcome
      ? attemptsOf({ ...plan, symptom: outcome.tasks, reason: outcome.reason }, scaleUp, now)
      : { tasks: [], events: [] };
  const tells = end.requestedAt ?? end.rollbackAt ?? end.at;
  const events = [...serviceEventsOf(plan, course), ...attempts.events].filter(({ at }) => at <= now);
  return {
    status,
    ...(end.reason !== undefined && now >= tells && { reason: end.reason }),
    ...(stage !== undefined && { stage }),
    ...(now >= startsAt && startsAt <= end.at && { startedAt: startsAt }),
    ...(ended && { endedAt: end.at }),
    updatedAt: Math.max(...momentsOf(course).filter((at) => at <= now), plan.createdAt),
    green: greenAt(plan, course, now),
    blue: plan.blue.map((set, index): RevisionLife => {
      const gone = ended && end.status === 'SUCCESSFUL';
      return {
        active: !gone,
        desired: gone ? 0 : set.desiredCount,
        pending: 0,
        running: gone ? 0 : set.desiredCount,
        ...(production !== undefined && { production: index === 0 ? 100 - production : 0 }),
        ...(plan.testTraffic && { test: 0 }),
      };
    }),
    hooks:
      reached && !goesBack ? reached.hooks.map((hook) => hookAt(hook, now)) : (reached?.hooks ?? []).map((hook) => hookAt(hook, hook.to)),
    ...(goesBack && { rollback: { at: end.rollbackAt, ...(end.reason !== undefined && { reason: end.reason }) } }),
    ...(end.alarm !== undefined && now >= tells && { alarm: end.alarm }),
    tripped: end.tripped === true && now >= tells,
    failedTasks: attempts.tasks.length,
    serviceEvents: events.toSorted((a, b) => a.at - b.at),
    stoppedTasks: attempts.tasks,
  };
};

const statusAt = ({ startsAt, end }: ServiceCourse, now: number): ServiceDeploymentStatus => {
  if (now >= end.at) return end.status;
  if (end.rollbackAt !== undefined && now >= end.rollbackAt) return 'ROLLBACK_IN_PROGRESS';
  if (end.requestedAt !== undefined && now >= end.requestedAt) return end.status === 'STOPPED' ? 'STOP_REQUESTED' : 'ROLLBACK_REQUESTED';
  return now < startsAt ? 'PENDING' : 'IN_PROGRESS';
};

/** Green's percentage of the production traffic; undefined where ECS shifts none. */
const productionAt = (plan: ServiceDeploymentPlan, { weights, end }: ServiceCourse, now: number): number | undefined => {
  if (!plan.shifts) return undefined;
  const backAt = end.rollbackAt === undefined || end.status === 'ROLLBACK_FAILED' ? Infinity : end.rollbackAt + plan.durations.shift * 1000;
  return now >= backAt ? 0 : (weights.findLast(({ at }) => at <= now)?.green ?? 0);
};

const greenAt = (plan: ServiceDeploymentPlan, course: ServiceCourse, now: number): RevisionLife => {
  const { green, durations, outcome } = plan;
  const { stages, end } = course;
  const production = productionAt(plan, course, now);
  const scaleUp = stages.find(({ stage }) => stage === 'SCALE_UP');
  const test = stages.find(({ stage }) => stage === 'TEST_TRAFFIC_SHIFT');
  const gone = now >= end.at && end.status === 'ROLLBACK_SUCCESSFUL';
  const made = scaleUp !== undefined && now >= scaleUp.from && !gone;
  const sick = outcome !== 'succeed' && 'tasks' in outcome;
  const until = Math.min(now, end.rollbackAt ?? end.at);
  const running =
    made && !sick ? runningAt({ from: scaleUp.from, to: scaleUp.from + durations.install * 1000 }, green.desiredCount, until) : 0;
  return {
    active: made,
    desired: made ? green.desiredCount : 0,
    pending: made ? green.desiredCount - running : 0,
    running,
    ...(production !== undefined && { production }),
    ...(plan.testTraffic && { test: test && now >= test.from && !gone ? 100 : 0 }),
  };
};

const hookAt = ({ id, hook, expiresAt, to, end }: HookSpan, now: number): HookLife => {
  const open = hook.kind === 'PAUSE' ? 'AWAITING_ACTION' : 'IN_PROGRESS';
  return { id, hook, expiresAt, status: now >= to ? end : open };
};

const momentsOf = ({ startsAt, stages, weights, end }: ServiceCourse): readonly number[] => [
  startsAt,
  ...stages.flatMap(({ from, to, hooks }) => [from, to, ...hooks.map((hook) => hook.to)]),
  ...weights.map(({ at }) => at),
  ...[end.requestedAt, end.rollbackAt, end.at].filter((at) => at !== undefined),
];

/** What the service says of it. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html */
const serviceEventsOf = (plan: ServiceDeploymentPlan, { stages, end }: ServiceCourse): readonly ServiceEvent[] => {
  const { green, service } = plan;
  const scaleUp = stages.find(({ stage }) => stage === 'SCALE_UP');
  const steady = stages.some(({ stage }) => stage === 'POST_SCALE_UP');
  const about = `(service ${service}) (deployment ${green.id})`;
  const failedAt = end.rollbackAt ?? end.requestedAt;
  return [
    ...(scaleUp
      ? [{ at: scaleUp.from + 1000, message: `(service ${service}, taskSet ${green.id}) has started ${green.desiredCount} tasks.` }]
      : []),
    ...(scaleUp && steady ? [{ at: scaleUp.to, message: `(service ${service}, taskSet ${green.id}) has reached a steady state.` }] : []),
    ...(end.status === 'SUCCESSFUL'
      ? [{ at: end.at, message: `${about} deployment completed.` }]
      : [{ at: failedAt ?? end.at, message: `${about} deployment failed: ${end.reason ?? 'no reason'}` }]),
  ];
};
