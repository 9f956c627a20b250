/**
 * A repository policy as ECR stores it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html):
 *
 *   policy    = { Version?, Id?, Statement: statement | [statement …] }
 *   statement = { Sid?, Effect, Principal | NotPrincipal, Action | NotAction, Resource? | NotResource?, Condition? }
 *   Condition = { operator: { key: value | [value …] } }
 *
 * What is not understood stays: every statement keeps its JSON, the document keeps its own, and serialising gives both back in
 * their order, ours last. What is malformed is told as data, with JSON paths; nothing here throws.
 */
import { duplicateKeys, isObject, parseJson, type Json, type JsonObject } from './json.ts';
import { withoutMarker } from './sid.ts';

export interface PolicyProblem {
  /** A JSON path: `$.Statement[0].Condition`. */
  readonly path: string;
  readonly problem: string;
}

/** What a statement names, or (`not`) all but what it names. */
export interface Names {
  readonly not: boolean;
  readonly names: readonly string[];
}

/** Principals by type: `{ AWS: […], Service: […] }`; the bare `"*"` reads as `{ AWS: ["*"] }`, which means the same. */
export interface Principals {
  readonly not: boolean;
  readonly byType: Readonly<Record<string, readonly string[]>>;
}

/** One (operator, key) pair. All clauses of a statement are AND-ed, the values of one are OR-ed. */
export interface Clause {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export interface Statement {
  /** Its place in the document, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Principals;
  readonly actions: Names;
  readonly resources: Names | undefined;
  readonly clauses: readonly Clause[];
  /** Elements that are not of the grammar: what the statement means is then not certain. */
  readonly unknown: readonly string[];
  readonly json: JsonObject;
}

export interface Policy {
  /** With `2012-10-17` policy variables are variables; otherwise they are plain text. */
  readonly version: string | undefined;
  readonly statements: readonly Statement[];
  /** The document as stored, without its statements in a form we rely on. */
  readonly json: JsonObject;
}

export type ParsedPolicy =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** What a repository without a policy has. */
export const emptyPolicy: Policy = { version: '2012-10-17', statements: [], json: { Version: '2012-10-17' } };

/** Reads a stored policy; `undefined` or blank text is a repository without one. */
export function parsePolicy(text: string | undefined): ParsedPolicy {
  if (text === undefined || text.trim() === '') return { ok: true, policy: emptyPolicy };
  const parsed = parseJson(text);
  if (!parsed.ok) return { ok: false, problems: [{ path: '$', problem: `is not JSON: ${parsed.problem}` }] };
  const { json } = parsed;
  if (!isObject(json)) return { ok: false, problems: [{ path: '$', problem: 'is not a JSON object' }] };
  const problems: PolicyProblem[] = duplicateKeys(text).map((path) => ({ path, problem: 'is named twice in one object' }));
  const version = json['Version'];
  if (version !== undefined && typeof version !== 'string') problems.push({ path: '$.Version', problem: 'is not a string' });
  const listed = json['Statement'];
  if (listed === undefined) problems.push({ path: '$', problem: 'has no Statement' });
  const statements = (listed === undefined ? [] : listOf(listed)).flatMap((statement, index) => {
    const at = Array.isArray(listed) ? `$.Statement[${index}]` : '$.Statement';
    return readStatement({ json: statement, index, at, problems }) ?? [];
  });
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, policy: { version: typeof version === 'string' ? version : undefined, statements, json } };
}

/** The policy with these statements, as compact JSON; the document's other elements stay in their place. */
export function serialise(policy: Policy, statements: readonly JsonObject[]): string {
  return JSON.stringify({ ...policy.json, Statement: statements });
}

/** How the log names a statement: its Sid (ours without the marker), or its place when it has none. */
export function labelOf({ sid, index }: Pick<Statement, 'sid' | 'index'>): string {
  return sid === undefined || sid === '' ? `statement ${index + 1}` : `"${withoutMarker(sid)}"`;
}

const elements = new Set(['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']);

interface Reading {
  readonly json: Json;
  readonly index: number;
  readonly at: string;
  readonly problems: PolicyProblem[];
}

function readStatement({ json, index, at, problems }: Reading): Statement | undefined {
  const before = problems.length;
  const bad = (element: string, problem: string) => void problems.push({ path: element === '' ? at : `${at}.${element}`, problem });
  if (!isObject(json)) {
    bad('', 'is not a JSON object');
    return undefined;
  }
  const sid = json['Sid'];
  if (sid !== undefined && typeof sid !== 'string') bad('Sid', 'is not a string');
  const effect = json['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') bad('Effect', 'is neither "Allow" nor "Deny"');
  const either = (name: string, needed: boolean): { not: boolean; element: string; value: Json } | undefined => {
    const [plain, not] = [json[name], json[`Not${name}`]];
    if (plain !== undefined && not !== undefined) bad('', `has both ${name} and Not${name}`);
    if (plain !== undefined) return { not: false, element: name, value: plain };
    if (not !== undefined) return { not: true, element: `Not${name}`, value: not };
    if (needed) bad('', `has neither ${name} nor Not${name}`);
    return undefined;
  };
  const names = (name: string, needed: boolean): Names | undefined => {
    const found = either(name, needed);
    if (!found) return undefined;
    const values = stringsOf(found.value);
    if (!values) bad(found.element, 'is neither a string nor a list of strings');
    return { not: found.not, names: values ?? [] };
  };
  const principal = either('Principal', true);
  const byType = principal ? principalsOf(principal.value) : {};
  if (principal && !byType) bad(principal.element, 'is neither "*" nor an object of strings and lists of strings');
  const actions = names('Action', true);
  const resources = names('Resource', false);
  const clauses = readClauses(json['Condition'], bad);
  if (problems.length > before || !actions || (effect !== 'Allow' && effect !== 'Deny')) return undefined;
  const unknown = Object.keys(json).filter((element) => !elements.has(element));
  const principals = { not: principal?.not ?? false, byType: byType ?? {} };
  return { index, sid: typeof sid === 'string' ? sid : undefined, effect, principals, actions, resources, clauses, unknown, json };
}

function readClauses(condition: Json | undefined, bad: (element: string, problem: string) => void): Clause[] {
  if (condition === undefined) return [];
  if (!isObject(condition)) {
    bad('Condition', 'is not a JSON object');
    return [];
  }
  return Object.entries(condition).flatMap(([operator, keys]) => {
    if (!isObject(keys)) {
      bad(`Condition.${operator}`, 'is not a JSON object');
      return [];
    }
    return Object.entries(keys).flatMap(([key, value]) => {
      const values = scalarsOf(value);
      if (values) return { operator, key, values };
      bad(`Condition.${operator}.${key}`, 'is neither a string, number or boolean nor a list of them');
      return [];
    });
  });
}

function principalsOf(value: Json): Record<string, readonly string[]> | undefined {
  if (value === '*') return { AWS: ['*'] };
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).map(([type, names]) => [type, scalarsOf(names)] as const);
  return entries.every((entry): entry is readonly [string, string[]] => entry[1] !== undefined) ? Object.fromEntries(entries) : undefined;
}

function listOf(json: Json): readonly Json[] {
  return Array.isArray(json) ? (json as readonly Json[]) : [json];
}

function stringsOf(json: Json): string[] | undefined {
  const list = listOf(json);
  return list.every((item) => typeof item === 'string') ? [...list] : undefined;
}

/** Condition values and account IDs are also found as bare numbers and booleans; IAM reads them as text. */
function scalarsOf(json: Json): string[] | undefined {
  const list = listOf(json);
  return list.every((item) => typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean')
    ? list.map(String)
    : undefined;
}
