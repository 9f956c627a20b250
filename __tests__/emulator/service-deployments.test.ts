import { describe, expect, test } from '@jest/globals';
import { EmulatorClock } from '../../emulator/clock.ts';
import { EcsState, ecsService } from '../../emulator/ecs.ts';
import type { ServiceDeploymentOptions, ServiceSeed } from '../../emulator/ecs.ts';
import type { Call, Json } from '../../emulator/service.ts';
import { faultOf } from './fault-of.ts';

const here = { account: '222222222222', region: 'eu-west-1' };
const definition = {
  family: 'web',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/execution',
  containerDefinitions: [{ name: 'web', image: 'public.ecr.aws/x/y:1', portMappings: [{ containerPort: 80 }] }],
};
const service = { cluster: 'dev', service: 'web' };

/** A service that ECS itself deploys, blue/green, with a revision `web:2` ready; its clock stands still unless it is moved on. */
const world = (given: { seed?: Partial<ServiceSeed>; options?: ServiceDeploymentOptions } = {}) => {
  const state = new EcsState(given.options);
  state.service({
    ...here,
    cluster: 'dev',
    name: 'web',
    controller: 'ECS',
    taskDefinition: definition,
    desiredCount: 2,
    loadBalancers: [{ targetGroupArn: 'arn:tg/blue', containerName: 'web', containerPort: 80 }],
    deploymentConfiguration: { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 },
    ...given.seed,
  });
  state.taskDefinition(here, definition);
  const clock = new EmulatorClock();
  const call: Call = {
    caller: { accessKeyId: 'AKIA', account: here.account, arn: 'arn:aws:sts::222222222222:assumed-role/deploy/x' },
    region: here.region,
    clock,
  };
  const { operations } = ecsService(state);
  const ask = (operation: string, input: Json): Json => operations[operation]?.(input, call) as Json;
  const update = (input: Json = { taskDefinition: 'web:2' }) => ask('UpdateService', { ...service, ...input });
  const listed = (input: Json = {}) => ask('ListServiceDeployments', { ...service, ...input })['serviceDeployments'] as Json[];
  const described = (index = 0): Json =>
    (
      ask('DescribeServiceDeployments', { serviceDeploymentArns: [listed()[index]?.['serviceDeploymentArn']] })[
        'serviceDeployments'
      ] as Json[]
    )[0] ?? {};
  const live = (): Json => (ask('DescribeServices', { cluster: 'dev', services: ['web'] })['services'] as Json[])[0] ?? {};
  return { state, clock, ask, update, listed, described, live, pass: (seconds: number) => clock.advance(seconds * 1_000) };
};

describe('UpdateService', () => {
  test('begins a deployment of another task definition, whose revision has the number of the PRIMARY deployment', () => {
    const { update, listed, live } = world();
    expect(listed()).toEqual([]);
    const [before] = live()['currentServiceRevisions'] as Json[];
    const updated = update()['service'] as Json;
    expect(updated).toMatchObject({ taskDefinition: expect.stringMatching(/web:2$/) });
    const [deployment] = listed();
    expect(deployment).toMatchObject({ status: 'PENDING', serviceArn: 'arn:aws:ecs:eu-west-1:222222222222:service/dev/web' });
    expect(updated['currentServiceDeployment']).toBe(deployment?.['serviceDeploymentArn']);
    expect(deployment?.['serviceDeploymentArn']).toMatch(/:service-deployment\/dev\/web\/[\w-]{21}$/);
    expect(deployment?.['targetServiceRevisionArn']).not.toBe(before?.['arn']);
  });

  test('of the same task definition begins none, unless it is forced', () => {
    const { update, listed } = world();
    update({ taskDefinition: 'web:1' });
    update({ desiredCount: 3 });
    expect(listed()).toEqual([]);
    update({ taskDefinition: 'web:1', forceNewDeployment: true });
    expect(listed()).toHaveLength(1);
  });

  test('lets a new deployment take the place of one that is under way', () => {
    const { update, listed, described, pass } = world();
    update();
    pass(60);
    update({ taskDefinition: 'web:1' });
    expect(listed().map(({ status }) => status)).toEqual(['PENDING', 'STOP_REQUESTED']);
    pass(20);
    expect(described(1)).toMatchObject({ status: 'STOPPED', statusReason: expect.stringMatching(/new service deployment/) });
    expect(described()['sourceServiceRevisions']).toHaveLength(2);
  });

  test.each([
    ['a pause at a shift', { targetType: 'PAUSE', lifecycleStages: ['PRODUCTION_TRAFFIC_SHIFT'] }, /PAUSE lifecycle hook is not supported/],
    ['an unknown stage', { lifecycleStages: ['LUNCH'] }, /Invalid lifecycle stage: LUNCH/],
  ])('refuses %s', (_name, hook, message) => {
    const { update } = world();
    expect(faultOf(() => update({ deploymentConfiguration: { lifecycleHooks: [hook] } }))).toMatch(message);
  });
});

describe('a deployment', () => {
  test('shows its revisions with tasks and traffic, and the service its tasks', () => {
    const { update, described, live, ask, pass } = world();
    update();
    pass(120);
    expect(described()).toMatchObject({
      status: 'IN_PROGRESS',
      lifecycleStage: 'BAKE_TIME',
      targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 2, pendingTaskCount: 0, requestedProductionTrafficWeight: 100 },
      sourceServiceRevisions: [{ requestedTaskCount: 2, runningTaskCount: 2, requestedProductionTrafficWeight: 0 }],
      deploymentConfiguration: { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 },
      deploymentCircuitBreaker: { status: 'DISABLED', failureCount: 0 },
      alarms: { status: 'DISABLED', alarmNames: [], triggeredAlarmNames: [] },
    });
    expect(live()).toMatchObject({
      runningCount: 4,
      deployments: [
        { status: 'PRIMARY', taskDefinition: expect.stringMatching(/web:2$/) },
        { status: 'ACTIVE', taskDefinition: expect.stringMatching(/web:1$/) },
      ],
    });
    expect(live()['currentServiceRevisions']).toHaveLength(2);
    expect((ask('ListTasks', { cluster: 'dev', serviceName: 'web' })['taskArns'] as string[]).length).toBe(4);
  });

  test('leaves the new revision alone when it succeeds', () => {
    const { update, described, live, ask, pass } = world();
    update();
    pass(600);
    expect(described()).toMatchObject({ status: 'SUCCESSFUL', finishedAt: expect.any(Number) });
    const revisions = live()['currentServiceRevisions'] as Json[];
    expect(revisions).toHaveLength(1);
    const reply = ask('DescribeServiceRevisions', { serviceRevisionArns: [revisions[0]?.['arn'], 'arn:aws:ecs:none'] });
    expect(reply).toMatchObject({
      serviceRevisions: [{ taskDefinition: expect.stringMatching(/web:2$/), launchType: 'FARGATE' }],
      failures: [{ arn: 'arn:aws:ecs:none', reason: 'MISSING' }],
    });
  });

  test('that is rolled back leaves the old one, with the reason', () => {
    const { state, update, described, live, pass } = world();
    state.nextDeployment({ outcome: { failAt: 'POST_SCALE_UP' } });
    update();
    pass(600);
    expect(described()).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: expect.stringMatching(/hook execution/),
      rollback: {
        reason: expect.stringMatching(/hook execution/),
        serviceRevisionArn: (live()['currentServiceRevisions'] as Json[])[0]?.['arn'],
      },
    });
    expect(live()['taskDefinition']).toMatch(/web:1$/);
    expect((live()['events'] as Json[])[0]?.['message']).toMatch(/deployment failed: /);
  });

  test('whose tasks may not pull fails, as the execution role was asked', () => {
    const asked: unknown[] = [];
    const { update, described, ask, pass } = world({
      options: { canPull: (...question) => (asked.push(question), 'denied') },
      seed: { deploymentConfiguration: { strategy: 'CANARY', deploymentCircuitBreaker: { enable: true, rollback: true } } },
    });
    update();
    pass(300);
    expect(described()).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      deploymentCircuitBreaker: { status: 'TRIGGERED', failureCount: 3, threshold: 3 },
    });
    expect(asked).toEqual([['public.ecr.aws/x/y:1', here.account, 'arn:aws:iam::222222222222:role/execution']]);
    const stopped = ask('ListTasks', { cluster: 'dev', serviceName: 'web', desiredStatus: 'STOPPED' })['taskArns'] as string[];
    expect(ask('DescribeTasks', { cluster: 'dev', tasks: stopped })['tasks']).toMatchObject(
      Array.from({ length: 3 }, () => ({ stoppedReason: 'CannotPullContainerError: denied' })),
    );
  });

  test('a script is for the service it names', () => {
    const { state, update, described, pass } = world();
    state.nextDeployment({ service: 'other', outcome: { failAt: 'SCALE_UP' } });
    update();
    pass(600);
    expect(described()['status']).toBe('SUCCESSFUL');
  });
});

describe('StopServiceDeployment', () => {
  test('rolls back what is under way, as often as it is asked, and nothing that has ended', () => {
    const { update, listed, ask, pass } = world();
    update();
    pass(60);
    const serviceDeploymentArn = listed()[0]?.['serviceDeploymentArn'];
    expect(ask('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ROLLBACK' })).toEqual({ serviceDeploymentArn });
    expect(ask('StopServiceDeployment', { serviceDeploymentArn })).toEqual({ serviceDeploymentArn });
    expect(listed()[0]?.['status']).toBe('ROLLBACK_REQUESTED');
    pass(60);
    expect(listed()[0]?.['status']).toBe('ROLLBACK_SUCCESSFUL');
    expect(faultOf(() => ask('StopServiceDeployment', { serviceDeploymentArn }))).toMatch(/^ConflictException/);
  });
});

describe('ContinueServiceDeployment', () => {
  const lifecycleHooks = [{ targetType: 'PAUSE', lifecycleStages: ['POST_SCALE_UP'], timeoutConfiguration: { timeoutInMinutes: 60 } }];
  test.each([
    ['CONTINUE', 'IN_PROGRESS'],
    ['ROLLBACK', 'ROLLBACK_IN_PROGRESS'],
  ])('%s ends a pause', (action, status) => {
    const { update, described, ask, pass } = world({ seed: { deploymentConfiguration: { strategy: 'BLUE_GREEN', lifecycleHooks } } });
    update();
    pass(120);
    const { serviceDeploymentArn, lifecycleHookDetails } = described();
    const [hook] = lifecycleHookDetails as Json[];
    expect(hook).toMatchObject({
      targetType: 'PAUSE',
      status: 'AWAITING_ACTION',
      timeoutAction: 'ROLLBACK',
      expiresAt: expect.any(Number),
    });
    const asked = { serviceDeploymentArn, hookId: hook?.['hookId'], action };
    expect(ask('ContinueServiceDeployment', asked)).toEqual({ serviceDeploymentArn });
    pass(1);
    expect(described()['status']).toBe(status);
    expect(faultOf(() => ask('ContinueServiceDeployment', asked))).toMatch(/^InvalidParameterException.*is not awaiting an action/);
  });
});

describe('ListServiceDeployments', () => {
  test('is newest first, by pages, by status and by time', () => {
    const { update, listed, ask, pass, clock } = world();
    update();
    pass(600);
    const between = clock.now() / 1_000;
    update({ taskDefinition: 'web:1' });
    expect(listed().map(({ status }) => status)).toEqual(['PENDING', 'SUCCESSFUL']);
    expect(listed({ status: ['PENDING', 'IN_PROGRESS'] })).toHaveLength(1);
    expect(listed({ createdAt: { before: between } })).toMatchObject([{ status: 'SUCCESSFUL' }]);
    const { serviceDeployments, nextToken } = ask('ListServiceDeployments', { ...service, maxResults: 1 });
    expect(serviceDeployments).toMatchObject([{ status: 'PENDING' }]);
    expect(listed({ maxResults: 1, nextToken })).toMatchObject([{ status: 'SUCCESSFUL' }]);
  });
});

const refused: Record<string, [operation: string, input: Json, fault: RegExp]> = {
  'a list of an unknown service': ['ListServiceDeployments', { cluster: 'dev', service: 'nope' }, /^ServiceNotFoundException/],
  'an unknown status': ['ListServiceDeployments', { ...service, status: ['DONE'] }, /^InvalidParameterException: Invalid status: DONE/],
  'too long a page': ['ListServiceDeployments', { ...service, maxResults: 101 }, /^InvalidParameterException: maxResults/],
  'no ARNs': ['DescribeServiceDeployments', {}, /^InvalidParameterException: serviceDeploymentArns cannot be empty/],
  'too many ARNs': [
    'DescribeServiceRevisions',
    { serviceRevisionArns: Array.from({ length: 21 }, () => 'arn') },
    /^InvalidParameterException: serviceRevisionArns cannot have more than 20/,
  ],
  'what is no ARN': ['StopServiceDeployment', { serviceDeploymentArn: 'one' }, /^InvalidParameterException/],
  'a deployment that is not there': [
    'StopServiceDeployment',
    { serviceDeploymentArn: 'arn:aws:ecs:eu-west-1:222222222222:service-deployment/dev/web/one' },
    /^ServiceDeploymentNotFoundException/,
  ],
};
test.each(Object.entries(refused))('refuses %s', (_name, [operation, input, fault]) => {
  expect(faultOf(() => world().ask(operation, input))).toMatch(fault);
});

test('refuses to abort', () => {
  const { update, listed, ask } = world();
  update();
  const serviceDeploymentArn = listed()[0]?.['serviceDeploymentArn'];
  expect(faultOf(() => ask('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ABORT' }))).toMatch(/stop type ABORT/);
});

test('a service with rolling updates has none', () => {
  const { update, listed } = world({ seed: { deploymentConfiguration: {} } });
  update();
  expect(listed()).toEqual([]);
});
