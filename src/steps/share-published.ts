/** Shares every repository that a release has published to; the first is the one that is deployed. */
import type { EcrRepository } from '../ports/ecr.ts';
import type { EnsuredPolicy } from './ensure-policy.ts';
import { reportAll } from './share-repositories.ts';
import { shareRepository, type ShareRequest } from './share-repository.ts';

/** What is known of all policies together; the text is the first's. */
interface PoliciesState {
  readonly changed: boolean;
  readonly policyText: string | undefined;
}

export interface SharedRepositories extends PoliciesState {
  readonly each: readonly { readonly uri: string; readonly ensured: EnsuredPolicy }[];
  /** When no other writer can undo any of them. */
  readonly settled: Promise<PoliciesState>;
}

/** @throws when all have ended: the one error of a single repository, or one report of several */
export async function sharePublished({
  repositories,
  ...request
}: Omit<ShareRequest, 'repository'> & { readonly repositories: readonly EcrRepository[] }): Promise<SharedRepositories> {
  const outcomes = await Promise.allSettled(repositories.map(async (repository) => shareRepository({ ...request, repository })));
  request.signal.throwIfAborted();
  reportAll(repositories.map(({ name }, index) => ({ name, outcome: outcomes[index] })));
  const ensured = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const settled = Promise.all(ensured.map(async (each) => each.settled)).then((all) => ({
    changed: all.some(({ writes }) => writes > 0),
    policyText: all[0]?.policyText,
  }));
  // Whoever never comes to ask has failed of something else.
  settled.catch(() => undefined);
  return {
    changed: ensured.some(({ changed }) => changed),
    policyText: ensured[0]?.policyText,
    each: repositories.flatMap(({ uri }, index) => (ensured[index] ? [{ uri, ensured: ensured[index] }] : [])),
    settled,
  };
}
