/**
 * A deployment as it begins: blue is the task set that has the traffic, green stands behind the other target group.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
 */
import { withAlarm } from './alarms.ts';
import type { AppSpec } from './appspec.ts';
import type { DeploymentConfig } from './config.ts';
import type { Deployment } from './deployment.ts';
import type { Group } from './group.ts';
import { deployedDefinition, refusalOf } from './refusal.ts';
import type { Revision } from './revision.ts';
import type { DeploymentScripts } from './scripts.ts';
import { targetGroupName } from './target-groups.ts';
import type { TargetGroups } from './target-groups.ts';
import { number, record, records } from '../coral.ts';
import { taskSetId } from '../ecs/ids.ts';
import type { EcsState } from '../ecs/state.ts';
import type { TaskSetRecord } from '../ecs/task-set.ts';
import { DURATIONS } from '../life/durations.ts';
import type { Durations } from '../life/durations.ts';
import type { DeployPlan, TaskSetPlan } from '../life/plan.ts';
import type { Json } from '../service.ts';

/** Checked already, in all that CreateDeployment checks at once. */
export interface DeploymentRequest {
  readonly group: Group;
  readonly revision: Revision;
  readonly spec: AppSpec;
  readonly config: DeploymentConfig;
  readonly description: string | undefined;
  readonly autoRollback: Json | undefined;
  readonly overrideAlarms: Json | undefined;
  readonly now: number;
}

export const newDeployment = (
  request: DeploymentRequest,
  given: {
    readonly id: string;
    readonly ecs: EcsState;
    readonly targetGroups: TargetGroups;
    readonly scripts: DeploymentScripts;
    readonly durations: Partial<Durations> | undefined;
    readonly previousRevision: Revision | undefined;
  },
): Deployment => {
  const { group, revision, spec, config, now } = request;
  const { id, ecs, targetGroups } = given;
  const service = ecs.findService(group, group.cluster, group.service);
  const primary = service?.taskSets.find(({ status }) => status === 'PRIMARY');
  const behind = primary?.loadBalancers[0]?.targetGroupArn;
  if (behind !== undefined && behind !== '') targetGroups.learn(group, behind);
  const blue = taskSetPlan(primary);
  const pair = targetGroups.pairOf(group);
  const greenTarget = pair.find(({ name }) => name !== blue.targetGroup.name) ?? blue.targetGroup;
  const green: TaskSetPlan = {
    id: taskSetId(id),
    taskDefinition: deployedDefinition(ecs, { scope: group, name: spec.taskDefinition }).arn ?? spec.taskDefinition,
    desiredCount: service?.desiredCount ?? 0,
    targetGroup: greenTarget,
  };
  const refused = refusalOf({ ecs, group, spec, service, primary, pair });
  const script = given.scripts.take(group);
  const minutes = number(group.terminateOption, 'terminationWaitTimeInMinutes') ?? 0;
  const plan: DeployPlan = {
    kind: 'deploy',
    id,
    createdAt: now,
    service: group.service,
    durations: { ...DURATIONS, ...given.durations, ...script.durations },
    outcome: withAlarm(script.outcome ?? 'succeed', request.overrideAlarms ?? group.alarmConfiguration),
    commands: [],
    blue,
    green,
    routing: config.routing ?? { type: 'AllAtOnce' },
    testListener: testListenerOf(group.loadBalancerInfo),
    hooks: spec.hooks,
    ...(group.readyOption['actionOnTimeout'] === 'STOP_DEPLOYMENT' && { readyWait: number(group.readyOption, 'waitTimeInMinutes') ?? 0 }),
    ...(group.terminateOption['action'] === 'TERMINATE' && { terminationWait: minutes }),
    ...(refused && { refused }),
  };
  revision.groups.add(group.name);
  revision.firstUsedAt ??= now;
  revision.lastUsedAt = now;
  const launchType = spec.capacityProviderStrategy ? undefined : (service?.launchType ?? 'FARGATE');
  const networkConfiguration = spec.networkConfiguration ?? service?.networkConfiguration;
  return {
    account: group.account,
    region: group.region,
    id,
    group,
    groupName: group.name,
    configName: config.name,
    description: request.description,
    creator: 'user',
    revision,
    previousRevision: given.previousRevision,
    autoRollback: request.autoRollback ?? group.autoRollback,
    overrideAlarms: request.overrideAlarms,
    blueGreen: { terminateBlueInstancesOnDeploymentSuccess: group.terminateOption, deploymentReadyOption: group.readyOption },
    loadBalancerInfo: group.loadBalancerInfo,
    service,
    targetId: `${group.cluster}:${group.service}`,
    // An AppSpec that names no capacity provider strategy loses the service's: CodeDeploy does not carry it over.
    greenBase: service && {
      id: green.id,
      externalId: id,
      taskDefinition: green.taskDefinition,
      createdAt: now,
      updatedAt: now,
      ...(launchType !== undefined && { launchType }),
      ...(spec.capacityProviderStrategy && { capacityProviderStrategy: spec.capacityProviderStrategy }),
      platformVersion: spec.platformVersion ?? 'LATEST',
      ...(networkConfiguration && { networkConfiguration }),
      loadBalancers: [{ targetGroupArn: greenTarget.arn, containerName: spec.containerName, containerPort: spec.containerPort }],
      status: 'ACTIVE',
      desired: service.desiredCount,
      pending: service.desiredCount,
      running: 0,
    },
    rollback: script.rollback ?? 'succeed',
    plan,
    pullAsked: false,
    ended: false,
    rollbackInfo: {},
  };
};

const taskSetPlan = (set: TaskSetRecord | undefined): TaskSetPlan => {
  const arn = set?.loadBalancers[0]?.targetGroupArn ?? '';
  return {
    id: set?.id ?? '',
    taskDefinition: set?.taskDefinition ?? '',
    desiredCount: set?.desired ?? 0,
    targetGroup: { name: targetGroupName(arn), arn },
  };
};

const testListenerOf = (loadBalancerInfo: Json): boolean =>
  (records(loadBalancerInfo, 'targetGroupPairInfoList') ?? []).some((pair) => record(pair, 'testTrafficRoute') !== undefined);
