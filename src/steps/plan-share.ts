/** What `shareRepository` would do; one read, no write. `policy-mode: verify` does what it always does, and fails as it always does. */
import type { PlanPart, PlannedPolicy } from '../domain/plan.ts';
import { ensurePolicy, planPolicy } from './ensure-policy.ts';
import { policyRequest, warnOfFindings, type ShareRequest } from './share-repository.ts';

export async function planShare(request: ShareRequest): Promise<PlanPart & { readonly policies: readonly [PlannedPolicy] }> {
  const { repository, ports } = request;
  const { mode, ...wish } = await policyRequest(request);
  const planned = mode === 'verify' ? await ensurePolicy({ ...wish, mode }) : await planPolicy({ ...wish, mode });
  // `verify` has told it already.
  if (mode !== 'verify') for (const line of planned.explanation) ports.log.info(line);
  warnOfFindings(planned, request);
  const changed = planned.diff.length > 0;
  return {
    writes: changed ? [{ service: 'ecr', action: 'SetRepositoryPolicy', resource: repository.arn }] : [],
    policies: [{ repository: repository.uri, changed, diff: planned.diff }],
  };
}
