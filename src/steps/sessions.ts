/** Opens the sides of a release from a mode's inputs: no call is made until a client needs its credentials. */
import { accountOf, type AccountId, type Region, type RoleArn } from '../domain/account.ts';
import type { Codedeploy } from '../ports/codedeploy.ts';
import type { Session, SideRequest } from '../ports/credentials.ts';
import type { Ecr } from '../ports/ecr.ts';
import type { Ecs } from '../ports/ecs.ts';
import type { Ports } from '../ports/index.ts';
import type { Organizations } from '../ports/organizations.ts';

interface CommonInputs {
  readonly 'aws-region': Region;
  readonly audience: string;
  readonly 'role-session-name': string | undefined;
  readonly 'role-chaining': SideRequest['chaining'];
  readonly 'role-duration-seconds': number | undefined;
  readonly 'role-external-id': string | undefined;
}

export interface RegistryInputs extends CommonInputs {
  readonly 'registry-id': AccountId | undefined;
  readonly 'registry-role': RoleArn | undefined;
}

export interface DeployInputs extends CommonInputs {
  readonly 'deploy-role': RoleArn | undefined;
  readonly 'deploy-account-id': AccountId | undefined;
  readonly 'deploy-region': Region | undefined;
}

export interface OrganizationInputs extends RegistryInputs {
  readonly 'organization-role': RoleArn | undefined;
}

export interface RegistrySide {
  readonly session: Session;
  readonly ecr: Ecr;
}

export interface DeploySide {
  readonly session: Session;
  readonly ecs: Ecs;
  readonly codedeploy: Codedeploy;
}

/**
 * The account that owns the registry, where the inputs say it: the role's, else `registry-id`. With neither it is the account of
 * the credentials at hand, which the registry's own answers tell (`proxyEndpoint`, RULES 6.12).
 */
export function registryAccount(inputs: RegistryInputs): AccountId | undefined {
  return inputs['registry-id'] ?? (inputs['registry-role'] === undefined ? undefined : accountOf(inputs['registry-role']));
}

/** The registry's side. Without `registry-role` a `registry-id` may be another account's: its policies then decide. */
export function openRegistry({ inputs, ports }: { inputs: RegistryInputs; ports: Ports }): RegistrySide {
  const role = inputs['registry-role'];
  const session = ports.credentials.open({
    ...common({ inputs, ports }),
    side: 'registry',
    region: inputs['aws-region'],
    role,
    expectedAccount: role === undefined ? undefined : inputs['registry-id'],
  });
  return { session, ecr: ports.ecr(session) };
}

export function openDeploy({ inputs, ports }: { inputs: DeployInputs; ports: Ports }): DeploySide {
  const session = ports.credentials.open({
    ...common({ inputs, ports }),
    side: 'deploy',
    region: inputs['deploy-region'] ?? inputs['aws-region'],
    role: inputs['deploy-role'],
    expectedAccount: inputs['deploy-account-id'],
  });
  return { session, ecs: ports.ecs(session), codedeploy: ports.codedeploy(session) };
}

/** Who reads the organization: `organization-role`, else the registry's own side. */
export function openOrganization({
  inputs,
  ports,
  registry,
}: {
  inputs: OrganizationInputs;
  ports: Ports;
  registry: Session;
}): Organizations {
  const role = inputs['organization-role'];
  if (role === undefined) return ports.organizations(registry);
  return ports.organizations(
    ports.credentials.open({ ...common({ inputs, ports }), side: 'organization', region: inputs['aws-region'], role }),
  );
}

function common({ inputs, ports }: { inputs: CommonInputs; ports: Ports }): Omit<SideRequest, 'side' | 'region'> {
  const { runId, runAttempt } = ports.github.run;
  const fallback = `ecr-org-deploy-${runId || 'local'}-${runAttempt || '1'}`;
  return {
    audience: inputs.audience,
    sessionName: inputs['role-session-name'] ?? fallback,
    chaining: inputs['role-chaining'],
    durationSeconds: inputs['role-duration-seconds'],
    externalId: inputs['role-external-id'],
  };
}
