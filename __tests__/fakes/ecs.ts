import type { JsonObject } from '../../src/domain/json.ts';
import type { LiveService, StoppedTask } from '../../src/domain/live-service.ts';
import type { Ecs, RegisteredTaskDefinition, ServiceAnswer, Tag } from '../../src/ports/ecs.ts';

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

export const someService: LiveService = {
  name: 'web',
  arn: arn('service/dev/web'),
  clusterArn: arn('cluster/dev'),
  status: 'ACTIVE',
  controller: 'CODE_DEPLOY',
  strategy: undefined,
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

/** One service and its task definition; every call goes to the journal. */
export class FakeEcs implements Ecs {
  answer: ServiceAnswer = { found: 'service', service: someService };
  definition: JsonObject = someDefinition;
  /** Others than that, by `family:revision`. */
  readonly definitions = new Map<string, JsonObject>();
  tags: readonly Tag[] = [];
  stopped: readonly StoppedTask[] = [];
  readonly registered: JsonObject[] = [];
  /** Thrown by the operation of this name. */
  readonly failures = new Map<string, Error>();
  readonly journal: string[];

  constructor(journal: string[] = []) {
    this.journal = journal;
  }

  describeService = async (): Promise<ServiceAnswer> => {
    this.#called('DescribeServices');
    return this.answer;
  };

  describeTaskDefinition = async (name: string): Promise<RegisteredTaskDefinition> => {
    const short = name.slice(name.lastIndexOf('/') + 1);
    this.#called('DescribeTaskDefinition', short);
    return { arn: name, definition: this.definitions.get(short) ?? this.definition, tags: this.tags };
  };

  registerTaskDefinition = async (definition: JsonObject): Promise<RegisteredTaskDefinition> => {
    this.#called('RegisterTaskDefinition');
    this.registered.push(definition);
    return { arn: arn(`task-definition/web:${42 + this.registered.length}`), definition, tags: [] };
  };

  stoppedTasks = async (): Promise<readonly StoppedTask[]> => {
    this.#called('ListTasks');
    return this.stopped;
  };

  #called(operation: string, of?: string): void {
    this.journal.push(of === undefined ? `ecs:${operation}` : `ecs:${operation} ${of}`);
    const failure = this.failures.get(operation);
    if (failure) throw failure;
  }
}
