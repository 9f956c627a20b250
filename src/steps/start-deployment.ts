/**
 * Starts a deployment: once, or not at all. What the post step must know is saved first; a lost reply is cleared up by the nonce in
 * the description – by the task definition where ECS itself deploys –, so that there are never two deployments, and ours is never taken
 * for a stranger's (RULES 5.1).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import type { AccountId } from '../domain/account.ts';
import { describe, makeNonce, markerOf, type Marker } from '../domain/deployment-marker.ts';
import type { Deployment } from '../domain/deployment.ts';
import type { LiveService } from '../domain/live-service.ts';
import type { PlannedWrite } from '../domain/plan.ts';
import { AwsError, toError } from '../errors.ts';
import { awsCode } from '../ports/aws.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer, OwnMark, StartAnswer } from './deployer.ts';

export interface StartRequest {
  readonly deployer: Pick<Deployer, 'find' | 'permission' | 'place' | 'start' | 'traceOf'>;
  readonly account: AccountId;
  readonly service: LiveService;
  /** The ARN. */
  readonly taskDefinition: string;
  /** What the description says before the mark. */
  readonly text: string | undefined;
  readonly marker: Marker;
  /** What the post step would do. */
  readonly item: Cleanup;
  readonly ports: Pick<Ports, 'clock' | 'log'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/** The mark of a deployment that this run would make now. */
export async function mark({ clock, github }: Pick<Ports, 'clock' | 'github'>): Promise<Marker> {
  const nonce = makeNonce({ now: clock.now(), random: () => clock.random() });
  // Asked only where there may be one: the event's module is a large one.
  const pullRequest = github.run.eventName.startsWith('pull_request') ? await github.pullRequest() : undefined;
  return markerOf(github.run, { nonce, pullRequest: pullRequest?.number });
}

/** @throws AwsError where it was refused, or not answered three times */
export async function startDeployment(request: StartRequest): Promise<Exclude<StartAnswer, { answer: 'unknown' }>> {
  const { deployer, service, taskDefinition, marker, item, ports, memory, signal } = request;
  const description = describe({ text: request.text, marker });
  const own: OwnMark = { nonce: marker.nonce, taskDefinition };
  const call = deployer.permission({ call: 'start', account: request.account });
  // Whoever cancelled by now wants none.
  signal.throwIfAborted();
  memory.remember(item);
  let lost: Error | undefined;
  for (const pause of [2_000, 4_000, 8_000]) {
    const answer = await deployer.start({ service, taskDefinition, description }).catch((error: unknown) => {
      // Refused: nothing was made, by this request at least.
      if (lost === undefined && error instanceof AwsError) memory.forget(item);
      throw error;
    });
    if (answer.answer === 'started') return answer;
    if (answer.answer === 'unknown') {
      lost = answer.error;
      ports.log.warning(`${call.action} was not answered (${lost.message}): looking whether the deployment was made.`);
    }
    if (lost) {
      const made = await sought({ request, own, call, lost, pause });
      if (made) return { answer: 'started', id: made.id };
    }
    if (answer.answer === 'busy') {
      memory.forget(item);
      return answer;
    }
    signal.throwIfAborted();
  }
  throw new AwsError(`${call.service}:${call.action} for ${deployer.place} was not answered three times: ${lost?.message ?? ''}`, {
    service: call.service,
    operation: call.action,
    code: awsCode(lost) ?? 'NoAnswer',
    cause: lost,
    hint: `None was seen yet; if one was made, ${deployer.traceOf(own)}. The post step looks once more, and ${secondChance(item)}. Run the step again: it waits for this one if it turns up after all.`,
  });
}

function secondChance(item: Cleanup): string {
  return item.kind === 'deployment' && item.onCancel === 'leave' ? 'leaves it running' : 'does what on-cancel says';
}

/**
 * Looks at once and once more after a pause, since lists lag behind.
 * @throws AwsError where that can't be looked at: nothing more is sent then, for there may be one
 */
async function sought({
  request: { deployer, item, ports },
  own,
  call,
  lost,
  pause,
}: {
  request: StartRequest;
  own: OwnMark;
  call: PlannedWrite;
  lost: Error;
  pause: number;
}): Promise<Deployment | undefined> {
  try {
    const seen = await deployer.find(own);
    if (seen) return seen;
    // Not to be cancelled: what was made without our knowledge must be known before anyone can undo it.
    await ports.clock.sleep(pause);
    return await deployer.find(own);
  } catch (error) {
    const code = awsCode(error) ?? 'NoAnswer';
    const mend = error instanceof AwsError ? error.hint : undefined;
    const next = `If it was made, ${deployer.traceOf(own)}. The post step looks for it once more, and ${secondChance(item)}; then run the step again.`;
    throw new AwsError(
      `Whether a deployment was started in ${deployer.place} is not known: ${call.action} was not answered (${lost.message}), and it can't be looked for: ${toError(error).message}`,
      { service: call.service, operation: call.action, code, cause: error, hint: mend === undefined ? next : `${mend} ${next}` },
    );
  }
}
