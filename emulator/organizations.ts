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
  /** Throttle at AWS's own rates, by AWS's clock. Default: false. */
  readonly throttling?: boolean;
  /** After each full page an empty one that still has a token, as AWS may send. Default: true. */
  readonly emptyPages?: boolean;
  /** Whether accounts and OUs tell their paths: those members are younger than the rest. Default: true. */
  readonly paths?: boolean;
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

type Operation = (given: { input: Json; organization: Organization; world: World; paged: Paged; json: Shapes }) => Json;
type Paged = <T>(name: string, items: readonly T[], json: (item: T) => Json) => Json;

export function organizationsService({
  world,
  pageSize = 20,
  throttling = false,
  emptyPages = true,
  paths = true,
}: OrganizationsOptions & { world: World }): Service {
  const buckets = new TokenBuckets(() => world.clock.now());
  const json = shapes({ paths });
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
    return operation({
      input,
      organization,
      world,
      json,
      paged: (member, items, shape) => pageOf(member, { items, shape, input, pageSize, emptyPages }),
    });
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
    paged('Roots', [organization.root], ({ id }) => ({
      Id: id,
      Arn: arnOf(organization, organization.root),
      Name: 'Root',
      PolicyTypes: [],
    })),
  ListOrganizationalUnitsForParent: ({ input, organization, world, paged, json }) =>
    paged('OrganizationalUnits', parentOf(world, { input, organization }).children, json.unit),
  ListAccountsForParent: ({ input, organization, world, paged, json }) =>
    paged('Accounts', world.accountsIn(parentOf(world, { input, organization })), json.account),
  ListAccounts: ({ organization, world, paged, json }) => paged('Accounts', world.accountsOf(organization), json.account),
  ListChildren: ({ input, organization, world, paged }) => {
    const parent = parentOf(world, { input, organization });
    const type = text(input, 'ChildType', 'InvalidInputException');
    const ids = type === 'ACCOUNT' ? world.accountsIn(parent).map(({ id }) => id) : parent.children.map(({ id }) => id);
    return paged('Children', ids, (Id) => ({ Id, Type: type }));
  },
  ListParents: ({ input, organization, world, paged }) => {
    const id = text(input, 'ChildId', 'InvalidInputException');
    const account = world.accounts.get(id);
    const parent = account?.unit?.organization === organization ? account.unit : world.findUnit(organization, id)?.parent;
    if (!parent) throw new AwsFault('ChildNotFoundException', "You specified a child that doesn't exist.");
    return paged('Parents', [parent], (unit) => ({ Id: unit.id, Type: unit.parent ? 'ORGANIZATIONAL_UNIT' : 'ROOT' }));
  },
  DescribeOrganizationalUnit: ({ input, organization, world, json }) => {
    const unit = world.findUnit(organization, text(input, 'OrganizationalUnitId', 'InvalidInputException'));
    if (!unit?.parent)
      throw new AwsFault('OrganizationalUnitNotFoundException', "You specified an organizational unit that doesn't exist.");
    return { OrganizationalUnit: json.unit(unit) };
  },
  DescribeAccount: ({ input, organization, world, json }) => {
    const account = world.accounts.get(text(input, 'AccountId', 'InvalidInputException'));
    if (account?.unit?.organization !== organization)
      throw new AwsFault('AccountNotFoundException', "You specified an account that doesn't exist.");
    return { Account: json.account(account) };
  },
};

function parentOf(world: World, { input, organization }: { input: Json; organization: Organization }): Unit {
  const unit = world.findUnit(organization, text(input, 'ParentId', 'InvalidInputException'));
  if (!unit) throw new AwsFault('ParentNotFoundException', "You specified a parent that doesn't exist.");
  return unit;
}

interface Shapes {
  readonly unit: (unit: Unit) => Json;
  readonly account: (account: Account) => Json;
}

function shapes({ paths }: { paths: boolean }): Shapes {
  return {
    unit: (unit) => ({ Id: unit.id, Arn: arnOf(unit.organization, unit), Name: unit.name, ...(paths && { Path: pathOf(unit) }) }),
    account: (account) => accountJson(account, { paths }),
  };
}

/** `Paths` ends in the account's own ID; a policy's path ends at the unit (AWS-FACTS 1.1). `Status` is the older member. */
function accountJson(account: Account, { paths }: { paths: boolean }): Json {
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
    Paths: unit && paths ? [`${pathOf(unit)}${id}/`] : undefined,
    JoinedMethod: 'CREATED',
    JoinedTimestamp: timestamp(account.joinedAt),
  };
}

/** Tokens are `<page token>` or `empty.<page token>`: the latter's page is empty, and has a token itself. */
function pageOf<T>(
  member: string,
  {
    items,
    shape,
    input,
    pageSize,
    emptyPages,
  }: { items: readonly T[]; shape: (item: T) => Json; input: Json; pageSize: number; emptyPages: boolean },
): Json {
  const maximum = optionalNumber(input, 'MaxResults') ?? pageSize;
  if (maximum < 1 || maximum > 20)
    throw new AwsFault('InvalidInputException', 'You provided a value that does not match the required pattern. (MaxResults)');
  const token = optionalText(input, 'NextToken');
  if (token?.startsWith('empty.')) return { [member]: [], NextToken: token.slice('empty.'.length) };
  const { items: listed, next } = page(items, { token, size: Math.min(maximum, pageSize) });
  return { [member]: listed.map(shape), NextToken: next === undefined || !emptyPages ? next : `empty.${next}` };
}
