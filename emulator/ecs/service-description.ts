/** A service as DescribeServices shows it. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html */
import { present } from '../coral.ts';
import { taskSetId, uuidOf } from './ids.ts';
import { deploysItself } from './own-configuration.ts';
import { partitionOf } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import { revisionArn } from './service-deployment.ts';
import type { EcsState } from './state.ts';
import { describedTaskSet } from './task-set.ts';
import type { TaskSetRecord } from './task-set.ts';
import { timestamp } from '../json.ts';
import type { Json } from '../service.ts';

/** AWS milliseconds in which a rolling update of the ECS controller is in progress. */
const ROLLOUT = 60_000;

export const describedService = (state: EcsState, it: ServiceRecord, now: number): Json => {
  const usesTaskSets = it.controller === 'CODE_DEPLOY' || it.controller === 'EXTERNAL';
  const own = deploysItself(it);
  const taskSets = state.taskSetsOf(it, now);
  const running = usesTaskSets || own ? taskSets.reduce((sum, each) => sum + each.running, 0) : it.desiredCount;
  const events = [...it.events, ...(it.live?.events ?? [])].toSorted((a, b) => b.at - a.at).slice(0, 100);
  return present({
    serviceArn: it.arn,
    serviceName: it.name,
    clusterArn: it.cluster.arn,
    loadBalancers: it.loadBalancers,
    serviceRegistries: [],
    status: it.status,
    desiredCount: it.desiredCount,
    runningCount: running,
    pendingCount: usesTaskSets || own ? taskSets.reduce((sum, each) => sum + each.pending, 0) : 0,
    launchType: it.launchType,
    capacityProviderStrategy: it.capacityProviderStrategy,
    platformVersion: it.platformVersion,
    platformFamily: it.launchType === 'EC2' ? undefined : 'Linux',
    taskDefinition: it.taskDefinition,
    deploymentConfiguration: it.deploymentConfiguration,
    taskSets: usesTaskSets ? taskSets.map((each) => describedTaskSet(it, each)) : undefined,
    // A service of CODE_DEPLOY has none: what waits for "servicesStable" there waits for ever.
    deployments: usesTaskSets ? [] : own ? taskSets.map((set) => ownDeployment(it, set)) : [rollingDeployment(it, now)],
    currentServiceDeployment: own ? state.own.of(it)[0]?.arn : undefined,
    currentServiceRevisions: own
      ? taskSets.map((set) => ({
          arn: revisionArn(it, set.id),
          requestedTaskCount: set.desired,
          runningTaskCount: set.running,
          pendingTaskCount: set.pending,
        }))
      : undefined,
    roleArn: `arn:${partitionOf(it.region)}:iam::${it.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS`,
    events: events.map(({ at, message }) => ({ id: eventId(it, at, message), createdAt: timestamp(at), message })),
    createdAt: timestamp(it.createdAt),
    placementConstraints: [],
    placementStrategy: [],
    networkConfiguration: it.networkConfiguration,
    healthCheckGracePeriodSeconds: it.healthCheckGracePeriodSeconds,
    schedulingStrategy: 'REPLICA',
    deploymentController: it.controller === undefined ? undefined : { type: it.controller },
    createdBy: `arn:${partitionOf(it.region)}:iam::${it.account}:role/infrastructure`,
    enableECSManagedTags: true,
    propagateTags: 'NONE',
    enableExecuteCommand: false,
  });
};

const rollingDeployment = (it: ServiceRecord, now: number): Json => {
  const id = taskSetId(`${it.arn}/${it.updatedAt}`);
  const rolling = now < it.updatedAt + ROLLOUT && it.updatedAt > it.createdAt;
  return present({
    id,
    status: 'PRIMARY',
    taskDefinition: it.taskDefinition,
    desiredCount: it.desiredCount,
    pendingCount: 0,
    runningCount: it.desiredCount,
    failedTasks: 0,
    createdAt: timestamp(it.updatedAt),
    updatedAt: timestamp(it.updatedAt),
    launchType: it.launchType,
    platformVersion: it.platformVersion,
    networkConfiguration: it.networkConfiguration,
    rolloutState: rolling ? 'IN_PROGRESS' : 'COMPLETED',
    rolloutStateReason: `ECS deployment ${id} ${rolling ? 'in progress' : 'completed'}.`,
  });
};

/** One of ECS's own, whose number is its service revision's. */
const ownDeployment = (it: ServiceRecord, set: TaskSetRecord): Json =>
  present({
    id: set.id,
    status: set.status,
    taskDefinition: set.taskDefinition,
    desiredCount: set.desired,
    pendingCount: set.pending,
    runningCount: set.running,
    failedTasks: 0,
    createdAt: timestamp(set.createdAt),
    updatedAt: timestamp(set.updatedAt),
    launchType: set.launchType,
    platformVersion: set.platformVersion,
    networkConfiguration: set.networkConfiguration,
    rolloutState: it.live ? 'IN_PROGRESS' : 'COMPLETED',
  });

const eventId = (service: ServiceRecord, at: number, message: string): string => uuidOf(`${service.arn}/${at}/${message}`);
