/**
 * Watches a deployment: one line for each thing that is new. The SDK's own waiter is not used: it looks every 15 to 120 seconds, tells
 * nothing, and takes a denial for "not yet" (PEERS section 4, defect 1).
 */
import { hasMoved, nextDelay, progressBetween } from '../domain/deployment-progress.ts';
import { isTerminal, type Snapshot } from '../domain/deployment.ts';
import { ActionError, AwsError, DeploymentError, toError } from '../errors.ts';
import { isExpiry, isPassing } from '../ports/aws.ts';
import type { Clock } from '../ports/clock.ts';
import { utc, type Session } from '../ports/credentials.ts';
import type { Log } from '../ports/log.ts';
import { byOidc } from '../ports/sts.ts';
import type { Deployments } from './deployer.ts';

export interface WatchRequest {
  readonly deployments: Pick<Deployments, 'look' | 'url'>;
  readonly id: string;
  readonly session: Pick<Session, 'expiresAt' | 'ending'>;
  readonly ports: { readonly clock: Clock; readonly log: Log };
  readonly signal?: AbortSignal | undefined;
  /** Watching ends here, at a terminal status, or when the time is over. */
  readonly until: (snapshot: Snapshot) => boolean;
  readonly milliseconds: number;
  /** Each look, before anything is concluded from it. */
  readonly seen?: ((snapshot: Snapshot) => Promise<void>) | undefined;
  /** What it means that the deployment can't be followed any more, as a sentence. */
  readonly consequence: string;
  readonly pace?: Pace | undefined;
}

/** Milliseconds until the next look, where they don't depend on the deployment alone. */
export type Pace = () => number;

export interface Watched {
  readonly end: 'reached' | 'terminal' | 'time-out';
  /** Undefined where no look succeeded. */
  readonly snapshot: Snapshot | undefined;
}

/** As long as AWS can't be reached, a line is written about every so many looks. */
const everyFailedLooks = 6;

/**
 * @throws DeploymentError where AWS refuses to tell (a denial, an expired session, a renewal that fails): at once, with the ID, for the
 *   deployment goes on
 * @throws the signal's reason when the run is cancelled, also in the midst of a call
 */
export async function watchDeployment(request: WatchRequest): Promise<Watched> {
  const { id, ports, signal, until, seen } = request;
  const { clock, log } = ports;
  const start = clock.monotonic();
  let snapshot: Snapshot | undefined;
  let movedAt = start;
  let failedLooks = 0;
  for (;;) {
    const next = await look(request);
    if (next instanceof Error) {
      if (failedLooks++ % everyFailedLooks === 0) log.info(`${id}  no answer from AWS (${next.message}); still following`);
    } else {
      failedLooks = 0;
      if (hasMoved(snapshot, next)) movedAt = clock.monotonic();
      for (const line of progressBetween(snapshot, next)) log.info(`${id}  ${line}`);
      snapshot = next;
      await seen?.(next);
      if (until(next)) return { end: 'reached', snapshot };
      if (isTerminal(next.deployment.status)) return { end: 'terminal', snapshot };
    }
    const now = clock.monotonic();
    const left = request.milliseconds - (now - start);
    if (left <= 0) return { end: 'time-out', snapshot };
    const delay = request.pace?.() ?? (snapshot ? nextDelay({ snapshot, sinceMove: now - movedAt }) : 2_000);
    await clock.sleep(Math.min(delay, Math.max(left, 1_000)), signal);
  }
}

/** A snapshot, or the failure that may pass. */
async function look(request: WatchRequest): Promise<Snapshot | Error> {
  const { deployments, id, signal } = request;
  try {
    return await abortable(deployments.look(id), signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (isPassing(error)) return toError(error);
    // Whatever else AWS, STS or GitHub refuses: another look would be refused too.
    throw error instanceof ActionError ? lost(error, request) : error;
  }
}

/** A cancel is answered at once, not when a slow answer has come. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(toError(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function lost(error: ActionError, request: WatchRequest): DeploymentError {
  const { id, deployments, consequence } = request;
  const url = deployments.url(id);
  const { why, remedy } = reasonOf(error, request);
  return new DeploymentError(`Deployment ${id} is still running, but can't be followed: ${why.replace(/\.$/, '')}. ${consequence}`, {
    deploymentId: id,
    status: 'InProgress',
    url,
    cause: error,
    hint: [remedy, url].filter((part) => part !== undefined).join(' '),
  });
}

/** Why following ended, and what helps the next time. */
function reasonOf(error: ActionError, { session, ports }: WatchRequest): { why: string; remedy: string | undefined } {
  const isRenewal = !(error instanceof AwsError) || error.service === 'sts' || error.service === 'github';
  // What a chained role is renewed from may have ended itself; that is told below.
  if (isRenewal && !(isExpiry(error) && session.ending())) {
    return {
      why: `the action renews the session of deploy-role by itself, and that failed: ${error.message}`,
      remedy: 'See that the role can still be assumed: its trust policy, its owner’s changes, and the job’s ID token.',
    };
  }
  if (!isExpiry(error)) return { why: error.message, remedy: error.hint };
  const until = session.expiresAt();
  const at = until === undefined || until > ports.clock.now() ? '' : ` at ${utc(until)}`;
  switch (session.ending()?.why) {
    case 'environment':
      return {
        why: `the credentials expired${at} and came from the environment, so that they can’t be renewed`,
        remedy: 'Give deploy-role to let the action renew the credentials itself.',
      };
    case 'role-chaining':
      return {
        why: `the credentials expired${at}, and so did those in the environment from which the role was assumed`,
        remedy: byOidc,
      };
    case undefined:
      return {
        why: `the session of deploy-role expired${at}, although the action renews it ten minutes before: ${error.message}`,
        remedy: 'See whether the role’s sessions were revoked, and run the step again.',
      };
  }
}
