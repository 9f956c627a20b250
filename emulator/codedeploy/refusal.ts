/**
 * What ECS or the load balancer would answer when CodeDeploy starts to work: it fails the deployment, not CreateDeployment.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html
 */
import { randomUUID } from 'node:crypto';
import type { AppSpec } from './appspec.ts';
import type { Group } from './group.ts';
import { targetGroupName } from './target-groups.ts';
import { records } from '../coral.ts';
import type { Scope } from '../ecs/scope.ts';
import type { ServiceRecord } from '../ecs/service.ts';
import type { EcsState } from '../ecs/state.ts';
import type { TaskSetRecord } from '../ecs/task-set.ts';
import type { ErrorInformation } from '../life/failure.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

const TASK_SETS_PER_SERVICE = 5;

const ecsError = (message: string, code: string): ErrorInformation => ({
  code: 'ECS_UPDATE_ERROR',
  message: `The ECS service cannot be updated due to an unexpected error: ${message} (Service: AmazonECS; Status Code: 400; Error Code: ${code}; Request ID: ${randomUUID()}; Proxy: null). Check your ECS service status.`,
});

/** The task definition, or ECS's refusal as CodeDeploy passes it on. */
export const deployedDefinition = (
  ecs: EcsState,
  named: { readonly scope: Scope; readonly name: string },
): { readonly arn?: string; readonly containers?: readonly Json[]; readonly error?: ErrorInformation } => {
  try {
    const found = ecs.findTaskDefinition(named.scope, named.name);
    if (!found) return { error: ecsError('TaskDefinition not found.', 'ClientException') };
    if (found.status !== 'ACTIVE') return { error: ecsError('TaskDefinition is inactive', 'ClientException') };
    return { arn: found.arn, containers: records(found.body, 'containerDefinitions') ?? [] };
  } catch (error) {
    if (error instanceof AwsFault) return { error: ecsError(error.message, error.code) };
    throw error;
  }
};

/** undefined: nothing is in the way. */
export const refusalOf = (given: {
  readonly ecs: EcsState;
  readonly group: Group;
  readonly spec: AppSpec;
  readonly service: ServiceRecord | undefined;
  readonly primary: TaskSetRecord | undefined;
  /** The target groups of the group. */
  readonly pair: readonly { readonly name: string }[];
}): ErrorInformation | undefined => {
  const { ecs, group, spec, service, primary, pair } = given;
  if (service?.status !== 'ACTIVE')
    return { code: 'INVALID_ECS_SERVICE', message: `The ECS service ${group.service} was not found or is not active.` };
  if (service.controller !== 'CODE_DEPLOY' || !primary) {
    const message = "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.";
    return { code: 'INVALID_ECS_SERVICE', message };
  }
  const { error, containers = [] } = deployedDefinition(ecs, { scope: group, name: spec.taskDefinition });
  if (error) return error;
  const container = containers.find((each) => each['name'] === spec.containerName);
  if (!container)
    return ecsError(`The container ${spec.containerName} does not exist in the task definition.`, 'InvalidParameterException');
  if (!(records(container, 'portMappings') ?? []).some((each) => each['containerPort'] === spec.containerPort)) {
    const message = `The container ${spec.containerName} did not have a container port ${spec.containerPort} defined.`;
    return ecsError(message, 'InvalidParameterException');
  }
  const behind = targetGroupName(primary.loadBalancers[0]?.targetGroupArn ?? '');
  if (!pair.some(({ name }) => name === behind)) {
    const message = 'The ELB could not be updated due to the following error: Primary taskset target group must be behind listener';
    return { code: 'ELASTIC_LOAD_BALANCING_INVALID', message };
  }
  if (service.taskSets.filter(({ status }) => status !== 'DRAINING').length >= TASK_SETS_PER_SERVICE) {
    return ecsError(`${TASK_SETS_PER_SERVICE} deployments exist on the service. Unable to create new TaskSet`, 'InvalidParameterException');
  }
  return undefined;
};
