/**
 * Where a registry replicates to: `<region>`, in the registry's own account, or `<account>/<region>`
 * (https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html).
 */
import { parseAccountId, parseRegion, type AccountId, type Region } from './account.ts';
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
