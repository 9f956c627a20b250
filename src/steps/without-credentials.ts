/**
 * GitHub gives no secrets and no ID token to the runs of pull requests from forks and of Dependabot. Such a run is no failure: it gets the
 * plan that can be made without credentials (RULES 5.15). On any other event missing credentials are an error, and so they are on
 * `pull_request_target`, which runs for the base repository and has all that it has.
 */
import type { Ports } from '../ports/index.ts';

const events: readonly string[] = ['pull_request', 'pull_request_review', 'pull_request_review_comment'];

/** Whether this run may do without credentials, and has none: the default chain is tried too. */
export async function isWithoutCredentials({ github, credentials }: Pick<Ports, 'github' | 'credentials'>): Promise<boolean> {
  const { eventName, actor } = github.run;
  const mayBe = events.includes(eventName) || actor === 'dependabot[bot]';
  return mayBe && !(await credentials.available());
}

export const withoutCredentials =
  'This run has no AWS credentials, as runs of pull requests from forks and of Dependabot have none: AWS was not asked, and nothing was built, pushed, shared or deployed. ' +
  'The job summary has the plan that can be made without. (In other pull requests "permissions: id-token: write" lets the job assume its roles.)';
