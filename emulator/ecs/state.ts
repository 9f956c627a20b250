/** The clusters, task definitions and services of an emulated ECS, kept apart by account and Region; tests and the demo fill it. */
import { text } from '../coral.ts';
import { invalid } from './checks.ts';
import type { ClusterRecord } from './cluster.ts';
import { registrable } from './registration.ts';
import { ecsArn, partitionOf, within } from './scope.ts';
import type { Scope } from './scope.ts';
import { serviceFrom } from './service.ts';
import type { ServiceRecord, ServiceSeed } from './service.ts';
import { ServiceDeployments } from './service-deployment-state.ts';
import type { ServiceDeploymentOptions, ServiceDeploymentScript } from './service-deployment-state.ts';
import { tagsOf } from './tag.ts';
import type { Tag } from './tag.ts';
import type { TaskDefinitionRecord } from './task-definition.ts';
import type { TaskSetRecord } from './task-set.ts';
import type { Json } from '../service.ts';

const DAY = 86_400_000;

export class EcsState {
  /** The deployments that ECS itself makes. */
  readonly own: ServiceDeployments;
  readonly #clusters = new Map<string, ClusterRecord>();
  readonly #services: ServiceRecord[] = [];
  readonly #families = new Map<string, TaskDefinitionRecord[]>();
  readonly #observers: ((now: number) => void)[] = [];

  constructor(options: ServiceDeploymentOptions = {}) {
    this.own = new ServiceDeployments(options, (scope, name) => this.findTaskDefinition(scope, name));
  }

  /** Says how the next deployment goes that ECS itself makes. */
  nextDeployment(script: ServiceDeploymentScript): void {
    this.own.script(script);
  }

  /** Whoever changes services (CodeDeploy) works out what is due before anybody looks. */
  onLook(observer: (now: number) => void): void {
    this.#observers.push(observer);
  }

  settle(now: number): void {
    for (const observer of this.#observers) observer(now);
    this.own.settle(now);
  }

  cluster(seed: Scope & { readonly name: string; readonly tags?: readonly Tag[] }): ClusterRecord {
    const { account, region, name } = seed;
    const key = `${within(seed)}/${name}`;
    const made = this.#clusters.get(key) ?? { account, region, name, arn: ecsArn(seed, `cluster/${name}`), status: 'ACTIVE', tags: [] };
    if (seed.tags) made.tags = [...seed.tags];
    this.#clusters.set(key, made);
    return made;
  }

  /** Registers a revision, checked as ECS checks it, and gives its record. `input` is what RegisterTaskDefinition takes. */
  taskDefinition(scope: Scope, input: Json, by?: { readonly arn: string; readonly at: number }): TaskDefinitionRecord {
    const { account, region } = scope;
    const body = registrable(input);
    const family = text(body, 'family') ?? '';
    const key = `${within(scope)}/${family}`;
    const revisions = this.#families.get(key) ?? [];
    this.#families.set(key, revisions);
    const revision = revisions.length + 1;
    const made: TaskDefinitionRecord = {
      account,
      region,
      family,
      revision,
      arn: ecsArn(scope, `task-definition/${family}:${revision}`),
      body,
      registeredAt: by?.at ?? Date.now() - DAY,
      registeredBy: by?.arn ?? `arn:${partitionOf(region)}:iam::${account}:root`,
      status: 'ACTIVE',
      tags: tagsOf(input) ?? [],
    };
    revisions.push(made);
    return made;
  }

  /** The revision that `family`, `family:revision` or an ARN names; a family alone names its newest active one. */
  findTaskDefinition(scope: Scope, name: string): TaskDefinitionRecord | undefined {
    const arn = /^arn:[^:]+:ecs:([^:]+):(\d{12}):task-definition\/(.+)$/.exec(name);
    if (arn && (arn[1] !== scope.region || arn[2] !== scope.account)) return undefined;
    const [family = '', revision] = (arn?.[3] ?? name).split(':');
    const revisions = this.#families.get(`${within(scope)}/${family}`) ?? [];
    if (revision === undefined) return revisions.findLast(({ status }) => status === 'ACTIVE');
    if (!/^\d+$/.test(revision)) throw invalid(`Invalid revision number. Number: ${revision}`);
    return revisions[Number(revision) - 1];
  }

  taskDefinitions(scope: Scope): TaskDefinitionRecord[] {
    return [...this.#families.values()].flat().filter((each) => within(each) === within(scope));
  }

  service(seed: ServiceSeed): ServiceRecord {
    const { account, region } = seed;
    const cluster = this.cluster({ account, region, name: seed.cluster });
    const definition =
      typeof seed.taskDefinition === 'string'
        ? this.findTaskDefinition(seed, seed.taskDefinition)
        : this.taskDefinition(seed, seed.taskDefinition);
    if (!definition) throw new Error(`The emulator has no task definition ${JSON.stringify(seed.taskDefinition)} in ${account}/${region}`);
    const createdAt = seed.createdAt ?? Date.now() - DAY;
    const made = serviceFrom(seed, { cluster, taskDefinition: definition.arn, createdAt });
    this.#services.push(made);
    for (const set of made.taskSets) this.own.know(made, set);
    return made;
  }

  findService(scope: Scope, cluster: string, name: string): ServiceRecord | undefined {
    return this.#services.findLast((each) => within(each) === within(scope) && each.cluster.name === cluster && each.name === name);
  }

  findCluster(scope: Scope, name: string): ClusterRecord | undefined {
    return this.#clusters.get(`${within(scope)}/${name}`);
  }

  services(scope: Scope): ServiceRecord[] {
    return this.#services.filter((each) => within(each) === within(scope));
  }

  clusters(scope: Scope): ClusterRecord[] {
    return [...this.#clusters.values()].filter((each) => within(each) === within(scope));
  }

  /** A service's task sets as they are shown at this time. */
  taskSetsOf(service: ServiceRecord, now: number): TaskSetRecord[] {
    return (service.live?.taskSets ?? service.taskSets).filter(({ goneAt }) => goneAt === undefined || goneAt > now);
  }
}
