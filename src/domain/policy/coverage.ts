/**
 * Does a policy let a target do what it needs? A target stands for a set of requests; the policy covers an action when some Allow
 * matches every one of them and no Deny any. Decided per action, so statements add up. Three answers: "yes" is proven, "no" and
 * "unknown" both mean that one more statement is needed (a shape that is not understood costs a redundant statement, no more).
 * A Deny is certain (it hits all), partial (it hits an OU or role inside) or possible (it depends on what nobody can know).
 * Evaluation logic: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
 */
import { memo } from './memo.ts';
import { organizationPaths, prepareClause, type PreparedClause } from './condition/clause.ts';
import { labelOf, type Policy, type Statement } from './document.ts';
import { requestsTo, type Requests } from './known.ts';
import { takesAction, takesResource } from './names.ts';
import { notesOn, type Note } from './notes.ts';
import { preparePrincipals, type PrincipalJudge } from './principal.ts';
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

/** A statement, ready to be asked about many targets. */
interface Prepared {
  readonly statement: Statement;
  readonly label: string;
  readonly resource: 'all' | 'none' | 'unknown';
  readonly judgePrincipals: PrincipalJudge;
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
  const prepared = policy.statements.map((statement): Prepared => ({
    statement,
    label: labelOf(statement),
    resource: takesResource({ resources: statement.resources, version: policy.version, arn: facts.repositoryArn }),
    judgePrincipals: preparePrincipals(statement),
    clauses: statement.clauses.map((clause) => prepareClause(clause, policy.version)),
    takes: memo((action: string) => takesAction(statement.actions, action)),
  }));
  const allows = prepared.filter(({ statement }) => statement.effect === 'Allow');
  const denies = prepared.filter(({ statement }) => statement.effect === 'Deny');
  const ask = requestsTo(facts);
  const candidatesFor = candidatesAmong(allows);
  const concernOf = memo((actions: readonly string[]) => concern({ allows, denies, actions }));
  return (target, actions) => {
    const requests = ask(target);
    const { takings, hits } = concernOf(actions);
    const { covering, doubtful } = candidatesFor(requests);
    const yes = covering.filter((allow) => answerOf(allow, requests) === 'yes');
    const verdictOf = memo((takers: ReadonlySet<Prepared>): Verdict => {
      const by = yes.filter((allow) => takers.has(allow));
      if (by.length > 0) return { answer: 'yes', by: by.map(({ label }) => label), because: () => reasons(by, requests) };
      const open = doubtful.some((allow) => takers.has(allow) && answerOf(allow, requests) === 'unknown');
      return { answer: open ? 'unknown' : 'no', by: [], because: () => reasons([...takers], requests) };
    });
    const decided = takings.map(({ action, takers }) => new DecidedAction(action, verdictOf(takers)));
    const used = yes.filter((allow) => takings.some(({ takers }) => takers.has(allow)));
    const denials = hits.flatMap((hit) => denial(hit, requests) ?? []);
    return {
      target,
      actions: decided,
      denies: denials,
      notes: used.flatMap(({ statement, clauses, takes }) =>
        notesOn({ statement, takes, target, deciding: clauses.map((clause) => clause.judge(requests, false).by) }),
      ),
      covered: decided.every(({ answer }) => answer === 'yes') && denials.every(({ extent }) => extent !== 'certain'),
    };
  };
}

/** What of a policy matters for some actions. */
interface Concern {
  /** The Allows that take each action: one and the same set where they are the same, so that it is decided once. */
  readonly takings: readonly { readonly action: string; readonly takers: ReadonlySet<Prepared> }[];
  readonly hits: readonly Hit[];
}

/** A Deny, with the actions that it takes. */
interface Hit {
  readonly deny: Prepared;
  readonly actions: readonly string[];
}

function concern({
  allows,
  denies,
  actions,
}: {
  allows: readonly Prepared[];
  denies: readonly Prepared[];
  actions: readonly string[];
}): Concern {
  const sets: ReadonlySet<Prepared>[] = [];
  return {
    takings: actions.map((action) => {
      const taking = new Set(allows.filter(({ takes }) => takes(action)));
      const takers = sets.find((known) => known.symmetricDifference(taking).size === 0) ?? taking;
      sets.push(takers);
      return { action, takers };
    }),
    hits: denies.flatMap((deny) => {
      const taken = actions.filter(deny.takes);
      return taken.length > 0 && deny.resource !== 'none' ? [{ deny, actions: taken }] : [];
    }),
  };
}

/** Which Allows are worth asking about a target. */
interface Candidates {
  /** Those that can answer "yes". */
  readonly covering: readonly Prepared[];
  /** Those that can answer "unknown". */
  readonly doubtful: readonly Prepared[];
}

/**
 * An Allow that names places covers only who lies at one of them: those of the others are found by the target's places, not by asking
 * each. Where the target's path isn't known to its end, what names other places is doubtful.
 */
function candidatesAmong(allows: readonly Prepared[]): (requests: Requests) => Candidates {
  const byPlace = new Map<string, Prepared[]>();
  const anywhere: Prepared[] = [];
  for (const allow of allows) {
    const places = allow.clauses.find((clause) => clause.places)?.places;
    if (!places) anywhere.push(allow);
    else for (const place of places) byPlace.set(place, [...(byPlace.get(place) ?? []), allow]);
  }
  return (requests) => {
    const paths = requests.knows(organizationPaths)?.present;
    const found = new Set(anywhere);
    for (const place of paths?.places() ?? []) for (const allow of byPlace.get(place) ?? []) found.add(allow);
    const covering = found.size === anywhere.length ? anywhere : [...found].sort(inOrder);
    return { covering, doubtful: paths && paths.literal === undefined ? allows : covering };
  };
}

function inOrder({ statement: a }: Prepared, { statement: b }: Prepared): number {
  return a.index - b.index;
}

interface Verdict extends Pick<ActionCoverage, 'answer' | 'by'> {
  readonly because: () => readonly string[];
}

/** Its words are made when they are asked for: of hundreds of targets most are never read, and they would cost more than deciding. */
class DecidedAction implements ActionCoverage {
  readonly action: string;
  readonly answer: Answer;
  readonly by: readonly string[];
  readonly #because: () => readonly string[];

  constructor(action: string, { answer, by, because }: Verdict) {
    this.action = action;
    this.answer = answer;
    this.by = by;
    this.#because = because;
  }

  get because(): readonly string[] {
    return this.#because();
  }
}

function reasons(allows: readonly Prepared[], requests: Requests): readonly string[] {
  return allows.length > 0 ? allows.map((allow) => `${allow.label}: ${reasonOf(allow, requests)}`) : ['no statement allows it'];
}

/** Does an Allow match every request of the target? */
function answerOf({ statement, resource, judgePrincipals, clauses }: Prepared, requests: Requests): Answer {
  if (resource !== 'all' || judgePrincipals(requests).answer !== 'all') return 'no';
  let open = statement.unknown.length > 0;
  for (const clause of clauses) {
    const { answer } = clause.judge(requests, false);
    if (answer === 'unknown') open = true;
    else if (answer !== 'all') return 'no';
  }
  return open ? 'unknown' : 'yes';
}

/** The same in words. */
function reasonOf({ statement, resource, judgePrincipals, clauses }: Prepared, requests: Requests): string {
  if (resource !== 'all') return statement.resources?.not === true ? 'NotResource proves nothing' : "Resource doesn't name this repository";
  const principal = judgePrincipals(requests);
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
function denial({ deny, actions }: Hit, requests: Requests): Denial | undefined {
  const principal = deny.judgePrincipals(requests);
  if (principal.answer === 'none') return undefined;
  const judgements: ReturnType<PreparedClause['judge']>[] = [];
  for (const clause of deny.clauses) {
    const judgement = clause.judge(requests, true);
    if (judgement.answer === 'none') return undefined;
    judgements.push(judgement);
  }
  const judged = judgements.map((judgement, at) => ({ ...judgement, because: deny.clauses[at]?.explain(judgement, requests) ?? '' }));
  const parts = [principal, ...judged].filter(({ answer }) => answer !== 'all');
  const doubtful = deny.resource === 'unknown' || deny.statement.unknown.length > 0;
  const [part] = parts;
  const because = (part ? parts : [principal, ...judged]).map((one) => one.because).join('; ');
  const common = { statement: deny.label, actions, because };
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
