/**
 * The values that a condition key may have in the requests of a target, as words: a fixed part of which some may be hidden from
 * us (`base`), and a part that differs between the requests (`tail`).
 *
 *   organization path   o-…/r-…/(ou-…/)*     https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 *
 * The opaque parts are wider than AWS's own grammar (any length, any depth): what holds for them holds for every real path.
 */
import type { Automaton, Edge, Words } from './automaton.ts';

export type Piece =
  | { readonly text: string }
  /** `root`: `r-…`; `ous`: any number of `ou-…/`; `any`: any text. */
  | { readonly some: 'root' | 'ous' | 'any' };

export interface Possible {
  /** The words as automata, made when first asked for: most questions are decided without. */
  readonly words: () => Words;
  /** The base, when nothing of it is opaque. */
  readonly literal: string | undefined;
  /** What every word starts with. */
  readonly head: string;
  /** Does nothing follow the base? */
  readonly fixed: boolean;
  /** As organization paths: what to look up, made when first asked for. */
  readonly places: () => Places;
}

/** Where in an organization the words lie, as far as known. */
export interface Places {
  /** `o-…/` */
  readonly organization: string | undefined;
  /** Every path down to the base: `o-…/`, `o-…/r-…/`, … */
  readonly above: readonly string[];
  /** The OUs in the base, as `o-…/ou-…`. */
  readonly ous: readonly string[];
}

export function wordsOf(base: readonly Piece[], tail: readonly Piece[] = []): Possible {
  const texts = base.flatMap((piece) => ('text' in piece ? [piece.text] : []));
  const literal = texts.length === base.length ? texts.join('') : undefined;
  const first = base[0];
  const head = literal ?? (first && 'text' in first ? first.text : '');
  const words = once(() => ({ base: automatonOf(base), tail: automatonOf(tail) }));
  return { words, literal, head, fixed: tail.length === 0, places: once(() => placesOf(head, texts)) };
}

export const exactly = (text: string): Possible => wordsOf([{ text }]);
export const anything: Possible = wordsOf([], [{ some: 'any' }]);

/** The same words in lower case, for operators that ignore it. */
export function lowerCase(possible: Possible): Possible {
  const lower = (automaton: Automaton): Automaton => ({
    ...automaton,
    nodes: automaton.nodes.map(({ edges }) => ({ edges: edges.map(({ on, to }) => ({ on: on?.toLowerCase(), to })) })),
  });
  return {
    ...possible,
    words: once(() => ({ base: lower(possible.words().base), tail: lower(possible.words().tail) })),
    literal: possible.literal?.toLowerCase(),
    head: possible.head.toLowerCase(),
    places: once(() =>
      placesOf(
        possible.head.toLowerCase(),
        possible.places().ous.map((ou) => `${ou.toLowerCase()}/`),
      ),
    ),
  };
}

function placesOf(head: string, texts: readonly string[]): Places {
  const organization = head.slice(0, head.indexOf('/') + 1);
  if (!/^o-[a-z0-9]+\/$/.test(organization)) return { organization: undefined, above: [], ous: [] };
  const above: string[] = [];
  for (let at = organization.length - 1; at >= 0; at = head.indexOf('/', at + 1)) above.push(head.slice(0, at + 1));
  const ous: string[] = [];
  for (const text of texts) for (const segment of text.split('/')) if (segment.startsWith('ou-')) ous.push(organization + segment);
  return { organization, above, ous };
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const lower = '0123456789abcdefghijklmnopqrstuvwxyz';

function automatonOf(pieces: readonly Piece[]): Automaton {
  const nodes: { readonly edges: Edge[] }[] = [{ edges: [] }];
  let at = 0;
  const edge = (on: string | undefined, to: number = nodes.length) => {
    if (to === nodes.length) nodes.push({ edges: [] });
    nodes[at]?.edges.push({ on, to });
    at = to;
  };
  const write = (text: string) => {
    for (const character of text) edge(character);
  };
  for (const piece of pieces) {
    if ('text' in piece) write(piece.text);
    else if (piece.some === 'any') edge(undefined, at);
    else if (piece.some === 'root') {
      write('r-');
      edge(lower);
      edge(lower, at);
    } else {
      const start = at;
      write('ou-');
      edge(`${lower}-`);
      edge(`${lower}-`, at);
      edge('/', start);
    }
  }
  return { nodes, end: at };
}
