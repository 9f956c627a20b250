/**
 * Does a policy let a target do what it needs? A target stands for a set of requests; the policy covers an action when some Allow
 * matches every one of them and no Deny any. Decided per action, so statements add up. Three answers: "yes" is proven, "no" and
 * "unknown" both mean that one more statement is needed (a shape that is not understood costs a redundant statement, no more).
 * A Deny is certain (it hits all), partial (it hits an OU or role inside) or possible (it depends on what nobody can know).
 * Evaluation logic: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
 */
import { prepareClause, type PreparedClause } from './condition/clause.ts';
import { labelOf, type Policy, type Statement } from './document.ts';
import { requestsTo, type Requests } from './known.ts';
import { takesAction, takesResource } from './names.ts';
import { notesOn, type Note } from './notes.ts';
import { judgePrincipals } from './principal.ts';
import { describeTarget, type Facts, type Target } from './target.ts';

export interface ActionCoverage {
  readonly action: string;
  readonly answer: 'yes' | 'no' | 'unknown';
  /** The statements that cover it, as the log names them. */
  readonly by: readonly string[];
  /** Why, in words: one line a statement that was looked at. */
  readonly because: readonly string[];
}

export interface Denial {
  readonly statement: string;
  readonly extent: 'certain' | 'partial' | 'possible';
  readonly actions: readonly string[];
  /** With `partial`: what is hit, e.g. `o-…/r-…/ou-t/ou-sandbox/`. */
  readonly where?: string;
  readonly because: string;
}

export interface Coverage {
  readonly target: Target;
  readonly actions: readonly ActionCoverage[];
  readonly denies: readonly Denial[];
  /** What a person should know about the covering statements. */
  readonly notes: readonly Note[];
  /** Every action is allowed, and no Deny is certain. */
  readonly covered: boolean;
}

/** Decides target by target; the policy is read once. */
export type Coverer = (target: Target, actions: readonly string[]) => Coverage;

interface Prepared {
  readonly statement: Statement;
  readonly label: string;
  readonly resource: 'all' | 'none' | 'unknown';
  readonly clauses: readonly PreparedClause[];
  readonly takes: (action: string) => boolean;
}

/** An Allow, asked about a target. */
type Answer = ActionCoverage['answer'];

export function coverage({
  policy,
  target,
  actions,
  facts,
}: {
  policy: Policy;
  target: Target;
  actions: readonly string[];
  facts: Facts;
}): Coverage {
  return coverer(policy, facts)(target, actions);
}

export function coverer(policy: Policy, facts: Facts): Coverer {
  const prepared = policy.statements.map((statement): Prepared => {
    const taken = new Map<string, boolean>();
    return {
      statement,
      label: labelOf(statement),
      resource: takesResource({ resources: statement.resources, version: policy.version, arn: facts.repositoryArn }),
      clauses: statement.clauses.map((clause) => prepareClause(clause, policy.version)),
      takes: (action) => {
        const known = taken.get(action) ?? takesAction(statement.actions, action);
        taken.set(action, known);
        return known;
      },
    };
  });
  const allows = prepared.filter(({ statement }) => statement.effect === 'Allow');
  const denies = prepared.filter(({ statement }) => statement.effect === 'Deny');
  const ask = requestsTo(facts);
  const takers = new Map<string, readonly number[]>();
  const takersOf = (action: string) => {
    const known = takers.get(action) ?? allows.flatMap(({ takes }, at) => (takes(action) ? [at] : []));
    takers.set(action, known);
    return known;
  };
  return (target, actions) => {
    const requests = ask(target);
    const answers = allows.map((allow) => answerOf(allow, requests));
    const covered = actions.map((action): ActionCoverage => {
      const taking = takersOf(action);
      const yes = taking.filter((at) => answers[at] === 'yes');
      const chosen = (yes.length > 0 ? yes : taking).flatMap((at) => allows[at] ?? []);
      return {
        action,
        answer: yes.length > 0 ? 'yes' : taking.some((at) => answers[at] === 'unknown') ? 'unknown' : 'no',
        by: yes.flatMap((at) => allows[at]?.label ?? []),
        // A getter: with hundreds of targets the words would cost more than the decisions, and most are never read.
        get because() {
          return chosen.length > 0 ? chosen.map((allow) => `${allow.label}: ${reasonOf(allow, requests)}`) : ['no statement allows it'];
        },
      };
    });
    const used = answers.includes('yes')
      ? allows.filter((_, at) => answers[at] === 'yes' && actions.some((action) => takersOf(action).includes(at)))
      : [];
    const blocked = denies.flatMap((deny) => denial({ deny, requests, actions }) ?? []);
    return {
      target,
      actions: covered,
      denies: blocked,
      notes: used.flatMap(({ statement, clauses }) =>
        notesOn({ statement, target, deciding: clauses.map((clause) => clause.judge(requests, false).by) }),
      ),
      covered: covered.every(({ answer }) => answer === 'yes') && blocked.every(({ extent }) => extent !== 'certain'),
    };
  };
}

/** Does an Allow match every request of the target? */
function answerOf({ statement, resource, clauses }: Prepared, requests: Requests): Answer {
  if (resource !== 'all' || judgePrincipals(statement, requests).answer !== 'all') return 'no';
  let open = statement.unknown.length > 0;
  for (const clause of clauses) {
    const { answer } = clause.judge(requests, false);
    if (answer === 'unknown') open = true;
    else if (answer !== 'all') return 'no';
  }
  return open ? 'unknown' : 'yes';
}

/** The same in words. */
function reasonOf({ statement, resource, clauses }: Prepared, requests: Requests): string {
  if (resource !== 'all') return statement.resources?.not === true ? 'NotResource proves nothing' : "Resource doesn't name this repository";
  const principal = judgePrincipals(statement, requests);
  if (principal.answer !== 'all') return principal.because;
  const judged = clauses.map((clause) => {
    const judgement = clause.judge(requests, false);
    return { answer: judgement.answer, because: clause.explain(judgement, requests) };
  });
  const failing =
    judged.find(({ answer }) => answer !== 'all' && answer !== 'unknown') ?? judged.find(({ answer }) => answer === 'unknown');
  if (failing) return failing.because;
  if (statement.unknown.length > 0) return `it has an element that is not known: ${statement.unknown.join(', ')}`;
  return [principal.because, ...judged.map(({ because }) => because)].join('; ');
}

/** Does a Deny match some of the target's requests? */
function denial({ deny, requests, actions }: { deny: Prepared; requests: Requests; actions: readonly string[] }): Denial | undefined {
  const hit = actions.filter(deny.takes);
  if (hit.length === 0 || deny.resource === 'none') return undefined;
  const principal = judgePrincipals(deny.statement, requests);
  if (principal.answer === 'none') return undefined;
  const judged = deny.clauses.map((clause) => {
    const judgement = clause.judge(requests, true);
    return { ...judgement, because: clause.explain(judgement, requests) };
  });
  if (judged.some(({ answer }) => answer === 'none')) return undefined;
  const parts = [principal, ...judged].filter(({ answer }) => answer !== 'all');
  const doubtful = deny.resource === 'unknown' || deny.statement.unknown.length > 0;
  const [part] = parts;
  const because = (part ? parts : [principal, ...judged]).map((one) => one.because).join('; ');
  const common = { statement: deny.label, actions: hit, because };
  if (doubtful || parts.some(({ answer }) => answer !== 'part') || parts.length > 1) return { ...common, extent: 'possible' };
  if (!part) return { ...common, extent: 'certain' };
  const where = judged.find((judgement) => judgement === part)?.witness;
  return { ...common, extent: 'partial', ...(where === undefined ? {} : { where }) };
}

/** The coverage in the log's words: a line for the target, then why for each action that differs. */
export function explain({ target, actions, denies, notes }: Coverage): string[] {
  const groups = new Map<string, ActionCoverage[]>();
  for (const action of actions) {
    const key = JSON.stringify([action.answer, action.because]);
    groups.set(key, [...(groups.get(key) ?? []), action]);
  }
  const words = { yes: 'covered', no: 'not covered', unknown: 'not covered as far as can be told' } as const;
  const name = describeTarget(target);
  return [
    ...[...groups.values()].flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const by = first.by.length > 0 ? ` by ${first.by.join(', ')}` : '';
      const what = groups.size === 1 ? '' : ` for ${group.map(({ action }) => action).join(', ')}`;
      return [`${name}: ${words[first.answer]}${by}${what}`, ...first.because.map((reason) => `  ${reason}`)];
    }),
    ...denies.map(({ statement, extent, where, actions: hit, because }) => {
      const how =
        extent === 'certain'
          ? 'is denied'
          : extent === 'partial'
            ? `is partly denied${where === undefined ? '' : ` (${where})`}`
            : 'may be denied';
      return `${name}: ${how} ${hit.join(', ')} by ${statement}: ${because}`;
    }),
    ...notes.map(({ text }) => `${name}: ${text}`),
  ];
}
