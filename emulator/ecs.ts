/**
 * Amazon ECS: clusters, task definitions with their revisions, services, task sets, tasks and service events, kept apart by account and
 * Region. `EcsState` holds them and is filled by tests and the demo; `ecsService` answers the API.
 * What a service with the CODE_DEPLOY controller does is not decided here: CodeDeploy writes it into `ServiceRecord.live`.
 *
 * Deliberately absent, a later issue: ECS's own blue/green (ListServiceDeployments, DescribeServiceDeployments, StopServiceDeployment,
 * DescribeServiceRevisions). They will stand beside `UpdateService`, with their own life as CodeDeploy's has.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
 */
import { createHash } from 'node:crypto';
import { flag, number, present, record, records, text, texts } from './coral.ts';
import { isRecord, page, timestamp } from './json.ts';
import { AwsFault } from './service.ts';
import type { Call, Json, Service } from './service.ts';

/** One account in one Region: nothing is seen across. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface ClusterRecord extends Scope {
  readonly name: string;
  readonly arn: string;
  status: string;
  tags: Tag[];
}

export interface TaskDefinitionRecord extends Scope {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** As it was registered, with the defaults that ECS fills in. */
  readonly body: Json;
  readonly registeredAt: number;
  readonly registeredBy: string;
  status: 'ACTIVE' | 'INACTIVE' | 'DELETE_IN_PROGRESS';
  deregisteredAt?: number;
  deleteRequestedAt?: number;
  tags: Tag[];
}

export interface LoadBalancer {
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
}

export type TaskSetStatus = 'PRIMARY' | 'ACTIVE' | 'DRAINING';

export interface TaskSetRecord {
  /** `ecs-svc/<19 digits>`. */
  readonly id: string;
  /** The CodeDeploy deployment that made it; absent for the one the service started with. */
  readonly externalId?: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly platformVersion?: string;
  readonly networkConfiguration?: Json;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly status: TaskSetStatus;
  readonly desired: number;
  readonly pending: number;
  readonly running: number;
  readonly updatedAt: number;
  /** A draining set is no longer shown from here on. */
  readonly goneAt?: number;
}

export interface ServiceEvent {
  readonly at: number;
  readonly message: string;
}

export interface StoppedTask {
  readonly id: string;
  readonly taskSetId: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly stoppedAt: number;
  readonly stopCode: 'TaskFailedToStart' | 'EssentialContainerExited' | 'ServiceSchedulerInitiated';
  readonly stoppedReason: string;
  /** What `containers[].reason` says; only where the container itself could not start. */
  readonly containerReason?: string;
  /** When it reached RUNNING; absent if it never did. */
  readonly startedAt?: number;
}

/** What a deployment that runs makes of a service, as of the last look. */
export interface ServiceChange {
  /** All task sets of the service. */
  readonly taskSets: readonly TaskSetRecord[];
  /** In addition to the settled ones. */
  readonly events: readonly ServiceEvent[];
  readonly stoppedTasks: readonly StoppedTask[];
}

export type Controller = 'ECS' | 'CODE_DEPLOY' | 'EXTERNAL';

export interface ServiceRecord extends Scope {
  readonly name: string;
  readonly arn: string;
  readonly cluster: ClusterRecord;
  readonly createdAt: number;
  /** Absent: the description has no `deploymentController`, which means ECS. */
  readonly controller: Controller | undefined;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  /** The ARN the service was made (or, with the ECS controller, last updated) with. CodeDeploy never changes it. */
  taskDefinition: string;
  updatedAt: number;
  desiredCount: number;
  launchType: string | undefined;
  capacityProviderStrategy: readonly Json[] | undefined;
  platformVersion: string | undefined;
  networkConfiguration: Json | undefined;
  loadBalancers: readonly LoadBalancer[];
  healthCheckGracePeriodSeconds: number;
  deploymentConfiguration: Json;
  tags: Tag[];
  taskSets: readonly TaskSetRecord[];
  events: readonly ServiceEvent[];
  stoppedTasks: readonly StoppedTask[];
  live: ServiceChange | undefined;
}

export interface ServiceSeed extends Scope {
  readonly cluster: string;
  readonly name: string;
  /** `null`: say nothing of a controller, as descriptions of old ECS services do. */
  readonly controller?: Controller | null;
  /** `family`, `family:revision`, an ARN, or what RegisterTaskDefinition takes. */
  readonly taskDefinition: string | Json;
  readonly loadBalancers?: readonly LoadBalancer[];
  readonly networkConfiguration?: Json;
  readonly platformVersion?: string;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly desiredCount?: number;
  readonly healthCheckGracePeriodSeconds?: number;
  readonly status?: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly tags?: readonly Tag[];
  /** AWS milliseconds; default: a day before this machine's now. */
  readonly createdAt?: number;
}

const DAY = 86_400_000;
const ROLLOUT = 60_000;
const STOPPED_TASKS_SHOWN = 3_600_000;

export const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : region.startsWith('eusc-') ? 'aws-eusc' : 'aws';

export const ecsArn = (scope: Scope, rest: string): string =>
  `arn:${partitionOf(scope.region)}:ecs:${scope.region}:${scope.account}:${rest}`;

const hex = (seed: string): string => createHash('sha256').update(seed).digest('hex');

/** `ecs-svc/` and 19 digits, the same for the same seed. */
export const taskSetId = (seed: string): string => `ecs-svc/${(BigInt(`0x${hex(seed).slice(0, 16)}`) + 10n ** 19n).toString().slice(-19)}`;

/** A task's ID: 32 hexadecimal digits, the same for the same task set and number. */
export const taskId = (taskSet: string, index: number | string): string => hex(`${taskSet}/${index}`).slice(0, 32);

const within = (scope: Scope): string => `${scope.account}/${scope.region}`;
const invalid = (message: string): AwsFault => new AwsFault('InvalidParameterException', message);
const client = (message: string): AwsFault => new AwsFault('ClientException', message);
const scopeOf = (call: Call): Scope => ({ account: call.caller.account, region: call.region });

export class EcsState {
  readonly #clusters = new Map<string, ClusterRecord>();
  readonly #services: ServiceRecord[] = [];
  readonly #families = new Map<string, TaskDefinitionRecord[]>();
  readonly #observers: ((now: number) => void)[] = [];

  /** Whoever changes services (CodeDeploy) works out what is due before anybody looks. */
  onLook(observer: (now: number) => void): void {
    this.#observers.push(observer);
  }

  settle(now: number): void {
    for (const observer of this.#observers) observer(now);
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
    const { account, region, name } = seed;
    const cluster = this.cluster({ account, region, name: seed.cluster });
    const definition =
      typeof seed.taskDefinition === 'string'
        ? this.findTaskDefinition(seed, seed.taskDefinition)
        : this.taskDefinition(seed, seed.taskDefinition);
    if (!definition) throw new Error(`The emulator has no task definition ${JSON.stringify(seed.taskDefinition)} in ${account}/${region}`);
    const createdAt = seed.createdAt ?? Date.now() - DAY;
    const controller = seed.controller === null ? undefined : (seed.controller ?? 'ECS');
    const launchType = seed.launchType ?? (seed.capacityProviderStrategy ? undefined : 'FARGATE');
    const platformVersion = seed.platformVersion ?? (launchType === 'EC2' ? undefined : 'LATEST');
    const { networkConfiguration, capacityProviderStrategy, loadBalancers = [], desiredCount = 1 } = seed;
    const taskSet: TaskSetRecord = {
      id: taskSetId(`${within(seed)}/${seed.cluster}/${name}`),
      taskDefinition: definition.arn,
      createdAt,
      updatedAt: createdAt,
      ...(launchType !== undefined && { launchType }),
      ...(platformVersion !== undefined && { platformVersion }),
      ...(networkConfiguration && { networkConfiguration }),
      ...(capacityProviderStrategy && { capacityProviderStrategy }),
      loadBalancers,
      status: 'PRIMARY',
      desired: desiredCount,
      pending: 0,
      running: desiredCount,
    };
    const made: ServiceRecord = {
      account,
      region,
      name,
      arn: ecsArn(seed, `service/${seed.cluster}/${name}`),
      cluster,
      createdAt,
      updatedAt: createdAt,
      controller,
      status: seed.status ?? 'ACTIVE',
      taskDefinition: definition.arn,
      desiredCount,
      launchType,
      capacityProviderStrategy,
      platformVersion,
      networkConfiguration,
      loadBalancers,
      healthCheckGracePeriodSeconds: seed.healthCheckGracePeriodSeconds ?? 0,
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
      tags: [...(seed.tags ?? [])],
      taskSets: controller === 'CODE_DEPLOY' || controller === 'EXTERNAL' ? [taskSet] : [],
      events: [{ at: createdAt, message: `(service ${name}) has reached a steady state.` }],
      stoppedTasks: [],
      live: undefined,
    };
    this.#services.push(made);
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

// --- task definitions ---------------------------------------------------------------------------------------------------------------

/** Members of RegisterTaskDefinition; anything else is ignored, as AWS's front end ignores what it does not know. */
const REGISTRABLE = [
  'family taskRoleArn executionRoleArn networkMode containerDefinitions volumes placementConstraints requiresCompatibilities cpu memory',
  'pidMode ipcMode proxyConfiguration inferenceAccelerators ephemeralStorage runtimePlatform enableFaultInjection',
]
  .join(' ')
  .split(' ');

/** Memory in MiB that Fargate has for a CPU value: [smallest, largest, step]; 256 CPU is 512, 1024 or 2048.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html */
const FARGATE: Readonly<Record<number, readonly [number, number, number]>> = {
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16_384: [32_768, 122_880, 8192],
};

const fargateHas = (cpu: number, memory: number): boolean => {
  if (cpu === 256) return [512, 1024, 2048].includes(memory);
  const row = FARGATE[cpu];
  return row !== undefined && memory >= row[0] && memory <= row[1] && (memory - row[0]) % row[2] === 0;
};

/** `256` or `.25 vCPU`; `512` or `0.5 GB`. */
const units = (value: string): number => {
  const [, amount = '', unit = ''] = /^\s*(\d*\.?\d+)\s*(vcpu|gb)?\s*$/i.exec(value) ?? [];
  return amount === '' ? Number.NaN : Number(amount) * (unit === '' ? 1 : 1024);
};

const filled = (value: string | undefined): value is string => value !== undefined && value.trim() !== '';
const ECR_IMAGE = /^\d{12}\.dkr[.-]ecr[.-]/;

const tagsOf = (input: Json): Tag[] | undefined => {
  const tags = records(input, 'tags');
  if (tags?.length === 0) throw invalid('Tags can not be empty.');
  return tags?.map((tag) => {
    const key = text(tag, 'key');
    if (!filled(key)) throw invalid('Tag key must not be null or empty.');
    return { key, value: text(tag, 'value') ?? '' };
  });
};

/** A `null` inside a list is what a rendered file most often brings; ECS answers in the framework's opaque words. */
const refuseNulls = (value: unknown): void => {
  if (Array.isArray(value)) {
    for (const each of value as unknown[]) {
      if (each === null) throw new AwsFault('SerializationException', 'Unexpected value type in payload');
      refuseNulls(each);
    }
  } else if (isRecord(value)) Object.values(value).forEach(refuseNulls);
};

/** What ECS keeps of a task definition, with the defaults it fills in, or the fault it answers.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
const registrable = (input: Json): Json => {
  if (Array.isArray(input)) {
    throw new AwsFault(
      'SerializationException',
      'Unrecognized collection type class com.amazonaws.madison.frontend.RegisterTaskDefinitionRequest',
    );
  }
  refuseNulls(input);
  const family = text(input, 'family');
  if (!filled(family)) throw client('Family should not be null or empty.');
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(family)) {
    throw client(
      'Family contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.',
    );
  }
  const containers = records(input, 'containerDefinitions');
  if (!containers || containers.length === 0) throw client('Container list cannot be empty.');
  if (containers.length > 10) throw client('Number of containers must not be greater than 10.');
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > 65_536) throw client(`Actual length: '${bytes}'. Max allowed length is '65536' bytes.`);

  const fargate = texts(input, 'requiresCompatibilities')?.includes('FARGATE') ?? false;
  const cpu = text(input, 'cpu');
  const memory = text(input, 'memory');
  if (fargate) {
    if (text(input, 'networkMode') !== 'awsvpc') throw client('Fargate only supports network mode ‘awsvpc’.');
    if (!filled(cpu)) throw client("Fargate requires that 'cpu' be defined at the task level.");
    if (!filled(memory)) throw client("Fargate requires that 'memory' be defined at the task level.");
    if (!fargateHas(units(cpu), units(memory))) {
      throw client(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`);
    }
    if (!filled(text(input, 'executionRoleArn'))) {
      if (containers.some((each) => ECR_IMAGE.test(text(each, 'image') ?? ''))) {
        throw client('Fargate requires task definition to have execution role ARN to support ECR images.');
      }
      if (containers.some((each) => record(each, 'logConfiguration')?.['logDriver'] === 'awslogs')) {
        throw client('Fargate requires task definition to have execution role ARN to support log driver awslogs.');
      }
    }
  }
  const awsvpc = text(input, 'networkMode') === 'awsvpc';
  const kept = containers.map((each) => registrableContainer(each, { awsvpc, needsMemory: !filled(memory) }));
  const names = kept.map((each) => text(each, 'name') ?? '');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw client(`Container name '${twice}' is used more than once. Container names must be unique.`);
  if (!kept.some((each) => each['essential'] === true)) {
    throw client('Invalid task definition: at least one container must be essential.');
  }
  const role = text(input, 'executionRoleArn');
  if (role === '') throw client('Role is not valid');
  return present({
    ...Object.fromEntries(REGISTRABLE.map((key) => [key, input[key] ?? undefined])),
    family,
    containerDefinitions: kept,
    volumes: records(input, 'volumes') ?? [],
    placementConstraints: records(input, 'placementConstraints') ?? [],
  });
};

const registrableContainer = (input: Json, task: { readonly awsvpc: boolean; readonly needsMemory: boolean }): Json => {
  const name = text(input, 'name');
  if (!filled(name)) throw client('Container.name should not be null or empty.');
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) throw client(`Invalid container name '${name}'.`);
  if (!filled(text(input, 'image'))) throw client('Container.image should not be null or empty.');
  if (task.needsMemory && number(input, 'memory') === undefined && number(input, 'memoryReservation') === undefined) {
    throw client(`Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`);
  }
  for (const key of ['environment', 'secrets']) {
    for (const each of records(input, key) ?? []) {
      if (!filled(text(each, 'name'))) throw client(`Container '${name}': ${key} name should not be null or empty.`);
      if (key === 'secrets' && !filled(text(each, 'valueFrom')))
        throw client('The Systems Manager parameter name specified for secret is invalid.');
    }
  }
  for (const key of ['logConfiguration', 'healthCheck', 'linuxParameters', 'firelensConfiguration', 'dockerLabels']) record(input, key);
  const credentials = record(input, 'repositoryCredentials');
  if (credentials && !filled(text(credentials, 'credentialsParameter')))
    throw client('repositoryCredentials.credentialsParameter is invalid.');
  const portMappings = (records(input, 'portMappings') ?? []).map((mapping) => {
    const containerPort = number(mapping, 'containerPort');
    const hostPort = number(mapping, 'hostPort');
    if (task.awsvpc && hostPort !== undefined && hostPort !== containerPort) {
      throw client('When networkMode=awsvpc, the host ports and container ports in port mappings must match.');
    }
    return present({ ...mapping, hostPort: hostPort ?? (task.awsvpc ? containerPort : 0), protocol: text(mapping, 'protocol') ?? 'tcp' });
  });
  return present({
    ...Object.fromEntries(Object.entries(input).map(([key, value]) => [key, value ?? undefined])),
    cpu: number(input, 'cpu') ?? 0,
    essential: flag(input, 'essential') ?? true,
    portMappings,
    environment: records(input, 'environment') ?? [],
    mountPoints: records(input, 'mountPoints') ?? [],
    volumesFrom: records(input, 'volumesFrom') ?? [],
    systemControls: records(input, 'systemControls') ?? [],
  });
};

const describedDefinition = (it: TaskDefinitionRecord): Json => {
  const fargate = texts(it.body, 'requiresCompatibilities')?.includes('FARGATE') ?? false;
  const awsvpc = it.body['networkMode'] === 'awsvpc';
  const attributes = [
    'com.amazonaws.ecs.capability.docker-remote-api.1.18',
    ...(text(it.body, 'executionRoleArn') === undefined
      ? []
      : ['ecs.capability.execution-role-ecr-pull', 'com.amazonaws.ecs.capability.ecr-auth']),
    ...(text(it.body, 'taskRoleArn') === undefined ? [] : ['com.amazonaws.ecs.capability.task-iam-role']),
    ...(awsvpc ? ['ecs.capability.task-eni'] : []),
  ];
  return present({
    ...it.body,
    taskDefinitionArn: it.arn,
    revision: it.revision,
    status: it.status,
    requiresAttributes: attributes.map((name) => ({ name })),
    compatibilities: fargate || awsvpc ? ['EC2', 'FARGATE'] : ['EC2'],
    registeredAt: timestamp(it.registeredAt),
    registeredBy: it.registeredBy,
    deregisteredAt: it.deregisteredAt === undefined ? undefined : timestamp(it.deregisteredAt),
    deleteRequestedAt: it.deleteRequestedAt === undefined ? undefined : timestamp(it.deleteRequestedAt),
  });
};

// --- services -----------------------------------------------------------------------------------------------------------------------

const describedTaskSet = (service: ServiceRecord, it: TaskSetRecord): Json => {
  const steady = it.status !== 'DRAINING' && it.pending === 0 && it.running === it.desired;
  return present({
    id: it.id,
    taskSetArn: ecsArn(service, `task-set/${service.cluster.name}/${service.name}/${it.id}`),
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    startedBy: 'CODE_DEPLOY',
    externalId: it.externalId,
    status: it.status,
    taskDefinition: it.taskDefinition,
    computedDesiredCount: it.desired,
    pendingCount: it.pending,
    runningCount: it.running,
    createdAt: timestamp(it.createdAt),
    updatedAt: timestamp(it.updatedAt),
    launchType: it.launchType,
    capacityProviderStrategy: it.capacityProviderStrategy ?? [],
    platformVersion: it.platformVersion,
    platformFamily: 'Linux',
    networkConfiguration: it.networkConfiguration,
    loadBalancers: it.loadBalancers,
    serviceRegistries: [],
    scale: { value: it.status === 'DRAINING' ? 0 : 100, unit: 'PERCENT' },
    stabilityStatus: steady || it.status === 'DRAINING' ? 'STEADY_STATE' : 'STABILIZING',
    stabilityStatusAt: timestamp(it.updatedAt),
    tags: [],
  });
};

const describedService = (state: EcsState, it: ServiceRecord, now: number): Json => {
  const usesTaskSets = it.controller === 'CODE_DEPLOY' || it.controller === 'EXTERNAL';
  const taskSets = state.taskSetsOf(it, now);
  const rolling = now < it.updatedAt + ROLLOUT && it.updatedAt > it.createdAt;
  const running = usesTaskSets ? taskSets.reduce((sum, each) => sum + each.running, 0) : it.desiredCount;
  const events = [...it.events, ...(it.live?.events ?? [])].toSorted((a, b) => b.at - a.at).slice(0, 100);
  return present({
    serviceArn: it.arn,
    serviceName: it.name,
    clusterArn: it.cluster.arn,
    loadBalancers: it.loadBalancers,
    serviceRegistries: [],
    status: it.status,
    desiredCount: it.desiredCount,
    runningCount: running,
    pendingCount: usesTaskSets ? taskSets.reduce((sum, each) => sum + each.pending, 0) : 0,
    launchType: it.launchType,
    capacityProviderStrategy: it.capacityProviderStrategy,
    platformVersion: it.platformVersion,
    platformFamily: it.launchType === 'EC2' ? undefined : 'Linux',
    taskDefinition: it.taskDefinition,
    deploymentConfiguration: it.deploymentConfiguration,
    taskSets: usesTaskSets ? taskSets.map((each) => describedTaskSet(it, each)) : undefined,
    // A service of CODE_DEPLOY has none: what waits for "servicesStable" there waits for ever.
    deployments: usesTaskSets
      ? []
      : [
          present({
            id: taskSetId(`${it.arn}/${it.updatedAt}`),
            status: 'PRIMARY',
            taskDefinition: it.taskDefinition,
            desiredCount: it.desiredCount,
            pendingCount: 0,
            runningCount: running,
            failedTasks: 0,
            createdAt: timestamp(it.updatedAt),
            updatedAt: timestamp(it.updatedAt),
            launchType: it.launchType,
            platformVersion: it.platformVersion,
            networkConfiguration: it.networkConfiguration,
            rolloutState: rolling ? 'IN_PROGRESS' : 'COMPLETED',
            rolloutStateReason: `ECS deployment ${taskSetId(`${it.arn}/${it.updatedAt}`)} ${rolling ? 'in progress' : 'completed'}.`,
          }),
        ],
    roleArn: `arn:${partitionOf(it.region)}:iam::${it.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS`,
    events: events.map(({ at, message }) => ({ id: eventId(it, at, message), createdAt: timestamp(at), message })),
    createdAt: timestamp(it.createdAt),
    placementConstraints: [],
    placementStrategy: [],
    networkConfiguration: it.networkConfiguration,
    healthCheckGracePeriodSeconds: it.healthCheckGracePeriodSeconds,
    schedulingStrategy: 'REPLICA',
    deploymentController: it.controller === undefined ? undefined : { type: it.controller },
    createdBy: `arn:${partitionOf(it.region)}:iam::${it.account}:role/infrastructure`,
    enableECSManagedTags: true,
    propagateTags: 'NONE',
    enableExecuteCommand: false,
  });
};

const eventId = (service: ServiceRecord, at: number, message: string): string =>
  hex(`${service.arn}/${at}/${message}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** A cluster's name from a name, an ARN or nothing (`default`); an ARN of another account or Region is refused as ECS does. */
const clusterName = (input: Json, scope: Scope): string => {
  const given = text(input, 'cluster') ?? 'default';
  const arn = /^arn:[^:]+:ecs:([^:]+):(\d{12}):cluster\/(.+)$/.exec(given);
  if (!arn) return given;
  if (arn[2] !== scope.account) throw invalid(`Invalid identifier: Identifier is for ${arn[2] ?? ''}. Your accountId is ${scope.account}`);
  if (arn[1] !== scope.region) throw invalid(`Invalid identifier: Identifier is for ${arn[1] ?? ''}. Your region is ${scope.region}`);
  return arn[3] ?? given;
};

/** `name`, `arn:…:service/cluster/name` or the old `arn:…:service/name`; undefined where the ARN is of elsewhere. */
const serviceName = (given: string, scope: Scope, cluster: string): string | undefined => {
  const arn = /^arn:[^:]+:ecs:([^:]+):(\d{12}):service\/(?:([^/]+)\/)?([^/]+)$/.exec(given);
  if (!arn) return given;
  const here = arn[1] === scope.region && arn[2] === scope.account && (arn[3] === undefined || arn[3] === cluster);
  return here ? arn[4] : undefined;
};

// --- tasks --------------------------------------------------------------------------------------------------------------------------

interface TaskView {
  readonly arn: string;
  readonly service: ServiceRecord;
  readonly startedBy: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly launchType: string;
  readonly stopped?: StoppedTask;
  readonly lastStatus: string;
}

const tasksOf = (state: EcsState, service: ServiceRecord, now: number): TaskView[] => {
  const arn = (id: string): string => ecsArn(service, `task/${service.cluster.name}/${id}`);
  const launchType = service.launchType ?? 'FARGATE';
  const sets: readonly Pick<TaskSetRecord, 'id' | 'taskDefinition' | 'createdAt' | 'running' | 'pending'>[] =
    service.controller === 'CODE_DEPLOY' || service.controller === 'EXTERNAL'
      ? state.taskSetsOf(service, now)
      : [
          {
            id: taskSetId(service.arn),
            taskDefinition: service.taskDefinition,
            createdAt: service.updatedAt,
            running: service.desiredCount,
            pending: 0,
          },
        ];
  const current = sets.flatMap((set) =>
    Array.from({ length: set.running + set.pending }, (_, index): TaskView => ({
      arn: arn(taskId(set.id, index)),
      service,
      startedBy: set.id,
      taskDefinition: set.taskDefinition,
      createdAt: set.createdAt,
      launchType,
      lastStatus: index < set.running ? 'RUNNING' : 'PENDING',
    })),
  );
  const stopped = [...service.stoppedTasks, ...(service.live?.stoppedTasks ?? [])]
    .filter(({ stoppedAt }) => stoppedAt <= now && stoppedAt + STOPPED_TASKS_SHOWN > now)
    .map((task): TaskView => ({
      arn: arn(task.id),
      service,
      startedBy: task.taskSetId,
      taskDefinition: task.taskDefinition,
      createdAt: task.createdAt,
      launchType,
      stopped: task,
      lastStatus: 'STOPPED',
    }));
  return [...current, ...stopped];
};

const describedTask = (state: EcsState, it: TaskView): Json => {
  const definition = state.findTaskDefinition(it.service, it.taskDefinition);
  const stop = it.stopped;
  const startedAt = stop ? stop.startedAt : it.lastStatus === 'RUNNING' ? it.createdAt : undefined;
  const containers = (definition ? (records(definition.body, 'containerDefinitions') ?? []) : []).map((each) =>
    present({
      containerArn: ecsArn(it.service, `container/${it.service.cluster.name}/${taskId(it.arn, text(each, 'name') ?? '')}`),
      taskArn: it.arn,
      name: text(each, 'name'),
      image: text(each, 'image'),
      imageDigest: startedAt === undefined ? undefined : /@(sha256:[0-9a-f]{64})$/.exec(text(each, 'image') ?? '')?.[1],
      lastStatus: it.lastStatus,
      exitCode: stop?.stopCode === 'EssentialContainerExited' ? 1 : undefined,
      reason: stop?.containerReason,
      networkInterfaces: [],
      healthStatus: 'UNKNOWN',
    }),
  );
  return present({
    taskArn: it.arn,
    clusterArn: it.service.cluster.arn,
    taskDefinitionArn: it.taskDefinition,
    group: `service:${it.service.name}`,
    startedBy: it.startedBy,
    launchType: it.launchType,
    lastStatus: it.lastStatus,
    desiredStatus: stop ? 'STOPPED' : 'RUNNING',
    createdAt: timestamp(it.createdAt),
    startedAt: startedAt === undefined ? undefined : timestamp(startedAt),
    stoppedAt: stop && timestamp(stop.stoppedAt),
    stopCode: stop?.stopCode,
    stoppedReason: stop?.stoppedReason,
    cpu: definition?.body['cpu'],
    memory: definition?.body['memory'],
    containers,
    attachments: [],
    version: 3,
  });
};

// --- the API ------------------------------------------------------------------------------------------------------------------------

const paged = (all: readonly string[], input: Json): { readonly items: readonly string[]; readonly next?: string } => {
  const size = number(input, 'maxResults') ?? 100;
  if (size < 1 || size > 100) throw invalid('maxResults must be between 1 and 100.');
  return page(all, { token: text(input, 'nextToken'), size });
};

/** What a service of CODE_DEPLOY may not have changed behind CodeDeploy's back, in ECS's words.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html */
const refusedByCodeDeploy = (input: Json): string | undefined => {
  const use = 'on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.';
  if (text(input, 'taskDefinition') !== undefined) return `Unable to update task definition ${use}`;
  if (record(input, 'networkConfiguration')) return `Unable to update network parameters ${use}`;
  if (text(input, 'platformVersion') !== undefined) return `Unable to update platform version ${use}`;
  if (records(input, 'capacityProviderStrategy')) return `Unable to update capacity provider strategy ${use}`;
  if (records(input, 'loadBalancers')) return `Unable to update load balancers ${use}`;
  if (flag(input, 'forceNewDeployment') === true) return `Cannot force a new deployment ${use}`;
  return undefined;
};

/** ECS over AWS JSON 1.1. Every operation first lets those who change services work out what is due by now. */
export const ecsService = (state: EcsState): Service => {
  const clusterOf = (input: Json, call: Call): ClusterRecord => {
    const found = state.findCluster(scopeOf(call), clusterName(input, scopeOf(call)));
    if (found?.status !== 'ACTIVE') throw new AwsFault('ClusterNotFoundException', 'Cluster not found.');
    return found;
  };
  const serviceOf = (input: Json, call: Call): ServiceRecord => {
    const cluster = clusterOf(input, call);
    const name = serviceName(text(input, 'service') ?? '', scopeOf(call), cluster.name);
    const found = name === undefined ? undefined : state.findService(scopeOf(call), cluster.name, name);
    if (!found) throw new AwsFault('ServiceNotFoundException', 'Service not found.');
    return found;
  };
  const definitionOf = (name: string | undefined, call: Call, message: string): TaskDefinitionRecord => {
    const found = name === undefined ? undefined : state.findTaskDefinition(scopeOf(call), name);
    if (!found) throw client(message);
    return found;
  };
  const tagged = (input: Json, call: Call): { tags: Tag[] } => {
    const arn = text(input, 'resourceArn') ?? '';
    const scope = scopeOf(call);
    const found = [...state.services(scope), ...state.clusters(scope), ...state.taskDefinitions(scope)].find((each) => each.arn === arn);
    if (!found) throw invalid('The specified resource is not found.');
    return found;
  };

  const operations: Service['operations'] = {
    DescribeServices(input, call) {
      const cluster = clusterOf(input, call);
      const names = texts(input, 'services') ?? [];
      if (names.length === 0) throw invalid('Services cannot be empty.');
      if (names.length > 10) throw invalid('Services cannot have more than 10 elements.');
      const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
      const services: Json[] = [];
      const failures: Json[] = [];
      for (const given of names) {
        const name = serviceName(given, scopeOf(call), cluster.name);
        const found = name === undefined ? undefined : state.findService(scopeOf(call), cluster.name, name);
        if (!found)
          failures.push({
            arn: given.startsWith('arn:') ? given : ecsArn(scopeOf(call), `service/${cluster.name}/${given}`),
            reason: 'MISSING',
          });
        else services.push({ ...describedService(state, found, call.clock.now()), ...(withTags && { tags: found.tags }) });
      }
      return { services, failures };
    },

    DescribeTaskDefinition(input, call) {
      const found = definitionOf(text(input, 'taskDefinition'), call, 'Unable to describe task definition.');
      const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
      return { taskDefinition: describedDefinition(found), ...(withTags && { tags: found.tags }) };
    },

    RegisterTaskDefinition(input, call) {
      const made = state.taskDefinition(scopeOf(call), input, { arn: call.caller.arn, at: call.clock.now() });
      return { taskDefinition: describedDefinition(made), ...(made.tags.length > 0 && { tags: made.tags }) };
    },

    DeregisterTaskDefinition(input, call) {
      const name = text(input, 'taskDefinition') ?? '';
      if (!/:\d+$/.test(name)) throw client('The specified task definition must have a revision.');
      const found = definitionOf(name, call, 'The specified task definition does not exist.');
      if (found.status === 'INACTIVE')
        throw client('The specified task definition is inactive. You can only deregister active task definitions.');
      found.status = 'INACTIVE';
      found.deregisteredAt = call.clock.now();
      return { taskDefinition: describedDefinition(found) };
    },

    ListTaskDefinitions(input, call) {
      const family = text(input, 'familyPrefix');
      const status = text(input, 'status') ?? 'ACTIVE';
      const arns = state
        .taskDefinitions(scopeOf(call))
        .filter((each) => each.status === status && (family === undefined || each.family === family))
        .toSorted((a, b) => a.family.localeCompare(b.family) || a.revision - b.revision)
        .map(({ arn }) => arn);
      const { items, next } = paged(text(input, 'sort') === 'DESC' ? arns.reverse() : arns, input);
      return present({ taskDefinitionArns: items, nextToken: next });
    },

    DescribeClusters(input, call) {
      const names = texts(input, 'clusters') ?? ['default'];
      if (names.length > 100) throw invalid('Clusters cannot have more than 100 elements.');
      const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
      const clusters: Json[] = [];
      const failures: Json[] = [];
      for (const given of names) {
        const name = clusterName({ cluster: given }, scopeOf(call));
        const found = state.findCluster(scopeOf(call), name);
        if (!found) failures.push({ arn: ecsArn(scopeOf(call), `cluster/${name}`), reason: 'MISSING' });
        else {
          const services = state.services(scopeOf(call)).filter(({ cluster }) => cluster === found);
          const statuses = services.flatMap((each) => tasksOf(state, each, call.clock.now())).map(({ lastStatus }) => lastStatus);
          clusters.push({
            clusterArn: found.arn,
            clusterName: found.name,
            status: found.status,
            registeredContainerInstancesCount: 0,
            runningTasksCount: statuses.filter((each) => each === 'RUNNING').length,
            pendingTasksCount: statuses.filter((each) => each === 'PENDING').length,
            activeServicesCount: services.filter(({ status }) => status === 'ACTIVE').length,
            statistics: [],
            settings: [],
            capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
            defaultCapacityProviderStrategy: [],
            tags: withTags ? found.tags : [],
          });
        }
      }
      return { clusters, failures };
    },

    ListTasks(input, call) {
      const cluster = clusterOf(input, call);
      const given = text(input, 'serviceName');
      const named = given === undefined ? undefined : serviceOf({ cluster: cluster.name, service: given }, call);
      const stopped = text(input, 'desiredStatus') === 'STOPPED';
      const startedBy = text(input, 'startedBy');
      const family = text(input, 'family');
      const arns = (named ? [named] : state.services(scopeOf(call)).filter((each) => each.cluster === cluster))
        .flatMap((each) => tasksOf(state, each, call.clock.now()))
        .filter((task) => (task.stopped !== undefined) === stopped)
        .filter((task) => startedBy === undefined || task.startedBy === startedBy)
        .filter((task) => family === undefined || task.taskDefinition.includes(`:task-definition/${family}:`))
        .map(({ arn }) => arn);
      const { items, next } = paged(arns, input);
      return present({ taskArns: items, nextToken: next });
    },

    DescribeTasks(input, call) {
      const cluster = clusterOf(input, call);
      const names = texts(input, 'tasks') ?? [];
      if (names.length === 0) throw invalid('Tasks cannot be empty.');
      if (names.length > 100) throw invalid('Tasks cannot have more than 100 elements.');
      const known = state
        .services(scopeOf(call))
        .filter((each) => each.cluster === cluster)
        .flatMap((each) => tasksOf(state, each, call.clock.now()));
      const tasks: Json[] = [];
      const failures: Json[] = [];
      for (const given of names) {
        const arn = given.startsWith('arn:') ? given : ecsArn(scopeOf(call), `task/${cluster.name}/${given}`);
        const found = known.find((each) => each.arn === arn);
        if (found) tasks.push(describedTask(state, found));
        else failures.push({ arn, reason: 'MISSING' });
      }
      return { tasks, failures };
    },

    UpdateService(input, call) {
      const service = serviceOf(input, call);
      if (service.status !== 'ACTIVE') throw new AwsFault('ServiceNotActiveException', 'Service was not ACTIVE.');
      if (service.controller === 'CODE_DEPLOY') {
        const refusal = refusedByCodeDeploy(input);
        if (refusal !== undefined) throw invalid(refusal);
      }
      const name = text(input, 'taskDefinition');
      const definition = name === undefined ? undefined : definitionOf(name, call, 'TaskDefinition not found.');
      if (definition && definition.status !== 'ACTIVE') throw client('TaskDefinition is inactive');
      if (definition) service.taskDefinition = definition.arn;
      service.networkConfiguration = record(input, 'networkConfiguration') ?? service.networkConfiguration;
      service.platformVersion = text(input, 'platformVersion') ?? service.platformVersion;
      service.capacityProviderStrategy = records(input, 'capacityProviderStrategy') ?? service.capacityProviderStrategy;
      service.desiredCount = number(input, 'desiredCount') ?? service.desiredCount;
      service.healthCheckGracePeriodSeconds = number(input, 'healthCheckGracePeriodSeconds') ?? service.healthCheckGracePeriodSeconds;
      service.deploymentConfiguration = { ...service.deploymentConfiguration, ...record(input, 'deploymentConfiguration') };
      service.taskSets = service.taskSets.map((set) =>
        set.status === 'PRIMARY' ? { ...set, desired: service.desiredCount, running: service.desiredCount } : set,
      );
      if (definition || flag(input, 'forceNewDeployment') === true) service.updatedAt = call.clock.now();
      return { service: describedService(state, service, call.clock.now()) };
    },

    TagResource(input, call) {
      const resource = tagged(input, call);
      const added = tagsOf(input) ?? [];
      resource.tags = [...resource.tags.filter(({ key }) => !added.some((tag) => tag.key === key)), ...added];
      if (resource.tags.length > 50) throw invalid('Tags cannot have more than 50 elements.');
      return {};
    },

    ListTagsForResource: (input, call) => ({ tags: tagged(input, call).tags }),
  };

  return {
    target: 'AmazonEC2ContainerServiceV20141113',
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
