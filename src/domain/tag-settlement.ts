/**
 * What becomes of the tags that a repository has already (RULES 5.14). Decided for each repository on its own, for the image that will
 * be there; of a build nobody knows the digest before it.
 *
 *   the tag names           it can move             it can't
 *   this image              stays                   stays
 *   another one: moving     moves                   is left where it is, with a notice
 *     commit or tree        its image is taken again, and nothing is built; with on-existing-tag: fail an error
 *     any other             moves                   an error with both digests
 */
import type { Digest, Tag } from './image.ts';
import { isImmutable, namesSource, type TagRule, type WantedTag } from './tags.ts';

/** A repository, the tags that the image is to have there, and what tags name now. */
export interface Held {
  /** As a reader knows it. */
  readonly name: string;
  readonly rule: TagRule;
  readonly tags: readonly WantedTag[];
  readonly existing: ReadonlyMap<Tag, Digest>;
}

export type OnExistingTag = 'reuse' | 'fail';

/** An image that need not be made again. */
export interface Reusable {
  /** Which of the repositories holds it. */
  readonly index: number;
  readonly tag: Tag;
  readonly digest: Digest;
}

/** The first image that a tag of the commit or the tree names already. */
export function reusable(held: readonly Held[]): Reusable | undefined {
  const found = held.flatMap(({ tags, existing }, index) =>
    tags.filter(namesSource).flatMap(({ tag }) => {
      const digest = existing.get(tag);
      return digest === undefined ? [] : [{ index, tag, digest }];
    }),
  );
  return found[0];
}

export interface SettledTags {
  /** Those that the image will have. */
  readonly tags: readonly WantedTag[];
  readonly notices: readonly string[];
  readonly problems: readonly string[];
}

/** @param image its digest; undefined where it is not made yet */
export function settleTags(
  { name, rule, tags, existing }: Held,
  { image, onExisting }: { image: Digest | undefined; onExisting: OnExistingTag },
): SettledTags {
  const settled = { tags: [] as WantedTag[], notices: [] as string[], problems: [] as string[] };
  for (const wanted of tags) {
    const { tag, kind } = wanted;
    const current = existing.get(tag);
    const isFixed = isImmutable(tag, rule) || (namesSource(wanted) && onExisting === 'fail');
    if (current === undefined || current === image || !isFixed) settled.tags.push(wanted);
    else if (kind === 'moving') settled.notices.push(`Tag ${tag} stays on ${current}: ${name} does not let tags move.`);
    else
      settled.problems.push(
        `${tag} of ${name} is ${current} already, and the new image is ${image ?? 'not known by its digest, so it can’t be the same'}`,
      );
  }
  if (settled.tags.length === 0 && settled.problems.length === 0)
    settled.problems.push(`every one of them is taken in ${name}, where tags don’t move`);
  return settled;
}
