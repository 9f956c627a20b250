/**
 * The images that an author names, made whole: each with its registry's host, and its digest. Hosts come from what ECR answers, never
 * from an account and a Region glued together (RULES 5.4, 6.12).
 */
import type { AccountId, Region } from '../domain/account.ts';
import { formatImage, hostOfAccount, parseEcrHost, type Digest, type ImageReference } from '../domain/image.ts';
import type { ImageWish, ImageWishes } from '../domain/image-wish.ts';
import type { Platform } from '../domain/oci.ts';
import type { PinnedImage, TaskDefinition } from '../domain/task-definition.ts';
import type { InputProblem } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import type { ImageId } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import { checkPull, platformProblems, type ImageAnswer } from './check-image.ts';
import { openRegistry, registryAccount, type DeploySide, type RegistryInputs } from './sessions.ts';

export interface FoundImage {
  readonly wish: ImageWish;
  /** Undefined where a problem says why. */
  readonly image: PinnedImage | undefined;
  readonly platforms: readonly Platform[] | undefined;
  readonly problems: readonly InputProblem[];
  readonly warnings: readonly string[];
  /** What a reader should know, though nothing is wrong. */
  readonly notes: readonly string[];
}

export type FindInputs = RegistryInputs & { readonly image: ImageWishes };

export interface FindRequest {
  readonly inputs: FindInputs;
  readonly side: DeploySide;
  readonly ports: Ports;
  /** The registry's own side, where it is shared by several accounts that are deployed to. */
  readonly registry?: RegistryReads;
}

/** What the inputs alone show to be wrong. */
export function imageInputProblems(inputs: FindInputs): readonly InputProblem[] {
  const account = registryAccount(inputs);
  const homeless = inputs.image.filter(({ image }) => image.host === undefined && account === undefined);
  const strangers = inputs.image.flatMap(({ container, image }) => {
    const owner = parseEcrHost(image.host ?? '')?.account;
    // Lines of their own may be of any registry.
    return container !== undefined || owner === undefined || account === undefined || owner === account ? [] : [{ owner, account }];
  });
  return [
    ...homeless.slice(0, 1).map(({ image }) => ({
      input: 'registry-id',
      problem: `is needed, or registry-role: the image ${formatImage(image)} names no registry`,
    })),
    ...strangers.map(({ owner, account }) => ({
      input: 'image',
      problem: `is in the registry of ${owner}, and registry-id or registry-role says ${account}`,
    })),
  ];
}

/** What is wrong with the images, also with their platforms, where it is known what they are to run on. */
export function imageProblems(found: readonly FoundImage[], definition: TaskDefinition | undefined): readonly InputProblem[] {
  return found.flatMap(({ wish, problems, platforms }) => [
    ...problems,
    ...(definition
      ? platformProblems({ platforms, definition }).map((problem) => ({ input: 'image', problem: named(wish, problem) }))
      : []),
  ]);
}

/** Of several images it is said which one. */
export function named({ container }: ImageWish, text: string): string {
  return container === undefined ? text : `${container}: ${text}`;
}

/** Looks for the images with the credentials of the account that is deployed to, which must be able to pull them. */
export async function findImages(request: FindRequest): Promise<readonly FoundImage[]> {
  const registries = registriesOf(request);
  return Promise.all(
    request.inputs.image.map(async (wish) => {
      const found = await findImage(wish.image, { ...request, registries });
      return { ...found, wish, problems: found.problems.map((problem) => ({ input: 'image', problem: named(wish, problem) })) };
    }),
  );
}

/** What the registry's own credentials tell. */
export interface RegistryReads {
  /** The host of the registry side's own registry. */
  readonly ownHost: () => Promise<string>;
  /** What a tag names. */
  readonly digest: (image: ImageReference) => Promise<Digest | undefined>;
}

/** Asked once, for however many images and accounts. */
export function registryReads({ inputs, ports }: Pick<FindRequest, 'ports'> & { inputs: RegistryInputs }): RegistryReads {
  const registry = lazy(() => openRegistry({ inputs, ports }).ecr);
  const digests = new Map<string, Promise<Digest | undefined>>();
  const ask = async ({ tag, repository }: ImageReference): Promise<Digest | undefined> => {
    if (tag === undefined) return undefined;
    const found = await registry().manifest({ repository, registryId: registryAccount(inputs) }, { tag });
    return found.answer === 'found' ? found.digest : undefined;
  };
  return {
    ownHost: lazy(async () => (await registry().authorization()).host),
    digest: async (image) => {
      const name = formatImage(image);
      const asking = digests.get(name) ?? ask(image);
      digests.set(name, asking);
      return asking;
    },
  };
}

interface Registries extends RegistryReads {
  /** The host of the registry of the account that is deployed to. */
  readonly deployHost: () => Promise<string>;
}

/** Asked once, for however many images. */
function registriesOf({ inputs, side, ports, registry = registryReads({ inputs, ports }) }: FindRequest): Registries {
  return {
    ...registry,
    deployHost: lazy(async () => (await ports.ecr({ ...side.session, region: inputs['aws-region'] }).authorization()).host),
  };
}

interface Finding extends Omit<FoundImage, 'wish' | 'problems'> {
  readonly problems: readonly string[];
}

async function findImage(image: ImageReference, request: FindRequest & { registries: Registries }): Promise<Finding> {
  const { inputs, side, registries } = request;
  const { account, region } = homeOf(image, inputs);
  const [answer, host, foreign] = await Promise.all([
    askDeploySide(image, request),
    hostOf(image, request),
    foreignHost(image, { inputs, registry: registries }),
  ]);
  if (foreign !== undefined) return { image: undefined, platforms: undefined, problems: [foreign], warnings: [], notes: [] };
  const mayAskRegistry = inputs['registry-role'] !== undefined && account === registryAccount(inputs);
  const digest = image.digest ?? (answer.canPull === 'yes' ? answer.digest : mayAskRegistry ? await registries.digest(image) : undefined);

  const problems: string[] = [];
  if (answer.canPull === 'no') problems.push(answer.problem);
  else if (digest === undefined)
    problems.push(`${formatImage(image)} can't be resolved to its digest; give it by digest, or registry-role`);
  if (host === undefined)
    problems.push('needs its registry: this registry’s host holds no account ID to replace; give the full URI, or registry-role');
  const service = side.session.region;
  return {
    image: digest === undefined || host === undefined ? undefined : { host, repository: image.repository, digest },
    platforms: answer.canPull === 'yes' ? answer.platforms : undefined,
    problems,
    warnings: answer.canPull === 'unknown' ? [answer.warning] : [],
    notes:
      region === service
        ? []
        : [`The image ${formatImage(image)} is in ${region}, and the service in ${service}: the tasks pull it from there.`],
  };
}

/** Where an image is, as far as its name and the inputs say it. */
export function homeOf({ host }: ImageReference, inputs: FindInputs): { account: AccountId | undefined; region: Region } {
  const known = host === undefined ? undefined : parseEcrHost(host);
  return { account: known?.account ?? registryAccount(inputs), region: known?.region ?? inputs['aws-region'] };
}

async function askDeploySide(image: ImageReference, { inputs, side, ports }: FindRequest): Promise<ImageAnswer> {
  const { account, region } = homeOf(image, inputs);
  const id = imageIdOf(image);
  // A host that is not ECR's own, without an account: BatchGetImage would ask the caller's registry.
  if (account === undefined)
    return {
      canPull: 'unknown',
      warning: `Whether ${image.host ?? ''} lets the tasks pull can't be told: registry-id would say whose registry it is.`,
    };
  return checkPull({ session: side.session, region, ports, place: { repository: image.repository, registryId: account }, id });
}

/** @throws Error for what no author can write: neither tag nor digest */
export function imageIdOf({ tag, digest }: ImageReference): ImageId {
  if (digest !== undefined) return { digest };
  if (tag === undefined) throw new Error('an image reference without tag and digest was parsed');
  return { tag };
}

/** A host that is not ECR's by its form must be the one that the registry's own credentials are told: nobody else's is deployed unseen. */
export async function foreignHost(
  { host }: ImageReference,
  { inputs, registry }: Required<Pick<FindRequest, 'inputs' | 'registry'>>,
): Promise<string | undefined> {
  if (host === undefined || parseEcrHost(host) !== undefined || registryAccount(inputs) === undefined) return undefined;
  if (inputs['registry-role'] === undefined)
    return `is in ${host}, which is no ECR registry; give an image of one (mode: publish copies it there), registry-role if that is its host, or leave registry-id out`;
  const own = await registry.ownHost();
  return own === host
    ? undefined
    : `is in ${host}, and the registry of registry-role is ${own}; give an image of that one (mode: publish copies it there)`;
}

/** The registry's host: the author's; else what the registry's own credentials are told; else that with the account put in. */
async function hostOf(
  { host }: ImageReference,
  { inputs, registries }: FindRequest & { registries: Registries },
): Promise<string | undefined> {
  if (host !== undefined) return host;
  if (inputs['registry-role'] !== undefined) return registries.ownHost();
  const account = registryAccount(inputs);
  return account === undefined ? undefined : hostOfAccount(await registries.deployHost(), account);
}
