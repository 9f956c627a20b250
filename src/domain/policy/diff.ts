/**
 * Two policies compared statement by statement, in lines: `+` added, `-` removed, `~` changed with the values that came and went.
 * Ours are the same statement whatever marker they carry.
 */
import { labelOf, type Policy, type Statement } from './document.ts';
import { readSid, writeSid, type PolicySid } from './sid.ts';

export function diff({ before, after, policySid }: { before: Policy; after: Policy; policySid: PolicySid }): string[] {
  const name = (statement: Statement) => nameOf(statement, policySid);
  const left = [...before.statements];
  const take = (fits: (statement: Statement) => boolean) => {
    const at = left.findIndex(fits);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const same = new Map(
    after.statements.map((statement) => [statement, take((old) => name(old) === name(statement) && meaning(old) === meaning(statement))]),
  );
  const lines = after.statements.flatMap((statement) => {
    if (same.get(statement)) return [];
    const old = take((candidate) => name(candidate) === name(statement));
    if (!old) return [`+ ${name(statement)}`, ...facets(statement).map((facet) => `+     ${facet}`)];
    const [was, is] = [new Set(facets(old)), new Set(facets(statement))];
    return [
      `~ ${name(statement)}`,
      ...[...was].filter((facet) => !is.has(facet)).map((facet) => `-     ${facet}`),
      ...[...is].filter((facet) => !was.has(facet)).map((facet) => `+     ${facet}`),
    ];
  });
  return [...lines, ...left.flatMap((statement) => [`- ${name(statement)}`, ...facets(statement).map((facet) => `-     ${facet}`)])];
}

function nameOf(statement: Statement, policySid: PolicySid): string {
  const own = readSid(statement.sid, policySid);
  return own ? writeSid({ policySid, ...own, marker: undefined }) : labelOf(statement);
}

function meaning(statement: Statement): string {
  return JSON.stringify({ ...statement.json, Sid: null });
}

/** Each value of a statement as one line. */
function facets({ effect, principals, actions, resources, clauses, unknown, json }: Statement): string[] {
  const no = (not: boolean) => (not ? 'Not' : '');
  return [
    effect,
    ...Object.entries(principals.byType).flatMap(([type, names]) => names.map((name) => `${no(principals.not)}Principal ${type} ${name}`)),
    ...actions.names.map((action) => `${no(actions.not)}Action ${action}`),
    ...(resources?.names.map((resource) => `${no(resources.not)}Resource ${resource}`) ?? []),
    ...clauses.flatMap(({ operator, key, values }) => values.map((value) => `${operator} ${key} ${value}`)),
    ...unknown.map((element) => `${element} ${JSON.stringify(json[element])}`),
  ];
}
