/**
 * Publishes an image: everything that can be checked first, then the build or the push, then every tag read back. The registry's
 * word is the result, and it must be the builder's (DESIGN 6.4).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import type { AccountId } from '../domain/account.ts';
import type { Assignment } from '../domain/docker-arguments.ts';
import { formatImage, type Digest, type RepositoryName, type Tag } from '../domain/image.ts';
import type { Platform } from '../domain/oci.ts';
import {
  defaultTags,
  isImmutable,
  kindOf,
  parseTagEntries,
  tagsOfRepository,
  type TagEntry,
  type TagEvent,
  type WantedTag,
} from '../domain/tags.ts';
import { AwsError, CommandError, InputError, type InputProblem } from '../errors.ts';
import type { DockerFacts } from '../ports/docker.ts';
import type { Ecr, EcrRepository, RepositoryPlace } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import type { OciLayout } from '../ports/oci-layout.ts';
import { imagePlatforms } from './image-platforms.ts';

/** The rows that a mode spreads: `repository`, `publishing` and `imageToPublish` of modes/shared-inputs.ts. */
export interface PublishInputs {
  readonly repository: RepositoryName;
  readonly context: string;
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly 'build-args': readonly Assignment[];
  readonly labels: readonly Assignment[];
  readonly tags: readonly string[];
  readonly image: { readonly ociLayout: string } | undefined;
}

export type PublishPorts = Pick<Ports, 'docker' | 'files' | 'github' | 'log' | 'ociRegistry'>;

/** Where the image comes from. */
export type Source =
  | { readonly kind: 'build'; readonly facts: DockerFacts }
  | { readonly kind: 'layout'; readonly layout: OciLayout }
  /** The repository holds it under a tag that names the commit and can't change: nothing is built (RULES 5.14). */
  | { readonly kind: 'reuse'; readonly digest: Digest };

export interface PreparedPublish {
  readonly inputs: PublishInputs;
  readonly repository: EcrRepository;
  /** Those that the image will have. */
  readonly tags: readonly WantedTag[];
  /** What tags name already. */
  readonly existing: ReadonlyMap<Tag, Digest>;
  readonly source: Source;
}

export interface PublishedImage {
  readonly host: string;
  readonly repository: RepositoryName;
  readonly registryId: AccountId;
  /** The registry's word. */
  readonly digest: Digest;
  /** `host/repository@sha256:…`. */
  readonly uri: string;
  readonly tags: readonly Tag[];
  /** Whether the image or a tag was pushed; false if all was there already. */
  readonly pushed: boolean;
  /** Undefined where they can't be known. */
  readonly platforms: readonly Platform[] | undefined;
}

/** What the inputs show to be wrong without a call: for a mode's `check`. */
export function checkPublish({ tags, platforms }: Pick<PublishInputs, 'tags' | 'platforms'>): readonly InputProblem[] {
  const entries = parseTagEntries(tags);
  const odd = platforms.filter((platform) => !/^[a-z0-9_.-]+\/[a-z0-9_.-]+(\/[a-z0-9_.-]+)?$/i.test(platform));
  return [
    ...(entries.ok ? [] : [{ input: 'tags', problem: entries.problem }]),
    ...odd.map((platform) => ({ input: 'platforms', problem: `"${platform}" is not a platform such as linux/amd64 or linux/arm64/v8` })),
  ];
}

export interface SourceRequest {
  readonly inputs: PublishInputs;
  readonly ports: PublishPorts;
}

export interface PrepareRequest extends SourceRequest {
  readonly source: Source;
  /** Undefined: the registry of the caller's own account. */
  readonly registryId: AccountId | undefined;
  readonly ecr: Ecr;
}

/**
 * Everything on AWS's side that can be checked before anything is built or pushed (DESIGN 6.5). Reads only.
 * @throws InputError for a repository that is not there, and for tags that can't be set
 */
export async function preparePublish({ inputs, source, registryId, ecr, ports }: PrepareRequest): Promise<PreparedPublish> {
  const place: RepositoryPlace = { repository: inputs.repository, registryId };
  const event = await tagEvent(ports);
  const { entries, kinds } = wanted(inputs.tags, event);
  const [repository, existing] = await Promise.all([ecr.repository(place), tagged({ ecr, place, tags: kinds })]);
  if (!repository) throw missingRepository(place);
  const named = tagsOfRepository(entries, { host: repository.host, repository: repository.name });
  if (!named.ok) throw new InputError([{ input: 'tags', problem: named.problem }]);
  return { inputs, repository, existing, ...settleTags({ source, repository, existing, tags: kinds, ports }) };
}

/** The tags that the inputs and the event give, before the repository was asked. */
export async function wantedTags({ inputs, ports }: SourceRequest): Promise<readonly Tag[]> {
  return wanted(inputs.tags, await tagEvent(ports)).kinds.map(({ tag }) => tag);
}

async function tagEvent({ github }: PublishPorts): Promise<TagEvent> {
  const { ref, sha } = github.run;
  return { ref, sha, pullRequest: await github.pullRequest() };
}

function wanted(lines: readonly string[], event: TagEvent): { entries: readonly TagEntry[]; kinds: readonly WantedTag[] } {
  const entries = parseTagEntries(lines);
  if (!entries.ok) throw new InputError([{ input: 'tags', problem: entries.problem }]);
  const given = [...new Set(entries.value.map(({ tag }) => tag))];
  const tags = given.length > 0 ? { ok: true as const, value: given } : defaultTags(event);
  if (!tags.ok) throw new InputError([{ input: 'tags', problem: tags.problem }]);
  return { entries: entries.value, kinds: tags.value.map((tag) => ({ tag, kind: kindOf(tag, event) })) };
}

async function tagged({ ecr, place, tags }: { ecr: Ecr; place: RepositoryPlace; tags: readonly WantedTag[] }): Promise<Map<Tag, Digest>> {
  const found = await Promise.all(tags.map(async ({ tag }) => [tag, await ecr.image(place, { tag })] as const));
  return new Map(found.flatMap(([tag, image]) => (image ? [[tag, image.digest]] : [])));
}

/**
 * Where the image comes from, checked on this machine: no call is made.
 * @throws InputError with all that the inputs have wrong; DocumentError for a broken layout; CommandError without an engine
 */
export async function findSource({ inputs, ports }: SourceRequest): Promise<Source> {
  const { docker, files, ociRegistry } = ports;
  if (inputs.image) return { kind: 'layout', layout: await ociRegistry.layout(files.resolve(inputs.image.ociLayout)) };
  const [context, dockerfile, facts] = await Promise.all([files.kind(inputs.context), files.kind(dockerfileOf(inputs)), docker.probe()]);
  const problems: InputProblem[] = [];
  if (context !== 'folder')
    problems.push({ input: 'context', problem: `there is no folder ${inputs.context}; check out the repository first` });
  else if (dockerfile !== 'file') problems.push({ input: 'file', problem: `there is no Dockerfile ${dockerfileOf(inputs)}` });
  if (inputs.platforms.length > 1 && facts.buildx === undefined)
    problems.push({
      input: 'platforms',
      problem: 'several platforms need buildx, which is not installed; run docker/setup-buildx-action first',
    });
  if (problems.length > 0) throw new InputError(problems);
  if (facts.engine === undefined) {
    throw new CommandError(`No Docker engine to build with: ${facts.problem ?? 'it did not answer'}`, {
      command: 'docker version',
      exitCode: 1,
      hint: 'Use a runner with Docker (ubuntu-latest has it), or give an image that is built already: image: oci:PATH.',
    });
  }
  return { kind: 'build', facts };
}

/** As `docker build` looks for it. */
function dockerfileOf({ context, file }: PublishInputs): string {
  return file ?? `${context.replace(/\/$/, '')}/Dockerfile`;
}

export function missingRepository({ repository, registryId }: RepositoryPlace): InputError {
  const where = registryId === undefined ? 'the registry of these credentials' : `the registry of ${registryId}`;
  return new InputError([{ input: 'repository', problem: `${repository} does not exist in ${where}` }], {
    hint: `Nothing was built or pushed. Create it (aws ecr create-repository --repository-name ${repository}, or mode: share with create-repository: true), or correct repository, registry-id or aws-region.`,
  });
}

interface Settling {
  readonly source: Source;
  readonly repository: EcrRepository;
  readonly existing: ReadonlyMap<Tag, Digest>;
  readonly tags: readonly WantedTag[];
  readonly ports: Pick<PublishPorts, 'log'>;
}

/**
 * What becomes of tags that an immutable repository has already (RULES 5.14): a moving one stays where it is; the image under one
 * that names the commit is this image; any other must name the same digest, which of a build nobody knows before it.
 */
function settleTags(settling: Settling): Pick<PreparedPublish, 'source' | 'tags'> {
  const { repository, existing, tags, ports } = settling;
  const held = tags.filter(({ tag }) => existing.has(tag) && isImmutable(tag, repository));
  const source = reused(settling, held) ?? settling.source;
  const digest = digestOf(source);
  const refused: string[] = [];
  const kept: WantedTag[] = [];
  for (const wanted of tags) {
    const { tag, kind } = wanted;
    const current = existing.get(tag);
    if (!held.includes(wanted) || current === digest) kept.push(wanted);
    else if (kind === 'moving') ports.log.notice(`Tag ${tag} stays on ${current ?? ''}: ${repository.name} does not let tags move.`);
    else refused.push(`${tag} is ${current ?? ''} already, and the new image is ${digest ?? 'not built yet, so it can’t be the same'}`);
  }
  if (refused.length > 0 || kept.length === 0) {
    const problem = refused.length > 0 ? refused.join('; ') : 'every one of them is taken already, and moves in no immutable repository';
    throw new InputError([{ input: 'tags', problem }], {
      hint: `Nothing was built or pushed: tags of ${repository.name} are immutable. Give a tag that names the commit (sha-<12 digits>), which is reused, or a new tag.`,
    });
  }
  return { source, tags: kept };
}

/** A build is not needed where the commit's own image is there and can't have changed. */
function reused({ source, existing, ports }: Settling, held: readonly WantedTag[]): Source | undefined {
  const byCommit = held.find(({ kind }) => kind === 'commit');
  const digest = byCommit && existing.get(byCommit.tag);
  if (source.kind !== 'build' || digest === undefined) return undefined;
  ports.log.info(`Nothing to build: ${byCommit?.tag ?? ''} is ${digest} already.`);
  return { kind: 'reuse', digest };
}

/** Undefined for a build: its digest is known after the push. */
export function digestOf(source: Source): Digest | undefined {
  switch (source.kind) {
    case 'build':
      return undefined;
    case 'layout':
      return source.layout.digest;
    case 'reuse':
      return source.digest;
  }
}

export interface PublishContext {
  readonly ecr: Ecr;
  readonly ports: PublishPorts;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/**
 * Pushes what was prepared and reads every tag back.
 * @throws CommandError for a failed build or push; AwsError where ECR refuses or holds another image than was pushed
 */
export async function publishImage(prepared: PreparedPublish, context: PublishContext): Promise<PublishedImage> {
  const { repository, tags, existing } = prepared;
  context.signal.throwIfAborted();
  const digest = await push(prepared, context);
  const platforms = await verified({ prepared, context, digest });
  const pushed = tags.some(({ tag }) => existing.get(tag) !== digest);
  const uri = formatImage({ host: repository.host, repository: repository.name, digest });
  context.ports.log.info(pushed ? `Pushed ${uri}` : `Nothing to push: ${uri} is there already, with every tag.`);
  return {
    host: repository.host,
    repository: repository.name,
    registryId: repository.registryId,
    digest,
    uri,
    tags: tags.map(({ tag }) => tag),
    pushed,
    platforms,
  };
}

async function push(prepared: PreparedPublish, context: PublishContext): Promise<Digest> {
  switch (prepared.source.kind) {
    case 'build':
      return pushBuild(prepared, prepared.source.facts, context);
    case 'layout':
      return pushLayout(prepared, prepared.source.layout, context);
    case 'reuse':
      return retag(prepared, prepared.source.digest, context);
  }
}

/** Builds with a Docker configuration of this step's own, which goes with it (RULES 5.13). */
async function pushBuild({ inputs, repository, tags }: PreparedPublish, facts: DockerFacts, context: PublishContext): Promise<Digest> {
  const { ecr, ports, memory, signal } = context;
  const { docker, files, log } = ports;
  const [login, folder] = await Promise.all([ecr.authorization(), files.temporaryFolder('ecr-org-deploy-build-')]);
  const undo: Cleanup = { kind: 'remove-folder', path: folder };
  memory.remember(undo);
  try {
    const config = await docker.isolate({ folder, hosts: [repository.host] });
    await docker.login({ config, host: repository.host, login });
    signal.throwIfAborted();
    const request = {
      context: files.resolve(inputs.context),
      file: files.resolve(dockerfileOf(inputs)),
      target: inputs.target,
      platforms: inputs.platforms,
      buildArgs: inputs['build-args'],
      labels: inputs.labels,
      references: tags.map(({ tag }) => `${repository.uri}:${tag}`),
    };
    const builder = facts.buildx === undefined ? 'docker build' : 'docker buildx build';
    return await log.group(`Build and push ${repository.uri} with ${builder}`, async () =>
      docker.buildAndPush(request, { config, facts, signal }),
    );
  } finally {
    await files.remove(folder);
    memory.forget(undo);
  }
}

async function pushLayout({ repository, tags, existing }: PreparedPublish, layout: OciLayout, context: PublishContext): Promise<Digest> {
  const missing = tags.flatMap(({ tag }) => (existing.get(tag) === layout.digest ? [] : [tag]));
  if (missing.length === 0) return layout.digest;
  const login = await context.ecr.authorization();
  const { host, name } = repository;
  context.ports.log.info(`Pushing ${layout.path} (${layout.blobs.length} blobs) to ${repository.uri} as ${missing.join(', ')}`);
  await context.ports.ociRegistry.push({ host, repository: name, login, layout, tags: missing, signal: context.signal });
  return layout.digest;
}

/** Further tags for an image that is there, by its own manifest, so that the digest stays (RULES 5.10). */
async function retag({ repository, tags, existing }: PreparedPublish, digest: Digest, { ecr }: PublishContext): Promise<Digest> {
  const missing = tags.filter(({ tag }) => existing.get(tag) !== digest);
  if (missing.length === 0) return digest;
  const place = placeOf(repository);
  const found = await ecr.manifest(place, { digest });
  if (found.answer !== 'found')
    throw notThere({ repository, digest, why: found.answer === 'denied' ? found.reason : 'it is not there any more' });
  for (const { tag } of missing) await ecr.putManifest(place, { ...found, tag });
  return digest;
}

/** Reads the image and every tag back, and its platforms beside. */
async function verified({
  prepared,
  context,
  digest,
}: {
  prepared: PreparedPublish;
  context: PublishContext;
  digest: Digest;
}): Promise<readonly Platform[] | undefined> {
  const { repository, tags } = prepared;
  const { ecr, ports } = context;
  const place = placeOf(repository);
  const [image, named, platforms] = await Promise.all([
    ecr.image(place, { digest }),
    tagged({ ecr, place, tags }),
    platformsKnown({ ecr, prepared, digest }),
  ]);
  if (!image) throw notThere({ repository, digest, why: 'the registry does not have it' });
  const others = tags.filter(({ tag }) => named.get(tag) !== digest);
  const lost = others.filter(({ kind, tag }) => kind !== 'moving' || !named.has(tag));
  if (lost.length > 0) {
    const list = lost.map(({ tag }) => `${tag} is ${named.get(tag) ?? 'missing'}`).join(', ');
    throw notThere({ repository, digest, why: `of its tags, ${list}` });
  }
  for (const { tag } of others)
    ports.log.warning(`Tag ${tag} was moved to ${named.get(tag) ?? ''} by another run meanwhile; this run goes on by digest.`);
  return platforms;
}

/** A layout tells its own; the others are asked of the registry. Undefined where nobody knows, as of what is not built yet. */
export async function platformsKnown({
  ecr,
  prepared: { repository, source },
  digest,
}: {
  ecr: Ecr;
  prepared: PreparedPublish;
  digest: Digest | undefined;
}): Promise<readonly Platform[] | undefined> {
  if (source.kind === 'layout') return source.layout.platforms;
  if (digest === undefined) return undefined;
  const place = placeOf(repository);
  const found = await ecr.manifest(place, { digest });
  return found.answer === 'found' ? imagePlatforms({ ecr, place, manifest: found }) : undefined;
}

function notThere({ repository, digest, why }: { repository: EcrRepository; digest: Digest; why: string }): AwsError {
  return new AwsError(`${repository.uri}@${digest} was pushed, but ${why}`, {
    service: 'ecr',
    operation: 'DescribeImages',
    code: 'ImageDigestMismatch',
    hint: 'Another run may have pushed the same tag at the same time, or a lifecycle policy removed it: run this again.',
  });
}

export function placeOf({ name, registryId }: EcrRepository): RepositoryPlace {
  return { repository: name, registryId };
}
