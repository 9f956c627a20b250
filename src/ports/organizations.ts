/**
 * AWS Organizations, as far as the action asks it. The endpoint is global; the SDK finds it from the partition of the Region.
 * Rates are low (ListOrganizationalUnitsForParent 5 a second): throttled calls are repeated by the SDK, more patiently than elsewhere.
 */
import { parseOrganizationId, type OrganizationId } from '../domain/organization.ts';
import { AwsError } from '../errors.ts';
import { asker, clientSettings, lazy, type AwsAccess } from './aws.ts';

/** A root or an OU. */
export interface OrganizationNode {
  readonly id: string;
  readonly name: string;
}

export interface Organizations {
  /**
   * The organization of the caller's account; any member account may ask (DescribeOrganization, one call a second).
   * @throws AwsError `AWSOrganizationsNotInUseException` where the account is in none
   */
  organizationId(): Promise<OrganizationId>;
  /** The root; only the management account and delegated administrators may ask. */
  root(): Promise<OrganizationNode>;
  /** The OUs directly below a root or an OU, all pages; only the management account and delegated administrators may ask. */
  children(parent: OrganizationNode): Promise<readonly OrganizationNode[]>;
}

const alsoCheck = 'that the caller is in the management account or a delegated administrator (organization-role)';

export function awsOrganizations(access: AwsAccess): Organizations {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-organizations'));
  const client = lazy(async () => new (await sdk()).OrganizationsClient(clientSettings(access, { attempts: 8 })));
  return {
    organizationId: async () => {
      const { DescribeOrganizationCommand } = await sdk();
      const asked = { service: 'organizations', operation: 'DescribeOrganization' };
      const { Organization } = await ask(asked, async () => (await client()).send(new DescribeOrganizationCommand({})));
      const id = parseOrganizationId(Organization?.Id ?? '');
      if (!id.ok)
        throw new AwsError('organizations:DescribeOrganization answered without an organization ID', { ...asked, code: 'EmptyAnswer' });
      return id.value;
    },

    root: async () => {
      const { ListRootsCommand } = await sdk();
      const asked = { service: 'organizations', operation: 'ListRoots', alsoCheck };
      const { Roots } = await ask(asked, async () => (await client()).send(new ListRootsCommand({})));
      const [root] = Roots ?? [];
      if (root?.Id === undefined) throw new AwsError('organizations:ListRoots answered without a root', { ...asked, code: 'EmptyAnswer' });
      return { id: root.Id, name: root.Name ?? 'Root' };
    },

    children: async ({ id }) => {
      const { ListOrganizationalUnitsForParentCommand } = await sdk();
      const asked = { service: 'organizations', operation: 'ListOrganizationalUnitsForParent', of: id, alsoCheck };
      const found: OrganizationNode[] = [];
      let token: string | undefined;
      do {
        // An empty page may still have a token: only its absence is the end.
        const request = new ListOrganizationalUnitsForParentCommand({ ParentId: id, NextToken: token });
        const page = await ask(asked, async () => (await client()).send(request));
        found.push(...(page.OrganizationalUnits ?? []).map((ou) => ({ id: ou.Id ?? '', name: ou.Name ?? '' })));
        token = page.NextToken;
      } while (token !== undefined);
      return found;
    },
  };
}
