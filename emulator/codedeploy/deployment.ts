/**
 * A deployment: the settings it was created with and its plan, from which its status at any moment follows (deployment-life.ts).
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
 */
import type { Group } from './group.ts';
import { locationOf } from './revision.ts';
import type { Revision } from './revision.ts';
import { when } from './time.ts';
import { present } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import type { Scope } from '../ecs/scope.ts';
import type { ServiceRecord } from '../ecs/service.ts';
import type { TaskSetRecord } from '../ecs/task-set.ts';
import { timestamp } from '../json.ts';
import type { DeploymentPlan } from '../life/plan.ts';
import type { Json } from '../service.ts';

export interface Deployment extends Scope {
  readonly id: string;
  readonly group: Group;
  readonly groupName: string;
  readonly configName: string;
  readonly description: string | undefined;
  readonly creator: 'user' | 'codeDeployRollback';
  readonly revision: Revision | undefined;
  readonly previousRevision: Revision | undefined;
  readonly autoRollback: Json;
  readonly overrideAlarms: Json | undefined;
  readonly blueGreen: Json;
  readonly loadBalancerInfo: Json;
  readonly service: ServiceRecord | undefined;
  readonly targetId: string;
  readonly greenBase: TaskSetRecord | undefined;
  readonly rollback: 'succeed' | 'fail';
  plan: DeploymentPlan;
  pullAsked: boolean;
  ended: boolean;
  rollbackInfo: Json;
}

/** As GetDeployment shows it. */
export const deploymentInfoOf = (it: Deployment, now: number): Json => {
  const life = lifeOf(it.plan, now);
  return present({
    applicationName: it.group.application.name,
    deploymentGroupName: it.groupName,
    deploymentConfigName: it.configName,
    deploymentId: it.id,
    previousRevision: it.previousRevision && locationOf(it.previousRevision),
    revision: it.revision && locationOf(it.revision),
    status: life.status,
    errorInformation: life.errorInformation,
    createTime: timestamp(it.plan.createdAt),
    startTime: when(life.startedAt),
    completeTime: when(life.completedAt),
    // Deliberately absent, as on AWS for ECS: deploymentOverview. The lifecycle events are the target's.
    description: it.description,
    creator: it.creator,
    ignoreApplicationStopFailures: false,
    autoRollbackConfiguration: it.autoRollback,
    updateOutdatedInstancesOnly: false,
    rollbackInfo: it.rollbackInfo,
    deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
    instanceTerminationWaitTimeStarted: life.instanceTerminationWaitTimeStarted,
    blueGreenDeploymentConfiguration: it.blueGreen,
    loadBalancerInfo: it.loadBalancerInfo,
    fileExistsBehavior: 'DISALLOW',
    deploymentStatusMessages: [],
    computePlatform: 'ECS',
    overrideAlarmConfiguration: it.overrideAlarms,
  });
};
