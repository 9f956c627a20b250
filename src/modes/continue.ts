/** Lets a deployment that waits go on – in Ready, or before its old tasks end – and follows it. */
import { defineMode } from '../mode.ts';
import { placeProblems } from '../steps/codedeploy-place.ts';
import { serviceDeploymentProblems } from '../steps/ecs-place.ts';
import { continuer } from '../steps/continue-deployment.ts';
import { findDeployment } from '../steps/find-deployment.ts';
import { planContinuation } from '../steps/plan-course.ts';
import { resumeDeployment } from '../steps/resume-deployment.ts';
import { openDeploy, sideProblems } from '../steps/sessions.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { followedOutputs } from './follow.ts';
import { common, existingDeployment, leaving, waitUntil } from './shared-inputs.ts';

export const continueMode = defineMode({
  name: 'continue',
  summary:
    'Lets a deployment that waits go on, then follows it: in Ready the traffic shifts, in the wait before the old tasks end they end now (not with `wait-until: traffic-shifted`).',
  inputs: { ...common, ...existingDeployment, ...waitUntil(['traffic-shifted', 'succeeded']), ...leaving },
  outputs: [...followedOutputs, 'plan'],
  check: (inputs) => [...sideProblems(inputs), ...placeProblems(inputs), ...serviceDeploymentProblems(inputs)],
  run: async ({ inputs, ports, output, memory, signal }) => {
    const side = openDeploy({ inputs, ports });
    const found = await findDeployment({ inputs, side, ports });
    if (inputs['dry-run']) return tellPlan('continue', [await planContinuation({ found, inputs, ports, output })], { ports, output });
    const seen = continuer({ deployer: found.deployer, until: inputs['wait-until'], log: ports.log, signal });
    await resumeDeployment({ found, inputs, side, ports, memory, signal, output, seen });
  },
});
