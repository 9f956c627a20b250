/** What `publishImage` would do with what was prepared; reads only. */
import { formatImage, type Digest } from '../domain/image.ts';
import { digestOfBuild, type PlannedImage, type PlannedTag, type PlannedWrite, type PlanPart } from '../domain/plan.ts';
import type { ImageRegistry } from '../ports/ecr.ts';
import { plannedCreation } from './create-repository.ts';
import { digestOf } from './find-source.ts';
import { placeOf, type PreparedPublish, type Target } from './prepare-publish.ts';
import { describeImage, type PublishedImage } from './publish-image.ts';

export interface PublishPlan {
  readonly part: PlanPart;
  /** The image as it would be; its tags are those that it has. */
  readonly image: PublishedImage;
  /** Whether the first repository has it already. */
  readonly exists: boolean;
}

/** @throws AwsError where the caller could not even log in to push */
export async function planPublish(prepared: PreparedPublish, { ecr }: { ecr: ImageRegistry }): Promise<PublishPlan> {
  const { source, targets } = prepared;
  const known = digestOf(source);
  const digest = known ?? digestOfBuild;
  const [planned, description] = await Promise.all([
    Promise.all(targets.map(async (target) => planTarget(target, { source, known, ecr }))),
    known === undefined ? { platforms: undefined, isIndex: false } : describeImage({ ecr, prepared, digest: known }),
  ]);
  // A push begins with a login; further tags for what a repository has need none.
  const isPush = planned.some(({ image, writes }) => writes.length > 0 && ('image' in source || !image.exists));
  if (isPush) await ecr.authorization();
  const [first, ...others] = targets;
  const { host, name: repository, registryId } = first.repository;
  const kept = (index: number) => planned[index]?.image.tags.flatMap(({ tag, change }) => (change === 'keep' ? [tag] : [])) ?? [];
  return {
    part: { writes: planned.flatMap(({ writes }) => writes), images: planned.map(({ image }) => image) },
    image: {
      ...{ host, repository, registryId, digest },
      uri: formatImage({ host, repository, digest }),
      tags: kept(0),
      pushed: false,
      ...description,
      others: others.map((target, index) => ({ repository: target.repository.name, tags: kept(index + 1) })),
    },
    exists: planned[0]?.image.exists === true,
  };
}

interface Planning {
  readonly source: PreparedPublish['source'];
  readonly known: Digest | undefined;
  readonly ecr: ImageRegistry;
}

async function planTarget(
  { repository, isNew, tags: wanted, existing }: Target,
  { source, known, ecr }: Planning,
): Promise<{ readonly image: PlannedImage; readonly writes: readonly PlannedWrite[] }> {
  const digest = known ?? digestOfBuild;
  const exists = known !== undefined && (await ecr.image(placeOf(repository), { digest: known })) !== undefined;
  const tags = wanted.map(({ tag }): PlannedTag => {
    const current = existing.get(tag);
    return { tag, change: current === undefined ? 'set' : current === digest ? 'keep' : 'move' };
  });
  const upload = exists ? [] : ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'];
  const actions = tags.every(({ change }) => change === 'keep') ? [] : [...upload, 'PutImage'];
  return {
    image: { uri: formatImage({ host: repository.host, repository: repository.name, digest }), source: source.kind, exists, tags },
    writes: [
      ...(isNew ? [plannedCreation(repository)] : []),
      ...actions.map((action) => ({ service: 'ecr', action, resource: repository.arn })),
    ],
  };
}
