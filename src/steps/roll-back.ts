/**
 * Rolls a service back, a decision at a time: after a stop or a wait everything is looked at again, until what is unwanted has no
 * effect any more. A rollback that succeeds is the success of this step; a cancel leaves it running.
 */
import type { Memory } from '../cleanup.ts';
import { rollbackText, type Marker } from '../domain/deployment-marker.ts';
import { formatDuration } from '../domain/deployment-progress.ts';
import { summariseDeployment, type DeploymentSummary } from '../domain/deployment-summary.ts';
import { isTerminal, type Deployment } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { describedDifferences, imagesOf } from '../domain/task-definition.ts';
import { CancelledError, DeploymentError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer } from './deployer.ts';
import { unfinishedDeployment } from './finish-deployment.ts';
import {
  consequence,
  followDeployment,
  plannedWait,
  rollbackOf,
  type Followed,
  type FollowRequest,
  type FollowTarget,
  type SetOutput,
} from './follow-deployment.ts';
import { prepareRollback, type PreparedRollback, type Redeployment, type RollbackPreparation } from './prepare-rollback.ts';
import { revisionOf } from './resume-deployment.ts';
import { summariseEnd } from './run-deployment.ts';
import { mark, startDeployment } from './start-deployment.ts';
import { watchDeployment } from './watch-deployment.ts';

export interface RollbackRequest extends RollbackPreparation {
  readonly inputs: RollbackPreparation['inputs'] & { readonly 'wait-for-minutes': number | undefined };
  readonly ports: Pick<Ports, 'clock' | 'ecr' | 'github' | 'log'>;
  readonly memory: Memory;
  readonly output: SetOutput;
}

type Prepared<What extends PreparedRollback['what']> = Extract<PreparedRollback, { what: What }>;

/** How often the group may look different from what was expected. */
const mostRounds = 6;

/** @throws InputError where there is nothing to go back to; DeploymentError where the rollback fails; CancelledError: it goes on */
export async function rollBack(request: RollbackRequest): Promise<void> {
  const { ports, signal } = request;
  const run = new Run(request, await mark(ports));
  try {
    for (let round = 1; ; round++) {
      signal.throwIfAborted();
      const prepared = await prepareRollback(request);
      if (round === 1) for (const warning of prepared.found.warnings) ports.log.warning(warning);
      if (await run.carryOut(prepared)) return;
      if (round === mostRounds) throw contended(prepared.found.deployer);
      await ports.clock.sleep(2_000, signal);
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
    throw new CancelledError(`The run was cancelled. ${run.underWay}`);
  }
}

function contended({ place }: Deployer): DeploymentError {
  return new DeploymentError(`No rollback came to its end in ${place}: others came in between ${mostRounds} times.`, {
    deploymentId: '',
    status: 'Unknown',
    url: '',
    hint: 'Let a concurrency group of the workflow keep the runs apart.',
  });
}

function withGoal(error: DeploymentError, goal: string): DeploymentError {
  const { deploymentId, status, url, events, rollback, hint } = error;
  const facts = { deploymentId, status, url, events, rollback, cause: error };
  return new DeploymentError(`${goal}: ${error.message}`, { ...facts, ...(hint !== undefined && { hint }) });
}

/** What has been done so far. */
class Run {
  /** What a cancel leaves behind, as a sentence. */
  underWay = 'Nothing was changed.';
  #changed = false;
  readonly #request: RollbackRequest;
  /** The same in every round, so that our own deployment is known again. */
  readonly #marker: Marker;
  /** What was registered in an earlier round, by what it is a copy of. */
  readonly #copies = new Map<string, string>();

  constructor(request: RollbackRequest, marker: Marker) {
    this.#request = request;
    this.#marker = marker;
    request.output('changed', 'false');
  }

  /** @returns whether nothing is left to do */
  async carryOut(prepared: PreparedRollback): Promise<boolean> {
    switch (prepared.what) {
      case 'done':
        await this.#done(prepared);
        return true;
      case 'await':
        await this.#await(prepared);
        return false;
      case 'join':
        await this.#join(prepared);
        return true;
      case 'stop':
        await this.#stop(prepared);
        return false;
      case 'redeploy':
        return this.#redeploy(prepared);
    }
  }

  async #done({ found: { deployer }, undone, by, why }: Prepared<'done'>): Promise<void> {
    const { ports, output } = this.#request;
    const neverRan = by.id === undone;
    if (neverRan) this.#tellOne(by, deployer);
    const taskDefinition = neverRan ? undefined : await this.#tellRollback(by, deployer);
    output('deployment-status', by.status);
    const old = taskDefinition === undefined ? 'the old tasks' : `the tasks of ${shortName(taskDefinition)}`;
    if (this.#changed) ports.log.info(`${undone} ${why}: ${old} have the whole traffic.`);
    else ports.log.notice(`Nothing is left to roll back: ${undone} ${why}.`);
    await this.#summarise(deployer, { id: by.id, undone, outcome: `${undone} ${why}`, taskDefinition });
  }

  async #await({ found: { deployer }, rollback }: Prepared<'await'>): Promise<void> {
    const { id } = rollback;
    const isWithin = rollback.rollback.within !== undefined;
    this.#request.ports.log.info(`${id}  is ${isWithin ? 'rolled back already' : 'a rollback that is under way'}: waiting for its end`);
    if (isWithin) this.#tellOne(rollback, deployer);
    else await this.#tellRollback(rollback, deployer);
    this.underWay = `The rollback ${isWithin ? 'of ' : ''}${id} goes on without being followed: ${deployer.url(id)}`;
    await this.#watchToEnd(rollback, deployer);
  }

  async #join({ found: { deployer }, rollback, undoes }: Prepared<'join'>): Promise<void> {
    const { id } = rollback;
    this.#request.ports.log.info(`${id}  rolls back ${undoes} already: following it`);
    const taskDefinition = await this.#tellRollback(rollback, deployer);
    await this.#follow({ id, target: { deployer, deployment: rollback } }, { undone: undoes, taskDefinition });
  }

  async #stop({ found: { deployer }, deployment }: Prepared<'stop'>): Promise<void> {
    const { ports, signal, output } = this.#request;
    const { id, status } = deployment;
    ports.log.info(`${id} is under way in ${deployer.place} (${status}): ${deployer.url(id)}`);
    signal.throwIfAborted();
    if ((await deployer.stop({ id, rollback: true })) === 'ended') {
      ports.log.info(`${id}  ended before it could be stopped`);
      return;
    }
    this.#changed = true;
    output('changed', 'true');
    this.underWay = `Deployment ${id} was stopped with a rollback, which goes on without being followed: ${deployer.url(id)}`;
    ports.log.info(`${id}  stopped with a rollback`);
    const ended = await this.#watchToEnd(deployment, deployer);
    if (ended.status === 'Succeeded') return;
    const rollback = await rollbackOf({ deployment: ended, wasAsked: true, deployments: deployer, ports, signal });
    if (rollback !== undefined) ports.log.info(`${id}  is rolled back by ${rollback}: ${deployer.url(rollback)}`);
  }

  /** @returns false where another deployment came in between */
  async #redeploy({ found: { deployer, identity }, undoes, redeployment }: Prepared<'redeploy'>): Promise<boolean> {
    const { inputs, side, ports, memory, signal, output } = this.#request;
    const { service, revision, from, to } = redeployment;
    ports.log.info(`rolling back ${undoes}: task definition ${shortName(from.arn)} → ${shortName(to.arn)}`);
    for (const line of describedDifferences({ before: from.definition, after: to.definition })) ports.log.info(`  ${line}`);
    const taskDefinition = await this.#registered(redeployment, { undoes, deployer });
    output('task-definition-arn', taskDefinition);
    const item = unfinishedDeployment({
      place: deployer.where,
      mark: { nonce: this.#marker.nonce, taskDefinition },
      account: identity.account,
      how: side.session.how,
      inputs: { ...inputs, 'on-cancel': 'leave' },
    });
    const answer = await startDeployment({
      deployer: revision.deployer,
      account: identity.account,
      service,
      taskDefinition,
      text: rollbackText(undoes),
      marker: this.#marker,
      item,
      ports,
      memory,
      signal,
    });
    if (answer.answer === 'busy') {
      ports.log.info(`${deployer.place} was taken meanwhile: ${answer.message}`);
      return false;
    }
    const { id } = answer;
    this.#changed = true;
    output('changed', 'true');
    this.#tellOne({ id }, deployer);
    output('rollback-deployment-id', id);
    ports.log.info(`${id}  started in ${deployer.place}: ${deployer.url(id)}`);
    const following = { id, target: { deployer }, unfinished: { memory, item } };
    try {
      const { status } = await this.#follow(following, {
        undone: undoes,
        images: imagesOf(to.definition),
        previousTaskDefinition: from.arn,
        taskDefinition,
      });
      if (status === 'Succeeded') ports.log.info(`${undoes} is rolled back: ${service.name} runs ${shortName(to.arn)} again.`);
      return true;
    } catch (error) {
      throw error instanceof DeploymentError ? withGoal(error, `Rolling back ${undoes} to ${shortName(to.arn)}`) : error;
    }
  }

  /** What is deployed: what ran before itself, or the copy of it that no other deployment has. */
  async #registered({ to, copy }: Redeployment, { undoes, deployer }: { undoes: string; deployer: Deployer }): Promise<string> {
    if (!copy) return to.arn;
    const { side, ports, signal } = this.#request;
    const known = this.#copies.get(to.arn);
    if (known !== undefined) return known;
    signal.throwIfAborted();
    // The mark is needed here: by it the next rollback knows that this one is none to be undone.
    const { arn } = await side.ecs.registerTaskDefinition(deployer.marked({ definition: copy, marker: this.#marker, undoes }));
    this.#copies.set(to.arn, arn);
    ports.log.info(`task definition ${shortName(to.arn)} registered once more for this deployment: ${shortName(arn)}`);
    return arn;
  }

  #tellOne({ id }: Pick<Deployment, 'id'>, deployer: Deployer): void {
    this.#request.output('deployment-id', id);
    this.#request.output('deployment-url', deployer.url(id));
  }

  /** @returns the ARN of what it brings back, where that is known */
  async #tellRollback(rollback: Deployment, deployer: Deployer): Promise<string | undefined> {
    const { output, ports } = this.#request;
    this.#tellOne(rollback, deployer);
    output('rollback-deployment-id', rollback.id);
    const revision = await revisionOf({ deployer, name: rollback.revision, ports });
    if (revision) output('task-definition-arn', revision.taskDefinition);
    return revision?.taskDefinition;
  }

  /** @throws DeploymentError where it takes too long */
  async #watchToEnd(deployment: Deployment, deployer: Deployer): Promise<Deployment> {
    const { inputs, side, ports, signal } = this.#request;
    const { id } = deployment;
    const { minutes } = await plannedWait({ inputs, deployer, deployment });
    const { end, snapshot } = await ports.log.group(
      `${id}  following to its end, for at most ${formatDuration(minutes * 60_000)}`,
      async () =>
        watchDeployment({
          deployments: deployer,
          id,
          session: side.session,
          ports,
          signal,
          until: ({ deployment: { status } }) => isTerminal(status),
          milliseconds: minutes * 60_000,
          consequence,
        }),
    );
    if (end !== 'time-out' && snapshot) return snapshot.deployment;
    const url = deployer.url(id);
    throw new DeploymentError(`Deployment ${id} of ${deployer.place} did not end within ${formatDuration(minutes * 60_000)}.`, {
      deploymentId: id,
      status: snapshot?.deployment.status ?? deployment.status,
      url,
      hint: `It goes on. Run the rollback again: it goes on from there. ${url}`,
    });
  }

  async #follow(
    request: Pick<FollowRequest, 'id' | 'unfinished'> & { readonly target: Pick<FollowTarget, 'deployer' | 'deployment'> },
    summary: SummaryFacts,
  ): Promise<Followed> {
    const { inputs, side, ports, signal, output } = this.#request;
    const { deployer } = request.target;
    const { cluster, service } = deployer.where;
    const target = { ...request.target, side, inputs: { ...inputs, cluster, service, 'on-cancel': 'leave' as const } };
    return summariseEnd(followDeployment({ ...request, target, ports, signal, output }), async (ending) =>
      this.#summarise(deployer, { id: request.id, ...summary, ...ending }),
    );
  }

  async #summarise(deployer: Deployer, { id, undone, ...facts }: SummaryFacts & { id: string; outcome: string }): Promise<void> {
    const { cluster, service } = deployer.where;
    const about = { title: `Rollback of ${undone}`, cluster, service, deployment: { id, url: deployer.url(id) } };
    const unknown = { images: [], taskDefinition: undefined, previousTaskDefinition: undefined, events: [] };
    await this.#request.ports.github.summarise(summariseDeployment({ ...unknown, ...about, ...facts }));
  }
}

interface SummaryFacts extends Partial<
  Pick<DeploymentSummary, 'taskDefinition' | 'previousTaskDefinition' | 'images' | 'events' | 'failure' | 'advice' | 'rollback'>
> {
  readonly undone: string;
}
