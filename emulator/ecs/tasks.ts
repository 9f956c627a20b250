/** The operations on tasks: what runs in a cluster, and what stopped there. */
import { present, text, texts } from '../coral.ts';
import { invalid } from './checks.ts';
import { ecsFinders } from './finders.ts';
import { pagedArns } from './pages.ts';
import { ecsArn, scopeOf } from './scope.ts';
import type { EcsState } from './state.ts';
import { describedTask, tasksOf } from './task.ts';
import type { Json, Service } from '../service.ts';

export const taskOperations = (state: EcsState): Service['operations'] => {
  const { clusterOf, serviceOf } = ecsFinders(state);
  return {
    ListTasks(input, call) {
      const cluster = clusterOf(input, call);
      const given = text(input, 'serviceName');
      const named = given === undefined ? undefined : serviceOf({ cluster: cluster.name, service: given }, call);
      const stopped = text(input, 'desiredStatus') === 'STOPPED';
      const startedBy = text(input, 'startedBy');
      const family = text(input, 'family');
      const arns = (named ? [named] : state.services(scopeOf(call)).filter((each) => each.cluster === cluster))
        .flatMap((each) => tasksOf(state, each, call.clock.now()))
        .filter((task) => (task.stopped !== undefined) === stopped)
        .filter((task) => startedBy === undefined || task.startedBy === startedBy)
        .filter((task) => family === undefined || task.taskDefinition.includes(`:task-definition/${family}:`))
        .map(({ arn }) => arn);
      const { items, next } = pagedArns(arns, input);
      return present({ taskArns: items, nextToken: next });
    },

    DescribeTasks(input, call) {
      const cluster = clusterOf(input, call);
      const names = texts(input, 'tasks') ?? [];
      if (names.length === 0) throw invalid('Tasks cannot be empty.');
      if (names.length > 100) throw invalid('Tasks cannot have more than 100 elements.');
      const known = state
        .services(scopeOf(call))
        .filter((each) => each.cluster === cluster)
        .flatMap((each) => tasksOf(state, each, call.clock.now()));
      const tasks: Json[] = [];
      const failures: Json[] = [];
      for (const given of names) {
        const arn = given.startsWith('arn:') ? given : ecsArn(scopeOf(call), `task/${cluster.name}/${given}`);
        const found = known.find((each) => each.arn === arn);
        if (found) tasks.push(describedTask(state, found));
        else failures.push({ arn, reason: 'MISSING' });
      }
      return { tasks, failures };
    },
  };
};
