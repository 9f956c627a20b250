/**
 * Whether the account that is deployed to can pull an image, and whether the image runs on the tasks' platform: asked with that account's
 * own credentials before anything is written there, instead of a CannotPullContainerError minutes later.
 *
 * A policy alone can't decide it – registry policies, SCPs, RCPs and VPC endpoints have a say – so it is tried: BatchGetImage, with
 * three answers (RULES 5.16).
 */
import type { Region } from '../domain/account.ts';
import type { Digest, Tag } from '../domain/image.ts';
import { formatPlatform, formatPlatforms, type Platform } from '../domain/oci.ts';
import { platformWish, type TaskDefinition } from '../domain/task-definition.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr, RepositoryPlace } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import { imagePlatforms } from './image-platforms.ts';

export interface ImageCheck {
  /** With the credentials of the side that is deployed to. */
  readonly ecr: Ecr;
  readonly place: RepositoryPlace;
  readonly id: { readonly digest: Digest } | { readonly tag: Tag };
  /** The image's Region, where the service is in another one. */
  readonly elsewhere?: Region | undefined;
}

export type ImageAnswer =
  | {
      readonly canPull: 'yes';
      readonly digest: Digest;
      /** Undefined where they can't be known. */
      readonly platforms: readonly Platform[] | undefined;
    }
  | { readonly canPull: 'no'; readonly problem: string }
  | { readonly canPull: 'unknown'; readonly warning: string };

export async function checkImage({ ecr, place, id, elsewhere }: ImageCheck): Promise<ImageAnswer> {
  const found = await ecr.manifest(place, id);
  const where = `${place.registryId === undefined ? '' : ` in ${place.registryId}`}${elsewhere === undefined ? '' : ` (${elsewhere})`}`;
  const what = 'digest' in id ? `${place.repository}@${id.digest}` : `${place.repository}:${id.tag}`;
  switch (found.answer) {
    case 'found':
      return { canPull: 'yes', digest: found.digest, platforms: await imagePlatforms({ ecr, place, manifest: found }) };
    case 'missing':
      return { canPull: 'no', problem: `there is no image ${what}${where}` };
    case 'denied':
      return denied({ what: `${what}${where}`, reason: found.reason });
  }
}

/** `checkImage` by the side that is deployed to, for an image of a Region. */
export async function checkPull({
  session,
  region,
  ports,
  ...question
}: Pick<ImageCheck, 'place' | 'id'> & {
  readonly session: Session;
  readonly region: Region;
  readonly ports: Pick<Ports, 'ecr'>;
}): Promise<ImageAnswer> {
  const elsewhere = region === session.region ? undefined : region;
  return checkImage({ ...question, ecr: ports.ecr({ ...session, region }), elsewhere });
}

/** Which policy refused is told by IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function denied({ what, reason }: { what: string; reason: string }): ImageAnswer {
  if (/resource-based policy/.test(reason)) {
    return {
      canPull: 'no',
      problem: `the account that is deployed to may not pull ${what}: the repository policy does not allow it. Share the repository with its OU (mode: share); where only named roles may pull, name the deploy role too. ${reason}`,
    };
  }
  return {
    canPull: 'unknown',
    warning: `Whether the tasks can pull ${what} can't be told: the deploy role itself may not (ecr:BatchGetImage). ${reason}`,
  };
}

/** Why the image does not run on the tasks' platform; nothing where it does, or where either is unknown. */
export function platformProblems({
  platforms: known,
  definition,
}: {
  platforms: readonly Platform[] | undefined;
  definition: TaskDefinition;
}): readonly string[] {
  const wish = platformWish(definition);
  if (!wish || !known || known.length === 0) return [];
  if (known.some(({ os, architecture }) => os === wish.os && architecture === wish.architecture)) return [];
  return [
    `is for ${formatPlatforms(known)}, and the tasks of ${definition.family} run on ${formatPlatform(wish)} (runtimePlatform); build it for that platform`,
  ];
}
