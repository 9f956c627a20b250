/**
 * AWS CodeDeploy for Amazon ECS: applications, deployment groups, deployment configurations, revisions and deployments, kept apart by
 * account and Region. What a deployment is at a moment is `lifeOf` its plan (deployment-life.ts); plans are made, commands are taken and
 * what comes out is written into the ECS service in the codedeploy-*.ts files; here is the service.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html
 */
import { applicationOperations } from './codedeploy/applications.ts';
import { commandOperations } from './codedeploy/commands.ts';
import { configOperations } from './codedeploy/configs.ts';
import { deploymentOperations } from './codedeploy/deployments.ts';
import { groupOperations } from './codedeploy/groups.ts';
import { revisionOperations } from './codedeploy/revisions.ts';
import type { CodeDeployState } from './codedeploy/state.ts';
import { targetOperations } from './codedeploy/targets.ts';
import type { EcsState } from './ecs/state.ts';
import type { Call, Json, Service } from './service.ts';

export type { ApplicationSeed, ComputePlatform } from './codedeploy/application.ts';
export type { GroupSeed } from './codedeploy/group.ts';
export type { CanPull } from './pull.ts';
export type { DeploymentScript } from './codedeploy/scripts.ts';
export { CodeDeployState } from './codedeploy/state.ts';
export type { CodeDeployOptions } from './codedeploy/state.ts';

/** CodeDeploy over AWS JSON 1.1. Attaches the state to the ECS whose services it deploys. */
export const codedeployService = (state: CodeDeployState, ecs: EcsState): Service => {
  state.attach(ecs);
  const operations: Service['operations'] = {
    ...applicationOperations(state),
    ...groupOperations(state),
    ...configOperations(state),
    ...revisionOperations(state),
    ...deploymentOperations(state),
    ...targetOperations(state),
    ...commandOperations(state),
  };

  return {
    target: 'CodeDeploy_20141006',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (input: Json, call: Call): unknown => {
          state.settle(call.clock.now());
          return operation(input, call);
        },
      ]),
    ),
  };
};
