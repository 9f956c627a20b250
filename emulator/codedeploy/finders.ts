/** What a request to CodeDeploy is about, by name or ID. What is not there is the fault that CodeDeploy answers. */
import type { Application } from './application.ts';
import type { DeploymentConfig } from './config.ts';
import type { Deployment } from './deployment.ts';
import type { Group } from './group.ts';
import type { CodeDeployState } from './state.ts';
import { text } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import { scopeOf } from '../ecs/scope.ts';
import type { Scope } from '../ecs/scope.ts';
import { AwsFault } from '../service.ts';
import type { Call, Json } from '../service.ts';

const NAME = /^[A-Za-z0-9+=,.@_-]{1,100}$/;

export const DEPLOYMENT_ID = /^d-[A-Z0-9]{9}$/;

export const codedeployFinders = (state: CodeDeployState) => {
  const applicationOf = (input: Json, call: Call): Application => {
    const name = text(input, 'applicationName');
    if (name === undefined) throw new AwsFault('ApplicationNameRequiredException', 'Application name is required.');
    if (!NAME.test(name)) throw new AwsFault('InvalidApplicationNameException', `Application name '${name}' is not valid.`);
    const found = state.findApplication(scopeOf(call), name);
    if (!found) throw new AwsFault('ApplicationDoesNotExistException', `No application found for name: ${name}`);
    return found;
  };
  const groupOf = (input: Json, call: Call, key = 'deploymentGroupName'): Group => {
    const application = applicationOf(input, call);
    const name = text(input, key);
    if (name === undefined) throw new AwsFault('DeploymentGroupNameRequiredException', 'Deployment group name is required.');
    if (!NAME.test(name)) throw new AwsFault('InvalidDeploymentGroupNameException', `Deployment group name '${name}' is not valid.`);
    const found = state.groups(application).find((each) => each.name === name);
    if (!found) throw new AwsFault('DeploymentGroupDoesNotExistException', `No Deployment Group found for name: ${name}`);
    return found;
  };
  const byId = (id: string, call: Call): Deployment => {
    if (!DEPLOYMENT_ID.test(id)) throw new AwsFault('InvalidDeploymentIdException', `The deployment ID '${id}' is not valid.`);
    const found = state.deployments(scopeOf(call)).find((each) => each.id === id);
    if (!found) throw new AwsFault('DeploymentDoesNotExistException', `The deployment ${id} could not be found`);
    return found;
  };
  const deploymentOf = (input: Json, call: Call): Deployment => {
    const id = text(input, 'deploymentId');
    if (id === undefined) throw new AwsFault('DeploymentIdRequiredException', 'Deployment ID is required.');
    return byId(id, call);
  };
  const startedOf = (input: Json, call: Call): Deployment => {
    const found = deploymentOf(input, call);
    if (lifeOf(found.plan, call.clock.now()).startedAt === undefined) {
      throw new AwsFault('DeploymentNotStartedException', `The deployment ${found.id} has not started.`);
    }
    return found;
  };
  const configOf = (name: string, scope: Scope): DeploymentConfig => {
    const found = state.findConfig(scope, name);
    if (!found) throw new AwsFault('DeploymentConfigDoesNotExistException', `No Deployment Configuration found for name: ${name}`);
    return found;
  };
  const ecsConfigOf = (name: string, scope: Scope): DeploymentConfig => {
    const found = configOf(name, scope);
    if (found.computePlatform === 'ECS') return found;
    throw new AwsFault(
      'InvalidDeploymentConfigNameException',
      `The deployment configuration ${name} is not valid for the ECS compute platform.`,
    );
  };
  return { applicationOf, groupOf, deploymentOf, startedOf, configOf, ecsConfigOf };
};
