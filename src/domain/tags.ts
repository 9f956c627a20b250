/**
 * The tags of an image: those that the author wrote, or those that suit the event (DESIGN 6.9).
 *
 *   line of `tags`   tag *("," tag), or full references of this repository as metadata-action prints them: host/repository:tag
 *   pull request     pr-<number>            moves with every push
 *                    pr-<number>-<sha 12>   names the head commit: what the author wrote, not GitHub's merge commit
 *   branch           <slug>                 moves;  sha-<sha 12>  names the commit
 *   version tag      1.2.3, 1.2, 1          of v1.2.3 (semver.org): the full version is fixed, its parts move;
 *                                           a prerelease has only the full version, and 0.x has no major tag
 *
 * What a tag is decides what happens when an immutable repository has it already (RULES 5.14): a moving tag is left where it is,
 * a tag that names the commit is the same image, any other tag may not change its image.
 */
import { parseImageReference, parseTag, type RepositoryName, type Tag } from './image.ts';
import { bad, ok, parseAll, type Parsed } from './parsed.ts';

/** `commit`: names the commit by 12 of its digits or more. `moving`: made to be moved, such as `latest`. `fixed`: any other. */
export type TagKind = 'commit' | 'moving' | 'fixed';

export interface WantedTag {
  readonly tag: Tag;
  readonly kind: TagKind;
}

/** The event, as far as tags depend on it. */
export interface TagEvent {
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string;
  /** The commit that triggered the run; on pull requests the merge commit. */
  readonly sha: string;
  readonly pullRequest?: { readonly number: number; readonly headSha: string } | undefined;
}

/** One entry of `tags`; host and repository are compared when the registry has told them (RULES 6.2). */
export interface TagEntry {
  readonly tag: Tag;
  readonly of: { readonly host: string; readonly repository: RepositoryName } | undefined;
}

/** The lines of the input `tags`; commas separate too (RULES 6.3). */
export function parseTagEntries(lines: readonly string[]): Parsed<readonly TagEntry[]> {
  const entries = lines.flatMap((line) => (isRule(line) ? [line] : line.split(',')));
  return parseAll(
    entries.map((entry) => entry.trim()).filter((entry) => entry !== ''),
    parseTagEntry,
  );
}

function parseTagEntry(text: string): Parsed<TagEntry> {
  if (isRule(text)) return bad(`"${text}" is a rule; write the tag itself, or a full reference of this repository`);
  if (!text.includes('/')) {
    const tag = parseTag(text);
    return tag.ok ? ok({ tag: tag.value, of: undefined }) : tag;
  }
  const reference = parseImageReference(text);
  if (!reference.ok) return reference;
  const { host, repository, tag, digest } = reference.value;
  if (host === undefined) return bad(`"${text}" has no registry host; write the plain tag, or host/repository:tag`);
  if (tag === undefined || digest !== undefined) return bad(`"${text}" is not host/repository:tag`);
  return ok({ tag, of: { host, repository } });
}

function isRule(line: string): boolean {
  return /^\s*type=/.test(line);
}

/** The tags that the entries name, each once. A full reference must be of this repository, on this host. */
export function tagsOfRepository(
  entries: readonly TagEntry[],
  { host, repository }: { readonly host: string; readonly repository: RepositoryName },
): Parsed<readonly Tag[]> {
  const strangers = entries.flatMap(({ tag, of }) =>
    of === undefined || (of.host === host && of.repository === repository) ? [] : [`${of.host}/${of.repository}:${tag}`],
  );
  if (strangers.length > 0) return bad(`${strangers.join(', ')} ${strangers.length === 1 ? 'is' : 'are'} not of ${host}/${repository}`);
  return ok([...new Set(entries.map(({ tag }) => tag))]);
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
  const commit = isCommit(sha) ? [`sha-${short(sha)}`] : [];
  return branch === undefined ? commit : [...present(slug(branch)), ...commit];
}

/** What a tag is, for this event. */
export function kindOf(tag: Tag, event: TagEvent): TagKind {
  if (namesCommit(tag, event)) return 'commit';
  const branch = after(event.ref, 'refs/heads/');
  const moves =
    tag === 'latest' ||
    /^pr-\d+$/.test(tag) ||
    /^v?\d+(\.\d+)?$/.test(tag) ||
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

/** At least 12 hex digits of the commit, not glued to other ones (RULES 5.14). */
function namesCommit(tag: Tag, { sha, pullRequest }: TagEvent): boolean {
  const commits = [sha, pullRequest?.headSha ?? ''].filter(isCommit);
  const runs = tag.match(/(?<![0-9a-z])[0-9a-f]{12,}(?![0-9a-z])/g) ?? [];
  return runs.some((run) => commits.some((commit) => commit.startsWith(run)));
}

function isCommit(sha: string): boolean {
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha);
}

function pullRequestTag(number: number): string {
  return `pr-${number}`;
}

function short(sha: string): string {
  return sha.slice(0, 12);
}

/** A Git name as a tag, as metadata-action makes it: what a tag can't hold becomes "-". */
function slug(name: string): string {
  return name
    .replace(/[^a-zA-Z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128);
}

function present(text: string): readonly string[] {
  return text === '' ? [] : [text];
}

/** The parts of a semantic version; undefined for any other Git tag. */
function versionTags(gitTag: string): readonly string[] | undefined {
  const number = '(0|[1-9]\\d*)';
  const match = new RegExp(`^v?${number}\\.${number}\\.${number}(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$`).exec(gitTag);
  if (!match) return undefined;
  const [, major = '', minor = '', patch = '', prerelease] = match;
  const full = `${major}.${minor}.${patch}`;
  if (prerelease !== undefined) return [`${full}${prerelease}`];
  return [full, `${major}.${minor}`, ...(major === '0' ? [] : [major])];
}

function after(ref: string, prefix: string): string | undefined {
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined;
}
