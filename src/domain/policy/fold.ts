/**
 * At ECR's limit of 10,240 characters (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html),
 * values that another value covers are left out, but only inside the statements of one `policy-sid`: a value that a foreign
 * statement covers stays, since its owner may take it away. Whoever was let in still is.
 */
import { actionsWithin, type OwnStatement } from './grant.ts';
import { placeNamed, placesAround } from './place.ts';
import { contains, parseGlob, type Glob } from './pattern.ts';
import type { GrantKind } from './sid.ts';

export interface Folded {
  readonly statements: readonly OwnStatement[];
  /** What was left out, with the value that covers it. */
  readonly folded: readonly { readonly value: string; readonly into: string }[];
}

export function fold(statements: readonly OwnStatement[]): Folded {
  interface Entry {
    readonly at: number;
    readonly statement: OwnStatement;
    readonly value: string;
    readonly pattern: Pattern;
  }
  const entries = statements.flatMap((statement, at): Entry[] =>
    statement.values.map((value) => ({ at, statement, value, pattern: patternOf(value, statement.sid.kind) })),
  );
  const dropped = new Set<Entry>();
  const folded: { value: string; into: string }[] = [];
  for (const inner of entries) {
    const outer = entries.find(
      (other) =>
        other !== inner &&
        !dropped.has(other) &&
        other.statement.sid.kind === inner.statement.sid.kind &&
        actionsWithin(inner.statement, other.statement) &&
        // Of two equals the earlier stays.
        (other.value !== inner.value || other.at < inner.at || !actionsWithin(other.statement, inner.statement)) &&
        patternCovers(other.pattern, inner.pattern),
    );
    if (!outer) continue;
    dropped.add(inner);
    folded.push({ value: inner.value, into: outer.value });
  }
  const left = statements.map((statement, at) => {
    const gone = new Set([...dropped].filter((entry) => entry.at === at).map(({ value }) => value));
    return gone.size === 0 ? statement : { ...statement, values: statement.values.filter((value) => !gone.has(value)) };
  });
  return { statements: left.filter(({ values }) => values.length > 0), folded };
}

/** A value, read once. */
interface Pattern {
  readonly text: string;
  readonly place: string | undefined;
  /** The places that cover its own. */
  readonly around: ReadonlySet<string>;
  readonly glob: Glob | undefined;
}

function patternOf(text: string, kind: GrantKind): Pattern {
  if (kind !== 'OrgPaths') return { text, place: undefined, around: new Set(), glob: undefined };
  const place = placeNamed(text);
  const around = new Set(place === undefined ? [] : placesAround(place));
  return { text, place, around, glob: parseGlob(text, { version: undefined, wild: true }) };
}

function patternCovers(outer: Pattern, inner: Pattern): boolean {
  if (outer.text === inner.text) return true;
  if (outer.place !== undefined && inner.place !== undefined) return inner.around.has(outer.place);
  return outer.glob !== undefined && inner.glob !== undefined && contains([outer.glob], inner.glob);
}
