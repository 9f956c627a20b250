import {
  BatchGetDeploymentsCommand,
  CodeDeployClient,
  CreateDeploymentCommand,
  GetDeploymentCommand,
  GetDeploymentTargetCommand,
} from '@aws-sdk/client-codedeploy';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { EmulatorClock } from '../../emulator/clock.ts';
import { CodeDeployState, codedeployService } from '../../emulator/codedeploy.ts';
import type { CodeDeployOptions, GroupSeed } from '../../emulator/codedeploy.ts';
import { EcsState, ecsService } from '../../emulator/ecs.ts';
import type { ServiceSeed } from '../../emulator/ecs.ts';
import { startEmulator } from '../../emulator/emulator.ts';
import type { Call, Json } from '../../emulator/service.ts';
import { World } from '../../emulator/world.ts';
import { faultOf } from './fault-of.ts';

const here = { account: '222222222222', region: 'eu-west-1' };
const definitionArn = (revision: number): string => `arn:aws:ecs:eu-west-1:222222222222:task-definition/web:${revision}`;
const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const ofGroup = { applicationName: 'AppECS-dev-web', deploymentGroupName: 'DgpECS-dev-web' };
const network = { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' };

const definition = (image: string): Json => ({
  family: 'web',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/execution',
  containerDefinitions: [{ name: 'web', image, portMappings: [{ containerPort: 80 }] }],
});

const appSpec = (properties: Json = {}, hooks?: readonly Json[]): Json => ({
  version: 0,
  Resources: [
    {
      TargetService: {
        Type: 'AWS::ECS::Service',
        Properties: { TaskDefinition: definitionArn(2), LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 }, ...properties },
      },
    },
  ],
  ...(hooks && { Hooks: hooks }),
});

const revisionOf = (content: string): Json => ({ revisionType: 'AppSpecContent', appSpecContent: { content, sha256: sha256(content) } });
const revision = (properties?: Json, hooks?: readonly Json[]): Json => revisionOf(JSON.stringify(appSpec(properties, hooks)));

const seed = (options: CodeDeployOptions = {}, group: Partial<GroupSeed> = {}, service: Partial<ServiceSeed> = {}) => {
  const ecs = new EcsState();
  const codedeploy = new CodeDeployState(options);
  ecs.service({
    ...here,
    cluster: 'dev',
    name: 'web',
    controller: 'CODE_DEPLOY',
    taskDefinition: definition('registry.example/web@sha256:1'),
    desiredCount: 2,
    networkConfiguration: { awsvpcConfiguration: network },
    loadBalancers: [
      {
        targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/web-1/0123456789abcdef',
        containerName: 'web',
        containerPort: 80,
      },
    ],
    ...service,
  });
  ecs.taskDefinition(here, definition('registry.example/web@sha256:2'));
  codedeploy.group({
    ...here,
    application: ofGroup.applicationName,
    name: ofGroup.deploymentGroupName,
    cluster: 'dev',
    service: 'web',
    targetGroups: ['web-1', 'web-2'],
    listenerArn: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:listener/app/web/1/2',
    ...group,
  });
  return { ecs, codedeploy, services: [ecsService(ecs), codedeployService(codedeploy, ecs)] };
};

const world = (...given: Parameters<typeof seed>) => {
  const { ecs, codedeploy, services } = seed(...given);
  const clock = new EmulatorClock();
  const call: Call = {
    caller: { accessKeyId: 'AKIA', account: here.account, arn: 'arn:aws:iam::222222222222:user/deploy' },
    region: here.region,
    clock,
  };
  const ask = (operation: string, input: Json): Json => {
    const run = services.map(({ operations }) => operations[operation]).find((each) => each !== undefined);
    if (!run) throw new Error(`No operation ${operation}`);
    return run(input, call) as Json;
  };
  const create = (input: Json = {}): string =>
    String(ask('CreateDeployment', { ...ofGroup, revision: revision(), ...input })['deploymentId']);
  const info = (deploymentId: string): Json => ask('GetDeployment', { deploymentId })['deploymentInfo'] as Json;
  const target = (deploymentId: string): Json =>
    (ask('GetDeploymentTarget', { deploymentId, targetId: 'dev:web' })['deploymentTarget'] as { ecsTarget: Json }).ecsTarget;
  const service = (): Json => (ask('DescribeServices', { cluster: 'dev', services: ['web'] })['services'] as Json[])[0] ?? {};
  const after = (seconds: number): void => clock.advance(seconds * 1000);
  return { ecs, codedeploy, clock, ask, create, info, target, service, after };
};

describe('a deployment that succeeds', () => {
  test('is seen from CodeDeploy and from ECS', () => {
    const { create, info, target, service, after, ask } = world();
    const id = create({ description: 'run 7' });
    expect(id).toMatch(/^d-[A-Z0-9]{9}$/);
    expect(info(id)).toMatchObject({ status: 'Created', creator: 'user', description: 'run 7', computePlatform: 'ECS', rollbackInfo: {} });
    expect(info(id)).not.toHaveProperty('deploymentOverview');
    expect(faultOf(() => target(id))).toMatch(/^DeploymentNotStartedException/);
    after(60);
    expect(target(id)).toMatchObject({
      targetId: 'dev:web',
      targetArn: 'arn:aws:ecs:eu-west-1:222222222222:service/dev/web',
      taskSetsInfo: [
        { identifer: expect.stringMatching(/^ecs-svc\/\d{19}$/), taskSetLabel: 'Blue', trafficWeight: 100, targetGroup: { name: 'web-1' } },
        { taskSetLabel: 'Green', status: 'ACTIVE', desiredCount: 2, trafficWeight: 0, targetGroup: { name: 'web-2' } },
      ],
    });
    expect(service()).toMatchObject({
      taskSets: [{ status: 'PRIMARY' }, { status: 'ACTIVE', externalId: id, taskDefinition: definitionArn(2) }],
    });
    expect(ask('ListDeploymentTargets', { deploymentId: id })).toEqual({ targetIds: ['dev:web'] });
    after(60);
    expect(info(id)).toMatchObject({ status: 'InProgress', instanceTerminationWaitTimeStarted: true });
    expect(service()).toMatchObject({ taskSets: [{ status: 'ACTIVE' }, { status: 'PRIMARY', taskDefinition: definitionArn(2) }] });
    after(301);
    expect(info(id)).toMatchObject({ status: 'Succeeded', completeTime: expect.any(Number) });
    after(60);
    // What the service was made with stays where it was: only its primary task set tells what runs.
    expect(service()).toMatchObject({
      taskDefinition: definitionArn(1),
      taskSets: [{ status: 'PRIMARY', taskDefinition: definitionArn(2) }],
      runningCount: 2,
    });
    const [newest] = service()['events'] as { message: string }[];
    expect(newest?.message).toMatch(/has stopped 2 running tasks/);
    expect(ask('GetDeploymentGroup', ofGroup)).toMatchObject({
      deploymentGroupInfo: { lastSuccessfulDeployment: { deploymentId: id, status: 'Succeeded' } },
    });
  });

  test('the next one goes back to the other target group', () => {
    const { create, target, after } = world();
    create();
    after(1000);
    const next = create();
    after(60);
    expect(target(next)['taskSetsInfo']).toMatchObject([{ targetGroup: { name: 'web-2' } }, { targetGroup: { name: 'web-1' } }]);
  });

  test('the AppSpec decides what green is; a capacity provider strategy that it omits is lost', () => {
    const given = { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1, base: 0 }] };
    const { create, service, after } = world({}, {}, given);
    create();
    after(60);
    const [blue, green] = service()['taskSets'] as Json[];
    expect(blue?.['capacityProviderStrategy']).toEqual(given.capacityProviderStrategy);
    expect(green).toMatchObject({
      capacityProviderStrategy: [],
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: network },
    });

    const other = world();
    const Subnets = ['subnet-9'];
    other.create({
      revision: revision({
        PlatformVersion: '1.4.0',
        NetworkConfiguration: { AwsvpcConfiguration: { Subnets, SecurityGroups: ['sg-9'], AssignPublicIp: 'ENABLED' } },
        CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Base: 1, Weight: 1 }],
      }),
    });
    other.after(60);
    expect((other.service()['taskSets'] as Json[])[1]).toMatchObject({
      platformVersion: '1.4.0',
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', base: 1, weight: 1 }],
      networkConfiguration: { awsvpcConfiguration: { subnets: Subnets, assignPublicIp: 'ENABLED' } },
    });
  });

  test.each([
    ['YAML', stringify(appSpec())],
    [
      'lower-case keys',
      JSON.stringify(appSpec())
        .replaceAll('Resources', 'resources')
        .replaceAll('TaskDefinition', 'taskDefinition')
        .replaceAll('LoadBalancerInfo', 'loadBalancerInfo'),
    ],
    ['a version that is text', JSON.stringify({ ...appSpec(), version: '0.0' })],
  ])('takes an AppSpec as %s', (_name, content) => {
    const { create, info, after } = world();
    const id = create({ revision: revisionOf(content) });
    after(1000);
    expect(info(id)['status']).toBe('Succeeded');
  });

  test('its revision is null until it is asked for by hash', () => {
    const { create, info, ask } = world();
    const content = JSON.stringify(appSpec());
    const id = create();
    const revision = { revisionType: 'AppSpecContent', appSpecContent: { sha256: sha256(content) } };
    expect(info(id)['revision']).toEqual({ ...revision, appSpecContent: { ...revision.appSpecContent, content: null } });
    expect(ask('GetApplicationRevision', { ...ofGroup, revision })).toMatchObject({
      revision: { appSpecContent: { content } },
      revisionInfo: { deploymentGroups: [ofGroup.deploymentGroupName] },
    });
    // A registered revision can be deployed by its hash alone.
    const other = world();
    other.ask('RegisterApplicationRevision', { ...ofGroup, revision: revisionOf(content) });
    expect(other.create({ revision })).toMatch(/^d-/);
  });
});

const badAppSpec = (change: (document: Json) => unknown): Json => ({ revision: revisionOf(JSON.stringify(change(appSpec()))) });

const refused: Record<string, [input: Json, fault: RegExp]> = {
  'no application': [{ applicationName: undefined }, /^ApplicationNameRequiredException/],
  'no such application': [{ applicationName: 'x' }, /^ApplicationDoesNotExistException: No application found for name: x$/],
  'no such group': [{ deploymentGroupName: 'x' }, /^DeploymentGroupDoesNotExistException: No Deployment Group found for name: x$/],
  'a bad group name': [{ deploymentGroupName: 'a/b' }, /^InvalidDeploymentGroupNameException/],
  'no revision': [{ revision: undefined }, /^RevisionRequiredException/],
  'no such configuration': [{ deploymentConfigName: 'x' }, /^DeploymentConfigDoesNotExistException/],
  'a configuration for servers': [{ deploymentConfigName: 'CodeDeployDefault.OneAtATime' }, /^InvalidDeploymentConfigNameException/],
  '257 characters of description': [{ description: 'x'.repeat(257) }, /^DescriptionTooLongException/],
  'a hash of something else': [
    { revision: { revisionType: 'AppSpecContent', appSpecContent: { content: '{}', sha256: sha256('') } } },
    /^InvalidRevisionException: .*sha256/,
  ],
  'a revision in S3': [{ revision: { revisionType: 'S3', s3Location: {} } }, /^InvalidRevisionException/],
  'rollback without events': [{ autoRollbackConfiguration: { enabled: true, events: [] } }, /^InvalidAutoRollbackConfigException/],
  'rollback on an unknown event': [{ autoRollbackConfiguration: { enabled: true, events: ['X'] } }, /^InvalidAutoRollbackConfigException/],
  'alarms without names': [{ overrideAlarmConfiguration: { enabled: true, alarms: [] } }, /^InvalidAlarmConfigException/],
  'eleven alarms': [
    { overrideAlarmConfiguration: { enabled: true, alarms: Array.from({ length: 11 }, () => ({ name: 'a' })) } },
    /^AlarmsLimitExceededException/,
  ],
  'text that is no YAML': [{ revision: revisionOf('{"version": 0') }, /^InvalidRevisionException/],
  'version 1': [badAppSpec((document) => ({ ...document, version: 1 })), /^InvalidRevisionException: .*0\.0/],
  'no resources': [badAppSpec((document) => ({ ...document, Resources: [] })), /^InvalidRevisionException/],
  'a load balancer list': [
    { revision: revision({ LoadBalancerInfo: [{ ContainerName: 'web', ContainerPort: 80 }] }) },
    /^InvalidRevisionException: .*LoadBalancerInfo/,
  ],
  'a port in quotes': [
    { revision: revision({ LoadBalancerInfo: { ContainerName: 'web', ContainerPort: '80' } }) },
    /^InvalidRevisionException: .*ContainerPort/,
  ],
  'no task definition': [{ revision: revision({ TaskDefinition: '' }) }, /^InvalidRevisionException: .*TaskDefinition/],
  'half a network': [
    { revision: revision({ NetworkConfiguration: { AwsvpcConfiguration: { Subnets: ['a'] } } }) },
    /^InvalidRevisionException: .*SecurityGroups/,
  ],
  'two bases': [
    {
      revision: revision({
        CapacityProviderStrategy: [
          { CapacityProvider: 'a', Base: 1, Weight: 1 },
          { CapacityProvider: 'b', Base: 1, Weight: 1 },
        ],
      }),
    },
    /^InvalidRevisionException: .*base/,
  ],
  'an unknown hook': [{ revision: revision({}, [{ ApplicationStop: 'x' }]) }, /^InvalidRevisionException: .*hook/],
};

test.each(Object.entries(refused))('CreateDeployment refuses %s', (_name, [input, fault]) => {
  const { create } = world();
  expect(faultOf(() => create(input))).toMatch(fault);
});

const failing: Record<
  string,
  { properties?: Json; group?: Partial<GroupSeed>; service?: Partial<ServiceSeed>; code: string; message: RegExp }
> = {
  'no such task definition': {
    properties: { TaskDefinition: definitionArn(9) },
    code: 'ECS_UPDATE_ERROR',
    message: /TaskDefinition not found\. \(Service: AmazonECS/,
  },
  'the revision "latest"': {
    properties: { TaskDefinition: 'web:latest' },
    code: 'ECS_UPDATE_ERROR',
    message: /Invalid revision number\. Number: latest/,
  },
  'no such container': {
    properties: { LoadBalancerInfo: { ContainerName: 'api', ContainerPort: 80 } },
    code: 'ECS_UPDATE_ERROR',
    message: /The container api does not exist in the task definition\./,
  },
  'no such port': {
    properties: { LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 443 } },
    code: 'ECS_UPDATE_ERROR',
    message: /The container web did not have a container port 443 defined\./,
  },
  'a group of another service': { group: { service: 'api' }, code: 'INVALID_ECS_SERVICE', message: /api/ },
  'a service that ECS deploys': {
    service: { controller: 'ECS' },
    code: 'INVALID_ECS_SERVICE',
    message: /CODE_DEPLOY deployment controller/,
  },
  'target groups of another service': {
    group: { targetGroups: ['x', 'y'] },
    code: 'ELASTIC_LOAD_BALANCING_INVALID',
    message: /must be behind listener/,
  },
};

test.each(Object.entries(failing))('fails later, not at once: %s', (_name, { properties, group, service, code, message }) => {
  const { create, info, after } = world({}, group, service);
  const id = create({ revision: revision(properties) });
  after(60);
  expect(info(id)).toMatchObject({ status: 'Failed', errorInformation: { code, message: expect.stringMatching(message) } });
});

describe('one deployment a group', () => {
  test('from Created until blue is gone', () => {
    const { create, after } = world();
    const id = create();
    const limit = `DeploymentLimitExceededException: The Deployment Group 'DgpECS-dev-web' already has an active Deployment '${id}'`;
    for (const seconds of [0, 60, 240]) {
      after(seconds);
      expect(faultOf(() => create())).toBe(limit);
    }
    after(200);
    expect(faultOf(() => create())).toBe('none');
  });

  test('task sets that nobody cleans up block the sixth', () => {
    const { create, info, after, service } = world({}, { termination: { action: 'KEEP_ALIVE' } });
    for (let count = 0; count < 4; count += 1) {
      create();
      after(200);
    }
    expect(service()['taskSets']).toHaveLength(5);
    const id = create();
    after(200);
    expect(info(id)).toMatchObject({
      status: 'Failed',
      errorInformation: { message: expect.stringContaining('5 deployments exist on the service. Unable to create new TaskSet') },
    });
  });
});

describe('rollback', () => {
  test('an alarm in mid-canary: a deployment of its own brings the traffic back', () => {
    const { codedeploy, create, info, target, service, after, ask } = world(
      {},
      { autoRollback: true, alarms: ['5xx'], deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes' },
    );
    codedeploy.nextDeployment({ outcome: { alarmAt: 'AllowTraffic' } });
    const id = create();
    after(120);
    expect(target(id)['taskSetsInfo']).toMatchObject([{ trafficWeight: 90 }, { trafficWeight: 10 }]);
    after(600);
    const original = info(id);
    const rollbackId = String((original['rollbackInfo'] as Json)['rollbackDeploymentId']);
    expect(original).toMatchObject({
      status: 'Stopped',
      errorInformation: { code: 'ALARM_ACTIVE', message: expect.stringMatching(/<5xx>$/) },
      rollbackInfo: { rollbackMessage: `Deployment ${id} terminated. Automatic rollback is triggered with a DeploymentId ${rollbackId}.` },
    });
    expect(info(rollbackId)).toMatchObject({
      status: 'Succeeded',
      creator: 'codeDeployRollback',
      deploymentConfigName: 'CodeDeployDefault.ECSAllAtOnce',
      rollbackInfo: {
        rollbackTriggeringDeploymentId: id,
        rollbackMessage: `Deployment ${rollbackId} is triggered to roll back deployment ${id}.`,
      },
    });
    after(60);
    expect(service()).toMatchObject({ taskSets: [{ status: 'PRIMARY', taskDefinition: definitionArn(1) }] });
    expect(ask('ListDeployments', ofGroup)).toEqual({ deployments: [rollbackId, id] });
  });

  test.each([
    ['an alarm that nobody watches', {}, { outcome: { alarmAt: 'Install' } }, 'Succeeded', false],
    ['a failure, without auto-rollback', {}, { outcome: { failAt: 'AfterInstall' } }, 'Failed', false],
    ['a failure, with it', { autoRollback: ['DEPLOYMENT_FAILURE'] }, { outcome: { failAt: 'AfterInstall' } }, 'Failed', true],
    ['a failure of BeforeInstall', { autoRollback: true }, { outcome: { failAt: 'BeforeInstall' } }, 'Failed', false],
    ['a stop by somebody else', { autoRollback: ['DEPLOYMENT_STOP_ON_REQUEST'] }, { outcome: { stoppedAt: 'Install' } }, 'Stopped', true],
    ['the same, who wants none', { autoRollback: true }, { outcome: { stoppedAt: 'Install', rollback: false } }, 'Stopped', false],
    [
      'a stop where only failures roll back',
      { autoRollback: ['DEPLOYMENT_FAILURE'] },
      { outcome: { stoppedAt: 'Install' } },
      'Stopped',
      false,
    ],
  ] as const)('%s', (_name, group, script, status, rolledBack) => {
    const { codedeploy, create, info, after } = world({}, group);
    codedeploy.nextDeployment(script);
    const id = create();
    after(2000);
    expect(info(id)['status']).toBe(status);
    expect('rollbackDeploymentId' in (info(id)['rollbackInfo'] as Json)).toBe(rolledBack);
  });

  test('the deployment’s own wish beats the group’s', () => {
    const { codedeploy, create, info, after } = world({}, { autoRollback: true });
    codedeploy.nextDeployment({ outcome: { failAt: 'AfterInstall' } });
    const id = create({ autoRollbackConfiguration: { enabled: false, events: [] } });
    after(2000);
    expect(info(id)).toMatchObject({ status: 'Failed', rollbackInfo: {}, autoRollbackConfiguration: { enabled: false } });
  });

  test('a rollback can fail, and is not rolled back', () => {
    const { codedeploy, create, info, after, ask } = world({}, { autoRollback: true });
    codedeploy.nextDeployment({ outcome: { failAt: 'AllowTraffic' }, rollback: 'fail' });
    const id = create();
    after(2000);
    const rollbackId = String((info(id)['rollbackInfo'] as Json)['rollbackDeploymentId']);
    expect(info(rollbackId)).toMatchObject({ status: 'Failed', errorInformation: { code: 'ELASTIC_LOAD_BALANCING_INVALID' } });
    expect(ask('ListDeployments', ofGroup)['deployments']).toHaveLength(2);
  });
});

describe('StopDeployment', () => {
  test('is pending, then done; with rollback the green task set goes', () => {
    const { create, info, after, ask, service } = world();
    const id = create();
    after(60);
    expect(ask('StopDeployment', { deploymentId: id, autoRollbackEnabled: true })).toMatchObject({ status: 'Pending' });
    expect(ask('StopDeployment', { deploymentId: id })).toMatchObject({ status: 'Pending' });
    after(10);
    expect(info(id)).toMatchObject({ status: 'Stopped', rollbackInfo: { rollbackDeploymentId: expect.any(String) } });
    expect(ask('StopDeployment', { deploymentId: id })).toMatchObject({ status: 'Succeeded' });
    after(120);
    expect(service()['taskSets']).toMatchObject([{ status: 'PRIMARY', taskDefinition: definitionArn(1) }]);
  });

  test('without rollback everything stays as it is', () => {
    const { create, info, after, ask, service } = world(
      {},
      { autoRollback: true, deploymentConfigName: 'CodeDeployDefault.ECSLinear10PercentEvery1Minutes' },
    );
    const id = create();
    after(300);
    ask('StopDeployment', { deploymentId: id, autoRollbackEnabled: false });
    after(600);
    expect(info(id)).toMatchObject({ status: 'Stopped', rollbackInfo: {} });
    expect(service()['taskSets']).toMatchObject([{ status: 'PRIMARY' }, { status: 'ACTIVE' }]);
  });

  test('what has ended can’t be stopped; what does not exist neither', () => {
    const { create, after, ask } = world();
    const id = create();
    after(1000);
    expect(faultOf(() => ask('StopDeployment', { deploymentId: id }))).toMatch(/^DeploymentAlreadyCompletedException/);
    expect(faultOf(() => ask('StopDeployment', { deploymentId: 'd-000000000' }))).toMatch(/^DeploymentDoesNotExistException/);
    expect(faultOf(() => ask('StopDeployment', { deploymentId: '7' }))).toMatch(/^InvalidDeploymentIdException/);
    expect(faultOf(() => ask('StopDeployment', {}))).toMatch(/^DeploymentIdRequiredException/);
  });
});

test('ContinueDeployment lets a Ready deployment shift, and ends the wait for blue', () => {
  const { create, info, after, ask } = world({}, { ready: { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 60 } });
  const id = create();
  const go = (deploymentWaitType: string): string => faultOf(() => ask('ContinueDeployment', { deploymentId: id, deploymentWaitType }));
  expect(go('READY_WAIT')).toMatch(/^DeploymentIsNotInReadyStateException/);
  expect(go('X')).toMatch(/^InvalidDeploymentWaitTypeException/);
  after(120);
  expect(info(id)['status']).toBe('Ready');
  expect(go('TERMINATION_WAIT')).toMatch(/^DeploymentIsNotInReadyStateException/);
  expect(go('READY_WAIT')).toBe('none');
  after(30);
  expect(info(id)).toMatchObject({ status: 'InProgress', instanceTerminationWaitTimeStarted: true });
  expect(go('TERMINATION_WAIT')).toBe('none');
  after(6);
  expect(info(id)['status']).toBe('Succeeded');
  expect(go('READY_WAIT')).toMatch(/^DeploymentAlreadyCompletedException/);
});

describe('tasks that cannot pull', () => {
  test('the registry is asked when Install begins, and ECS shows the refusal', () => {
    const asked: unknown[] = [];
    const canPull = (...given: unknown[]): true | string => {
      asked.push(given);
      return 'failed to resolve ref: 403 Forbidden';
    };
    const { create, info, after, ask, service } = world({ canPull }, { autoRollback: true });
    const id = create();
    info(id);
    expect(asked).toEqual([]);
    after(180);
    expect(info(id)['status']).toBe('InProgress');
    expect(asked).toEqual([['registry.example/web@sha256:2', here.account, 'arn:aws:iam::222222222222:role/execution']]);
    const stopped = ask('ListTasks', { cluster: 'dev', serviceName: 'web', desiredStatus: 'STOPPED' })['taskArns'] as string[];
    const reason = 'CannotPullContainerError: failed to resolve ref: 403 Forbidden';
    expect((ask('DescribeTasks', { cluster: 'dev', tasks: stopped })['tasks'] as Json[])[0]).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'TaskFailedToStart',
      stoppedReason: reason,
      taskDefinitionArn: definitionArn(2),
      containers: [{ name: 'web', reason }],
    });
    expect((service()['events'] as { message: string }[]).some(({ message }) => message.includes(reason))).toBe(true);
    expect(service()['taskSets']).toMatchObject([{}, { runningCount: 0, pendingCount: 2, stabilityStatus: 'STABILIZING' }]);
    after(3600);
    expect(info(id)).toMatchObject({
      status: 'Failed',
      errorInformation: { code: 'TIMEOUT' },
      rollbackInfo: { rollbackDeploymentId: expect.any(String) },
    });
    expect(asked).toHaveLength(1);
  });

  test('an allowed pull changes nothing', () => {
    const { create, info, after } = world({ canPull: () => true });
    const id = create();
    after(1000);
    expect(info(id)['status']).toBe('Succeeded');
  });
});

describe('lists and settings', () => {
  test('ListDeployments: newest first, by status and time, in pages', () => {
    const { create, after, ask, clock } = world();
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.unshift(create());
      after(1000);
    }
    const middle = clock.now() / 1000 - 2500;
    expect(ask('ListDeployments', ofGroup)['deployments']).toEqual(ids);
    expect(ask('ListDeployments', {})['deployments']).toEqual(ids);
    expect(ask('ListDeployments', { ...ofGroup, includeOnlyStatuses: ['InProgress', 'Created'] })['deployments']).toEqual([]);
    expect(ask('ListDeployments', { ...ofGroup, createTimeRange: { start: middle } })['deployments']).toEqual(ids.slice(0, 2));
    expect(ask('ListDeployments', { ...ofGroup, createTimeRange: { end: middle } })['deployments']).toEqual(ids.slice(2));
    expect(faultOf(() => ask('ListDeployments', { ...ofGroup, includeOnlyStatuses: ['X'] }))).toMatch(/^InvalidDeploymentStatusException/);
    expect(faultOf(() => ask('ListDeployments', { ...ofGroup, nextToken: 'nonsense' }))).toMatch(/^InvalidNextTokenException/);
    expect(faultOf(() => ask('ListDeployments', { deploymentGroupName: 'x' }))).toMatch(/^ApplicationNameRequiredException/);
    expect(ask('BatchGetDeployments', { deploymentIds: [...ids, 'd-000000000'] })['deploymentsInfo']).toHaveLength(3);
    expect(faultOf(() => ask('BatchGetDeployments', { deploymentIds: Array.from({ length: 26 }, () => 'd-000000000') }))).toMatch(
      /^BatchLimitExceededException/,
    );
  });

  test('more than a page', () => {
    const { create, after, ask } = world({}, { termination: { action: 'TERMINATE', waitTimeInMinutes: 0 } });
    for (let count = 0; count < 101; count += 1) {
      create();
      after(300);
    }
    const first = ask('ListDeployments', ofGroup);
    expect(first['deployments']).toHaveLength(100);
    expect(ask('ListDeployments', { ...ofGroup, nextToken: first['nextToken'] })['deployments']).toHaveLength(1);
  });

  test('a group says what it was made with: no wait time where none was given', () => {
    const { ask } = world({}, { ready: { actionOnTimeout: 'CONTINUE_DEPLOYMENT' }, alarms: ['5xx'], testListenerArn: 'arn:test' });
    expect(ask('GetDeploymentGroup', ofGroup)).toMatchObject({
      deploymentGroupInfo: {
        computePlatform: 'ECS',
        ecsServices: [{ serviceName: 'web', clusterName: 'dev' }],
        alarmConfiguration: { enabled: true, alarms: [{ name: '5xx' }] },
        blueGreenDeploymentConfiguration: {
          deploymentReadyOption: { actionOnTimeout: 'CONTINUE_DEPLOYMENT' },
          terminateBlueInstancesOnDeploymentSuccess: { action: 'TERMINATE', terminationWaitTimeInMinutes: 5 },
        },
        loadBalancerInfo: {
          targetGroupPairInfoList: [
            { targetGroups: [{ name: 'web-1' }, { name: 'web-2' }], testTrafficRoute: { listenerArns: ['arn:test'] } },
          ],
        },
      },
    });
    ask('UpdateDeploymentGroup', {
      applicationName: ofGroup.applicationName,
      currentDeploymentGroupName: ofGroup.deploymentGroupName,
      alarmConfiguration: { enabled: false, alarms: [] },
    });
    expect(ask('GetDeploymentGroup', ofGroup)).toMatchObject({ deploymentGroupInfo: { alarmConfiguration: { enabled: false } } });
    expect(ask('GetApplication', ofGroup)).toMatchObject({ application: { computePlatform: 'ECS' } });
    expect(ask('ListApplications', {})).toEqual({ applications: [ofGroup.applicationName] });
    expect(ask('ListDeploymentGroups', ofGroup)).toMatchObject({ deploymentGroups: [ofGroup.deploymentGroupName] });
  });

  test.each([
    ['CodeDeployDefault.ECSAllAtOnce', { type: 'AllAtOnce' }],
    [
      'CodeDeployDefault.ECSLinear10PercentEvery1Minutes',
      { type: 'TimeBasedLinear', timeBasedLinear: { linearPercentage: 10, linearInterval: 1 } },
    ],
    [
      'CodeDeployDefault.ECSLinear10PercentEvery3Minutes',
      { type: 'TimeBasedLinear', timeBasedLinear: { linearPercentage: 10, linearInterval: 3 } },
    ],
    [
      'CodeDeployDefault.ECSCanary10Percent5Minutes',
      { type: 'TimeBasedCanary', timeBasedCanary: { canaryPercentage: 10, canaryInterval: 5 } },
    ],
    [
      'CodeDeployDefault.ECSCanary10Percent15Minutes',
      { type: 'TimeBasedCanary', timeBasedCanary: { canaryPercentage: 10, canaryInterval: 15 } },
    ],
    ['careful', { type: 'TimeBasedLinear', timeBasedLinear: { linearPercentage: 25, linearInterval: 2 } }],
  ])('configuration %s', (deploymentConfigName, trafficRoutingConfig) => {
    const { codedeploy, ask } = world();
    codedeploy.deploymentConfig({ ...here, name: 'careful', routing: { type: 'TimeBasedLinear', percentage: 25, minutes: 2 } });
    expect(ask('GetDeploymentConfig', { deploymentConfigName })).toMatchObject({
      deploymentConfigInfo: { computePlatform: 'ECS', trafficRoutingConfig },
    });
  });

  test('targets are known by their names only', () => {
    const { create, after, ask } = world();
    const deploymentId = create();
    after(60);
    expect(faultOf(() => ask('GetDeploymentTarget', { deploymentId, targetId: 'dev:api' }))).toMatch(
      /^DeploymentTargetDoesNotExistException/,
    );
    expect(faultOf(() => ask('GetDeploymentTarget', { deploymentId, targetId: 'web' }))).toMatch(/^InvalidDeploymentTargetIdException/);
    expect(ask('BatchGetDeploymentTargets', { deploymentId, targetIds: ['dev:web'] })['deploymentTargets']).toMatchObject([
      { deploymentTargetType: 'ECSTarget' },
    ]);
  });

  test('scripts go to the group that they name, in their order', () => {
    const { codedeploy, create, info, after } = world();
    codedeploy.nextDeployment({ group: 'another', outcome: { failAt: 'Install' } });
    codedeploy.nextDeployment({ group: ofGroup.deploymentGroupName, outcome: { failAt: 'AfterInstall' } });
    const statuses = [0, 1].map(() => {
      const id = create();
      after(1000);
      return info(id)['status'];
    });
    expect(statuses).toEqual(['Failed', 'Succeeded']);
  });
});

test('over HTTP the AWS SDK reads it all', async () => {
  const aws = new World();
  const key = aws.user(here.account, 'deploy');
  const emulator = await startEmulator({ world: aws, services: seed().services });
  const config = { endpoint: emulator.url, region: here.region, credentials: key, maxAttempts: 1 };
  const codedeploy = new CodeDeployClient(config);
  const ecs = new ECSClient(config);
  try {
    const content = JSON.stringify(appSpec());
    const create = new CreateDeploymentCommand({ ...ofGroup, revision: { revisionType: 'AppSpecContent', appSpecContent: { content } } });
    const { deploymentId } = await codedeploy.send(create);
    await expect(codedeploy.send(create)).rejects.toMatchObject({
      name: 'DeploymentLimitExceededException',
      message: `The Deployment Group 'DgpECS-dev-web' already has an active Deployment '${deploymentId ?? ''}'`,
    });
    emulator.clock.advance(120_000);
    const { deploymentTarget } = await codedeploy.send(new GetDeploymentTargetCommand({ deploymentId, targetId: 'dev:web' }));
    expect(deploymentTarget?.ecsTarget).toMatchObject({
      status: 'Succeeded',
      lifecycleEvents: expect.arrayContaining([
        { lifecycleEventName: 'Install', status: 'Succeeded', startTime: expect.any(Date), endTime: expect.any(Date) },
      ]),
    });
    emulator.clock.advance(600_000);
    const { deploymentInfo } = await codedeploy.send(new GetDeploymentCommand({ deploymentId }));
    expect(deploymentInfo).toMatchObject({ status: 'Succeeded', completeTime: expect.any(Date) });
    const { deploymentsInfo } = await codedeploy.send(new BatchGetDeploymentsCommand({ deploymentIds: [deploymentId ?? ''] }));
    expect(deploymentsInfo).toEqual([deploymentInfo]);
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster: 'dev', services: ['web'] }));
    expect(services?.[0]?.taskSets?.map(({ status, taskDefinition }) => [status, taskDefinition])).toContainEqual([
      'PRIMARY',
      definitionArn(2),
    ]);
    expect(emulator.violations).toEqual([]);
  } finally {
    codedeploy.destroy();
    ecs.destroy();
    await emulator.close();
  }
});
