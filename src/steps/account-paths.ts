/** Where accounts lie in the organization, asked with `organization-role`; the path of an OU is asked once, for all of its accounts. */
import type { AccountId } from '../domain/account.ts';
import { memo } from '../domain/policy/memo.ts';
import type { OrganizationId, OrgPath } from '../domain/organization.ts';
import { InputError } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import type { Ports } from '../ports/index.ts';
import { openOrganization, type OrganizationInputs } from './sessions.ts';

export interface PathInputs extends OrganizationInputs {
  readonly 'organization-id': OrganizationId | undefined;
}

/** Undefined where the organization has no such account. */
export type PathOf = (account: AccountId) => Promise<OrgPath | undefined>;

/** Undefined without `organization-role`: only it may read the tree. */
export function accountPaths({ inputs, ports }: { inputs: PathInputs; ports: Ports }): PathOf | undefined {
  if (inputs['organization-role'] === undefined) return undefined;
  const open = lazy(async () => {
    const { organizations, session } = openOrganization({ inputs, ports });
    const [{ id }] = await Promise.all([organizations.organization(), session.identity()]);
    const wanted = inputs['organization-id'];
    if (wanted !== undefined && wanted !== id)
      throw new InputError([{ input: 'organization-id', problem: `is ${wanted}, but organization-role is in ${id}` }]);
    return { organizations, organization: id, pathOf: memo(async (id: string) => organizations.pathOf(id)) };
  });
  return async (account) => {
    const { organizations, organization, pathOf } = await open();
    const parent = await organizations.parentOf(account);
    if (parent === undefined) return undefined;
    if (parent.isRoot) return `${organization}/${parent.id}/` as OrgPath;
    return pathOf(parent.id);
  };
}
