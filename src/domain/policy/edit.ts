/**
 * The least edit: what has to change in a policy so that every target is covered, and nothing else.
 *
 *   merge       adds the missing values to our own statements; removes nothing
 *   reconcile   also takes out of our own statements what is no longer wanted
 *
 * Foreign statements are never touched. Nothing is written when everything is covered, when a Deny makes writing pointless, when
 * the result would let strangers in, shut its editor out or be longer than ECR takes; what is written was first read back and
 * decided again.
 */
import { coverer, type Coverage, type Denial } from './coverage.ts';
import { parsePolicy, serialise, type Policy } from './document.ts';
import { exposures } from './exposure.ts';
import { fold, type Folded } from './fold.ts';
import { grantFor, statementJson, type Grant, type OwnStatement, type Want } from './grant.ts';
import { lockouts } from './lockout.ts';
import { adding, distinct, ownStatements, sameValues, type Stored } from './own.ts';
import { describeTarget, type Facts } from './target.ts';
import { writeSid, type Marker, type PolicySid } from './sid.ts';
import type { JsonObject } from './json.ts';

/** What ECR takes, in characters. */
export const policyLimit = 10_240;

export interface Edited {
  readonly kind: 'changed';
  readonly text: string;
  readonly policy: Policy;
  readonly coverages: readonly Coverage[];
  /** What was missing. */
  readonly missing: readonly Grant[];
  readonly folded: Folded['folded'];
}

export type Edit =
  | Edited
  | { readonly kind: 'unchanged'; readonly coverages: readonly Coverage[] }
  | {
      readonly kind: 'refused';
      readonly coverages: readonly Coverage[];
      readonly missing: readonly Grant[];
      readonly problems: readonly string[];
    };

export interface EditRequest {
  readonly policy: Policy;
  readonly wants: readonly Want[];
  readonly facts: Facts;
  readonly policySid: PolicySid;
  readonly mode: 'merge' | 'reconcile';
  /** Fresh for every attempt: see sid.ts. */
  readonly marker: Marker;
  readonly limit?: number;
}

/** How each want stands. */
export function assess({ policy, wants, facts }: Pick<EditRequest, 'policy' | 'wants' | 'facts'>): {
  coverages: Coverage[];
  missing: Grant[];
  blocked: string[];
} {
  const decide = coverer(policy, facts);
  const coverages = wants.map(({ target, actions }) => decide(target, actions));
  const missing = coverages.flatMap(({ target, actions }) => {
    const needed = actions.filter(({ answer }) => answer !== 'yes').map(({ action }) => action);
    return needed.length > 0 ? [grantFor({ target, actions: needed }, facts)] : [];
  });
  const blocked = coverages.flatMap(({ target, denies }) =>
    denies
      .filter(({ extent }) => extent === 'certain')
      .map(
        (denial: Denial) =>
          `${describeTarget(target)} is denied ${denial.actions.join(', ')} by ${denial.statement} (${denial.because}): no grant can help`,
      ),
  );
  return { coverages, missing: distinct(missing), blocked };
}

export function edit(request: EditRequest): Edit {
  const { policy, wants, facts, policySid, mode, limit = policyLimit } = request;
  const { coverages, missing, blocked } = assess(request);
  const refused = (...problems: string[]): Edit => ({ kind: 'refused', coverages, missing, problems });
  if (blocked.length > 0) return refused(...blocked);
  const stored = ownStatements(policy, policySid);
  const before = stored.map(({ own }) => own);
  const after = mode === 'merge' ? adding(before, { grants: missing, policy, policySid }) : reconciled(request, stored);
  if (sameStatements(before, after)) return { kind: 'unchanged', coverages };
  const shut = lockouts(policy, facts);
  if (shut.length > 0) return refused(`${shut.join(', ')} denies ecr:SetRepositoryPolicy: nobody could edit this policy again`);
  let text = write(request, { stored, after });
  let folded: Folded['folded'] = [];
  if (text.length > limit) {
    const result = fold(after);
    folded = result.folded;
    text = write(request, { stored, after: result.statements });
  }
  if (text.length > limit) return refused(tooLong({ text, limit, after, folded, foreign: policy.statements.length - stored.length }));
  const reread = parsePolicy(text);
  if (!reread.ok) return refused(...reread.problems.map(({ path, problem }) => `the new policy would be malformed: ${path} ${problem}`));
  const open = exposures({ ...reread.policy, statements: reread.policy.statements.slice(policy.statements.length - stored.length) });
  if (open.length > 0) return refused(...open.map(({ statement, because }) => `${statement} would be open to strangers: ${because}`));
  const unmet = assess({ policy: reread.policy, wants, facts }).missing;
  if (unmet.length > 0) return refused(...unmet.map(({ value }) => `${value} would still not be covered: this is a bug of ours`));
  return { kind: 'changed', text, policy: reread.policy, coverages, missing, folded };
}

/** Our statements with exactly what is wanted and not granted by others. */
function reconciled({ policy, wants, facts, policySid }: EditRequest, stored: readonly Stored[]): OwnStatement[] {
  const ours = new Set(stored.map(({ statement }) => statement));
  const foreign: Policy = { ...policy, statements: policy.statements.filter((statement) => !ours.has(statement)) };
  const wanted = wants.map((want) => grantFor(want, facts));
  const holding = ({ kind, value }: Grant) => stored.some(({ own }) => own.sid.kind === kind && own.values.includes(value));
  const needed = assess({ policy: foreign, wants, facts }).missing;
  // What we hold and is still wanted stays even where a foreign statement covers it too.
  const grants = [
    ...needed,
    ...wanted.filter((grant) => holding(grant) && !needed.some(({ kind, value }) => kind === grant.kind && value === grant.value)),
  ];
  // Every write carries a marker, and only a statement can carry it: the first of what is wanted stays as its carrier.
  const [first] = wanted;
  const carried =
    grants.length === 0 && stored.length > 0 ? wanted.filter(({ kind, value }) => kind === first?.kind && value === first.value) : grants;
  const emptied = stored.map(({ own }) => ({ ...own, values: [] }));
  return adding(emptied, { grants: distinct(carried), policy, policySid }).filter(({ values }) => values.length > 0);
}

function sameStatements(before: readonly OwnStatement[], after: readonly OwnStatement[]): boolean {
  return before.length === after.length && before.every((own, at) => after[at]?.sid === own.sid && sameValues(own, after[at]));
}

/** Foreign statements as they are, then ours; each of ours that changed carries the marker. */
function write(
  { policy, policySid, marker }: EditRequest,
  { stored, after }: { stored: readonly Stored[]; after: readonly OwnStatement[] },
): string {
  const ours = new Set(stored.map(({ statement }) => statement));
  const changed = after.map((own) => {
    const before = stored.find((one) => one.own.sid === own.sid);
    return before && sameValues(before.own, own) ? before.statement.json : undefined;
  });
  const nothingChanged = changed.every((json) => json !== undefined);
  const written = after.map((own, at): JsonObject => {
    const kept = nothingChanged && at === 0 ? undefined : changed[at];
    if (kept) return kept;
    const sid = { ...own.sid, marker };
    return statementJson({ sid: { ...sid, text: writeSid({ policySid, ...sid }) }, actions: own.actions, values: own.values });
  });
  return serialise(policy, [...policy.statements.filter((statement) => !ours.has(statement)).map(({ json }) => json), ...written]);
}

interface TooLong {
  readonly text: string;
  readonly limit: number;
  readonly after: readonly OwnStatement[];
  readonly folded: Folded['folded'];
  readonly foreign: number;
}

function tooLong({ text, limit, after, folded, foreign }: TooLong): string {
  const ours = after.reduce((sum, { values }) => sum + values.length, 0);
  const counts = `${ours} values in our ${after.length} statements, ${foreign} foreign statements, ${folded.length} values folded`;
  return `the policy would have ${text.length} characters, ${text.length - limit} more than the ${limit} that ECR takes (${counts}): name an OU higher up, or the whole organization`;
}
