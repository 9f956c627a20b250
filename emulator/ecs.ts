/**
 * Amazon ECS: clusters, task definitions with their revisions, services, task sets, tasks and service events, kept apart by account and
 * Region. What each group of operations does is in ecs/; here is the service.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
 */
import { clusterOperations } from './ecs/clusters.ts';
import { serviceDeploymentOperations } from './ecs/service-deployments.ts';
import { serviceOperations } from './ecs/services.ts';
import type { EcsState } from './ecs/state.ts';
import { tagOperations } from './ecs/tags.ts';
import { taskDefinitionOperations } from './ecs/task-definitions.ts';
import { taskOperations } from './ecs/tasks.ts';
import type { Call, Json, Service } from './service.ts';

export type { ClusterRecord } from './ecs/cluster.ts';
export { taskId, taskSetId } from './ecs/ids.ts';
export { ecsArn, partitionOf } from './ecs/scope.ts';
export type { Scope } from './ecs/scope.ts';
export type { Controller, ServiceChange, ServiceEvent, ServiceRecord, ServiceSeed } from './ecs/service.ts';
export type { ServiceDeploymentOptions, ServiceDeploymentScript } from './ecs/service-deployment-state.ts';
export { EcsState } from './ecs/state.ts';
export type { StoppedTask } from './ecs/stopped-task.ts';
export type { Tag } from './ecs/tag.ts';
export type { TaskDefinitionRecord } from './ecs/task-definition.ts';
export type { LoadBalancer, TaskSetRecord, TaskSetStatus } from './ecs/task-set.ts';

/** ECS over AWS JSON 1.1. Every operation first lets those who change services work out what is due by now. */
export const ecsService = (state: EcsState): Service => {
  const operations: Service['operations'] = {
    ...clusterOperations(state),
    ...taskDefinitionOperations(state),
    ...serviceOperations(state),
    ...serviceDeploymentOperations(state),
    ...taskOperations(state),
    ...tagOperations(state),
  };
  return {
    target: 'AmazonEC2ContainerServiceV20141113',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (input: Json, call: Call): unknown => {
          state.settle(call.clock.now());
          return operation(input, call);
        },
      ]),
    ),
  };
};
