/**
 * AWS CodeDeploy for Amazon ECS: applications, deployment groups, deployment configurations, revisions and deployments, kept apart by
 * account and Region. What a deployment is at a moment is `lifeOf` its plan (deployment-life.ts); here plans are made, commands are
 * taken, and what comes out is written into the ECS service. https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html
 */
import { createHash, randomUUID } from 'node:crypto';
import { parse } from 'yaml';
import { flag, number, present, record, records, text, texts } from './coral.ts';
import { DURATIONS, HOOKS, isHook, lifeOf } from './deployment-life.ts';
import type {
  Command,
  DeploymentPlan,
  DeployPlan,
  Durations,
  ErrorInformation,
  HookName,
  Life,
  Outcome,
  RollbackEvent,
  TaskSetPlan,
  TrafficRouting,
} from './deployment-life.ts';
import { ecsArn, partitionOf, taskSetId } from './ecs.ts';
import type { EcsState, Scope, ServiceRecord, TaskSetRecord } from './ecs.ts';
import { isRecord, page, timestamp } from './json.ts';
import { AwsFault } from './service.ts';
import type { Call, Json, Service } from './service.ts';

export type ComputePlatform = 'ECS' | 'Server' | 'Lambda';

export interface ApplicationSeed extends Scope {
  readonly name: string;
  readonly computePlatform?: ComputePlatform;
}

export interface GroupSeed extends Scope {
  readonly application: string;
  readonly name: string;
  readonly cluster: string;
  readonly service: string;
  /** Default: CONTINUE_DEPLOYMENT with a wait of 0. Given without `waitTimeInMinutes`, replies lack it too, as they may on AWS. */
  readonly ready?: { readonly actionOnTimeout: 'CONTINUE_DEPLOYMENT' | 'STOP_DEPLOYMENT'; readonly waitTimeInMinutes?: number };
  /** Default: TERMINATE after 5 minutes. */
  readonly termination?: { readonly action: 'TERMINATE' | 'KEEP_ALIVE'; readonly waitTimeInMinutes?: number };
  /** `true`: on failure, on an alarm and on a stop by request. */
  readonly autoRollback?: boolean | readonly RollbackEvent[];
  /** Names of CloudWatch alarms that the group watches. */
  readonly alarms?: readonly string[];
  readonly deploymentConfigName?: string;
  /** Names or ARNs. The one that the service's primary task set stands behind is blue. */
  readonly targetGroups: readonly [string, string];
  readonly listenerArn: string;
  readonly testListenerArn?: string;
  readonly serviceRoleArn?: string;
}

/** How the next deployment goes; without `group` and the like it is the next of any group. */
export interface DeploymentScript {
  readonly outcome?: Outcome;
  /** Whether a rollback that follows succeeds. Default: it does. */
  readonly rollback?: 'succeed' | 'fail';
  readonly durations?: Partial<Durations>;
  readonly account?: string;
  readonly region?: string;
  readonly application?: string;
  readonly group?: string;
}

/** May a task of this account pull this image with this execution role? The reason if not. True for registries that aren't ours. */
export type CanPull = (image: string, account: string, executionRoleArn: string | undefined) => true | string;

export interface CodeDeployOptions {
  readonly canPull?: CanPull;
  readonly durations?: Partial<Durations>;
}

interface Application extends Scope {
  readonly id: string;
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly createdAt: number;
  /** By the SHA-256 of their content. */
  readonly revisions: Map<string, Revision>;
}

interface Group extends Scope {
  readonly id: string;
  readonly application: Application;
  name: string;
  configName: string;
  cluster: string;
  service: string;
  readyOption: Json;
  terminateOption: Json;
  autoRollback: Json;
  alarmConfiguration: Json;
  loadBalancerInfo: Json;
  readonly serviceRoleArn: string;
}

interface Revision {
  readonly type: 'AppSpecContent' | 'String';
  readonly sha256: string;
  readonly content: string;
  readonly registeredAt: number;
  description?: string;
  firstUsedAt?: number;
  lastUsedAt?: number;
  readonly groups: Set<string>;
}

interface Deployment extends Scope {
  readonly id: string;
  readonly group: Group;
  readonly groupName: string;
  readonly configName: string;
  readonly description: string | undefined;
  readonly creator: 'user' | 'codeDeployRollback';
  readonly revision: Revision | undefined;
  readonly previousRevision: Revision | undefined;
  readonly autoRollback: Json;
  readonly overrideAlarms: Json | undefined;
  readonly blueGreen: Json;
  readonly loadBalancerInfo: Json;
  readonly service: ServiceRecord | undefined;
  readonly targetId: string;
  readonly greenBase: TaskSetRecord | undefined;
  readonly rollback: 'succeed' | 'fail';
  plan: DeploymentPlan;
  pullAsked: boolean;
  ended: boolean;
  rollbackInfo: Json;
}

/** What an AppSpec for ECS says. */
interface AppSpec {
  readonly taskDefinition: string;
  readonly containerName: string;
  readonly containerPort: number;
  readonly platformVersion?: string;
  readonly networkConfiguration?: Json;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly hooks: Partial<Record<HookName, string>>;
}

interface DeploymentConfig {
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly routing?: TrafficRouting;
}

/** https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html */
const PREDEFINED: readonly DeploymentConfig[] = [
  { name: 'CodeDeployDefault.ECSAllAtOnce', computePlatform: 'ECS', routing: { type: 'AllAtOnce' } },
  {
    name: 'CodeDeployDefault.ECSLinear10PercentEvery1Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 1 },
  },
  {
    name: 'CodeDeployDefault.ECSLinear10PercentEvery3Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 3 },
  },
  {
    name: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 },
  },
  {
    name: 'CodeDeployDefault.ECSCanary10Percent15Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 15 },
  },
  { name: 'CodeDeployDefault.OneAtATime', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.HalfAtATime', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.AllAtOnce', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.LambdaAllAtOnce', computePlatform: 'Lambda', routing: { type: 'AllAtOnce' } },
];

const ROLLBACK_EVENTS: readonly RollbackEvent[] = ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM', 'DEPLOYMENT_STOP_ON_REQUEST'];
const STATUSES: readonly string[] = ['Created', 'Queued', 'InProgress', 'Baking', 'Succeeded', 'Failed', 'Stopped', 'Ready'];
const TASK_SETS_PER_SERVICE = 5;

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const within = (scope: Scope): string => `${scope.account}/${scope.region}`;
const scopeOf = (call: Call): Scope => ({ account: call.caller.account, region: call.region });

/** A UUID that is the same for the same thing. */
const idOf = (seed: string): string => sha256(seed).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

const targetGroupName = (nameOrArn: string): string => /:targetgroup\/([^/]+)\//.exec(nameOrArn)?.[1] ?? nameOrArn;

const targetGroupArn = (scope: Scope, nameOrArn: string): string =>
  nameOrArn.startsWith('arn:')
    ? nameOrArn
    : `arn:${partitionOf(scope.region)}:elasticloadbalancing:${scope.region}:${scope.account}:targetgroup/${nameOrArn}/${sha256(nameOrArn).slice(0, 16)}`;

export class CodeDeployState {
  readonly #applications = new Map<string, Application>();
  readonly #groups: Group[] = [];
  readonly #configs = new Map<string, DeploymentConfig>();
  readonly #deployments: Deployment[] = [];
  readonly #scripts: DeploymentScript[] = [];
  readonly #targetGroups = new Map<string, string>();
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
      id: idOf(key),
      createdAt: Date.now() - 86_400_000,
      revisions: new Map<string, Revision>(),
    };
    this.#applications.set(key, made);
    return made;
  }

  /** Makes a deployment group, and its application if there is none. */
  group(seed: GroupSeed): Group {
    const { account, region, name, targetGroups, listenerArn, testListenerArn } = seed;
    const application = this.application({ account, region, name: seed.application });
    const events = seed.autoRollback === true ? ROLLBACK_EVENTS : (seed.autoRollback ?? false);
    const { action = 'TERMINATE', waitTimeInMinutes = 5 } = seed.termination ?? {};
    for (const each of targetGroups) {
      if (each.startsWith('arn:')) this.#targetGroups.set(`${within(seed)}/${targetGroupName(each)}`, each);
    }
    const made: Group = {
      account,
      region,
      id: idOf(`${within(seed)}/${seed.application}/${name}`),
      application,
      name,
      configName: seed.deploymentConfigName ?? 'CodeDeployDefault.ECSAllAtOnce',
      cluster: seed.cluster,
      service: seed.service,
      readyOption: { ...(seed.ready ?? { actionOnTimeout: 'CONTINUE_DEPLOYMENT', waitTimeInMinutes: 0 }) },
      terminateOption: { action, ...(action === 'TERMINATE' && { terminationWaitTimeInMinutes: waitTimeInMinutes }) },
      autoRollback: events === false ? { enabled: false, events: [] } : { enabled: true, events: [...events] },
      alarmConfiguration: {
        enabled: seed.alarms !== undefined,
        ignorePollAlarmFailure: false,
        alarms: (seed.alarms ?? []).map((each) => ({ name: each })),
      },
      loadBalancerInfo: {
        targetGroupPairInfoList: [
          present({
            targetGroups: targetGroups.map((each) => ({ name: targetGroupName(each) })),
            prodTrafficRoute: { listenerArns: [listenerArn] },
            testTrafficRoute: testListenerArn === undefined ? undefined : { listenerArns: [testListenerArn] },
          }),
        ],
      },
      serviceRoleArn: seed.serviceRoleArn ?? `arn:${partitionOf(region)}:iam::${account}:role/ecsCodeDeployRole`,
    };
    this.#groups.push(made);
    return made;
  }

  /** A deployment configuration of one's own. */
  deploymentConfig(seed: Scope & { readonly name: string; readonly routing: TrafficRouting }): void {
    this.#configs.set(`${within(seed)}/${seed.name}`, { name: seed.name, computePlatform: 'ECS', routing: seed.routing });
  }

  /** Says how the next deployment goes. Scripts are used up in the order they came, each by the first deployment that it fits. */
  nextDeployment(script: DeploymentScript): void {
    this.#scripts.push(script);
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
  create(request: {
    readonly group: Group;
    readonly revision: Revision;
    readonly spec: AppSpec;
    readonly config: DeploymentConfig;
    readonly description: string | undefined;
    readonly autoRollback: Json | undefined;
    readonly overrideAlarms: Json | undefined;
    readonly now: number;
  }): Deployment {
    const { group, revision, spec, config, now } = request;
    const ecs = this.#attached();
    const id = this.#newId(group);
    const service = ecs.findService(group, group.cluster, group.service);
    const primary = service?.taskSets.find(({ status }) => status === 'PRIMARY');
    const blue = this.#taskSetPlan(group, primary);
    const pair = this.#pair(group);
    const greenTarget = pair.find(({ name }) => name !== blue.targetGroup.name) ?? blue.targetGroup;
    const green: TaskSetPlan = {
      id: taskSetId(id),
      taskDefinition: this.#definitionArn(group, spec.taskDefinition),
      desiredCount: service?.desiredCount ?? 0,
      targetGroup: greenTarget,
    };
    const refused = this.#refusal({ group, spec, service, primary });
    const script = this.#takeScript(group);
    const minutes = number(group.terminateOption, 'terminationWaitTimeInMinutes') ?? 0;
    const plan: DeployPlan = {
      kind: 'deploy',
      id,
      createdAt: now,
      service: group.service,
      durations: { ...DURATIONS, ...this.#options.durations, ...script.durations },
      outcome: withAlarm(script.outcome ?? 'succeed', request.overrideAlarms ?? group.alarmConfiguration),
      commands: [],
      blue,
      green,
      routing: config.routing ?? { type: 'AllAtOnce' },
      testListener: testListenerOf(group.loadBalancerInfo),
      hooks: spec.hooks,
      ...(group.readyOption['actionOnTimeout'] === 'STOP_DEPLOYMENT' && { readyWait: number(group.readyOption, 'waitTimeInMinutes') ?? 0 }),
      ...(group.terminateOption['action'] === 'TERMINATE' && { terminationWait: minutes }),
      ...(refused && { refused }),
    };
    revision.groups.add(group.name);
    revision.firstUsedAt ??= now;
    revision.lastUsedAt = now;
    const launchType = spec.capacityProviderStrategy ? undefined : (service?.launchType ?? 'FARGATE');
    const networkConfiguration = spec.networkConfiguration ?? service?.networkConfiguration;
    const made: Deployment = {
      account: group.account,
      region: group.region,
      id,
      group,
      groupName: group.name,
      configName: config.name,
      description: request.description,
      creator: 'user',
      revision,
      previousRevision: this.lastSuccessful(group)?.revision,
      autoRollback: request.autoRollback ?? group.autoRollback,
      overrideAlarms: request.overrideAlarms,
      blueGreen: { terminateBlueInstancesOnDeploymentSuccess: group.terminateOption, deploymentReadyOption: group.readyOption },
      loadBalancerInfo: group.loadBalancerInfo,
      service,
      targetId: `${group.cluster}:${group.service}`,
      // An AppSpec that names no capacity provider strategy loses the service's: CodeDeploy does not carry it over.
      greenBase: service && {
        id: green.id,
        externalId: id,
        taskDefinition: green.taskDefinition,
        createdAt: now,
        updatedAt: now,
        ...(launchType !== undefined && { launchType }),
        ...(spec.capacityProviderStrategy && { capacityProviderStrategy: spec.capacityProviderStrategy }),
        platformVersion: spec.platformVersion ?? 'LATEST',
        ...(networkConfiguration && { networkConfiguration }),
        loadBalancers: [{ targetGroupArn: greenTarget.arn, containerName: spec.containerName, containerPort: spec.containerPort }],
        status: 'ACTIVE',
        desired: service.desiredCount,
        pending: service.desiredCount,
        running: 0,
      },
      rollback: script.rollback ?? 'succeed',
      plan,
      pullAsked: false,
      ended: false,
      rollbackInfo: {},
    };
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

  #takeScript(group: Group): DeploymentScript {
    const index = this.#scripts.findIndex(
      (script) =>
        (script.account ?? group.account) === group.account &&
        (script.region ?? group.region) === group.region &&
        (script.application ?? group.application.name) === group.application.name &&
        (script.group ?? group.name) === group.name,
    );
    return index < 0 ? {} : (this.#scripts.splice(index, 1)[0] ?? {});
  }

  #pair(group: Group): { name: string; arn: string }[] {
    const [pair] = records(group.loadBalancerInfo, 'targetGroupPairInfoList') ?? [];
    return (pair ? (records(pair, 'targetGroups') ?? []) : []).map((each) => {
      const name = text(each, 'name') ?? '';
      return { name, arn: this.#targetGroups.get(`${within(group)}/${name}`) ?? targetGroupArn(group, name) };
    });
  }

  #taskSetPlan(group: Group, set: TaskSetRecord | undefined): TaskSetPlan {
    const arn = set?.loadBalancers[0]?.targetGroupArn ?? '';
    if (arn !== '') this.#targetGroups.set(`${within(group)}/${targetGroupName(arn)}`, arn);
    return {
      id: set?.id ?? '',
      taskDefinition: set?.taskDefinition ?? '',
      desiredCount: set?.desired ?? 0,
      targetGroup: { name: targetGroupName(arn), arn },
    };
  }

  #definitionArn(scope: Scope, name: string): string {
    return this.#definition(scope, name).arn ?? name;
  }

  /** The task definition, or ECS's refusal as CodeDeploy passes it on. */
  #definition(
    scope: Scope,
    name: string,
  ): { readonly arn?: string; readonly containers?: readonly Json[]; readonly error?: ErrorInformation } {
    try {
      const found = this.#attached().findTaskDefinition(scope, name);
      if (!found) return { error: ecsError('TaskDefinition not found.', 'ClientException') };
      if (found.status !== 'ACTIVE') return { error: ecsError('TaskDefinition is inactive', 'ClientException') };
      return { arn: found.arn, containers: records(found.body, 'containerDefinitions') ?? [] };
    } catch (error) {
      if (error instanceof AwsFault) return { error: ecsError(error.message, error.code) };
      throw error;
    }
  }

  /** What ECS or the load balancer would answer when CodeDeploy starts to work: it fails the deployment, not CreateDeployment. */
  #refusal(given: {
    readonly group: Group;
    readonly spec: AppSpec;
    readonly service: ServiceRecord | undefined;
    readonly primary: TaskSetRecord | undefined;
  }): ErrorInformation | undefined {
    const { group, spec, service, primary } = given;
    if (service?.status !== 'ACTIVE')
      return { code: 'INVALID_ECS_SERVICE', message: `The ECS service ${group.service} was not found or is not active.` };
    if (service.controller !== 'CODE_DEPLOY' || !primary) {
      const message = "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.";
      return { code: 'INVALID_ECS_SERVICE', message };
    }
    const { error, containers = [] } = this.#definition(group, spec.taskDefinition);
    if (error) return error;
    const container = containers.find((each) => each['name'] === spec.containerName);
    if (!container)
      return ecsError(`The container ${spec.containerName} does not exist in the task definition.`, 'InvalidParameterException');
    if (!(records(container, 'portMappings') ?? []).some((each) => each['containerPort'] === spec.containerPort)) {
      const message = `The container ${spec.containerName} did not have a container port ${spec.containerPort} defined.`;
      return ecsError(message, 'InvalidParameterException');
    }
    const behind = targetGroupName(primary.loadBalancers[0]?.targetGroupArn ?? '');
    if (!this.#pair(group).some(({ name }) => name === behind)) {
      const message = 'The ELB could not be updated due to the following error: Primary taskset target group must be behind listener';
      return { code: 'ELASTIC_LOAD_BALANCING_INVALID', message };
    }
    if (service.taskSets.filter(({ status }) => status !== 'DRAINING').length >= TASK_SETS_PER_SERVICE) {
      return ecsError(
        `${TASK_SETS_PER_SERVICE} deployments exist on the service. Unable to create new TaskSet`,
        'InvalidParameterException',
      );
    }
    return undefined;
  }

  #bring(deployment: Deployment, now: number): void {
    this.#askPull(deployment, now);
    const life = lifeOf(deployment.plan, now);
    if (life.completedAt === undefined) this.#write(deployment, life);
    else this.#finish(deployment, lifeOf(deployment.plan, life.completedAt));
  }

  /** Green's images are asked for once, when Install has begun. */
  #askPull(deployment: Deployment, now: number): void {
    const { plan } = deployment;
    if (!this.#options.canPull || deployment.pullAsked || plan.kind === 'rollback' || plan.refused) return;
    const install = lifeOf(plan, now).lifecycleEvents.find(({ name }) => name === 'Install');
    if (install?.startedAt === undefined) return;
    deployment.pullAsked = true;
    const definition = this.#attached().findTaskDefinition(deployment, plan.green.taskDefinition);
    const role = definition && text(definition.body, 'executionRoleArn');
    for (const container of definition ? (records(definition.body, 'containerDefinitions') ?? []) : []) {
      const answer = this.#options.canPull(text(container, 'image') ?? '', deployment.account, role);
      if (answer === true) continue;
      const reason = answer.startsWith('CannotPull') ? answer : `CannotPullContainerError: ${answer}`;
      deployment.plan = { ...plan, outcome: { tasks: 'cannotPull', reason } };
      return;
    }
  }

  /** All of a service's task sets, with those of this deployment as they are now. */
  #taskSets(deployment: Deployment, life: Life): TaskSetRecord[] {
    const { service, greenBase } = deployment;
    if (!service) return [];
    const bases =
      greenBase && !service.taskSets.some(({ id }) => id === greenBase.id) ? [...service.taskSets, greenBase] : service.taskSets;
    return bases.flatMap((base) => {
      const now = life.taskSets.find(({ id }) => id === base.id);
      if (!now) return base === greenBase ? [] : [base];
      const { status, desired, pending, running, createdAt, updatedAt, goneAt } = now;
      return [
        {
          ...base,
          status,
          desired,
          pending,
          running,
          ...(base === greenBase && createdAt !== undefined && { createdAt }),
          ...(updatedAt !== undefined && { updatedAt }),
          ...(goneAt !== undefined && { goneAt }),
        },
      ];
    });
  }

  #write(deployment: Deployment, life: Life): void {
    if (!deployment.service) return;
    deployment.service.live = { taskSets: this.#taskSets(deployment, life), events: life.serviceEvents, stoppedTasks: life.stoppedTasks };
  }

  #finish(deployment: Deployment, life: Life): void {
    deployment.ended = true;
    const { service } = deployment;
    if (service) {
      service.taskSets = this.#taskSets(deployment, life).filter(({ goneAt }) => goneAt === undefined || goneAt > (life.completedAt ?? 0));
      service.events = [...service.events, ...life.serviceEvents];
      service.stoppedTasks = [...service.stoppedTasks, ...life.stoppedTasks];
      service.live = undefined;
    }
    if (life.rollback && this.#rollsBack(deployment, life.rollback)) this.#rollBack(deployment, life);
  }

  #rollsBack(deployment: Deployment, asked: { readonly event: RollbackEvent; readonly wanted?: boolean }): boolean {
    if (deployment.plan.kind === 'rollback') return false;
    if (asked.wanted !== undefined) return asked.wanted;
    return flag(deployment.autoRollback, 'enabled') === true && (texts(deployment.autoRollback, 'events') ?? []).includes(asked.event);
  }

  /** A rollback is a deployment of its own, all at once, that makes no task set: traffic goes back to the original one. */
  #rollBack(of: Deployment, life: Life): void {
    const green = life.taskSets.find(({ label }) => label === 'Green');
    if (!green || life.completedAt === undefined) return;
    const id = this.#newId(of);
    const { plan } = of;
    of.rollbackInfo = {
      rollbackDeploymentId: id,
      rollbackMessage: `Deployment ${of.id} terminated. Automatic rollback is triggered with a DeploymentId ${id}.`,
    };
    this.#deployments.push({
      ...of,
      id,
      configName: 'CodeDeployDefault.ECSAllAtOnce',
      description: undefined,
      creator: 'codeDeployRollback',
      revision: of.previousRevision,
      previousRevision: of.revision,
      overrideAlarms: undefined,
      greenBase: undefined,
      plan: {
        kind: 'rollback',
        id,
        createdAt: life.completedAt,
        service: plan.service,
        durations: { ...plan.durations, created: 0.5, queued: 0.5 },
        outcome: of.rollback === 'fail' ? { failAt: 'AllowTraffic' } : 'succeed',
        commands: [],
        blue: plan.blue,
        green: { ...plan.green, running: green.running, trafficWeight: green.trafficWeight, primary: green.status === 'PRIMARY' },
      },
      pullAsked: true,
      ended: false,
      rollbackInfo: {
        rollbackTriggeringDeploymentId: of.id,
        rollbackMessage: `Deployment ${id} is triggered to roll back deployment ${of.id}.`,
      },
    });
  }
}

const ecsError = (message: string, code: string): ErrorInformation => ({
  code: 'ECS_UPDATE_ERROR',
  message: `The ECS service cannot be updated due to an unexpected error: ${message} (Service: AmazonECS; Status Code: 400; Error Code: ${code}; Request ID: ${randomUUID()}; Proxy: null). Check your ECS service status.`,
});

const testListenerOf = (loadBalancerInfo: Json): boolean =>
  (records(loadBalancerInfo, 'targetGroupPairInfoList') ?? []).some((pair) => record(pair, 'testTrafficRoute') !== undefined);

/** An alarm stops a deployment only where the group, or the deployment, watches alarms. */
const withAlarm = (outcome: Outcome, alarms: Json): Outcome => {
  if (outcome === 'succeed' || !('alarmAt' in outcome)) return outcome;
  const names = flag(alarms, 'enabled') === true ? (records(alarms, 'alarms') ?? []).map((each) => text(each, 'name') ?? '') : [];
  const fired = outcome.alarm ?? names[0];
  return fired !== undefined && names.includes(fired) ? { ...outcome, alarm: fired } : 'succeed';
};

// --- AppSpec ------------------------------------------------------------------------------------------------------------------------

const badRevision = (message: string): AwsFault => new AwsFault('InvalidRevisionException', message);

/** A member by its name in any case: AWS's own CLI and action send `taskDefinition` as well as `TaskDefinition`. */
const anyCase = (json: Json, name: string): unknown =>
  Object.entries(json).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? undefined;

const stringOf = (json: Json, name: string): string | undefined => {
  const value = anyCase(json, name);
  if (value !== undefined && typeof value !== 'string') throw badRevision(`AppSpec: ${name} must be a string`);
  return value;
};

const objectOf = (json: Json, name: string): Json | undefined => {
  const value = anyCase(json, name);
  if (value !== undefined && !isRecord(value)) throw badRevision(`AppSpec: ${name} has an invalid format`);
  return value;
};

/** The AppSpec for ECS in a JSON or YAML text.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html */
const appSpecOf = (content: string): AppSpec => {
  let document: unknown;
  try {
    document = parse(content);
  } catch {
    throw badRevision('The AppSpec content is neither valid YAML nor valid JSON');
  }
  if (!isRecord(document)) throw badRevision('The AppSpec content must be an object');
  const version = anyCase(document, 'version');
  if (version !== 0 && version !== '0.0' && version !== '0') throw badRevision('The only supported AppSpec version is 0.0');
  const resources = anyCase(document, 'Resources');
  if (!Array.isArray(resources) || resources.length !== 1)
    throw badRevision('The AppSpec must have exactly one resource in its Resources section');
  const [resource] = resources as readonly unknown[];
  const named = isRecord(resource) ? Object.values(resource) : [];
  const [target] = named;
  if (named.length !== 1 || !isRecord(target)) throw badRevision('The resource of the AppSpec must have one name');
  if (stringOf(target, 'Type') !== 'AWS::ECS::Service')
    throw badRevision('The resource type of an Amazon ECS AppSpec must be AWS::ECS::Service');
  const properties = objectOf(target, 'Properties') ?? {};
  const taskDefinition = stringOf(properties, 'TaskDefinition');
  if (taskDefinition === undefined || taskDefinition === '') throw badRevision('AppSpec: TaskDefinition is required');
  const balancer = objectOf(properties, 'LoadBalancerInfo');
  const containerName = balancer && stringOf(balancer, 'ContainerName');
  const containerPort = balancer && anyCase(balancer, 'ContainerPort');
  if (containerName === undefined || containerName === '') throw badRevision('AppSpec: ContainerName is required');
  if (typeof containerPort !== 'number') throw badRevision('AppSpec: ContainerPort is required, and is a number');
  const platformVersion = stringOf(properties, 'PlatformVersion');
  const network = objectOf(properties, 'NetworkConfiguration');
  const strategy = anyCase(properties, 'CapacityProviderStrategy');
  return {
    taskDefinition,
    containerName,
    containerPort,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(network && { networkConfiguration: networkOf(network) }),
    ...(strategy !== undefined && { capacityProviderStrategy: strategyOf(strategy) }),
    hooks: hooksOf(anyCase(document, 'Hooks')),
  };
};

/** All three members or none. */
const networkOf = (network: Json): Json => {
  const awsvpc = objectOf(network, 'AwsvpcConfiguration') ?? {};
  const subnets = anyCase(awsvpc, 'Subnets');
  const securityGroups = anyCase(awsvpc, 'SecurityGroups');
  const assignPublicIp = stringOf(awsvpc, 'AssignPublicIp');
  if (!Array.isArray(subnets) || !Array.isArray(securityGroups) || assignPublicIp === undefined) {
    throw badRevision('AppSpec: AwsvpcConfiguration needs Subnets, SecurityGroups and AssignPublicIp');
  }
  if (assignPublicIp !== 'ENABLED' && assignPublicIp !== 'DISABLED')
    throw badRevision('AppSpec: AssignPublicIp must be ENABLED or DISABLED');
  return { awsvpcConfiguration: { subnets: subnets as unknown[], securityGroups: securityGroups as unknown[], assignPublicIp } };
};

const strategyOf = (strategy: unknown): Json[] => {
  if (!Array.isArray(strategy) || strategy.length === 0) throw badRevision('AppSpec: CapacityProviderStrategy must be a list');
  const items = (strategy as readonly unknown[]).map((item) => {
    if (!isRecord(item)) throw badRevision('AppSpec: CapacityProviderStrategy has an invalid format');
    const capacityProvider = stringOf(item, 'CapacityProvider');
    const base = anyCase(item, 'Base') ?? 0;
    const weight = anyCase(item, 'Weight') ?? 0;
    if (capacityProvider === undefined || typeof base !== 'number' || typeof weight !== 'number') {
      throw badRevision('AppSpec: CapacityProviderStrategy has an invalid format');
    }
    return { capacityProvider, weight, base };
  });
  if (items.filter(({ base }) => base > 0).length > 1) throw badRevision('AppSpec: only one capacity provider can have a base');
  if (items.length > 1 && items.every(({ weight }) => weight === 0))
    throw badRevision('AppSpec: a capacity provider must have a weight above 0');
  return items;
};

const hooksOf = (hooks: unknown): Partial<Record<HookName, string>> => {
  if (hooks === undefined) return {};
  if (!Array.isArray(hooks)) throw badRevision('AppSpec: Hooks must be a list');
  const found: Partial<Record<HookName, string>> = {};
  for (const hook of hooks as readonly unknown[]) {
    const [entry, ...more] = isRecord(hook) ? Object.entries(hook) : [];
    const [name, lambda] = entry ?? ['', undefined];
    if (more.length > 0 || !isHook(name) || typeof lambda !== 'string' || lambda === '') {
      throw badRevision(`AppSpec: each hook is one of ${HOOKS.join(', ')} with a Lambda function`);
    }
    found[name] = lambda;
  }
  return found;
};

// --- replies ------------------------------------------------------------------------------------------------------------------------

/** A revision's location; the content is `null` everywhere but in GetApplicationRevision's reply. */
const locationOf = (revision: Revision, withContent = false): Json => {
  const content = { sha256: revision.sha256, content: withContent ? revision.content : null };
  return revision.type === 'String'
    ? { revisionType: 'String', string: content }
    : { revisionType: 'AppSpecContent', appSpecContent: content };
};

const routingOf = (routing: TrafficRouting): Json => {
  switch (routing.type) {
    case 'AllAtOnce':
      return { type: routing.type };
    case 'TimeBasedCanary':
      return { type: routing.type, timeBasedCanary: { canaryPercentage: routing.percentage, canaryInterval: routing.minutes } };
    case 'TimeBasedLinear':
      return { type: routing.type, timeBasedLinear: { linearPercentage: routing.percentage, linearInterval: routing.minutes } };
  }
};

const when = (at: number | undefined): number | undefined => (at === undefined ? undefined : timestamp(at));

const deploymentInfoOf = (it: Deployment, now: number): Json => {
  const life = lifeOf(it.plan, now);
  return present({
    applicationName: it.group.application.name,
    deploymentGroupName: it.groupName,
    deploymentConfigName: it.configName,
    deploymentId: it.id,
    previousRevision: it.previousRevision && locationOf(it.previousRevision),
    revision: it.revision && locationOf(it.revision),
    status: life.status,
    errorInformation: life.errorInformation,
    createTime: timestamp(it.plan.createdAt),
    startTime: when(life.startedAt),
    completeTime: when(life.completedAt),
    // Deliberately absent, as on AWS for ECS: deploymentOverview. The lifecycle events are the target's.
    description: it.description,
    creator: it.creator,
    ignoreApplicationStopFailures: false,
    autoRollbackConfiguration: it.autoRollback,
    updateOutdatedInstancesOnly: false,
    rollbackInfo: it.rollbackInfo,
    deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
    instanceTerminationWaitTimeStarted: life.instanceTerminationWaitTimeStarted,
    blueGreenDeploymentConfiguration: it.blueGreen,
    loadBalancerInfo: it.loadBalancerInfo,
    fileExistsBehavior: 'DISALLOW',
    deploymentStatusMessages: [],
    computePlatform: 'ECS',
    overrideAlarmConfiguration: it.overrideAlarms,
  });
};

const targetOf = (it: Deployment, now: number): Json => {
  const life = lifeOf(it.plan, now);
  return {
    deploymentTargetType: 'ECSTarget',
    ecsTarget: {
      deploymentId: it.id,
      targetId: it.targetId,
      targetArn: it.service?.arn ?? ecsArn(it, `service/${it.group.cluster}/${it.group.service}`),
      lastUpdatedAt: timestamp(life.lastUpdatedAt),
      lifecycleEvents: life.lifecycleEvents.map((event) =>
        present({
          lifecycleEventName: event.name,
          diagnostics: event.diagnostics,
          startTime: when(event.startedAt),
          endTime: when(event.endedAt),
          status: event.status,
        }),
      ),
      status: life.targetStatus,
      taskSetsInfo: it.service
        ? life.taskSets
            .filter(({ id, goneAt }) => id !== '' && (goneAt === undefined || goneAt > now))
            .map((set) => ({
              // AWS's own spelling.
              identifer: set.id,
              desiredCount: set.desired,
              pendingCount: set.pending,
              runningCount: set.running,
              status: set.status,
              trafficWeight: set.trafficWeight,
              targetGroup: { name: set.targetGroup.name },
              taskSetLabel: set.label,
            }))
        : [],
    },
  };
};

// --- the API ------------------------------------------------------------------------------------------------------------------------

const NAME = /^[A-Za-z0-9+=,.@_-]{1,100}$/;
const ID = /^d-[A-Z0-9]{9}$/;

const checkedRollback = (given: Json | undefined): Json | undefined => {
  if (!given) return undefined;
  const events = texts(given, 'events') ?? [];
  const enabled = flag(given, 'enabled') ?? false;
  if (events.some((event) => !(ROLLBACK_EVENTS as readonly string[]).includes(event))) {
    throw new AwsFault('InvalidAutoRollbackConfigException', 'The auto-rollback configuration contains an event that is not valid.');
  }
  if (enabled && events.length === 0) {
    throw new AwsFault('InvalidAutoRollbackConfigException', 'Auto-rollback is enabled, but no events are specified.');
  }
  return { enabled, events };
};

const checkedAlarms = (given: Json | undefined): Json | undefined => {
  if (!given) return undefined;
  const alarms = records(given, 'alarms') ?? [];
  const enabled = flag(given, 'enabled') ?? false;
  if (alarms.length > 10)
    throw new AwsFault('AlarmsLimitExceededException', 'The maximum number of alarms for a deployment group (10) was exceeded.');
  const named = alarms.every((each) => /^.{1,255}$/.test(text(each, 'name') ?? ''));
  if (!named || (enabled && alarms.length === 0))
    throw new AwsFault('InvalidAlarmConfigException', 'The format of the alarm configuration is invalid.');
  return { enabled, ignorePollAlarmFailure: flag(given, 'ignorePollAlarmFailure') ?? false, alarms };
};

/** CodeDeploy over AWS JSON 1.1. Attaches the state to the ECS whose services it deploys. */
export const codedeployService = (state: CodeDeployState, ecs: EcsState): Service => {
  state.attach(ecs);

  const applicationOf = (input: Json, call: Call): Application => {
    const name = text(input, 'applicationName');
    if (name === undefined) throw new AwsFault('ApplicationNameRequiredException', 'Application name is required.');
    if (!NAME.test(name)) throw new AwsFault('InvalidApplicationNameException', `Application name '${name}' is not valid.`);
    const found = state.findApplication(scopeOf(call), name);
    if (!found) throw new AwsFault('ApplicationDoesNotExistException', `No application found for name: ${name}`);
    return found;
  };
  const groupOf = (input: Json, call: Call, key = 'deploymentGroupName'): Group => {
    const application = applicationOf(input, call);
    const name = text(input, key);
    if (name === undefined) throw new AwsFault('DeploymentGroupNameRequiredException', 'Deployment group name is required.');
    if (!NAME.test(name)) throw new AwsFault('InvalidDeploymentGroupNameException', `Deployment group name '${name}' is not valid.`);
    const found = state.groups(application).find((each) => each.name === name);
    if (!found) throw new AwsFault('DeploymentGroupDoesNotExistException', `No Deployment Group found for name: ${name}`);
    return found;
  };
  const byId = (id: string, call: Call): Deployment => {
    if (!ID.test(id)) throw new AwsFault('InvalidDeploymentIdException', `The deployment ID '${id}' is not valid.`);
    const found = state.deployments(scopeOf(call)).find((each) => each.id === id);
    if (!found) throw new AwsFault('DeploymentDoesNotExistException', `The deployment ${id} could not be found`);
    return found;
  };
  const deploymentOf = (input: Json, call: Call): Deployment => {
    const id = text(input, 'deploymentId');
    if (id === undefined) throw new AwsFault('DeploymentIdRequiredException', 'Deployment ID is required.');
    return byId(id, call);
  };
  const startedOf = (input: Json, call: Call): Deployment => {
    const found = deploymentOf(input, call);
    if (lifeOf(found.plan, call.clock.now()).startedAt === undefined) {
      throw new AwsFault('DeploymentNotStartedException', `The deployment ${found.id} has not started.`);
    }
    return found;
  };
  const configOf = (name: string, scope: Scope): DeploymentConfig => {
    const found = state.findConfig(scope, name);
    if (!found) throw new AwsFault('DeploymentConfigDoesNotExistException', `No Deployment Configuration found for name: ${name}`);
    return found;
  };
  const ecsConfigOf = (name: string, scope: Scope): DeploymentConfig => {
    const found = configOf(name, scope);
    if (found.computePlatform === 'ECS') return found;
    throw new AwsFault(
      'InvalidDeploymentConfigNameException',
      `The deployment configuration ${name} is not valid for the ECS compute platform.`,
    );
  };

  /** The text of a revision's location and its hash, which must be that of the text. */
  const contentOf = (
    location: Json,
  ): { readonly type: Revision['type']; readonly content: string | undefined; readonly sha256: string | undefined } => {
    const type = text(location, 'revisionType');
    if (type !== 'AppSpecContent' && type !== 'String') {
      throw badRevision(`The revision type ${type ?? 'null'} is not supported here: use AppSpecContent`);
    }
    const given = record(location, type === 'String' ? 'string' : 'appSpecContent');
    if (!given) throw badRevision('The revision has no content');
    const content = text(given, 'content');
    const hash = text(given, 'sha256');
    if (content !== undefined && hash !== undefined && hash.toLowerCase() !== sha256(content)) {
      throw badRevision('The sha256 of the revision does not match its content');
    }
    return { type, content, sha256: hash?.toLowerCase() ?? (content === undefined ? undefined : sha256(content)) };
  };
  const register = (application: Application, location: Json, at: number): Revision => {
    const { type, content, sha256: hash } = contentOf(location);
    if (hash === undefined) throw badRevision('The revision has no content');
    const known = application.revisions.get(hash);
    if (known) return known;
    if (content === undefined || content === '') throw badRevision('The AppSpec content is empty');
    const made: Revision = { type, content, sha256: hash, registeredAt: at, groups: new Set() };
    application.revisions.set(hash, made);
    return made;
  };

  const paged = <T>(all: readonly T[], input: Json): { readonly items: readonly T[]; readonly next?: string } => {
    try {
      return page(all, { token: text(input, 'nextToken'), size: 100 });
    } catch (error) {
      if (error instanceof AwsFault && error.code !== 'SerializationException') {
        throw new AwsFault('InvalidNextTokenException', 'The next token was specified in an invalid format.');
      }
      throw error;
    }
  };
  const ofTarget = (deployment: Deployment, id: string, now: number): Json => {
    if (!id.includes(':')) throw new AwsFault('InvalidDeploymentTargetIdException', `The target ID '${id}' is not valid.`);
    if (id !== deployment.targetId) {
      throw new AwsFault(
        'DeploymentTargetDoesNotExistException',
        `The deployment target ${id} does not exist in deployment ${deployment.id}.`,
      );
    }
    return targetOf(deployment, now);
  };
  const lastOf = (deployment: Deployment | undefined, now: number): Json | undefined => {
    if (!deployment) return undefined;
    const life = lifeOf(deployment.plan, now);
    return present({
      deploymentId: deployment.id,
      status: life.status,
      endTime: when(life.completedAt),
      createTime: timestamp(deployment.plan.createdAt),
    });
  };

  const operations: Service['operations'] = {
    GetApplication(input, call) {
      const { id, name, createdAt, computePlatform } = applicationOf(input, call);
      return {
        application: { applicationId: id, applicationName: name, createTime: timestamp(createdAt), linkedToGitHub: false, computePlatform },
      };
    },

    ListApplications(input, call) {
      const { items, next } = paged(
        state.applications(scopeOf(call)).map(({ name }) => name),
        input,
      );
      return present({ applications: items, nextToken: next });
    },

    GetDeploymentGroup(input, call) {
      const group = groupOf(input, call);
      const attempted = state.deployments(scopeOf(call)).find((each) => each.group === group);
      return {
        deploymentGroupInfo: present({
          applicationName: group.application.name,
          deploymentGroupId: group.id,
          deploymentGroupName: group.name,
          deploymentConfigName: group.configName,
          ec2TagFilters: [],
          onPremisesInstanceTagFilters: [],
          autoScalingGroups: [],
          serviceRoleArn: group.serviceRoleArn,
          targetRevision: attempted?.revision && locationOf(attempted.revision),
          triggerConfigurations: [],
          alarmConfiguration: group.alarmConfiguration,
          autoRollbackConfiguration: group.autoRollback,
          deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
          blueGreenDeploymentConfiguration: {
            terminateBlueInstancesOnDeploymentSuccess: group.terminateOption,
            deploymentReadyOption: group.readyOption,
          },
          loadBalancerInfo: group.loadBalancerInfo,
          lastSuccessfulDeployment: lastOf(state.lastSuccessful(group), call.clock.now()),
          lastAttemptedDeployment: lastOf(attempted, call.clock.now()),
          computePlatform: group.application.computePlatform,
          ecsServices:
            group.application.computePlatform === 'ECS' ? [{ serviceName: group.service, clusterName: group.cluster }] : undefined,
          terminationHookEnabled: false,
        }),
      };
    },

    ListDeploymentGroups(input, call) {
      const application = applicationOf(input, call);
      const { items, next } = paged(
        state.groups(application).map(({ name }) => name),
        input,
      );
      return present({ applicationName: application.name, deploymentGroups: items, nextToken: next });
    },

    UpdateDeploymentGroup(input, call) {
      const group = groupOf(input, call, 'currentDeploymentGroupName');
      const config = text(input, 'deploymentConfigName');
      if (config !== undefined) ecsConfigOf(config, scopeOf(call));
      const rollback = checkedRollback(record(input, 'autoRollbackConfiguration'));
      const alarms = checkedAlarms(record(input, 'alarmConfiguration'));
      const blueGreen = record(input, 'blueGreenDeploymentConfiguration');
      const services = records(input, 'ecsServices');
      if (services && services.length !== 1) throw new AwsFault('InvalidECSServiceException', 'Exactly one ECS service must be specified.');
      const [service] = services ?? [];
      group.name = text(input, 'newDeploymentGroupName') ?? group.name;
      group.configName = config ?? group.configName;
      group.autoRollback = rollback ?? group.autoRollback;
      group.alarmConfiguration = alarms ?? group.alarmConfiguration;
      group.readyOption = (blueGreen && record(blueGreen, 'deploymentReadyOption')) ?? group.readyOption;
      group.terminateOption = (blueGreen && record(blueGreen, 'terminateBlueInstancesOnDeploymentSuccess')) ?? group.terminateOption;
      group.loadBalancerInfo = record(input, 'loadBalancerInfo') ?? group.loadBalancerInfo;
      group.service = (service && text(service, 'serviceName')) ?? group.service;
      group.cluster = (service && text(service, 'clusterName')) ?? group.cluster;
      return { hooksNotCleanedUp: [] };
    },

    GetDeploymentConfig(input, call) {
      const name = text(input, 'deploymentConfigName');
      if (name === undefined) throw new AwsFault('DeploymentConfigNameRequiredException', 'Deployment configuration name is required.');
      const config = configOf(name, scopeOf(call));
      return {
        deploymentConfigInfo: present({
          deploymentConfigId: idOf(name),
          deploymentConfigName: name,
          createTime: timestamp(Date.UTC(2018, 10, 27)),
          computePlatform: config.computePlatform,
          trafficRoutingConfig: config.routing && routingOf(config.routing),
          minimumHealthyHosts: config.computePlatform === 'Server' ? { type: 'HOST_COUNT', value: 1 } : undefined,
        }),
      };
    },

    RegisterApplicationRevision(input, call) {
      const application = applicationOf(input, call);
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      const description = text(input, 'description');
      const revision = register(application, location, call.clock.now());
      if (description !== undefined) revision.description = description;
      return {};
    },

    GetApplicationRevision(input, call) {
      const application = applicationOf(input, call);
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      const revision = application.revisions.get(contentOf(location).sha256 ?? '');
      if (!revision) throw new AwsFault('RevisionDoesNotExistException', 'The named revision does not exist with the user or AWS account.');
      return {
        applicationName: application.name,
        revision: locationOf(revision, true),
        revisionInfo: present({
          description: revision.description ?? 'Application revision registered by Deployment ID',
          deploymentGroups: [...revision.groups],
          firstUsedTime: when(revision.firstUsedAt),
          lastUsedTime: when(revision.lastUsedAt),
          registerTime: timestamp(revision.registeredAt),
        }),
      };
    },

    CreateDeployment(input, call) {
      const group = groupOf(input, call);
      const description = text(input, 'description');
      if (description !== undefined && description.length > 256) {
        throw new AwsFault('DescriptionTooLongException', 'The description is too long: at most 256 characters.');
      }
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      if (group.application.computePlatform !== 'ECS') throw badRevision('AppSpecContent is not supported for this compute platform here');
      const autoRollback = checkedRollback(record(input, 'autoRollbackConfiguration'));
      const overrideAlarms = checkedAlarms(record(input, 'overrideAlarmConfiguration'));
      const config = ecsConfigOf(text(input, 'deploymentConfigName') ?? group.configName, scopeOf(call));
      const { content, sha256: hash } = contentOf(location);
      const spec = appSpecOf(content ?? group.application.revisions.get(hash ?? '')?.content ?? '');
      const active = state.activeDeployment(group);
      if (active) {
        const message = `The Deployment Group '${group.name}' already has an active Deployment '${active.id}'`;
        throw new AwsFault('DeploymentLimitExceededException', message);
      }
      const now = call.clock.now();
      const revision = register(group.application, location, now);
      return { deploymentId: state.create({ group, revision, spec, config, description, autoRollback, overrideAlarms, now }).id };
    },

    GetDeployment: (input, call) => ({ deploymentInfo: deploymentInfoOf(deploymentOf(input, call), call.clock.now()) }),

    BatchGetDeployments(input, call) {
      const ids = texts(input, 'deploymentIds') ?? [];
      if (ids.length === 0) throw new AwsFault('DeploymentIdRequiredException', 'At least one deployment ID is required.');
      if (ids.length > 25) throw new AwsFault('BatchLimitExceededException', 'The maximum number of deployment IDs is 25.');
      const known = state.deployments(scopeOf(call));
      return {
        deploymentsInfo: ids.flatMap((id) => {
          if (!ID.test(id)) throw new AwsFault('InvalidDeploymentIdException', `The deployment ID '${id}' is not valid.`);
          const found = known.find((each) => each.id === id);
          return found ? [deploymentInfoOf(found, call.clock.now())] : [];
        }),
      };
    },

    ListDeployments(input, call) {
      const application = text(input, 'applicationName') === undefined ? undefined : applicationOf(input, call);
      const named = text(input, 'deploymentGroupName') !== undefined;
      if (named && !application) throw new AwsFault('ApplicationNameRequiredException', 'Application name is required.');
      const group = named ? groupOf(input, call) : undefined;
      if (application && !group) throw new AwsFault('DeploymentGroupNameRequiredException', 'Deployment group name is required.');
      const statuses = texts(input, 'includeOnlyStatuses');
      const unknown = statuses?.find((each) => !STATUSES.includes(each));
      if (unknown !== undefined) throw new AwsFault('InvalidDeploymentStatusException', `The deployment status ${unknown} does not exist.`);
      const range = record(input, 'createTimeRange') ?? {};
      const start = number(range, 'start');
      const end = number(range, 'end');
      if (start !== undefined && end !== undefined && start > end) {
        throw new AwsFault('InvalidTimeRangeException', 'The start of the time range is after its end.');
      }
      const now = call.clock.now();
      const ids = state
        .deployments(scopeOf(call))
        .filter((each) => (group === undefined || each.group === group) && (!statuses || statuses.includes(lifeOf(each.plan, now).status)))
        .filter(
          ({ plan: { createdAt } }) => (start === undefined || createdAt >= start * 1000) && (end === undefined || createdAt <= end * 1000),
        )
        .map(({ id }) => id);
      const { items, next } = paged(ids, input);
      return present({ deployments: items, nextToken: next });
    },

    ListDeploymentTargets: (input, call) => ({ targetIds: [startedOf(input, call).targetId] }),

    GetDeploymentTarget(input, call) {
      const deployment = startedOf(input, call);
      const id = text(input, 'targetId');
      if (id === undefined) throw new AwsFault('DeploymentTargetIdRequiredException', 'A deployment target ID is required.');
      return { deploymentTarget: ofTarget(deployment, id, call.clock.now()) };
    },

    BatchGetDeploymentTargets(input, call) {
      const deployment = startedOf(input, call);
      const ids = texts(input, 'targetIds') ?? [];
      if (ids.length === 0) throw new AwsFault('DeploymentTargetIdRequiredException', 'A deployment target ID is required.');
      if (ids.length > 25) throw new AwsFault('DeploymentTargetListSizeExceededException', 'The maximum number of targets is 25.');
      return { deploymentTargets: ids.map((id) => ofTarget(deployment, id, call.clock.now())) };
    },

    StopDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      const now = call.clock.now();
      const life = lifeOf(deployment.plan, now);
      const asked = deployment.plan.commands.some((each) => each.command === 'stop');
      if (life.completedAt !== undefined) {
        if (asked && life.status === 'Stopped') return { status: 'Succeeded', statusMessage: 'The deployment was stopped.' };
        throw new AwsFault('DeploymentAlreadyCompletedException', `Deployment ${deployment.id} is already completed`);
      }
      const rollback = flag(input, 'autoRollbackEnabled');
      if (!asked) state.command(deployment, { at: now, command: 'stop', ...(rollback !== undefined && { rollback }) });
      return { status: 'Pending', statusMessage: 'A stop of the deployment is pending.' };
    },

    ContinueDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      const wait = text(input, 'deploymentWaitType') ?? 'READY_WAIT';
      if (wait !== 'READY_WAIT' && wait !== 'TERMINATION_WAIT') {
        throw new AwsFault('InvalidDeploymentWaitTypeException', `The wait type ${wait} is invalid.`);
      }
      const now = call.clock.now();
      const life = lifeOf(deployment.plan, now);
      if (life.completedAt !== undefined) {
        throw new AwsFault('DeploymentAlreadyCompletedException', `Deployment ${deployment.id} is already completed`);
      }
      if (wait === 'READY_WAIT' ? life.status !== 'Ready' : !life.instanceTerminationWaitTimeStarted) {
        throw new AwsFault('DeploymentIsNotInReadyStateException', `Deployment ${deployment.id} is not in a state in which it waits.`);
      }
      state.command(deployment, { at: now, command: 'continue', wait });
      return {};
    },
  };

  return {
    target: 'CodeDeploy_20141006',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (input: Json, call: Call): unknown => {
          state.settle(call.clock.now());
          return operation(input, call);
        },
      ]),
    ),
  };
};
