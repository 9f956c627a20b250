import type { JsonObject } from '../../src/domain/json.ts';
import { shortName, type LiveService, type OwnDeployments, type StoppedTask } from '../../src/domain/live-service.ts';
import { activeServiceStatuses, serviceDeploymentId, type ServiceDeployment } from '../../src/domain/service-deployment.ts';
import type { Tag } from '../../src/domain/task-definition.ts';
import type { Ecs, ListedDeployment, RegisteredTaskDefinition, ServiceAnswer, ServiceRevision, UpdateAnswer } from '../../src/ports/ecs.ts';
import { FakeClock } from './clock.ts';

const arn = (rest: string): string => `arn:aws:ecs:eu-west-1:222222222222:${rest}`;

export const someDefinition: JsonObject = {
  taskDefinitionArn: arn('task-definition/web:42'),
  family: 'web',
  revision: 42,
  status: 'ACTIVE',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  containerDefinitions: [
    {
      name: 'web',
      image: `111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:${'0'.repeat(64)}`,
      essential: true,
      portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }],
      environment: [{ name: 'STAGE', value: 'dev' }],
    },
  ],
};

const rolling: OwnDeployments = {
  strategy: undefined,
  routing: { kind: 'all-at-once' },
  bakeMinutes: 0,
  pauses: [],
  networkLoadBalancer: false,
};

export const someService: LiveService = {
  name: 'web',
  arn: arn('service/dev/web'),
  clusterArn: arn('cluster/dev'),
  status: 'ACTIVE',
  controller: 'CODE_DEPLOY',
  own: rolling,
  revisions: [],
  desiredCount: 2,
  taskDefinition: arn('task-definition/web:1'),
  loadBalancers: [{ containerName: 'web', containerPort: 80 }],
  launchType: 'FARGATE',
  platformVersion: 'LATEST',
  network: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
  capacityProviders: [],
  primary: {
    id: 'ecs-svc/1',
    taskDefinition: arn('task-definition/web:42'),
    loadBalancers: [{ containerName: 'web', containerPort: 80 }],
    launchType: 'FARGATE',
    platformVersion: 'LATEST',
    network: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
    capacityProviders: [],
  },
  events: [],
};

/** The same service where ECS itself deploys it. */
export const ownService: LiveService = {
  ...someService,
  controller: 'ECS',
  own: { ...rolling, strategy: 'BLUE_GREEN', bakeMinutes: 5 },
  revisions: [arn('service-revision/dev/web/42')],
  taskDefinition: arn('task-definition/web:42'),
  primary: undefined,
};

export const someServiceDeployment: ServiceDeployment = {
  arn: arn('service-deployment/dev/web/One'),
  status: 'IN_PROGRESS',
  reason: undefined,
  stage: undefined,
  createdAt: undefined,
  updatedAt: undefined,
  endedAt: undefined,
  target: undefined,
  sources: [],
  hooks: [],
  rollback: undefined,
  circuitBreaker: undefined,
  bakeMinutes: 5,
  alarms: [],
};

/** Tasks of the service revision of this number, which has the task definition of the same number. */
export function tasksOf(revision: number, given: { running?: number; traffic?: number } = {}) {
  const { running = 2, traffic } = given;
  return { arn: arn(`service-revision/dev/web/${revision}`), requested: 2, pending: 2 - running, running, traffic, testTraffic: undefined };
}

/** What a service deployment is from so many seconds after its creation on. */
export interface OwnMoment extends Partial<ServiceDeployment> {
  readonly after: number;
}

/** One service and its task definition, and the deployments that ECS itself makes of it; every call goes to the journal. */
export class FakeEcs implements Ecs {
  answer: ServiceAnswer = { found: 'service', service: someService };
  definition: JsonObject = someDefinition;
  /** Others than that, by `family:revision`. */
  readonly definitions = new Map<string, JsonObject>();
  tags: readonly Tag[] = [];
  /** Those of one task definition, by its name. */
  readonly tagsOf = new Map<string, readonly Tag[]>();
  stopped: readonly StoppedTask[] = [];
  readonly registered: JsonObject[] = [];
  /** What UpdateService answers, in order; then each makes a deployment. `made but lost`: it is made, and no answer comes. */
  readonly updates: (UpdateAnswer | Error | 'made but lost')[] = [];
  /** The life of the deployments that are made here. */
  life: readonly OwnMoment[] = [{ after: 0, status: 'SUCCESSFUL' }];
  /** What a deployment is once it was continued. */
  continued: Partial<ServiceDeployment> = { status: 'SUCCESSFUL' };
  /** How long ListServiceDeployments does not show a deployment yet, in seconds. */
  lag = 0;
  /** Thrown by the operation of this name: always, or so many times. */
  readonly failures = new Map<string, Error | Error[]>();
  readonly journal: string[];
  readonly #clock: FakeClock;
  readonly #deployments: { readonly at: number; readonly base: ServiceDeployment; moments: readonly OwnMoment[] }[] = [];

  constructor(journal: string[] = [], clock: FakeClock = new FakeClock()) {
    this.journal = journal;
    this.#clock = clock;
  }

  /** A service deployment that is there, from now on. */
  add(base: Partial<ServiceDeployment>, moments: readonly OwnMoment[] = []): void {
    const at = this.#clock.now();
    this.#deployments.push({ at, base: { ...someServiceDeployment, createdAt: at, ...base }, moments });
  }

  /** From now on the deployment is this. */
  become(id: string, moment: Partial<ServiceDeployment>): void {
    const known = this.#deployments.find(({ base }) => base.arn.endsWith(id));
    if (!known) throw new Error(`there is no service deployment ${id}`);
    known.moments = [...known.moments, { after: (this.#clock.now() - known.at) / 1_000, ...moment }];
  }

  describeService = async (): Promise<ServiceAnswer> => {
    this.#called('DescribeServices');
    return this.answer;
  };

  describeTaskDefinition = async (name: string): Promise<RegisteredTaskDefinition> => {
    const short = shortName(name);
    this.#called('DescribeTaskDefinition', short);
    return { arn: name, definition: this.definitions.get(short) ?? this.definition, tags: this.tagsOf.get(short) ?? this.tags };
  };

  registerTaskDefinition = async (definition: JsonObject): Promise<RegisteredTaskDefinition> => {
    this.#called('RegisterTaskDefinition');
    this.registered.push(definition);
    const name = `web:${42 + this.registered.length}`;
    this.tagsOf.set(name, (definition['tags'] ?? []) as unknown as readonly Tag[]);
    return { arn: arn(`task-definition/${name}`), definition, tags: [] };
  };

  stoppedTasks = async (): Promise<readonly StoppedTask[]> => {
    this.#called('ListTasks');
    return this.stopped;
  };

  activeDeployments = async (): Promise<readonly ListedDeployment[]> => {
    this.#called('ListServiceDeployments', 'active');
    return this.#listed().filter(({ arn }) => activeServiceStatuses.some((status) => status === this.#now(arn).status));
  };

  newestDeployments = async (): Promise<readonly ListedDeployment[]> => {
    this.#called('ListServiceDeployments');
    return this.#listed();
  };

  serviceDeployment = async (arn: string): Promise<ServiceDeployment> => {
    this.#called('DescribeServiceDeployments', serviceDeploymentId(arn));
    return this.#now(arn);
  };

  serviceRevisions = async (arns: readonly string[]): Promise<readonly ServiceRevision[]> => {
    this.#called('DescribeServiceRevisions', arns.map(shortName).join(','));
    return arns.map((each) => ({ arn: each, taskDefinition: arn(`task-definition/web:${shortName(each)}`) }));
  };

  updateService = async ({ taskDefinition }: { taskDefinition: string }): Promise<UpdateAnswer> => {
    this.#called('UpdateService', shortName(taskDefinition));
    const answer = this.updates.shift();
    if (answer instanceof Error) throw answer;
    if (answer !== undefined && answer !== 'made but lost') return answer;
    const revision = Number(taskDefinition.split(':').at(-1));
    const id = `service-deployment/dev/web/New${revision}`;
    // The same task definition again begins no other deployment.
    if (!this.#deployments.some(({ base }) => base.arn === arn(id)))
      this.add(
        { arn: arn(id), target: { ...tasksOf(revision, { running: 0 }), requested: 0, pending: 0 }, sources: [tasksOf(42)] },
        this.life,
      );
    return answer === undefined ? { answer: 'updated' } : { answer: 'unknown', error: new Error('socket hang up') };
  };

  stopServiceDeployment = async (arn: string): Promise<void> => {
    this.#called('StopServiceDeployment', serviceDeploymentId(arn));
    this.become(serviceDeploymentId(arn), { status: 'ROLLBACK_SUCCESSFUL', rollback: { reason: 'somebody asked for it' } });
  };

  continueServiceDeployment = async ({ arn, hook }: { arn: string; hook: string }): Promise<void> => {
    this.#called('ContinueServiceDeployment', `${serviceDeploymentId(arn)} ${hook}`);
    this.become(serviceDeploymentId(arn), { hooks: [], ...this.continued });
  };

  #listed(): readonly ListedDeployment[] {
    return this.#deployments
      .filter(({ at }) => this.#clock.now() >= at + this.lag * 1_000)
      .map(({ base }) => ({ arn: base.arn, createdAt: base.createdAt ?? 0, revision: base.target?.arn ?? '' }))
      .reverse();
  }

  #now(arn: string): ServiceDeployment {
    const known = this.#deployments.find(({ base }) => base.arn === arn);
    if (!known) throw new Error(`there is no service deployment ${arn}`);
    const seconds = (this.#clock.now() - known.at) / 1_000;
    const { after = 0, ...facts } = known.moments.findLast((moment) => moment.after <= seconds) ?? {};
    return { ...known.base, updatedAt: known.at + after * 1_000, ...facts };
  }

  #called(operation: string, of?: string): void {
    this.journal.push(of === undefined ? `ecs:${operation}` : `ecs:${operation} ${of}`);
    const failure = this.failures.get(operation);
    const thrown = Array.isArray(failure) ? failure.shift() : failure;
    if (thrown) throw thrown;
  }
}
