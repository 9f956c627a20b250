/**
 * The tags of an image that suit an event (DESIGN 6.9), and what a tag is.
 *
 *   pull request     pr-<number>            moves with every push
 *                    pr-<number>-<sha 12>   names the head commit: what the author wrote, not GitHub's merge commit
 *   branch           <slug>                 moves;  sha-<sha 12>  names the commit
 *   version tag      1.2.3, 1.2, 1          of v1.2.3 (semver.org): the full version is fixed, its parts move;
 *                                           a prerelease has only the full version, and 0.x has no major tag
 *
 * What a tag is decides what happens when the repository has it already (RULES 5.14): a tag that names the commit or the tree is the
 * same image, so nothing is built; where tags can't move, a moving tag is left where it is, and any other may not change its image.
 */
import { parseTag, type Tag } from './image.ts';
import { bad, parseAll, type Parsed } from './parsed.ts';
import { parseSemver } from './semver.ts';
import { after, type TemplateEvent } from './tag-template.ts';

/**
 * `commit`: names the commit by 12 of its digits or more; `tree`: the Git tree of the context likewise. `moving`: made to be moved,
 * such as `latest`. `fixed`: any other.
 */
export type TagKind = 'commit' | 'tree' | 'moving' | 'fixed';

export interface WantedTag {
  readonly tag: Tag;
  readonly kind: TagKind;
}

/** The event, as far as tags depend on it. */
export interface TagEvent extends TemplateEvent {
  /** The commit that triggered the run; on pull requests the merge commit. */
  readonly sha: string;
  readonly pullRequest: { readonly number: number; readonly headSha: string } | undefined;
  /** The Git tree of the context, in hex digits; undefined where no rule asks for it. */
  readonly tree: string | undefined;
}

/** Whether a tag says what the image was made from, so that an image that has it need not be made again. */
export function namesSource({ kind }: WantedTag): boolean {
  return kind === 'commit' || kind === 'tree';
}

/** The tags that suit the event. */
export function defaultTags(event: TagEvent): Parsed<readonly Tag[]> {
  const texts = defaultTexts(event);
  return texts.length === 0 ? bad('is required: the event names neither a branch, a tag nor a pull request') : parseAll(texts, parseTag);
}

function defaultTexts({ ref, sha, pullRequest }: TagEvent): readonly string[] {
  if (pullRequest) return [pullRequestTag(pullRequest.number), `${pullRequestTag(pullRequest.number)}-${short(pullRequest.headSha)}`];
  const gitTag = after(ref, 'refs/tags/');
  if (gitTag !== undefined) return versionTags(gitTag) ?? present(slug(gitTag));
  const branch = after(ref, 'refs/heads/');
  const commit = isObjectName(sha) ? [`sha-${short(sha)}`] : [];
  return branch === undefined ? commit : [...present(slug(branch)), ...commit];
}

/** What a tag is, for this event. */
export function kindOf(tag: Tag, event: TagEvent): TagKind {
  if (namesCommit(tag, event)) return 'commit';
  if (event.tree !== undefined && names(tag, [event.tree])) return 'tree';
  const branch = after(event.ref, 'refs/heads/');
  const moves =
    tag === 'latest' ||
    /^pr-\d+$/.test(tag) ||
    /^v?\d{1,4}(\.\d{1,4})?$/.test(tag) ||
    (branch !== undefined && tag === slug(branch)) ||
    (event.pullRequest !== undefined && tag === pullRequestTag(event.pullRequest.number));
  return moves ? 'moving' : 'fixed';
}

/** How a repository treats tags that exist (ECR API: ImageTagMutability, ImageTagMutabilityExclusionFilter). */
export const tagMutabilities = ['MUTABLE', 'IMMUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION'] as const;

export interface TagRule {
  readonly mutability: (typeof tagMutabilities)[number];
  /** Wildcards such as `latest*`: the tags for which the opposite holds. */
  readonly exclusionFilters: readonly string[];
}

export function isTagMutability(text: string): text is TagRule['mutability'] {
  return tagMutabilities.some((known) => known === text);
}

/** Whether a tag keeps its image once it is there. */
export function isImmutable(tag: Tag, { mutability, exclusionFilters }: TagRule): boolean {
  const excluded = exclusionFilters.some((filter) => matches(filter, tag));
  switch (mutability) {
    case 'MUTABLE':
      return false;
    case 'IMMUTABLE':
      return true;
    case 'MUTABLE_WITH_EXCLUSION':
      return excluded;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !excluded;
  }
}

function matches(filter: string, tag: string): boolean {
  const pattern = filter.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(tag);
}

function namesCommit(tag: Tag, { sha, pullRequest }: TagEvent): boolean {
  return names(tag, [sha, pullRequest?.headSha ?? '']);
}

/** At least 12 hex digits of an object's name, not glued to other ones (RULES 5.14). */
function names(tag: Tag, objects: readonly string[]): boolean {
  const runs = tag.match(/(?<![0-9a-z])[0-9a-f]{12,}(?![0-9a-z])/g) ?? [];
  return runs.some((run) => objects.some((object) => isObjectName(object) && object.startsWith(run)));
}

function isObjectName(sha: string): boolean {
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha);
}

function pullRequestTag(number: number): string {
  return `pr-${number}`;
}

function short(sha: string): string {
  return sha.slice(0, 12);
}

/** The digits of a tree's name that its tag has. */
export function shortTree(tree: string): string {
  return short(tree);
}

/** What a tag can't hold becomes "-", as metadata-action does it. */
export function sanitise(text: string): string {
  return text.replace(/[^a-zA-Z0-9._-]+/g, '-');
}

/** A Git name as a tag, whatever it is. */
function slug(name: string): string {
  return sanitise(name)
    .replace(/^[.-]+/, '')
    .slice(0, 128);
}

function present(text: string): readonly string[] {
  return text === '' ? [] : [text];
}

/** The parts of a semantic version; undefined for any other Git tag. */
function versionTags(gitTag: string): readonly string[] | undefined {
  const version = parseSemver(gitTag);
  if (!version || version.isPrerelease) return version && [version.version];
  const { major, minor } = version;
  return [version.version, `${major}.${minor}`, ...(major === '0' ? [] : [major])];
}
