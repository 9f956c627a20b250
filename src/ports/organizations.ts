/** AWS Organizations, as far as the action asks it. The endpoint is global; the SDK finds it from the partition of the Region. */
import { parseOrganizationId, type OrganizationId } from '../domain/organization.ts';
import { AwsError } from '../errors.ts';
import { ask, clientSettings, lazy, type AwsAccess } from './aws.ts';

export interface Organizations {
  /**
   * The organization of the caller's account; any member account may ask (DescribeOrganization, one call a second).
   * @throws AwsError `AWSOrganizationsNotInUseException` where the account is in none
   */
  organizationId(): Promise<OrganizationId>;
}

export function awsOrganizations(access: AwsAccess): Organizations {
  const sdk = lazy(async () => import('@aws-sdk/client-organizations'));
  const client = lazy(async () => new (await sdk()).OrganizationsClient(clientSettings(access)));
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
  };
}
