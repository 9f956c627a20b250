/** Shares every repository that a release has published to; the first is the one that is deployed. */
import type { EcrRepository } from '../ports/ecr.ts';
import type { EnsuredPolicy } from './ensure-policy.ts';
import { shareRepository, type ShareRequest } from './share-repository.ts';
import { together } from './together.ts';

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
  const ensured = await together(
    ...repositories.map((repository) => ['registry-role', shareRepository({ ...request, repository })] as const),
  );
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
