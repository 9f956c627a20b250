/**
 * How long deciding takes: a policy of ECR's full 10 KB against 1,000 targets, three actions each. Goal: 10 ms in the median.
 * Run with `node bench/coverage.ts`.
 */
import { coverer } from '../src/domain/policy/coverage.ts';
import { parsePolicy } from '../src/domain/policy/document.ts';
import { pullActions } from '../src/domain/policy/grant.ts';
import type { AccountId } from '../src/domain/account.ts';
import type { OrganizationId, OrgPath, OuId } from '../src/domain/organization.ts';
import type { Target } from '../src/domain/policy/target.ts';

const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };
const organization = 'o-a1b2c3d4e5' as OrganizationId;
const ou = (number: number) => `ou-ab12-${String(number).padStart(8, '0')}` as OuId;
const pathOf = (number: number) => `${organization}/r-ab12/${ou(number % 7)}/${ou(number)}/` as OrgPath;
const statement = (values: string[]) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: pullActions,
  Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': values } },
});
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

const policies = {
  '250 OUs in our own form': [statement(numbers(250).map((number) => `${organization}/*/${ou(1000 + number)}/*`))],
  '150 explicit paths': [statement(numbers(150).map((number) => `${pathOf(1000 + number)}*`))],
  '36 statements of one OU': numbers(36).map((number) => statement([`${organization}/*/${ou(1000 + number)}/*`])),
};
const targets: Record<string, (number: number) => Target> = {
  'OUs, tree unknown': (number) => ({ kind: 'ou', organization, ou: ou(1000 + number) }),
  'OUs, tree known': (number) => ({ kind: 'ou', organization, ou: ou(1000 + number), path: pathOf(1000 + number) }),
  accounts: (number) => ({ kind: 'account', account: String(100_000_000_000 + number) as AccountId, path: pathOf(1000 + number) }),
};

const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
let worst = 0;
for (const [name, statements] of Object.entries(policies)) {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  for (const [kind, target] of Object.entries(targets)) {
    const list = numbers(1_000).map(target);
    let yes = 0;
    const times = numbers(40).map(() => {
      const start = performance.now();
      const parsed = parsePolicy(text);
      if (!parsed.ok) throw new Error('malformed');
      const decide = coverer(parsed.policy, facts);
      yes = list.filter((one) => decide(one, pullActions).covered).length;
      return performance.now() - start;
    });
    const warm = times.slice(10);
    const time = median(warm);
    const best = Math.min(...warm);
    worst = Math.max(worst, time);
    console.log(
      `${name.padEnd(26)} ${String(text.length).padStart(6)} characters   1,000 ${kind.padEnd(18)} median ${time.toFixed(1).padStart(5)} ms, best ${best.toFixed(1).padStart(5)} ms   ${yes} covered`,
    );
  }
}
console.log(`worst median ${worst.toFixed(1)} ms, goal 10 ms`);
