/** Deploys an image that exists to a service, blue/green, and follows the deployment to its end. */
import { formatImage, parseEcrHost } from '../domain/image.ts';
import { defineMode } from '../mode.ts';
import { lazy } from '../ports/aws.ts';
import { inputsOf, targetProblems } from '../steps/deploy-accounts.ts';
import { findImages, imageInputProblems, imageProblems } from '../steps/find-image.ts';
import { planDeployBlindly } from '../steps/plan-blindly.ts';
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
  inputs: { ...common, ...registrySide, ...deploying, ...imageToDeploy },
  outputs: [...deploymentOutputs, 'image-uri', 'plan'],
  check: (inputs) => [...targetProblems(inputs), ...imageInputProblems(inputs)],
  warn: failFastWarnings,
  run: async ({ inputs: given, ports, output, memory, signal }) => {
    const inputs = inputsOf(given);
    const side = openDeploy({ inputs, ports });
    const finding = lazy(async () => findImages({ inputs, side, ports }));
    const [first] = inputs.image;
    const prepared = await prepareDeployment({
      inputs,
      side,
      ports,
      images: inputs.image.map(({ container, image }) => ({ container, repository: image.repository })),
      registryAccount: registryAccount(inputs) ?? parseEcrHost(first.image.host ?? '')?.account,
      beside: () => {
        finding().catch(() => undefined);
        return async (definition) => imageProblems(await finding(), definition);
      },
    });
    const found = await finding();
    for (const { warnings } of found) warnings.forEach((warning) => ports.log.warning(warning));
    for (const { notes } of found) notes.forEach((note) => ports.log.info(note));
    const images = found.map(({ image }) => {
      if (!image) throw new Error('an image that was not found passed the preflight');
      return image;
    });
    const [image] = images;
    if (image) output('image-uri', formatImage(image));
    if (inputs['dry-run']) return tellPlan('deploy', [await planDeployment(prepared, { images, ports, output })], { ports, output });
    await runDeployment(prepared, { images, ports, memory, signal, output });
  },
  planBlindly: async ({ inputs, ports, output }) => {
    output('changed', 'false');
    return planDeployBlindly({ inputs: inputsOf(inputs), images: inputs.image, ports });
  },
});

/** The siblings of a matrix job that failed are cancelled, healthy deployments among them (RULES 5.7). */
export function failFastWarnings({
  strategy,
}: {
  readonly strategy: { readonly jobTotal: number; readonly failFast: boolean };
}): readonly string[] {
  if (!strategy.failFast || strategy.jobTotal < 2) return [];
  return [
    `strategy.fail-fast is true and the matrix has ${strategy.jobTotal} jobs: when one fails, GitHub cancels the others, and on-cancel undoes their deployments. Set fail-fast: false.`,
  ];
}
