/** The operations that steer a running deployment: stop it, or end its wait. */
import { codedeployFinders } from './finders.ts';
import type { CodeDeployState } from './state.ts';
import { flag, text } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import { AwsFault } from '../service.ts';
import type { Service } from '../service.ts';

export const commandOperations = (state: CodeDeployState): Service['operations'] => {
  const { deploymentOf } = codedeployFinders(state);
  return {
    StopDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      const now = call.clock.now();
      const life = lifeOf(deployment.plan, now);
      const asked = deployment.plan.commands.some((each) => each.command === 'stop');
      if (life.completedAt !== undefined) {
        if (asked && life.status === 'Stopped') return { status: 'Succeeded', statusMessage: 'The deployment was stopped.' };
        throw new AwsFault('DeploymentAlreadyCompletedException', `Deployment ${deployment.id} is already completed`);
      }
      const rollback = flag(input, 'autoRollbackEnabled');
      if (!asked) state.command(deployment, { at: now, command: 'stop', ...(rollback !== undefined && { rollback }) });
      return { status: 'Pending', statusMessage: 'A stop of the deployment is pending.' };
    },

    ContinueDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      const wait = text(input, 'deploymentWaitType') ?? 'READY_WAIT';
      if (wait !== 'READY_WAIT' && wait !== 'TERMINATION_WAIT') {
        throw new AwsFault('InvalidDeploymentWaitTypeException', `The wait type ${wait} is invalid.`);
      }
      const now = call.clock.now();
      const life = lifeOf(deployment.plan, now);
      if (life.completedAt !== undefined) {
        throw new AwsFault('DeploymentAlreadyCompletedException', `Deployment ${deployment.id} is already completed`);
      }
      if (wait === 'READY_WAIT' ? life.status !== 'Ready' : !life.instanceTerminationWaitTimeStarted) {
        throw new AwsFault('DeploymentIsNotInReadyStateException', `Deployment ${deployment.id} is not in a state in which it waits.`);
      }
      state.command(deployment, { at: now, command: 'continue', wait });
      return {};
    },
  };
};
