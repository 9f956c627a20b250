/** What a deployment makes of its ECS service: shown while it runs, kept when it has ended. */
import type { Deployment } from './deployment.ts';
import type { Life } from '../deployment-life.ts';
import type { TaskSetRecord } from '../ecs/task-set.ts';

/** All of a service's task sets, with those of this deployment as they are now. */
const taskSetsOf = (deployment: Deployment, life: Life): TaskSetRecord[] => {
  const { service, greenBase } = deployment;
  if (!service) return [];
  const bases = greenBase && !service.taskSets.some(({ id }) => id === greenBase.id) ? [...service.taskSets, greenBase] : service.taskSets;
  return bases.flatMap((base) => {
    const now = life.taskSets.find(({ id }) => id === base.id);
    if (!now) return base === greenBase ? [] : [base];
    const { status, desired, pending, running, createdAt, updatedAt, goneAt } = now;
    return [
      {
        ...base,
        status,
        desired,
        pending,
        running,
        ...(base === greenBase && createdAt !== undefined && { createdAt }),
        ...(updatedAt !== undefined && { updatedAt }),
        ...(goneAt !== undefined && { goneAt }),
      },
    ];
  });
};

export const showProgress = (deployment: Deployment, life: Life): void => {
  if (!deployment.service) return;
  deployment.service.live = { taskSets: taskSetsOf(deployment, life), events: life.serviceEvents, stoppedTasks: life.stoppedTasks };
};

export const keepResult = (deployment: Deployment, life: Life): void => {
  const { service } = deployment;
  if (!service) return;
  service.taskSets = taskSetsOf(deployment, life).filter(({ goneAt }) => goneAt === undefined || goneAt > (life.completedAt ?? 0));
  service.events = [...service.events, ...life.serviceEvents];
  service.stoppedTasks = [...service.stoppedTasks, ...life.stoppedTasks];
  service.live = undefined;
};
