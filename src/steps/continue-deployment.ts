/** Ends the wait that a deployment stands in, once; a deployment that has not come to Ready yet is continued as soon as it has. */
import { continuationOf, type Continuation } from '../domain/deployment-continuation.ts';
import type { Deployment, Snapshot, WaitUntil } from '../domain/deployment.ts';
import { AwsError, InputError } from '../errors.ts';
import { awsCode, isDenial, isExpiry, isPassing } from '../ports/aws.ts';
import type { Log } from '../ports/log.ts';
import type { Deployer } from './deployer.ts';

export interface ContinueRequest {
  readonly deployer: Deployer;
  readonly until: WaitUntil;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What is to be done about a deployment as it is now. */
export async function continuationNow(
  snapshot: Snapshot,
  { deployer, until }: Pick<ContinueRequest, 'deployer' | 'until'>,
): Promise<Continuation> {
  const pauseAhead = await deployer.pauseAhead(snapshot);
  return continuationOf({ snapshot, until, pauseAhead, canEndTerminationWait: deployer.endTerminationWait !== undefined });
}

export function nothingToContinue(id: string, { why }: { why: string }): InputError {
  return new InputError([{ input: 'mode', problem: `there is nothing to continue: ${id} ${why}` }]);
}

/**
 * To be called with each look at a deployment.
 * @throws InputError where it waits for nothing; AwsError where the caller may not continue it
 */
export function continuer(request: ContinueRequest): (snapshot: Snapshot) => Promise<void> {
  const { log } = request;
  let state: 'new' | 'awaiting' | 'done' = 'new';
  return async (snapshot) => {
    if (state === 'done') return;
    const { id } = snapshot.deployment;
    const continuation = await continuationNow(snapshot, request);
    switch (continuation.what) {
      case 'await-ready':
        if (state === 'new') log.info(`${id}  has not come to Ready yet: it is continued as soon as it has`);
        state = 'awaiting';
        return;
      case 'nothing':
        throw nothingToContinue(id, continuation);
      case 'follow':
        log.info(`${id}  not continued: ${continuation.why}`);
        state = 'done';
        return;
      case 'end-ready-wait':
      case 'end-termination-wait':
        if (await end(continuation.what, { deployment: snapshot.deployment, request })) state = 'done';
    }
  };
}

const waits = {
  'end-ready-wait': { call: 'endReadyWait', said: 'continued: the traffic shifts now' },
  'end-termination-wait': { call: 'endTerminationWait', said: 'continued: its old tasks end now' },
} as const;
const pauseEnded = 'continued: ECS goes on from the pause hook';

/** @returns false where no answer came: the next look tells whether it is to be tried again */
async function end(
  wait: keyof typeof waits,
  { deployment: { id, pause }, request }: { deployment: Deployment; request: ContinueRequest },
): Promise<boolean> {
  const { deployer, log, signal } = request;
  const { call, said } = waits[wait];
  signal.throwIfAborted();
  try {
    const isOver = (await deployer[call]?.(id)) === 'over';
    log.info(`${id}  ${isOver ? 'not continued: it waits there no more, and is followed' : pause ? pauseEnded : said}`);
    return true;
  } catch (error) {
    if (isPassing(error)) {
      log.warning(`${id}  no answer to the continuation; looking whether it is to be sent again`);
      return false;
    }
    if (!isHarmless(wait, error)) throw error;
    log.info(`${id}  AWS does not continue it (${awsCode(error) ?? ''}): it goes on by itself, and is followed`);
    return true;
  }
}

/** In the same moment somebody else continued it, or its wait was over. Whether ECS takes TERMINATION_WAIT at all is not sure (RULES 6.7): that wait ends by itself. */
function isHarmless(wait: keyof typeof waits, error: unknown): boolean {
  if (!(error instanceof AwsError) || isDenial(error) || isExpiry(error)) return false;
  return (
    wait === 'end-termination-wait' || ['DeploymentIsNotInReadyStateException', 'DeploymentAlreadyCompletedException'].includes(error.code)
  );
}
