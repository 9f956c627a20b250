/**
 * A deployment's one target, the ECS service: here its lifecycle events and task sets are shown.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTarget.html
 */
import type { Deployment } from './deployment.ts';
import { codedeployFinders } from './finders.ts';
import type { CodeDeployState } from './state.ts';
import { when } from './time.ts';
import { present, text, texts } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import { ecsArn } from '../ecs/scope.ts';
import { timestamp } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Json, Service } from '../service.ts';

const targetOf = (it: Deployment, now: number): Json => {
  const life = lifeOf(it.plan, now);
  return {
    deploymentTargetType: 'ECSTarget',
    ecsTarget: {
      deploymentId: it.id,
      targetId: it.targetId,
      targetArn: it.service?.arn ?? ecsArn(it, `service/${it.group.cluster}/${it.group.service}`),
      lastUpdatedAt: timestamp(life.lastUpdatedAt),
      lifecycleEvents: life.lifecycleEvents.map((event) =>
        present({
          lifecycleEventName: event.name,
          diagnostics: event.diagnostics,
          startTime: when(event.startedAt),
          endTime: when(event.endedAt),
          status: event.status,
        }),
      ),
      status: life.targetStatus,
      taskSetsInfo: it.service
        ? life.taskSets
            .filter(({ id, goneAt }) => id !== '' && (goneAt === undefined || goneAt > now))
            .map((set) => ({
              // AWS's own spelling.
              identifer: set.id,
              desiredCount: set.desired,
              pendingCount: set.pending,
              runningCount: set.running,
              status: set.status,
              trafficWeight: set.trafficWeight,
              targetGroup: { name: set.targetGroup.name },
              taskSetLabel: set.label,
            }))
        : [],
    },
  };
};

const ofTarget = (deployment: Deployment, id: string, now: number): Json => {
  if (!id.includes(':')) throw new AwsFault('InvalidDeploymentTargetIdException', `The target ID '${id}' is not valid.`);
  if (id !== deployment.targetId) {
    throw new AwsFault(
      'DeploymentTargetDoesNotExistException',
      `The deployment target ${id} does not exist in deployment ${deployment.id}.`,
    );
  }
  return targetOf(deployment, now);
};

export const targetOperations = (state: CodeDeployState): Service['operations'] => {
  const { startedOf } = codedeployFinders(state);
  return {
    ListDeploymentTargets: (input, call) => ({ targetIds: [startedOf(input, call).targetId] }),

    GetDeploymentTarget(input, call) {
      const deployment = startedOf(input, call);
      const id = text(input, 'targetId');
      if (id === undefined) throw new AwsFault('DeploymentTargetIdRequiredException', 'A deployment target ID is required.');
      return { deploymentTarget: ofTarget(deployment, id, call.clock.now()) };
    },

    BatchGetDeploymentTargets(input, call) {
      const deployment = startedOf(input, call);
      const ids = texts(input, 'targetIds') ?? [];
      if (ids.length === 0) throw new AwsFault('DeploymentTargetIdRequiredException', 'A deployment target ID is required.');
      if (ids.length > 25) throw new AwsFault('DeploymentTargetListSizeExceededException', 'The maximum number of targets is 25.');
      return { deploymentTargets: ids.map((id) => ofTarget(deployment, id, call.clock.now())) };
    },
  };
};
