/**
 * The accounts of OUs, all levels down. Two ways lead there, at AWS's low rates:
 *
 *   the tree      two calls for each OU, five of a kind a second    good for a few OUs
 *   the list      one call for 20 accounts, eight a second          good for the whole organization, and for large parts of it
 *
 * The list needs the paths that accounts tell; where they don't, or where the caller may not list, the tree is walked to its end.
 */
import { selectAccounts, type OrganizationAccount, type Selection } from '../domain/discovery.ts';
import type { AccountId } from '../domain/account.ts';
import type { OrganizationId, OrgPath, OuTarget } from '../domain/organization.ts';
import type { Target } from '../domain/policy/target.ts';
import { AwsError, InputError, type InputProblem } from '../errors.ts';
import { atMost } from '../ports/at-most.ts';
import { awsCode, isDenial } from '../ports/aws.ts';
import type { Session } from '../ports/credentials.ts';
import type { Log } from '../ports/log.ts';
import type { Organization, Organizations } from '../ports/organizations.ts';
import { resolveOus } from './resolve-ous.ts';

export interface DiscoverInputs {
  readonly 'organization-id': OrganizationId | undefined;
  readonly 'target-ous': readonly OuTarget[];
  readonly 'exclude-accounts': readonly AccountId[];
}

export interface DiscoverRequest {
  readonly inputs: DiscoverInputs;
  readonly organizations: Organizations;
  readonly session: Pick<Session, 'identity'>;
  readonly log: Log;
}

export interface Discovery extends Selection {
  readonly organization: Organization;
}

/** Above so many OUs the list is the shorter way: they take about twelve seconds, in which it lists 2,000 accounts. */
const manyOus = 60;
const callsAtOnce = 4;

/** @throws InputError for OUs that are not there; AwsError where the caller may not read the tree, or is in no organization */
export async function discoverAccounts(request: DiscoverRequest): Promise<Discovery> {
  let organization: Organization | undefined;
  try {
    organization = await request.organizations.organization();
    return await discover({ ...request, organization });
  } catch (error) {
    throw error instanceof AwsError ? await explained({ error, session: request.session, organization }) : error;
  }
}

async function discover({
  inputs,
  organizations,
  organization,
  log,
}: DiscoverRequest & { readonly organization: Organization }): Promise<Discovery> {
  const starts = await startsOf({ inputs, organization, organizations });
  const isWhole = starts.some(({ id }) => id === undefined);
  const walk = { starts, organization, organizations };
  const found =
    (isWhole ? undefined : await walkTree({ ...walk, most: manyOus })) ??
    (await readList({ starts, organizations, log })) ??
    (await walkTree({ ...walk, most: Infinity })) ??
    [];
  const management = isWhole ? undefined : organization.management;
  return { organization, ...selectAccounts(found, { exclude: inputs['exclude-accounts'], management }) };
}

/** An OU to begin at; without an ID the whole organization. */
interface Start {
  readonly id: string | undefined;
  readonly path: OrgPath;
}

interface Starting {
  readonly inputs: DiscoverInputs;
  readonly organization: Organization;
  readonly organizations: Organizations;
}

/** Those that lie in another one are not begun at. */
async function startsOf({ inputs, organization, organizations }: Starting): Promise<readonly Start[]> {
  const wanted = inputs['organization-id'];
  if (wanted !== undefined && wanted !== organization.id)
    throw new InputError([{ input: 'organization-id', problem: `is ${wanted}, but these credentials are in ${organization.id}` }]);
  const targets = await resolveOus({ targets: inputs['target-ous'], organizationId: organization.id, organizations });
  const located = await atMost(callsAtOnce, targets, async (target) => locate({ target, organization, organizations }));
  const problems = located.flatMap((one) => ('problem' in one ? [one] : []));
  if (problems.length > 0) throw new InputError(problems);
  const starts = located.flatMap((one) => ('problem' in one ? [] : [one]));
  const paths = [...new Set(starts.map(({ path }) => path))];
  return paths
    .filter((path) => !paths.some((other) => other !== path && path.startsWith(other)))
    .flatMap((path) => starts.find((start) => start.path === path) ?? []);
}

async function locate({
  target,
  organization: { id: organization },
  organizations,
}: {
  target: Target;
  organization: Organization;
  organizations: Organizations;
}): Promise<Start | InputProblem> {
  const whole: Start = { id: undefined, path: `${organization}/` as OrgPath };
  const problem = (text: string): InputProblem => ({ input: 'target-ous', problem: text });
  switch (target.kind) {
    case 'organization':
      return target.organization === organization
        ? whole
        : problem(`${target.organization} is not the caller's organization, ${organization}`);
    case 'root': {
      const root = await organizations.root();
      return target.root === root.id ? whole : problem(`${target.root} is not the root of ${organization}: that is ${root.id}`);
    }
    case 'ou': {
      const path = await organizations.pathOf(target.ou);
      return path === undefined ? problem(`there is no OU ${target.ou} in ${organization}`) : { id: target.ou, path };
    }
    case 'path': {
      const id = target.path.split('/').at(-2) ?? '';
      if (id.startsWith('r-')) return target.path.startsWith(whole.path) ? whole : problem(`${target.path} is not in ${organization}`);
      const path = await organizations.pathOf(id);
      if (path === undefined) return problem(`there is no OU ${id} in ${organization} (${target.path})`);
      return path === target.path
        ? { id, path }
        : problem(`${id} is not at ${target.path} but at ${path}: it was moved, or the path is wrong`);
    }
    case 'account':
    case 'role':
    case 'service':
      throw new Error(`target-ous resolved to a target of kind ${target.kind}`);
  }
}

interface Walk {
  readonly starts: readonly Start[];
  readonly organization: Organization;
  readonly organizations: Organizations;
  /** Given up, and undefined, where there are more OUs. */
  readonly most: number;
}

/** Level by level; an OU that went away meanwhile has no accounts any more. */
async function walkTree({ starts, organization, organizations, most }: Walk): Promise<OrganizationAccount[] | undefined> {
  const found: OrganizationAccount[] = [];
  let level = await atMost(callsAtOnce, starts, async ({ id, path }) =>
    id === undefined ? rootOf({ organization, organizations }) : { id, path },
  );
  for (let known = level.length; level.length > 0; known += level.length) {
    if (known > most) return undefined;
    const visits = level.flatMap((unit) => [
      async () => {
        const accounts = (await organizations.accountsIn(unit)) ?? [];
        found.push(...accounts.map((account) => ({ ...account, path: unit.path })));
        return [];
      },
      async () => {
        const children = (await organizations.children(unit)) ?? [];
        return children.map(({ id }) => ({ id, path: `${unit.path}${id}/` as OrgPath }));
      },
    ]);
    level = (await atMost(callsAtOnce, visits, async (visit) => visit())).flat();
  }
  return found;
}

async function rootOf({
  organization,
  organizations,
}: Pick<Walk, 'organization' | 'organizations'>): Promise<{ id: string; path: OrgPath }> {
  const { id } = await organizations.root();
  return { id, path: `${organization.id}/${id}/` as OrgPath };
}

/** Undefined where the accounts don't tell their paths, or the caller may not list them. */
async function readList({
  starts,
  organizations,
  log,
}: {
  starts: readonly Start[];
  organizations: Organizations;
  log: Log;
}): Promise<OrganizationAccount[] | undefined> {
  try {
    const all = await organizations.accounts();
    return all?.filter(({ path }) => starts.some((start) => path.startsWith(start.path)));
  } catch (error) {
    if (!isDenial(error)) throw error;
    log.info('organizations:ListAccounts is denied: walking the tree instead, which takes longer.');
    return undefined;
  }
}

/** Who asked, and whom AWS would answer. */
async function explained({
  error,
  session,
  organization,
}: {
  error: AwsError;
  session: Pick<Session, 'identity'>;
  organization: Organization | undefined;
}): Promise<AwsError> {
  const isInNone = awsCode(error) === 'AWSOrganizationsNotInUseException';
  if (!isInNone && !(error.service === 'organizations' && isDenial(error))) return error;
  const { arn, account } = await session.identity();
  const { service, operation, code, requestId } = error;
  const facts = { service, operation, code, requestId, cause: error };
  if (isInNone) {
    return new AwsError(`Account ${account} (${arn}) is in no organization.`, {
      ...facts,
      hint: 'Ask with credentials of the management account or a delegated administrator: give organization-role.',
    });
  }
  const where = organization === undefined ? '' : ` of ${organization.id} (${organization.management})`;
  return new AwsError(`${arn} may not read the organization's tree: ${error.message}`, {
    ...facts,
    hint: `Only the management account${where} and delegated administrators may. Give organization-role: a role there with the policy of docs/iam.md, section discover.`,
  });
}
