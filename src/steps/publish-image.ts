/**
 * Publishes one image to one or several repositories: one build or push, then every tag of every repository read back. The registry's
 * word is the result, and it must be the builder's (DESIGN 6.4).
 */
import type { AccountId } from '../domain/account.ts';
import { pushedDigest } from '../domain/build-failure.ts';
import { formatImage, parseDigest, type Digest, type RepositoryName, type Tag } from '../domain/image.ts';
import { formatPlatforms, isIndex, type Platform } from '../domain/oci.ts';
import { AwsError, CommandError } from '../errors.ts';
import type { EcrRepository, ImageRegistry } from '../ports/ecr.ts';
import { createRepository } from './create-repository.ts';
import { deliver, notThere, type PublishContext } from './deliver-image.ts';
import { digestOf } from './find-source.ts';
import { imagePlatforms } from './image-platforms.ts';
import { mapTargets, missingTags, placeOf, settle, tagged, type PreparedPublish, type Target } from './prepare-publish.ts';

/** The image in the first repository. */
export interface PublishedImage {
  readonly host: string;
  readonly repository: RepositoryName;
  readonly registryId: AccountId;
  /** The registry's word. */
  readonly digest: Digest;
  /** `host/repository@sha256:…`. */
  readonly uri: string;
  readonly tags: readonly Tag[];
  /** Whether the image or a tag was pushed anywhere; false if all was there already. */
  readonly pushed: boolean;
  /** Undefined where they can't be known. */
  readonly platforms: readonly Platform[] | undefined;
  /** Whether it is an index: of several platforms, or of one and its attestations. */
  readonly isIndex: boolean;
  /** The further repositories, each with the same image. */
  readonly others: readonly { readonly repository: RepositoryName; readonly tags: readonly Tag[] }[];
}

/**
 * Pushes what was prepared and reads every tag back.
 * @throws CommandError for a failed build or push; AwsError where ECR refuses or holds another image than was pushed; InputError where
 * another run took a tag meanwhile that can't move
 */
export async function publishImage(prepared: PreparedPublish, context: PublishContext): Promise<PublishedImage> {
  const { ecr, ports, signal } = context;
  signal.throwIfAborted();
  const { digest, ...done } = await push(await createMissing(prepared, context), context);
  const [found] = await Promise.all([describeImage({ ecr, prepared: done, digest }), verify({ targets: done.targets, digest, context })]);
  const [first, ...others] = done.targets;
  const { host, name, registryId } = first.repository;
  for (const target of done.targets) {
    const { repository } = target;
    const there = formatImage({ host, repository: repository.name, digest });
    ports.log.info(
      missingTags(target, digest).length > 0 ? `Pushed ${there}` : `Nothing to push: ${there} is there already, with every tag.`,
    );
  }
  if (found.isIndex) ports.log.info(`It is an index: ${formatPlatforms(found.platforms ?? []) || 'of platforms that it does not name'}.`);
  return {
    host,
    repository: name,
    registryId,
    digest,
    uri: formatImage({ host, repository: name, digest }),
    tags: first.tags.map(({ tag }) => tag),
    pushed: done.targets.some((target) => missingTags(target, digest).length > 0),
    ...found,
    others: others.map(({ repository, tags }) => ({ repository: repository.name, tags: tags.map(({ tag }) => tag) })),
  };
}

/** The repositories that are not there yet are made now, one after the other: nothing else is left to be checked. */
async function createMissing(prepared: PreparedPublish, { creator, ports }: PublishContext): Promise<PreparedPublish> {
  const { inputs, targets } = prepared;
  const there: EcrRepository[] = [];
  for (const { repository, isNew } of targets)
    there.push(isNew ? await createRepository({ place: placeOf(repository), inputs, ecr: creator, log: ports.log }) : repository);
  return { ...prepared, targets: mapTargets(targets, (target, index) => ({ ...target, repository: there[index] ?? target.repository })) };
}

/** A run that loses the race for a tag looks again, once: the winner's image may be this very one, or stand for it. */
async function push(prepared: PreparedPublish, context: PublishContext): Promise<PreparedPublish & { readonly digest: Digest }> {
  try {
    return { ...prepared, digest: await deliver(prepared, context) };
  } catch (error) {
    if (context.signal.aborted || !isTagTaken(error)) throw error;
    const { ecr, ports } = context;
    ports.log.info('Another run took a tag meanwhile that can’t move: looking again.');
    const looked = await Promise.all(
      prepared.targets.map(async ({ repository, tags }) => tagged({ ecr, place: placeOf(repository), tags: tags.map(({ tag }) => tag) })),
    );
    const targets = mapTargets(prepared.targets, (target, index) => ({ ...target, existing: looked[index] ?? new Map<Tag, Digest>() }));
    const made = error instanceof CommandError ? parseDigest(pushedDigest(error.output) ?? '') : undefined;
    const lost = { made: made?.ok === true ? made.value : undefined };
    const settled = { ...prepared, ...settle({ ...prepared, targets, ports, lost }) };
    const again =
      lost.made !== undefined && digestOf(settled.source) === undefined ? { ...settled, source: madeTwice(targets, lost.made) } : settled;
    const digest = await deliver(again, context);
    // What was there at the beginning tells whether this run pushed anything.
    const former = mapTargets(again.targets, (target, index) => ({
      ...target,
      existing: prepared.targets[index]?.existing ?? target.existing,
    }));
    return { ...again, targets: former, digest };
  }
}

/** Both runs made the same image: it is taken from where it is. */
function madeTwice(targets: PreparedPublish['targets'], digest: Digest): PreparedPublish['source'] {
  const holder: Target = targets.find(({ existing }) => [...existing.values()].includes(digest)) ?? targets[0];
  return { kind: 'registry', repository: holder.repository.name, digest };
}

/** The registry says so in its answer to a push, Docker in what it prints of that. */
function isTagTaken(error: unknown): boolean {
  if (error instanceof AwsError)
    return error.code === 'ImageTagAlreadyExistsException' || /tag is immutable|TAG_INVALID/i.test(error.message);
  return error instanceof CommandError && /immutable/i.test(error.output);
}

interface Verification {
  readonly targets: PreparedPublish['targets'];
  readonly digest: Digest;
  readonly context: PublishContext;
}

/** Reads the image and every tag of every repository back. */
async function verify({ targets, digest, context: { ecr, ports } }: Verification): Promise<void> {
  await Promise.all(
    targets.map(async ({ repository, tags }) => {
      const place = placeOf(repository);
      const [image, named] = await Promise.all([ecr.image(place, { digest }), tagged({ ecr, place, tags: tags.map(({ tag }) => tag) })]);
      if (!image) throw notThere({ repository, digest, why: 'the registry does not have it' });
      const others = tags.filter(({ tag }) => named.get(tag) !== digest);
      const lost = others.filter(({ kind, tag }) => kind !== 'moving' || !named.has(tag));
      if (lost.length > 0) {
        const list = lost.map(({ tag }) => `${tag} is ${named.get(tag) ?? 'missing'}`).join(', ');
        throw notThere({ repository, digest, why: `of its tags, ${list}` });
      }
      for (const { tag } of others)
        ports.log.warning(`Tag ${tag} was moved to ${named.get(tag) ?? ''} by another run meanwhile; this run goes on by digest.`);
    }),
  );
}

/** What kind of image it is: as the source tells it, else the registry. Nothing is known of what is not there. */
export async function describeImage({
  ecr,
  prepared: { source, targets },
  digest,
}: {
  ecr: ImageRegistry;
  prepared: Pick<PreparedPublish, 'source' | 'targets'>;
  digest: Digest;
}): Promise<Pick<PublishedImage, 'platforms' | 'isIndex'>> {
  if ('image' in source) return { platforms: source.image.platforms, isIndex: isIndex(source.image.manifests.at(-1)?.mediaType ?? '') };
  const repository = source.kind === 'registry' || source.kind === 'reuse' ? source.repository : targets[0].repository.name;
  const place = { ...placeOf(targets[0].repository), repository };
  const manifest = await ecr.manifest(place, { digest });
  if (manifest.answer !== 'found') return { platforms: undefined, isIndex: false };
  return { platforms: await imagePlatforms({ ecr, place, manifest }), isIndex: isIndex(manifest.mediaType) };
}
