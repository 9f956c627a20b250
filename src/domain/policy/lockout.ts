/**
 * Would the policy shut out whoever edits it? A Deny of ecr:SetRepositoryPolicy for everybody, or for the editor, can be undone by
 * the account's root user at best; ECR itself wants `force` for it
 * (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html). We never force.
 */
import { labelOf, type Policy } from './document.ts';
import { coverer } from './coverage.ts';
import { takesAction, takesResource } from './names.ts';
import type { Facts } from './target.ts';

const writing = 'ecr:SetRepositoryPolicy';

/** The statements that shut the editor out for certain. */
export function lockouts(policy: Policy, facts: Facts): string[] {
  const everybody = policy.statements.filter(
    ({ effect, principals, actions, resources, clauses, unknown }) =>
      effect === 'Deny' &&
      !principals.not &&
      principals.byType['AWS']?.includes('*') === true &&
      takesAction(actions, writing) &&
      takesResource({ resources, version: policy.version, arn: facts.repositoryArn }) === 'all' &&
      clauses.length === 0 &&
      unknown.length === 0,
  );
  const editor = facts.editor ? coverer(policy, facts)(facts.editor, [writing]).denies.filter(({ extent }) => extent === 'certain') : [];
  return [...new Set([...everybody.map(labelOf), ...editor.map(({ statement }) => statement)])];
}
