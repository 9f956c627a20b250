/** Brings back what ran before: stops the deployment that is under way with a rollback, else deploys again what ran before the newest success. */
import { parseDeploymentId } from '../domain/deployment.ts';
import { optional } from '../inputs.ts';
import { defineMode } from '../mode.ts';
import { placeProblems } from '../steps/codedeploy-place.ts';
import { serviceDeploymentProblems } from '../steps/ecs-place.ts';
import { planRollback } from '../steps/plan-rollback.ts';
import { prepareRollback } from '../steps/prepare-rollback.ts';
import { rollBack } from '../steps/roll-back.ts';
import { openDeploy, sideProblems } from '../steps/sessions.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { followedOutputs } from './follow.ts';
import { common, deploying, existingDeployment, waitUntil } from './shared-inputs.ts';

export const rollback = defineMode({
  name: 'rollback',
  summary:
    'Brings back what ran before: stops the deployment that is under way with a rollback, else deploys again what ran before the newest success.',
  inputs: {
    ...common,
    ...existingDeployment,
    'deployment-id': optional(
      parseDeploymentId,
      'Undo this deployment only, never another: fails where another has come since, changes nothing where it was undone already. Default: the newest.',
    ),
    'codedeploy-deployment-config': deploying['codedeploy-deployment-config'],
    ...waitUntil(['ready', 'traffic-shifted', 'succeeded']),
  },
  outputs: [...followedOutputs, 'changed', 'plan'],
  check: (inputs) => [...sideProblems(inputs), ...placeProblems(inputs), ...serviceDeploymentProblems(inputs)],
  run: async ({ inputs, ports, output, memory, signal }) => {
    const request = { inputs, side: openDeploy({ inputs, ports }), ports, signal };
    if (!inputs['dry-run']) return rollBack({ ...request, memory, output });
    const plan = await planRollback(await prepareRollback(request), { ...request, output });
    await tellPlan('rollback', [plan], { ports, output });
  },
});
