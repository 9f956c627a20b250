// The OR-ed values of one condition clause, sorted by form so that a statement of hundreds of OUs is decided by look-up:
//
//   exact             no wildcard
//   below, anywhere   the two forms of path-form.ts
//   rest              every other glob, decided by the automaton
import { relation, type Answer } from './automaton.ts';
import { pathForm } from './path-form.ts';
import { matches, parseGlob, type Glob, type Reading } from './pattern.ts';
import type { Possible } from './words.ts';

export interface ValueSet {
  readonly exact: ReadonlyMap<string, Glob>;
  readonly below: ReadonlyMap<string, Glob>;
  readonly anywhere: ReadonlyMap<string, Glob>;
  readonly rest: readonly Glob[];
  /** Values with a variable. */
  readonly variables: readonly string[];
  /** One of `below`, `anywhere` or `exact`, to name in a reason. */
  readonly first: string;
  /** The organizations that `exact`, `below` and `anywhere` name. */
  readonly organizations: ReadonlySet<string>;
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
  const below = new Map<string, Glob>();
  const anywhere = new Map<string, Glob>();
  const rest: Glob[] = [];
  const variables: string[] = [];
  const organizations = new Set<string>();
  for (const text of texts) {
    const glob = parseGlob(text, reading);
    if (!glob) {
      variables.push(text);
      continue;
    }
    const form = glob.literal ? undefined : pathForm(text);
    if (glob.literal) exact.set(glob.head, glob);
    else if (form?.is === 'below') below.set(form.path, glob);
    else if (form) anywhere.set(`${form.organization}/${form.ou}`, glob);
    else rest.push(glob);
    const named = /^o-[a-z0-9]+\//.exec(glob.head)?.[0];
    if (named !== undefined) organizations.add(named);
  }
  const [first] = [...below.values(), ...anywhere.values(), ...exact.values()];
  return { exact, below, anywhere, rest, variables, first: first?.text ?? '', organizations };
}

/** Do the words match one of the values? `precise` tells part from none where it costs time; without it both may read `varies`. */
export function judge(values: ValueSet, { possible, precise }: { possible: Possible; precise: boolean }): Judgement {
  const { literal, fixed, head } = possible;
  const hit = lookUp(possible, values);
  if (hit) return { answer: 'all', by: hit.text };
  const variable = values.variables[0];
  if (literal !== undefined && fixed) {
    const matching = values.rest.find((glob) => matches(glob, literal));
    if (matching) return { answer: 'all', by: matching.text };
    return variable === undefined ? { answer: 'none' } : { answer: 'unknown', by: variable };
  }
  if (!precise && values.rest.length + values.exact.size === 0 && variable === undefined) return estimate(possible, values);
  const answers = [precise ? remainder(possible, values) : estimate(possible, values)];
  if (variable !== undefined) answers.push({ answer: 'unknown', by: variable });
  const own = literal === undefined ? undefined : values.exact.get(literal);
  if (own) answers.push({ answer: 'part', by: own.text, witness: own.head });
  // What look-ups left open: the automaton decides the odd globs, together with the exact value that could complete them.
  const odd = values.rest.length === 0 ? [] : values.rest.filter((glob) => glob.head.startsWith(head) || head.startsWith(glob.head));
  if (odd.length > 0)
    answers.push({ ...relation(possible.words(), own ? [own, ...odd] : odd), by: odd.map(({ text }) => text).join(', ') });
  return strongest(answers, precise ? ['all', 'part', 'unknown', 'varies'] : ['all', 'unknown', 'part', 'varies']);
}

function strongest(judgements: readonly Judgement[], order: readonly Answer[]): Judgement {
  if (judgements.length === 1) return judgements[0] ?? { answer: 'none' };
  return order.flatMap((answer) => judgements.find((judgement) => judgement.answer === answer) ?? [])[0] ?? { answer: 'none' };
}

/** A value that holds all the words, found without trying every value. */
function lookUp({ literal, fixed, places }: Possible, { exact, below, anywhere }: ValueSet): Glob | undefined {
  if (below.size > 0) {
    for (const path of places().above) {
      const found = below.get(path);
      if (found) return found;
    }
  }
  if (anywhere.size > 0) {
    for (const ou of places().ous) {
      const found = anywhere.get(ou);
      if (found) return found;
    }
  }
  return literal !== undefined && fixed ? exact.get(literal) : undefined;
}

/** Can there be a match at all among the values that were looked up in vain? Said roughly. */
function estimate({ literal, fixed, places }: Possible, values: ValueSet): Judgement {
  const { exact, below, anywhere, organizations } = values;
  if (exact.size + below.size + anywhere.size === 0) return none;
  const { organization } = places();
  if (organization !== undefined && organizations.size > 0 && !organizations.has(organization)) return none;
  if (literal !== undefined) return fixed ? none : varies;
  // The base is opaque: one of the values may name a parent, unless all of them are exact and the words go on.
  if (below.size + anywhere.size === 0 && !fixed) return varies;
  return { answer: 'unknown', by: values.first };
}

const [none, varies]: readonly [Judgement, Judgement] = [{ answer: 'none' }, { answer: 'varies' }];

/** The same, value by value. */
function remainder(possible: Possible, { exact, below, anywhere }: ValueSet): Judgement {
  const answers: Judgement[] = [];
  for (const glob of [...exact.values(), ...below.values(), ...anywhere.values()]) {
    if (!(glob.head.startsWith(possible.head) || possible.head.startsWith(glob.head))) continue;
    const { answer, witness } = relation(possible.words(), [glob]);
    // A path that is written out lies below ours for certain; an OU under "*" lies there only if the tree says so.
    const certain = answer === 'part' && (glob.literal || pathForm(glob.text)?.is === 'below');
    if (answer !== 'none')
      answers.push({
        answer: answer === 'part' && !certain ? 'varies' : answer,
        by: glob.text,
        ...(certain && witness !== undefined ? { witness } : {}),
      });
  }
  return strongest(answers, ['all', 'part', 'unknown', 'varies']);
}
