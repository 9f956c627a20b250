/**
 * A revision of a task definition: it never changes, but it can be deregistered.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
 */
import { present, text, texts } from '../coral.ts';
import type { Scope } from './scope.ts';
import type { Tag } from './tag.ts';
import { timestamp } from '../json.ts';
import type { Json } from '../service.ts';

export interface TaskDefinitionRecord extends Scope {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** As it was registered, with the defaults that ECS fills in. */
  readonly body: Json;
  readonly registeredAt: number;
  readonly registeredBy: string;
  status: 'ACTIVE' | 'INACTIVE' | 'DELETE_IN_PROGRESS';
  deregisteredAt?: number;
  deleteRequestedAt?: number;
  tags: Tag[];
}

export const describedDefinition = (it: TaskDefinitionRecord): Json => {
  const fargate = texts(it.body, 'requiresCompatibilities')?.includes('FARGATE') ?? false;
  const awsvpc = it.body['networkMode'] === 'awsvpc';
  const attributes = [
    'com.amazonaws.ecs.capability.docker-remote-api.1.18',
    ...(text(it.body, 'executionRoleArn') === undefined
      ? []
      : ['ecs.capability.execution-role-ecr-pull', 'com.amazonaws.ecs.capability.ecr-auth']),
    ...(text(it.body, 'taskRoleArn') === undefined ? [] : ['com.amazonaws.ecs.capability.task-iam-role']),
    ...(awsvpc ? ['ecs.capability.task-eni'] : []),
  ];
  return present({
    ...it.body,
    taskDefinitionArn: it.arn,
    revision: it.revision,
    status: it.status,
    requiresAttributes: attributes.map((name) => ({ name })),
    compatibilities: fargate || awsvpc ? ['EC2', 'FARGATE'] : ['EC2'],
    registeredAt: timestamp(it.registeredAt),
    registeredBy: it.registeredBy,
    deregisteredAt: it.deregisteredAt === undefined ? undefined : timestamp(it.deregisteredAt),
    deleteRequestedAt: it.deleteRequestedAt === undefined ? undefined : timestamp(it.deleteRequestedAt),
  });
};
