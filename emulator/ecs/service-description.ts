/** A service as DescribeServices shows it. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html */
import { present } from '../coral.ts';
import { taskSetId, uuidOf } from './ids.ts';
import { partitionOf } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import type { EcsState } from './state.ts';
import { describedTaskSet } from './task-set.ts';
import { timestamp } from '../json.ts';
import type { Json } from '../service.ts';

/** AWS milliseconds in which a rolling update of the ECS controller is in progress. */
const ROLLOUT = 60_000;

export const describedService = (state: EcsState, it: ServiceRecord, now: number): Json => {
  const usesTaskSets = it.controller === 'CODE_DEPLOY' || it.controller === 'EXTERNAL';
  const taskSets = state.taskSetsOf(it, now);
  const rolling = now < it.updatedAt + ROLLOUT && it.updatedAt > it.createdAt;
  const running = usesTaskSets ? taskSets.reduce((sum, each) => sum + each.running, 0) : it.desiredCount;
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
    pendingCount: usesTaskSets ? taskSets.reduce((sum, each) => sum + each.pending, 0) : 0,
    launchType: it.launchType,
    capacityProviderStrategy: it.capacityProviderStrategy,
    platformVersion: it.platformVersion,
    platformFamily: it.launchType === 'EC2' ? undefined : 'Linux',
    taskDefinition: it.taskDefinition,
    deploymentConfiguration: it.deploymentConfiguration,
    taskSets: usesTaskSets ? taskSets.map((each) => describedTaskSet(it, each)) : undefined,
    // A service of CODE_DEPLOY has none: what waits for "servicesStable" there waits for ever.
    deployments: usesTaskSets
      ? []
      : [
          present({
            id: taskSetId(`${it.arn}/${it.updatedAt}`),
            status: 'PRIMARY',
            taskDefinition: it.taskDefinition,
            desiredCount: it.desiredCount,
            pendingCount: 0,
            runningCount: running,
            failedTasks: 0,
            createdAt: timestamp(it.updatedAt),
            updatedAt: timestamp(it.updatedAt),
            launchType: it.launchType,
            platformVersion: it.platformVersion,
            networkConfiguration: it.networkConfiguration,
            rolloutState: rolling ? 'IN_PROGRESS' : 'COMPLETED',
            rolloutStateReason: `ECS deployment ${taskSetId(`${it.arn}/${it.updatedAt}`)} ${rolling ? 'in progress' : 'completed'}.`,
          }),
        ],
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

const eventId = (service: ServiceRecord, at: number, message: string): string => uuidOf(`${service.arn}/${at}/${message}`);
