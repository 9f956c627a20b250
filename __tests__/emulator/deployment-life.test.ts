import { describe, expect, test } from '@jest/globals';
import { DURATIONS, lifeOf } from '../../emulator/deployment-life.ts';
import type { DeploymentPlan, DeployPlan, Life, RollbackPlan } from '../../emulator/deployment-life.ts';

/** Round durations, so that a timeline can be read: Install 5–95, the events up to 100, the first new weight at 110. */
const durations = { ...DURATIONS, created: 2, queued: 3, event: 0, install: 90, hook: 10, shift: 5, terminate: 5, stop: 10, drain: 30 };
const targetGroup = (name: string) => ({
  name,
  arn: `arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/${name}/0123456789abcdef`,
});
const blue = { id: 'ecs-svc/1', taskDefinition: 'web:1', desiredCount: 2, targetGroup: targetGroup('blue') };
const green = { id: 'ecs-svc/2', taskDefinition: 'web:2', desiredCount: 2, targetGroup: targetGroup('green') };
const common = { id: 'd-000000001', createdAt: 0, durations, outcome: 'succeed', commands: [], service: 'web', blue } as const;

const deploy = (given: Partial<DeployPlan> = {}): DeployPlan => ({
  ...common,
  kind: 'deploy',
  green,
  routing: { type: 'AllAtOnce' },
  testListener: true,
  hooks: {},
  terminationWait: 5,
  ...given,
});

const rollback = (given: Partial<RollbackPlan> = {}): RollbackPlan => ({
  ...common,
  kind: 'rollback',
  green: { ...green, running: 2, trafficWeight: 10, primary: false },
  ...given,
});

/** `status target events blue green`: an event is one letter (Pending, InProgress, Succeeded, Failed, sKipped), a task set `P2/2@100`. */
const line = (life: Life): string =>
  [
    life.status,
    life.targetStatus ?? '-',
    life.lifecycleEvents.map(({ status }) => (status === 'Skipped' ? 'K' : status.charAt(0))).join(''),
    ...life.taskSets.map((set) => `${set.status.charAt(0)}${set.running}/${set.desired}@${set.trafficWeight}`),
  ].join(' ');

const second = 1000;

const timelines: Record<string, { plan: DeploymentPlan; at: Record<number, string> }> = {
  'all at once': {
    plan: deploy(),
    at: {
      0: 'Created - PPPPPPPP P2/2@100',
      2: 'Queued - PPPPPPPP P2/2@100',
      5: 'InProgress InProgress SIPPPPPP P2/2@100 A0/2@0',
      70: 'InProgress InProgress SIPPPPPP P2/2@100 A1/2@0',
      95: 'InProgress InProgress SSSSSSIP P2/2@100 A2/2@0',
      100: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
      399: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
      400: 'InProgress Succeeded SSSSSSSS D2/0@0 P2/2@100',
      405: 'Succeeded Succeeded SSSSSSSS D2/0@0 P2/2@100',
    },
  },
  'blue kept alive': {
    plan: (() => {
      const { terminationWait: _, ...plan } = deploy();
      return plan;
    })(),
    at: { 99: 'InProgress InProgress SSSSSSIP P2/2@100 A2/2@0', 100: 'Succeeded Succeeded SSSSSSSS A2/2@0 P2/2@100' },
  },
  canary: {
    plan: deploy({ routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 } }),
    at: {
      100: 'InProgress InProgress SSSSSSIP P2/2@90 A2/2@10',
      399: 'InProgress InProgress SSSSSSIP P2/2@90 A2/2@10',
      400: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
    },
  },
  'linear, the last step cut to 100': {
    plan: deploy({ routing: { type: 'TimeBasedLinear', percentage: 40, minutes: 1 } }),
    at: {
      100: 'InProgress InProgress SSSSSSIP P2/2@60 A2/2@40',
      160: 'InProgress InProgress SSSSSSIP P2/2@20 A2/2@80',
      220: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
    },
  },
  'no test listener': { plan: deploy({ testListener: false }), at: { 96: 'InProgress InProgress SSSKSSIP P2/2@100 A2/2@0' } },
  'Ready, continued': {
    plan: deploy({ readyWait: 60, commands: [{ at: 200 * second, command: 'continue', wait: 'READY_WAIT' }] }),
    at: {
      95: 'Ready Ready SSSSSPPP P2/2@100 A2/2@0',
      199: 'Ready Ready SSSSSPPP P2/2@100 A2/2@0',
      200: 'InProgress InProgress SSSSSSIP P2/2@100 A2/2@0',
      205: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
    },
  },
  'Ready, never continued': {
    plan: deploy({ readyWait: 1 }),
    at: { 154: 'Ready Ready SSSSSPPP P2/2@100 A2/2@0', 155: 'Stopped Failed SSSSSKKK P2/2@100 A2/2@0' },
  },
  'the wait for blue ended early': {
    plan: deploy({ commands: [{ at: 200 * second, command: 'continue', wait: 'TERMINATION_WAIT' }] }),
    at: { 199: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100', 205: 'Succeeded Succeeded SSSSSSSS D2/0@0 P2/2@100' },
  },
  'hooks take time': {
    plan: deploy({ hooks: { BeforeInstall: 'a', AfterAllowTraffic: 'b' } }),
    at: {
      14: 'InProgress InProgress IPPPPPPP P2/2@100',
      15: 'InProgress InProgress SIPPPPPP P2/2@100 A0/2@0',
      119: 'InProgress InProgress SSSSSSSI A2/2@0 P2/2@100',
      120: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100',
    },
  },
  'a hook fails': {
    plan: deploy({ outcome: { failAt: 'AfterAllowTestTraffic' } }),
    at: { 104: 'InProgress InProgress SSSSIPPP P2/2@100 A2/2@0', 105: 'Failed Failed SSSSFKKK P2/2@100 A2/2@0' },
  },
  'a hook never reports back': {
    plan: deploy({ outcome: { hookTimeoutAt: 'BeforeAllowTraffic' } }),
    at: { 3694: 'InProgress InProgress SSSSSIPP P2/2@100 A2/2@0', 3695: 'Failed Failed SSSSSFKK P2/2@100 A2/2@0' },
  },
  'tasks that cannot pull': {
    plan: deploy({ outcome: { tasks: 'cannotPull' } }),
    at: { 3604: 'InProgress InProgress SIPPPPPP P2/2@100 A0/2@0', 3605: 'Failed Failed SFKKKKKK P2/2@100 A0/2@0' },
  },
  'ECS refuses the task set': {
    plan: deploy({ refused: { code: 'ECS_UPDATE_ERROR', message: 'no' } }),
    at: { 5: 'Failed Failed SFKKKKKK P2/2@100' },
  },
  'the shift fails half-way': {
    plan: deploy({ routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 1 }, outcome: { failAt: 'AllowTraffic' } }),
    at: { 1000: 'Failed Failed SSSSSSFK P2/2@50 A2/2@50' },
  },
  'an alarm in mid-canary': {
    plan: deploy({ routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 }, outcome: { alarmAt: 'AllowTraffic', alarm: '5xx' } }),
    at: { 247: 'InProgress InProgress SSSSSSIP P2/2@90 A2/2@10', 248: 'Stopped Failed SSSSSSFK P2/2@90 A2/2@10' },
  },
  'stopped during Install': {
    plan: deploy({ commands: [{ at: 30 * second, command: 'stop' }] }),
    at: { 39: 'InProgress InProgress SIPPPPPP P2/2@100 A0/2@0', 40: 'Stopped Failed SFKKKKKK P2/2@100 A0/2@0' },
  },
  'stopped before it starts': {
    plan: deploy({ durations: { ...durations, stop: 1 }, commands: [{ at: second, command: 'stop' }] }),
    at: { 1: 'Created - PPPPPPPP P2/2@100', 2: 'Stopped - KKKKKKKK P2/2@100' },
  },
  'stopped by somebody else in the wait for blue': {
    plan: deploy({ outcome: { stoppedAt: 'TerminationWait', rollback: true } }),
    at: { 259: 'InProgress Succeeded SSSSSSSS A2/2@0 P2/2@100', 260: 'Stopped Succeeded SSSSSSSS A2/2@0 P2/2@100' },
  },
  'stopped too late': {
    plan: deploy({ commands: [{ at: 395 * second, command: 'stop' }] }),
    at: { 405: 'Succeeded Succeeded SSSSSSSS D2/0@0 P2/2@100' },
  },
  'a rollback': {
    plan: rollback(),
    at: {
      4: 'Queued - PPPPPPPP P2/2@90 A2/2@10',
      6: 'InProgress InProgress KKKKKKIP P2/2@90 A2/2@10',
      10: 'Succeeded Succeeded KKKKKKSK P2/2@100 D2/0@0',
    },
  },
  'a rollback that fails': {
    plan: rollback({ outcome: { failAt: 'AllowTraffic' } }),
    at: { 10: 'Failed Failed KKKKKKFK P2/2@90 A2/2@10' },
  },
};

describe('the life of a deployment', () => {
  test.each(Object.entries(timelines))('%s', (_name, { plan, at }) => {
    const seen = Object.fromEntries(Object.keys(at).map((time) => [time, line(lifeOf(plan, Number(time) * second))]));
    expect(seen).toEqual(at);
  });

  test('the wait for blue is flagged once traffic has moved, and stays', () => {
    const flags = [99, 100, 399, 405].map((at) => lifeOf(deploy(), at * second).instanceTerminationWaitTimeStarted);
    expect(flags).toEqual([false, true, true, true]);
  });

  const errors: Record<string, { plan: DeploymentPlan; code: string; message: RegExp; rollback: string | undefined }> = {
    'BeforeInstall fails: no rollback': {
      plan: deploy({ outcome: { failAt: 'BeforeInstall' } }),
      code: 'HOOK_EXECUTION_FAILURE',
      message: /one or more of the lifecycle event validation functions failed/,
      rollback: undefined,
    },
    'Install times out': {
      plan: deploy({ outcome: { tasks: 'unhealthy' } }),
      code: 'TIMEOUT',
      message: /waiting for the replacement task set to become healthy. This time out period is 60 minutes/,
      rollback: 'DEPLOYMENT_FAILURE',
    },
    'a hook times out': {
      plan: deploy({ outcome: { hookTimeoutAt: 'AfterInstall' } }),
      code: 'TIMEOUT',
      message: /status callback within one hour/,
      rollback: 'DEPLOYMENT_FAILURE',
    },
    'Ready times out': {
      plan: deploy({ readyWait: 1 }),
      code: 'TIMEOUT',
      message: /waiting for a notification to continue. This time out period is 1 minutes/,
      rollback: 'DEPLOYMENT_FAILURE',
    },
    'an alarm': {
      plan: deploy({ outcome: { alarmAt: 'Install', alarm: '5xx' } }),
      code: 'ALARM_ACTIVE',
      message: /Activated alarms: <5xx>$/,
      rollback: 'DEPLOYMENT_STOP_ON_ALARM',
    },
    'a stop': {
      plan: deploy({ outcome: { stoppedAt: 'Install' } }),
      code: 'MANUAL_STOP',
      message: /stopped/,
      rollback: 'DEPLOYMENT_STOP_ON_REQUEST',
    },
    'one of its own': {
      plan: deploy({ outcome: { failAt: 'Install', code: 'IAM_ROLE_PERMISSIONS', message: 'no' } }),
      code: 'IAM_ROLE_PERMISSIONS',
      message: /^no$/,
      rollback: 'DEPLOYMENT_FAILURE',
    },
  };
  test.each(Object.entries(errors))('error: %s', (_name, { plan, code, message, rollback: event }) => {
    const life = lifeOf(plan, 10_000 * second);
    expect(life.errorInformation?.code).toBe(code);
    expect(life.errorInformation?.message).toMatch(message);
    expect(life.rollback?.event).toBe(event);
  });

  test('a failed hook carries its diagnostics', () => {
    const plan = deploy({
      hooks: { AfterInstall: 'CodeDeployHook_smoke' },
      outcome: { failAt: 'AfterInstall', message: 'GET / was 502', logTail: 'curl: 502' },
    });
    const event = lifeOf(plan, 10_000 * second).lifecycleEvents.find(({ name }) => name === 'AfterInstall');
    expect(event?.diagnostics).toEqual({
      errorCode: 'ScriptFailed',
      scriptName: 'CodeDeployHook_smoke',
      message: 'GET / was 502',
      logTail: 'curl: 502',
    });
  });

  test.each([
    ['cannotPull', 'TaskFailedToStart', /^CannotPullContainerError/, /unable to place a task. Reason: CannotPullContainerError/],
    ['unhealthy', 'ServiceSchedulerInitiated', /failed ELB health checks in \(target-group .*green/, /is unhealthy in \(target-group/],
    ['exit', 'EssentialContainerExited', /Essential container/, /has stopped 1 running tasks/],
  ] as const)('%s: tasks are tried again every minute, and the service says why', (tasks, stopCode, reason, event) => {
    const life = lifeOf(deploy({ outcome: { tasks } }), 185 * second);
    expect(life.stoppedTasks.map((task) => task.stopCode)).toEqual([stopCode, stopCode, stopCode]);
    expect(life.stoppedTasks[0]?.stoppedReason).toMatch(reason);
    expect(life.serviceEvents.some(({ message }) => event.test(message))).toBe(true);
    expect(life.serviceEvents.at(-1)?.message).toMatch(/^\(service web\) is unable to consistently start tasks successfully/);
  });

  test('it only ever goes on: what has ended does not change', () => {
    const order = ['Created', 'Queued', 'InProgress', 'Ready', 'InProgress', 'Succeeded'];
    const plan = deploy({ readyWait: 5, commands: [{ at: 150 * second, command: 'continue', wait: 'READY_WAIT' }] });
    const seen = Array.from({ length: 600 }, (_, at) => lifeOf(plan, at * second).status);
    expect(seen.filter((status, index) => status !== seen[index - 1])).toEqual(order);
  });
});
