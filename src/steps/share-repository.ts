/** Makes a repository's policy cover the targets of the inputs: OUs, accounts, roles and services. */
import type { AccountId, RoleArn } from '../domain/account.ts';
import type { OrganizationId, OuTarget } from '../domain/organization.ts';
import type { Want } from '../domain/policy/grant.ts';
import { defaultPolicySid, type PolicySid } from '../domain/policy/sid.ts';
import type { PullService, Target } from '../domain/policy/target.ts';
import type { InputProblem } from '../errors.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr, EcrRepository } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import type { CreatingInputs } from './create-repository.ts';
import { ensurePolicy, type EnsuredPolicy, type EnsurePolicyRequest, type PolicyMode } from './ensure-policy.ts';
import { foreignPaths, resolveOus } from './resolve-ous.ts';
import { openOrganization, type OrganizationInputs, type RegistryInputs } from './sessions.ts';

export interface ShareInputs extends OrganizationInputs, RegistryInputs, CreatingInputs {
  readonly strategy: { readonly jobTotal: number };
  readonly 'organization-id': OrganizationId | undefined;
  readonly 'target-ous': readonly OuTarget[];
  readonly 'target-accounts': readonly AccountId[];
  readonly 'target-roles': readonly RoleArn[];
  readonly 'target-services': readonly PullService[];
  readonly 'share-actions': readonly string[];
  readonly 'policy-sid': PolicySid;
  readonly 'policy-mode': PolicyMode;
}

export function hasTargets(inputs: ShareInputs): boolean {
  return [inputs['target-ous'], inputs['target-accounts'], inputs['target-roles']].some((targets) => targets.length > 0);
}

/** What only several inputs together show to be wrong. */
export function checkShare(inputs: ShareInputs): InputProblem[] {
  const problems: InputProblem[] = foreignPaths({ targets: inputs['target-ous'], organizationId: inputs['organization-id'] }).map(
    (problem) => ({
      input: 'target-ous',
      problem,
    }),
  );
  if (inputs['target-services'].length > 0 && inputs['target-accounts'].length === 0) {
    problems.push({ input: 'target-accounts', problem: 'is required with target-services: a service pulls for an account' });
  }
  if (inputs['policy-mode'] === 'verify' && inputs['create-repository'] && hasTargets(inputs)) {
    problems.push({
      input: 'create-repository',
      problem: 'is not for policy-mode: verify, which only reads: a new repository has no policy that could cover anybody',
    });
  }
  if (inputs['policy-mode'] === 'reconcile' && inputs['policy-sid'] === defaultPolicySid) {
    problems.push({
      input: 'policy-sid',
      problem: 'must be one of your own with policy-mode: reconcile, or grants of other workflows would be removed',
    });
  }
  return problems;
}

/** Resolves the targets; asks Organizations only for what the inputs leave open. */
export async function resolveTargets({ inputs, session, ports }: { inputs: ShareInputs; session: Session; ports: Ports }): Promise<Want[]> {
  const { organizations } = openOrganization({ inputs, ports, instead: session });
  const ous = await resolveOus({ targets: inputs['target-ous'], organizationId: inputs['organization-id'], organizations });
  const services = inputs['target-services'];
  const targets: Target[] = [
    ...ous,
    ...inputs['target-accounts'].flatMap((account): Target[] =>
      services.length > 0 ? services.map((service) => ({ kind: 'service', service, account })) : [{ kind: 'account', account }],
    ),
    ...inputs['target-roles'].map((role): Target => ({ kind: 'role', role, organization: undefined })),
  ];
  return targets.map((target) => ({ target, actions: inputs['share-actions'] }));
}

/** `uri` is for the reader: of one that is only planned it is the name. */
export type SharableRepository = Pick<EcrRepository, 'name' | 'registryId' | 'arn' | 'uri'>;

export interface ShareRequest {
  readonly inputs: ShareInputs;
  readonly wanted: readonly Want[];
  readonly session: Session;
  readonly ecr: Ecr;
  readonly repository: SharableRepository;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  /** What follows when the policy may not be written. `verify`: a warning, and the policy must cover all of it already. */
  readonly onDenial?: 'fail' | 'verify';
}

/**
 * Ensures the policy of one repository. The grant is written and acknowledged when this resolves; `settled` tells when no other writer
 * can undo it (docs/policy-protocol.md).
 */
export async function shareRepository(request: ShareRequest): Promise<EnsuredPolicy> {
  const ensured = await ensurePolicy(await policyRequest(request));
  warnOfFindings(ensured, request);
  return ensured;
}

/** What `ensurePolicy` and `planPolicy` are asked. */
export async function policyRequest({
  inputs,
  wanted,
  session,
  ecr,
  repository,
  ports,
  signal,
  onDenial = 'fail',
}: ShareRequest): Promise<EnsurePolicyRequest> {
  const place = { repository: repository.name, registryId: repository.registryId };
  const { account } = await session.identity();
  const role = inputs['registry-role'];
  const editor: Target = role === undefined ? { kind: 'account', account } : { kind: 'role', role, organization: undefined };
  return {
    store: { read: async () => ecr.readPolicy(place), write: async (text) => ecr.writePolicy(place, text) },
    clock: ports.clock,
    wanted,
    facts: { repositoryArn: repository.arn, editor },
    policySid: inputs['policy-sid'],
    mode: inputs['policy-mode'],
    jobTotal: inputs.strategy.jobTotal,
    log: (line) => ports.log.info(line),
    onDenial: onDenial === 'fail' ? onDenial : (warning) => ports.log.warning(`The policy of ${repository.name}: ${warning}`),
    signal,
  };
}

export function warnOfFindings({ findings }: Pick<EnsuredPolicy, 'findings'>, { repository, ports }: ShareRequest): void {
  for (const finding of findings) ports.log.warning(`The policy of ${repository.name}: ${finding}`);
}
