/**
 * The plans of a run without credentials: what the inputs, the event and the files of the checkout tell, and what only AWS could tell.
 * The author's files are read and checked as ever, for what is wrong in them can be mended in the pull request.
 */
import { accountOf } from '../domain/account.ts';
import { formatImage, type ImageReference, type RepositoryName } from '../domain/image.ts';
import { formatOuTarget } from '../domain/organization.ts';
import type { BlindPlan } from '../domain/plan.ts';
import type { Ports } from '../ports/index.ts';
import { readDocuments, type DeploymentInputs } from './prepare-deployment.ts';
import { digestOf, findSource, wantedTags, type PublishInputs } from './publish-image.ts';
import { openDeploy, registryAccount, type RegistryInputs } from './sessions.ts';
import { hasTargets, type ShareInputs } from './share-repository.ts';

/** `the registry of 111111111111 in eu-west-1`. */
export function registryPlace(inputs: RegistryInputs): string {
  return `the registry of ${registryAccount(inputs) ?? 'the job’s own account'} in ${inputs['aws-region']}`;
}

/** With the image as it would be called, for the steps and jobs that follow. */
export async function planPublishBlindly({
  inputs,
  ports,
}: {
  inputs: PublishInputs & RegistryInputs;
  ports: Ports;
}): Promise<BlindPlan & { readonly image: string }> {
  const [source, tags] = await Promise.all([findSource({ inputs, ports }), wantedTags({ inputs, ports })]);
  const { repository } = inputs;
  const digest = digestOf(source);
  const what = digest === undefined ? `${repository}, built from ${inputs.context}` : `${repository}@${digest}`;
  return {
    wished: [`the image ${what}, in ${registryPlace(inputs)}, with the tags ${tags.join(', ')}`],
    unknown: [
      `whether ${repository} is there, and which of the tags it has already`,
      ...(digest === undefined ? ['the digest of the build'] : []),
    ],
    image: formatImage(digest === undefined ? { repository, tag: tags[0] } : { repository, digest }),
  };
}

export function planShareBlindly(inputs: ShareInputs, repositories: readonly RepositoryName[]): BlindPlan {
  if (!hasTargets(inputs)) return { wished: [], unknown: [] };
  const services = inputs['target-services'].length === 0 ? '' : `${inputs['target-services'].join(' and ')} in `;
  const targets = [
    ...inputs['target-ous'].map((target) => `OU ${formatOuTarget(target)}`),
    ...inputs['target-accounts'].map((account) => `${services}account ${account}`),
    ...inputs['target-roles'],
  ];
  return {
    wished: targets.map((target) => `${inputs['share-actions'].join(', ')} on ${repositories.join(', ')} for ${target}`),
    unknown: ['what the repository policy covers already'],
  };
}

export async function planDeployBlindly({
  inputs,
  images,
  ports,
}: {
  inputs: DeploymentInputs;
  images: readonly BlindImage[];
  ports: Ports;
}): Promise<BlindPlan> {
  const wishes = images.map(({ container, image: { repository } }) => ({ container, repository }));
  await readDocuments({ inputs, side: openDeploy({ inputs, ports }), images: wishes, ports });
  const role = inputs['deploy-role'];
  const account = inputs['deploy-account-id'] ?? (role === undefined ? 'the job’s own account' : accountOf(role));
  const place = `${account} in ${inputs['deploy-region'] ?? inputs['aws-region']}`;
  return {
    wished: [`a deployment of ${images.map(named).join(', ')} to the service ${inputs.service} of cluster ${inputs.cluster}, in ${place}`],
    unknown: ['what runs there now, and whether a deployment is under way', 'whether the image is there and that account can pull it'],
  };
}

/** An image to deploy, as far as it is named yet. */
interface BlindImage {
  readonly container?: string | undefined;
  readonly image: Partial<ImageReference> & { readonly repository: RepositoryName };
}

function named({ container, image }: BlindImage): string {
  return container === undefined ? formatImage(image) : `${formatImage(image)} (${container})`;
}
