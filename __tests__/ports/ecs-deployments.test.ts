import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accessDenied, lostReply, lostRequest, serverError, throttling } from '../../emulator/faults.ts';
import { AwsError } from '../../src/errors.ts';
import { definition, startWorld, type DeploymentWorld } from './deployment-world.ts';

const web = { cluster: 'dev', service: 'web' };
const arn = (rest: string): string => `arn:aws:ecs:eu-west-1:222222222222:${rest}`;
const second = arn('task-definition/web:2');

let world: DeploymentWorld;
beforeEach(async () => {
  world = await startWorld({
    service: {
      controller: 'ECS',
      deploymentConfiguration: {
        strategy: 'CANARY',
        bakeTimeInMinutes: 5,
        canaryConfiguration: { canaryPercent: 10 },
        lifecycleHooks: [{ targetType: 'PAUSE', lifecycleStages: ['POST_SCALE_UP'], timeoutConfiguration: { timeoutInMinutes: 60 } }],
        deploymentCircuitBreaker: { enable: true, rollback: true },
        alarms: { enable: true, rollback: true, alarmNames: ['web-5xx'] },
      },
    },
  });
  await world.ecs.registerTaskDefinition(definition);
});
afterEach(async () => {
  await world.emulator.close();
  expect(world.emulator.violations).toEqual([]);
});

const pass = (seconds: number): void => world.emulator.clock.advance(seconds * 1_000);
const update = async () => world.ecs.updateService({ ...web, taskDefinition: second });
const newest = async () => (await world.ecs.newestDeployments(web))[0];

test('a service tells how ECS deploys it, and which revisions have tasks', async () => {
  expect(await world.ecs.describeService(web)).toMatchObject({
    service: {
      controller: 'ECS',
      own: {
        strategy: 'CANARY',
        routing: { kind: 'canary', percentage: 10, minutes: 10 },
        bakeMinutes: 5,
        pauses: [{ stage: 'POST_SCALE_UP', minutes: 60 }],
        networkLoadBalancer: false,
      },
      revisions: [expect.stringMatching(/:service-revision\/dev\/web\/\d{19}$/)],
      primary: undefined,
    },
  });
});

test.each([
  ['LINEAR', {}, { kind: 'linear', percentage: 10, minutes: 6 }],
  ['LINEAR', { linearConfiguration: { stepPercent: 25, stepBakeTimeInMinutes: 1 } }, { kind: 'linear', percentage: 25, minutes: 1 }],
  ['CANARY', { canaryConfiguration: { canaryBakeTimeInMinutes: 0 } }, { kind: 'canary', percentage: 5, minutes: 0 }],
  ['BLUE_GREEN', {}, { kind: 'all-at-once' }],
])('%s %j', async (strategy, configuration, routing) => {
  world.states.ecs.service({
    account: '222222222222',
    region: 'eu-west-1',
    cluster: 'dev',
    name: 'other',
    taskDefinition: definition,
    deploymentConfiguration: { strategy, ...configuration },
    loadBalancers: [
      {
        targetGroupArn: 'arn:tg',
        containerName: 'web',
        containerPort: 80,
        advancedConfiguration: { productionListenerRule: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:listener/net/web/1/2' },
      },
    ],
  });
  expect(await world.ecs.describeService({ cluster: 'dev', service: 'other' })).toMatchObject({
    service: { own: { strategy, routing, pauses: [], networkLoadBalancer: true } },
  });
});

describe('a deployment', () => {
  test('is made by nothing but another task definition', async () => {
    expect(await world.ecs.newestDeployments(web)).toEqual([]);
    expect(await update()).toEqual({ answer: 'updated' });
    expect(world.emulator.requests.of('ecs', 'UpdateService').map(({ input }) => input)).toEqual([{ ...web, taskDefinition: second }]);
    const listed = await newest();
    expect(await world.ecs.activeDeployments(web)).toEqual([listed]);
    expect(await world.ecs.serviceRevisions([listed?.revision ?? ''])).toEqual([{ arn: listed?.revision, taskDefinition: second }]);
  });

  test('tells its stage, tasks, traffic and the hook that holds it', async () => {
    await update();
    pass(120);
    const { arn: deployment = '', revision } = (await newest()) ?? {};
    expect(await world.ecs.serviceDeployment(deployment)).toMatchObject({
      arn: deployment,
      status: 'IN_PROGRESS',
      stage: 'POST_SCALE_UP',
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
      endedAt: undefined,
      target: { arn: revision, requested: 2, pending: 0, running: 2, traffic: 0 },
      sources: [{ requested: 2, running: 2, traffic: 100 }],
      hooks: [
        {
          kind: 'PAUSE',
          status: 'AWAITING_ACTION',
          expiresAt: expect.any(Number),
          onTimeout: 'ROLLBACK',
          id: expect.stringMatching(/^ecs-pause-/),
        },
      ],
      circuitBreaker: { status: 'MONITORING', failures: 0, threshold: 3 },
      alarms: [],
    });
  });

  test('that a pause holds goes on when it is continued, and only then', async () => {
    await update();
    pass(120);
    const { arn: deployment = '' } = (await newest()) ?? {};
    const { hooks } = await world.ecs.serviceDeployment(deployment);
    const of = { arn: deployment, hook: hooks[0]?.id ?? '' };
    await world.ecs.continueServiceDeployment(of);
    expect(world.emulator.requests.of('ecs', 'ContinueServiceDeployment').map(({ input }) => input)).toEqual([
      { serviceDeploymentArn: deployment, hookId: of.hook, action: 'CONTINUE' },
    ]);
    pass(60);
    expect((await world.ecs.serviceDeployment(deployment)).stage).not.toBe('POST_SCALE_UP');
    await expect(world.ecs.continueServiceDeployment(of)).rejects.toThrow(
      /^ecs:ContinueServiceDeployment for service deployment .* InvalidParameterException/,
    );
  });

  test('that is stopped goes back, and is no longer active', async () => {
    await update();
    pass(60);
    const { arn: deployment = '' } = (await newest()) ?? {};
    await world.ecs.stopServiceDeployment(deployment);
    expect(await world.ecs.serviceDeployment(deployment)).toMatchObject({ status: 'ROLLBACK_REQUESTED' });
    pass(60);
    expect(await world.ecs.serviceDeployment(deployment)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      endedAt: expect.any(Number),
      rollback: { reason: expect.stringMatching(/a user requested it/) },
    });
    expect(await world.ecs.activeDeployments(web)).toEqual([]);
    await expect(world.ecs.stopServiceDeployment(deployment)).rejects.toThrow(
      /^ecs:StopServiceDeployment for service deployment .* ConflictException/,
    );
  });

  test('that an alarm ends names it', async () => {
    world.states.ecs.nextDeployment({ outcome: { alarmAt: 'SCALE_UP' } });
    await update();
    pass(300);
    const { arn: deployment = '' } = (await newest()) ?? {};
    expect(await world.ecs.serviceDeployment(deployment)).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL', alarms: ['web-5xx'] });
  });

  test('that is not there is an error with its reason', async () => {
    const asking = world.ecs.serviceDeployment(arn('service-deployment/dev/web/none'));
    await expect(asking).rejects.toBeInstanceOf(AwsError);
    await expect(asking).rejects.toThrow('ecs:DescribeServiceDeployments for service deployment none failed: MISSING');
  });
});

describe('the lists', () => {
  test('are newest first, and the active one is whole', async () => {
    for (const revision of [2, 1, 2]) {
      await world.ecs.updateService({ ...web, taskDefinition: arn(`task-definition/web:${revision}`) });
      pass(1);
    }
    const [first, ...others] = await world.ecs.newestDeployments(web);
    expect(others).toHaveLength(2);
    expect(others.every(({ createdAt }) => createdAt < (first?.createdAt ?? 0))).toBe(true);
    expect(await world.ecs.activeDeployments(web)).toEqual([first, ...others]);
  });
  test('no revisions are asked of nobody', async () => {
    world.emulator.requests.clear();
    expect(await world.ecs.serviceRevisions([])).toEqual([]);
    expect(world.emulator.requests.names()).toEqual([]);
  });
});

describe('an update', () => {
  test.each([
    ['a lost request', lostRequest(), 0],
    ['a lost reply', lostReply(), 1],
    ['a server error', serverError(), 0],
    ['throttling', throttling(), 0],
  ])('that meets %s is sent once, and may have been made', async (_name, fault, made) => {
    world.emulator.faults.inject({ operation: 'UpdateService', times: 9 }, fault);
    expect(await update()).toMatchObject({ answer: 'unknown', error: expect.any(AwsError) });
    expect(world.emulator.requests.of('ecs', 'UpdateService')).toHaveLength(1);
    expect(await world.ecs.newestDeployments(web)).toHaveLength(made);
  });
  test('that is refused is an error: nothing was changed', async () => {
    await expect(world.ecs.updateService({ ...web, taskDefinition: arn('task-definition/web:9') })).rejects.toThrow(
      /^ecs:UpdateService for service web of cluster dev failed: ClientException: TaskDefinition not found/,
    );
  });
  test('that is denied names the action', async () => {
    world.emulator.faults.inject({ operation: 'UpdateService' }, accessDenied());
    await expect(update()).rejects.toThrow(/is not authorized to perform: ecs:UpdateService/);
  });
});
