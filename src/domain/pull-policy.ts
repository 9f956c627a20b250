/**
 * Whether the policies of a registry let an account's tasks pull, decided by meaning. Between accounts the repository's policy must allow
 * it; one account's own roles need no more than their own policies. A registry policy (V2) can deny, and can allow too, though AWS does
 * not say that its Allow alone is enough for a pull from another account: [U], so it is no more than a warning (AWS-FACTS 1.7).
 */
import { accountOf, type AccountId } from './account.ts';
import type { Fact, Subject } from './findings.ts';
import { coverage, type Coverage } from './policy/coverage.ts';
import type { Policy } from './policy/document.ts';
import { repositoryFacts, type Target } from './policy/target.ts';
import { roleName } from './task-roles.ts';

/** What a pull asks at least (https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html). */
const leastActions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'] as const;
/** Of many statements that allow nothing it is enough to read some. */
const reasonsShown = 3;

export interface PullQuestion {
  readonly repositoryArn: string;
  readonly policy: Policy;
  /** Undefined: there is none that decides on pulls. */
  readonly registryPolicy: Policy | undefined | 'not known';
  /** Who pulls. */
  readonly puller: Extract<Target, { kind: 'account' | 'role' }>;
  /** Whether the role that deploys could pull. */
  readonly pull: 'yes' | 'no' | 'unknown';
  /** What would tell where the account is in the organization; undefined where that was asked already. */
  readonly pathAdvice?: string | undefined;
}

export function policyFacts(question: PullQuestion): readonly Fact[] {
  const { repositoryArn, policy, registryPolicy, puller } = question;
  const judge = (one: Policy): Coverage => coverage({ policy: one, target: puller, actions: leastActions, facts: { repositoryArn } });
  const own = judge(policy);
  const registry = registryPolicy === undefined || registryPolicy === 'not known' ? undefined : judge(registryPolicy);
  const isOwnAccount = repositoryFacts({ repositoryArn }).account === accountIn(question);
  return [
    isOwnAccount
      ? fact('ok', 'is not needed: the repository is of the account itself, whose roles need no more than their own policies')
      : allowance({ own, registry, question }),
    ...denials('repository policy', own, puller),
    ...(registry ? denials('registry policy', registry, puller) : []),
  ];
}

function allowance({ own, registry, question }: { own: Coverage; registry: Coverage | undefined; question: PullQuestion }): Fact {
  const who = inWords(question.puller);
  const why = reasons(own);
  const answer = answerOf(own);
  switch (answer === 'no' && dependsOnPath(question) ? 'unknown' : answer) {
    case 'yes':
      return fact('ok', `lets ${who} pull: ${why}`);
    case 'unknown':
      return fact(
        question.pull === 'yes' ? 'info' : 'warning',
        `whether it lets ${who} pull is not known: ${why}`,
        question.puller.path === undefined ? question.pathAdvice : undefined,
      );
    case 'no': {
      const isByRegistry = registry !== undefined && answerOf(registry) === 'yes';
      const maybeByRegistry = question.registryPolicy === 'not known' && question.pull === 'yes';
      const further = isByRegistry
        ? `. The registry policy does (${reasons(registry)}), and AWS does not say that this is enough`
        : maybeByRegistry
          ? '. Yet the role that deploys may: as a role of its own in the policy, or by the registry policy, which could not be read'
          : '';
      return fact(isByRegistry || maybeByRegistry ? 'warning' : 'error', `does not let ${who} pull: ${why}${further}`, remedy(question));
    }
  }
}

/** Whether the answer could be another one, were the account's place in the organization known. */
function dependsOnPath({ policy, puller }: PullQuestion): boolean {
  if (puller.path !== undefined) return false;
  return policy.statements.some(({ effect, clauses }) => effect === 'Allow' && clauses.some(({ key }) => /^aws:principalorg/i.test(key)));
}

function remedy({ puller }: PullQuestion): string {
  const ou = puller.path?.split('/').at(-2);
  const targets = ou?.startsWith('ou-') ? `target-ous: ${ou}` : `target-accounts: ${accountIn({ puller })}`;
  return `Share the repository: mode: share with ${targets}.`;
}

/** The account is told beside it. */
function inWords(puller: PullQuestion['puller']): string {
  return puller.kind === 'role' ? `the execution role ${roleName(puller.role)}` : 'the account';
}

function denials(subject: Subject, { denies }: Coverage, puller: PullQuestion['puller']): readonly Fact[] {
  return denies.map(({ statement, extent, where, actions, because }) => ({
    severity: extent === 'certain' ? ('error' as const) : ('warning' as const),
    subject,
    reason: `${statement} ${extent === 'certain' ? 'denies' : 'may deny'} ${inWords(puller)} ${actions.join(', ')}${where === undefined ? '' : ` (${where})`}: ${because}`,
    advice: `Have ${statement} changed by whoever keeps it; the action touches no statement of others.`,
  }));
}

/** As good as the worst of its actions. */
function answerOf({ actions }: Coverage): 'yes' | 'no' | 'unknown' {
  return (['no', 'unknown'] as const).find((wanted) => actions.some(({ answer }) => answer === wanted)) ?? 'yes';
}

function reasons(coverage: Coverage): string {
  const answer = answerOf(coverage);
  const all = [...new Set(coverage.actions.filter((action) => action.answer === answer).flatMap(({ because }) => because))];
  return [...all.slice(0, reasonsShown), ...(all.length > reasonsShown ? [`and ${all.length - reasonsShown} statements more`] : [])].join(
    '; ',
  );
}

function accountIn({ puller }: Pick<PullQuestion, 'puller'>): AccountId {
  return puller.kind === 'account' ? puller.account : accountOf(puller.role);
}

function fact(severity: Fact['severity'], reason: string, advice?: string): Fact {
  return { severity, subject: 'repository policy', reason, advice };
}
