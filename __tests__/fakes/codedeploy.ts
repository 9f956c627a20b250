import type { Deployment, DeploymentTarget, LifecycleEvent } from '../../src/domain/deployment.ts';
import type { DeploymentConfig, DeploymentGroup } from '../../src/domain/deployment-group.ts';
import { isActive } from '../../src/domain/deployment.ts';
import type { Codedeploy, ContinueWait, CreateAnswer, GroupAnswer, NewDeployment, StopAnswer } from '../../src/ports/codedeploy.ts';
import type { FakeClock } from './clock.ts';

export const someGroup: DeploymentGroup = {
  application: 'AppECS-dev-web',
  name: 'DgpECS-dev-web',
  computePlatform: 'ECS',
  services: [{ cluster: 'dev', service: 'web' }],
  config: 'CodeDeployDefault.ECSAllAtOnce',
  type: 'BLUE_GREEN',
  readyWait: { onTimeout: 'CONTINUE_DEPLOYMENT', minutes: 0 },
  terminationWaitMinutes: 5,
  lastAttempted: undefined,
};

export const someDeployment: Deployment = {
  id: 'd-1',
  status: 'InProgress',
  application: 'AppECS-dev-web',
  group: 'DgpECS-dev-web',
  config: undefined,
  description: '',
  creator: 'user',
  error: undefined,
  createdAt: undefined,
  completedAt: undefined,
  terminationWaitStarted: false,
  rollback: { by: undefined, of: undefined, message: undefined },
  rollsBack: false,
  statusMessages: [],
  waits: { ready: undefined, termination: undefined },
  revision: undefined,
  previousRevision: undefined,
};

export function event(name: string, status: string, seconds?: number): LifecycleEvent {
  const times = seconds === undefined ? { startedAt: 0, endedAt: undefined } : { startedAt: 0, endedAt: seconds * 1_000 };
  return { name, status, ...times, diagnostics: undefined };
}

export function target(events: readonly LifecycleEvent[], green?: { running: number; traffic: number }): DeploymentTarget {
  const counts = { desired: 2, pending: 0, status: 'ACTIVE' };
  return {
    status: 'InProgress',
    events,
    taskSets: green ? [{ id: 'ecs-svc/2', label: 'Green', ...counts, ...green }] : [],
  };
}

/** What a deployment is from so many seconds after its creation on. */
export interface Moment extends Partial<Deployment> {
  readonly after: number;
  readonly target?: DeploymentTarget;
}

/** One group. Deployments live through their moments by the clock. */
export class FakeCodedeploy implements Codedeploy {
  readonly journal: string[];
  readonly #clock: FakeClock;
  groupAnswer: GroupAnswer = { found: 'group', group: someGroup };
  config: DeploymentConfig | undefined;
  readonly created: NewDeployment[] = [];
  /** What CreateDeployment answers, in order; then each makes a deployment. `made but lost`: it is made, and no answer comes. */
  readonly creations: (CreateAnswer | Error | 'made but lost')[] = [];
  /** The life of the deployments that are made here. */
  life: readonly Moment[] = [{ after: 0, status: 'Succeeded' }];
  stopAnswer: StopAnswer = 'stopping';
  /** What a deployment becomes that is stopped. */
  stopped: Partial<Deployment> = {};
  /** The life of the rollback d-BACK that a stop with rollback makes; undefined: it makes none. */
  rollbackLife: readonly Moment[] | undefined;
  /** AppSpecs by their SHA-256. */
  readonly revisions = new Map<string, string>();
  /** How many calls to an operation fail, and with what. */
  readonly failures = new Map<string, Error[]>();
  readonly #deployments = new Map<string, { readonly at: number; readonly base: Deployment; moments: readonly Moment[] }>();

  constructor({ clock, journal = [] }: { clock: FakeClock; journal?: string[] }) {
    this.#clock = clock;
    this.journal = journal;
  }

  /** A deployment that is there, from now on. */
  add(base: Partial<Deployment>, moments: readonly Moment[] = []): void {
    const deployment = { ...someDeployment, ...base };
    this.#deployments.set(deployment.id, { at: this.#clock.now(), base: deployment, moments });
    if (this.groupAnswer.found === 'group')
      this.groupAnswer = { found: 'group', group: { ...this.groupAnswer.group, lastAttempted: deployment.id } };
  }

  /** From now on the deployment is this. */
  become(id: string, moment: Partial<Deployment>): void {
    const known = this.#deployments.get(id);
    if (!known) throw new Error(`there is no deployment ${id}`);
    known.moments = [...known.moments, { after: (this.#clock.now() - known.at) / 1_000, ...moment }];
  }

  group = async (): Promise<GroupAnswer> => {
    this.#called('GetDeploymentGroup');
    return this.groupAnswer;
  };

  deploymentConfig = async (name: string): Promise<DeploymentConfig | undefined> => {
    this.#called('GetDeploymentConfig', name);
    return this.config;
  };

  activeDeployments = async (): Promise<readonly Deployment[]> => {
    this.#called('ListDeployments');
    return [...this.#deployments.keys()].map((id) => this.#now(id).deployment).filter(({ status }) => isActive(status));
  };

  createDeployment = async (wanted: NewDeployment): Promise<CreateAnswer> => {
    this.#called('CreateDeployment');
    const answer = this.creations.shift();
    if (answer instanceof Error) throw answer;
    if (answer !== undefined && answer !== 'made but lost') return answer;
    this.created.push(wanted);
    const id = `d-NEW${this.created.length}`;
    this.add({ id, description: wanted.description }, this.life);
    return answer === undefined ? { answer: 'created', id } : { answer: 'unknown', error: new Error('socket hang up') };
  };

  deployment = async (id: string): Promise<Deployment> => {
    this.#called('GetDeployment', id);
    return this.#now(id).deployment;
  };

  target = async ({ id }: { id: string }): Promise<DeploymentTarget | undefined> => {
    this.#called('GetDeploymentTarget', id);
    return this.#now(id).target;
  };

  stop = async ({ id, rollback }: { id: string; rollback: boolean }): Promise<StopAnswer> => {
    this.#called('StopDeployment', `${id}${rollback ? ' with rollback' : ''}`);
    if (this.stopAnswer === 'ended') return this.stopAnswer;
    const by = rollback && this.rollbackLife ? 'd-BACK' : undefined;
    this.become(id, {
      status: 'Stopped',
      ...(by !== undefined && { rollback: { by, of: undefined, message: undefined } }),
      ...this.stopped,
    });
    if (by !== undefined) {
      const { previousRevision } = this.#now(id).deployment;
      this.add(
        { id: by, creator: 'codeDeployRollback', revision: previousRevision, rollback: { by: undefined, of: id, message: undefined } },
        this.rollbackLife,
      );
    }
    return this.stopAnswer;
  };

  continueDeployment = async ({ id, wait }: { id: string; wait: ContinueWait }): Promise<void> => {
    this.#called('ContinueDeployment', `${id} ${wait}`);
    this.become(id, { status: 'Succeeded' });
  };

  revisionText = async ({ sha256 }: { sha256: string }): Promise<string | undefined> => {
    this.#called('GetApplicationRevision', sha256);
    return this.revisions.get(sha256);
  };

  #now(id: string): { deployment: Deployment; target: DeploymentTarget | undefined } {
    const known = this.#deployments.get(id);
    if (!known) throw new Error(`there is no deployment ${id}`);
    const seconds = (this.#clock.now() - known.at) / 1_000;
    const { target: seen, after: _after, ...facts } = known.moments.findLast(({ after }) => after <= seconds) ?? { after: 0 };
    return { deployment: { ...known.base, createdAt: known.at, ...facts }, target: seen };
  }

  #called(operation: string, of?: string): void {
    this.journal.push(of === undefined ? `codedeploy:${operation}` : `codedeploy:${operation} ${of}`);
    const failure = this.failures.get(operation)?.shift();
    if (failure) throw failure;
  }
}
