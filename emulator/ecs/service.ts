/**
 * An ECS service, and how a test or the demo makes one. What a service with the CODE_DEPLOY controller does is not decided here:
 * CodeDeploy writes it into `ServiceRecord.live`. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
 */
import type { ClusterRecord } from './cluster.ts';
import { taskSetId } from './ids.ts';
import { deploysItself } from './own-configuration.ts';
import { ecsArn, within } from './scope.ts';
import type { Scope } from './scope.ts';
import type { StoppedTask } from './stopped-task.ts';
import type { Tag } from './tag.ts';
import type { LoadBalancer, TaskSetRecord } from './task-set.ts';
import type { Json } from '../service.ts';

export interface ServiceEvent {
  readonly at: number;
  readonly message: string;
}

/** What a deployment that runs makes of a service, as of the last look. Task sets are ECS's own service revisions too. */
export interface ServiceChange {
  /** All task sets of the service. */
  readonly taskSets: readonly TaskSetRecord[];
  /** In addition to the settled ones. */
  readonly events: readonly ServiceEvent[];
  readonly stoppedTasks: readonly StoppedTask[];
}

export type Controller = 'ECS' | 'CODE_DEPLOY' | 'EXTERNAL';

export interface ServiceRecord extends Scope {
  readonly name: string;
  readonly arn: string;
  readonly cluster: ClusterRecord;
  readonly createdAt: number;
  /** Absent: the description has no `deploymentController`, which means ECS. */
  readonly controller: Controller | undefined;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  /** The ARN the service was made (or, with the ECS controller, last updated) with. CodeDeploy never changes it. */
  taskDefinition: string;
  updatedAt: number;
  desiredCount: number;
  launchType: string | undefined;
  capacityProviderStrategy: readonly Json[] | undefined;
  platformVersion: string | undefined;
  networkConfiguration: Json | undefined;
  loadBalancers: readonly LoadBalancer[];
  healthCheckGracePeriodSeconds: number;
  deploymentConfiguration: Json;
  tags: Tag[];
  taskSets: readonly TaskSetRecord[];
  events: readonly ServiceEvent[];
  stoppedTasks: readonly StoppedTask[];
  live: ServiceChange | undefined;
}

export interface ServiceSeed extends Scope {
  readonly cluster: string;
  readonly name: string;
  /** `null`: say nothing of a controller, as descriptions of old ECS services do. */
  readonly controller?: Controller | null;
  /** `family`, `family:revision`, an ARN, or what RegisterTaskDefinition takes. */
  readonly taskDefinition: string | Json;
  readonly loadBalancers?: readonly LoadBalancer[];
  readonly networkConfiguration?: Json;
  readonly platformVersion?: string;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly desiredCount?: number;
  readonly healthCheckGracePeriodSeconds?: number;
  /** Beside the usual `maximumPercent` and `minimumHealthyPercent`. */
  readonly deploymentConfiguration?: Json;
  readonly status?: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly tags?: readonly Tag[];
  /** AWS milliseconds; default: a day before this machine's now. */
  readonly createdAt?: number;
}

/** A service at rest: it has been steady since it was made. */
export const serviceFrom = (
  seed: ServiceSeed,
  given: { readonly cluster: ClusterRecord; readonly taskDefinition: string; readonly createdAt: number },
): ServiceRecord => {
  const { account, region, name } = seed;
  const { cluster, taskDefinition, createdAt } = given;
  const controller = seed.controller === null ? undefined : (seed.controller ?? 'ECS');
  const launchType = seed.launchType ?? (seed.capacityProviderStrategy ? undefined : 'FARGATE');
  const platformVersion = seed.platformVersion ?? (launchType === 'EC2' ? undefined : 'LATEST');
  const { networkConfiguration, capacityProviderStrategy, loadBalancers = [], desiredCount = 1 } = seed;
  const made: ServiceRecord = {
    account,
    region,
    name,
    arn: ecsArn(seed, `service/${seed.cluster}/${name}`),
    cluster,
    createdAt,
    updatedAt: createdAt,
    controller,
    status: seed.status ?? 'ACTIVE',
    taskDefinition,
    desiredCount,
    launchType,
    capacityProviderStrategy,
    platformVersion,
    networkConfiguration,
    loadBalancers,
    healthCheckGracePeriodSeconds: seed.healthCheckGracePeriodSeconds ?? 0,
    deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100, ...seed.deploymentConfiguration },
    tags: [...(seed.tags ?? [])],
    taskSets: [],
    events: [{ at: createdAt, message: `(service ${name}) has reached a steady state.` }],
    stoppedTasks: [],
    live: undefined,
  };
  if (controller === 'CODE_DEPLOY' || controller === 'EXTERNAL' || deploysItself(made)) made.taskSets = [restingTaskSet(made)];
  return made;
};

/** The tasks of a service at rest, with what it is configured for: a task set, or ECS's own service revision. */
export const restingTaskSet = (service: ServiceRecord): TaskSetRecord => {
  const { launchType, platformVersion, networkConfiguration, capacityProviderStrategy, desiredCount, createdAt } = service;
  return {
    id: taskSetId(`${within(service)}/${service.cluster.name}/${service.name}`),
    taskDefinition: service.taskDefinition,
    createdAt,
    updatedAt: createdAt,
    ...(launchType !== undefined && { launchType }),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration && { networkConfiguration }),
    ...(capacityProviderStrategy && { capacityProviderStrategy }),
    loadBalancers: service.loadBalancers,
    status: 'PRIMARY',
    desired: desiredCount,
    pending: 0,
    running: desiredCount,
  };
};
