/** Deploys an image that exists to a service, blue/green, and follows the deployment to its end. */
import { formatImage, parseImageReference, parseEcrHost } from '../domain/image.ts';
import { required } from '../inputs.ts';
import { defineMode } from '../mode.ts';
import { lazy } from '../ports/aws.ts';
import { platformProblems } from '../steps/check-image.ts';
import { findImage, imageInputProblems } from '../steps/find-image.ts';
import { planDeployment } from '../steps/plan-deployment.ts';
import { prepareDeployment } from '../steps/prepare-deployment.ts';
import { runDeployment } from '../steps/run-deployment.ts';
import { openDeploy, registryAccount } from '../steps/sessions.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { common, deploying, imageToDeploy, registrySide } from './shared-inputs.ts';

/** The outputs that tell a deployment; `release` has them too. */
export const deploymentOutputs = [
  'deployment-id',
  'deployment-status',
  'deployment-url',
  'task-definition-arn',
  'rollback-deployment-id',
  'changed',
] as const;

export const deploy = defineMode({
  name: 'deploy',
  summary: 'Registers the task definition with the image pinned by digest, starts the blue/green deployment and follows it to its end.',
  inputs: { ...common, ...registrySide, ...deploying, image: required(parseImageReference, imageToDeploy.image.description) },
  outputs: [...deploymentOutputs, 'image-uri', 'plan'],
  check: imageInputProblems,
  run: async ({ inputs, ports, output, memory, signal }) => {
    const side = openDeploy({ inputs, ports });
    const finding = lazy(async () => findImage({ inputs, side, ports }));
    const prepared = await prepareDeployment({
      inputs,
      side,
      ports,
      image: inputs.image,
      registryAccount: registryAccount(inputs) ?? parseEcrHost(inputs.image.host ?? '')?.account,
      beside: () => {
        finding().catch(() => undefined);
        return async (definition) => {
          const { problems, platforms } = await finding();
          return [...problems, ...(definition ? platformProblems({ platforms, definition }) : [])];
        };
      },
    });
    const { image, warnings } = await finding();
    if (!image) throw new Error('an image that was not found passed the preflight');
    for (const warning of warnings) ports.log.warning(warning);
    output('image-uri', formatImage(image));
    if (inputs['dry-run']) return tellPlan('deploy', [await planDeployment(prepared, { image, ports, output })], { ports, output });
    await runDeployment(prepared, { image, ports, memory, signal, output });
  },
});
