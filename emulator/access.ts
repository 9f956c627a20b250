/**
 * Who may do what to a repository (AWS-FACTS 1.7): in the own account the identity suffices, unless a policy denies; from another
 * account the identity *and* the repository policy (or the registry policy) must allow. The caller's organization path is looked
 * up at each request, so that a moved account loses or gains access at once.
 */
import { lacksPermission } from './authentication.ts';
import { notAuthorized } from './faults.ts';
import type { Principal } from './identity.ts';
import { evaluate, type PrincipalFacts } from './policy-evaluator.ts';
import { policyOf, type Repository } from './repository.ts';
import { AwsFault } from './service.ts';
import type { World } from './world.ts';

/** A caller as a policy sees it, now. */
export function factsOf(world: World, principal: Principal): PrincipalFacts {
  const organization = world.organizationOf(principal.account);
  const path = world.pathOf(principal.account);
  const { account, arn, principalArn, userId, tags } = principal;
  return {
    type: 'AWS',
    account,
    arn,
    principalArn,
    userId,
    tags,
    ...(organization ? { organizationId: organization.id } : {}),
    ...(path === undefined ? {} : { organizationPath: path }),
  };
}

/** Throws ECR's AccessDeniedException unless the caller may do this to the repository. `operation` without `ecr:`. */
export function authorize(
  world: World,
  { principal, operation, repository }: { principal: Principal; operation: string; repository: Repository },
): void {
  const refusal = refusalOf(world, { principal, operation, repository });
  if (refusal !== undefined) throw new AwsFault('AccessDeniedException', refusal);
}

/** What a registry policy of the scope V1 decides on (AWS-FACTS 1.7). */
const firstScope: ReadonlySet<string> = new Set(['ReplicateImage', 'BatchImportUpstreamImage', 'CreateRepository']);

/** ECR's words for why the caller may not; undefined if it may. */
export function refusalOf(
  world: World,
  { principal, operation, repository }: { principal: Principal; operation: string; repository: Repository },
): string | undefined {
  const action = `ecr:${operation}`;
  const user = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${repository.arn}`;
  if (lacksPermission(principal.identity, action)) {
    return notAuthorized({ service: 'ecr', operation, caller: principal.arn, resource: repository.arn }).message;
  }
  const facts = factsOf(world, principal);
  const owner = world.accounts.get(repository.account);
  const isWholeScope = owner?.registryPolicyScopes.get(repository.region) !== 'V1' || firstScope.has(operation);
  const policies = [policyOf(repository), isWholeScope ? owner?.registryPolicies.get(repository.region) : undefined];
  const context = {
    'aws:RequestedRegion': repository.region,
    'aws:ResourceAccount': repository.account,
    'aws:SourceIp': '127.0.0.1',
    'aws:CurrentTime': new Date(world.clock.now()).toISOString(),
  };
  const decisions = policies
    .filter((policy) => policy !== undefined)
    .map((policy) => evaluate({ policy, action, resource: repository.arn, principal: facts, context }).decision);
  if (decisions.includes('deny')) return `${user} with an explicit deny in a resource-based policy`;
  const isOwn = principal.account === repository.account;
  return isOwn || decisions.includes('allow') ? undefined : `${user} because no resource-based policy allows the ${action} action`;
}
