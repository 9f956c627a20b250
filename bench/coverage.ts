/**
 * How long deciding takes: a policy of nearly ECR's full 10 KB, read from its text, against 1,000 targets, three actions each.
 * Goal: 10 ms in the median. CPU time counts, since it doesn't depend on who else uses the machine as much as the clock does; it includes
 * the collection of garbage and the compiler's work on other threads. Run with `npm run bench -- coverage`.
 */
import { coverer } from '../src/domain/policy/coverage.ts';
import { parsePolicy } from '../src/domain/policy/document.ts';
import { pullActions } from '../src/domain/policy/grant.ts';
import { median, printTable } from './measure.ts';
import type { AccountId } from '../src/domain/account.ts';
import type { OrganizationId, OrgPath, OuId } from '../src/domain/organization.ts';
import type { Target } from '../src/domain/policy/target.ts';

const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };
const organization = 'o-a1b2c3d4e5' as OrganizationId;
const ou = (number: number) => `ou-ab12-${String(1000 + number).padStart(8, '0')}` as OuId;
/** Below one of seven OUs that no policy names. */
const pathOf = (number: number) => `${organization}/r-ab12/${ou(9_000 + (number % 7))}/${ou(number)}/` as OrgPath;
const account = (number: number) => String(100_000_000_000 + number) as AccountId;
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

type Statement = Readonly<Record<string, unknown>>;
const allow: Statement = { Effect: 'Allow', Principal: '*', Action: pullActions };
const on = (paths: readonly string[]): Statement => ({ Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': paths } } });
const ownForm = (number: number) => `${organization}/*/${ou(number)}/*`;
const deny = (condition: Statement): Statement => ({ Effect: 'Deny', Principal: '*', Action: 'ecr:*', ...condition });

const targets = {
  'OUs, tree unknown': (number: number): Target => ({ kind: 'ou', organization, ou: ou(number) }),
  'OUs, tree known': (number: number): Target => ({ kind: 'ou', organization, ou: ou(number), path: pathOf(number) }),
  'accounts of OUs': (number: number): Target => ({ kind: 'account', account: account(number), path: pathOf(number) }),
  accounts: (number: number): Target => ({ kind: 'account', account: account(number) }),
  'functions of accounts': (number: number): Target => ({ kind: 'service', service: 'lambda', account: account(number) }),
};
type TargetKind = keyof typeof targets;
const inOus: readonly TargetKind[] = ['OUs, tree unknown', 'OUs, tree known', 'accounts of OUs'];

interface Shape {
  readonly name: string;
  readonly statements: readonly Statement[];
  readonly against: readonly TargetKind[];
}

const shapes: readonly Shape[] = [
  { name: '250 OUs in our own form', statements: [{ ...allow, ...on(numbers(250).map(ownForm)) }], against: inOus },
  { name: '150 explicit paths', statements: [{ ...allow, ...on(numbers(150).map((number) => `${pathOf(number)}*`)) }], against: inOus },
  { name: '36 statements of one OU', statements: numbers(36).map((number) => ({ ...allow, ...on([ownForm(number)]) })), against: inOus },
  {
    name: '200 OUs and three Denies',
    statements: [
      { ...allow, ...on(numbers(200).map(ownForm)) },
      deny({ Condition: { StringNotEquals: { 'aws:PrincipalOrgID': organization } } }),
      deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      deny(on([ownForm(8_000)])),
    ],
    against: inOus,
  },
  {
    name: '250 accounts',
    statements: [{ ...allow, Principal: { AWS: numbers(250).map((number) => `arn:aws:iam::${account(number)}:root`) } }],
    against: ['accounts'],
  },
  {
    name: '150 accounts’ functions',
    statements: [
      {
        ...allow,
        Principal: { Service: 'lambda.amazonaws.com' },
        Condition: { ArnLike: { 'aws:SourceArn': numbers(150).map((number) => `arn:aws:lambda:eu-west-1:${account(number)}:function:*`) } },
      },
    ],
    against: ['functions of accounts'],
  },
];

/** Milliseconds of all threads of this process. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function decide(text: string, list: readonly Target[]): number {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error('malformed');
  const decideOne = coverer(parsed.policy, facts);
  return list.filter((target) => decideOne(target, pullActions).covered).length;
}

const rows = shapes.flatMap(({ name, statements, against }) => {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return against.map((kind) => {
    const list = numbers(1_000).map(targets[kind]);
    const runs = numbers(50).map(() => {
      const [start, startCpu] = [performance.now(), cpuTime()];
      const covered = decide(text, list);
      return { cpu: cpuTime() - startCpu, time: performance.now() - start, covered };
    });
    const warm = runs.slice(10);
    const times = warm.map(({ time }) => time);
    return { name, size: text.length, kind, covered: runs[0]?.covered ?? 0, cpu: median(warm.map(({ cpu }) => cpu)), times };
  });
});

printTable(
  ['policy', 'characters', '1,000 …', 'covered', 'CPU ms, median', 'ms, median', 'ms, best'],
  rows.map(({ name, size, kind, covered, cpu, times }) => [
    name,
    size,
    kind,
    covered,
    cpu.toFixed(1),
    median(times).toFixed(1),
    Math.min(...times).toFixed(1),
  ]),
);
console.log(`\nWorst median of CPU time: ${Math.max(...rows.map(({ cpu }) => cpu)).toFixed(1)} ms; the goal is 10 ms.`);
