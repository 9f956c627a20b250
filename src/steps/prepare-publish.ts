/**
 * What is published, checked before anything is built or pushed: the source and the names on this machine, then repositories, tags and
 * images that exist (DESIGN 6.5). Reads only.
 */
import type { AccountId } from '../domain/account.ts';
import { formatImage, parseEcrHost, type Digest, type ImageReference, type RepositoryName, type Tag } from '../domain/image.ts';
import { reusable, settleTags, type Held, type OnExistingTag } from '../domain/tag-settlement.ts';
import { parseTagEntries, tagsOfHomes } from '../domain/tag-entries.ts';
import { isImmutable, type WantedTag } from '../domain/tags.ts';
import { InputError, type InputProblem } from '../errors.ts';
import type { Session } from '../ports/credentials.ts';
import type { EcrRepository, ImageRegistry, RegistryLogin, RepositoryPlace } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import { buildPaths, checkBuild } from './build-image.ts';
import { repositoryToBe, type CreatingInputs } from './create-repository.ts';
import { digestOf, findSource, foreignLogin, type GivenSource, type Source, type SourceInputs } from './find-source.ts';
import { nameImage, type ImageNames, type NamingPorts } from './name-image.ts';
import { together } from './together.ts';

/** The rows that a mode spreads: `repositories`, `creating`, `publishing` and `imageToPublish` of modes/shared-inputs.ts. */
export interface PublishInputs extends SourceInputs, CreatingInputs {
  /** The first is the one that is deployed. */
  readonly repository: readonly [RepositoryName, ...RepositoryName[]];
  readonly tags: readonly string[];
  readonly 'on-existing-tag': OnExistingTag;
}

export type PublishPorts = NamingPorts & Pick<Ports, 'docker' | 'ecr' | 'log' | 'ociRegistry'>;

/** What is to be published, as far as this machine knows it. */
export interface PublishWish {
  readonly source: GivenSource;
  readonly names: ImageNames;
}

/** One repository, and the tags that the image will have there. */
export interface Target {
  readonly repository: EcrRepository;
  /** It is still to be created. */
  readonly isNew: boolean;
  readonly tags: readonly WantedTag[];
  /** What tags name already. */
  readonly existing: ReadonlyMap<Tag, Digest>;
}

export interface PreparedPublish {
  readonly inputs: PublishInputs;
  /** The first is the one that is deployed. */
  readonly targets: readonly [Target, ...Target[]];
  readonly source: Source;
  readonly names: ImageNames;
}

/** What the inputs show to be wrong without a call: for a mode's `check`. */
export function checkPublish(inputs: PublishInputs): readonly InputProblem[] {
  const entries = parseTagEntries(inputs.tags);
  const twice = inputs.repository.filter((name, index) => inputs.repository.indexOf(name) !== index);
  return [
    ...(entries.ok ? [] : [{ input: 'tags', problem: entries.problem }]),
    ...twice.map((name) => ({ input: 'repository', problem: `${name} is given twice` })),
    ...checkBuild(inputs),
  ];
}

interface WishRequest {
  readonly inputs: PublishInputs;
  readonly ports: PublishPorts;
}

/**
 * Source and names, checked on this machine: no call is made.
 * @throws InputError with all that the inputs have wrong; DocumentError for a broken layout; CommandError without an engine
 */
export async function readWish({ inputs, ports }: WishRequest): Promise<PublishWish> {
  const paths = inputs.image === undefined ? buildPaths(inputs) : { folder: undefined, otherPaths: [] };
  const [source, names] = await together(
    ['context', findSource({ inputs, ports })],
    ['tags', nameImage({ inputs: { ...paths, tags: inputs.tags, labels: inputs.labels }, ports })],
  );
  return { source, names };
}

export interface PrepareRequest extends WishRequest {
  readonly wish: PublishWish;
  /** Undefined: the registry of the caller's own account. */
  readonly registryId: AccountId | undefined;
  readonly ecr: ImageRegistry;
  /** Of the registry's side. */
  readonly session: Session;
  readonly signal: AbortSignal;
}

/**
 * Everything on AWS's side that can be checked before anything is built or pushed (DESIGN 6.5). Reads only.
 * @throws InputError for repositories and images that are not there, and for tags that can't be set
 */
export async function preparePublish(request: PrepareRequest): Promise<PreparedPublish> {
  const { inputs, wish, registryId, ecr, session, ports } = request;
  const wanted = wish.names.tags.map(({ tag }) => tag);
  const find = async (repository: RepositoryName): Promise<Omit<Target, 'tags'>> => {
    const place = { repository, registryId };
    const [there, existing] = await Promise.all([ecr.repository(place), tagged({ ecr, place, tags: wanted })]);
    const undone = 'Nothing was built or pushed.';
    return { repository: there ?? (await repositoryToBe({ place, inputs, session, ecr, undone })), isNew: there === undefined, existing };
  };
  const found = await together(...inputs.repository.map((repository) => ['registry-role', find(repository)] as const));
  const [first, ...others] = targetsOf(found, wish.names);
  if (!first) throw new Error('a required list has an entry');
  const targets = [first, ...others] as const;
  const source = await resolveSource(wish.source, { ...request, home: first.repository });
  for (const note of wish.names.notes) ports.log.notice(note);
  return { inputs, names: wish.names, ...settle({ inputs, source, targets, ports }) };
}

function targetsOf(found: readonly Omit<Target, 'tags'>[], { tags }: ImageNames): readonly Target[] {
  const homes = found.map(({ repository }) => ({ host: repository.host, repository: repository.name }));
  const each = tagsOfHomes(tags, homes);
  if (!each.ok) throw new InputError([{ input: 'tags', problem: each.problem }]);
  return found.map((target, index) => ({ ...target, tags: each.value[index] ?? [] }));
}

/** What tags name, of those that are there. */
export async function tagged({
  ecr,
  place,
  tags,
}: {
  ecr: ImageRegistry;
  place: RepositoryPlace;
  tags: readonly Tag[];
}): Promise<Map<Tag, Digest>> {
  const found = await Promise.all([...new Set(tags)].map(async (tag) => [tag, await ecr.image(place, { tag })] as const));
  return new Map(found.flatMap(([tag, image]) => (image ? [[tag, image.digest]] : [])));
}

/** Those of a repository's tags that do not name the image yet. */
export function missingTags({ tags, existing }: Target, digest: Digest): readonly Tag[] {
  return tags.flatMap(({ tag }) => (existing.get(tag) === digest ? [] : [tag]));
}

/** An image of a registry is looked up; this one's stays where it is, another's is read to be copied. */
async function resolveSource(source: GivenSource, request: PrepareRequest & { readonly home: EcrRepository }): Promise<Source> {
  if (source.kind !== 'registry') return source;
  const { reference } = source;
  const { ecr, home } = request;
  const { repository, host = home.host } = reference;
  const id = reference.digest === undefined ? { tag: reference.tag as Tag } : { digest: reference.digest };
  // On the host of ECR Public are everybody's registries, each below its alias.
  const isHere = host === home.host && (ecr.service === 'ecr' || aliasOf(repository) === aliasOf(home.name));
  if (isHere) {
    const answer = await ecr.manifest({ repository, registryId: request.registryId }, id);
    if (answer.answer === 'found') return { kind: 'registry', repository, digest: answer.digest };
    throw answer.answer === 'denied' ? noImage(reference, answer.reason) : noImage(reference, `${host}/${repository} has no such image`);
  }
  const { ports, signal } = request;
  const login = await loginOf(host, request);
  const image = await ports.ociRegistry.read({ host, repository, login, reference: reference.digest ?? (reference.tag as Tag), signal });
  if (!image) throw noImage(reference, `${host} has no such image${login === undefined ? ' that anybody may read' : ''}`);
  return { kind: 'copy', image };
}

function aliasOf(repository: RepositoryName): string {
  return repository.split('/')[0] ?? '';
}

/** Another ECR registry of the Region takes the same token, one of another Region a token of there; any other what Docker has. */
async function loginOf(host: string, { session, ecr, ports }: PrepareRequest): Promise<RegistryLogin | undefined> {
  const region = parseEcrHost(host)?.region;
  if (region === undefined) return foreignLogin({ host, ports });
  return region === session.region && ecr.service === 'ecr' ? ecr.authorization() : ports.ecr({ ...session, region }).authorization();
}

function noImage(reference: ImageReference, why: string): InputError {
  return new InputError([{ input: 'image', problem: `${formatImage(reference)} can't be had: ${why}` }], {
    hint: 'Nothing was pushed. The image of the Docker engine is meant by docker:REFERENCE, an OCI layout by oci:PATH.',
  });
}

export interface Settling {
  readonly inputs: Pick<PublishInputs, 'on-existing-tag'>;
  readonly source: Source;
  readonly targets: PreparedPublish['targets'];
  readonly ports: Pick<PublishPorts, 'log'>;
  /** After a race for a tag was lost: the digest of what was made, as far as it is known. */
  readonly lost?: { readonly made: Digest | undefined };
}

/** What becomes of tags that exist: decided in domain/tag-settlement.ts, told here. */
export function settle(settling: Settling): Pick<PreparedPublish, 'source' | 'targets'> {
  const { inputs, targets, ports, lost } = settling;
  const source = reused(settling) ?? settling.source;
  const image = digestOf(source) ?? lost?.made;
  const onExisting = inputs['on-existing-tag'];
  const settled = targets.map((target) => settleTags(heldBy(target), { image, onExisting }));
  const problems = settled.flatMap((each) => each.problems);
  if (problems.length > 0) {
    throw new InputError([{ input: 'tags', problem: problems.join('; ') }], {
      hint: `${lost ? 'Another run was faster' : 'Nothing was built or pushed'}. Give a tag that names the commit by 12 of its digits or more (type=sha,format=long), which is reused with on-existing-tag: reuse, or a new tag.`,
    });
  }
  for (const notice of settled.flatMap(({ notices }) => notices)) ports.log.notice(notice);
  return { source, targets: mapTargets(targets, (target, index) => ({ ...target, tags: settled[index]?.tags ?? [] })) };
}

/** There is always a first one. */
export function mapTargets(
  [first, ...others]: PreparedPublish['targets'],
  change: (target: Target, index: number) => Target,
): PreparedPublish['targets'] {
  return [change(first, 0), ...others.map((target, index) => change(target, index + 1))];
}

function heldBy({ repository, tags, existing }: Target): Held {
  return { name: repository.name, rule: repository, tags, existing };
}

/**
 * Nothing is made where the commit's or the tree's own image is there. An image of the engine was made already: only where its tag can't
 * move does the one that is there stand for it.
 */
function reused({ inputs, source, targets, ports }: Settling): Source | undefined {
  if (inputs['on-existing-tag'] === 'fail' || (source.kind !== 'build' && source.kind !== 'local')) return undefined;
  const held = targets.map(heldBy).map((each) => ({
    ...each,
    tags: each.tags.filter(({ tag }) => source.kind === 'build' || isImmutable(tag, each.rule)),
  }));
  const found = reusable(held);
  const repository = found && targets[found.index]?.repository.name;
  if (!found || !repository) return undefined;
  const what = source.kind === 'build' ? 'Nothing to build' : `${source.reference} is not pushed`;
  ports.log.info(`${what}: ${repository}:${found.tag} is ${found.digest} already, and is taken again (on-existing-tag: reuse).`);
  return { kind: 'reuse', repository, digest: found.digest };
}

export function placeOf({ name, registryId }: EcrRepository): RepositoryPlace {
  return { repository: name, registryId };
}
