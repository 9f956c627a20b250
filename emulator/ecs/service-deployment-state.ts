/**
 * The deployments that ECS itself makes of its services: begun by UpdateService, brought up to date whenever somebody looks, and
 * written into the service when they end.
 */
import { sha256, taskSetId } from './ids.ts';
import { alarmsOf, circuitBreakerOf, hooksOf, routingOf } from './own-configuration.ts';
import { ecsArn, within } from './scope.ts';
import type { Scope } from './scope.ts';
import { restingTaskSet } from './service.ts';
import type { ServiceRecord } from './service.ts';
import { revisionArn } from './service-deployment.ts';
import type { ServiceDeploymentRecord } from './service-deployment.ts';
import type { TaskDefinitionRecord } from './task-definition.ts';
import type { TaskSetRecord } from './task-set.ts';
import { records, text } from '../coral.ts';
import { DURATIONS } from '../life/durations.ts';
import type { Durations } from '../life/durations.ts';
import type { TaskSetPlan } from '../life/plan.ts';
import { refusedImage } from '../pull.ts';
import type { CanPull } from '../pull.ts';
import { serviceLifeOf } from '../service-deployment-life.ts';
import type { ServiceCommand, ServiceDeploymentLife, ServiceOutcome } from '../service-deployment-life.ts';

export interface ServiceDeploymentOptions {
  readonly canPull?: CanPull;
  readonly durations?: Partial<Durations>;
}

/** How the next service deployment goes; without `service` and the like it is the next of any service. */
export interface ServiceDeploymentScript {
  readonly outcome?: ServiceOutcome;
  /** Whether a rollback succeeds. Default: it does. */
  readonly rollback?: 'succeed' | 'fail';
  readonly durations?: Partial<Durations>;
  readonly account?: string;
  readonly service?: string;
}

export class ServiceDeployments {
  readonly #deployments: ServiceDeploymentRecord[] = [];
  readonly #revisions = new Map<string, { readonly service: ServiceRecord; readonly set: TaskSetRecord }>();
  readonly #scripts: ServiceDeploymentScript[] = [];
  readonly #options: ServiceDeploymentOptions;
  readonly #definition: (scope: Scope, name: string) => TaskDefinitionRecord | undefined;

  constructor(options: ServiceDeploymentOptions, definition: (scope: Scope, name: string) => TaskDefinitionRecord | undefined) {
    this.#options = options;
    this.#definition = definition;
  }

  /** Says how the next deployment goes. Scripts are used up in the order they came, each by the first deployment that it fits. */
  script(script: ServiceDeploymentScript): void {
    this.#scripts.push(script);
  }

  /** Newest first. */
  of(service: ServiceRecord): ServiceDeploymentRecord[] {
    return this.#deployments.filter((each) => each.service === service).reverse();
  }

  find(scope: Scope, arn: string): ServiceDeploymentRecord | undefined {
    return this.#deployments.find((each) => each.arn === arn && within(each.service) === within(scope));
  }

  /** A service revision, of whatever time. */
  revision(scope: Scope, arn: string): { readonly service: ServiceRecord; readonly set: TaskSetRecord } | undefined {
    const found = this.#revisions.get(arn);
    return found && within(found.service) === within(scope) ? found : undefined;
  }

  /** A service's revision at rest, remembered. */
  know(service: ServiceRecord, set: TaskSetRecord): void {
    this.#revisions.set(revisionArn(service, set.id), { service, set });
  }

  /** Begins a deployment of what the service is configured for now; one that is under way gives place to it. */
  begin(service: ServiceRecord, now: number): void {
    if (service.taskSets.length === 0) service.taskSets = [restingTaskSet(service)];
    for (const set of service.taskSets) this.know(service, set);
    // While a deployment runs PRIMARY is the newest; the traffic is still on the oldest.
    const blueBases = (service.live?.taskSets ?? service.taskSets).toSorted((a, b) => a.createdAt - b.createdAt);
    for (const active of this.of(service)) if (!active.ended) this.command(active, { at: now, command: 'replace' });
    const hash = sha256(`${service.arn}/${this.#deployments.length}`);
    const script = this.#takeScript(service);
    const greenBase: TaskSetRecord = { ...restingTaskSet(service), id: taskSetId(hash), createdAt: now, updatedAt: now, running: 0 };
    const { deploymentConfiguration: configuration } = service;
    this.know(service, greenBase);
    this.#deployments.push({
      service,
      arn: ecsArn(
        service,
        `service-deployment/${service.cluster.name}/${service.name}/${Buffer.from(hash, 'hex').toString('base64url').slice(0, 21)}`,
      ),
      greenBase,
      blueBases,
      configuration,
      plan: {
        id: hash,
        createdAt: now,
        durations: { ...DURATIONS, ...this.#options.durations, ...script.durations },
        outcome: script.outcome ?? 'succeed',
        rollback: script.rollback ?? 'succeed',
        commands: [],
        service: service.name,
        blue: blueBases.map(planOf),
        green: planOf({ ...greenBase, desired: service.desiredCount }),
        routing: routingOf(configuration),
        shifts: service.loadBalancers.length > 0,
        testTraffic: service.loadBalancers.some(({ advancedConfiguration }) => advancedConfiguration?.testListenerRule !== undefined),
        bakeMinutes: Number(configuration['bakeTimeInMinutes'] ?? 0),
        hooks: hooksOf(configuration),
        circuitBreaker: circuitBreakerOf(configuration, service.desiredCount),
        alarms: alarmsOf(configuration),
      },
      pullAsked: false,
      ended: false,
    });
    this.settle(now);
  }

  command(deployment: ServiceDeploymentRecord, command: ServiceCommand): void {
    deployment.plan = { ...deployment.plan, commands: [...deployment.plan.commands, command] };
  }

  /** Works out everything that is due by now. */
  settle(now: number): void {
    for (const deployment of this.#deployments) if (!deployment.ended) this.#bring(deployment, now);
  }

  #takeScript(service: ServiceRecord): ServiceDeploymentScript {
    const index = this.#scripts.findIndex(
      (script) => (script.account ?? service.account) === service.account && (script.service ?? service.name) === service.name,
    );
    return index < 0 ? {} : (this.#scripts.splice(index, 1)[0] ?? {});
  }

  #bring(deployment: ServiceDeploymentRecord, now: number): void {
    this.#askPull(deployment, now);
    const { service, plan } = deployment;
    const life = serviceLifeOf(plan, now);
    const isNewest = this.of(service)[0] === deployment;
    if (life.endedAt === undefined) {
      if (isNewest) service.live = { taskSets: taskSetsOf(deployment, life), events: life.serviceEvents, stoppedTasks: life.stoppedTasks };
      return;
    }
    deployment.ended = true;
    service.events = [...service.events, ...life.serviceEvents];
    service.stoppedTasks = [...service.stoppedTasks, ...life.stoppedTasks];
    if (!isNewest) return;
    service.live = undefined;
    service.taskSets = taskSetsOf(deployment, serviceLifeOf(plan, life.endedAt));
    if (life.status !== 'SUCCESSFUL') service.taskDefinition = plan.blue[0]?.taskDefinition ?? service.taskDefinition;
  }

  /** The pull of green's images, asked for once, when its tasks start: a refusal makes them fail. */
  #askPull(deployment: ServiceDeploymentRecord, now: number): void {
    const { plan, service } = deployment;
    const { canPull } = this.#options;
    const { stage } = serviceLifeOf(plan, now);
    if (!canPull || deployment.pullAsked || stage === undefined || ['RECONCILE_SERVICE', 'PRE_SCALE_UP'].includes(stage)) return;
    deployment.pullAsked = true;
    const definition = this.#definition(service, plan.green.taskDefinition);
    const images = definition ? (records(definition.body, 'containerDefinitions') ?? []).map((each) => text(each, 'image') ?? '') : [];
    const role = definition && text(definition.body, 'executionRoleArn');
    const reason = refusedImage({ canPull, images, account: service.account, role });
    if (reason !== undefined) deployment.plan = { ...plan, outcome: { tasks: 'cannotPull', reason } };
  }
}

const planOf = (set: TaskSetRecord): TaskSetPlan => {
  const arn = set.loadBalancers[0]?.targetGroupArn ?? '';
  return { id: set.id, taskDefinition: set.taskDefinition, desiredCount: set.desired, targetGroup: { name: arn, arn } };
};

/** All of a service's tasks, by their revision; PRIMARY is the newest. */
const taskSetsOf = ({ greenBase, blueBases }: ServiceDeploymentRecord, life: ServiceDeploymentLife): TaskSetRecord[] => {
  const { active, desired, pending, running } = life.green;
  const blue = blueBases.flatMap((base, index): TaskSetRecord[] => {
    const now = life.blue[index];
    return now?.active ? [{ ...base, status: active ? 'ACTIVE' : 'PRIMARY', desired: now.desired, pending: 0, running: now.running }] : [];
  });
  return active ? [{ ...greenBase, status: 'PRIMARY', desired, pending, running }, ...blue] : blue;
};
