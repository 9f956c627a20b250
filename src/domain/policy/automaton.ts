/**
 * Language inclusion, exactly: how do all words that may occur lie to what a set of globs matches? The words are `base · tail`:
 * the base is one word of which we may not know all (the parents of an OU), the tail differs from request to request (the OUs
 * below it). Both are rows of pieces. The globs are read beside them as one automaton: a trie, in which what begins alike is one
 * row of nodes, made deterministic as far as it is walked. It stays as long as its policy: what was read for one target needn't be
 * read for the next. The answer is
 *
 *   all      whatever the base is, every word matches
 *   none     whatever the base is, no word matches
 *   part     whatever the base is, some words match (`witness` is one of the shortest) and some don't
 *   unknown  with one base every word matches, with another not
 *   varies   anything else: never all, sometimes none
 */
import { memo } from './memo.ts';
import { globStates, other, type GlobStates, type State } from './glob-states.ts';
import type { Token } from './token.ts';

/** A part of a word: written out, or some text of a kind. */
export type Piece = { readonly text: string } | { readonly some: Kind };

/** `one`: any character; `any`: any text; `root`: what follows `o-…/`, as `r-…`; `ous`: any number of `ou-…/`. */
export type Kind = 'one' | 'any' | 'root' | 'ous';

export interface Words {
  readonly base: readonly Piece[];
  readonly tail: readonly Piece[];
}

export type Answer = 'all' | 'part' | 'none' | 'varies' | 'unknown';
export interface Relation {
  readonly answer: Answer;
  readonly witness?: string;
}

/** Asks a set of globs, which was prepared once, about words. */
export type Reader = (words: Words) => Relation;

/** Beyond so many steps the answer is "unknown": globs of many wildcards could take exponentially long. */
const patience = 20_000;

/** `on` holds the characters of an edge; without it the edge takes any character. */
interface Edge {
  readonly on?: string;
  readonly to: number;
}

const lower = '0123456789abcdefghijklmnopqrstuvwxyz';

/** The kinds as automata: the edges of each node. All start at node 0, and end at `end`. */
const kinds: Readonly<Record<Kind, { readonly nodes: readonly (readonly Edge[])[]; readonly end: number }>> = {
  one: { nodes: [[{ to: 1 }], []], end: 1 },
  any: { nodes: [[{ to: 0 }]], end: 0 },
  root: { nodes: [[{ on: 'r', to: 1 }], [{ on: '-', to: 2 }], [{ on: lower, to: 3 }], [{ on: lower, to: 3 }]], end: 3 },
  ous: {
    nodes: [
      [{ on: 'o', to: 1 }],
      [{ on: 'u', to: 2 }],
      [{ on: '-', to: 3 }],
      [{ on: `${lower}-`, to: 4 }],
      [
        { on: `${lower}-`, to: 4 },
        { on: '/', to: 0 },
      ],
    ],
    end: 0,
  },
};

/** A state that was reached, and a word that leads there. */
interface End {
  readonly state: State;
  readonly word: string;
}

/** Where one can be behind a part of the words: each state once, with the shortest word that was found. */
interface Way {
  readonly ends: readonly End[];
  /** What it took, or would have taken. */
  readonly steps: number;
}

/** Prepares globs to be asked about words again and again. */
export function readerOf(globs: readonly { readonly tokens: readonly Token[] }[]): Reader {
  const { start, ...states } = globStates(globs);
  const known = memo((kind: Kind) => memo((from: State) => through(kind, { from, ...states })));
  const behind = (piece: Piece, { state, word }: End): Way => {
    if (state.settled) return { ends: [{ state, word }], steps: 1 };
    if ('text' in piece) return { ends: [{ state: read(piece.text, state), word: word + piece.text }], steps: piece.text.length };
    const way = known(piece.some)(state);
    return word === '' ? way : { ...way, ends: way.ends.map((end) => ({ ...end, word: word + end.word })) };
  };
  const read = (text: string, from: State): State => {
    let state = from;
    for (let at = 0; at < text.length && !state.settled; at += 1) state = states.step(state, text.charAt(at));
    return state;
  };
  const follow = (pieces: readonly Piece[], from: State): Way =>
    pieces.reduce<Way>(
      ({ ends, steps }, piece) => {
        if (steps > patience) return { ends: [], steps };
        const ways = ends.map((end) => behind(piece, end));
        return { ends: eachOnce(ways.flatMap((way) => way.ends)), steps: ways.reduce((sum, way) => sum + way.steps, steps) };
      },
      { ends: [{ state: from, word: '' }], steps: 0 },
    );
  return ({ base, tail }) => relation(follow(base, start), ({ state }) => follow(tail, state));
}

/** All ways through a piece of a kind. */
function through(kind: Kind, { from, step, alphabet }: Omit<GlobStates, 'start'> & { readonly from: State }): Way {
  const { nodes, end } = kinds[kind];
  const ends: End[] = [];
  const seen = nodes.map(() => new Set<State>());
  const queue: (End & { readonly node: number })[] = [];
  const visit = (item: End & { readonly node: number }) => {
    if (seen[item.node]?.has(item.state) === true) return;
    seen[item.node]?.add(item.state);
    if (item.state.settled || item.node === end) ends.push(item);
    if (!item.state.settled) queue.push(item);
  };
  let steps = 0;
  visit({ node: 0, state: from, word: '' });
  for (let at = 0, item = queue[at]; item && steps <= patience; at += 1, item = queue[at]) {
    for (const { on, to } of nodes[item.node] ?? []) {
      for (const character of alphabet(on)) {
        steps += 1;
        visit({ node: to, state: step(item.state, character), word: item.word + (character === other ? '…' : character) });
      }
    }
  }
  return { ends: eachOnce(ends), steps };
}

function eachOnce(ends: readonly End[]): readonly End[] {
  if (ends.length < 2) return ends;
  const reached = new Map<State, End>();
  for (const end of ends) if (!reached.has(end.state)) reached.set(end.state, end);
  return [...reached.values()];
}

/** Each base that the words may have is a world: in one of them the words lie, we don't know in which. */
function relation({ ends: worlds, steps }: Way, tailOf: (world: End) => Way): Relation {
  const answers = new Set<'all' | 'part' | 'none'>();
  let witness: string | undefined;
  let sum = steps;
  for (const world of worlds) {
    if (sum > patience) break;
    const tail = tailOf(world);
    const matching = tail.ends.filter(({ state }) => state.accepts);
    const [shortest] = matching;
    if (shortest) witness ??= world.word + shortest.word;
    answers.add(matching.length === tail.ends.length ? 'all' : matching.length === 0 ? 'none' : 'part');
    sum += tail.steps;
  }
  if (sum > patience) return { answer: 'unknown' };
  const [answer = 'none'] = answers;
  if (answers.size > 1) return { answer: answers.has('all') ? 'unknown' : 'varies' };
  return answer === 'part' && witness !== undefined ? { answer, witness } : { answer };
}
