/**
 * The input `tags`, line by line, and the tags that it gives each repository.
 *
 *   line        rule, or entries separated by commas; a line that begins with "#" is a comment
 *   rule        has a "=" in it: tag-rules.ts
 *   entry       tag, or host/repository:tag as metadata-action prints it: only for that repository
 *
 * Tags are in the order of their rules' priorities, as metadata-action puts them: the first is the image's version.
 */
import { formatImage, parseImageReference, parseTag, type RepositoryName, type Tag } from './image.ts';
import { bad, ok, parseAll, type Parsed } from './parsed.ts';
import { applyRule, parseRule, plainPriority, priorityOf, type Rule } from './tag-rules.ts';
import { defaultTags, kindOf, type TagEvent, type WantedTag } from './tags.ts';

/** A repository on its host; hosts are compared when the registry has told them (RULES 6.2). */
export interface Home {
  readonly host: string;
  readonly repository: RepositoryName;
}

export type TagEntry =
  | { readonly kind: 'plain'; readonly tag: Tag; /** Undefined: of every repository. */ readonly of: Home | undefined }
  | { readonly kind: 'rule'; readonly rule: Rule };

/** A tag, and whose it is; undefined: every repository's. */
export interface EventTag extends WantedTag {
  readonly of: Home | undefined;
}

export interface EventTags {
  readonly tags: readonly EventTag[];
  /** What an author should know about rules that gave no tag. */
  readonly notes: readonly string[];
}

/** Every problem of the lines at once. */
export function parseTagEntries(lines: readonly string[]): Parsed<readonly TagEntry[]> {
  const entries = lines.filter((line) => !line.startsWith('#')).flatMap((line) => (line.includes('=') ? [line] : line.split(',')));
  return parseAll(
    entries.map((entry) => entry.trim()).filter((entry) => entry !== ''),
    parseTagEntry,
  );
}

function parseTagEntry(text: string): Parsed<TagEntry> {
  if (text.includes('=')) {
    const rule = parseRule(text);
    return rule.ok ? ok({ kind: 'rule', rule: rule.value }) : rule;
  }
  if (!text.includes('/')) {
    const tag = parseTag(text);
    return tag.ok ? ok({ kind: 'plain', tag: tag.value, of: undefined }) : tag;
  }
  const reference = parseImageReference(text);
  if (!reference.ok) return reference;
  const { host, repository, tag, digest } = reference.value;
  if (host === undefined) return bad(`"${text}" has no registry host; write the plain tag, or host/repository:tag`);
  if (tag === undefined || digest !== undefined) return bad(`"${text}" is not host/repository:tag`);
  return ok({ kind: 'plain', tag, of: { host, repository } });
}

/** Whether an entry asks for the Git tree of the context. */
export function wantsTree(entries: readonly TagEntry[]): boolean {
  return entries.some((entry) => entry.kind === 'rule' && entry.rule.type === 'tree' && entry.rule.attributes.get('enable') !== 'false');
}

/** The tags that the entries give for an event; without any entry those that suit it. */
export function tagsOfEvent(entries: readonly TagEntry[], event: TagEvent): Parsed<EventTags> {
  if (entries.length === 0) {
    const tags = defaultTags(event);
    return tags.ok ? ok({ tags: tags.value.map((tag) => ({ tag, kind: kindOf(tag, event), of: undefined })), notes: [] }) : tags;
  }
  const results = entries.toSorted((one, other) => priority(other) - priority(one)).map((entry) => resultOf(entry, event));
  const problems = results.flatMap((result) => (result.ok ? [] : [result.problem]));
  if (problems.length > 0) return bad(problems.join('; '));
  const given = results.flatMap((result) => (result.ok ? [result.value] : []));
  const tags = given.flatMap(({ tag }) => (tag ? [tag] : []));
  const notes = given.flatMap(({ note }) => (note === undefined ? [] : [note]));
  if (tags.length > 0) return ok({ tags, notes });
  const why = notes.length > 0 ? `: ${notes.join('; ')}` : '; add one that does, such as type=sha,format=long';
  return bad(`no rule has a tag for this event (${event.eventName} of ${event.ref || 'no ref'})${why}`);
}

function priority(entry: TagEntry): number {
  return entry.kind === 'rule' ? priorityOf(entry.rule) : plainPriority;
}

function resultOf(entry: TagEntry, event: TagEvent): Parsed<{ readonly tag: EventTag | undefined; readonly note?: string }> {
  if (entry.kind === 'plain') return ok({ tag: { tag: entry.tag, kind: kindOf(entry.tag, event), of: entry.of } });
  const result = applyRule(entry.rule, event);
  if (!result.ok) return result;
  const { tag, ...rest } = result.value;
  return ok({ ...rest, tag: tag && { ...tag, of: undefined } });
}

/** The tags of each repository, each once. A full reference must be of one of them, and each of them needs a tag. */
export function tagsOfHomes(tags: readonly EventTag[], homes: readonly Home[]): Parsed<readonly (readonly WantedTag[])[]> {
  const strangers = tags.filter(({ of }) => of !== undefined && !homes.some((home) => isSame(home, of)));
  if (strangers.length > 0) {
    const names = strangers.map(({ of, tag }) => (of ? formatImage({ ...of, tag }) : tag));
    return bad(`${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not of ${homes.map(formatHome).join(', ')}`);
  }
  const each = homes.map((home) => unique(tags.filter(({ of }) => of === undefined || isSame(home, of))));
  const without = homes.filter((_, index) => each[index]?.length === 0);
  return without.length > 0 ? bad(`has no tag for ${without.map(formatHome).join(', ')}`) : ok(each);
}

function formatHome({ host, repository }: Home): string {
  return `${host}/${repository}`;
}

function isSame(one: Home, other: Home): boolean {
  return one.host === other.host && one.repository === other.repository;
}

function unique(tags: readonly EventTag[]): readonly WantedTag[] {
  return [...new Map(tags.map(({ tag, kind }) => [tag, { tag, kind }])).values()];
}
