/**
 * The mark that a deployment of ours bears at the end of its description, by which it is known again – after a lost reply, in the post
 * step, by a later run (RULES 5.1):
 *
 *   <the author's text> [<workflow id>/<run>/<attempt>/<job>[/pr-<n>]#<nonce>]
 *
 *   workflow id   <owner>.<repository>:<workflow>, in letters, digits, ".", "_" and "-"
 *   nonce         letters and digits, never used twice
 *
 * A description holds 256 characters (the lower of two published limits, AWS-FACTS 3.2): the author's text is cut.
 *
 * ECS's own deployments have no description. There the mark is a tag of the task definition, `ecr-org-deploy`, with "@" for the "#" that
 * a tag can't hold (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html).
 */
import type { Tag } from './task-definition.ts';

export interface Marker {
  readonly workflow: string;
  readonly run: number;
  readonly attempt: number;
  readonly job: string;
  readonly pullRequest: number | undefined;
  readonly nonce: string;
}

export const longestDescription = 256;

/** Who deploys, as the runner tells it. */
export interface Deploying {
  /** `owner/name`. */
  readonly repository: string;
  readonly workflow: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly job: string;
}

export function markerOf(run: Deploying, { nonce, pullRequest }: { nonce: string; pullRequest: number | undefined }): Marker {
  return {
    workflow: workflowId(run),
    run: Number(run.runId) || 0,
    attempt: Number(run.runAttempt) || 1,
    job: slug(run.job, 30),
    pullRequest,
    nonce,
  };
}

export function workflowId({ repository, workflow }: Pick<Deploying, 'repository' | 'workflow'>): string {
  return `${slug(repository.replaceAll('/', '.'), 60)}:${slug(workflow, 30)}`;
}

/** A name that never repeats: the time and chance, as given. */
export function makeNonce({ now, random }: { now: number; random: () => number }): string {
  const chance = Array.from({ length: 10 }, () => Math.floor(random() * 36).toString(36)).join('');
  return `${now.toString(36)}x${chance}`;
}

export function formatMarker({ workflow, run, attempt, job, pullRequest, nonce }: Marker): string {
  return `${workflow}/${run}/${attempt}/${job}${pullRequest === undefined ? '' : `/pr-${pullRequest}`}#${nonce}`;
}

/** The author's text and the mark, together at most 256 characters. */
export function describe({ text, marker }: { text: string | undefined; marker: Marker }): string {
  const mark = `[${formatMarker(marker)}]`;
  if (text === undefined || text.trim() === '') return mark;
  const room = longestDescription - mark.length - 1;
  return `${cut(text.trim(), room)} ${mark}`.trimStart();
}

/** The mark at the end of a description; undefined where another made the deployment. */
export function parseMarker(description: string): Marker | undefined {
  const match = /\[([\w.-]+:[\w.-]+)\/(\d+)\/(\d+)\/([\w.-]+)(?:\/pr-(\d+))?#([a-z0-9]+)\]$/.exec(description);
  if (!match) return undefined;
  const [, workflow = '', run, attempt, job = '', pullRequest, nonce = ''] = match;
  return {
    workflow,
    run: Number(run),
    attempt: Number(attempt),
    job,
    pullRequest: pullRequest === undefined ? undefined : Number(pullRequest),
    nonce,
  };
}

/** What a rollback of ours says of itself, as the text before its mark. */
export function rollbackText(undone: string): string {
  return `Rollback of ${undone}`;
}

/** The ID of the deployment that a rollback of ours undoes; undefined for anything else. */
export function undoneBy(description: string): string | undefined {
  return parseMarker(description) && /^Rollback of (\S+) \[[^\s[]+\]$/.exec(description)?.[1];
}

/** The tag of a task definition that holds the mark of the run that registered it. */
export const markerTag = 'ecr-org-deploy';
/** Its tag that holds the ID of the deployment that it undoes. */
const rollbackTag = 'ecr-org-deploy-rollback-of';

/** Whether a tag is one of ours: it belongs to one deployment, and is not handed on to the next. */
export function isOwnTag({ key }: Tag): boolean {
  return key === markerTag || key === rollbackTag;
}

export function tagsOf({ marker, undoes }: { marker: Marker; undoes?: string | undefined }): readonly Tag[] {
  const mark = { key: markerTag, value: formatMarker(marker).replace('#', '@') };
  return undoes === undefined ? [mark] : [mark, { key: rollbackTag, value: undoes }];
}

/** The mark among a task definition's tags, as a description would hold it; empty where there is none. */
export function descriptionOfTags(tags: readonly Tag[]): string {
  const valueOf = (key: string): string | undefined => tags.find((tag) => tag.key === key)?.value;
  const [mark, undoes] = [valueOf(markerTag), valueOf(rollbackTag)];
  if (mark === undefined) return '';
  return `${undoes === undefined ? '' : `${rollbackText(undoes)} `}[${mark.replace('@', '#')}]`;
}

/** Whether a run is older than the one that made the newest deployment: the same workflow, an earlier run or attempt. */
export function isStale({ mine, newest }: { mine: Marker; newest: Marker | undefined }): boolean {
  if (newest?.workflow !== mine.workflow) return false;
  return mine.run < newest.run || (mine.run === newest.run && mine.attempt < newest.attempt);
}

/** Letters, digits, ".", "_" and "-" only. What is cut or changed gets a checksum, so that two names stay two. */
function slug(text: string, longest: number): string {
  const plain = text.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'none';
  if (plain === text && plain.length <= longest) return plain;
  const sum = checksum(text);
  return `${plain.slice(0, longest - sum.length - 1)}-${sum}`;
}

/** FNV-1a in 32 bits, in base 36: no secret, only short. http://www.isthe.com/chongo/tech/comp/fnv/ */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum.toString(36);
}

/** Cuts between characters, never inside one. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  if (longest < 2) return '';
  const shortened = text.slice(0, longest - 1);
  return `${/[\uD800-\uDBFF]$/.test(shortened) ? shortened.slice(0, -1) : shortened}…`;
}
