/**
 * Starts the deployment of a prepared service: once, or not at all.
 *
 *   stale?  →  under way?  →  changed?  →  RegisterTaskDefinition  →  (state for the post step)  →  CreateDeployment or UpdateService
 *
 * CreateDeployment has no idempotency token and a group takes one deployment at a time (RULES 5.1).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import { isStale, parseMarker, type Marker } from '../domain/deployment-marker.ts';
import { hasShifted, isRollingBack, isTerminal, type Deployment } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { differences, readTaskDefinition, sameDefinition, type PinnedImage, type TaskDefinition } from '../domain/task-definition.ts';
import { AwsError, DeploymentError } from '../errors.ts';
import { isDenial } from '../ports/aws.ts';
import type { Ports } from '../ports/index.ts';
import { unfinishedDeployment } from './finish-deployment.ts';
import { plannedWait, type SetOutput } from './follow-deployment.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import { registerMarked } from './register-marked.ts';
import { renderDefinition } from './render-definition.ts';
import { mark, startDeployment } from './start-deployment.ts';
import { warnOfEnding } from './warn-of-ending.ts';
import { watchDeployment, type Pace } from './watch-deployment.ts';

export interface DeployRequest {
  /** By digest, always, in the order of the containers that get them. */
  readonly images: readonly PinnedImage[];
  readonly ports: Pick<Ports, 'clock' | 'log' | 'github'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  readonly output: SetOutput;
  /** How often deployments are looked at. Default: as they move. */
  readonly pace?: Pace | undefined;
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
  /** A wait that the credentials will not outlive was warned of before the first write. */
  readonly forewarned: true;
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

    if (round === 1) await forewarn(current, request);
    request.signal.throwIfAborted();
    if (!registered || !sameDefinition(registered.definition, definition)) {
      registered = {
        definition,
        arn: needsRegistration(current, definition) ? await register(current, { request, marker, definition }) : current.running.arn,
      };
    }
    const { arn } = registered;
    request.output('task-definition-arn', arn);
    const item = unfinishedDeployment({
      place: current.deployer.where,
      mark: { nonce: marker.nonce, taskDefinition: arn },
      account: current.identity.account,
      how: current.side.session.how,
      inputs: current.inputs,
    });
    const answer = way.own ? { answer: 'started' as const, id: way.own.id } : await start(current, { request, marker, arn, item });
    if (answer.answer === 'started') return started(current, { request, id: answer.id, arn, item });
    if (round === mostRounds) throw busy(current, answer.message);
    request.ports.log.info(`${current.deployer.place} was taken meanwhile: ${answer.message}`);
    await request.ports.clock.sleep(2_000, request.signal);
    current = await current.again();
  }
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
  const { ports, signal, pace } = request;
  const { id } = active;
  const by = parseMarker(active.description);
  const who = by ? `, started by run ${by.run} of ${by.workflow}` : '';
  ports.log.info(`${id} is under way in ${deployer.place} (${active.status}${who}): ${deployer.url(id)}`);
  // A rollback is never stopped: it brings the service back to what works.
  if (inputs['on-active-deployment'] === 'stop' && !isRollingBack(active)) await stop(active, { prepared, request });
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
    pace,
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
  if (!deployer.endTerminationWait) return;
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

/** Whether a revision must be registered for a deployment of this. */
export function needsRegistration(prepared: PreparedDeployment, definition: TaskDefinition): boolean {
  return prepared.deployer.needsOwnDefinition || !isRunning(prepared, definition);
}

/** While nothing is written yet, an author can still stop a run that would end unseen. */
async function forewarn({ inputs, deployer, side }: PreparedDeployment, { ports: { log } }: DeployRequest): Promise<void> {
  if (inputs['wait-until'] === 'started') return;
  // What can't be read of the waits is told by whoever follows.
  const wait = await plannedWait({ inputs, deployer }).catch(() => undefined);
  if (wait) warnOfEnding({ session: side.session, minutes: wait.minutes, log });
}

async function register(
  prepared: PreparedDeployment,
  { request, marker, definition }: Round & { definition: TaskDefinition },
): Promise<string> {
  const { deployer, side, running } = prepared;
  const { log } = request.ports;
  const live = readTaskDefinition(running.definition);
  const { arn } = await registerMarked({ deployer, ecs: side.ecs, definition, marker, log });
  log.info(`task definition ${shortName(running.arn)} → ${shortName(arn)}`);
  if (live.ok) for (const line of differences({ before: live.definition, after: definition })) log.info(`  ${line}`);
  return arn;
}

async function start(prepared: PreparedDeployment, { request, marker, arn, item }: Round & { arn: string; item: Cleanup }) {
  const { deployer, service, inputs, identity } = prepared;
  const { ports, memory, signal } = request;
  const text = inputs['codedeploy-deployment-description'];
  return startDeployment({ deployer, account: identity.account, service, taskDefinition: arn, text, marker, item, ports, memory, signal });
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
    forewarned: true,
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
