/**
 * AWS Organizations, as far as the action asks it. The endpoint is global; the SDK finds it from the partition of the Region.
 * Rates are low, and an account's own (AWS-FACTS 5): every attempt waits for its turn, and throttled calls are repeated by the SDK, more
 * patiently than elsewhere.
 */
import { parseAccountId, type AccountId } from '../domain/account.ts';
import type { OrganizationAccount } from '../domain/discovery.ts';
import { parseOrganizationId, type OrganizationId, type OrgPath } from '../domain/organization.ts';
import { asker, awsCode, clientSettings, emptyAnswer, lazy, type Asked, type AwsAccess } from './aws.ts';
import { systemClock, type Clock } from './clock.ts';
import { pace, type Rate } from './pace.ts';
import type { Account, OrganizationsClient } from '@aws-sdk/client-organizations';

export interface Organization {
  readonly id: OrganizationId;
  readonly management: AccountId;
}

/** A root or an OU. */
export interface OrganizationNode {
  readonly id: string;
  readonly name: string;
}

/** What holds an account or an OU directly. */
export interface Parent {
  readonly id: string;
  readonly isRoot: boolean;
}

/** An account, but for where it is. */
export type ListedAccount = Omit<OrganizationAccount, 'path'>;

/** All but the first are for the management account and delegated administrators only. */
export interface Organizations {
  /**
   * The organization of the caller's account; any member account may ask (DescribeOrganization).
   * @throws AwsError `AWSOrganizationsNotInUseException` where the account is in none
   */
  organization(): Promise<Organization>;
  root(): Promise<OrganizationNode>;
  /** The OUs directly below a root or an OU, all pages; undefined where there is no such parent (any more). */
  children(parent: { readonly id: string }): Promise<readonly OrganizationNode[] | undefined>;
  /** Where an OU is (DescribeOrganizationalUnit, else ListParents); undefined where there is none. */
  pathOf(ou: string): Promise<OrgPath | undefined>;
  /** The OU or root that holds an account directly (ListParents); undefined where the organization has no such account. */
  parentOf(account: AccountId): Promise<Parent | undefined>;
  /** The accounts directly below a root or an OU, all pages; undefined where there is no such parent (any more). */
  accountsIn(parent: { readonly id: string }): Promise<readonly ListedAccount[] | undefined>;
  /** All accounts, with their paths; undefined where AWS does not tell the paths. */
  accounts(): Promise<readonly OrganizationAccount[] | undefined>;
}

const alsoCheck = 'ask from the management account or a delegated administrator (organization-role)';

/**
 * What AWS publishes for an account (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html), with two
 * fewer at once: an attempt that was late on the wire may close up to the next one.
 */
const rates: Readonly<Record<string, Rate>> = {
  DescribeOrganization: { perSecond: 1, burst: 1 },
  ListRoots: { perSecond: 1, burst: 1 },
  DescribeOrganizationalUnit: { perSecond: 2, burst: 1 },
  ListParents: { perSecond: 5, burst: 6 },
  ListOrganizationalUnitsForParent: { perSecond: 5, burst: 6 },
  ListAccountsForParent: { perSecond: 5, burst: 6 },
  ListAccounts: { perSecond: 8, burst: 10 },
};

export interface OrganizationsSettings {
  readonly clock?: Clock;
}

export function awsOrganizations(access: AwsAccess, { clock = systemClock }: OrganizationsSettings = {}): Organizations {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-organizations'));
  const client = lazy(async () => paced(new (await sdk()).OrganizationsClient(clientSettings(access, { attempts: 8 })), clock));

  const describe = async (): Promise<Organization> => {
    const { DescribeOrganizationCommand } = await sdk();
    const asked = about('DescribeOrganization');
    const { Organization } = await ask(asked, async () => (await client()).send(new DescribeOrganizationCommand({})));
    const id = parseOrganizationId(Organization?.Id ?? '');
    const management = parseAccountId(Organization?.MasterAccountId ?? '');
    if (!id.ok || !management.ok) throw emptyAnswer(asked, 'an organization ID and a management account');
    return { id: id.value, management: management.value };
  };

  // Asked once: it stays the same, and may be asked once a second.
  let known: Promise<Organization> | undefined;
  const organization = async (): Promise<Organization> => {
    known ??= describe().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };

  const parentOf = async (child: string): Promise<Parent> => {
    const { ListParentsCommand } = await sdk();
    const asked = about('ListParents', child);
    const request = new ListParentsCommand({ ChildId: child });
    const { Parents: [parent] = [] } = await ask(asked, async () => (await client()).send(request));
    if (parent?.Id === undefined) throw emptyAnswer(asked, 'a parent');
    return { id: parent.Id, isRoot: parent.Type === 'ROOT' };
  };

  /** The older way: up the tree, a call for each level. */
  const climb = async (ou: string): Promise<OrgPath> => {
    for (let [child, path] = [ou, `${ou}/`]; ;) {
      const { id, isRoot } = await parentOf(child);
      [child, path] = [id, `${id}/${path}`];
      if (isRoot) return `${(await organization()).id}/${path}` as OrgPath;
    }
  };

  return {
    organization,

    root: async () => {
      const { ListRootsCommand } = await sdk();
      const asked = about('ListRoots');
      const { Roots: [root] = [] } = await ask(asked, async () => (await client()).send(new ListRootsCommand({})));
      if (root?.Id === undefined) throw emptyAnswer(asked, 'a root');
      return { id: root.Id, name: root.Name ?? 'Root' };
    },

    children: async ({ id }) => {
      const { ListOrganizationalUnitsForParentCommand } = await sdk();
      const asked = about('ListOrganizationalUnitsForParent', id);
      const found = await unlessGone(
        allPages(async (NextToken) => {
          const request = new ListOrganizationalUnitsForParentCommand({ ParentId: id, NextToken });
          const page = await ask(asked, async () => (await client()).send(request));
          return { items: page.OrganizationalUnits, next: page.NextToken };
        }),
      );
      return found?.map((ou) => ({ id: ou.Id ?? '', name: ou.Name ?? '' }));
    },

    pathOf: async (ou) => {
      const { DescribeOrganizationalUnitCommand } = await sdk();
      const request = new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: ou });
      const reply = await unlessGone(ask(about('DescribeOrganizationalUnit', ou), async () => (await client()).send(request)));
      if (reply === undefined) return undefined;
      // Younger than the rest of the API: where AWS does not tell it, it is worked out.
      return (reply.OrganizationalUnit?.Path as OrgPath | undefined) ?? climb(ou);
    },

    parentOf: async (account) => unlessGone(parentOf(account)),

    accountsIn: async ({ id }) => {
      const { ListAccountsForParentCommand } = await sdk();
      const asked = about('ListAccountsForParent', id);
      const found = await unlessGone(
        allPages(async (NextToken) => {
          const request = new ListAccountsForParentCommand({ ParentId: id, NextToken });
          const page = await ask(asked, async () => (await client()).send(request));
          return { items: page.Accounts, next: page.NextToken };
        }),
      );
      return found?.map(listed);
    },

    accounts: async () => {
      const { ListAccountsCommand } = await sdk();
      const asked = about('ListAccounts');
      const found = await allPages(async (NextToken) => {
        const request = new ListAccountsCommand({ NextToken });
        const page = await ask(asked, async () => (await client()).send(request));
        return { items: page.Accounts, next: page.Accounts?.every(tellsPath) === false ? undefined : page.NextToken };
      });
      return found.every(tellsPath) ? found.map((account) => ({ ...listed(account), path: unitPath(account) })) : undefined;
    },
  };
}

/** Every attempt waits for its turn, the SDK's own repetitions among them. */
function paced(client: OrganizationsClient, clock: Clock): OrganizationsClient {
  const turn = pace({ clock, rates });
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (input) => {
        await turn(commandName.replace(/Command$/, ''));
        return next(input);
      },
    // Below the retries, which are of high priority.
    { name: 'pace', step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}

function about(operation: string, of?: string): Asked {
  return { service: 'organizations', operation, alsoCheck, ...(of !== undefined && { of }) };
}

/** An empty page may still have a token: only its absence is the end. */
async function allPages<T>(
  page: (token: string | undefined) => Promise<{ items: readonly T[] | undefined; next: string | undefined }>,
): Promise<T[]> {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const { items = [], next } = await page(token);
    found.push(...items);
    token = next;
  } while (token !== undefined);
  return found;
}

async function unlessGone<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (['ParentNotFoundException', 'OrganizationalUnitNotFoundException', 'ChildNotFoundException'].includes(awsCode(error) ?? ''))
      return undefined;
    throw error;
  }
}

/** `State` is read; `Status`, which it replaces, only where AWS does not send it yet. */
function stateOf({ State, Status }: Account): string {
  return State ?? Status ?? 'UNKNOWN';
}

function listed(account: Account): ListedAccount {
  return { id: (account.Id ?? '') as AccountId, name: account.Name ?? '', state: stateOf(account) };
}

/** One that is being closed may have lost its path; nobody goes there. */
function tellsPath(account: Account): boolean {
  return account.Paths?.[0] !== undefined || stateOf(account) !== 'ACTIVE';
}

/** An account's path ends in its own ID; a unit's ends at the unit (AWS-FACTS 1.1). */
function unitPath({ Paths: [path = ''] = [] }: Account): OrgPath {
  return path.replace(/\/\d{12}\/$/, '/') as OrgPath;
}
