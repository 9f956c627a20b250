/** The Condition element of an IAM policy: all operators and keys must hold; the values under one key are alternatives. */
import { BlockList, isIP } from 'node:net';
import { matchesTokens, type GlobToken } from './glob.ts';
import { isRecord, listOf } from './json.ts';

/** Request keys. An array is a multivalued key such as aws:PrincipalOrgPaths. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

interface Values {
  /** By lower-cased key. */
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  /** A policy value with its variables filled in; undefined if one has no value. */
  readonly resolve: (value: string) => readonly GlobToken[] | undefined;
}

/** How one policy value is compared with one request value. */
interface Operator {
  readonly negated?: true;
  readonly matches: (requested: string, wanted: string, resolve: Values['resolve']) => boolean;
}

const plain = (tokens: readonly GlobToken[]) => tokens.map((token) => ('literal' in token ? token.literal : token.wildcard)).join('');

/** StringEquals takes variables, but no wildcards. */
const exactly = (requested: string, wanted: string, resolve: Values['resolve']) => {
  const tokens = resolve(wanted);
  return tokens !== undefined && plain(tokens) === requested;
};
const ignoringCase = (requested: string, wanted: string, resolve: Values['resolve']) => {
  const tokens = resolve(wanted);
  return tokens !== undefined && plain(tokens).toLowerCase() === requested.toLowerCase();
};
const like = (requested: string, wanted: string, resolve: Values['resolve']) => {
  const tokens = resolve(wanted);
  return tokens !== undefined && matchesTokens(tokens, requested);
};

/** The six colon-separated parts of an ARN are compared one by one; ArnEquals and ArnLike are the same. */
const arnLike = (requested: string, wanted: string, resolve: Values['resolve']) => {
  const tokens = resolve(wanted);
  if (!tokens) return false;
  const pattern = partsOf(tokens);
  const parts = partsOf(Array.from(requested, (literal) => ({ literal })));
  if (pattern.length < 6 || parts.length < 6) return plain(tokens) === '*' && parts.length === 6;
  return pattern.every((part, index) => matchesTokens(part, plain(parts[index] ?? [])));
};

/** Splits at the first five colons. */
function partsOf(tokens: readonly GlobToken[]): readonly (readonly GlobToken[])[] {
  const parts: GlobToken[][] = [[]];
  for (const token of tokens) {
    if ('literal' in token && token.literal === ':' && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

const compared =
  (parse: (text: string) => number, holds: (requested: number, wanted: number) => boolean) => (requested: string, wanted: string) => {
    const [left, right] = [parse(requested), parse(wanted)];
    return !Number.isNaN(left) && !Number.isNaN(right) && holds(left, right);
  };
const number = (text: string) => (text.trim() === '' ? NaN : Number(text));
/** ISO 8601, or seconds since the epoch. */
const date = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

const inNetwork = (requested: string, wanted: string) => {
  const [network = '', bits] = wanted.split('/');
  const family = isIP(network);
  const widest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? widest : number(bits);
  if (family === 0 || isIP(requested) === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > widest) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(requested, isIP(requested) === 4 ? 'ipv4' : 'ipv6');
};

const families = { Numeric: number, Date: date } as const;
const comparisons = Object.entries(families).flatMap(([family, parse]): readonly [string, Operator][] => [
  [`${family}Equals`, { matches: compared(parse, (a, b) => a === b) }],
  [`${family}NotEquals`, { matches: compared(parse, (a, b) => a === b), negated: true }],
  [`${family}LessThan`, { matches: compared(parse, (a, b) => a < b) }],
  [`${family}LessThanEquals`, { matches: compared(parse, (a, b) => a <= b) }],
  [`${family}GreaterThan`, { matches: compared(parse, (a, b) => a > b) }],
  [`${family}GreaterThanEquals`, { matches: compared(parse, (a, b) => a >= b) }],
]);

const operators: ReadonlyMap<string, Operator> = new Map(
  (
    [
      ['StringEquals', { matches: exactly }],
      ['StringNotEquals', { matches: exactly, negated: true }],
      ['StringEqualsIgnoreCase', { matches: ignoringCase }],
      ['StringNotEqualsIgnoreCase', { matches: ignoringCase, negated: true }],
      ['StringLike', { matches: like }],
      ['StringNotLike', { matches: like, negated: true }],
      ['ArnEquals', { matches: arnLike }],
      ['ArnLike', { matches: arnLike }],
      ['ArnNotEquals', { matches: arnLike, negated: true }],
      ['ArnNotLike', { matches: arnLike, negated: true }],
      ['Bool', { matches: (requested, wanted) => requested.toLowerCase() === wanted.toLowerCase() }],
      ['BinaryEquals', { matches: (requested, wanted) => requested === wanted }],
      ['IpAddress', { matches: inNetwork }],
      ['NotIpAddress', { matches: inNetwork, negated: true }],
      ...comparisons,
    ] satisfies readonly [string, Operator][]
  ).map(([name, operator]) => [name.toLowerCase(), operator]),
);

/** `[ForAllValues:|ForAnyValue:]<Operator>[IfExists]`; names are not case-sensitive. */
const spelling = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** Whether IAM knows an operator of this name. */
export function isOperator(name: string): boolean {
  const base = spelling.exec(name.toLowerCase())?.[2] ?? '';
  return base === 'null' || operators.has(base);
}

/** Whether a Condition element holds for a request; none always does. */
export function conditionHolds(condition: unknown, values: Values): boolean {
  if (condition === undefined) return true;
  if (!isRecord(condition)) return false;
  return Object.entries(condition).every(
    ([operator, clauses]) =>
      isRecord(clauses) &&
      Object.entries(clauses).every(([key, wanted]) => clauseHolds(operator, { key, wanted: listOf(wanted).map(String), values })),
  );
}

function clauseHolds(name: string, { key, wanted, values }: { key: string; wanted: readonly string[]; values: Values }): boolean {
  const [, quantifier, base = '', ifExists] = spelling.exec(name.toLowerCase()) ?? [];
  const value = values.context.get(key.toLowerCase());
  const isAbsent = value === undefined || (typeof value !== 'string' && value.length === 0);
  if (base === 'null') return wanted.some((expected) => expected.toLowerCase() === String(isAbsent));
  const operator = operators.get(base);
  if (!operator) return false;
  const holds = (requested: string) =>
    wanted.some((each) => operator.matches(requested, each, values.resolve)) !== (operator.negated ?? false);

  if (isAbsent) return ifExists !== undefined || quantifier === 'forallvalues' || (quantifier === undefined && operator.negated === true);
  if (quantifier === 'foranyvalue') return listOf(value).some((each) => holds(String(each)));
  if (quantifier === 'forallvalues') return listOf(value).every((each) => holds(String(each)));
  // A multivalued key requires a set operator (AWS-FACTS 1.2): without one nothing is known to match.
  return typeof value === 'string' && holds(value);
}
