/**
 * The values that a condition key may have in the requests of a target, as words: a fixed part of which some may be hidden from
 * us (`base`), and a part that differs between the requests (`tail`).
 *
 *   organization path   o-…/r-…/(ou-…/)*     https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 *
 * The opaque parts are wider than AWS's own grammar (any length, any depth): what holds for them holds for every real path.
 */
import type { Piece, Words } from './automaton.ts';
import { placesOf } from './place.ts';

export interface Possible extends Words {
  /** The base, when nothing of it is opaque. */
  readonly literal: string | undefined;
  /** What every word starts with. */
  readonly head: string;
  /** Does nothing follow the base? */
  readonly fixed: boolean;
  /** As organization paths: the places around all of them, to look up. Made when first asked for. */
  readonly places: () => readonly string[];
}

export function wordsOf(base: readonly Piece[], tail: readonly Piece[] = []): Possible {
  const texts: string[] = [];
  for (const piece of base) if ('text' in piece) texts.push(piece.text);
  const literal = texts.length === base.length ? texts.join('') : undefined;
  const first = base[0];
  const head = literal ?? (first && 'text' in first ? first.text : '');
  let places: readonly string[] | undefined;
  return { base, tail, literal, head, fixed: tail.length === 0, places: () => (places ??= placesOf(head, texts)) };
}

export const exactly = (text: string): Possible => wordsOf([{ text }]);
export const anything: Possible = wordsOf([], [{ some: 'any' }]);

/** The same words in lower case, for operators that ignore it. */
export function lowerCase({ base, tail }: Possible): Possible {
  const lower = (pieces: readonly Piece[]): Piece[] =>
    pieces.map((piece) => ('text' in piece ? { text: piece.text.toLowerCase() } : piece));
  return wordsOf(lower(base), lower(tail));
}
