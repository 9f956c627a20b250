/**
 * The rules of `tags`, with the meaning that they have in `docker/metadata-action` (its README, "tags input"), and one of our own.
 *
 *   rule   = "type=" type *("," name "=" value)                      comma-separated values: a field may be quoted
 *   raw    value                                                      also as `type=raw,v1`
 *   ref    event = branch | tag | pr                                  the ref's name, with the prefix pr- for a pull request
 *   sha    format = short | long                                      the commit, with the prefix sha-
 *   semver pattern, value, match                                      of a version tag, or of `value`; a prerelease has only the full version
 *   tree   -                                                          the Git tree of the context, with the prefix tree-
 *   any    enable, priority, prefix, suffix
 *
 * `latest` is never added by itself: `type=raw,value=latest,enable={{is_default_branch}}` asks for it.
 */
import { parseCsv } from './csv.ts';
import { parseTag, type Tag } from './image.ts';
import { bad, ok, parseAll, type Parsed } from './parsed.ts';
import { parseSemver } from './semver.ts';
import { after, eventMeanings, fillTemplate, isRaw, shortRevision, versionMeanings } from './tag-template.ts';
import { kindOf, sanitise, shortTree, type TagEvent, type TagKind, type WantedTag } from './tags.ts';

const ruleTypes = ['raw', 'ref', 'sha', 'semver', 'tree'] as const;
type RuleType = (typeof ruleTypes)[number];

export interface Rule {
  readonly type: RuleType;
  readonly attributes: ReadonlyMap<string, string>;
  /** As it was written. */
  readonly text: string;
}

/** The tag of a rule; undefined where the rule has none for the event. */
export interface RuleResult {
  readonly tag: WantedTag | undefined;
  /** Why there is none, where the author should know. */
  readonly note?: string;
}

/** What a rule says before prefix and suffix are put around it. */
interface Value {
  readonly text?: string;
  /** Where the text alone does not tell. */
  readonly kind?: TagKind;
  readonly note?: string;
}

interface RuleKind {
  readonly priority: number;
  readonly attributes: readonly string[];
  readonly prefix?: string;
  /** What is wrong with the attributes, whatever the event. */
  readonly problem?: (get: Attributes) => string | undefined;
  readonly value: (get: Attributes, event: TagEvent) => Parsed<Value>;
}

type Attributes = (name: string) => string | undefined;

const nothing = ok<Value>({});

const kinds: Readonly<Record<RuleType, RuleKind>> = {
  semver: {
    priority: 900,
    attributes: ['pattern', 'value', 'match'],
    problem: (get) => (get('pattern') === undefined ? 'has no pattern, such as pattern={{version}}' : regexProblem(get('match'))),
    value: semverValue,
  },
  ref: {
    priority: 600,
    attributes: ['event'],
    problem: (get) => oneOf(get('event'), ['branch', 'tag', 'pr'], 'event'),
    value: (get, { ref }) => {
      const [start, kind] = get('event') === 'tag' ? (['refs/tags/', undefined] as const) : (['refs/heads/', 'moving'] as const);
      if (get('event') !== 'pr') return ok({ ...(kind && { kind }), ...textOf(after(ref, start)) });
      return ok({ kind: 'moving', ...textOf(after(ref, 'refs/pull/')?.replace(/\/merge$/, '')) });
    },
  },
  raw: {
    priority: 200,
    attributes: ['value'],
    problem: (get) => (get('value') === undefined ? 'has no value' : undefined),
    value: (get, event) => valueOf(get('value') ?? '', event),
  },
  sha: {
    priority: 100,
    attributes: ['format'],
    prefix: 'sha-',
    problem: (get) => (get('format') === undefined ? undefined : oneOf(get('format'), ['short', 'long'], 'format')),
    value: (get, event) => ok(textOf(get('format') === 'long' ? event.revision : shortRevision(event))),
  },
  tree: {
    priority: 100,
    attributes: [],
    prefix: 'tree-',
    value: (_, { tree }) => ok(textOf(tree === undefined ? undefined : shortTree(tree))),
  },
};

const commonAttributes = ['enable', 'priority', 'prefix', 'suffix'] as const;

export function parseRule(text: string): Parsed<Rule> {
  const [fields = []] = parseCsv(text);
  const pairs = fields.map((field): readonly [string, string] => {
    const [, name, value = ''] = /^([^=]+)=([^]*)$/.exec(field) ?? [];
    return name === undefined ? ['value', field.trim()] : [name.trim().toLowerCase(), value.trim()];
  });
  const { type: typeText = 'raw', ...rest } = Object.fromEntries(pairs) as Readonly<Record<string, string>>;
  const type = ruleTypes.find((known) => known === typeText);
  if (type === undefined)
    return bad(
      `"${text}": type=${typeText} is not one of ${ruleTypes.join(', ')}; tags that metadata-action makes can be given as they are`,
    );
  const attributes = new Map(Object.entries(rest));
  const known = [...kinds[type].attributes, ...commonAttributes];
  const strangers = [...attributes.keys()].filter((name) => !known.includes(name));
  const problem =
    strangers.length > 0
      ? `has no ${strangers.join(', ')}; it takes ${known.join(', ')}`
      : !/^-?\d+$/.test(attributes.get('priority') ?? '0')
        ? 'has a priority that is no number'
        : kinds[type].problem?.((name) => attributes.get(name));
  return problem === undefined ? ok({ type, attributes, text }) : bad(`"${text}" ${problem}`);
}

/** The higher, the earlier: the first tag is the image's version. */
export function priorityOf({ type, attributes }: Rule): number {
  return Number(attributes.get('priority') ?? kinds[type].priority);
}

/** That of a plain tag, which is `type=raw` to metadata-action. */
export const plainPriority = kinds.raw.priority;

/** What a rule says for an event. */
export function applyRule({ type, attributes, text }: Rule, event: TagEvent): Parsed<RuleResult> {
  const fill = (name: string, fallback: string): Parsed<string> => valueText(attributes.get(name) ?? fallback, event);
  const filled = parseAll(['enable', 'prefix', 'suffix'], (name) => fill(name, defaultOf({ type, attributes }, name)));
  if (!filled.ok) return bad(`"${text}": ${filled.problem}`);
  const [enable = '', prefix = '', suffix = ''] = filled.value;
  if (enable !== 'true' && enable !== 'false') return bad(`"${text}": enable is "${enable}", neither true nor false`);
  if (enable === 'false') return ok({ tag: undefined });
  const value = kinds[type].value((name) => attributes.get(name), event);
  if (!value.ok) return bad(`"${text}": ${value.problem}`);
  const { text: named, kind, note } = value.value;
  // As metadata-action: a rule without a value has no tag, and an empty value with nothing around it has none either.
  if (named === undefined || `${prefix}${named}${suffix}` === '') return ok({ tag: undefined, ...(note !== undefined && { note }) });
  const tag = parseTag(sanitise(`${prefix}${named}${suffix}`));
  return tag.ok ? ok({ tag: { tag: tag.value, kind: settledKind(tag.value, { kind, event }) } }) : bad(`"${text}": ${tag.problem}`);
}

/** A tag that names the commit or the tree does so by whatever rule it was made. */
function settledKind(tag: Tag, { kind, event }: { kind: TagKind | undefined; event: TagEvent }): TagKind {
  const own = kindOf(tag, event);
  return kind === undefined || own === 'commit' || own === 'tree' ? own : kind;
}

function defaultOf({ type, attributes }: Pick<Rule, 'type' | 'attributes'>, name: string): string {
  if (name === 'enable') return 'true';
  if (name !== 'prefix') return '';
  return kinds[type].prefix ?? (attributes.get('event') === 'pr' ? 'pr-' : '');
}

function semverValue(get: Attributes, event: TagEvent): Parsed<Value> {
  const given = get('value') ?? '';
  const tag = given === '' ? ok(after(event.ref, 'refs/tags/')) : valueText(given, event);
  if (!tag.ok || tag.value === undefined) return tag.ok ? nothing : tag;
  const match = get('match') ?? '';
  const matched = match === '' ? undefined : new RegExp(match).exec(tag.value);
  if (matched && matched[1] === undefined) return bad(`match=${match} has no group`);
  const text = (matched?.[1] ?? tag.value).replaceAll('/', '-');
  const version = parseSemver(text);
  if (!version) return ok({ note: `"${text}" is not a semantic version (semver.org), so ${get('pattern') ?? ''} gives no tag` });
  const pattern = get('pattern') ?? '';
  const own = version.isPrerelease && !isRaw(pattern) ? '{{version}}' : pattern;
  const filled = fillTemplate(own, versionMeanings(version));
  if (!filled.ok) return filled;
  const isWhole = /\{\{\s*(raw|version|patch)\s*\}\}/.test(own);
  return ok({ text: filled.value, ...(!isWhole && { kind: 'moving' as const }) });
}

function valueOf(template: string, event: TagEvent): Parsed<Value> {
  const text = valueText(template, event);
  return text.ok ? ok(textOf(text.value)) : text;
}

function valueText(template: string, event: TagEvent): Parsed<string> {
  return fillTemplate(template, eventMeanings(event));
}

function textOf(text: string | undefined): Value {
  return text === undefined ? {} : { text };
}

function oneOf(value: string | undefined, choices: readonly string[], name: string): string | undefined {
  return value !== undefined && choices.includes(value) ? undefined : `needs ${name} to be one of ${choices.join(', ')}`;
}

function regexProblem(pattern: string | undefined): string | undefined {
  try {
    new RegExp(pattern ?? '');
    return undefined;
  } catch (error) {
    return `has a match that is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
