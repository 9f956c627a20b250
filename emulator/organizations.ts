/**
 * AWS Organizations (AWS-FACTS 5): the tree, for the management account and delegated administrators; DescribeOrganization for
 * any member. Paging ends only where there is no token: an empty page stands between two full ones.
 */
import { optionalNumber, optionalText, page, text, timestamp } from './json.ts';
import { arnOf, pathOf, type Organization, type Unit } from './organization.ts';
import { TokenBuckets } from './token-buckets.ts';
import { AwsFault, type Call, type Json, type Service } from './service.ts';
import type { Account, World } from './world.ts';

export interface OrganizationsOptions {
  /** At most so many items a page; AWS: 20. */
  readonly pageSize?: number;
  /** Throttle at AWS's own rates. Default: false. */
  readonly throttling?: boolean;
}

/** Requests a second, and burst, for an account. */
const rates: Readonly<Record<string, readonly [rate: number, burst: number]>> = {
  DescribeOrganization: [1, 2],
  DescribeOrganizationalUnit: [2, 2],
  ListParents: [5, 8],
  ListAccountsForParent: [5, 8],
  ListOrganizationalUnitsForParent: [5, 8],
  ListChildren: [6, 10],
  ListRoots: [1, 2],
  ListAccounts: [8, 12],
  DescribeAccount: [20, 30],
};

type Operation = (given: { input: Json; organization: Organization; world: World; paged: Paged }) => Json;
type Paged = (name: string, items: readonly Json[]) => Json;

export function organizationsService({ world, pageSize = 20, throttling = false }: OrganizationsOptions & { world: World }): Service {
  const buckets = new TokenBuckets(() => world.sessionTime());
  const run = (name: string, operation: Operation) => (input: Json, call: Call) => {
    const [rate, burst] = rates[name] ?? [20, 30];
    if (throttling && !buckets.take(`${call.caller.account}/${name}`, { rate, burst })) {
      throw new AwsFault('TooManyRequestsException', 'You have exceeded the allowed request rate for this operation.');
    }
    const organization = world.organizationOf(call.caller.account);
    if (!organization) throw new AwsFault('AWSOrganizationsNotInUseException', 'Your account is not a member of an organization.');
    const isTrusted = call.caller.account === organization.management || organization.delegatedAdministrators.has(call.caller.account);
    if (name !== 'DescribeOrganization' && !isTrusted) {
      throw new AwsFault('AccessDeniedException', "You don't have permissions to access this resource.");
    }
    return operation({ input, organization, world, paged: (member, items) => pageOf(member, { items, input, pageSize }) });
  };
  return {
    target: 'AWSOrganizationsV20161128',
    operations: Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, run(name, operation)])),
  };
}

const operations: Readonly<Record<string, Operation>> = {
  DescribeOrganization: ({ organization, world }) => ({
    Organization: {
      Id: organization.id,
      Arn: arnOf(organization, organization),
      FeatureSet: 'ALL',
      MasterAccountArn: `arn:aws:organizations::${organization.management}:account/${organization.id}/${organization.management}`,
      MasterAccountId: organization.management,
      MasterAccountEmail: world.account(organization.management).email,
    },
  }),
  ListRoots: ({ organization, paged }) =>
    paged('Roots', [{ Id: organization.root.id, Arn: arnOf(organization, organization.root), Name: 'Root', PolicyTypes: [] }]),
  ListOrganizationalUnitsForParent: ({ input, organization, world, paged }) =>
    paged('OrganizationalUnits', parentOf(world, { input, organization }).children.map(unitJson)),
  ListAccountsForParent: ({ input, organization, world, paged }) =>
    paged('Accounts', world.accountsIn(parentOf(world, { input, organization })).map(accountJson)),
  ListAccounts: ({ organization, world, paged }) => paged('Accounts', accountsOf(world, organization).map(accountJson)),
  ListChildren: ({ input, organization, world, paged }) => {
    const parent = parentOf(world, { input, organization });
    const type = text(input, 'ChildType', 'InvalidInputException');
    const ids = type === 'ACCOUNT' ? world.accountsIn(parent).map(({ id }) => id) : parent.children.map(({ id }) => id);
    return paged(
      'Children',
      ids.map((Id) => ({ Id, Type: type })),
    );
  },
  ListParents: ({ input, organization, world, paged }) => {
    const id = text(input, 'ChildId', 'InvalidInputException');
    const account = world.accounts.get(id);
    const parent = account?.unit?.organization === organization ? account.unit : world.findUnit(organization, id)?.parent;
    if (!parent) throw new AwsFault('ChildNotFoundException', "You specified a child that doesn't exist.");
    return paged('Parents', [{ Id: parent.id, Type: parent.parent ? 'ORGANIZATIONAL_UNIT' : 'ROOT' }]);
  },
  DescribeOrganizationalUnit: ({ input, organization, world }) => {
    const unit = world.findUnit(organization, text(input, 'OrganizationalUnitId', 'InvalidInputException'));
    if (!unit?.parent)
      throw new AwsFault('OrganizationalUnitNotFoundException', "You specified an organizational unit that doesn't exist.");
    return { OrganizationalUnit: unitJson(unit) };
  },
  DescribeAccount: ({ input, organization, world }) => {
    const account = world.accounts.get(text(input, 'AccountId', 'InvalidInputException'));
    if (account?.unit?.organization !== organization)
      throw new AwsFault('AccountNotFoundException', "You specified an account that doesn't exist.");
    return { Account: accountJson(account) };
  },
};

function parentOf(world: World, { input, organization }: { input: Json; organization: Organization }): Unit {
  const unit = world.findUnit(organization, text(input, 'ParentId', 'InvalidInputException'));
  if (!unit) throw new AwsFault('ParentNotFoundException', "You specified a parent that doesn't exist.");
  return unit;
}

function accountsOf(world: World, organization: Organization): readonly Account[] {
  return [...world.accounts.values()].filter(({ unit }) => unit?.organization === organization).sort((a, b) => a.id.localeCompare(b.id));
}

function unitJson(unit: Unit): Json {
  return { Id: unit.id, Arn: arnOf(unit.organization, unit), Name: unit.name, Path: pathOf(unit) };
}

/** `Paths` ends in the account's own ID; a policy's path ends at the unit (AWS-FACTS 1.1). `Status` is the older member. */
function accountJson(account: Account): Json {
  const { unit, id, state } = account;
  const status =
    state === 'ACTIVE' || state === 'SUSPENDED' || state === 'PENDING_CLOSURE' ? state : state === 'CLOSED' ? 'SUSPENDED' : undefined;
  return {
    Id: id,
    Arn: unit && arnOf(unit.organization, account),
    Email: account.email,
    Name: account.name,
    State: state,
    Status: status,
    Paths: unit && [`${pathOf(unit)}${id}/`],
    JoinedMethod: 'CREATED',
    JoinedTimestamp: timestamp(account.joinedAt),
  };
}

/** Tokens are `<page token>` or `empty.<page token>`: after each full page an empty one, which still has a token. */
function pageOf(member: string, { items, input, pageSize }: { items: readonly Json[]; input: Json; pageSize: number }): Json {
  const maximum = optionalNumber(input, 'MaxResults') ?? pageSize;
  if (maximum < 1 || maximum > 20)
    throw new AwsFault('InvalidInputException', 'You provided a value that does not match the required pattern. (MaxResults)');
  const token = optionalText(input, 'NextToken');
  if (token?.startsWith('empty.')) return { [member]: [], NextToken: token.slice('empty.'.length) };
  const { items: listed, next } = page(items, { token, size: Math.min(maximum, pageSize) });
  return { [member]: listed, NextToken: next === undefined ? undefined : `empty.${next}` };
}
