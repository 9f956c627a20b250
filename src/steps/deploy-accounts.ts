/**
 * The accounts of a fan-out, and what the inputs mean in each of them: `{account-id}`, `{account-name}` and `{region}` are filled in.
 * Without `deploy-accounts` there is one account, whose ID only `deploy-account-id` tells before the credentials do.
 */
import { accountLabel } from '../domain/account-outcome.ts';
import type { AccountId, Region, RoleArn } from '../domain/account.ts';
import { leftOutLines } from '../domain/discovery.ts';
import {
  fanOutDefaults,
  fillTemplate,
  placeholders,
  placeholdersIn,
  type DeployAccounts,
  type Filling,
  type Template,
} from '../domain/fan-out.ts';
import { InputError, type InputProblem } from '../errors.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ports } from '../ports/index.ts';
import { discoverAccounts, type DiscoverInputs } from './discover-accounts.ts';
import type { FanOutInputs } from './fan-out.ts';
import type { DeploymentInputs } from './prepare-deployment.ts';
import { foreignPaths } from './resolve-ous.ts';
import { openOrganization, sideProblems, type OrganizationInputs } from './sessions.ts';

export interface AccountsInputs extends DiscoverInputs, OrganizationInputs {
  readonly 'deploy-accounts': DeployAccounts | undefined;
}

/** An account of a fan-out. */
export interface TargetAccount {
  readonly account: AccountId;
  /** Text of others; empty where Organizations was not asked, as the next. */
  readonly name: string;
  /** Of the OU (or root) that holds it: `o-…/r-…/ou-…/`. */
  readonly ouPath: string;
}

/** What says where it is deployed to; templates may be among it. */
export interface TargetInputs {
  readonly 'aws-region': Region;
  readonly 'deploy-role': Template<RoleArn> | undefined;
  readonly 'deploy-account-id': AccountId | undefined;
  readonly 'deploy-region': Region | undefined;
}

type SideInputs = Omit<Parameters<typeof sideProblems>[0], keyof TargetInputs | 'cluster'>;

/** The same inputs for one account: each template is what it stands for. */
export type Filled<I> = {
  readonly [Name in keyof I]: I[Name] extends Template<infer T>
    ? T
    : I[Name] extends Template<infer T> | undefined
      ? T | undefined
      : I[Name];
};

/**
 * The accounts to deploy to, sorted by path, then by ID; none where `deploy-accounts` is not given.
 * @param instead who reads the organization where `organization-role` is not given; else the job's own credentials do
 * @throws InputError where no account is left, or one role is to be in several; what `discoverAccounts` throws
 */
export async function resolveAccounts({
  inputs,
  ports,
  instead,
}: {
  inputs: AccountsInputs & TargetInputs;
  ports: Ports;
  instead?: Session | undefined;
}): Promise<readonly TargetAccount[]> {
  if (inputs['deploy-accounts'] !== 'discover') {
    for (const note of notesOn(inputs)) ports.log.info(note);
    return givenAccounts(inputs) ?? [];
  }
  const { session, organizations } = openOrganization({ inputs, ports, ...(instead && { instead }) });
  const { organization, accounts, leftOut, strangers } = await discoverAccounts({ inputs, organizations, session, log: ports.log });
  ports.log.info(`deploy-accounts: ${accounts.length} active ${accounts.length === 1 ? 'account' : 'accounts'} of ${organization.id}`);
  for (const line of leftOutLines(leftOut)) ports.log.info(line);
  for (const id of strangers) ports.log.warning(notAmong(id));
  const targets = accounts.map(({ id, name, path }) => ({ account: id, name, ouPath: path }));
  const problems = problemsOf({ inputs, targets });
  if (problems.length > 0) throw new InputError(problems, { hint: `Nothing was changed.${withoutThem({ inputs, targets })}` });
  return targets;
}

/** How to go on without those whose names don't fit into the templates. */
function withoutThem({ inputs, targets }: { inputs: TargetInputs; targets: readonly TargetAccount[] }): string {
  const odd = targets.filter((target) => fillIn(inputs, target).problems.length > 0).map(({ account }) => account);
  return odd.length === 0 || odd.length === targets.length ? '' : ` To go on without them: exclude-accounts: ${odd.join(',')}`;
}

/** As far as the inputs tell them; undefined where Organizations must be asked. */
export function givenAccounts(inputs: AccountsInputs): readonly TargetAccount[] | undefined {
  const { 'deploy-accounts': wanted = [], 'exclude-accounts': excluded } = inputs;
  if (wanted === 'discover') return undefined;
  return [...new Set(wanted)]
    .filter((account) => !excluded.includes(account))
    .sort()
    .map((account) => ({ account, name: '', ouPath: '' }));
}

function notesOn({ 'deploy-accounts': wanted = [], 'exclude-accounts': excluded }: AccountsInputs): readonly string[] {
  if (wanted === 'discover') return [];
  const twice = [...new Set(wanted.filter((account, index) => wanted.indexOf(account) !== index))];
  const given = wanted.length > 0 ? excluded : [];
  return [
    ...twice.map((account) => `deploy-accounts: ${account} is named more than once, and deployed to once.`),
    ...given.map((account) => (wanted.includes(account) ? `left out, excluded: ${account}` : notAmong(account))),
  ];
}

function notAmong(account: AccountId): string {
  return `exclude-accounts: ${account} is not among the accounts that were found.`;
}

/** What the inputs alone show to be wrong about the sides and the accounts: for a mode's `check`, in place of `sideProblems`. */
export function accountProblems(inputs: AccountsInputs & TargetInputs): readonly InputProblem[] {
  const { 'deploy-accounts': wanted, 'deploy-account-id': single } = inputs;
  if (wanted === undefined) return targetProblems(inputs);
  const targets = givenAccounts(inputs);
  const twoWays =
    single === undefined ? [] : [{ input: 'deploy-account-id', problem: 'is for one account; with deploy-accounts leave it out' }];
  if (targets) return [...twoWays, ...problemsOf({ inputs, targets })];
  const { 'target-ous': ous, 'organization-id': organizationId } = inputs;
  return distinct([
    ...twoWays,
    ...(ous.length === 0 ? [{ input: 'target-ous', problem: 'is needed: deploy-accounts: discover means the accounts of these OUs' }] : []),
    ...foreignPaths({ targets: ous, organizationId }).map((problem) => ({ input: 'target-ous', problem })),
    ...sideProblems({ ...inputs, 'deploy-role': undefined, cluster: undefined }),
  ]);
}

/** What has no effect as it stands. */
export function idleInputs(inputs: AccountsInputs & FanOutInputs & Pick<DeploymentInputs, 'environment-variables'>): readonly string[] {
  if (inputs['deploy-accounts'] !== undefined) {
    const literal = inputs['environment-variables'].filter(([, value]) => placeholdersIn(value).some(isPlaceholder));
    return literal.map(
      ([name, value]) =>
        `environment-variables: ${name} is ${value}, literally: write it into the task definition file, where placeholders count.`,
    );
  }
  const ignored = [
    ...(inputs['exclude-accounts'].length > 0 ? ['exclude-accounts'] : []),
    ...(inputs.waves.some((size) => 'count' in size || size.percent < 100) ? ['waves'] : []),
    ...(['max-parallel', 'max-failures'] as const).filter((name) => String(inputs[name]) !== fanOutDefaults[name]),
  ];
  return ignored.map((name) => `Input "${name}" is ignored: it is for deploy-accounts, which is not given, so one account is deployed to.`);
}

function isPlaceholder(text: string): boolean {
  return placeholders.some((placeholder) => placeholder === text);
}

function problemsOf({
  inputs,
  targets,
}: {
  inputs: SideInputs & TargetInputs;
  targets: readonly TargetAccount[];
}): readonly InputProblem[] {
  if (targets.length === 0) return [{ input: 'deploy-accounts', problem: 'leaves no account to deploy to' }];
  const roles = roleProblems({ inputs, targets });
  const each = eachProblems({ inputs, targets });
  // That a role is of another account says no more than that it is one for all.
  return [...roles, ...(roles.length === 0 ? each : each.filter(({ input }) => input !== 'deploy-accounts'))];
}

/** One role can't be in many accounts. */
function roleProblems({ inputs, targets }: { inputs: TargetInputs; targets: readonly TargetAccount[] }): readonly InputProblem[] {
  const role = inputs['deploy-role'];
  if (targets.length < 2 || (role && placeholdersIn(role.template).includes('{account-id}'))) return [];
  const example = 'arn:aws:iam::{account-id}:role/deploy';
  return [
    role === undefined
      ? { input: 'deploy-role', problem: `is needed to deploy to ${targets.length} accounts, with {account-id} in it: ${example}` }
      : {
          input: 'deploy-role',
          problem: `${role.template} is one role and can't be in ${targets.length} accounts; put {account-id} in its place: ${example}`,
        },
  ];
}

/** What is wrong with the sides where one account is deployed to. */
export function targetProblems(inputs: SideInputs & TargetInputs): readonly InputProblem[] {
  return eachProblems({ inputs, targets: [undefined] });
}

/** What is wrong in each account by itself; what is so in several is said once. */
function eachProblems({
  inputs,
  targets,
}: {
  inputs: SideInputs & TargetInputs;
  targets: readonly (TargetAccount | undefined)[];
}): readonly InputProblem[] {
  const problems = targets.flatMap((target) => {
    const filled = fillIn(inputs, target);
    const where = target && target.name !== '' && targets.length > 1 ? `in ${accountLabel(target)}: ` : '';
    if (filled.problems.length > 0) return filled.problems.map(({ input, problem }) => ({ input, problem: `${where}${problem}` }));
    const found = sideProblems(filled.inputs);
    // The author gave the account by another name.
    return target ? found.map((one) => (one.input === 'deploy-account-id' ? { ...one, input: 'deploy-accounts' } : one)) : found;
  });
  return distinct(problems);
}

/** Each problem once. */
export function distinct(problems: readonly InputProblem[]): readonly InputProblem[] {
  return [...new Map(problems.map((one) => [`${one.input}: ${one.problem}`, one])).values()];
}

/**
 * The inputs as they are meant in one account; without a target in that of `deploy-account-id`, where it is given.
 * @throws InputError for placeholders of which nothing is known, and for what is malformed with them filled in
 */
export function inputsOf<I extends TargetInputs>(inputs: I, target?: TargetAccount): Filled<I> {
  const { inputs: filled, problems } = fillIn(inputs, target);
  if (problems.length > 0) throw new InputError(problems);
  return filled;
}

function fillIn<I extends TargetInputs>(
  inputs: I,
  target: TargetAccount | undefined,
): { readonly inputs: Filled<I>; readonly problems: readonly InputProblem[] } {
  const account = target?.account ?? inputs['deploy-account-id'];
  const filling: Filling = { account, name: target?.name ?? '', region: inputs['deploy-region'] ?? inputs['aws-region'] };
  const problems: InputProblem[] = [];
  const values = Object.entries(inputs).map(([input, value]: [string, unknown]) => {
    if (!isTemplate(value)) return [input, value] as const;
    const filled = fillTemplate(value, filling);
    if (!filled.ok) problems.push({ input, problem: filled.problem });
    return [input, filled.ok ? filled.value : undefined] as const;
  });
  return { inputs: { ...Object.fromEntries(values), 'deploy-account-id': account } as Filled<I>, problems };
}

function isTemplate(value: unknown): value is Template<unknown> {
  return typeof value === 'object' && value !== null && 'template' in value && 'parse' in value;
}
