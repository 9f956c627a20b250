/**
 * The image that an author names, made whole: its registry's host, and its digest. Hosts come from what ECR answers, never from an
 * account and a Region glued together (RULES 5.4, 6.12).
 */
import type { Region } from '../domain/account.ts';
import { formatImage, hostOfAccount, parseEcrHost, type ImageReference } from '../domain/image.ts';
import type { Platform } from '../domain/oci.ts';
import type { PinnedImage } from '../domain/task-definition.ts';
import type { InputProblem } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import { checkImage, type ImageAnswer } from './check-image.ts';
import { openRegistry, registryAccount, type DeploySide, type RegistryInputs } from './sessions.ts';

export interface FoundImage {
  /** Undefined where a problem says why. */
  readonly image: PinnedImage | undefined;
  readonly platforms: readonly Platform[] | undefined;
  readonly problems: readonly InputProblem[];
  readonly warnings: readonly string[];
}

export interface FindRequest {
  readonly inputs: RegistryInputs & { readonly image: ImageReference };
  readonly side: DeploySide;
  readonly ports: Ports;
}

/** What the inputs alone show to be wrong. */
export function imageInputProblems(inputs: RegistryInputs & { readonly image: ImageReference }): readonly InputProblem[] {
  const { image } = inputs;
  const account = registryAccount(inputs);
  if (image.host === undefined) {
    return account === undefined
      ? [{ input: 'registry-id', problem: `is needed, or registry-role: the image ${formatImage(image)} names no registry` }]
      : [];
  }
  const owner = parseEcrHost(image.host)?.account;
  if (owner === undefined || account === undefined || owner === account) return [];
  return [{ input: 'image', problem: `is in the registry of ${owner}, and registry-id or registry-role says ${account}` }];
}

/** Looks for the image with the credentials of the account that is deployed to, which must be able to pull it. */
export async function findImage({ inputs, side, ports }: FindRequest): Promise<FoundImage> {
  const { image } = inputs;
  const known = image.host === undefined ? undefined : parseEcrHost(image.host);
  const registryId = known?.account ?? registryAccount(inputs);
  const region: Region = known?.region ?? inputs['aws-region'];
  const place = { repository: image.repository, registryId };
  const id = image.digest === undefined ? image.tag && { tag: image.tag } : { digest: image.digest };
  if (id === undefined) throw new Error('an image reference without tag and digest was parsed');
  const ecr = ports.ecr({ ...side.session, region });

  // A host that is not ECR's own, without an account: BatchGetImage would ask the caller's registry.
  const asking: Promise<ImageAnswer> =
    registryId === undefined
      ? Promise.resolve({
          canPull: 'unknown',
          warning: `Whether ${image.host ?? ''} lets the tasks pull can't be told: registry-id would say whose registry it is.`,
        })
      : checkImage({ ecr, place, id });
  const [answer, host, foreign] = await Promise.all([asking, hostOf({ inputs, side, ports }), foreignHost({ inputs, ports })]);
  if (foreign !== undefined)
    return { image: undefined, platforms: undefined, problems: [{ input: 'image', problem: foreign }], warnings: [] };
  const digest = image.digest ?? (answer.canPull === 'yes' ? answer.digest : await digestByRegistry({ inputs, ports }));

  const problems: InputProblem[] = [];
  if (answer.canPull === 'no') problems.push({ input: 'image', problem: answer.problem });
  else if (digest === undefined)
    problems.push({
      input: 'image',
      problem: `${formatImage(image)} can't be resolved to its digest; give it by digest, or registry-role`,
    });
  if (host === undefined)
    problems.push({
      input: 'image',
      problem: 'needs its registry: this registry’s host holds no account ID to replace; give the full URI, or registry-role',
    });
  return {
    image: digest === undefined || host === undefined ? undefined : { host, repository: image.repository, digest },
    platforms: answer.canPull === 'yes' ? answer.platforms : undefined,
    problems,
    warnings: answer.canPull === 'unknown' ? [answer.warning] : [],
  };
}

/** A host that is not ECR's by its form must be the one that the registry's own credentials are told: nobody else's is deployed unseen. */
async function foreignHost({ inputs, ports }: Pick<FindRequest, 'inputs' | 'ports'>): Promise<string | undefined> {
  const { host } = inputs.image;
  if (host === undefined || parseEcrHost(host) !== undefined || registryAccount(inputs) === undefined) return undefined;
  if (inputs['registry-role'] === undefined) return `is in ${host}, which is no ECR registry; give registry-role, or leave registry-id out`;
  const own = (await openRegistry({ inputs, ports }).ecr.authorization()).host;
  return own === host ? undefined : `is in ${host}, and the registry of registry-role is ${own}`;
}

/** The registry's host: the author's; else what the registry's own credentials are told; else that with the account put in. */
async function hostOf({ inputs, side, ports }: FindRequest): Promise<string | undefined> {
  if (inputs.image.host !== undefined) return inputs.image.host;
  if (inputs['registry-role'] !== undefined) return (await openRegistry({ inputs, ports }).ecr.authorization()).host;
  const account = registryAccount(inputs);
  const { host } = await ports.ecr({ ...side.session, region: inputs['aws-region'] }).authorization();
  return account === undefined ? undefined : hostOfAccount(host, account);
}

/** A tag that the deploy side may not read is read by the registry's own role. */
async function digestByRegistry({ inputs, ports }: Pick<FindRequest, 'inputs' | 'ports'>): Promise<PinnedImage['digest'] | undefined> {
  const { tag, repository } = inputs.image;
  if (inputs['registry-role'] === undefined || tag === undefined) return undefined;
  const found = await openRegistry({ inputs, ports }).ecr.manifest({ repository, registryId: registryAccount(inputs) }, { tag });
  return found.answer === 'found' ? found.digest : undefined;
}
