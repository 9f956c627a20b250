/** Opens the sides of a release from a mode's inputs: no call is made until a client needs its credentials. */
import { accountOf, parseArn, partitionOf, partitionOfArn, type AccountId, type Region, type RoleArn } from '../domain/account.ts';
import type { SessionTag } from '../domain/session-tags.ts';
import type { InputProblem } from '../errors.ts';
import type { Codedeploy } from '../ports/codedeploy.ts';
import { inputOfAccount, type Session, type Side, type SideRequest } from '../ports/credentials.ts';
import type { Ecr, ImageRegistry } from '../ports/ecr.ts';
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
  readonly 'role-session-tags': readonly SessionTag[];
}

export const registryTypes = ['private', 'public'] as const;
export type RegistryType = (typeof registryTypes)[number];

export interface RegistryInputs extends CommonInputs {
  /** Absent where a mode knows private ones only. */
  readonly 'registry-type'?: RegistryType;
  readonly 'registry-id': AccountId | undefined;
  readonly 'registry-role': RoleArn | undefined;
}

export interface DeployInputs extends CommonInputs {
  readonly 'deploy-role': RoleArn | undefined;
  readonly 'deploy-account-id': AccountId | undefined;
  readonly 'deploy-region': Region | undefined;
  /** An ARN names the account too. */
  readonly cluster?: string | undefined;
}

export interface OrganizationInputs extends CommonInputs {
  readonly 'organization-role': RoleArn | undefined;
}

export interface RegistrySide {
  readonly session: Session;
  /** The private registry. */
  readonly ecr: Ecr;
  /** Where images are pushed: the same, or ECR Public. */
  readonly imageRegistry: ImageRegistry;
}

export interface OrganizationSide {
  readonly session: Session;
  readonly organizations: Organizations;
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

/**
 * What the inputs alone show to be wrong about the sides: for a mode's `check`, before any call. The same is guarded again when the
 * credentials are there.
 */
export function sideProblems(inputs: CommonInputs & Partial<RegistryInputs & DeployInputs & OrganizationInputs>): InputProblem[] {
  const region = inputs['aws-region'];
  const deployRegion = inputs['deploy-region'] ?? region;
  return [
    ...roleProblems({ side: 'registry', role: inputs['registry-role'], account: inputs['registry-id'], region }),
    ...roleProblems({ side: 'deploy', role: inputs['deploy-role'], account: inputs['deploy-account-id'], region: deployRegion }),
    ...roleProblems({ side: 'organization', role: inputs['organization-role'], account: undefined, region }),
    ...clusterProblems({ cluster: inputs.cluster, account: deployAccount({ ...inputs, cluster: '' }), region: deployRegion }),
  ];
}

function roleProblems({
  side,
  role,
  account,
  region,
}: {
  side: Side;
  role: RoleArn | undefined;
  account: AccountId | undefined;
  region: Region;
}): InputProblem[] {
  if (role === undefined) return [];
  const partition = partitionOfArn(role);
  return [
    ...(account === undefined || account === accountOf(role)
      ? []
      : [{ input: inputOfAccount[side], problem: `is ${account}, but ${side}-role is a role of ${accountOf(role)} (${role})` }]),
    ...(partition === partitionOf(region)
      ? []
      : [{ input: `${side}-role`, problem: `${role} is in the partition ${partition}, and ${region} in ${partitionOf(region)}` }]),
  ];
}

function clusterProblems({
  cluster,
  account,
  region,
}: {
  cluster: string | undefined;
  account: AccountId | undefined;
  region: Region;
}): InputProblem[] {
  const arn = parseArn(cluster ?? '');
  if (!arn.ok) return [];
  return [
    ...(account === undefined || account === arn.value.account
      ? []
      : [{ input: 'cluster', problem: `is in ${arn.value.account} (${cluster ?? ''}), but ${account} is deployed to` }]),
    ...(region === arn.value.region
      ? []
      : [{ input: 'cluster', problem: `is in ${arn.value.region} (${cluster ?? ''}), not in ${region}` }]),
  ];
}

/** The account that is deployed to, where the inputs say it. */
export function deployAccount(inputs: Partial<Pick<DeployInputs, 'deploy-account-id' | 'deploy-role' | 'cluster'>>): AccountId | undefined {
  const role = inputs['deploy-role'];
  const arn = parseArn(inputs.cluster ?? '');
  return (
    inputs['deploy-account-id'] ??
    (role === undefined ? undefined : accountOf(role)) ??
    (arn.ok ? (arn.value.account as AccountId) : undefined)
  );
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
  const ecr = ports.ecr(session);
  return { session, ecr, imageRegistry: inputs['registry-type'] === 'public' ? ports.ecrPublic(session) : ecr };
}

export function openDeploy({ inputs, ports }: { inputs: DeployInputs; ports: Ports }): DeploySide {
  const session = ports.credentials.open({
    ...common({ inputs, ports }),
    side: 'deploy',
    region: inputs['deploy-region'] ?? inputs['aws-region'],
    role: inputs['deploy-role'],
    expectedAccount: deployAccount(inputs),
  });
  return { session, ecs: ports.ecs(session), codedeploy: ports.codedeploy(session) };
}

/** The input by which what the organization refuses can be mended. */
export function organizationInput(inputs: OrganizationInputs): string {
  return inputs['organization-role'] === undefined ? 'registry-role' : 'organization-role';
}

/** Who reads the organization: `organization-role`, else the side that is open anyway, else the job's own credentials. */
export function openOrganization({
  inputs,
  ports,
  instead,
}: {
  inputs: OrganizationInputs;
  ports: Ports;
  instead?: Session;
}): OrganizationSide {
  const role = inputs['organization-role'];
  const session =
    role === undefined && instead
      ? instead
      : ports.credentials.open({ ...common({ inputs, ports }), side: 'organization', region: inputs['aws-region'], role });
  return { session, organizations: ports.organizations(session) };
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
    tags: inputs['role-session-tags'],
  };
}
