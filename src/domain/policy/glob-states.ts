/**
 * Globs read side by side, character by character: a trie, in which what begins alike is one row of nodes, made deterministic as far as
 * it is walked (subset construction). What was walked once stays: the next word that begins alike goes the same way.
 */
import { memo } from './memo.ts';
import { one, run, type Token } from './token.ts';

/** All that the globs can be at after a part of a word. */
export interface State {
  /** Of the trie. */
  readonly nodes: readonly number[];
  /** One of the globs matches what was read. */
  readonly accepts: boolean;
  /** The rest of the word needn't be read: nothing can match any more, or a closing `*` is reached. */
  readonly settled: boolean;
  readonly next: Map<string, State>;
}

export interface GlobStates {
  readonly start: State;
  readonly step: (state: State, character: string) => State;
  /** Of the characters in `on` (without it, of all) those that the globs tell apart, and one for all the others. */
  readonly alphabet: (on: string | undefined) => readonly string[];
}

/** A character that no glob names. */
export const other = '\u{10FFFF}';

/** Where a glob stands after some of its tokens. */
interface Node {
  readonly next: Map<string, number>;
  one: number | undefined;
  run: number | undefined;
  /** Behind a `*`: it stays, whatever is read. */
  readonly loops: boolean;
  /** A glob ends here. */
  ends: boolean;
}

interface Trie {
  /** The first is where all globs start. */
  readonly nodes: readonly Node[];
  /** The characters that are written in a glob. */
  readonly named: ReadonlySet<string>;
}

export function globStates(globs: readonly { readonly tokens: readonly Token[] }[]): GlobStates {
  const { nodes, named } = trieOf(globs);
  const stateOf = statesOf(nodes);
  return {
    start: stateOf(new Set([0])),
    step: (state, character) => {
      const known = state.next.get(character);
      if (known) return known;
      const reached = new Set<number>();
      for (const at of state.nodes) {
        const node = nodes[at];
        if (node?.loops === true) reached.add(at);
        const next = node?.next.get(character);
        if (next !== undefined) reached.add(next);
        if (node?.one !== undefined) reached.add(node.one);
      }
      const next = stateOf(reached);
      state.next.set(character, next);
      return next;
    },
    alphabet: memo((on: string | undefined): readonly string[] => {
      if (on === undefined) return [...named, other];
      const characters = on.split('');
      const unnamed = characters.find((character) => !named.has(character));
      return [...characters.filter((character) => named.has(character)), ...(unnamed === undefined ? [] : [unnamed])];
    }),
  };
}

function trieOf(globs: readonly { readonly tokens: readonly Token[] }[]): Trie {
  const named = new Set<string>();
  const nodes: Node[] = [];
  const add = (loops: boolean): number => nodes.push({ next: new Map(), one: undefined, run: undefined, loops, ends: false }) - 1;
  const child = (node: Node, token: Token): number => {
    if (token === run) return (node.run ??= add(true));
    if (token === one) return (node.one ??= add(false));
    named.add(token);
    const next = node.next.get(token) ?? add(false);
    node.next.set(token, next);
    return next;
  };
  const root = add(false);
  for (const { tokens } of globs) {
    let at = nodes[root];
    for (const token of tokens) at = at && nodes[child(at, token)];
    if (at) at.ends = true;
  }
  return { nodes, named };
}

/** One state for each set of nodes, and for the two ways to be settled. */
function statesOf(nodes: readonly Node[]): (reached: Set<number>) => State {
  const settledAs = (accepts: boolean): State => ({ nodes: [], accepts, settled: true, next: new Map() });
  const [everything, nothing] = [settledAs(true), settledAs(false)];
  const states = new Map<string, State>();
  return (reached) => {
    let accepts = false;
    // A node that is added meanwhile is visited too.
    for (const at of reached) {
      const node = nodes[at];
      if (node?.run !== undefined) reached.add(node.run);
      if (node?.ends !== true) continue;
      if (node.loops) return everything;
      accepts = true;
    }
    if (reached.size === 0) return nothing;
    const sorted = [...reached].sort((a, b) => a - b);
    const key = sorted.join();
    const state = states.get(key) ?? { nodes: sorted, accepts, settled: false, next: new Map() };
    states.set(key, state);
    return state;
  };
}
