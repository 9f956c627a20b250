/**
 * Where a registry replicates to: `<region>`, in the registry's own account, or `<account>/<region>`
 * (https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html).
 */
import { parseAccountId, parseRegion, type AccountId, type Region } from './account.ts';
import type { RepositoryName } from './image.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export interface ReplicaPlace {
  /** Undefined: the registry's own. */
  readonly account: AccountId | undefined;
  readonly region: Region;
}

export function parseReplicaPlace(text: string): Parsed<ReplicaPlace> {
  const [first = '', second, ...rest] = text.split('/');
  const account = second === undefined ? undefined : parseAccountId(first);
  const region = parseRegion(second ?? first);
  if (rest.length > 0 || !region.ok || account?.ok === false) {
    return bad(`"${text}" is not a Region such as eu-central-1, nor an account and Region such as 222222222222/eu-central-1`);
  }
  return ok({ account: account?.value, region: region.value });
}

/** Where an image is copied to. */
export interface Destination {
  readonly account: AccountId;
  readonly region: Region;
}

/** A rule by which a registry copies what is pushed, from then on. */
export interface ReplicationRule {
  readonly destinations: readonly Destination[];
  /** Beginnings of repository names; none: every repository. */
  readonly prefixes: readonly string[];
}

export function isSameDestination(one: Destination, other: Destination): boolean {
  return one.account === other.account && one.region === other.region;
}

/** As an author writes it: the account only where it is not the registry's own. */
export function formatDestination({ account, region }: Destination, own: AccountId): string {
  return formatReplicaPlace({ account: account === own ? undefined : account, region });
}

export function formatReplicaPlace({ account, region }: ReplicaPlace): string {
  return account === undefined ? region : `${account}/${region}`;
}

export interface Copying {
  readonly repository: RepositoryName;
  readonly destination: Destination;
}

export function isCopied({ repository, destination }: Copying, rules: readonly ReplicationRule[]): boolean {
  return rules.some(
    ({ destinations, prefixes }) =>
      (prefixes.length === 0 || prefixes.some((prefix) => repository.startsWith(prefix))) &&
      destinations.some((one) => isSameDestination(one, destination)),
  );
}

/** PutReplicationConfiguration replaces all rules, so what is to be put holds those that are there (ECR API: ReplicationConfiguration). */
export function replicationConfiguration(rules: readonly ReplicationRule[]): string {
  return JSON.stringify({
    rules: rules.map(({ destinations, prefixes }) => ({
      destinations: destinations.map(({ account, region }) => ({ region, registryId: account })),
      ...(prefixes.length > 0 && { repositoryFilters: prefixes.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' })) }),
    })),
  });
}
