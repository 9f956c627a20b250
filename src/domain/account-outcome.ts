/** What became of each account of a fan-out: the output `deployments`, the table of the job summary, and the verdict over all. */
import type { AccountId } from './account.ts';
import { code, escapeMarkdown, table } from './markdown.ts';

const failedStatuses = ['failed', 'rolled-back', 'timed-out', 'denied'] as const;

/** The first six went well: as far as `wait-until` asks, or there was nothing to do. */
export type AccountStatus =
  | 'started'
  | 'ready'
  | 'traffic-shifted'
  | 'succeeded'
  | 'unchanged'
  | 'yielded'
  | (typeof failedStatuses)[number]
  | 'cancelled'
  | 'not-started';

export interface AccountOutcome {
  readonly account: AccountId;
  /** Text of others; may be empty. */
  readonly name: string;
  /** From 1. */
  readonly wave: number;
  readonly status: AccountStatus;
  /** What is not known is undefined. */
  readonly deploymentId?: string | undefined;
  readonly taskDefinition?: string | undefined;
  readonly rollbackDeploymentId?: string | undefined;
  readonly url?: string | undefined;
  /** Why it did not go well, in a sentence or more. */
  readonly reason?: string | undefined;
}

export function hasFailed({ status }: Pick<AccountOutcome, 'status'>): boolean {
  return failedStatuses.some((failed) => failed === status);
}

/** `dev-a 222222222222`, as logs and messages name an account; an account's name may hold anything. */
export function accountLabel({ account, name }: Pick<AccountOutcome, 'account' | 'name'>): string {
  return `${name.replaceAll(/\s+/g, ' ')} ${account}`.trim();
}

const reasonLimit = 200;

/** The first line, whole: AWS names the action, the resource and the request at its end. The account's log has the rest. */
export function reasonLine({ reason = '' }: Pick<AccountOutcome, 'reason'>): string {
  return reason.split('\n', 1)[0] ?? '';
}

/** The same for the output, in characters no more than the limit: the sentences that fit, else the words. */
export function shortReason(outcome: Pick<AccountOutcome, 'reason'>): string {
  const line = reasonLine(outcome);
  if (line.length <= reasonLimit) return line;
  const [sentences] = /^.*[.!?](?=\s)/.exec(line.slice(0, reasonLimit + 1)) ?? [];
  if (sentences !== undefined) return sentences;
  const room = line.slice(0, reasonLimit);
  return `${/^.*(?=\s)/.exec(room)?.[0] ?? room.slice(0, -1)}…`;
}

/** The output `deployments`: one entry an account, in the order of the waves; what is not known is empty. */
export function deploymentsJson(outcomes: readonly AccountOutcome[]): string {
  return JSON.stringify(
    outcomes.map(({ account, name, wave, status, deploymentId, taskDefinition, rollbackDeploymentId, url, reason }) => ({
      'account-id': account,
      'account-name': name,
      wave,
      status,
      'deployment-id': deploymentId ?? '',
      'task-definition-arn': taskDefinition ?? '',
      'rollback-deployment-id': rollbackDeploymentId ?? '',
      url: url ?? '',
      reason: shortReason({ reason }),
    })),
  );
}

/** `2 succeeded, 1 failed, 7 not-started`, the commonest first. */
export function tally(outcomes: readonly AccountOutcome[]): string {
  const groups = [...Map.groupBy(outcomes, ({ status }) => status)];
  return groups
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([status, all]) => `${all.length} ${status}`)
    .join(', ');
}

/** `dev-a 222222222222: failed. Deployment d-1 failed: …`, for those that failed; beyond some only their number. */
export function failureLines(outcomes: readonly AccountOutcome[], most = 20): readonly string[] {
  const failed = outcomes.filter(hasFailed);
  return [
    ...failed.slice(0, most).map(failureLine),
    ...(failed.length > most ? [`and ${failed.length - most} more; the job summary names all`] : []),
  ];
}

export function failureLine(outcome: AccountOutcome): string {
  return `${accountLabel(outcome)}: ${outcome.status}. ${reasonLine(outcome)}`.trimEnd();
}

/** For the job summary. */
export function outcomesMarkdown({
  service,
  cluster,
  images,
  outcomes,
}: {
  readonly service: string;
  readonly cluster: string;
  /** `host/repository@sha256:…`. */
  readonly images: readonly string[];
  readonly outcomes: readonly AccountOutcome[];
}): string {
  return [
    '### Deployments',
    '',
    `${code(service)} in cluster ${code(cluster)} of ${outcomes.length} accounts: ${tally(outcomes)}.`,
    '',
    ...images.flatMap((image) => [code(image), '']),
    table(['Account', 'Name', 'Wave', 'Status', 'Deployment', 'Reason'], outcomes.map(row)),
    '',
  ].join('\n');
}

function row({ account, name, wave, status, deploymentId, url, reason }: AccountOutcome): readonly string[] {
  const link =
    deploymentId === undefined ? '' : url === undefined ? escapeMarkdown(deploymentId) : `[${escapeMarkdown(deploymentId)}](${url})`;
  return [code(account), escapeMarkdown(name), String(wave), status, link, escapeMarkdown(reasonLine({ reason }))];
}
