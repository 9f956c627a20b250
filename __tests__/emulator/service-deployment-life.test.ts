import { describe, expect, test } from '@jest/globals';
import { DURATIONS } from '../../emulator/deployment-life.ts';
import { serviceLifeOf } from '../../emulator/service-deployment-life.ts';
import type { Hook, ServiceDeploymentLife, ServiceDeploymentPlan } from '../../emulator/service-deployment-life.ts';

/** Round durations, so that a timeline can be read: SCALE_UP 5–95, the stages up to the shift at 95, the first new weight at 100. */
const durations = { ...DURATIONS, created: 2, queued: 3, event: 0, install: 90, hook: 10, shift: 5, terminate: 5, stop: 10, retry: 60 };
const targetGroup = { name: 'web', arn: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/web/0123456789abcdef' };
const blue = { id: 'ecs-svc/1', taskDefinition: 'web:1', desiredCount: 2, targetGroup };
const green = { id: 'ecs-svc/2', taskDefinition: 'web:2', desiredCount: 2, targetGroup };
const lambda = (stage: Hook['stages'][number]): Hook => ({
  kind: 'AWS_LAMBDA',
  stages: [stage],
  target: 'arn:aws:lambda:eu-west-1:222222222222:function:smoke',
  minutes: 1440,
  onTimeout: 'ROLLBACK',
});
const pause = (stage: Hook['stages'][number], onTimeout: Hook['onTimeout'] = 'ROLLBACK'): Hook => ({
  kind: 'PAUSE',
  stages: [stage],
  minutes: 10,
  onTimeout,
});

const second = 1000;

const deploy = (given: Partial<ServiceDeploymentPlan> = {}): ServiceDeploymentPlan => ({
  id: 'one',
  createdAt: 0,
  durations,
  outcome: 'succeed',
  rollback: 'succeed',
  commands: [],
  service: 'web',
  blue: [blue],
  green,
  routing: { type: 'AllAtOnce' },
  shifts: true,
  testTraffic: false,
  bakeMinutes: 5,
  hooks: [],
  circuitBreaker: { enable: true, rollback: true, threshold: 3 },
  alarms: { names: ['5xx'], rollback: true },
  ...given,
});

/** `status stage green blue hooks`: tasks as `2/2@100`, what runs of what is wanted and its production traffic. */
const line = ({ status, stage, green: new_, blue: old, hooks }: ServiceDeploymentLife): string =>
  [
    status,
    stage ?? '-',
    ...[new_, ...old].map((set) => `${set.running}/${set.desired}${set.production === undefined ? '' : `@${set.production}`}`),
    ...hooks.map((hook) => hook.status),
  ].join(' ');

/** The ID of the first hook that somebody must answer. */
const pausedAt = (plan: ServiceDeploymentPlan, at: number): string => serviceLifeOf(plan, at * second).hooks[0]?.id ?? '';

const paused = deploy({ hooks: [pause('POST_SCALE_UP')] });
const answered = (action: 'CONTINUE' | 'ROLLBACK') =>
  deploy({
    hooks: [pause('POST_SCALE_UP')],
    commands: [{ at: 200 * second, command: 'continue', hookId: pausedAt(paused, 100), action }],
  });

const timelines: Record<string, { plan: ServiceDeploymentPlan; at: Record<number, string> }> = {
  'blue/green': {
    plan: deploy(),
    at: {
      0: 'PENDING - 0/0@0 2/2@100',
      5: 'IN_PROGRESS SCALE_UP 0/2@0 2/2@100',
      70: 'IN_PROGRESS SCALE_UP 1/2@0 2/2@100',
      95: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@0 2/2@100',
      100: 'IN_PROGRESS BAKE_TIME 2/2@100 2/2@0',
      400: 'IN_PROGRESS CLEAN_UP 2/2@100 2/2@0',
      405: 'SUCCESSFUL CLEAN_UP 2/2@100 0/0@0',
    },
  },
  canary: {
    plan: deploy({ routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 } }),
    at: {
      100: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@10 2/2@90',
      399: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@10 2/2@90',
      405: 'IN_PROGRESS BAKE_TIME 2/2@100 2/2@0',
    },
  },
  'linear, the last step cut to 100': {
    plan: deploy({ routing: { type: 'TimeBasedLinear', percentage: 40, minutes: 1 } }),
    at: {
      100: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@40 2/2@60',
      165: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@80 2/2@20',
      230: 'IN_PROGRESS BAKE_TIME 2/2@100 2/2@0',
    },
  },
  'without a load balancer there is no traffic': {
    plan: deploy({ shifts: false }),
    at: { 100: 'IN_PROGRESS BAKE_TIME 2/2 2/2', 405: 'SUCCESSFUL CLEAN_UP 2/2 0/0' },
  },
  'after one that was broken off': {
    plan: deploy({ blue: [blue, { ...blue, id: 'ecs-svc/9' }], hooks: [lambda('RECONCILE_SERVICE')] }),
    at: { 6: 'IN_PROGRESS RECONCILE_SERVICE 0/0@0 2/2@100 2/2@0 IN_PROGRESS', 15: 'IN_PROGRESS SCALE_UP 0/2@0 2/2@100 2/2@0' },
  },
  'a hook takes its time': {
    plan: deploy({ hooks: [lambda('PRE_SCALE_UP')] }),
    at: { 5: 'IN_PROGRESS PRE_SCALE_UP 0/0@0 2/2@100 IN_PROGRESS', 15: 'IN_PROGRESS SCALE_UP 0/2@0 2/2@100' },
  },
  'a hook fails before the traffic shifts': {
    plan: deploy({ hooks: [lambda('POST_SCALE_UP')], outcome: { failAt: 'POST_SCALE_UP' } }),
    at: {
      104: 'IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 IN_PROGRESS',
      105: 'ROLLBACK_IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 FAILED',
      115: 'ROLLBACK_SUCCESSFUL POST_SCALE_UP 0/0@0 2/2@100 FAILED',
    },
  },
  'a hook fails after it has shifted': {
    plan: deploy({ hooks: [lambda('POST_PRODUCTION_TRAFFIC_SHIFT')], outcome: { failAt: 'POST_PRODUCTION_TRAFFIC_SHIFT' } }),
    at: {
      110: 'ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@100 2/2@0 FAILED',
      115: 'ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@0 2/2@100 FAILED',
      120: 'ROLLBACK_SUCCESSFUL PRODUCTION_TRAFFIC_SHIFT 0/0@0 2/2@100 FAILED',
    },
  },
  'a rollback that fails': {
    plan: deploy({ outcome: { failAt: 'BAKE_TIME' }, rollback: 'fail' }),
    at: { 410: 'ROLLBACK_FAILED PRODUCTION_TRAFFIC_SHIFT 2/2@100 2/2@0' },
  },
  'tasks that cannot pull, and the circuit breaker': {
    plan: deploy({ outcome: { tasks: 'cannotPull' } }),
    at: {
      184: 'IN_PROGRESS SCALE_UP 0/2@0 2/2@100',
      185: 'ROLLBACK_IN_PROGRESS SCALE_UP 0/2@0 2/2@100',
      195: 'ROLLBACK_SUCCESSFUL SCALE_UP 0/0@0 2/2@100',
    },
  },
  'a circuit breaker that does not roll back': {
    plan: deploy({ outcome: { tasks: 'exit' }, circuitBreaker: { enable: true, rollback: false, threshold: 3 } }),
    at: { 185: 'STOP_REQUESTED SCALE_UP 0/2@0 2/2@100', 195: 'STOPPED SCALE_UP 0/2@0 2/2@100' },
  },
  'no circuit breaker: a day': {
    plan: deploy({ outcome: { tasks: 'unhealthy' }, circuitBreaker: { enable: false, rollback: false, threshold: 3 } }),
    at: { 86_404: 'IN_PROGRESS SCALE_UP 0/2@0 2/2@100', 86_405: 'ROLLBACK_IN_PROGRESS SCALE_UP 0/2@0 2/2@100' },
  },
  'an alarm in the bake time': {
    plan: deploy({ outcome: { alarmAt: 'BAKE_TIME' } }),
    at: {
      249: 'IN_PROGRESS BAKE_TIME 2/2@100 2/2@0',
      250: 'ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@100 2/2@0',
      260: 'ROLLBACK_SUCCESSFUL PRODUCTION_TRAFFIC_SHIFT 0/0@0 2/2@100',
    },
  },
  'an alarm that only stops': {
    plan: deploy({ outcome: { alarmAt: 'SCALE_UP' }, alarms: { names: ['5xx'], rollback: false } }),
    at: { 50: 'STOP_REQUESTED SCALE_UP 0/2@0 2/2@100', 60: 'STOPPED SCALE_UP 0/2@0 2/2@100' },
  },
  'an alarm that nobody watches': {
    plan: deploy({ outcome: { alarmAt: 'SCALE_UP' }, alarms: { names: [], rollback: false } }),
    at: { 405: 'SUCCESSFUL CLEAN_UP 2/2@100 0/0@0' },
  },
  'stopped in mid-canary': {
    plan: deploy({
      routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 },
      commands: [{ at: 200 * second, command: 'stop' }],
    }),
    at: {
      200: 'ROLLBACK_REQUESTED PRODUCTION_TRAFFIC_SHIFT 2/2@10 2/2@90',
      210: 'ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@10 2/2@90',
      215: 'ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@0 2/2@100',
      220: 'ROLLBACK_SUCCESSFUL PRODUCTION_TRAFFIC_SHIFT 0/0@0 2/2@100',
    },
  },
  'stopped by somebody else': {
    plan: deploy({ outcome: { stoppedAt: 'SCALE_UP' } }),
    at: { 50: 'ROLLBACK_REQUESTED SCALE_UP 0/2@0 2/2@100', 70: 'ROLLBACK_SUCCESSFUL SCALE_UP 0/0@0 2/2@100' },
  },
  'stopped too late': {
    plan: deploy({ commands: [{ at: 401 * second, command: 'stop' }] }),
    at: { 402: 'ROLLBACK_REQUESTED CLEAN_UP 2/2@100 2/2@0', 405: 'SUCCESSFUL CLEAN_UP 2/2@100 0/0@0' },
  },
  'replaced by another': {
    plan: deploy({ commands: [{ at: 50 * second, command: 'replace' }] }),
    at: { 50: 'STOP_REQUESTED SCALE_UP 0/2@0 2/2@100', 60: 'STOPPED SCALE_UP 0/2@0 2/2@100' },
  },
  'a pause that nobody answers': {
    plan: paused,
    at: {
      95: 'IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 AWAITING_ACTION',
      694: 'IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 AWAITING_ACTION',
      695: 'ROLLBACK_IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 TIMED_OUT',
    },
  },
  'a pause that goes on by itself': {
    plan: deploy({ hooks: [pause('POST_SCALE_UP', 'CONTINUE')] }),
    at: { 695: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@0 2/2@100' },
  },
  'a pause that is continued': { plan: answered('CONTINUE'), at: { 200: 'IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2/2@0 2/2@100' } },
  'a pause that is answered with a rollback': {
    plan: answered('ROLLBACK'),
    at: { 200: 'ROLLBACK_IN_PROGRESS POST_SCALE_UP 2/2@0 2/2@100 FAILED' },
  },
};

describe('the life of a service deployment', () => {
  test.each(Object.entries(timelines))('%s', (_name, { plan, at }) => {
    const seen = Object.fromEntries(Object.keys(at).map((time) => [time, line(serviceLifeOf(plan, Number(time) * second))]));
    expect(seen).toEqual(at);
  });

  test('the test traffic shifts before the production traffic, where there is a test listener', () => {
    const plan = deploy({ testTraffic: true, hooks: [lambda('TEST_TRAFFIC_SHIFT'), lambda('POST_TEST_TRAFFIC_SHIFT')] });
    const seen = [94, 95, 105, 115].map((at) => {
      const {
        stage,
        green: { test, production },
      } = serviceLifeOf(plan, at * second);
      return [stage, test, production];
    });
    expect(seen).toEqual([
      ['SCALE_UP', 0, 0],
      ['TEST_TRAFFIC_SHIFT', 100, 0],
      ['POST_TEST_TRAFFIC_SHIFT', 100, 0],
      ['PRODUCTION_TRAFFIC_SHIFT', 100, 0],
    ]);
  });

  test('a pause before the shift is one before each of its steps', () => {
    const routing = { type: 'TimeBasedLinear', percentage: 50, minutes: 1 } as const;
    const once = deploy({ routing, hooks: [pause('PRE_PRODUCTION_TRAFFIC_SHIFT')] });
    const [first] = serviceLifeOf(once, 95 * second).hooks;
    const twice = {
      ...once,
      commands: [{ at: 100 * second, command: 'continue' as const, hookId: first?.id ?? '', action: 'CONTINUE' as const }],
    };
    const [second_] = serviceLifeOf(twice, 165 * second).hooks;
    expect(second_?.status).toBe('AWAITING_ACTION');
    expect(second_?.id).not.toBe(first?.id);
  });

  const reasons: Record<string, [plan: ServiceDeploymentPlan, reason: RegExp]> = {
    'a hook': [deploy({ outcome: { failAt: 'PRE_SCALE_UP' } }), /hook execution failure/],
    'one of its own': [deploy({ outcome: { failAt: 'SCALE_UP', reason: 'no capacity' } }), /^no capacity$/],
    'the circuit breaker': [deploy({ outcome: { tasks: 'exit' } }), /circuit breaker threshold was exceeded/],
    'an alarm': [deploy({ outcome: { alarmAt: 'BAKE_TIME' } }), /alarm/],
    'a stop': [deploy({ outcome: { stoppedAt: 'SCALE_UP' } }), /a user requested it/],
    'another deployment': [deploy({ commands: [{ at: 50 * second, command: 'replace' }] }), /a new service deployment started/],
  };
  test.each(Object.entries(reasons))('says why: %s', (_name, [plan, reason]) => {
    const life = serviceLifeOf(plan, 100_000 * second);
    expect(life.reason).toMatch(reason);
    expect(life.serviceEvents.at(-1)?.message).toMatch(/^\(service web\) \(deployment ecs-svc\/2\) deployment failed: /);
  });

  test('tasks that cannot pull stop, and the service says why', () => {
    const life = serviceLifeOf(deploy({ outcome: { tasks: 'cannotPull' } }), 185 * second);
    expect(life).toMatchObject({ tripped: true, failedTasks: 3 });
    expect(life.stoppedTasks[0]?.stoppedReason).toMatch(/^CannotPullContainerError/);
  });

  test('it only ever goes on', () => {
    const seen = Array.from({ length: 500 }, (_, at) => serviceLifeOf(deploy(), at * second).status);
    expect(seen.filter((status, index) => status !== seen[index - 1])).toEqual(['PENDING', 'IN_PROGRESS', 'SUCCESSFUL']);
  });
});
