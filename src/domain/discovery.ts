/**
 * The accounts of an organization that a workflow may fan out to, and the matrix that it does so with. An account counts if its State is
 * ACTIVE (https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html; `Status`, the older member, is being retired).
 *
 * GitHub makes 256 jobs of a matrix at most, and drops a job's outputs beyond a megabyte of UTF-16
 * (https://docs.github.com/en/actions/reference/limits).
 */
import type { AccountId } from './account.ts';
import type { OrgPath } from './organization.ts';

export interface OrganizationAccount {
  readonly id: AccountId;
  /** Text of others: an administrator chose it. */
  readonly name: string;
  /** `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `PENDING_ACTIVATION`, `CLOSED`. */
  readonly state: string;
  /** Of the OU (or root) that holds it. */
  readonly path: OrgPath;
}

export interface Selection {
  /** Sorted by path, then by ID. */
  readonly accounts: readonly OrganizationAccount[];
  /** What was left out: `suspended`, `excluded`, … → the account IDs. */
  readonly leftOut: ReadonlyMap<string, readonly AccountId[]>;
  /** Accounts to exclude that are not among those that were found. */
  readonly strangers: readonly AccountId[];
}

const states: Readonly<Record<string, string>> = {
  SUSPENDED: 'suspended',
  PENDING_CLOSURE: 'closing',
  PENDING_ACTIVATION: 'not activated yet',
  CLOSED: 'closed',
};

/** Chooses among the accounts that were found; one that moved meanwhile was perhaps found twice, and counts where it was found last. */
export function selectAccounts(
  found: readonly OrganizationAccount[],
  {
    exclude,
    management,
  }: { readonly exclude: readonly AccountId[]; /** Left out, where it is given. */ readonly management: AccountId | undefined },
): Selection {
  const byId = new Map(found.map((account) => [account.id, account]));
  const leftOut = new Map<string, AccountId[]>();
  const accounts = [...byId.values()].sort(byPathAndId).filter(({ id, state }) => {
    const reason = id === management ? 'the management account' : exclude.includes(id) ? 'excluded' : stateReason(state);
    if (reason !== undefined) leftOut.set(reason, [...(leftOut.get(reason) ?? []), id]);
    return reason === undefined;
  });
  return { accounts, leftOut, strangers: exclude.filter((id) => !byId.has(id)) };
}

function stateReason(state: string): string | undefined {
  return state === 'ACTIVE' ? undefined : (states[state] ?? `in the state ${state}`);
}

/** `left out, suspended: 444444444444`; of many only the number. */
export function leftOutLines(leftOut: Selection['leftOut']): readonly string[] {
  return [...leftOut].map(([reason, ids]) => `left out, ${reason}: ${ids.length > 10 ? `${ids.length} accounts` : ids.join(', ')}`);
}

function byPathAndId(one: OrganizationAccount, other: OrganizationAccount): number {
  return compare(one.path, other.path) || compare(one.id, other.id);
}

/** By code unit: the same on every machine. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** One job of the matrix: one account, or several where there are more accounts than jobs. */
export interface MatrixEntry {
  /** Separated by commas. */
  readonly 'account-ids': string;
  /** Empty where they differ, as the next two. */
  readonly 'account-name': string;
  readonly 'ou-id': string;
  readonly 'ou-path': string;
}

export interface Matrix {
  readonly include: readonly MatrixEntry[];
}

const mostJobs = 256;

/** In the order of the accounts, groups of the same size (the last may be smaller), and no more than GitHub makes jobs of. */
export function matrixOf(accounts: readonly OrganizationAccount[]): Matrix {
  const size = Math.max(1, Math.ceil(accounts.length / mostJobs));
  const groups = Array.from({ length: Math.ceil(accounts.length / size) }, (_, index) => accounts.slice(index * size, (index + 1) * size));
  return { include: groups.map(entryOf) };
}

function entryOf(group: readonly OrganizationAccount[]): MatrixEntry {
  const common = (values: readonly string[]): string => (values.every((value) => value === values[0]) ? (values[0] ?? '') : '');
  const path = common(group.map((account) => account.path));
  return {
    'account-ids': group.map(({ id }) => id).join(','),
    'account-name': common(group.map(({ name }) => name)),
    'ou-id': unitOf(path),
    'ou-path': path,
  };
}

/** The last OU of a path, or the root: `o-…/r-…/ou-…/` → `ou-…`. */
export function unitOf(path: string): string {
  return path.split('/').at(-2) ?? '';
}
