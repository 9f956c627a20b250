/** Amazon ECS, as far as a deployment asks it. */
import { isObject, textOf, type JsonObject } from '../domain/json.ts';
import {
  shortName,
  type CapacityProvider,
  type ContainerTarget,
  type Launch,
  type LiveService,
  type Network,
  type StoppedTask,
  type TaskSet,
} from '../domain/live-service.ts';
import { asker, awsCode, clientSettings, emptyAnswer, lazy, type Asked, type AwsAccess } from './aws.ts';
import { sendWhole, wholeAnswer } from './whole-json.ts';
import type * as Sdk from '@aws-sdk/client-ecs';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface RegisteredTaskDefinition {
  /** With its revision: `arn:…:task-definition/web:42`. */
  readonly arn: string;
  /** As ECS describes it: its read-only fields among them, and members that the SDK does not know yet. */
  readonly definition: JsonObject;
  readonly tags: readonly Tag[];
}

export type ServiceAnswer =
  { readonly found: 'service'; readonly service: LiveService } | { readonly found: 'nothing'; readonly missing: 'cluster' | 'service' };

export interface Ecs {
  /** A service with its PRIMARY task set and its events (DescribeServices). */
  describeService(of: { cluster: string; service: string }): Promise<ServiceAnswer>;
  /** A task definition with its tags; `name` is an ARN, `family:revision` or `family` (DescribeTaskDefinition). */
  describeTaskDefinition(name: string): Promise<RegisteredTaskDefinition>;
  /** Registers a revision; needs ecs:TagResource where it has tags, and iam:PassRole on its roles. */
  registerTaskDefinition(definition: JsonObject): Promise<RegisteredTaskDefinition>;
  /** The tasks of a service that stopped within the last hour, newest first, ten at most (ListTasks, DescribeTasks). */
  stoppedTasks(of: { cluster: string; service: string }): Promise<readonly StoppedTask[]>;
}

export function awsEcs(access: AwsAccess): Ecs {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-ecs'));
  const client = lazy(async () => new (await sdk()).ECSClient(clientSettings(access)));
  return {
    describeService: async ({ cluster, service }) => {
      const { DescribeServicesCommand } = await sdk();
      const asked = { service: 'ecs', operation: 'DescribeServices', of: `service ${service} of cluster ${cluster}` };
      try {
        const reply = await ask(asked, async () => (await client()).send(new DescribeServicesCommand({ cluster, services: [service] })));
        const [found] = reply.services ?? [];
        return found ? { found: 'service', service: liveService(found) } : { found: 'nothing', missing: 'service' };
      } catch (error) {
        if (awsCode(error) === 'ClusterNotFoundException') return { found: 'nothing', missing: 'cluster' };
        throw error;
      }
    },

    describeTaskDefinition: async (name) => {
      const { DescribeTaskDefinitionCommand } = await sdk();
      const asked = { service: 'ecs', operation: 'DescribeTaskDefinition', of: `task definition ${name}` };
      const request = new DescribeTaskDefinitionCommand({ taskDefinition: name, include: ['TAGS'] });
      const whole = wholeAnswer(request);
      const { tags } = await ask(asked, async () => (await client()).send(request));
      return registered({ asked, answer: whole(), tags });
    },

    registerTaskDefinition: async (definition) => {
      const { RegisterTaskDefinitionCommand } = await sdk();
      const asked = {
        service: 'ecs',
        operation: 'RegisterTaskDefinition',
        of: `family ${textOf(definition['family'])}`,
        alsoCheck: 'iam:PassRole on its task and execution roles (and ecs:TagResource where it has tags)',
      };
      const request = new RegisterTaskDefinitionCommand(definition as unknown as Sdk.RegisterTaskDefinitionCommandInput);
      sendWhole(request, definition);
      const whole = wholeAnswer(request);
      const { tags } = await ask(asked, async () => (await client()).send(request));
      return registered({ asked, answer: whole(), tags });
    },

    stoppedTasks: async ({ cluster, service }) => {
      const { ListTasksCommand, DescribeTasksCommand } = await sdk();
      const of = `service ${service} of cluster ${cluster}`;
      const list = new ListTasksCommand({ cluster, serviceName: service, desiredStatus: 'STOPPED', maxResults: 100 });
      const { taskArns = [] } = await ask({ service: 'ecs', operation: 'ListTasks', of }, async () => (await client()).send(list));
      if (taskArns.length === 0) return [];
      const describe = new DescribeTasksCommand({ cluster, tasks: taskArns });
      const { tasks = [] } = await ask({ service: 'ecs', operation: 'DescribeTasks', of }, async () => (await client()).send(describe));
      return tasks
        .map(stoppedTask)
        .sort((one, other) => (other.stoppedAt ?? 0) - (one.stoppedAt ?? 0))
        .slice(0, 10);
    },
  };
}

function registered({
  asked: { service, operation },
  answer: { taskDefinition },
  tags = [],
}: {
  asked: Asked;
  answer: JsonObject;
  tags: Sdk.Tag[] | undefined;
}): RegisteredTaskDefinition {
  const definition = isObject(taskDefinition) ? taskDefinition : {};
  const arn = definition['taskDefinitionArn'];
  if (typeof arn !== 'string') throw emptyAnswer({ service, operation }, 'a task definition');
  return { arn, definition, tags: tags.flatMap(({ key, value = '' }) => (key === undefined ? [] : [{ key, value }])) };
}

function liveService(service: Sdk.Service): LiveService {
  const primary = service.taskSets?.find(({ status }) => status === 'PRIMARY');
  return {
    ...launch(service),
    name: service.serviceName ?? '',
    arn: service.serviceArn ?? '',
    clusterArn: service.clusterArn ?? '',
    status: service.status ?? '',
    controller: service.deploymentController?.type ?? 'ECS',
    strategy: service.deploymentConfiguration?.strategy,
    desiredCount: service.desiredCount ?? 0,
    primary: primary && taskSet(primary),
    events: (service.events ?? []).map(({ createdAt, message = '' }) => ({ at: createdAt?.getTime() ?? 0, message })),
  };
}

function taskSet(set: Sdk.TaskSet): TaskSet {
  return { ...launch(set), id: set.id ?? '' };
}

function launch(from: Sdk.Service | Sdk.TaskSet): Launch {
  return {
    taskDefinition: from.taskDefinition ?? '',
    loadBalancers: (from.loadBalancers ?? []).flatMap(containerTarget),
    launchType: from.launchType,
    platformVersion: from.platformVersion,
    network: network(from.networkConfiguration),
    capacityProviders: (from.capacityProviderStrategy ?? []).flatMap(capacityProvider),
  };
}

function containerTarget({ containerName, containerPort }: Sdk.LoadBalancer): ContainerTarget[] {
  return containerName === undefined || containerPort === undefined ? [] : [{ containerName, containerPort }];
}

function network(configuration: Sdk.NetworkConfiguration | undefined): Network | undefined {
  const vpc = configuration?.awsvpcConfiguration;
  return vpc && { subnets: vpc.subnets ?? [], securityGroups: vpc.securityGroups ?? [], assignPublicIp: vpc.assignPublicIp };
}

function capacityProvider({ capacityProvider, base, weight }: Sdk.CapacityProviderStrategyItem): CapacityProvider[] {
  return capacityProvider === undefined ? [] : [{ provider: capacityProvider, base, weight }];
}

function stoppedTask(task: Sdk.Task): StoppedTask {
  return {
    id: shortName(task.taskArn ?? ''),
    taskDefinition: shortName(task.taskDefinitionArn ?? ''),
    stoppedAt: task.stoppedAt?.getTime(),
    stopCode: task.stopCode,
    reason: task.stoppedReason,
    containers: (task.containers ?? []).map(({ name = '', reason, exitCode }) => ({ name, reason, exitCode })),
  };
}
