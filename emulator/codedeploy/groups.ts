/** The operations on deployment groups. */
import { checkedAlarms } from './alarms.ts';
import { checkedRollback } from './auto-rollback.ts';
import type { Deployment } from './deployment.ts';
import { codedeployFinders } from './finders.ts';
import { paged } from './pages.ts';
import { locationOf } from './revision.ts';
import type { CodeDeployState } from './state.ts';
import { when } from './time.ts';
import { present, record, records, text } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import { scopeOf } from '../ecs/scope.ts';
import { timestamp } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Json, Service } from '../service.ts';

/** What a group says of one of its deployments. */
const lastOf = (deployment: Deployment | undefined, now: number): Json | undefined => {
  if (!deployment) return undefined;
  const life = lifeOf(deployment.plan, now);
  return present({
    deploymentId: deployment.id,
    status: life.status,
    endTime: when(life.completedAt),
    createTime: timestamp(deployment.plan.createdAt),
  });
};

export const groupOperations = (state: CodeDeployState): Service['operations'] => {
  const { applicationOf, ecsConfigOf, groupOf } = codedeployFinders(state);
  return {
    GetDeploymentGroup(input, call) {
      const group = groupOf(input, call);
      const attempted = state.deployments(scopeOf(call)).find((each) => each.group === group);
      return {
        deploymentGroupInfo: present({
          applicationName: group.application.name,
          deploymentGroupId: group.id,
          deploymentGroupName: group.name,
          deploymentConfigName: group.configName,
          ec2TagFilters: [],
          onPremisesInstanceTagFilters: [],
          autoScalingGroups: [],
          serviceRoleArn: group.serviceRoleArn,
          targetRevision: attempted?.revision && locationOf(attempted.revision),
          triggerConfigurations: [],
          alarmConfiguration: group.alarmConfiguration,
          autoRollbackConfiguration: group.autoRollback,
          deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
          blueGreenDeploymentConfiguration: {
            terminateBlueInstancesOnDeploymentSuccess: group.terminateOption,
            deploymentReadyOption: group.readyOption,
          },
          loadBalancerInfo: group.loadBalancerInfo,
          lastSuccessfulDeployment: lastOf(state.lastSuccessful(group), call.clock.now()),
          lastAttemptedDeployment: lastOf(attempted, call.clock.now()),
          computePlatform: group.application.computePlatform,
          ecsServices:
            group.application.computePlatform === 'ECS' ? [{ serviceName: group.service, clusterName: group.cluster }] : undefined,
          terminationHookEnabled: false,
        }),
      };
    },

    ListDeploymentGroups(input, call) {
      const application = applicationOf(input, call);
      const { items, next } = paged(
        state.groups(application).map(({ name }) => name),
        input,
      );
      return present({ applicationName: application.name, deploymentGroups: items, nextToken: next });
    },

    UpdateDeploymentGroup(input, call) {
      const group = groupOf(input, call, 'currentDeploymentGroupName');
      const config = text(input, 'deploymentConfigName');
      if (config !== undefined) ecsConfigOf(config, scopeOf(call));
      const rollback = checkedRollback(record(input, 'autoRollbackConfiguration'));
      const alarms = checkedAlarms(record(input, 'alarmConfiguration'));
      const blueGreen = record(input, 'blueGreenDeploymentConfiguration');
      const services = records(input, 'ecsServices');
      if (services && services.length !== 1) throw new AwsFault('InvalidECSServiceException', 'Exactly one ECS service must be specified.');
      const [service] = services ?? [];
      group.name = text(input, 'newDeploymentGroupName') ?? group.name;
      group.configName = config ?? group.configName;
      group.autoRollback = rollback ?? group.autoRollback;
      group.alarmConfiguration = alarms ?? group.alarmConfiguration;
      group.readyOption = (blueGreen && record(blueGreen, 'deploymentReadyOption')) ?? group.readyOption;
      group.terminateOption = (blueGreen && record(blueGreen, 'terminateBlueInstancesOnDeploymentSuccess')) ?? group.terminateOption;
      group.loadBalancerInfo = record(input, 'loadBalancerInfo') ?? group.loadBalancerInfo;
      group.service = (service && text(service, 'serviceName')) ?? group.service;
      group.cluster = (service && text(service, 'clusterName')) ?? group.cluster;
      return { hooksNotCleanedUp: [] };
    },
  };
};
