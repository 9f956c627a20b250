/**
 * What `check` found, of each account: the model, and its renderings for the log, the job summary and the output.
 *
 *   error    a deployment would fail
 *   warning  it may fail, or would do what nobody asked for
 *   info     good to know, or not known where it need not be
 *   ok       looked at, and in order
 */
import type { AccountId } from './account.ts';
import { escapeMarkdown, table } from './markdown.ts';

export const severities = ['error', 'warning', 'info', 'ok'] as const;
export type Severity = (typeof severities)[number];

/** What is looked at, in the order in which a reader is told. */
export const subjects = [
  'repository',
  'image',
  'platform',
  'account path',
  'repository policy',
  'registry policy',
  'credentials',
  'service',
  'task definition',
  'container',
  'execution role',
  'task role',
  'AppSpec',
  'deployment group',
  'active deployment',
  'wait',
] as const;
export type Subject = (typeof subjects)[number];

/** Something about one subject. Reasons may hold anybody's words. */
export interface Fact {
  readonly severity: Severity;
  readonly subject: Subject;
  readonly reason: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

export interface CheckedAccount {
  /** Undefined where nobody says whose account it is. */
  readonly id: AccountId | undefined;
  /** Empty where Organizations was not asked. */
  readonly name: string;
  /** It owns the images, and is not deployed to. */
  readonly isRegistry?: boolean;
}

/** A fact of one account. */
export interface CheckFinding extends Fact {
  readonly account: CheckedAccount;
}

/** The findings of one account: each once, the worst first. */
export function findingsOf(account: CheckedAccount, facts: readonly Fact[]): readonly CheckFinding[] {
  const once = new Map(facts.map((fact) => [JSON.stringify([fact.subject, fact.reason]), fact]));
  return worstFirst([...once.values()].map((fact) => ({ ...fact, account })));
}

/** By severity, then by subject; else in the order in which they come. */
export function worstFirst(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  return findings.toSorted(
    (one, other) =>
      severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
      subjects.indexOf(one.subject) - subjects.indexOf(other.subject),
  );
}

/** `dev-a 222222222222`, `registry 111111111111`. */
export function accountInWords({ id, name, isRegistry = false }: CheckedAccount): string {
  return [isRegistry ? 'registry' : name, id ?? 'the job’s own account'].filter((part) => part !== '').join(' ');
}

/** `2 errors, 1 warning`; of none of either `nothing wrong`. */
export function countInWords(findings: readonly Fact[]): string {
  const counted = (['error', 'warning'] as const).flatMap((severity) => {
    const count = countOf(findings, severity);
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return counted.join(', ') || 'nothing wrong';
}

/** The accounts that have errors, each once. */
export function failingAccounts(findings: readonly CheckFinding[]): readonly string[] {
  return [...new Set(findings.flatMap(({ severity, account }) => (severity === 'error' ? [accountInWords(account)] : [])))];
}

/** What it comes to, in a sentence. */
export function verdict(findings: readonly CheckFinding[]): string {
  const failing = failingAccounts(findings);
  if (failing.length > 0) return `A deployment would fail: ${countInWords(findings)}, in ${failing.join(', ')}.`;
  const warnings = countOf(findings, 'warning');
  return `Nothing was found that would make a deployment fail${warnings > 0 ? `; ${countInWords(findings)}` : ''}.`;
}

/** For the log: `error    service: there is no service web`, and below it what to do. */
export function findingLines(findings: readonly Fact[]): readonly string[] {
  return findings.flatMap(({ severity, subject, reason, advice }) => {
    const [first = '', ...more] = [...`${subject}: ${reason}`.split('\n'), ...(advice === undefined ? [] : advice.split('\n'))];
    return [`${severity.padEnd(9)}${first}`, ...more.map((line) => `${' '.repeat(9)}${line}`)];
  });
}

/**
 * For the output: `{"errors":1,"warnings":0,"findings":[{"severity":"error","account-id":"…","account-name":"…","subject":"service",
 * "reason":"…","advice":"…"}, …]}`. What would make it longer than so many characters is left out from the end, where the least severe
 * ones are, and `truncated` is true.
 */
export function findingsJson(findings: readonly CheckFinding[], limit: number): string {
  const counts = { errors: countOf(findings, 'error'), warnings: countOf(findings, 'warning') };
  const entries = worstFirst(findings).map(({ severity, account, subject, reason, advice = '' }) => ({
    severity,
    'account-id': account.id ?? '',
    'account-name': account.name,
    subject,
    reason,
    advice,
  }));
  const whole = JSON.stringify({ ...counts, findings: entries });
  if (whole.length <= limit) return whole;
  let room = limit - JSON.stringify({ ...counts, findings: [], truncated: true }).length;
  const kept = entries.slice(
    0,
    entries.findIndex((entry) => (room -= JSON.stringify(entry).length + 1) < 0),
  );
  return JSON.stringify({ ...counts, findings: kept, truncated: true });
}

const marks: Readonly<Record<Severity, string>> = { error: '❌ error', warning: '⚠️ warning', info: 'ℹ️ info', ok: '✅ ok' };
/** GitHub shows a mebibyte of a step's summary. */
const rowsShown = 500;
/** Names in a row: who has to act is named, who has not is counted. */
const accountsShown = { open: 10, fine: 3 } as const;

/** For the job summary: what needs attention in a table, what is in order folded below it. */
export function findingsMarkdown(findings: readonly CheckFinding[]): string {
  const rows = worstFirst(findings);
  const open = rows.filter(({ severity }) => severity !== 'ok');
  const fine = rows.filter(({ severity }) => severity === 'ok');
  return [
    '### Check',
    '',
    escapeMarkdown(verdict(findings)),
    '',
    ...(open.length > 0 ? [findingsTable(open, accountsShown.open), ''] : []),
    ...(fine.length > 0
      ? ['<details><summary>What is in order</summary>', '', findingsTable(fine, accountsShown.fine), '', '</details>', '']
      : []),
  ].join('\n');
}

/** What is said of several accounts in the same words is one row. */
function findingsTable(findings: readonly CheckFinding[], named: number): string {
  const same = [...Map.groupBy(findings, ({ severity, subject, reason }) => JSON.stringify([severity, subject, reason])).values()];
  const rows = same.slice(0, rowsShown).flatMap(([first, ...others]) => {
    if (!first) return [];
    const { severity, subject, reason, advice = '' } = first;
    return [[marks[severity], accountsInWords([first, ...others], named), subject, escapeMarkdown(reason), escapeMarkdown(advice)]];
  });
  const shown = table(['', 'Account', 'What', 'Finding', 'What to do'], rows);
  return same.length > rowsShown ? `${shown}\n\nAnd ${same.length - rowsShown} more.` : shown;
}

function accountsInWords(findings: readonly CheckFinding[], named: number): string {
  const names = findings.slice(0, named).map(({ account }) => escapeMarkdown(accountInWords(account)));
  return [...names, ...(findings.length > named ? [`and ${findings.length - named} more`] : [])].join(', ');
}

function countOf(findings: readonly Fact[], wanted: Severity): number {
  return findings.filter(({ severity }) => severity === wanted).length;
}
