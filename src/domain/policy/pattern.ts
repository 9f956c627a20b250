/**
 * Globs of IAM: `*` is any run of characters (also `/` and `:`, also none), `?` exactly one; everything else is itself, in its
 * own case (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
 * In policies of Version 2012-10-17 `${*}`, `${?}`, `${$}` stand for the plain characters and any other `${…}` is a variable,
 * whose value we can't know; in older ones, or without a Version, all of it is plain text
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
 */
import { readerOf, type Piece } from './automaton.ts';
import { one, run, type Token } from './token.ts';

export interface Glob {
  /** As written. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** What every match starts with. */
  readonly head: string;
  /** No wildcard in it: `head` is the one match. */
  readonly literal: boolean;
}

export interface Reading {
  readonly version: string | undefined;
  /** Do `*` and `?` stand for others? In StringEquals they don't. */
  readonly wild: boolean;
}

/** Reads a value; `undefined` when it holds a variable, so that nobody can say what it matches. */
export function parseGlob(text: string, { version, wild }: Reading): Glob | undefined {
  const variables = version === '2012-10-17' && text.includes('${');
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (variables && character === '$' && text.charAt(at + 1) === '{') {
      const escaped = /^\$\{([*?$])\}/.exec(text.slice(at, at + 4))?.[1];
      if (escaped === undefined) return undefined;
      tokens.push(escaped);
      at += 3;
    } else if (wild && character === '*') {
      if (tokens.at(-1) !== run) tokens.push(run);
    } else tokens.push(wild && character === '?' ? one : character);
  }
  const first = tokens.findIndex((token) => typeof token !== 'string');
  const head = (first < 0 ? tokens : tokens.slice(0, first)).join('');
  return { text, tokens, head, literal: first < 0 };
}

/** Does the glob match the whole text? */
export function matches(glob: Glob, text: string): boolean {
  if (glob.literal) return glob.head === text;
  if (!text.startsWith(glob.head)) return false;
  const { tokens } = glob;
  let token = 0;
  let at = 0;
  let lastRun = -1;
  let resume = 0;
  while (at < text.length) {
    const now = tokens[token];
    if (now === run) {
      lastRun = token;
      resume = at;
      token += 1;
    } else if (now !== undefined && (now === one || now === text.charAt(at))) {
      token += 1;
      at += 1;
    } else if (lastRun >= 0) {
      token = lastRun + 1;
      resume += 1;
      at = resume;
    } else return false;
  }
  while (tokens[token] === run) token += 1;
  return token === tokens.length;
}

/** Is everything that `inner` matches also matched by one of `outer`? Exact, but "no" where deciding would take too long. */
export function contains(outer: readonly Glob[], inner: Glob): boolean {
  const able = outer.filter(({ head }) => inner.head.startsWith(head) || head.startsWith(inner.head));
  if (able.length === 0) return false;
  if (inner.literal) return able.some((glob) => matches(glob, inner.head));
  return readerOf(able)({ base: [], tail: inner.tokens.map(pieceOf) }).answer === 'all';
}

function pieceOf(token: Token): Piece {
  if (token === run) return { some: 'any' };
  return token === one ? { some: 'one' } : { text: token };
}
