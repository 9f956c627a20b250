/** The accounts that a step deploys to, each opened with its own inputs and credentials; one alone, where there is no fan-out. */
import { accountLabel } from '../domain/account-outcome.ts';
import { ActionError, DocumentError, formatProblem, InputError, type InputProblem } from '../errors.ts';
import { atMost } from '../ports/at-most.ts';
import type { Ports } from '../ports/index.ts';
import { accountLogs, type AccountLog } from './account-log.ts';
import type { TargetAccount } from './deploy-accounts.ts';
import { sentence } from './preflight-report.ts';
import { openDeploy, type DeployInputs, type DeploySide } from './sessions.ts';

export interface Target<I extends DeployInputs = DeployInputs> {
  readonly inputs: I;
  readonly side: DeploySide;
  /** In a fan-out the log tells each line's account. */
  readonly ports: Ports;
  /** Undefined for the one account where there is no fan-out. */
  readonly member: FanOutMember | undefined;
}

export interface FanOutMember extends TargetAccount {
  readonly log: AccountLog;
}

/** @param accounts none: the one account that the inputs and the credentials say */
export function openTargets<I extends DeployInputs>({
  inputsFor,
  accounts,
  ports,
}: {
  inputsFor: (account?: TargetAccount) => I;
  accounts: readonly TargetAccount[];
  ports: Ports;
}): readonly Target<I>[] {
  const logOf = accountLogs(ports.log);
  const open = (account?: TargetAccount): Target<I> => {
    const member = account && { ...account, log: logOf(accountLabel(account)) };
    const own: Ports = member ? { ...ports, log: member.log } : ports;
    const inputs = inputsFor(account);
    return { inputs, side: openDeploy({ inputs, ports: own }), ports: own, member };
  };
  return accounts.length === 0 ? [open()] : accounts.map(open);
}

export interface EachRequest<T extends Target> {
  readonly targets: readonly T[];
  readonly 'max-parallel': number;
  readonly signal?: AbortSignal;
  /** What a failure means for all of them. Default: nothing was changed. */
  readonly consequence?: string;
}

/**
 * Checks every target, also where one has failed, so many at once; the results come in the order of the targets.
 * @throws InputError with the problems of all accounts, each with its accounts; where there is no fan-out what the check throws
 */
export async function eachTarget<T extends Target, R>(
  { targets, 'max-parallel': most, signal, consequence = 'Nothing was changed.' }: EachRequest<T>,
  check: (target: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const settled = await atMost(most, [...targets.entries()], async ([index, target]) => {
    signal?.throwIfAborted();
    const [one] = await Promise.allSettled([check(target, index)]);
    return one;
  });
  const failures = settled.flatMap((one, index) => {
    const member = targets[index]?.member;
    if (one.status === 'fulfilled') return [];
    // A fault of our own is no finding.
    if (!member || !(one.reason instanceof ActionError)) throw one.reason;
    return [{ member, error: one.reason }];
  });
  if (failures.length > 0) throw inAccounts(failures, { of: targets.length, consequence });
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

interface AccountFailure {
  readonly member: FanOutMember;
  readonly error: ActionError;
}

/**
 * What is so in several accounts is said once.
 * @param of so many accounts there are; where all have failed there is none to go on with
 */
function inAccounts(failures: readonly AccountFailure[], { of, consequence }: { of: number; consequence: string }): InputError {
  const found = failures.flatMap(({ member, error }) => problemsIn(error).map((problem) => ({ member, ...problem })));
  const problems = [...Map.groupBy(found, ({ input, problem }) => `${input}: ${problem}`).values()].map((same) => ({
    input: same[0]?.input ?? '',
    problem: `in ${named(same.map(({ member }) => member))}: ${same[0]?.problem ?? ''}`,
  }));
  const excluded = [...new Set(failures.map(({ member }) => member.account))].join(',');
  const hints = failures.flatMap(({ error }) => (error instanceof InputError && error.hint !== undefined ? [error.hint] : []));
  const without = `To go on without ${failures.length === 1 ? 'this account' : 'these accounts'}: exclude-accounts: ${excluded}`;
  const next = failures.length === of ? consequence : `${consequence} ${without}`;
  return new InputError(problems, {
    hint: [...new Set([...hints.filter((hint) => hint !== consequence), next])].join('\n'),
    cause: failures[0]?.error,
  });
}

function problemsIn(error: ActionError): readonly InputProblem[] {
  if (error instanceof InputError) return error.problems;
  if (error instanceof DocumentError) return error.problems.map((problem) => ({ input: 'documents', problem: formatProblem(problem) }));
  return [{ input: 'deploy-role', problem: sentence(error) }];
}

/** A few by name, many by their IDs. */
function named(members: readonly FanOutMember[]): string {
  return members.length <= 3 ? members.map(accountLabel).join(' and ') : members.map(({ account }) => account).join(', ');
}
