/** The operations on task definitions. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html */
import { present, text, texts } from '../coral.ts';
import { client } from './checks.ts';
import { ecsFinders } from './finders.ts';
import { pagedArns } from './pages.ts';
import { scopeOf } from './scope.ts';
import type { EcsState } from './state.ts';
import { describedDefinition } from './task-definition.ts';
import type { Service } from '../service.ts';

export const taskDefinitionOperations = (state: EcsState): Service['operations'] => {
  const { definitionOf } = ecsFinders(state);
  return {
    DescribeTaskDefinition(input, call) {
      const found = definitionOf(text(input, 'taskDefinition'), call, 'Unable to describe task definition.');
      const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
      return { taskDefinition: describedDefinition(found), ...(withTags && { tags: found.tags }) };
    },

    RegisterTaskDefinition(input, call) {
      const made = state.taskDefinition(scopeOf(call), input, { arn: call.caller.arn, at: call.clock.now() });
      return { taskDefinition: describedDefinition(made), ...(made.tags.length > 0 && { tags: made.tags }) };
    },

    DeregisterTaskDefinition(input, call) {
      const name = text(input, 'taskDefinition') ?? '';
      if (!/:\d+$/.test(name)) throw client('The specified task definition must have a revision.');
      const found = definitionOf(name, call, 'The specified task definition does not exist.');
      if (found.status === 'INACTIVE')
        throw client('The specified task definition is inactive. You can only deregister active task definitions.');
      found.status = 'INACTIVE';
      found.deregisteredAt = call.clock.now();
      return { taskDefinition: describedDefinition(found) };
    },

    ListTaskDefinitions(input, call) {
      const family = text(input, 'familyPrefix');
      const status = text(input, 'status') ?? 'ACTIVE';
      const arns = state
        .taskDefinitions(scopeOf(call))
        .filter((each) => each.status === status && (family === undefined || each.family === family))
        .toSorted((a, b) => a.family.localeCompare(b.family) || a.revision - b.revision)
        .map(({ arn }) => arn);
      const { items, next } = pagedArns(text(input, 'sort') === 'DESC' ? arns.reverse() : arns, input);
      return present({ taskDefinitionArns: items, nextToken: next });
    },
  };
};
