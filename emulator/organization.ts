/**
 * An AWS Organization's tree: one root, OUs nested up to five levels, accounts hanging on any unit. Paths are those of
 * `aws:PrincipalOrgPaths`: `o-…/r-…/ou-…/`, always closed by a slash (AWS-FACTS 1.1).
 */
import type { Account } from './world.ts';

export interface Organization {
  readonly id: string;
  readonly management: string;
  readonly root: Unit;
  readonly delegatedAdministrators: Set<string>;
}

export interface Unit {
  readonly id: string;
  readonly name: string;
  /** Undefined for the root. */
  readonly parent: Unit | undefined;
  readonly organization: Organization;
  readonly children: Unit[];
}

/** A random identifier of the characters that AWS uses for OUs and roots. */
export function randomId(length: number, alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'): string {
  return Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)] ?? 'a').join('');
}

export function newOrganization(given: {
  id: string;
  rootId: string;
  management: string;
  delegatedAdministrators?: readonly string[];
}): Organization {
  const organization: { -readonly [K in keyof Organization]: Organization[K] } = {
    id: given.id,
    management: given.management,
    delegatedAdministrators: new Set(given.delegatedAdministrators),
    root: undefined as never,
  };
  organization.root = { id: given.rootId, name: 'Root', parent: undefined, organization, children: [] };
  return organization;
}

/** The unit's path, as in `aws:PrincipalOrgPaths`. */
export function pathOf(unit: Unit): string {
  return unit.parent ? `${pathOf(unit.parent)}${unit.id}/` : `${unit.organization.id}/${unit.id}/`;
}

/** The unit of an ID: this one, or one below it. */
export function findBelow(unit: Unit, id: string): Unit | undefined {
  if (unit.id === id) return unit;
  for (const child of unit.children) {
    const found = findBelow(child, id);
    if (found) return found;
  }
  return undefined;
}

/** Finds or makes the OU of a name path such as `Workloads/Development`; only the last one takes the given ID. */
export function ensureUnit(organization: Organization, { path, id }: { path: string; id?: string }): Unit {
  const names = path.split('/');
  let unit = organization.root;
  names.forEach((name, depth) => {
    let next = unit.children.find((child) => child.name === name);
    if (!next) {
      if (depth >= 5) throw new Error(`An organization nests 5 levels of OUs at most: ${path}`);
      const own = depth === names.length - 1 ? id : undefined;
      next = { id: own ?? `ou-${organization.root.id.slice(2)}-${randomId(8)}`, name, parent: unit, organization, children: [] };
      unit.children.push(next);
    }
    unit = next;
  });
  return unit;
}

/** `arn:aws:organizations::<management>:ou/<organization>/<id>` and its siblings for root, account and organization. */
export function arnOf(organization: Organization, resource: Unit | Account | Organization): string {
  const prefix = `arn:aws:organizations::${organization.management}:`;
  if ('management' in resource) return `${prefix}organization/${organization.id}`;
  if ('children' in resource) return `${prefix}${resource.parent ? 'ou' : 'root'}/${organization.id}/${resource.id}`;
  return `${prefix}account/${organization.id}/${resource.id}`;
}
