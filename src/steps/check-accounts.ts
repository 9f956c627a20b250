/** The check of one account or of many: what they share is asked once, and one account's trouble is no other's. */
import { findingsOf, type CheckFinding } from '../domain/findings.ts';
import { atMost } from '../ports/at-most.ts';
import type { Ports } from '../ports/index.ts';
import { accountPaths, type PathInputs } from './account-paths.ts';
import { checkAccount, type AccountCheck } from './check-account.ts';
import { readImages } from './check-registry.ts';
import type { TargetAccount } from './deploy-accounts.ts';
import { registryReads, type FindInputs } from './find-image.ts';

/** How many accounts are asked at once. */
const atOnce = 10;

export interface AccountsCheck {
  readonly inputs: FindInputs & PathInputs;
  /** None: the one account that the inputs lead to. */
  readonly targets: readonly TargetAccount[];
  /** The inputs as they are meant in one account. */
  readonly inputsOf: (target: TargetAccount | undefined) => AccountCheck['inputs'];
  readonly ports: Ports;
}

/** What was found, account by account: first those that own the images, then those that are deployed to, in their order. */
export async function checkAccounts({ inputs, targets, inputsOf, ports }: AccountsCheck): Promise<readonly (readonly CheckFinding[])[]> {
  const registry = registryReads({ inputs, ports });
  const images = await readImages({ inputs, registry, ports });
  const shared = { registry, images, pathOf: accountPaths({ inputs, ports }) };
  const owners = Map.groupBy(
    images.filter((image) => image !== undefined),
    ({ account }) => account,
  );
  const registries = [...owners].map(([id, owned]) =>
    findingsOf(
      { id, name: '', isRegistry: true },
      owned.flatMap(({ facts }) => facts),
    ),
  );
  const accounts = await atMost(atOnce, targets.length === 0 ? [undefined] : targets, async (target) =>
    checkAccount({
      inputs: inputsOf(target),
      target,
      shared,
      ports,
    }),
  );
  return [...registries, ...accounts];
}
