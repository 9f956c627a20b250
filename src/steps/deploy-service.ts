/**
 * Starts the deployment of a prepared service: once, or not at all.
 *
 *   stale?  →  under way?  →  changed?  →  RegisterTaskDefinition  →  (state for the post step)  →  CreateDeployment
 *
 * CreateDeployment has no idempotency token and a group takes one deployment at a time. A lost reply is cleared up by the nonce in the
 * description, so that there are never two deployments, and ours is never taken for a stranger's (RULES 5.1).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import { describe, isStale, makeNonce, markerOf, parseMarker, type Marker } from '../domain/deployment-marker.ts';
import { hasShifted, isTerminal, type Deployment } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { differences, readTaskDefinition, sameDefinition, type PinnedImage, type TaskDefinition } from '../domain/task-definition.ts';
import { AwsError, DeploymentError, toError } from '../errors.ts';
import { awsCode, isDenial } from '../ports/aws.ts';
import type { How } from '../ports/credentials.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer, StartAnswer } from './deployer.ts';
import type { UnfinishedDeployment } from './finish-deployment.ts';
import type { SetOutput } from './follow-deployment.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import { renderDefinition } from './render-definition.ts';
import type { DeployInputs } from './sessions.ts';
import { watchDeployment } from './watch-deployment.ts';

export interface DeployRequest {
  /** By digest, always, in the order of the containers that get them. */
  readonly images: readonly PinnedImage[];
  readonly ports: Pick<Ports, 'clock' | 'log' | 'github'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  readonly output: SetOutput;
}

export type Deployed =
  /** The service runs exactly this: nothing was written. */
  | { readonly result: 'unchanged'; readonly taskDefinition: string }
  /** A newer run of the same workflow has deployed or is deploying: nothing was written. */
  | { readonly result: 'yielded'; readonly taskDefinition: string; readonly to: Deployment }
  | StartedDeployment;

export interface StartedDeployment {
  readonly result: 'started';
  readonly id: string;
  readonly url: string;
  readonly taskDefinition: string;
  /** What ran before. */
  readonly previousTaskDefinition: string;
  /** The deployment as it was prepared last, for `followDeployment`. */
  readonly target: PreparedDeployment;
  readonly unfinished: { readonly memory: Memory; readonly item: Cleanup };
}

/** How often a deployment of others may come in between. */
const mostRounds = 5;

/**
 * @throws DocumentError where the rendered definition is too large; AwsError where AWS refuses; DeploymentError where a deployment
 *   that is under way does not end
 */
export async function deployService(prepared: PreparedDeployment, request: DeployRequest): Promise<Deployed> {
  const marker = await mark(request.ports);
  let current = prepared;
  let registered: { readonly definition: TaskDefinition; readonly arn: string } | undefined;
  for (let round = 1; ; round++) {
    const way = await clearTheWay(current, { request, marker });
    current = way.prepared;
    if (way.yieldTo) return yielded(current, { request, to: way.yieldTo });
    const definition = renderDefinition(current, request.images);
    if (way.own === undefined && isUnchanged(current, definition)) return unchanged(current, request);

    request.signal.throwIfAborted();
    if (!registered || !sameDefinition(registered.definition, definition)) {
      registered = {
        definition,
        arn: isRunning(current, definition) ? current.running.arn : await register(current, { request, definition }),
      };
    }
    const { arn } = registered;
    request.output('task-definition-arn', arn);
    const item: Cleanup = { kind: 'deployment', ...unfinishedOf(current, marker) };
    const answer = way.own ? { answer: 'started' as const, id: way.own.id } : await start(current, { request, marker, arn, item });
    if (answer.answer === 'started') return started(current, { request, id: answer.id, arn, item });
    if (round === mostRounds) throw busy(current, answer.message);
    request.ports.log.info(`${current.deployer.place} was taken meanwhile: ${answer.message}`);
    await request.ports.clock.sleep(2_000, request.signal);
    current = await current.again();
  }
}

/** The mark of a deployment that this run would make now. */
export async function mark({ clock, github }: Pick<Ports, 'clock' | 'github'>): Promise<Marker> {
  const nonce = makeNonce({ now: clock.now(), random: () => clock.random() });
  // Asked only where there may be one: the event's module is a large one.
  const pullRequest = github.run.eventName.startsWith('pull_request') ? await github.pullRequest() : undefined;
  return markerOf(github.run, { nonce, pullRequest: pullRequest?.number });
}

interface Round {
  readonly request: DeployRequest;
  readonly marker: Marker;
}

interface Way {
  readonly prepared: PreparedDeployment;
  /** A newer run's deployment: this run is stale. */
  readonly yieldTo?: Deployment;
  /** Our own deployment, whose creation we had not learnt of. */
  readonly own?: Deployment;
}

/** Waits until nothing is under way in the group, or stops what is, as `on-active-deployment` says. */
async function clearTheWay(prepared: PreparedDeployment, { request, marker }: Round): Promise<Way> {
  let current = prepared;
  for (;;) {
    const known = seen(current, marker);
    if (known.own || known.yieldTo || !current.active) return { prepared: current, ...known };
    await endOf(current.active, { prepared: current, request });
    current = await current.again();
  }
}

/** Our own deployment, or a newer run's, among those that the preparation saw. */
export function seen({ active, newest }: PreparedDeployment, marker: Marker): Pick<Way, 'own' | 'yieldTo'> {
  const known = [active, newest].filter((deployment) => deployment !== undefined);
  const own = known.find(({ description }) => parseMarker(description)?.nonce === marker.nonce);
  if (own) return { own };
  const yieldTo = known.find(
    ({ description, status }) => !['Failed', 'Stopped'].includes(status) && isStale({ mine: marker, newest: parseMarker(description) }),
  );
  return yieldTo ? { yieldTo } : {};
}

async function endOf(active: Deployment, { prepared, request }: { prepared: PreparedDeployment; request: DeployRequest }): Promise<void> {
  const { deployer, inputs, side } = prepared;
  const { ports, signal } = request;
  const { id } = active;
  const by = parseMarker(active.description);
  const who = by ? `, started by run ${by.run} of ${by.workflow}` : '';
  ports.log.info(`${id} is under way in ${deployer.place} (${active.status}${who}): ${deployer.url(id)}`);
  // A rollback is never stopped: it brings the service back to what works.
  if (inputs['on-active-deployment'] === 'stop' && active.rollback.of === undefined) await stop(active, { prepared, request });
  const minutes = inputs['wait-for-minutes'] ?? 6 * 60;
  const { end, snapshot } = await watchDeployment({
    deployments: deployer,
    id,
    session: side.session,
    ports,
    signal,
    until: ({ deployment }) => isTerminal(deployment.status),
    milliseconds: minutes * 60_000,
    consequence: 'Nothing was started.',
  });
  if (end !== 'time-out') return;
  throw new DeploymentError(`Deployment ${id} of ${deployer.place} did not end within ${minutes} min, and nothing was started.`, {
    deploymentId: id,
    status: snapshot?.deployment.status ?? active.status,
    url: deployer.url(id),
    hint: `Raise wait-for-minutes, or set on-active-deployment: stop. ${deployer.url(id)}`,
  });
}

/** In the wait before the old tasks end that wait is ended (RULES 6.7; where AWS refuses, it is waited for); earlier it is stopped. */
async function stop(active: Deployment, { prepared, request }: { prepared: PreparedDeployment; request: DeployRequest }): Promise<void> {
  const { deployer } = prepared;
  const { log } = request.ports;
  if (!hasShifted(active)) {
    await deployer.stop({ id: active.id, rollback: true });
    log.info(`${active.id}  stopped with a rollback, as on-active-deployment says`);
    return;
  }
  try {
    await deployer.endTerminationWait(active.id);
    log.info(`${active.id}  its old tasks are ended now, as on-active-deployment says`);
  } catch (error) {
    if (!(error instanceof AwsError) || isDenial(error)) throw error;
    log.info(`${active.id}  its wait can't be ended (${error.code}); waiting`);
  }
}

/** Compared with the PRIMARY task set's, not with the service's (RULES 6.9); one that was deregistered can't be deployed again. */
export function isRunning({ running }: PreparedDeployment, definition: TaskDefinition): boolean {
  const live = readTaskDefinition(running.definition);
  return live.ok && running.definition['status'] !== 'INACTIVE' && sameDefinition(live.definition, definition);
}

/** Whether there is nothing to deploy. */
export function isUnchanged(prepared: PreparedDeployment, definition: TaskDefinition): boolean {
  const { deployer, inputs, service } = prepared;
  return isRunning(prepared, definition) && !inputs['force-new-deployment'] && deployer.changes(service).length === 0;
}

async function register(
  prepared: PreparedDeployment,
  { request, definition }: { request: DeployRequest; definition: TaskDefinition },
): Promise<string> {
  const { side, running } = prepared;
  const { log } = request.ports;
  const live = readTaskDefinition(running.definition);
  const { arn } = await side.ecs.registerTaskDefinition(definition);
  log.info(`task definition ${shortName(running.arn)} → ${shortName(arn)}`);
  if (live.ok) for (const line of differences({ before: live.definition, after: definition })) log.info(`  ${line}`);
  return arn;
}

function unfinishedOf({ inputs, identity, deployer, side }: PreparedDeployment, { nonce }: Marker): UnfinishedDeployment {
  return {
    ...deployer.where,
    nonce,
    account: identity.account,
    onCancel: inputs['on-cancel'],
    access: accessOf(inputs, side.session.how),
  };
}

/** The post step comes by its credentials in the same way, whatever the job's environment holds by then. */
function accessOf(inputs: DeployInputs, how: How): DeployInputs {
  const chaining = how === 'oidc' ? 'false' : how === 'assume-role' ? 'true' : inputs['role-chaining'];
  return {
    'aws-region': inputs['aws-region'],
    'deploy-region': inputs['deploy-region'],
    'deploy-role': inputs['deploy-role'],
    'deploy-account-id': inputs['deploy-account-id'],
    audience: inputs.audience,
    'role-session-name': inputs['role-session-name'],
    'role-chaining': chaining,
    'role-duration-seconds': inputs['role-duration-seconds'],
    'role-external-id': inputs['role-external-id'],
    'role-session-tags': inputs['role-session-tags'],
  };
}

/** Saves what the post step must know, then starts, and clears up a lost reply. */
async function start(
  prepared: PreparedDeployment,
  { request, marker, arn, item }: Round & { arn: string; item: Cleanup },
): Promise<Exclude<StartAnswer, { answer: 'unknown' }>> {
  const { deployer, service, inputs } = prepared;
  const { ports, memory, signal } = request;
  const description = describe({ text: inputs['codedeploy-deployment-description'], marker });
  // Whoever cancelled by now wants none.
  signal.throwIfAborted();
  memory.remember(item);
  let lost: Error | undefined;
  for (const pause of [2_000, 4_000, 8_000]) {
    const answer = await deployer.start({ service, taskDefinition: arn, description }).catch((error: unknown) => {
      // Refused: nothing was made, by this request at least.
      if (lost === undefined && error instanceof AwsError) memory.forget(item);
      throw error;
    });
    if (answer.answer === 'started') return answer;
    if (answer.answer === 'unknown') {
      lost = answer.error;
      ports.log.warning(`CreateDeployment was not answered (${lost.message}): looking whether the deployment was made.`);
    }
    if (lost) {
      const own = await sought({ request, deployer, marker, lost, pause });
      if (own) return { answer: 'started', id: own.id };
    }
    if (answer.answer === 'busy') {
      memory.forget(item);
      return answer;
    }
    signal.throwIfAborted();
  }
  throw new AwsError(`codedeploy:CreateDeployment for ${deployer.place} was not answered three times: ${lost?.message ?? ''}`, {
    service: 'codedeploy',
    operation: 'CreateDeployment',
    code: awsCode(lost) ?? 'NoAnswer',
    cause: lost,
    hint: `No deployment whose description ends in #${marker.nonce} was seen. The post step looks once more, and does what on-cancel says. Run the step again: it waits for this one if it turns up after all.`,
  });
}

/**
 * Looks at once and once more after a pause, since lists lag behind.
 * @throws AwsError where that can't be looked at: nothing more is sent then, for there may be one
 */
async function sought({
  request: { ports },
  deployer,
  marker: { nonce },
  lost,
  pause,
}: {
  request: DeployRequest;
  deployer: Deployer;
  marker: Marker;
  lost: Error;
  pause: number;
}): Promise<Deployment | undefined> {
  try {
    const seen = await deployer.find(nonce);
    if (seen) return seen;
    // Not to be cancelled: what was made without our knowledge must be known before anyone can undo it.
    await ports.clock.sleep(pause);
    return await deployer.find(nonce);
  } catch (error) {
    const code = awsCode(error) ?? 'NoAnswer';
    const mend = error instanceof AwsError ? error.hint : undefined;
    const next = `If it was made, its description ends in #${nonce}. The post step looks for it once more, and does what on-cancel says; then run the step again.`;
    throw new AwsError(
      `Whether a deployment was started in ${deployer.place} is not known: CreateDeployment was not answered (${lost.message}), and it can't be looked for: ${toError(error).message}`,
      { service: 'codedeploy', operation: 'CreateDeployment', code, cause: error, hint: mend === undefined ? next : `${mend} ${next}` },
    );
  }
}

function started(
  prepared: PreparedDeployment,
  { request, id, arn, item }: { request: DeployRequest; id: string; arn: string; item: Cleanup },
): StartedDeployment {
  const { output, ports, memory } = request;
  const url = prepared.deployer.url(id);
  output('deployment-id', id);
  output('deployment-url', url);
  output('changed', 'true');
  ports.log.info(`${id}  started in ${prepared.deployer.place}: ${url}`);
  return {
    result: 'started',
    id,
    url,
    taskDefinition: arn,
    previousTaskDefinition: prepared.running.arn,
    target: prepared,
    unfinished: { memory, item },
  };
}

function unchanged({ running, service }: PreparedDeployment, { output, ports }: DeployRequest): Deployed {
  output('task-definition-arn', running.arn);
  output('changed', 'false');
  ports.log.info(`${service.name} runs exactly this already (${shortName(running.arn)}): no registration, no deployment.`);
  return { result: 'unchanged', taskDefinition: running.arn };
}

function yielded({ running, deployer }: PreparedDeployment, { request, to }: { request: DeployRequest; to: Deployment }): Deployed {
  const { output, ports } = request;
  const newer = parseMarker(to.description);
  output('task-definition-arn', running.arn);
  output('changed', 'false');
  ports.log.warning(
    `Nothing was deployed: run ${newer?.run ?? 0} of this workflow is newer than this one and has deployed already (${to.id}). ${deployer.url(to.id)}`,
  );
  return { result: 'yielded', taskDefinition: running.arn, to };
}

function busy({ deployer, active }: PreparedDeployment, message: string): DeploymentError {
  const id = active?.id ?? '';
  return new DeploymentError(
    `No deployment could be started in ${deployer.place}: others came in between ${mostRounds} times. ${message}`,
    {
      deploymentId: id,
      status: active?.status ?? 'Unknown',
      url: id === '' ? '' : deployer.url(id),
      hint: 'Let a concurrency group of the workflow keep the runs apart.',
    },
  );
}
