/**
 * A deployment that ECS itself makes, and the service revision that it deploys.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html, API_ServiceRevision.html
 */
import { ecsArn } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import type { TaskSetRecord } from './task-set.ts';
import { present } from '../coral.ts';
import { timestamp } from '../json.ts';
import { serviceLifeOf } from '../service-deployment-life.ts';
import type { HookLife, RevisionLife, ServiceDeploymentLife, ServiceDeploymentPlan } from '../service-deployment-life.ts';
import type { Json } from '../service.ts';

export interface ServiceDeploymentRecord {
  readonly service: ServiceRecord;
  /** `arn:…:service-deployment/<cluster>/<service>/<21 characters>`. */
  readonly arn: string;
  readonly greenBase: TaskSetRecord;
  /** The task sets that were there before, in the plan's order. */
  readonly blueBases: readonly TaskSetRecord[];
  /** As the service was configured when it began. */
  readonly configuration: Json;
  plan: ServiceDeploymentPlan;
  pullAsked: boolean;
  ended: boolean;
}

/** The number of a task set is its revision's too: `ecs-svc/<19 digits>`. */
export const revisionArn = (service: ServiceRecord, taskSet: string): string =>
  ecsArn(service, `service-revision/${service.cluster.name}/${service.name}/${taskSet.replace('ecs-svc/', '')}`);

const describedRevision = (service: ServiceRecord, id: string, life: RevisionLife): Json =>
  present({
    arn: revisionArn(service, id),
    requestedTaskCount: life.desired,
    runningTaskCount: life.running,
    pendingTaskCount: life.pending,
    requestedProductionTrafficWeight: life.production,
    requestedTestTrafficWeight: life.test,
  });

/** In a list. */
export const briefDeployment = (it: ServiceDeploymentRecord, now: number): Json => {
  const life = serviceLifeOf(it.plan, now);
  return present({
    serviceDeploymentArn: it.arn,
    serviceArn: it.service.arn,
    clusterArn: it.service.cluster.arn,
    startedAt: when(life.startedAt),
    createdAt: timestamp(it.plan.createdAt),
    finishedAt: when(life.endedAt),
    targetServiceRevisionArn: revisionArn(it.service, it.plan.green.id),
    status: life.status,
    statusReason: life.reason,
  });
};

export const describedDeployment = (it: ServiceDeploymentRecord, now: number): Json => {
  const { plan, service } = it;
  const life = serviceLifeOf(plan, now);
  return present({
    serviceDeploymentArn: it.arn,
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    createdAt: timestamp(plan.createdAt),
    startedAt: when(life.startedAt),
    finishedAt: life.status === 'STOPPED' ? undefined : when(life.endedAt),
    stoppedAt: life.status === 'STOPPED' ? when(life.endedAt) : undefined,
    updatedAt: timestamp(life.updatedAt),
    sourceServiceRevisions: plan.blue.map(({ id }, index) => describedRevision(service, id, life.blue[index] ?? nothing)),
    targetServiceRevision: describedRevision(service, plan.green.id, life.green),
    status: life.status,
    statusReason: life.reason,
    lifecycleStage: life.stage,
    lifecycleHookDetails: life.hooks.map(describedHook),
    deploymentConfiguration: it.configuration,
    rollback: life.rollback && {
      reason: life.rollback.reason,
      startedAt: timestamp(life.rollback.at),
      serviceRevisionArn: revisionArn(service, plan.blue[0]?.id ?? ''),
    },
    deploymentCircuitBreaker: {
      status: plan.circuitBreaker.enable ? monitorOf(life, life.tripped) : 'DISABLED',
      failureCount: life.failedTasks,
      threshold: plan.circuitBreaker.threshold,
    },
    alarms: {
      status: plan.alarms.names.length > 0 ? monitorOf(life, life.alarm !== undefined) : 'DISABLED',
      alarmNames: plan.alarms.names,
      triggeredAlarmNames: life.alarm === undefined ? [] : [life.alarm],
    },
  });
};

const nothing: RevisionLife = { active: false, desired: 0, pending: 0, running: 0 };

const when = (at: number | undefined): number | undefined => (at === undefined ? undefined : timestamp(at));

const monitorOf = ({ endedAt }: ServiceDeploymentLife, triggered: boolean): string =>
  triggered ? 'TRIGGERED' : endedAt === undefined ? 'MONITORING' : 'MONITORING_COMPLETE';

const describedHook = ({ id, hook, expiresAt, status }: HookLife): Json =>
  present({
    hookId: id,
    targetType: hook.kind,
    targetArn: hook.target,
    status,
    expiresAt: timestamp(expiresAt),
    timeoutAction: hook.onTimeout,
  });

/** As DescribeServiceRevisions shows a revision. */
export const describedServiceRevision = (service: ServiceRecord, set: TaskSetRecord): Json =>
  present({
    serviceRevisionArn: revisionArn(service, set.id),
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    taskDefinition: set.taskDefinition,
    capacityProviderStrategy: set.capacityProviderStrategy,
    launchType: set.launchType,
    platformVersion: set.platformVersion,
    platformFamily: 'Linux',
    loadBalancers: set.loadBalancers,
    networkConfiguration: set.networkConfiguration,
    guardDutyEnabled: false,
    createdAt: timestamp(set.createdAt),
  });
