/** Follows a deployment that runs already: after a lost runner, or one that was started with `wait-until: started`. */
import { defineMode } from '../mode.ts';
import { placeProblems } from '../steps/codedeploy-place.ts';
import { serviceDeploymentProblems } from '../steps/ecs-place.ts';
import { findDeployment } from '../steps/find-deployment.ts';
import { planFollowing } from '../steps/plan-course.ts';
import { resumeDeployment } from '../steps/resume-deployment.ts';
import { openDeploy, sideProblems } from '../steps/sessions.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { common, existingDeployment, leaving, waitUntil } from './shared-inputs.ts';

/** The outputs that tell a deployment which was started elsewhere. */
export const followedOutputs = [
  'deployment-id',
  'deployment-status',
  'deployment-url',
  'task-definition-arn',
  'rollback-deployment-id',
] as const;

export const follow = defineMode({
  name: 'follow',
  summary:
    'Follows a deployment that runs already (a lost runner, `wait-until: started`) to its end; one that has ended is told and explained.',
  inputs: { ...common, ...existingDeployment, ...waitUntil(['ready', 'traffic-shifted', 'succeeded']), ...leaving },
  outputs: [...followedOutputs, 'plan'],
  check: (inputs) => [...sideProblems(inputs), ...placeProblems(inputs), ...serviceDeploymentProblems(inputs)],
  run: async ({ inputs, ports, output, memory, signal }) => {
    const side = openDeploy({ inputs, ports });
    const found = await findDeployment({ inputs, side, ports });
    if (inputs['dry-run']) return tellPlan('follow', [await planFollowing({ found, inputs, ports, output })], { ports, output });
    await resumeDeployment({ found, inputs, side, ports, memory, signal, output });
  },
});
