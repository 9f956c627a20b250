/**
 * Language inclusion, exactly: how do all words that may occur lie to what a set of globs matches? The words are `base · tail`:
 * the base is one fixed word of which we may not know all (the parents of an OU), the tail differs from request to request (the
 * OUs below it). Both are automata; the globs run beside them as sets of positions (subset construction), so that a union of
 * globs is one pattern. The answer is
 *
 *   all      whatever the base is, every word matches
 *   none     whatever the base is, no word matches
 *   part     whatever the base is, some words match (`witness` is the shortest) and some don't
 *   unknown  with one base every word matches, with another not
 *   varies   anything else: never all, sometimes none
 */
import { one, run, type Token } from './token.ts';
import type { Glob } from './pattern.ts';

/** `on` holds the characters of an edge; without it the edge takes any character. */
export interface Edge {
  readonly on: string | undefined;
  readonly to: number;
}
export interface Automaton {
  /** The first is where it starts. */
  readonly nodes: readonly { readonly edges: readonly Edge[] }[];
  /** Every node must lead here in the end. */
  readonly end: number;
}

export interface Words {
  readonly base: Automaton;
  readonly tail: Automaton;
}

export type Answer = 'all' | 'part' | 'none' | 'varies' | 'unknown';
export interface Relation {
  readonly answer: Answer;
  readonly witness?: string;
}

/** The automaton of the empty word. */
export const nothing: Automaton = { nodes: [{ edges: [] }], end: 0 };

/** Beyond so many steps the answer is "unknown": globs of many wildcards could take exponentially long. */
const patience = 20_000;

/** Behind the last token of a glob. */
const end: unique symbol = Symbol('end');

/** A character that no glob names. */
const other = '\u{10FFFF}';

/** Where the globs stand after a part of a word: one state of their common deterministic automaton, built as it is walked. */
interface State {
  readonly id: number;
  readonly positions: readonly number[];
  readonly accepts: boolean;
  /** Nothing can match any more, or a closing `*` is reached and everything does: the rest of the word needn't be read. */
  readonly settled: boolean;
  readonly next: Map<string, State>;
}

/** A state at the automaton's end, with the shortest word that leads there. */
interface End {
  readonly state: State;
  readonly word: string;
}

export function relation(words: Words, globs: readonly Glob[]): Relation {
  const reader = readerOf(globs);
  let steps = 0;
  const explore = (automaton: Automaton, from: State): End[] | undefined => {
    const ends = new Map<State, End>();
    const seen = new Set<number>();
    const queue: (End & { readonly node: number })[] = [];
    const visit = (item: End & { readonly node: number }) => {
      const key = item.state.id * automaton.nodes.length + item.node;
      if (seen.has(key)) return;
      seen.add(key);
      if ((item.state.settled || item.node === automaton.end) && !ends.has(item.state)) ends.set(item.state, item);
      if (!item.state.settled) queue.push(item);
    };
    visit({ node: 0, state: from, word: '' });
    for (let at = 0; at < queue.length; at += 1) {
      const item = queue[at];
      if (!item) break;
      for (const { on, to } of automaton.nodes[item.node]?.edges ?? []) {
        for (const character of reader.alphabet(on)) {
          steps += 1;
          if (steps > patience) return undefined;
          visit({ node: to, state: reader.step(item.state, character), word: item.word + (character === other ? '…' : character) });
        }
      }
    }
    return [...ends.values()];
  };
  const worlds = explore(words.base, reader.start);
  if (!worlds) return { answer: 'unknown' };
  const answers = new Set<'all' | 'part' | 'none'>();
  let witness: string | undefined;
  for (const world of worlds) {
    const ends = explore(words.tail, world.state);
    if (!ends) return { answer: 'unknown' };
    const matching = ends.filter(({ state }) => state.accepts);
    const [shortest] = matching;
    if (shortest) witness ??= world.word + shortest.word;
    answers.add(matching.length === ends.length ? 'all' : matching.length === 0 ? 'none' : 'part');
  }
  const [answer = 'none'] = answers;
  if (answers.size > 1) return { answer: answers.has('all') ? 'unknown' : 'varies' };
  return answer === 'part' && witness !== undefined ? { answer, witness } : { answer };
}

function readerOf(globs: readonly Glob[]) {
  // One row of tokens, each glob closed by an END: a position is an index into it.
  const row: (Token | typeof end)[] = [];
  const starts: number[] = [];
  const named = new Set<string>();
  for (const glob of globs) {
    starts.push(row.length);
    for (const token of glob.tokens) {
      if (typeof token === 'string') named.add(token);
      row.push(token);
    }
    row.push(end);
  }
  const states = new Map<string, State>();
  const stateOf = (reached: readonly number[]): State => {
    const closed = new Set(reached);
    for (const position of closed) if (row[position] === run) closed.add(position + 1);
    const positions = [...closed].sort((a, b) => a - b);
    const key = positions.join();
    const known = states.get(key);
    if (known) return known;
    const anything = positions.some((position) => row[position] === run && row[position + 1] === end);
    const accepts = positions.some((position) => row[position] === end);
    const state: State = { id: states.size, positions, accepts, settled: anything || positions.length === 0, next: new Map() };
    states.set(key, state);
    return state;
  };
  const alphabets = new Map<string | undefined, readonly string[]>();
  return {
    start: stateOf(starts),
    step: (state: State, character: string): State => {
      const known = state.next.get(character);
      if (known) return known;
      const reached = state.positions.flatMap((position) => {
        const token = row[position];
        if (token === run) return [position];
        return token === one || token === character ? [position + 1] : [];
      });
      const next = stateOf(reached);
      state.next.set(character, next);
      return next;
    },
    /** The characters of an edge that the globs tell apart, and one for all the others. */
    alphabet: (on: string | undefined): readonly string[] => {
      const known = alphabets.get(on);
      if (known) return known;
      const characters = (on ?? '').split('');
      const told = on === undefined ? [...named] : characters.filter((character) => named.has(character));
      const rest = on === undefined ? other : characters.find((character) => !named.has(character));
      const all = rest === undefined ? told : [...told, rest];
      alphabets.set(on, all);
      return all;
    },
  };
}
