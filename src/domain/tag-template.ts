/**
 * The templates of tag rules: text with `{{expression}}`s, as `docker/metadata-action` has them (its README, "Global expressions" and
 * `type=semver`).
 *
 *   template    = *( text / "{{" expression "}}" )
 *   expression  = name [ 'format' ] [ tz='zone' ]          only `date` and `commit_date` take a format
 *
 * What else Handlebars knows (blocks, helpers, comments) is refused by name.
 */
import { formatDate } from './date-format.ts';
import { bad, ok, parseAll, type Parsed } from './parsed.ts';
import type { SemanticVersion } from './semver.ts';

/** What the expressions are about. */
export interface TemplateEvent {
  readonly eventName: string;
  readonly ref: string;
  /** The commit that `sha` means. */
  readonly revision: string;
  /** How many digits of it a short one has. */
  readonly shortShaLength: number;
  readonly defaultBranch: string | undefined;
  /** The branch that a pull request goes into. */
  readonly baseRef: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly commitTime: number | undefined;
}

/** What follows the name of a date. */
interface Expression {
  readonly format: string;
  readonly zone: string;
}

type Meaning = (expression: Expression) => Parsed<string>;

/** A text with its expressions filled in. */
export function fillTemplate(template: string, meanings: Readonly<Record<string, Meaning>>): Parsed<string> {
  const pieces = template.split(/(\{\{[^]*?\}\})/);
  const filled = parseAll(pieces, (piece) => meaningOf(piece, meanings));
  return filled.ok ? ok(filled.value.join('')) : filled;
}

/** Whether a pattern is nothing but `{{raw}}`: then a prerelease keeps its own spelling. */
export function isRaw(pattern: string): boolean {
  return /^\{\{\s*raw\s*\}\}$/.test(pattern);
}

/** The expressions of a semver pattern. */
export function versionMeanings(version: SemanticVersion): Readonly<Record<string, Meaning>> {
  const { raw, major, minor, patch } = version;
  return Object.fromEntries(
    Object.entries({ raw, version: version.version, major, minor, patch }).map(([name, text]) => [name, () => ok(text)]),
  );
}

/** The expressions of `value`, `prefix`, `suffix` and `enable`. */
export function eventMeanings(event: TemplateEvent): Readonly<Record<string, Meaning>> {
  const { ref, revision, baseRef, now, commitTime } = event;
  const isDefault = isDefaultBranch(event);
  const isBased = /^refs\/(tags|pull)\//.test(ref);
  return {
    branch: () => ok(after(ref, 'refs/heads/') ?? ''),
    tag: () => ok(after(ref, 'refs/tags/') ?? ''),
    sha: () => ok(shortRevision(event)),
    base_ref: () => ok((isBased ? baseRef : undefined) ?? ''),
    is_default_branch: () => ok(String(isDefault)),
    is_not_default_branch: () => ok(String(!isDefault)),
    date: ({ format, zone }) => formatDate({ time: now, format, zone }),
    commit_date: ({ format, zone }) =>
      commitTime === undefined
        ? bad(`{{commit_date}} is not known: neither the event nor the checkout tells when ${revision} was made`)
        : formatDate({ time: commitTime, format, zone }),
  };
}

export function shortRevision({ revision, shortShaLength }: Pick<TemplateEvent, 'revision' | 'shortShaLength'>): string {
  return revision.slice(0, shortShaLength);
}

/** What follows a prefix; undefined for any other text. */
export function after(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** Some events always are about the default branch's last commit. */
function isDefaultBranch({ eventName, ref, defaultBranch }: TemplateEvent): boolean {
  const branch = after(ref, 'refs/heads/') ?? ref;
  if (branch === '') return false;
  return branch === defaultBranch || /create|discussion|issues|schedule/.test(eventName);
}

/** `piece` is `{{…}}`, or text in between. */
function meaningOf(piece: string, meanings: Readonly<Record<string, Meaning>>): Parsed<string> {
  if (!piece.includes('{{')) return ok(piece);
  const [, name = '', rest = ''] = /^\{\{\s*(\w+)((?:\s[^]*)?)\}\}$/.exec(piece) ?? [];
  const meaning = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
  if (!meaning) {
    const known = Object.keys(meanings).map((each) => `{{${each}}}`);
    return bad(`"${piece}" is not one of ${known.join(', ')}`);
  }
  if (!name.endsWith('date'))
    return rest.trim() === '' ? meaning({ format: '', zone: '' }) : bad(`"${piece}" takes nothing after its name`);
  const given = /^\s+(['"])(.*?)\1(?:\s+tz=(['"])(.*?)\3)?\s*$/.exec(rest);
  if (!given) return bad(`"${piece}" is not {{${name} 'format'}} or {{${name} 'format' tz='zone'}}`);
  return meaning({ format: given[2] ?? '', zone: given[4] ?? 'UTC' });
}
