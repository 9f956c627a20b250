/**
 * The plans of a run without credentials: what the inputs, the event and the files of the checkout tell, and what only AWS could tell.
 * The author's files are read and checked as ever, for what is wrong in them can be mended in the pull request.
 */
import { accountOf } from '../domain/account.ts';
import { cutWaves, type WaveSize } from '../domain/fan-out.ts';
import { formatImage, type ImageReference, type RepositoryName } from '../domain/image.ts';
import { formatOuTarget } from '../domain/organization.ts';
import type { BlindPlan } from '../domain/plan.ts';
import type { Ports } from '../ports/index.ts';
import { planAfterPushBlindly, type AfterPushInputs } from './after-push.ts';
import { givenAccounts, type AccountsInputs, type TargetAccount, type TargetInputs } from './deploy-accounts.ts';
import { readDocuments, type DeploymentInputs } from './prepare-deployment.ts';
import { readWish, type PublishInputs, type PublishWish } from './prepare-publish.ts';
import { openDeploy, registryAccount, type RegistryInputs } from './sessions.ts';
import { hasTargets, type ShareInputs } from './share-repository.ts';

/** `the registry of 111111111111 in eu-west-1`. */
export function registryPlace(inputs: RegistryInputs): string {
  const owner = registryAccount(inputs) ?? 'the job’s own account';
  return inputs['registry-type'] === 'public' ? `the public registry of ${owner}` : `the registry of ${owner} in ${inputs['aws-region']}`;
}

/** With the image as it would be called, for the steps and jobs that follow. */
export async function planPublishBlindly({
  inputs,
  ports,
}: {
  inputs: PublishInputs & RegistryInputs & AfterPushInputs;
  ports: Ports;
}): Promise<BlindPlan & { readonly image: string }> {
  const { source, names } = await readWish({ inputs, ports });
  const [first, ...others] = inputs.repository;
  const tags = names.tags.map(({ tag }) => tag);
  const digest = source.kind === 'layout' ? source.image.digest : undefined;
  const list = inputs.repository.join(', ');
  const after = planAfterPushBlindly(inputs);
  return {
    wished: [
      `the image ${sourceInWords(source, inputs.context)}, to ${list} in ${registryPlace(inputs)}, with the tags ${tags.join(', ')}`,
      ...after.wished,
    ],
    unknown: [
      `whether ${list} ${others.length === 0 ? 'is' : 'are'} there, and which of the tags ${others.length === 0 ? 'it has' : 'they have'} already`,
      ...(digest === undefined ? ['the digest of the image'] : []),
      ...after.unknown,
    ],
    image: formatImage(digest === undefined ? { repository: first, tag: tags[0] } : { repository: first, digest }),
  };
}

function sourceInWords(source: PublishWish['source'], context: string): string {
  switch (source.kind) {
    case 'build':
      return `built from ${context}`;
    case 'local':
      return `${source.reference} of the Docker engine`;
    case 'layout':
      return source.image.digest;
    case 'registry':
      return formatImage(source.reference);
  }
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

/** Of a fan-out the accounts that are named; those of OUs only Organizations knows. */
export async function planTargetsBlindly({
  inputs,
  inputsFor,
  images,
  ports,
}: {
  inputs: AccountsInputs & TargetInputs & { readonly waves?: readonly WaveSize[] };
  inputsFor: (account?: TargetAccount) => DeploymentInputs;
  images: readonly BlindImage[];
  ports: Ports;
}): Promise<BlindPlan> {
  const accounts = givenAccounts(inputs);
  if (!accounts) {
    return {
      wished: inputs['target-ous'].map(
        (target) => `a deployment of ${images.map(named).join(', ')} to every active account of ${formatOuTarget(target)}`,
      ),
      unknown: ['which accounts those are, and all that differs between them'],
    };
  }
  if (accounts.length === 0) return planDeployBlindly({ inputs: inputsFor(), images, ports });
  const waves = cutWaves(accounts, inputs.waves ?? []);
  const plans = await Promise.all(
    accounts.map(async (account) => planDeployBlindly({ inputs: inputsFor(account), images, ports, member: account })),
  );
  return {
    wished: [
      ...plans.flatMap(({ wished }) => wished),
      ...(waves.length > 1 ? [`that in ${waves.length} waves, of ${waves.map(({ length }) => length).join(', ')} accounts`] : []),
    ],
    unknown: [...new Set(plans.flatMap(({ unknown }) => unknown))],
  };
}

async function planDeployBlindly({
  inputs,
  images,
  ports,
  member,
}: {
  inputs: DeploymentInputs;
  images: readonly BlindImage[];
  ports: Ports;
  member?: TargetAccount;
}): Promise<BlindPlan> {
  const wishes = images.map(({ container, image: { repository } }) => ({ container, repository }));
  await readDocuments({ inputs, side: openDeploy({ inputs, ports }), images: wishes, ports, member });
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
