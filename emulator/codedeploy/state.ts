/** The applications, deployment groups and deployments of an emulated CodeDeploy, kept apart by account and Region. */
import type { Application, ApplicationSeed } from './application.ts';
import { PREDEFINED } from './config.ts';
import type { DeploymentConfig } from './config.ts';
import type { Deployment } from './deployment.ts';
import { groupFrom } from './group.ts';
import type { Group, GroupSeed } from './group.ts';
import { newDeployment } from './new-deployment.ts';
import type { DeploymentRequest } from './new-deployment.ts';
import { askPull } from './pull.ts';
import type { Revision } from './revision.ts';
import { rollbackOf, rollsBack } from './rollback.ts';
import { DeploymentScripts } from './scripts.ts';
import type { DeploymentScript } from './scripts.ts';
import { keepResult, showProgress } from './service-change.ts';
import { TargetGroups } from './target-groups.ts';
import { lifeOf } from '../deployment-life.ts';
import type { Life } from '../deployment-life.ts';
import { sha256, uuidOf } from '../ecs/ids.ts';
import { within } from '../ecs/scope.ts';
import type { Scope } from '../ecs/scope.ts';
import type { EcsState } from '../ecs/state.ts';
import type { Durations } from '../life/durations.ts';
import type { Command } from '../life/plan.ts';
import type { TrafficRouting } from '../life/traffic.ts';
import type { CanPull } from '../pull.ts';

export interface CodeDeployOptions {
  readonly canPull?: CanPull;
  readonly durations?: Partial<Durations>;
}

export class CodeDeployState {
  readonly #applications = new Map<string, Application>();
  readonly #groups: Group[] = [];
  readonly #configs = new Map<string, DeploymentConfig>();
  readonly #deployments: Deployment[] = [];
  readonly #scripts = new DeploymentScripts();
  readonly #targetGroups = new TargetGroups();
  readonly #options: CodeDeployOptions;
  #ecs: EcsState | undefined;

  constructor(options: CodeDeployOptions = {}) {
    this.#options = options;
  }

  /** Deployments change this ECS's services, and are up to date whenever somebody looks there. */
  attach(ecs: EcsState): void {
    if (this.#ecs === ecs) return;
    if (this.#ecs) throw new Error('CodeDeploy is attached to another ECS already');
    this.#ecs = ecs;
    ecs.onLook((now) => {
      this.settle(now);
    });
  }

  application(seed: ApplicationSeed): Application {
    const { account, region, name, computePlatform = 'ECS' } = seed;
    const key = `${within(seed)}/${name}`;
    const made = this.#applications.get(key) ?? {
      account,
      region,
      name,
      computePlatform,
      id: uuidOf(key),
      createdAt: Date.now() - 86_400_000,
      revisions: new Map<string, Revision>(),
    };
    this.#applications.set(key, made);
    return made;
  }

  /** Makes a deployment group, and its application if there is none. */
  group(seed: GroupSeed): Group {
    const { account, region } = seed;
    const application = this.application({ account, region, name: seed.application });
    for (const each of seed.targetGroups) if (each.startsWith('arn:')) this.#targetGroups.learn(seed, each);
    const made = groupFrom(seed, application);
    this.#groups.push(made);
    return made;
  }

  /** A deployment configuration of one's own. */
  deploymentConfig(seed: Scope & { readonly name: string; readonly routing: TrafficRouting }): void {
    this.#configs.set(`${within(seed)}/${seed.name}`, { name: seed.name, computePlatform: 'ECS', routing: seed.routing });
  }

  /** Says how the next deployment goes. Scripts are used up in the order they came, each by the first deployment that it fits. */
  nextDeployment(script: DeploymentScript): void {
    this.#scripts.add(script);
  }

  /** Works out everything that is due by now: what running deployments make of their services, their ends, and the rollbacks that follow. */
  settle(now: number): void {
    // Not a copy: a rollback that an end brings is itself looked at.
    for (const deployment of this.#deployments) if (!deployment.ended) this.#bring(deployment, now);
  }

  findApplication(scope: Scope, name: string): Application | undefined {
    return this.#applications.get(`${within(scope)}/${name}`);
  }

  applications(scope: Scope): Application[] {
    return [...this.#applications.values()].filter((each) => within(each) === within(scope));
  }

  groups(application: Application): Group[] {
    return this.#groups.filter((each) => each.application === application);
  }

  findConfig(scope: Scope, name: string): DeploymentConfig | undefined {
    return PREDEFINED.find((each) => each.name === name) ?? this.#configs.get(`${within(scope)}/${name}`);
  }

  /** Newest first. */
  deployments(scope: Scope): Deployment[] {
    return this.#deployments.filter((each) => within(each) === within(scope)).reverse();
  }

  /** The one deployment that a group may have, the wait before blue's end included. */
  activeDeployment(group: Group): Deployment | undefined {
    return this.#deployments.find((each) => each.group === group && !each.ended);
  }

  /** Makes a deployment; everything has been checked that CreateDeployment checks at once. */
  create(request: DeploymentRequest): Deployment {
    const { group } = request;
    const made = newDeployment(request, {
      id: this.#newId(group),
      ecs: this.#attached(),
      targetGroups: this.#targetGroups,
      scripts: this.#scripts,
      durations: this.#options.durations,
      previousRevision: this.lastSuccessful(group)?.revision,
    });
    this.#deployments.push(made);
    return made;
  }

  command(deployment: Deployment, command: Command): void {
    deployment.plan = { ...deployment.plan, commands: [...deployment.plan.commands, command] };
  }

  lastSuccessful(group: Group): Deployment | undefined {
    return this.#deployments.findLast(
      (each) => each.group === group && each.ended && lifeOf(each.plan, Number.MAX_SAFE_INTEGER).status === 'Succeeded',
    );
  }

  #attached(): EcsState {
    if (!this.#ecs) throw new Error('CodeDeploy is not attached to an ECS: codedeployService(state, ecs) does it');
    return this.#ecs;
  }

  /** `d-` and nine upper-case letters or digits, the same in every run of the same world. */
  #newId(scope: Scope): string {
    const hash = BigInt(`0x${sha256(`${within(scope)}/${this.#deployments.length}`).slice(0, 20)}`);
    return `d-${hash.toString(36).toUpperCase().padStart(9, '0').slice(-9)}`;
  }

  #bring(deployment: Deployment, now: number): void {
    askPull(deployment, { canPull: this.#options.canPull, ecs: this.#attached(), now });
    const life = lifeOf(deployment.plan, now);
    if (life.completedAt === undefined) showProgress(deployment, life);
    else this.#finish(deployment, lifeOf(deployment.plan, life.completedAt));
  }

  #finish(deployment: Deployment, life: Life): void {
    deployment.ended = true;
    keepResult(deployment, life);
    if (!life.rollback || !rollsBack(deployment, life.rollback)) return;
    const rollback = rollbackOf(deployment, { id: this.#newId(deployment), life });
    if (rollback) this.#deployments.push(rollback);
  }
}
