/**
 * A task set: the tasks of one version of a service that CodeDeploy deploys, behind one target group.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
 */
import { present } from '../coral.ts';
import { ecsArn } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import { timestamp } from '../json.ts';
import type { Json } from '../service.ts';

export interface LoadBalancer {
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
  /** For the deployments that ECS itself makes. */
  readonly advancedConfiguration?: {
    readonly alternateTargetGroupArn?: string;
    readonly productionListenerRule?: string;
    readonly testListenerRule?: string;
    readonly roleArn?: string;
  };
}

export type TaskSetStatus = 'PRIMARY' | 'ACTIVE' | 'DRAINING';

export interface TaskSetRecord {
  /** `ecs-svc/<19 digits>`. */
  readonly id: string;
  /** The CodeDeploy deployment that made it; absent for the one the service started with. */
  readonly externalId?: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly platformVersion?: string;
  readonly networkConfiguration?: Json;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly status: TaskSetStatus;
  readonly desired: number;
  readonly pending: number;
  readonly running: number;
  readonly updatedAt: number;
  /** A draining set is no longer shown from here on. */
  readonly goneAt?: number;
}

export const describedTaskSet = (service: ServiceRecord, it: TaskSetRecord): Json => {
  const steady = it.status !== 'DRAINING' && it.pending === 0 && it.running === it.desired;
  return present({
    id: it.id,
    taskSetArn: ecsArn(service, `task-set/${service.cluster.name}/${service.name}/${it.id}`),
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    startedBy: 'CODE_DEPLOY',
    externalId: it.externalId,
    status: it.status,
    taskDefinition: it.taskDefinition,
    computedDesiredCount: it.desired,
    pendingCount: it.pending,
    runningCount: it.running,
    createdAt: timestamp(it.createdAt),
    updatedAt: timestamp(it.updatedAt),
    launchType: it.launchType,
    capacityProviderStrategy: it.capacityProviderStrategy ?? [],
    platformVersion: it.platformVersion,
    platformFamily: 'Linux',
    networkConfiguration: it.networkConfiguration,
    loadBalancers: it.loadBalancers,
    serviceRegistries: [],
    scale: { value: it.status === 'DRAINING' ? 0 : 100, unit: 'PERCENT' },
    stabilityStatus: steady || it.status === 'DRAINING' ? 'STEADY_STATE' : 'STABILIZING',
    stabilityStatusAt: timestamp(it.updatedAt),
    tags: [],
  });
};
