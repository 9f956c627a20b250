/** The rollback of a deployment. https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html */
import type { Deployment } from './deployment.ts';
import { flag, texts } from '../coral.ts';
import type { Life } from '../deployment-life.ts';
import type { RollbackEvent } from '../life/failure.ts';

/** Does a rollback follow this end? */
export const rollsBack = (deployment: Deployment, asked: { readonly event: RollbackEvent; readonly wanted?: boolean }): boolean => {
  if (deployment.plan.kind === 'rollback') return false;
  if (asked.wanted !== undefined) return asked.wanted;
  return flag(deployment.autoRollback, 'enabled') === true && (texts(deployment.autoRollback, 'events') ?? []).includes(asked.event);
};

/** A rollback is a deployment of its own, all at once, that makes no task set: traffic goes back to the original one.
 * The deployment that it rolls back gets its ID. */
export const rollbackOf = (of: Deployment, { id, life }: { readonly id: string; readonly life: Life }): Deployment | undefined => {
  const green = life.taskSets.find(({ label }) => label === 'Green');
  if (!green || life.completedAt === undefined) return undefined;
  const { plan } = of;
  of.rollbackInfo = {
    rollbackDeploymentId: id,
    rollbackMessage: `Deployment ${of.id} terminated. Automatic rollback is triggered with a DeploymentId ${id}.`,
  };
  return {
    ...of,
    id,
    configName: 'CodeDeployDefault.ECSAllAtOnce',
    description: undefined,
    creator: 'codeDeployRollback',
    revision: of.previousRevision,
    previousRevision: of.revision,
    overrideAlarms: undefined,
    greenBase: undefined,
    plan: {
      kind: 'rollback',
      id,
      createdAt: life.completedAt,
      service: plan.service,
      durations: { ...plan.durations, created: 0.5, queued: 0.5 },
      outcome: of.rollback === 'fail' ? { failAt: 'AllowTraffic' } : 'succeed',
      commands: [],
      blue: plan.blue,
      green: { ...plan.green, running: green.running, trafficWeight: green.trafficWeight, primary: green.status === 'PRIMARY' },
    },
    pullAsked: true,
    ended: false,
    rollbackInfo: {
      rollbackTriggeringDeploymentId: of.id,
      rollbackMessage: `Deployment ${id} is triggered to roll back deployment ${of.id}.`,
    },
  };
};
