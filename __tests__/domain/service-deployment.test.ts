import { describe, expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import { explainFailure } from '../../src/domain/deployment-failure.ts';
import { descriptionOfTags, markerOf, parseMarker, tagsOf, undoneBy } from '../../src/domain/deployment-marker.ts';
import { progressBetween } from '../../src/domain/deployment-progress.ts';
import {
  hasReached,
  hasShifted,
  isRollingBack,
  isServiceDeployment,
  isTerminal,
  parseDeploymentId,
  type Snapshot,
  type WaitUntil,
} from '../../src/domain/deployment.ts';
import type { OwnDeployments } from '../../src/domain/live-service.ts';
import {
  deploymentOf,
  deploysItself,
  lifecycleStages,
  pauseAhead,
  pausesBeforeShift,
  runningRevision,
  serviceDeploymentArn,
  serviceDeploymentId,
  serviceDeploymentsUrl,
  snapshotOf,
  type LifecycleHook,
  type ServiceDeployment,
} from '../../src/domain/service-deployment.ts';
import { ownWaitBudget } from '../../src/domain/wait-budget.ts';
import { ownService, someService, someServiceDeployment, tasksOf } from '../fakes/ecs.ts';

const pause: LifecycleHook = {
  id: 'ecs-pause-1',
  kind: 'PAUSE',
  target: undefined,
  status: 'AWAITING_ACTION',
  expiresAt: Date.parse('2026-11-21T13:30:00Z'),
  onTimeout: 'ROLLBACK',
};
const lambda: LifecycleHook = {
  ...pause,
  id: 'ecs-lambda-1',
  kind: 'AWS_LAMBDA',
  target: 'arn:aws:lambda:eu-west-1:222222222222:function:smoke',
  status: 'FAILED',
};
const own = (given: Partial<ServiceDeployment>): ServiceDeployment => ({ ...someServiceDeployment, ...given });

describe('as a deployment', () => {
  test.each([
    ['PENDING', 'Created'],
    ['IN_PROGRESS', 'InProgress'],
    ['STOP_REQUESTED', 'Stopping'],
    ['ROLLBACK_REQUESTED', 'RollingBack'],
    ['ROLLBACK_IN_PROGRESS', 'RollingBack'],
    ['SUCCESSFUL', 'Succeeded'],
    ['STOPPED', 'Stopped'],
    ['ROLLBACK_SUCCESSFUL', 'Failed'],
    ['ROLLBACK_FAILED', 'Failed'],
    ['SOMETHING_NEW', 'SOMETHING_NEW'],
  ])('%s is %s', (status, expected) => {
    const deployment = deploymentOf(own({ status }));
    expect(deployment.status).toBe(expected);
    expect(isTerminal(deployment.status)).toBe(['Succeeded', 'Stopped', 'Failed'].includes(expected));
    expect(isRollingBack(deployment)).toBe(expected === 'RollingBack');
  });

  test('a pause hook makes it Ready, and says where, until when, and what then', () => {
    const deployment = deploymentOf(own({ stage: 'POST_SCALE_UP', hooks: [pause] }));
    expect(deployment).toMatchObject({
      status: 'Ready',
      pause: { said: 'a pause hook holds it at POST_SCALE_UP, until 2026-11-21 13:30 UTC; then ECS rolls back', isAfterShift: false },
    });
    expect(hasReached({ deployment, until: 'ready' })).toBe(true);
    expect(deploymentOf(own({ hooks: [{ ...pause, status: 'SUCCEEDED' }] })).status).toBe('InProgress');
    expect(deploymentOf(own({ hooks: [{ ...lambda, status: 'AWAITING_ACTION' }] })).status).toBe('InProgress');
    expect(deploymentOf(own({ status: 'ROLLBACK_IN_PROGRESS', hooks: [pause] })).status).toBe('RollingBack');
  });

  test.each(lifecycleStages.map((stage) => [stage, stage === 'BAKE_TIME' || stage === 'CLEAN_UP'] as const))(
    'at %s the traffic has shifted whole: %s',
    (stage, shifted) => {
      expect(hasShifted(deploymentOf(own({ stage })))).toBe(shifted);
      expect(hasReached({ deployment: deploymentOf(own({ stage })), until: 'traffic-shifted' })).toBe(shifted);
    },
  );
  test('on the way back it has not', () => {
    expect(hasShifted(deploymentOf(own({ status: 'ROLLBACK_IN_PROGRESS', stage: 'BAKE_TIME' })))).toBe(false);
  });

  test.each<[string, Partial<ServiceDeployment>, string]>([
    ['ROLLBACK_SUCCESSFUL', { rollback: { reason: 'the breaker' }, reason: 'the breaker' }, 'the breaker'],
    ['ROLLBACK_FAILED', { rollback: { reason: 'an alarm.' }, reason: 'It did not work.' }, 'an alarm. It did not work.'],
    ['STOPPED', { reason: 'another began' }, 'another began'],
    ['STOPPED', {}, 'ECS gives no reason'],
  ])('%s %j says why', (status, given, message) => {
    expect(deploymentOf(own({ status, ...given })).error).toEqual({ code: status, message });
  });

  test('what was seen of hooks, alarms and the circuit breaker is told', () => {
    const { statusMessages } = deploymentOf(
      own({
        status: 'ROLLBACK_SUCCESSFUL',
        stage: 'POST_SCALE_UP',
        hooks: [lambda, { ...lambda, status: 'SUCCEEDED' }, { ...pause, status: 'TIMED_OUT' }, { ...pause, status: 'FAILED' }],
        alarms: ['web-5xx'],
        circuitBreaker: { status: 'TRIGGERED', failures: 3, threshold: 3 },
      }),
    );
    expect(statusMessages).toEqual([
      'the lifecycle hook arn:aws:lambda:eu-west-1:222222222222:function:smoke at POST_SCALE_UP failed',
      'the pause hook at POST_SCALE_UP timed out',
      'somebody answered the pause hook at POST_SCALE_UP with a rollback',
      'the CloudWatch alarm web-5xx went off',
      'the deployment circuit breaker tripped: 3 tasks failed, and 3 are its threshold',
    ]);
  });

  test.each([
    [{ status: 'SUCCESSFUL' }, 43],
    [{ status: 'IN_PROGRESS' }, 42],
    [{ status: 'ROLLBACK_SUCCESSFUL' }, 42],
  ])('of %j the revision that runs is %d', (given, revision) => {
    const sources = [tasksOf(41, { traffic: 0 }), tasksOf(42, { traffic: 100 })];
    expect(runningRevision(own({ ...given, target: tasksOf(43), sources }))).toBe(tasksOf(revision).arn);
  });
});

describe('the stages that were seen', () => {
  /** Looks one after the other; each stage begins in the minute of its look. */
  const looks = (...given: Partial<ServiceDeployment>[]): readonly string[] => {
    let last: Snapshot | undefined;
    for (const [minute, each] of given.entries()) last = snapshotOf(own({ updatedAt: minute * 60_000, ...each }), last);
    return (last?.target?.events ?? []).map(
      ({ name, status, startedAt = 0, endedAt }) =>
        `${name} ${status} ${startedAt / 60_000}-${endedAt === undefined ? '' : endedAt / 60_000}`,
    );
  };
  const at = (stage: string, given: Partial<ServiceDeployment> = {}) => ({ stage, ...given });

  test.each<[string, Partial<ServiceDeployment>[], string[]]>([
    ['none before it starts', [{ status: 'PENDING' }], []],
    ['one after the other', [at('PRE_SCALE_UP'), at('SCALE_UP'), at('SCALE_UP')], ['PRE_SCALE_UP Succeeded 0-1', 'SCALE_UP InProgress 1-']],
    ['what was missed is not claimed', [at('PRE_SCALE_UP'), at('BAKE_TIME')], ['PRE_SCALE_UP Succeeded 0-1', 'BAKE_TIME InProgress 1-']],
    [
      'a shift in steps is one',
      [
        at('PRE_PRODUCTION_TRAFFIC_SHIFT'),
        at('PRODUCTION_TRAFFIC_SHIFT'),
        at('PRE_PRODUCTION_TRAFFIC_SHIFT'),
        at('PRODUCTION_TRAFFIC_SHIFT'),
        at('BAKE_TIME'),
      ],
      ['PRE_PRODUCTION_TRAFFIC_SHIFT Succeeded 0-1', 'PRODUCTION_TRAFFIC_SHIFT Succeeded 1-4', 'BAKE_TIME InProgress 4-'],
    ],
    ['one that is not known is news too', [at('SCALE_UP'), at('LUNCH')], ['SCALE_UP Succeeded 0-1', 'LUNCH InProgress 1-']],
    ['all are over at the end', [at('CLEAN_UP'), at('CLEAN_UP', { status: 'SUCCESSFUL' })], ['CLEAN_UP Succeeded 0-1']],
    [
      'a rollback names the one that failed, and adds none',
      [
        at('SCALE_UP'),
        at('POST_SCALE_UP'),
        at('PRODUCTION_TRAFFIC_SHIFT', { status: 'ROLLBACK_IN_PROGRESS' }),
        at('PRODUCTION_TRAFFIC_SHIFT', { status: 'ROLLBACK_SUCCESSFUL' }),
      ],
      ['SCALE_UP Succeeded 0-1', 'POST_SCALE_UP Failed 1-2'],
    ],
    ['of one that goes back already nothing is claimed', [at('PRODUCTION_TRAFFIC_SHIFT', { status: 'ROLLBACK_IN_PROGRESS' })], []],
  ])('%s', (_name, given, expected) => {
    expect(looks(...given)).toEqual(expected);
  });

  test('the one that failed bears its hook', () => {
    const before = snapshotOf(own({ stage: 'POST_SCALE_UP' }));
    const failed = snapshotOf(own({ status: 'ROLLBACK_IN_PROGRESS', stage: 'POST_SCALE_UP', hooks: [lambda] }), before);
    expect(failed.target?.events[0]).toMatchObject({ status: 'Failed', diagnostics: { code: 'FAILED', message: lambda.target } });
  });
});

describe('progress', () => {
  const snapshot = (given: Partial<ServiceDeployment>): Snapshot => snapshotOf(own(given));
  const sources = [tasksOf(42, { traffic: 100 })];

  test('tells tasks and both kinds of traffic', () => {
    const target = { ...tasksOf(43, { running: 2, traffic: 10 }), testTraffic: 100 };
    expect(progressBetween(undefined, snapshot({ stage: 'PRODUCTION_TRAFFIC_SHIFT', target, sources }))).toEqual([
      'PRODUCTION_TRAFFIC_SHIFT …',
      'green tasks: 2 of 2 running',
      'green test traffic: 0 % → 100 %',
      'green traffic: 0 % → 10 %',
    ]);
  });
  test('tells no tasks that nobody wants yet', () => {
    const target = { ...tasksOf(43, { running: 0, traffic: 0 }), requested: 0 };
    expect(progressBetween(undefined, snapshot({ status: 'PENDING', target, sources }))).toEqual(['Created']);
  });
  test('tells a rollback with its reason, and what it does', () => {
    const before = snapshot({ target: tasksOf(43, { traffic: 10 }) });
    const after = snapshot({ status: 'ROLLBACK_IN_PROGRESS', target: tasksOf(43, { traffic: 0 }), rollback: { reason: 'an alarm' } });
    expect(progressBetween(before, after)).toEqual(['RollingBack: an alarm', 'green traffic: 10 % → 0 %']);
  });
  test('tells a pause', () => {
    expect(progressBetween(undefined, snapshot({ stage: 'POST_SCALE_UP', hooks: [pause] }))[0]).toMatch(
      /^Ready: a pause hook holds it at POST_SCALE_UP, .*\(mode: continue, or the console\)$/,
    );
  });
});

describe('why it failed', () => {
  const explain = (given: Partial<ServiceDeployment>) =>
    explainFailure({
      snapshot: snapshotOf(own({ status: 'ROLLBACK_SUCCESSFUL', ...given })),
      circumstances: { serviceEvents: [], stoppedTasks: [] },
    });
  test.each<[string, Partial<ServiceDeployment>, RegExp]>([
    ['a hook', { hooks: [lambda], stage: 'POST_SCALE_UP' }, /Lambda function .* log/],
    ['a pause that timed out', { hooks: [{ ...pause, status: 'TIMED_OUT' }], stage: 'POST_SCALE_UP' }, /continued it in time/],
    ['an alarm', { alarms: ['web-5xx'] }, /see it in CloudWatch/],
    ['the circuit breaker', { circuitBreaker: { status: 'TRIGGERED', failures: 3, threshold: 3 } }, /new tasks do not stay up/],
    ['another deployment', { status: 'STOPPED', reason: 'Stopped because a new service deployment started.' }, /concurrency group/],
  ])('%s', (_name, given, advice) => {
    expect(explain(given).advice).toMatch(advice);
  });
});

describe('how long it may take', () => {
  const base = ownService.own;
  test.each([
    ['blue/green', {}, 'succeeded', 35],
    ['to the shift', {}, 'traffic-shifted', 30],
    ['canary', { routing: { kind: 'canary', percentage: 5, minutes: 10 } }, 'succeeded', 45],
    ['linear', { routing: { kind: 'linear', percentage: 10, minutes: 6 } }, 'succeeded', 89],
    ['a pause', { pauses: [{ stage: 'POST_SCALE_UP', minutes: 60 }] }, 'succeeded', 95],
    ['a pause, till it holds', { pauses: [{ stage: 'POST_SCALE_UP', minutes: 60 }] }, 'ready', 30],
    [
      'a pause before each of two steps',
      { routing: { kind: 'canary', percentage: 5, minutes: 10 }, pauses: [{ stage: 'PRE_PRODUCTION_TRAFFIC_SHIFT', minutes: 60 }] },
      'succeeded',
      165,
    ],
    ['a network load balancer', { networkLoadBalancer: true }, 'succeeded', 55],
  ] as const)('%s', (_name, given, until, minutes) => {
    expect(ownWaitBudget({ own: { ...base, ...given }, until }).minutes).toBe(minutes);
  });
});

describe('who deploys a service', () => {
  test.each([
    ['ECS', 'BLUE_GREEN', true],
    ['ECS', 'LINEAR', true],
    ['ECS', 'CANARY', true],
    ['ECS', 'ROLLING', false],
    ['ECS', undefined, false],
    ['CODE_DEPLOY', 'BLUE_GREEN', false],
    ['EXTERNAL', undefined, false],
  ])('the controller %s with the strategy %s: ECS itself is %s', (controller, strategy, expected) => {
    expect(deploysItself({ ...someService, controller, own: { ...someService.own, strategy } })).toBe(expected);
  });
  test('it is Ready where a pause comes between the new tasks and the traffic', () => {
    const pauses = lifecycleStages.map((stage) => ({ stage, minutes: 1 }));
    expect(pausesBeforeShift({ ...ownService.own, pauses }).map(({ stage }) => stage)).toEqual([
      'POST_SCALE_UP',
      'TEST_TRAFFIC_SHIFT',
      'POST_TEST_TRAFFIC_SHIFT',
      'PRE_PRODUCTION_TRAFFIC_SHIFT',
    ]);
  });
});

describe('whether a pause is ahead', () => {
  const canary = { routing: { kind: 'canary', percentage: 10, minutes: 5 } } as const;
  const at = (...stages: readonly string[]) => ({ pauses: stages.map((stage) => ({ stage, minutes: 1 })) });
  const over: LifecycleHook = { ...pause, status: 'SUCCEEDED' };
  test.each<[string, Partial<OwnDeployments>, Partial<ServiceDeployment>, WaitUntil, string]>([
    ['no pause at all', {}, { stage: 'SCALE_UP' }, 'succeeded', 'none'],
    ['not begun', at('POST_SCALE_UP'), {}, 'succeeded', 'ahead'],
    ['before it', at('POST_SCALE_UP'), { stage: 'SCALE_UP' }, 'succeeded', 'ahead'],
    ['at it, not held yet', at('POST_SCALE_UP'), { stage: 'POST_SCALE_UP' }, 'succeeded', 'ahead'],
    ['at it, continued', at('POST_SCALE_UP'), { stage: 'POST_SCALE_UP', hooks: [over] }, 'succeeded', 'past'],
    ['after it', at('POST_SCALE_UP'), { stage: 'TEST_TRAFFIC_SHIFT' }, 'succeeded', 'past'],
    ['one of two', at('POST_SCALE_UP', 'POST_PRODUCTION_TRAFFIC_SHIFT'), { stage: 'TEST_TRAFFIC_SHIFT' }, 'succeeded', 'ahead'],
    ['one after what is waited for', at('POST_PRODUCTION_TRAFFIC_SHIFT'), { stage: 'SCALE_UP' }, 'traffic-shifted', 'none'],
    ['the shift in one', at('PRE_PRODUCTION_TRAFFIC_SHIFT'), { stage: 'PRODUCTION_TRAFFIC_SHIFT' }, 'succeeded', 'past'],
    [
      'the next step of the shift',
      { ...canary, ...at('PRE_PRODUCTION_TRAFFIC_SHIFT') },
      { stage: 'PRODUCTION_TRAFFIC_SHIFT', target: tasksOf(42, { traffic: 10 }) },
      'succeeded',
      'ahead',
    ],
    [
      'the last step of the shift',
      { ...canary, ...at('PRE_PRODUCTION_TRAFFIC_SHIFT') },
      { stage: 'PRODUCTION_TRAFFIC_SHIFT', target: tasksOf(42, { traffic: 100 }) },
      'succeeded',
      'past',
    ],
  ])('%s', (_name, given, deployment, until, ahead) => {
    expect(pauseAhead({ own: { ...ownService.own, ...given }, deployment: own(deployment), until })).toBe(ahead);
  });
});

describe('its names', () => {
  const place = { region: 'cn-north-1' as Region, account: '222222222222' as AccountId, cluster: 'dev', service: 'web' };
  const arn = 'arn:aws-cn:ecs:cn-north-1:222222222222:service-deployment/dev/web/NCWGC2ZR-taawPAYrIaU5';
  test('the ID is the last part of the ARN, which is made from it', () => {
    expect(serviceDeploymentArn(place, 'NCWGC2ZR-taawPAYrIaU5')).toBe(arn);
    expect([serviceDeploymentId(arn), serviceDeploymentId('NCWGC2ZR-taawPAYrIaU5')]).toEqual(Array(2).fill('NCWGC2ZR-taawPAYrIaU5'));
  });
  test.each([
    ['d-9XKQ2T7LM', false],
    ['NCWGC2ZR-taawPAYrIaU5', true],
    ['d-rGC2ZR-taawPAYrIaU5', true],
    ['arn:aws-us-gov:ecs:us-gov-west-1:222222222222:service-deployment/dev/web/NCWGC2ZR-taawPAYrIaU5', true],
    ['9XKQ2T7LM', undefined],
    ['d-9XKQ 2T7LM', undefined],
    ['arn:aws:ecs:eu-west-1:222222222222:service/dev/web', undefined],
    ['arn:aws:ecs:eu-west-1:222222222222:service-deployment/dev/NCWGC2ZR-taawPAYrIaU5', undefined],
  ])('as a deployment-id: %s', (text, isOwn) => {
    const id = parseDeploymentId(text);
    expect(id.ok ? isServiceDeployment(id.value) : undefined).toBe(isOwn);
  });

  test('the console is the partition’s', () => {
    expect(serviceDeploymentsUrl(place)).toBe(
      'https://cn-north-1.console.amazonaws.cn/ecs/v2/clusters/dev/services/web/deployments?region=cn-north-1',
    );
  });
});

test('the mark of a run fits a tag, and reads back', () => {
  const marker = markerOf(
    { repository: 'acme/shop', workflow: 'Release', runId: '77', runAttempt: '2', job: 'deploy' },
    { nonce: 'abc1', pullRequest: 7 },
  );
  const tags = tagsOf({ marker });
  expect(tags).toEqual([{ key: 'ecr-org-deploy', value: 'acme.shop:Release/77/2/deploy/pr-7@abc1' }]);
  for (const { value } of tags) expect(value).toMatch(/^[\p{L}\p{N}\p{Z}_.:/=+@-]{1,256}$/u);
  const description = descriptionOfTags([{ key: 'team', value: 'shop' }, ...tags]);
  expect(parseMarker(description)).toEqual(marker);
  expect(undoneBy(description)).toBeUndefined();
  expect(undoneBy(descriptionOfTags(tagsOf({ marker, undoes: 'NCWGC2ZR-taawPAYrIaU5' })))).toBe('NCWGC2ZR-taawPAYrIaU5');
  expect(descriptionOfTags([{ key: 'team', value: 'shop' }])).toBe('');
});
