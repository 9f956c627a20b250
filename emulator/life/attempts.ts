/** The attempts of a green task that does not get healthy, as ECS shows them: tasks that stopped, and what the service says of them. */
import { taskId } from '../ecs/ids.ts';
import type { ServiceEvent } from '../ecs/service.ts';
import type { StoppedTask } from '../ecs/stopped-task.ts';
import type { Span } from './course.ts';
import type { Durations } from './durations.ts';
import type { TaskSetPlan } from './plan.ts';

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

export interface SickTasks {
  readonly symptom: keyof typeof SYMPTOMS;
  /** Default: AWS's words. */
  readonly reason: string | undefined;
  readonly green: TaskSetPlan;
  readonly durations: Durations;
  /** The ECS service's name. */
  readonly service: string;
}

/** Tasks that were tried in `span`, up to now. */
export const attemptsOf = (sick: SickTasks, span: Span, now: number): { tasks: StoppedTask[]; events: ServiceEvent[] } => {
  const { green, durations, service } = sick;
  const symptom = SYMPTOMS[sick.symptom];
  const said = sick.reason ?? symptom.reason(green);
  const tasks: StoppedTask[] = [];
  const events: ServiceEvent[] = [];
  const every = durations.retry * 1000;
  for (let attempt = 0; ; attempt += 1) {
    const createdAt = span.from + attempt * every;
    const stoppedAt = createdAt + every * 0.75;
    if (stoppedAt > Math.min(now, span.to)) break;
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
