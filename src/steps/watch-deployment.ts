/**
 * Watches a deployment: one line for each thing that is new. The SDK's own waiter is not used: it looks every 15 to 120 seconds, tells
 * nothing, and takes a denial for "not yet" (PEERS section 4, defect 1).
 */
import { hasMoved, nextDelay, progressBetween } from '../domain/deployment-progress.ts';
import { isTerminal, type Snapshot } from '../domain/deployment.ts';
import { AwsError, DeploymentError, toError } from '../errors.ts';
import { isDenial, isExpiry, isPassing } from '../ports/aws.ts';
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
  /** Each look. */
  readonly seen?: (snapshot: Snapshot) => void;
}

export interface Watched {
  readonly end: 'reached' | 'terminal' | 'time-out';
  /** Undefined where no look succeeded. */
  readonly snapshot: Snapshot | undefined;
}

/** As long as AWS can't be reached, a line is written about every so many looks. */
const everyFailedLooks = 6;

/**
 * @throws DeploymentError where the credentials are denied or have expired: at once, with the ID, for the deployment goes on
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
      seen?.(next);
      if (until(next)) return { end: 'reached', snapshot };
      if (isTerminal(next.deployment.status)) return { end: 'terminal', snapshot };
    }
    const now = clock.monotonic();
    const left = request.milliseconds - (now - start);
    if (left <= 0) return { end: 'time-out', snapshot };
    const delay = snapshot ? nextDelay({ snapshot, sinceMove: now - movedAt }) : 2_000;
    await clock.sleep(Math.min(delay, Math.max(left, 1_000)), signal);
  }
}

/** A snapshot, or the failure that may pass. */
async function look({ deployments, id, session, ports, signal }: WatchRequest): Promise<Snapshot | Error> {
  try {
    return await abortable(deployments.look(id), signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (isDenial(error) || isExpiry(error)) throw lost({ id, error, session, url: deployments.url(id), now: ports.clock.now() });
    if (isPassing(error)) return toError(error);
    throw error;
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

function lost({
  id,
  error,
  session,
  url,
  now,
}: {
  id: string;
  error: unknown;
  session: WatchRequest['session'];
  url: string;
  now: number;
}): DeploymentError {
  const expired = isExpiry(error);
  const until = session.expiresAt();
  const at = until === undefined || until > now ? '' : ` at ${utc(until)}`;
  const why = expired ? `the credentials expired${at}${endOf(session)}` : toError(error).message;
  return new DeploymentError(`Deployment ${id} is still running, but can't be followed: ${why}.`, {
    deploymentId: id,
    status: 'InProgress',
    url,
    cause: error,
    hint: `${remedyOf({ error, session })} See how it ends: ${url}`,
  });
}

function endOf(session: WatchRequest['session']): string {
  switch (session.ending()?.why) {
    case 'environment':
      return ' and came from the environment, so that they can’t be renewed';
    case 'role-chaining':
      return ', and so did those in the environment from which the role was assumed';
    case undefined:
      return '';
  }
}

function remedyOf({ error, session }: { error: unknown; session: WatchRequest['session'] }): string {
  const own = error instanceof AwsError ? error.hint : undefined;
  if (!isExpiry(error)) return own ?? 'Allow codedeploy:GetDeployment and codedeploy:GetDeploymentTarget.';
  switch (session.ending()?.why) {
    case 'environment':
      return 'Give deploy-role to let the action renew the credentials itself.';
    case 'role-chaining':
      return byOidc;
    case undefined:
      return own ?? 'Run the step again.';
  }
}
