/**
 * What AWS says when a deployment fails, and the events by which a rollback may follow.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ErrorInformation.html
 */
import { isHook } from './events.ts';
import type { LifecycleEventName } from './events.ts';

export type RollbackEvent = 'DEPLOYMENT_FAILURE' | 'DEPLOYMENT_STOP_ON_ALARM' | 'DEPLOYMENT_STOP_ON_REQUEST';

export interface ErrorInformation {
  readonly code: string;
  readonly message: string;
}

/** What AWS says of a failed event, by default. */
export const failureOf = (name: LifecycleEventName): ErrorInformation => {
  if (isHook(name)) {
    return {
      code: 'HOOK_EXECUTION_FAILURE',
      message: 'The deployment failed because one or more of the lifecycle event validation functions failed.',
    };
  }
  return name === 'Install'
    ? installTimeout(60)
    : {
        code: 'ELASTIC_LOAD_BALANCING_INVALID',
        message: 'The ELB could not be updated due to the following error: Primary taskset target group must be behind listener',
      };
};

export const installTimeout = (minutes: number): ErrorInformation => ({
  code: 'TIMEOUT',
  message: `The deployment timed out while waiting for the replacement task set to become healthy. This time out period is ${minutes} minutes.`,
});
