/**
 * A deployment group: one ECS service, its two target groups and its listeners, and how deployments to it go.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html
 */
import type { Application } from './application.ts';
import { ROLLBACK_EVENTS } from './auto-rollback.ts';
import { targetGroupName } from './target-groups.ts';
import { present } from '../coral.ts';
import { uuidOf } from '../ecs/ids.ts';
import { partitionOf, within } from '../ecs/scope.ts';
import type { Scope } from '../ecs/scope.ts';
import type { RollbackEvent } from '../life/failure.ts';
import type { Json } from '../service.ts';

export interface GroupSeed extends Scope {
  readonly application: string;
  readonly name: string;
  readonly cluster: string;
  readonly service: string;
  /** Default: CONTINUE_DEPLOYMENT with a wait of 0. Given without `waitTimeInMinutes`, replies lack it too, as they may on AWS. */
  readonly ready?: { readonly actionOnTimeout: 'CONTINUE_DEPLOYMENT' | 'STOP_DEPLOYMENT'; readonly waitTimeInMinutes?: number };
  /** Default: TERMINATE after 5 minutes. */
  readonly termination?: { readonly action: 'TERMINATE' | 'KEEP_ALIVE'; readonly waitTimeInMinutes?: number };
  /** `true`: on failure, on an alarm and on a stop by request. */
  readonly autoRollback?: boolean | readonly RollbackEvent[];
  /** Names of CloudWatch alarms that the group watches. */
  readonly alarms?: readonly string[];
  readonly deploymentConfigName?: string;
  /** Names or ARNs. The one that the service's primary task set stands behind is blue. */
  readonly targetGroups: readonly [string, string];
  readonly listenerArn: string;
  readonly testListenerArn?: string;
  readonly serviceRoleArn?: string;
}

export interface Group extends Scope {
  readonly id: string;
  readonly application: Application;
  name: string;
  configName: string;
  cluster: string;
  service: string;
  readyOption: Json;
  terminateOption: Json;
  autoRollback: Json;
  alarmConfiguration: Json;
  loadBalancerInfo: Json;
  readonly serviceRoleArn: string;
}

/** The group that a test or the demo asks for, with CodeDeploy's defaults. */
export const groupFrom = (seed: GroupSeed, application: Application): Group => {
  const { account, region, name, targetGroups, listenerArn, testListenerArn } = seed;
  const events = seed.autoRollback === true ? ROLLBACK_EVENTS : (seed.autoRollback ?? false);
  const { action = 'TERMINATE', waitTimeInMinutes = 5 } = seed.termination ?? {};
  return {
    account,
    region,
    id: uuidOf(`${within(seed)}/${seed.application}/${name}`),
    application,
    name,
    configName: seed.deploymentConfigName ?? 'CodeDeployDefault.ECSAllAtOnce',
    cluster: seed.cluster,
    service: seed.service,
    readyOption: { ...(seed.ready ?? { actionOnTimeout: 'CONTINUE_DEPLOYMENT', waitTimeInMinutes: 0 }) },
    terminateOption: { action, ...(action === 'TERMINATE' && { terminationWaitTimeInMinutes: waitTimeInMinutes }) },
    autoRollback: events === false ? { enabled: false, events: [] } : { enabled: true, events: [...events] },
    alarmConfiguration: {
      enabled: seed.alarms !== undefined,
      ignorePollAlarmFailure: false,
      alarms: (seed.alarms ?? []).map((each) => ({ name: each })),
    },
    loadBalancerInfo: {
      targetGroupPairInfoList: [
        present({
          targetGroups: targetGroups.map((each) => ({ name: targetGroupName(each) })),
          prodTrafficRoute: { listenerArns: [listenerArn] },
          testTrafficRoute: testListenerArn === undefined ? undefined : { listenerArns: [testListenerArn] },
        }),
      ],
    },
    serviceRoleArn: seed.serviceRoleArn ?? `arn:${partitionOf(region)}:iam::${account}:role/ecsCodeDeployRole`,
  };
};
