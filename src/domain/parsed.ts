/**
 * Parse, don't validate: text becomes a branded value once, at the edge, and is never checked again inside. A parser says what is
 * wrong in words that complete "<input>: …"; the caller collects them, so that an author reads every problem at once.
 */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export type Parser<T> = (text: string) => Parsed<T>;

declare const brand: unique symbol;
/** A string that only its own parser makes. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

export function ok<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** A parser for text that one regular expression describes; `what` is the form, with an example. */
export function matching<Name extends string>(pattern: RegExp, what: string): Parser<Branded<Name>> {
  return (text) => (pattern.test(text) ? ok(text as Branded<Name>) : bad(`"${text}" is not ${what}`));
}

/** Parses each text; the first failure of each is kept, all of them joined. */
export function parseAll<T>(texts: readonly string[], parser: Parser<T>): Parsed<T[]> {
  const results = texts.map(parser);
  const problems = results.flatMap((result) => (result.ok ? [] : [result.problem]));
  return problems.length > 0 ? bad(problems.join('; ')) : ok(results.flatMap((result) => (result.ok ? [result.value] : [])));
}
