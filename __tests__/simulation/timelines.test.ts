/**
 * Whole deployments on an emulated AWS whose clock moves only when we sleep: hours pass in milliseconds, and the same calls are made at
 * the same moments every time. Each timeline ends with what the step says, sets, and has written.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { DeploymentScript, GroupSeed } from '../../emulator/codedeploy.ts';
import { HOOKS, LIFECYCLE_EVENTS } from '../../emulator/deployment-life.ts';
import {
  accessDenied,
  expiredCredentials,
  failure,
  lostReply,
  lostRequest,
  serverError,
  throttling,
  type Fault,
  type FaultTarget,
} from '../../emulator/faults.ts';
import { CancelledError } from '../../src/errors.ts';
import { runDeployment } from '../../src/steps/run-deployment.ts';
import { prepareDeployment, type DeploymentInputs } from '../../src/steps/prepare-deployment.ts';
import { FakeClock } from '../fakes/clock.ts';
import { here, startWorld, type DeploymentWorld } from '../ports/deployment-world.ts';
import { image, Setting, someInputs } from '../steps/deployment-setting.ts';

/** Sleeping moves AWS's clock too, and lets happen what is to happen meanwhile. */
class SharedClock extends FakeClock {
  readonly #world: DeploymentWorld;
  readonly #meanwhile: { readonly at: number; readonly act: () => void | Promise<void> }[];
  readonly #start: number;

  constructor(world: DeploymentWorld, meanwhile: readonly { readonly at: number; readonly act: () => void | Promise<void> }[]) {
    super(world.emulator.clock.now());
    this.#start = this.now();
    this.#world = world;
    this.#meanwhile = [...meanwhile];
  }

  override async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.#world.emulator.clock.advance(milliseconds);
    await super.sleep(milliseconds, signal);
    const due = this.#meanwhile.filter(({ at }) => this.now() - this.#start >= at * 1_000);
    for (const one of due) {
      this.#meanwhile.splice(this.#meanwhile.indexOf(one), 1);
      await one.act();
    }
    signal?.throwIfAborted();
  }
}

const fiveMinutes = { termination: { action: 'TERMINATE', waitTimeInMinutes: 5 } } as const;
const twentyMinutes = { termination: { action: 'TERMINATE', waitTimeInMinutes: 20 } } as const;
const anHour = { termination: { action: 'TERMINATE', waitTimeInMinutes: 60 } } as const;
/** As long as two small Fargate tasks take. */
const ninetySeconds: DeploymentScript = { durations: { install: 90 } };

/** Where nothing else is said the new tasks take six seconds, and the old ones are kept: fewer calls, and the same course. */
interface Timeline {
  readonly group?: Partial<GroupSeed>;
  readonly script?: DeploymentScript;
  readonly inputs?: Partial<DeploymentInputs>;
  readonly faults?: readonly (readonly [FaultTarget, Fault])[];
  /** So many seconds after the beginning. */
  readonly meanwhile?: readonly { readonly at: number; readonly act: (world: DeploymentWorld, id: string) => void | Promise<void> }[];
  /** The run is cancelled then. */
  readonly cancelAt?: number;
}

interface Played {
  /** `deployment-status`. */
  readonly status: string | undefined;
  /** What the step fails with; undefined where it ends well. */
  readonly message: string | undefined;
  readonly hint: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  readonly writes: readonly string[];
  /** Calls of GetDeployment. */
  readonly looks: number;
  readonly minutes: number;
  readonly summary: string;
  /** What the post step would do still. */
  readonly unfinished: number;
  /** Deployments that AWS made, rollbacks among them. */
  readonly made: number;
}

let world: DeploymentWorld | undefined;
afterEach(async () => {
  await world?.emulator.close();
  expect(world?.emulator.violations).toEqual([]);
});

async function play({ group, script, inputs = {}, faults = [], meanwhile = [], cancelAt }: Timeline): Promise<Played> {
  const stage = await startWorld({ speed: 0, group: { autoRollback: true, termination: { action: 'KEEP_ALIVE' }, ...group } });
  world = stage;
  stage.states.codedeploy.deploymentConfig({
    ...here,
    name: 'HalfEachMinute',
    routing: { type: 'TimeBasedLinear', percentage: 50, minutes: 1 },
  });
  stage.states.codedeploy.nextDeployment({ ...script, durations: { install: 6, ...script?.durations } });
  for (const [target, fault] of faults) stage.emulator.faults.inject(target, fault);
  const setting = new Setting();
  setting.ending = () => ({ why: 'environment', at: undefined, left: undefined });
  const clock = new SharedClock(stage, [
    ...meanwhile.map(({ at, act }) => ({ at, act: () => act(stage, setting.outputs.get('deployment-id') ?? '') })),
    ...(cancelAt === undefined ? [] : [{ at: cancelAt, act: () => setting.abort.abort(new CancelledError('The run was cancelled.')) }]),
  ]);
  const start = clock.now();
  const ports = { ...setting.ports, clock };
  const side = { session: setting.session, ecs: stage.ecs, codedeploy: stage.codedeploy };
  let error: (Error & { hint?: string }) | undefined;
  try {
    const prepared = await prepareDeployment({ inputs: { ...someInputs, ...inputs }, side, ports, images: [image] });
    await runDeployment(prepared, { ...setting.request, ports });
  } catch (thrown) {
    error = thrown as Error;
  }
  return {
    status: setting.outputs.get('deployment-status'),
    message: error?.message,
    hint: error?.hint,
    outputs: Object.fromEntries(setting.outputs),
    writes: stage.emulator.requests
      .names()
      .filter((name) => /:(Register|Create|Stop|Continue|Update|Delete)/.test(name))
      .map((name) => name.slice(name.indexOf(':') + 1)),
    looks: stage.emulator.requests.of('codedeploy', 'GetDeployment').length,
    minutes: Math.round((clock.now() - start) / 60_000),
    summary: setting.github.summary,
    unfinished: setting.remembered.length,
    made: stage.states.codedeploy.deployments(here).length,
  };
}

const started = ['RegisterTaskDefinition', 'CreateDeployment'];
const stopped = [...started, 'StopDeployment'];
const noTraffic = /The new tasks had no production traffic/;
const backAgain = /\nIt was rolled back by d-\w+: the old tasks have the whole traffic again\.$/;

describe('deployments that succeed', () => {
  test.each<[string, Timeline, { readonly minutes: number; readonly looks: number; readonly status?: string }]>([
    ['all at once', { group: fiveMinutes, script: ninetySeconds }, { minutes: 7, looks: 108 }],
    ['canary', { group: { deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes' } }, { minutes: 5, looks: 93 }],
    ['linear', { group: { deploymentConfigName: 'HalfEachMinute' } }, { minutes: 1, looks: 33 }],
    ['twenty minutes before the old tasks end', { group: twentyMinutes }, { minutes: 20, looks: 119 }],
    ['the old tasks are kept', {}, { minutes: 0, looks: 11 }],
    [
      'pain 2: wait-until: traffic-shifted does not wait for the old tasks',
      { group: anHour, inputs: { 'wait-until': 'traffic-shifted' } },
      { minutes: 0, looks: 11, status: 'InProgress' },
    ],
    [
      'wait-until: ready',
      { group: { ready: { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 30 } }, inputs: { 'wait-until': 'ready' } },
      { minutes: 0, looks: 8, status: 'Ready' },
    ],
    [
      'it waits in Ready until somebody continues it',
      {
        group: { ready: { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 30 } },
        meanwhile: [{ at: 600, act: async ({ codedeploy }, id) => codedeploy.continueDeployment({ id, wait: 'READY_WAIT' }) }],
      },
      { minutes: 10, looks: 66 },
    ],
    [
      'pain 20: a ready option without a wait time',
      { group: { ready: { actionOnTimeout: 'CONTINUE_DEPLOYMENT' } } },
      { minutes: 0, looks: 11 },
    ],
  ])('%s', async (_name, timeline, { minutes, looks, status = 'Succeeded' }) => {
    const played = await play(timeline);
    expect(played).toMatchObject({ message: undefined, status, outputs: { changed: 'true' }, minutes, unfinished: 0, made: 1 });
    expect(played.outputs).not.toHaveProperty('rollback-deployment-id');
    expect(played.writes.filter((write) => write !== 'ContinueDeployment')).toEqual(started);
    expect(played.looks).toBe(looks);
    expect(played.summary).toContain('| Install | Succeeded |');
  });
});

describe('pain 5: deployments that fail are failed steps', () => {
  test.each(LIFECYCLE_EVENTS)('at %s', async (name) => {
    const played = await play({ script: { outcome: { failAt: name, logTail: 'its last words' } } });
    expect(played).toMatchObject({ status: 'Failed', unfinished: 0 });
    expect(played.writes).toEqual(started);
    expect(played.message).toMatch(
      new RegExp(`^Deployment d-\\w+ failed: \\w+: .*\n  ${name} \\(.*\\) failed after \\d.*(\n.*)*its last words`),
    );
    const isUndone = name !== 'BeforeInstall';
    expect(played.message).toMatch(isUndone ? backAgain : /\nIt was not rolled back, and CodeDeploy does not say why/);
    expect('rollback-deployment-id' in played.outputs).toBe(isUndone);
    expect(played.made).toBe(isUndone ? 2 : 1);
    const isSeen = name === 'AfterAllowTraffic';
    expect(played.message).toMatch(isSeen ? /The new tasks had 100 % of the production traffic then\./ : /The new tasks had/);
    expect(played.summary).toMatch(new RegExp(`\\| ${name} \\| Failed \\|`));
    expect(played.summary).toContain('**What happened**');
  });

  test.each(HOOKS)('pain 21: whose hook %s never reports back', async (name) => {
    const played = await play({ script: { outcome: { hookTimeoutAt: name }, durations: { hookTimeout: 60 } } });
    expect(played).toMatchObject({ status: 'Failed' });
    expect(played.hint).toMatch(/^A hook’s Lambda function did not report back within an hour/);
  });

  test('pain 3: at once: the reason is in the log, not behind a link', async () => {
    const outcome = { failAt: 'BeforeInstall', code: 'IAM_ROLE_MISSING', message: 'The service role is missing.' } as const;
    const played = await play({ script: { outcome } });
    expect(played.message).toMatch(/^Deployment d-\w+ failed: IAM_ROLE_MISSING: The service role is missing\./);
    expect(played.hint).toMatch(/^The deployment group’s service role is gone: give the group another one\. https:/);
  });

  test.each([
    ['cannotPull', /CannotPullContainerError/, /^The task execution role may not pull/],
    ['unhealthy', /failed ELB health checks/, /^The new tasks fail their health check/],
    ['exit', /Essential container in task exited/, /^A container of the new tasks exits/],
  ] as const)('pain 8: tasks that stop, with ECS’s own reason: %s', async (tasks, message, hint) => {
    const played = await play({ script: { outcome: { tasks }, durations: { installTimeout: 200 } } });
    expect(played).toMatchObject({ status: 'Failed', made: 2 });
    expect(played.message).toMatch(message);
    expect(played.message).toMatch(noTraffic);
    expect(played.hint).toMatch(hint);
  });

  test.each<[string, Timeline, RegExp, { readonly status: string; readonly made: number }]>([
    [
      'and whose rollback fails',
      { script: { outcome: { failAt: 'AfterAllowTraffic' }, rollback: 'fail' } },
      /\nIts rollback d-\w+ ended as Failed \(\w+: .*\): see which tasks have the traffic, https:/,
      { status: 'Failed', made: 2 },
    ],
    [
      'and are not rolled back',
      { group: { autoRollback: false }, script: { outcome: { failAt: 'AllowTraffic' } } },
      /\nIt was not rolled back, so that the new tasks stay as they are until the next deployment\. auto-rollback: failure would have CodeDeploy do it\.$/,
      { status: 'Failed', made: 1 },
    ],
    [
      'and are rolled back because auto-rollback says so',
      { group: { autoRollback: false }, inputs: { 'auto-rollback': 'failure' }, script: { outcome: { failAt: 'AllowTraffic' } } },
      backAgain,
      { status: 'Failed', made: 2 },
    ],
    [
      'stopped by an alarm',
      { group: { alarms: ['5xx'] }, script: { outcome: { alarmAt: 'AllowTraffic' } } },
      /^Deployment d-\w+ was stopped: ALARM_ACTIVE: [^]*It was rolled back by/,
      { status: 'Stopped', made: 2 },
    ],
    [
      'stopped by somebody else, with a rollback',
      { script: { ...ninetySeconds, outcome: { stoppedAt: 'Install', rollback: true } } },
      /^Deployment d-\w+ was stopped: MANUAL_STOP: [^]*It was rolled back by/,
      { status: 'Stopped', made: 2 },
    ],
    [
      'stopped by somebody else, without one',
      { script: { ...ninetySeconds, outcome: { stoppedAt: 'Install', rollback: false } } },
      /^Deployment d-\w+ was stopped: MANUAL_STOP: [^]*It was not rolled back/,
      { status: 'Stopped', made: 1 },
    ],
    [
      'stopped since nobody continued it in Ready',
      { group: { ready: { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 10 } } },
      /^Deployment d-\w+ was stopped: TIMEOUT: .*notification to continue[^]*It was rolled back by/,
      { status: 'Stopped', made: 2 },
    ],
  ])('%s', async (_name, timeline, message, { status, made }) => {
    const played = await play(timeline);
    expect(played.message).toMatch(message);
    expect(played).toMatchObject({ status, made, unfinished: 0 });
    // What somebody else did is none of our calls.
    expect(played.writes).toEqual(started);
  });
});

describe('what passes is survived', () => {
  const passing: readonly (readonly [string, Fault])[] = [
    ['throttling', throttling()],
    ['a 5xx', serverError()],
    ['a lost request', lostRequest()],
    ['a lost reply', lostReply()],
  ];
  const operations = [
    'GetDeploymentGroup',
    'ListDeployments',
    'CreateDeployment',
    'GetDeployment',
    'GetDeploymentTarget',
    'DescribeServices',
    'DescribeTaskDefinition',
    'RegisterTaskDefinition',
  ];
  test.each(operations.flatMap((operation) => passing.map(([name, fault]) => [operation, name, fault] as const)))(
    '%s: %s',
    async (operation, _name, fault) => {
      const played = await play({ faults: [[{ operation }, fault]] });
      expect(played).toMatchObject({ message: undefined, status: 'Succeeded', made: 1, unfinished: 0 });
    },
  );

  test('in the midst of everything, again and again', async () => {
    const target = (nth: number): FaultTarget => ({ service: 'codedeploy', operation: 'GetDeployment', nth, times: 2 });
    const played = await play({
      script: ninetySeconds,
      faults: [
        [target(4), lostRequest()],
        [target(9), serverError()],
        [target(14), throttling()],
      ],
    });
    expect(played).toMatchObject({ message: undefined, status: 'Succeeded', made: 1 });
  });
});

describe('pain 4: what does not pass ends the wait at once, and the deployment goes on', () => {
  const refusals: readonly (readonly [string, Fault, RegExp])[] = [
    ['denied', accessDenied(), /^Allow codedeploy:(GetDeployment|GetDeploymentTarget) in the caller's IAM policy/],
    ['expired', expiredCredentials(), /^Give deploy-role to let the action renew the credentials itself/],
    ['refused otherwise', failure('InvalidDeploymentIdException', 'The deployment ID is not valid.'), /^https:/],
  ];
  test.each(['GetDeployment', 'GetDeploymentTarget'].flatMap((operation) => refusals.map((refusal) => [operation, ...refusal] as const)))(
    '%s: %s',
    async (operation, _name, fault, hint) => {
      const played = await play({ faults: [[{ operation, nth: 4, times: 999 }, fault]] });
      expect(played.message).toMatch(/^Deployment d-\w+ is still running, but can't be followed: .*It goes on without this job/);
      expect(played.hint).toMatch(hint);
      expect(played.hint).toMatch(/https:\/\/eu-west-1\.console\.aws\.amazon\.com\/codesuite\/codedeploy\/deployments\/d-/);
      expect(played.outputs['deployment-id']).toMatch(/^d-/);
      expect(played.writes).toEqual(started);
      expect(played).toMatchObject({ minutes: 0, made: 1, unfinished: 0 });
      expect(played.looks).toBeLessThanOrEqual(6);
    },
  );

  test.each(['ListTasks', 'DescribeTasks', 'DescribeServices'])('what only explains may be denied: %s', async (operation) => {
    const played = await play({
      script: { outcome: { tasks: 'exit' }, durations: { installTimeout: 200 } },
      faults: [[{ operation, nth: operation === 'DescribeServices' ? 2 : 1, times: 9 }, accessDenied()]],
    });
    expect(played.message).toMatch(/^Deployment d-\w+ failed: TIMEOUT: /);
    expect(played.message).toMatch(backAgain);
  });

  test('the rollback can’t be followed any more: both is said', async () => {
    const fromRollback = (input: { deploymentId?: unknown }): boolean =>
      input.deploymentId !== world?.states.codedeploy.deployments(here).at(-1)?.id;
    const played = await play({
      script: { outcome: { failAt: 'AfterAllowTraffic' } },
      faults: [[{ operation: 'GetDeployment', when: fromRollback, times: 99 }, accessDenied()]],
    });
    expect(played.message).toMatch(/^Deployment d-\w+ failed: [^]*\nIts rollback could not be followed: Deployment d-\w+ is still running/);
    expect(played.outputs['rollback-deployment-id']).toMatch(/^d-/);
  });
});

describe('the time is over', () => {
  const stuck: DeploymentScript = { outcome: { tasks: 'unhealthy' } };
  test.each<[string, Timeline, RegExp, readonly string[], { readonly status: string; readonly made: number }]>([
    [
      'on-timeout: leave',
      { script: stuck, inputs: { 'wait-for-minutes': 3 } },
      /It goes on, as on-timeout says\.$/,
      started,
      { status: 'InProgress', made: 1 },
    ],
    [
      'on-timeout: rollback',
      { script: stuck, inputs: { 'wait-for-minutes': 3, 'on-timeout': 'rollback' } },
      backAgain,
      stopped,
      { status: 'Stopped', made: 2 },
    ],
    [
      'on-timeout: rollback without one of the group’s own',
      { script: stuck, group: { autoRollback: false }, inputs: { 'wait-for-minutes': 3, 'on-timeout': 'rollback' } },
      backAgain,
      stopped,
      { status: 'Stopped', made: 2 },
    ],
    [
      'on-timeout: rollback, when the traffic has shifted whole',
      {
        group: { termination: { action: 'TERMINATE', waitTimeInMinutes: 60 } },
        inputs: { 'wait-for-minutes': 3, 'on-timeout': 'rollback' },
      },
      /It goes on: its traffic has shifted whole/,
      started,
      { status: 'InProgress', made: 1 },
    ],
  ])('%s', async (_name, timeline, message, writes, { status, made }) => {
    const played = await play(timeline);
    expect(played.message).toMatch(/^Deployment d-\w+ did not come to succeeded within 3 min \(wait-for-minutes\)\. It was InProgress/);
    expect(played.message).toMatch(message);
    expect(played.writes).toEqual(writes);
    expect(played).toMatchObject({ status, made, unfinished: 0 });
  });

  test('pain 11: it is computed with the traffic shift and every wait', async () => {
    const played = await play({
      group: {
        ...twentyMinutes,
        deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
        ready: { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 10 },
      },
      meanwhile: [{ at: 500, act: async ({ codedeploy }, id) => codedeploy.continueDeployment({ id, wait: 'READY_WAIT' }) }],
    });
    expect(played).toMatchObject({ message: undefined, status: 'Succeeded', minutes: 34 });
  });
});

describe('pain 1: a cancel', () => {
  test.each<[string, Timeline, RegExp, readonly string[]]>([
    ['before the shift stops it with a rollback', { script: ninetySeconds, cancelAt: 30 }, /was stopped with a rollback/, stopped],
    [
      'in the midst of the shift too',
      { group: { deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes' }, cancelAt: 60 },
      /was stopped with a rollback/,
      stopped,
    ],
    ['after it leaves the deployment alone', { group: anHour, cancelAt: 60 }, /goes on: its traffic has shifted whole/, started],
    [
      'with on-cancel: leave leaves it alone',
      { script: ninetySeconds, cancelAt: 30, inputs: { 'on-cancel': 'leave' } },
      /goes on without being followed/,
      started,
    ],
  ])('%s', async (_name, timeline, message, writes) => {
    const played = await play(timeline);
    expect(played.message).toMatch(message);
    expect(played.writes).toEqual(writes);
    expect(played).toMatchObject({ made: 1, unfinished: 0 });
    expect(played.summary).toContain('| Outcome | the run was cancelled |');
  });
});
