/**
 * An input is one row: how its text is parsed, what holds when it is absent, and what it means. The types of a mode's inputs, the
 * checks, `action.yml` and the README's tables all come from these rows.
 *
 * A declared input always arrives, as its text or empty, and empty means not given (RULES 5.5): defaults live here, not in `action.yml`.
 */
import { closest, distance } from 'fastest-levenshtein';
import { parseCsv } from './domain/csv.ts';
import type { AccountId, Region } from './domain/account.ts';
import { fillPlaceholders, placeholders, placeholdersIn, type Filling, type Template } from './domain/fan-out.ts';
import { bad, ok, parseAll, type Parsed, type Parser } from './domain/parsed.ts';
import { InputError, type InputProblem } from './errors.ts';

export interface Row<T> {
  readonly description: string;
  /** Parses text that is not empty. */
  readonly parse: Parser<T>;
  /** What an absent input means. */
  readonly absent: Parsed<T>;
  /** The default as a reader writes it; undefined where there is none. */
  readonly shownDefault?: string | undefined;
  readonly required: boolean;
  /** Set by the runner itself through an expression in `action.yml`, e.g. `${{ github.token }}`; never shown in the README. */
  readonly expression?: string | undefined;
}

export type Rows = Readonly<Record<string, Row<unknown>>>;
export type Values<R extends Rows> = { readonly [Name in keyof R]: R[Name] extends Row<infer T> ? T : never };

export function required<T>(parse: Parser<T>, description: string): Row<T> {
  return { description, parse, absent: bad('is required'), required: true };
}

export function optional<T>(parse: Parser<T>, description: string): Row<T | undefined> {
  return { description, parse, absent: ok(undefined), required: false };
}

/** `text` is the default as an author would write it; it is parsed as any other value. */
export function withDefault<T>(parse: Parser<T>, text: string, description: string): Row<T> {
  return { description, parse, absent: parse(text), shownDefault: text, required: false };
}

/** Filled in by the runner: `expression` is the default in `action.yml`, the only kind of default that stands there. */
export function fromRunner<T>(parse: Parser<T>, expression: string, absent: T, description: string): Row<T> {
  return { description, parse, absent: ok(absent), required: false, expression };
}

/** A list that is empty when absent. */
export function listOf<T>(parse: Parser<readonly T[]>, description: string): Row<readonly T[]> {
  return { description, parse, absent: ok([]), required: false };
}

/** Text as it stands. */
export const text: Parser<string> = (value) => ok(value);

/** As `core.getBooleanInput` reads it: the YAML 1.2 core schema. */
export const boolean: Parser<boolean> = (value) => {
  if (['true', 'True', 'TRUE'].includes(value)) return ok(true);
  if (['false', 'False', 'FALSE'].includes(value)) return ok(false);
  return bad(`"${value}" is neither true nor false`);
};

export function oneOf<const Choice extends string>(choices: readonly Choice[]): Parser<Choice> {
  return (value) => {
    const choice = choices.find((one) => one === value);
    return choice === undefined ? bad(`"${value}" is not one of ${choices.join(', ')}${didYouMean(value, choices)}`) : ok(choice);
  };
}

export function integer({ least, most, unit }: { least: number; most: number; unit: string }): Parser<number> {
  return (value) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= least && number <= most
      ? ok(number)
      : bad(`"${value}" is not a whole number of ${unit} from ${least} to ${most}`);
  };
}

const sample: Filling = { account: '111111111111' as AccountId, name: 'name', region: 'eu-west-1' as Region };

/** Text that may hold placeholders; its form is checked with samples in their place, and again when they are filled in. */
export function template<T>(parser: Parser<T>): Parser<Template<T>> {
  return (value) => {
    const strange = placeholdersIn(value).filter((found) => !placeholders.some((placeholder) => placeholder === found));
    if (strange.length > 0)
      return bad(strange.map((found) => `${found} is not one of ${placeholders.join(', ')}${didYouMean(found, placeholders)}`).join('; '));
    const filled = fillPlaceholders(value, sample);
    if (!filled.ok) return filled;
    const parsed = parser(filled.value);
    return parsed.ok ? ok({ template: value, parse: parser }) : bad(parsed.problem.replaceAll(filled.value, () => value));
  };
}

/** One value a line; blank lines don't count. */
export function lines<T>(parser: Parser<T>): Parser<readonly T[]> {
  return (value) => parseAll(split(value, /\r?\n/), parser);
}

/** Values on lines of their own or separated by commas; only the inputs that RULES 6.3 names take commas. */
export function list<T>(parser: Parser<T>): Parser<readonly T[]> {
  return (value) => parseAll(split(value, /[\n,]/), parser);
}

/** A list with an entry at least. */
export function atLeastOne<T>(parser: Parser<readonly T[]>): Parser<readonly [T, ...T[]]> {
  return (value) => {
    const all = parser(value);
    if (!all.ok) return all;
    const [first, ...others] = all.value;
    return first === undefined ? bad('has no entry') : ok([first, ...others]);
  };
}

/** One value a line, as Docker's actions read it: quoted, a value may have several lines; commas are part of it. */
export function csvLines<T>(parser: Parser<T>): Parser<readonly T[]> {
  return (value) => parseAll(records(value).map(trimmed), parser);
}

/** As `csvLines`, with the blanks at the ends of a value. */
export function untrimmedCsvLines<T>(parser: Parser<T>): Parser<readonly T[]> {
  return (value) => parseAll(records(value), parser);
}

function records(value: string): string[] {
  return parseCsv(value).map((record) => record.join(','));
}

function trimmed(text: string): string {
  return text.trim();
}

function split(value: string, separator: RegExp): string[] {
  return value
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export interface ReadInputs<R extends Rows> {
  readonly values: Values<R>;
  /** One line for each input that is ignored or unknown. */
  readonly warnings: readonly string[];
}

/**
 * Parses every input of a mode.
 * @param given what arrived, by name; empty ones are left out
 * @param known every input of the action, over all modes
 * @throws InputError with every problem at once
 */
export function readInputs<R extends Rows>({
  rows,
  given,
  known,
  mode,
}: {
  rows: R;
  given: ReadonlyMap<string, string>;
  known: readonly string[];
  mode: string;
}): ReadInputs<R> {
  const problems: InputProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(rows)) {
    const value = given.get(name);
    const parsed = value === undefined ? row.absent : row.parse(value);
    if (parsed.ok) values[name] = parsed.value;
    else problems.push({ input: name, problem: parsed.problem });
  }
  if (problems.length > 0) throw new InputError(problems);
  return { values: values as Values<R>, warnings: strangers({ rows, given, known, mode }) };
}

function strangers({
  rows,
  given,
  known,
  mode,
}: {
  rows: Rows;
  given: ReadonlyMap<string, string>;
  known: readonly string[];
  mode: string;
}): string[] {
  return [...given.keys()]
    .filter((name) => !(name in rows))
    .map((name) =>
      known.includes(name)
        ? `Input "${name}" is ignored: it has no meaning in mode ${mode}.`
        : `Input "${name}" is unknown and ignored${didYouMean(name, known)}.`,
    );
}

/** ` (did you mean "cluster"?)` where something near is among the choices, else nothing. */
export function didYouMean(word: string, choices: readonly string[]): string {
  if (choices.length === 0) return '';
  const nearest = closest(word, choices);
  return distance(word, nearest) <= Math.max(2, Math.floor(word.length / 3)) ? ` (did you mean "${nearest}"?)` : '';
}
