/**
 * Our own statements in a policy, and how values get into them: one statement for each kind of grant and set of actions, so that
 * nobody gains an action that only somebody else was granted.
 */
import { covers } from './fold.ts';
import { actionsKey, readOwn, sorted, type Grant, type OwnStatement } from './grant.ts';
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
  return grants.filter(
    (inner, at) =>
      !grants.some((outer, other) => {
        if (other === at || outer.kind !== inner.kind || !covers(outer.value, inner.value, inner.kind)) return false;
        const within = inner.actions.every((action) => outer.actions.some((name) => name.toLowerCase() === action.toLowerCase()));
        // Of two that cover each other the first stays.
        const mutual = covers(inner.value, outer.value, inner.kind) && actionsKey(inner.actions) === actionsKey(outer.actions);
        return within && (!mutual || other < at);
      }),
  );
}

/** Adds the grants to the statements of their kind and actions; makes a statement where there is none yet. */
export function adding(
  statements: readonly OwnStatement[],
  { grants, policy, policySid }: { grants: readonly Grant[]; policy: Policy; policySid: PolicySid },
): OwnStatement[] {
  const result = [...statements];
  for (const { kind, value, actions } of grants) {
    const at = result.findIndex(({ sid, actions: granted }) => sid.kind === kind && actionsKey(granted) === actionsKey(actions));
    const found = result[at];
    if (found) result[at] = { ...found, values: sorted([...found.values, value]) };
    else {
      const taken = [...result.map(({ sid }) => sid), ...policy.statements.flatMap(({ sid }) => readSid(sid, policySid) ?? [])].filter(
        (sid) => sid.kind === kind,
      );
      let number = 1;
      while (taken.some((sid) => sid.number === number)) number += 1;
      result.push({ sid: { kind, number, marker: undefined }, actions: sorted(actions), values: [value] });
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
