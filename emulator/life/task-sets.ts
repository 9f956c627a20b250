/** The two task sets of a deployment at a moment: who is primary, how many tasks run, and how much of the traffic each gets. */
import type { TaskSetStatus } from '../ecs/task-set.ts';
import type { Course, Span } from './course.ts';
import type { LifecycleEventName } from './events.ts';
import type { DeploymentPlan, TaskSetPlan } from './plan.ts';
import type { Step } from './steps.ts';

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

/** How many tasks of a set that scales up are running: they start one after the other between a third and the end of it. */
export const runningAt = (scaling: Span, desired: number, now: number): number =>
  Array.from({ length: desired }, (_, index) => scaling.from + (scaling.to - scaling.from) * (0.3 + (0.65 * (index + 1)) / desired)).filter(
    (startsAt) => startsAt <= now,
  ).length;

export const taskSetsAt = (plan: DeploymentPlan, course: Course, now: number): TaskSetLife[] => {
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
