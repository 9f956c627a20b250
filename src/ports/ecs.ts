/** Amazon ECS, as far as a deployment asks it. */
import { isObject, textOf, type JsonObject } from '../domain/json.ts';
import {
  shortName,
  type CapacityProvider,
  type ContainerTarget,
  type Launch,
  type LiveService,
  type Network,
  type OwnDeployments,
  type StoppedTask,
  type TaskSet,
} from '../domain/live-service.ts';
import { activeServiceStatuses, type LifecycleHook, type RevisionTasks, type ServiceDeployment } from '../domain/service-deployment.ts';
import type { Tag } from '../domain/task-definition.ts';
import { AwsError, toError } from '../errors.ts';
import { asker, awsCode, clientSettings, emptyAnswer, isPassing, lazy, type Asked, type AwsAccess } from './aws.ts';
import { sendWhole, wholeAnswer } from './whole-json.ts';
import type * as Sdk from '@aws-sdk/client-ecs';

export interface RegisteredTaskDefinition {
  /** With its revision: `arn:…:task-definition/web:42`. */
  readonly arn: string;
  /** As ECS describes it: its read-only fields among them, and members that the SDK does not know yet. */
  readonly definition: JsonObject;
  readonly tags: readonly Tag[];
}

export type ServiceAnswer =
  { readonly found: 'service'; readonly service: LiveService } | { readonly found: 'nothing'; readonly missing: 'cluster' | 'service' };

/** A service deployment as a list tells it. */
export interface ListedDeployment {
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The service revision that it deploys. */
  readonly revision: string;
}

export interface ServiceRevision {
  readonly arn: string;
  readonly taskDefinition: string;
}

/** `unknown`: no answer, or one that does not say whether the service was updated (RULES 5.1). */
export type UpdateAnswer = { readonly answer: 'updated' } | { readonly answer: 'unknown'; readonly error: Error };

export interface Ecs {
  /** A service with its PRIMARY task set and its events (DescribeServices). */
  describeService(of: { cluster: string; service: string }): Promise<ServiceAnswer>;
  /** A task definition with its tags; `name` is an ARN, `family:revision` or `family` (DescribeTaskDefinition). */
  describeTaskDefinition(name: string): Promise<RegisteredTaskDefinition>;
  /** Registers a revision; needs ecs:TagResource where it has tags, and iam:PassRole on its roles. */
  registerTaskDefinition(definition: JsonObject): Promise<RegisteredTaskDefinition>;
  /** The tasks of a service that stopped within the last hour, newest first, ten at most (ListTasks, DescribeTasks). */
  stoppedTasks(of: { cluster: string; service: string }): Promise<readonly StoppedTask[]>;
  /** The service's deployments that have not ended (ListServiceDeployments). */
  activeDeployments(of: { cluster: string; service: string }): Promise<readonly ListedDeployment[]>;
  /** Its newest deployments, twenty at most, whatever became of them; newest first (ListServiceDeployments). */
  newestDeployments(of: { cluster: string; service: string }): Promise<readonly ListedDeployment[]>;
  serviceDeployment(arn: string): Promise<ServiceDeployment>;
  /** Service revisions, twenty at most; those that ECS has no more are left out (DescribeServiceRevisions). */
  serviceRevisions(arns: readonly string[]): Promise<readonly ServiceRevision[]>;
  /**
   * Gives a service another task definition, and changes nothing else of it: sent once, since the call has no idempotency token.
   * @throws AwsError where ECS refused it: nothing was changed
   */
  updateService(of: { cluster: string; service: string; taskDefinition: string }): Promise<UpdateAnswer>;
  /** Stops a service deployment with a rollback, the only way that ECS has (StopServiceDeployment). */
  stopServiceDeployment(arn: string): Promise<void>;
  /** Lets a service deployment go on that a pause hook holds (ContinueServiceDeployment): sent once. */
  continueServiceDeployment(of: { arn: string; hook: string }): Promise<void>;
}

export function awsEcs(access: AwsAccess): Ecs {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-ecs'));
  const client = lazy(async () => new (await sdk()).ECSClient(clientSettings(access)));
  const once = lazy(async () => new (await sdk()).ECSClient(clientSettings(access, { attempts: 1 })));

  const list = async (input: Sdk.ListServiceDeploymentsCommandInput): Promise<Sdk.ListServiceDeploymentsCommandOutput> => {
    const { ListServiceDeploymentsCommand } = await sdk();
    const asked = about('ListServiceDeployments', `service ${input.service ?? ''} of cluster ${input.cluster ?? ''}`);
    return ask(asked, async () => (await client()).send(new ListServiceDeploymentsCommand(input)));
  };

  return {
    describeService: async ({ cluster, service }) => {
      const { DescribeServicesCommand } = await sdk();
      const asked = about('DescribeServices', `service ${service} of cluster ${cluster}`);
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
      const asked = about('DescribeTaskDefinition', `task definition ${name}`);
      const request = new DescribeTaskDefinitionCommand({ taskDefinition: name, include: ['TAGS'] });
      const whole = wholeAnswer(request);
      const { tags } = await ask(asked, async () => (await client()).send(request));
      return registered({ asked, answer: whole(), tags });
    },

    registerTaskDefinition: async (definition) => {
      const { RegisterTaskDefinitionCommand } = await sdk();
      const asked = {
        ...about('RegisterTaskDefinition', `family ${textOf(definition['family'])}`),
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
      const { taskArns = [] } = await ask(about('ListTasks', of), async () => (await client()).send(list));
      if (taskArns.length === 0) return [];
      const describe = new DescribeTasksCommand({ cluster, tasks: taskArns });
      const { tasks = [] } = await ask(about('DescribeTasks', of), async () => (await client()).send(describe));
      return tasks
        .map(stoppedTask)
        .sort((one, other) => (other.stoppedAt ?? 0) - (one.stoppedAt ?? 0))
        .slice(0, 10);
    },

    activeDeployments: async (of) => {
      const page = async (nextToken?: string): Promise<ListedDeployment[]> => {
        const reply = await list({ ...of, status: [...activeServiceStatuses], nextToken });
        const found = (reply.serviceDeployments ?? []).map(listedDeployment);
        return [...found, ...(reply.nextToken === undefined ? [] : await page(reply.nextToken))];
      };
      return newestFirst(await page());
    },

    newestDeployments: async (of) => {
      // One page: that it holds the newest was measured by others, and is not documented.
      const { serviceDeployments = [] } = await list({ ...of, maxResults: 20 });
      return newestFirst(serviceDeployments.map(listedDeployment));
    },

    serviceDeployment: async (arn) => {
      const { DescribeServiceDeploymentsCommand } = await sdk();
      const asked = about('DescribeServiceDeployments', `service deployment ${shortName(arn)}`);
      const request = new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] });
      const { serviceDeployments = [], failures = [] } = await ask(asked, async () => (await client()).send(request));
      const [found] = serviceDeployments;
      if (found) return serviceDeployment(found, arn);
      const reason = failures[0]?.reason ?? 'MISSING';
      throw new AwsError(`ecs:DescribeServiceDeployments for ${asked.of} failed: ${reason}`, { ...asked, code: reason });
    },

    serviceRevisions: async (arns) => {
      if (arns.length === 0) return [];
      const { DescribeServiceRevisionsCommand } = await sdk();
      const asked = about('DescribeServiceRevisions', arns.map(shortName).join(', '));
      const request = new DescribeServiceRevisionsCommand({ serviceRevisionArns: [...arns] });
      const { serviceRevisions = [] } = await ask(asked, async () => (await client()).send(request));
      return serviceRevisions.map(({ serviceRevisionArn = '', taskDefinition = '' }) => ({ arn: serviceRevisionArn, taskDefinition }));
    },

    updateService: async ({ cluster, service, taskDefinition }) => {
      const { UpdateServiceCommand } = await sdk();
      const request = new UpdateServiceCommand({ cluster, service, taskDefinition });
      try {
        await ask(about('UpdateService', `service ${service} of cluster ${cluster}`), async () => (await once()).send(request));
        return { answer: 'updated' };
      } catch (error) {
        if (isPassing(error)) return { answer: 'unknown', error: toError(error) };
        throw error;
      }
    },

    stopServiceDeployment: async (arn) => {
      const { StopServiceDeploymentCommand } = await sdk();
      const request = new StopServiceDeploymentCommand({ serviceDeploymentArn: arn, stopType: 'ROLLBACK' });
      const asked = about('StopServiceDeployment', `service deployment ${shortName(arn)}`);
      await ask(asked, async () => (await client()).send(request));
    },

    continueServiceDeployment: async ({ arn, hook }) => {
      const { ContinueServiceDeploymentCommand } = await sdk();
      const request = new ContinueServiceDeploymentCommand({ serviceDeploymentArn: arn, hookId: hook, action: 'CONTINUE' });
      const asked = about('ContinueServiceDeployment', `service deployment ${shortName(arn)}`);
      await ask(asked, async () => (await once()).send(request));
    },
  };
}

function about(operation: string, of: string): Asked & { readonly of: string } {
  return { service: 'ecs', operation, of };
}

function listedDeployment(listed: Sdk.ServiceDeploymentBrief): ListedDeployment {
  const { serviceDeploymentArn = '', createdAt, targetServiceRevisionArn = '' } = listed;
  return { arn: serviceDeploymentArn, createdAt: createdAt?.getTime() ?? 0, revision: targetServiceRevisionArn };
}

function newestFirst(listed: readonly ListedDeployment[]): readonly ListedDeployment[] {
  return listed.toSorted((one, other) => other.createdAt - one.createdAt);
}

function serviceDeployment(given: Sdk.ServiceDeployment, arn: string): ServiceDeployment {
  const { deploymentCircuitBreaker: breaker, rollback } = given;
  return {
    arn: given.serviceDeploymentArn ?? arn,
    status: given.status ?? '',
    reason: given.statusReason,
    stage: given.lifecycleStage,
    createdAt: given.createdAt?.getTime(),
    updatedAt: given.updatedAt?.getTime(),
    endedAt: (given.finishedAt ?? given.stoppedAt)?.getTime(),
    target: given.targetServiceRevision && revisionTasks(given.targetServiceRevision),
    sources: (given.sourceServiceRevisions ?? []).map(revisionTasks),
    hooks: (given.lifecycleHookDetails ?? []).map(lifecycleHook),
    rollback: rollback && { reason: rollback.reason },
    circuitBreaker: breaker && { status: breaker.status ?? '', failures: breaker.failureCount ?? 0, threshold: breaker.threshold ?? 0 },
    bakeMinutes: given.deploymentConfiguration?.bakeTimeInMinutes,
    alarms: given.alarms?.triggeredAlarmNames ?? [],
  };
}

function revisionTasks(summary: Sdk.ServiceRevisionSummary): RevisionTasks {
  return {
    arn: summary.arn ?? '',
    requested: summary.requestedTaskCount ?? 0,
    pending: summary.pendingTaskCount ?? 0,
    running: summary.runningTaskCount ?? 0,
    traffic: summary.requestedProductionTrafficWeight,
    testTraffic: summary.requestedTestTrafficWeight,
  };
}

function lifecycleHook(detail: Sdk.DeploymentLifecycleHookDetail): LifecycleHook {
  return {
    id: detail.hookId ?? '',
    kind: detail.targetType ?? 'AWS_LAMBDA',
    target: detail.targetArn,
    status: detail.status ?? '',
    expiresAt: detail.expiresAt?.getTime(),
    onTimeout: detail.timeoutAction,
  };
}

/** With the defaults of https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html */
function ownDeployments({ deploymentConfiguration: given = {}, loadBalancers = [] }: Sdk.Service): OwnDeployments {
  const { strategy, canaryConfiguration: canary, linearConfiguration: linear, lifecycleHooks = [] } = given;
  const listeners = loadBalancers.map(({ advancedConfiguration }) => advancedConfiguration?.productionListenerRule ?? '');
  return {
    strategy,
    routing:
      strategy === 'CANARY'
        ? { kind: 'canary', percentage: canary?.canaryPercent ?? 5, minutes: canary?.canaryBakeTimeInMinutes ?? 10 }
        : strategy === 'LINEAR'
          ? { kind: 'linear', percentage: linear?.stepPercent ?? 10, minutes: linear?.stepBakeTimeInMinutes ?? 6 }
          : { kind: 'all-at-once' },
    bakeMinutes: given.bakeTimeInMinutes ?? 0,
    pauses: lifecycleHooks
      .filter(({ targetType }) => targetType === 'PAUSE')
      .flatMap(({ lifecycleStages = [], timeoutConfiguration }) =>
        lifecycleStages.map((stage) => ({ stage, minutes: timeoutConfiguration?.timeoutInMinutes ?? 1440 })),
      ),
    networkLoadBalancer: listeners.some((arn) => arn.includes(':listener/net/')),
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
    own: ownDeployments(service),
    revisions: (service.currentServiceRevisions ?? []).flatMap(({ arn }) => (arn === undefined ? [] : [arn])),
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
