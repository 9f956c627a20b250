/** What `publishImage` would do with what was prepared; reads only. */
import { formatImage } from '../domain/image.ts';
import { digestOfBuild, type PlanPart, type PlannedTag } from '../domain/plan.ts';
import type { Ecr } from '../ports/ecr.ts';
import { digestOf, placeOf, platformsKnown, type PreparedPublish, type PublishedImage } from './publish-image.ts';

export interface PublishPlan {
  readonly part: PlanPart;
  /** The image as it would be; its tags are those that it has. */
  readonly image: PublishedImage;
  /** Whether the registry has it already. */
  readonly exists: boolean;
}

/** @throws AwsError where the caller could not even log in to push */
export async function planPublish(prepared: PreparedPublish, { ecr }: { ecr: Ecr }): Promise<PublishPlan> {
  const { repository, source, existing } = prepared;
  const known = digestOf(source);
  const digest = known ?? digestOfBuild;
  const tags = prepared.tags.map(({ tag }): PlannedTag => {
    const current = existing.get(tag);
    return { tag, change: current === undefined ? 'set' : current === digest ? 'keep' : 'move' };
  });
  const kept = tags.filter(({ change }) => change === 'keep').map(({ tag }) => tag);
  const isPush = source.kind === 'build' || (source.kind === 'layout' && kept.length < tags.length);
  const [there, platforms] = await Promise.all([
    known === undefined ? undefined : ecr.image(placeOf(repository), { digest: known }),
    platformsKnown({ ecr, prepared, digest: known }),
    isPush ? ecr.authorization() : undefined,
  ]);
  const exists = there !== undefined;
  const uri = formatImage({ host: repository.host, repository: repository.name, digest });
  const upload = exists ? [] : ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'];
  const actions = kept.length < tags.length ? [...upload, 'PutImage'] : [];
  return {
    part: {
      writes: actions.map((action) => ({ service: 'ecr', action, resource: repository.arn })),
      image: { uri, source: source.kind, exists, tags },
    },
    image: {
      host: repository.host,
      repository: repository.name,
      registryId: repository.registryId,
      digest,
      uri,
      tags: kept,
      pushed: false,
      platforms,
    },
    exists,
  };
}
