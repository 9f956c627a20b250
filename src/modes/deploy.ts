/** Deploys an image that exists to a service, blue/green, and follows the deployment to its end. */
import { formatImage } from '../domain/image.ts';
import { InputError } from '../errors.ts';
import { defineMode } from '../mode.ts';
import { accountProblems, idleInputs, inputsOf, resolveAccounts } from '../steps/deploy-accounts.ts';
import { imageInputProblems, registryReads } from '../steps/find-image.ts';
import { planTargetsBlindly } from '../steps/plan-blindly.ts';
import { readDocuments } from '../steps/prepare-deployment.ts';
import { movedTags, prepareFoundImage } from '../steps/prepare-found-image.ts';
import { planTargets, runTargets } from '../steps/run-targets.ts';
import { eachTarget, openTargets } from '../steps/targets.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { common, deploying, discovering, imageToDeploy, manyAccounts, registrySide, waves } from './shared-inputs.ts';

/** The outputs that tell a deployment; `release` has them too. */
export const deploymentOutputs = [
  'deployment-id',
  'deployment-status',
  'deployment-url',
  'task-definition-arn',
  'rollback-deployment-id',
  'changed',
  'deployments',
] as const;

export const deploy = defineMode({
  name: 'deploy',
  summary: 'Registers the task definition with the image pinned by digest, starts the blue/green deployment and follows it to its end.',
  inputs: { ...common, ...registrySide, ...deploying, ...imageToDeploy, ...manyAccounts, ...discovering, ...waves },
  outputs: [...deploymentOutputs, 'image-uri', 'plan'],
  check: (inputs) => [...accountProblems(inputs), ...imageInputProblems(inputs)],
  warn: (inputs) => [
    ...failFastWarnings(inputs),
    ...idleInputs(inputs),
    ...(inputs['deploy-accounts'] === 'discover'
      ? []
      : (['target-ous', 'organization-id', 'organization-role'] as const)
          .filter((name) => inputs[name] !== undefined && inputs[name].length > 0)
          .map((name) => `Input "${name}" is ignored: it is for deploy-accounts: discover.`)),
  ],
  run: async ({ inputs, ports, output, memory, signal }) => {
    const accounts = await resolveAccounts({ inputs, ports });
    const targets = openTargets({ inputsFor: (account) => inputsOf(inputs, account), accounts, ports });
    const each = { targets, 'max-parallel': inputs['max-parallel'], signal };
    // What this machine shows to be wrong is reported before any call to the accounts.
    const images = inputs.image.map(({ container, image }) => ({ container, repository: image.repository }));
    const documents = await eachTarget(each, async (target) => readDocuments({ ...target, images }));
    const registry = registryReads({ inputs, ports });
    const deployables = await eachTarget(each, async (target, index) =>
      prepareFoundImage({ ...target, documents: documents[index], registry }),
    );
    const moved = movedTags(deployables);
    if (moved.length > 0) throw new InputError(moved, { hint: 'Nothing was changed.' });
    const image = deployables[0]?.images[0];
    if (image) output('image-uri', formatImage(image));
    const all = { inputs, targets, deployables, ports, memory, signal, output };
    if (inputs['dry-run']) return tellPlan('deploy', [await planTargets(all)], { ports, output });
    await runTargets(all);
  },
  planBlindly: async ({ inputs, ports, output }) => {
    output('changed', 'false');
    return planTargetsBlindly({ inputs, inputsFor: (account) => inputsOf(inputs, account), images: inputs.image, ports });
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
