/**
 * The OR-ed values of one condition clause, sorted by form so that a statement of hundreds of OUs is decided by looking up:
 *
 *   exact    no wildcard
 *   placed   a path pattern that names a place (place.ts)
 *   rest     every other glob, decided by the automaton
 */
import { memo } from './memo.ts';
import { readerOf, type Answer, type Reader } from './automaton.ts';
import { matches, parseGlob, type Glob, type Reading } from './pattern.ts';
import { isPath, organizationIn, placeNamed } from './place.ts';
import type { Possible } from './words.ts';

export interface ValueSet {
  readonly exact: ReadonlyMap<string, Glob>;
  /** By place. */
  readonly placed: ReadonlyMap<string, Glob>;
  readonly rest: readonly Glob[];
  /** Values with a variable. */
  readonly variables: readonly string[];
  /** One of `placed` or `exact`, to name in a reason. */
  readonly first: string;
  /** The organizations that `exact` and `placed` name, as `o-…/`. */
  readonly organizations: ReadonlySet<string>;
  /** Reads one value. */
  readonly alone: (glob: Glob) => Reader;
  /** Reads the rest as one pattern, together with an exact value where one is given. */
  readonly together: (exact: Glob | undefined) => Reader;
}

export interface Judgement {
  readonly answer: Answer;
  /** The value that decided. */
  readonly by?: string;
  /** With `part`: one word that matches. */
  readonly witness?: string;
}

export function valueSet(texts: readonly string[], reading: Reading): ValueSet {
  const exact = new Map<string, Glob>();
  const placed = new Map<string, Glob>();
  const rest: Glob[] = [];
  const variables: string[] = [];
  const organizations = new Set<string>();
  for (const text of texts) {
    const glob = parseGlob(text, reading);
    if (!glob) {
      variables.push(text);
      continue;
    }
    const place = glob.literal ? undefined : placeNamed(text);
    if (glob.literal) exact.set(glob.head, glob);
    else if (place === undefined) rest.push(glob);
    else placed.set(place, glob);
    const named = organizationIn(glob.head);
    if (named !== '') organizations.add(named);
  }
  const [first] = [...placed.values(), ...exact.values()];
  return {
    exact,
    placed,
    rest,
    variables,
    first: first?.text ?? '',
    organizations,
    alone: memo((glob) => readerOf([glob])),
    together: memo((own) => readerOf(own ? [own, ...rest] : rest)),
  };
}

/** Do the words match one of the values? `precise` tells part from none where it costs time; without it both may read `varies`. */
export function judge(values: ValueSet, { possible, precise }: { possible: Possible; precise: boolean }): Judgement {
  const { literal, fixed } = possible;
  const hit = lookUp(possible, values);
  if (hit) return { answer: 'all', by: hit.text };
  const variable = values.variables[0];
  if (literal !== undefined && fixed) {
    const odd = reading(possible, values);
    if (odd?.answer === 'all') return odd;
    return variable === undefined ? none : { answer: 'unknown', by: variable };
  }
  const looked = precise ? remainder(possible, values) : estimate(possible, values);
  if (values.rest.length + values.exact.size === 0 && variable === undefined) return looked;
  const answers = [looked];
  if (variable !== undefined) answers.push({ answer: 'unknown', by: variable });
  const own = literal === undefined ? undefined : values.exact.get(literal);
  if (own) answers.push({ answer: 'part', by: own.text, witness: own.head });
  // What looking up left open: the odd globs, together with the exact value that could complete them.
  const odd = reading(possible, values, own);
  if (odd) answers.push(odd);
  return strongest(answers, precise ? ['all', 'part', 'unknown', 'varies'] : ['all', 'unknown', 'part', 'varies']);
}

/** The first judgement of the answer that comes first in `order`. */
export function strongest(judgements: readonly Judgement[], order: readonly Answer[]): Judgement {
  for (const wanted of judgements.length === 0 ? [] : order) {
    const found = judgements.find(({ answer }) => answer === wanted);
    if (found) return found;
  }
  return none;
}

/** A value that holds all the words, found without trying every value. */
function lookUp({ literal, fixed, places }: Possible, { exact, placed }: ValueSet): Glob | undefined {
  if (placed.size > 0) {
    for (const place of places()) {
      const found = placed.get(place);
      if (found) return found;
    }
  }
  return literal !== undefined && fixed ? exact.get(literal) : undefined;
}

/** What the automaton says of the rest. */
function reading(possible: Possible, { rest, alone, together }: ValueSet, own?: Glob): Judgement | undefined {
  if (rest.length === 0) return undefined;
  const relation = together(own)(possible);
  if (relation.answer !== 'all') return relation;
  const { literal } = possible;
  const by = rest.find((glob) => (literal === undefined || matches(glob, literal)) && alone(glob)(possible).answer === 'all');
  return { answer: 'all', by: by?.text ?? [...(own ? [own] : []), ...rest].map(({ text }) => text).join(', ') };
}

const [none, varies]: readonly [Judgement, Judgement] = [{ answer: 'none' }, { answer: 'varies' }];

/** Can there be a match at all among the values that were looked up in vain? Said roughly. */
function estimate({ literal, fixed, head }: Possible, { exact, placed, organizations, first }: ValueSet): Judgement {
  if (exact.size + placed.size === 0) return none;
  const organization = organizationIn(head);
  if (organization !== '' && organizations.size > 0 && !organizations.has(organization)) return none;
  if (literal !== undefined) return fixed ? none : varies;
  // The base is opaque: one of the values may name a parent, unless all of them are exact and the words go on.
  if (placed.size === 0 && !fixed) return varies;
  return { answer: 'unknown', by: first };
}

/** The same, value by value. */
function remainder(possible: Possible, { exact, placed, alone }: ValueSet): Judgement {
  const { base, head } = possible;
  const meets = (glob: Glob): boolean => glob.head.startsWith(head) || head.startsWith(glob.head);
  const answers: Judgement[] = [];
  for (const values of [exact, placed]) {
    for (const [place, glob] of values) {
      if (!meets(glob)) continue;
      if (glob.literal || isPath(place)) {
        const { answer, witness } = alone(glob)(possible);
        if (answer !== 'none') answers.push({ answer, by: glob.text, ...(witness === undefined ? {} : { witness }) });
      } else {
        // An OU wherever it lies: it is none of those that we know above us. It may be one that we don't know, or lie below us.
        const hidden = base.some((piece) => 'some' in piece && piece.some === 'ous');
        answers.push({ answer: hidden ? 'unknown' : 'varies', by: glob.text });
      }
    }
  }
  return strongest(answers, ['all', 'part', 'unknown', 'varies']);
}
