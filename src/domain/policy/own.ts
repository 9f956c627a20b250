/**
 * Our own statements in a policy, and how values get into them: one statement for each kind of grant and set of actions, so that
 * nobody gains an action that only somebody else was granted.
 */
import { actionsKey, actionsWithin, readOwn, sorted, type Grant, type OwnStatement } from './grant.ts';
import { placeNamed, placesAround } from './place.ts';
import { readSid, type PolicySid } from './sid.ts';
import type { Policy, Statement } from './document.ts';

export interface Stored {
  readonly statement: Statement;
  readonly own: OwnStatement;
}

/** The policy's statements that we may edit, in their order. */
export function ownStatements(policy: Policy, policySid: PolicySid): Stored[] {
  return policy.statements.flatMap((statement) => {
    const own = readOwn(statement, policySid);
    return own ? [{ statement, own }] : [];
  });
}

/** Leaves out grants that another of them covers. */
export function distinct(grants: readonly Grant[]): Grant[] {
  const entries = grants.map((grant, at) => ({ grant, at, place: placeOf(grant) }));
  const byPlace = Map.groupBy(entries, ({ grant, place }) => `${grant.kind} ${place}`);
  const covered = ({ grant: inner, at, place }: (typeof entries)[number]): boolean =>
    around(inner, place).some((wider) =>
      byPlace.get(`${inner.kind} ${wider}`)?.some(({ grant: outer, at: other }) => {
        // Of two equals the first stays.
        const equal = inner.value === outer.value && actionsKey(inner.actions) === actionsKey(outer.actions);
        return other !== at && actionsWithin(inner, outer) && (!equal || other < at);
      }),
    );
  return entries.filter((entry) => !covered(entry)).map(({ grant }) => grant);
}

/** Where a grant is looked up: what is no path lies nowhere else. */
function placeOf({ kind, value }: Grant): string {
  return (kind === 'OrgPaths' ? placeNamed(value) : undefined) ?? value;
}

function around({ kind }: Grant, place: string): readonly string[] {
  return kind === 'OrgPaths' ? placesAround(place) : [place];
}

/** Adds the grants to the statements of their kind and actions; makes a statement where there is none yet. */
export function adding(
  statements: readonly OwnStatement[],
  { grants, policy, policySid }: { grants: readonly Grant[]; policy: Policy; policySid: PolicySid },
): OwnStatement[] {
  const result = [...statements];
  for (const alike of Map.groupBy(grants, ({ kind, actions }) => `${kind} ${actionsKey(actions)}`).values()) {
    const [first] = alike;
    if (!first) continue;
    const { kind, actions } = first;
    const values = alike.map(({ value }) => value);
    const at = result.findIndex(({ sid, actions: granted }) => sid.kind === kind && actionsKey(granted) === actionsKey(actions));
    const found = result[at];
    if (found) result[at] = { ...found, values: sorted([...found.values, ...values]) };
    else {
      const taken = [...result.map(({ sid }) => sid), ...policy.statements.flatMap(({ sid }) => readSid(sid, policySid) ?? [])].filter(
        (sid) => sid.kind === kind,
      );
      let number = 1;
      while (taken.some((sid) => sid.number === number)) number += 1;
      result.push({ sid: { kind, number, marker: undefined }, actions: sorted(actions), values: sorted(values) });
    }
  }
  return result;
}

export function sameValues(a: OwnStatement, b: OwnStatement): boolean {
  return (
    actionsKey(a.actions) === actionsKey(b.actions) &&
    a.values.length === b.values.length &&
    sorted(a.values).join('\n') === sorted(b.values).join('\n')
  );
}
