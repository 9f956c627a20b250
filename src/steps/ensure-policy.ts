/**
 * Makes a repository's policy cover what is wanted, although others write it at the same moment and ECR knows no conditional
 * write. Why it is so careful, and the proof: docs/policy-protocol.md.
 *
 *   1. Read. Covered, and no marker younger than 120 s: done, nothing to write, no wait.
 *   2. Covered, but a writer was here just now: wait S and read again, until two reads S apart show the same state.
 *   3. Not covered: write our values with a fresh marker, unless what we read is older than A: then read again. Acknowledged: 2.
 *      No reply: wait S, then 1; after six in a row say so.
 *   4. Overwritten while settling: back off by chance, then 1; after ten minutes say "policy contended".
 *
 * The promise is fulfilled when the grant is written and acknowledged; `settled` when it can't be lost any more. A deployment may
 * run between the two.
 */
import { explain, type Coverage } from '../domain/policy/coverage.ts';
import { diff } from '../domain/policy/diff.ts';
import { labelOf, parsePolicy, type Policy } from '../domain/policy/document.ts';
import { assess, edit, type Edited } from '../domain/policy/edit.ts';
import { exposures } from '../domain/policy/exposure.ts';
import { withConsumers, type Grant, type Want } from '../domain/policy/grant.ts';
import { neededStatements, render } from '../domain/policy/render.ts';
import { markedAt, markerOf, markersIn, type PolicySid } from '../domain/policy/sid.ts';
import { AwsError, DocumentError } from '../errors.ts';
import { awsCode, isDenial } from '../ports/aws.ts';
import { writeDeadline, type PolicyStore, type PolicyWritten } from '../ports/policy-store.ts';
import { stateOf } from '../domain/policy/state.ts';
import type { Facts } from '../domain/policy/target.ts';
import type { Clock } from '../ports/clock.ts';

/** A: a policy read longer ago than this is too old to be the base of a write. */
const baseAge = 1_000;
/** δ: how stale a read may be. */
const staleness = 2_000;
/** S: two reads of one state this far apart prove that no write is under way that would undo ours. S ≥ A + T + 2δ. */
const settling = 12_000;
/** A marker younger than this (by our clock) may belong to a writer who is not done. */
const freshness = 120_000;
/** After so long without success the policy is contended. */
const patience = 600_000;
/** After so many writes in a row without an answer ECR is at fault, not another writer. */
const mostUnanswered = 6;
/** Before its first write a writer of a matrix waits up to so many milliseconds for each of its jobs. */
const startSpread = 300;
/** Back-off: up to 5 s, doubled each time, at most 60 s. */
const [firstBackOff, longestBackOff] = [5_000, 60_000];

/** The protocol's numbers, for the documentation and the simulation. */
export const protocol = {
  baseAge,
  writeDeadline,
  staleness,
  settling,
  freshness,
  patience,
  startSpread,
  firstBackOff,
  longestBackOff,
} as const;

export type PolicyMode = 'merge' | 'verify' | 'reconcile';

export interface EnsurePolicyRequest {
  readonly store: PolicyStore;
  readonly clock: Clock;
  readonly wanted: readonly Want[];
  readonly facts: Facts;
  readonly policySid: PolicySid;
  readonly mode: PolicyMode;
  /** How many jobs of this matrix may write at the same moment (`strategy.job-total`); 1 without a matrix. */
  readonly jobTotal: number;
  readonly log: (line: string) => void;
  /**
   * What follows when this caller may not write the policy at all. `fail` (default): the denial, with the statement to add. A
   * function is told so, and then it is as with mode verify.
   */
  readonly onDenial?: 'fail' | ((warning: string) => void);
  readonly signal?: AbortSignal;
}

export interface Settled {
  /** The policy as last read: nothing that we granted can be lost from it by cooperating runs. */
  readonly policyText: string | undefined;
  readonly reads: number;
  readonly writes: number;
}

export interface EnsuredPolicy {
  readonly changed: boolean;
  /** As read, or as written. */
  readonly policyText: string | undefined;
  /** What was written, statement by statement; empty when nothing was. */
  readonly diff: readonly string[];
  /** Target by target, in words. */
  readonly explanation: readonly string[];
  readonly coverages: readonly Coverage[];
  /** What a person should look at: foreign statements that let strangers in, Denys that may hit. */
  readonly findings: readonly string[];
  /** Rejects when the grant was overwritten again and again. Safe to leave unhandled. */
  readonly settled: Promise<Settled>;
}

export async function ensurePolicy(request: EnsurePolicyRequest): Promise<EnsuredPolicy> {
  const run = new Run({ ...request, wanted: withConsumers(request.wanted) });
  if (request.mode === 'verify') return run.verify();
  const first = await run.establish();
  if (!first.report.changed) for (const line of first.report.explanation) request.log(line);
  const settled = run.settle(first);
  settled.catch(() => undefined);
  return { ...first.report, settled };
}

/** What the dry run shows: the edit that would be made now. One read, no write. */
export async function planPolicy(
  request: Omit<EnsurePolicyRequest, 'mode'> & { readonly mode: 'merge' | 'reconcile' },
): Promise<Omit<EnsuredPolicy, 'settled'>> {
  return new Run({ ...request, wanted: withConsumers(request.wanted) }).plan();
}

type Report = Omit<EnsuredPolicy, 'settled'>;

/** Our grant is in the policy; whether it stays is to be seen. */
interface Established {
  readonly report: Report;
  readonly state: string;
  /** Nobody wrote lately: it stays. */
  readonly quiet: boolean;
}

interface Snapshot {
  readonly text: string | undefined;
  readonly policy: Policy;
  /** When the read was sent, on the clock that never jumps. */
  readonly sentAt: number;
}

class Run {
  readonly #request: EnsurePolicyRequest;
  readonly #mode: 'merge' | 'reconcile';
  readonly #startedAt: number;
  #reads = 0;
  #writes = 0;
  #backOffs = 0;
  #unanswered = 0;
  #spread = false;

  constructor(request: EnsurePolicyRequest) {
    this.#request = request;
    this.#mode = request.mode === 'reconcile' ? 'reconcile' : 'merge';
    this.#startedAt = request.clock.monotonic();
    if (request.wanted.length === 0)
      throw new DocumentError([{ file: document, problem: 'nobody to share with: name at least one target' }]);
  }

  async verify(): Promise<EnsuredPolicy> {
    const { report } = await this.#verified("policy-mode verify doesn't write");
    for (const line of report.explanation) this.#request.log(line);
    return { ...report, settled: Promise.resolve(this.#settledWith(report.policyText)) };
  }

  /** One read, which must show that all is covered; `because` says why nothing is written otherwise. */
  async #verified(because: string): Promise<Established> {
    const { wanted, facts, policySid, log } = this.#request;
    const { text, policy } = await this.#read();
    const { coverages, missing, blocked } = assess({ policy, wants: wanted, facts });
    const report = this.#report({ text, policy, coverages });
    if (blocked.length > 0 || missing.length > 0) for (const line of report.explanation) log(line);
    if (blocked.length > 0) throw new DocumentError(blocked.map((problem) => ({ file: document, problem })));
    if (missing.length > 0) throw missingError({ missing, policySid, problem: `it lacks ${counted(missing)}, and ${because}` });
    return { report, state: stateOf(policy), quiet: true };
  }

  async plan(): Promise<Report> {
    const { text, policy } = await this.#read();
    const edited = this.#edit(policy);
    return this.#report({ text, policy, coverages: edited.coverages, ...(edited.kind === 'changed' ? { edited } : {}) });
  }

  /** Steps 1 and 3: until the policy covers what is wanted. */
  async establish(): Promise<Established> {
    const { clock, log, signal, jobTotal } = this.#request;
    for (;;) {
      const { text, policy, sentAt } = await this.#read();
      const edited = this.#edit(policy);
      if (edited.kind === 'unchanged') {
        return {
          report: this.#report({ text, policy, coverages: edited.coverages }),
          state: stateOf(policy),
          quiet: this.#isQuiet(policy),
        };
      }
      this.#checkPatience(edited.missing);
      if (!this.#spread && jobTotal > 1) {
        this.#spread = true;
        await clock.sleep(clock.random() * startSpread * jobTotal, signal);
        continue;
      }
      if (clock.monotonic() - sentAt > baseAge) continue;
      const outcome = await this.#write(edited);
      if (typeof outcome === 'string') this.#unanswered = 0;
      if (outcome === 'denied') return this.#verified('this role may not write it');
      if (outcome === 'written') {
        const report = this.#report({ text: edited.text, policy, coverages: edited.coverages, edited });
        for (const line of report.explanation) log(line);
        log('so the policy was changed:');
        for (const line of report.diff) log(line);
        log(`written; read again in ${settling / 1_000} s, to be sure that no other run has undone it`);
        return { report, state: stateOf(edited.policy), quiet: false };
      }
      this.#checkAnswers(outcome.unanswered);
      log(`no reply to the policy write (${outcome.unanswered.message}): looking again in ${settling / 1_000} s`);
      await clock.sleep(settling, signal);
    }
  }

  /** Steps 2 and 4: until two reads S apart show the same state. */
  async settle(established: Established): Promise<Settled> {
    const { clock, log, signal } = this.#request;
    let { report, state, quiet } = established;
    while (!quiet) {
      await clock.sleep(settling, signal);
      const { text, policy } = await this.#read();
      const edited = this.#edit(policy);
      if (edited.kind === 'unchanged') {
        const now = stateOf(policy);
        if (now === state) return this.#settledWith(text);
        state = now;
        this.#checkPatience([]);
        continue;
      }
      this.#checkPatience(edited.missing);
      const wait = clock.random() * Math.min(longestBackOff, firstBackOff * 2 ** this.#backOffs);
      this.#backOffs += 1;
      log(`another writer overwrote the policy (${counted(edited.missing)} missing): trying again in ${(wait / 1_000).toFixed(1)} s`);
      await clock.sleep(wait, signal);
      ({ report, state, quiet } = await this.establish());
    }
    return this.#settledWith(report.policyText);
  }

  /** `denied`: this caller may not write, and the request wants it verified instead. */
  async #write({ text, policy, missing }: Edited): Promise<PolicyWritten | 'denied'> {
    const { store, policySid, onDenial = 'fail' } = this.#request;
    this.#writes += 1;
    try {
      return await store.write(text);
    } catch (error) {
      this.#writes -= 1;
      if (!(error instanceof AwsError)) throw error;
      if (error.code === 'InvalidParameterException') throw withPrincipals(error, policy);
      if (!isDenial(error)) throw error;
      if (onDenial === 'fail') throw withStatement({ error, missing, policySid });
      onDenial(`falling back to policy-mode verify, because this role may not write the policy: ${error.message}`);
      return 'denied';
    }
  }

  async #read(): Promise<Snapshot> {
    const sentAt = this.#request.clock.monotonic();
    this.#reads += 1;
    const text = await this.#request.store.read();
    const parsed = parsePolicy(text);
    if (!parsed.ok)
      throw new DocumentError(
        parsed.problems.map((problem) => ({ file: document, ...problem })),
        {
          hint: 'Nothing was written. Mend the policy in the ECR console or where it is kept, then run again.',
        },
      );
    return { text, policy: parsed.policy, sentAt };
  }

  #edit(policy: Policy): Edited | { readonly kind: 'unchanged'; readonly coverages: readonly Coverage[] } {
    const { wanted, facts, policySid, clock } = this.#request;
    const edited = edit({
      policy,
      wants: wanted,
      facts,
      policySid,
      mode: this.#mode,
      marker: markerOf({ now: clock.now(), random: clock.random() }),
    });
    if (edited.kind !== 'refused') return edited;
    throw new DocumentError(
      edited.problems.map((problem) => ({ file: document, problem })),
      { hint: 'Nothing was written.' },
    );
  }

  /** Is every marker old, so that no cooperating writer can be under way with a base from before it? */
  #isQuiet(policy: Policy): boolean {
    const now = this.#request.clock.now();
    return markersIn(policy).every((marker) => now - markedAt(marker) > freshness);
  }

  /** A write that is never answered is no contention: whoever runs this learns what AWS said. */
  #checkAnswers(lost: Error): void {
    this.#unanswered += 1;
    if (this.#unanswered < mostUnanswered) return;
    throw new AwsError(`ecr:SetRepositoryPolicy was not answered ${mostUnanswered} times in a row: ${lost.message}`, {
      service: 'ecr',
      operation: 'SetRepositoryPolicy',
      code: awsCode(lost) ?? 'NoAnswer',
      cause: lost,
      hint: 'Whether the last of them took effect is not known. Run the step again: it writes nothing if the policy covers all by then.',
    });
  }

  #checkPatience(missing: readonly Grant[]): void {
    if (this.#request.clock.monotonic() - this.#startedAt <= patience) return;
    const minutes = patience / 60_000;
    const problem =
      this.#writes === 0
        ? `policy contended: for ${minutes} minutes no read of it came back within ${baseAge / 1_000} s, so that nothing could be written safely`
        : `policy contended: for ${minutes} minutes other writers changed it again and again (${this.#writes} writes of ours)`;
    throw missingError({ missing, policySid: this.#request.policySid, problem });
  }

  #report({
    text,
    policy,
    coverages,
    edited,
  }: {
    text: string | undefined;
    policy: Policy;
    coverages: readonly Coverage[];
    edited?: Edited;
  }): Report {
    const { policySid } = this.#request;
    return {
      changed: this.#writes > 0,
      policyText: edited?.text ?? text,
      diff: edited
        ? [
            ...diff({ before: policy, after: edited.policy, policySid }),
            ...edited.folded.map(({ value, into }) => `  folded ${value} into ${into}`),
          ]
        : [],
      explanation: coverages.flatMap(explain),
      coverages,
      findings: findingsOf(policy, coverages),
    };
  }

  #settledWith(policyText: string | undefined): Settled {
    return { policyText, reads: this.#reads, writes: this.#writes };
  }
}

const document = 'the repository policy';

function findingsOf(policy: Policy, coverages: readonly Coverage[]): string[] {
  const doubtful = coverages.flatMap((coverage) =>
    explain({ ...coverage, actions: [], denies: coverage.denies.filter(({ extent }) => extent !== 'certain') }),
  );
  return [...exposures(policy).map(({ statement, because }) => `${statement} is open to strangers: ${because}`), ...new Set(doubtful)];
}

function counted(missing: readonly Grant[]): string {
  const [first] = missing;
  return missing.length === 1 && first ? first.value : `${missing.length} grants`;
}

/** The error that says what to add, in every language that a policy is kept in. */
function missingError({
  missing,
  policySid,
  problem,
}: {
  missing: readonly Grant[];
  policySid: PolicySid;
  problem: string;
}): DocumentError {
  if (missing.length === 0) return new DocumentError([{ file: document, problem }]);
  return new DocumentError([{ file: document, problem }], { hint: `Add this statement:\n${statementsToAdd({ missing, policySid })}` });
}

function statementsToAdd({ missing, policySid }: { missing: readonly Grant[]; policySid: PolicySid }): string {
  const { json, cloudFormation, terraform } = render(neededStatements(missing, policySid));
  return `${json}\n\nCloudFormation:\n${cloudFormation}\n\nTerraform:\n${terraform}`;
}

/**
 * ECR refuses a policy in words that name no statement ("Principal not found", "Invalid repository policy provided"): what it may mean is
 * most often a principal that is not there
 * (https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html).
 */
function withPrincipals(error: AwsError, { statements }: Policy): AwsError {
  const named = statements.flatMap((statement) =>
    (statement.principals.byType['AWS'] ?? []).flatMap((name) => (name === '*' ? [] : [`${name} in ${labelOf(statement)}`])),
  );
  const { message, service, operation, code, requestId } = error;
  const principals = named.length === 0 ? 'It names no account and no role.' : `The policy names ${named.join(', ')}.`;
  const hint = `Nothing was written. ECR doesn't say which statement it means: each account and role must exist, and have this Region enabled. ${principals}`;
  return new AwsError(message, { service, operation, code, requestId, cause: error, hint });
}

/** The denial of a write, with what whoever keeps the policy would have to add. */
function withStatement({ error, missing, policySid }: { error: AwsError; missing: readonly Grant[]; policySid: PolicySid }): AwsError {
  if (missing.length === 0) return error;
  const { message, service, operation, code, requestId, hint = '' } = error;
  const statement = `Or have this statement added by whoever may:\n${statementsToAdd({ missing, policySid })}`;
  return new AwsError(message, { service, operation, code, requestId, cause: error, hint: `${hint}\n${statement}`.trim() });
}
