import { describe, expect, test } from '@jest/globals';
import { AwsError, CancelledError, DeploymentError, InputError } from '../../src/errors.ts';
import type { Session } from '../../src/ports/credentials.ts';
import { deployService } from '../../src/steps/deploy-service.ts';
import { followDeployment, type Followed } from '../../src/steps/follow-deployment.ts';
import type { DeploymentInputs } from '../../src/steps/prepare-deployment.ts';
import { event, target, type Moment } from '../fakes/codedeploy.ts';
import { someService } from '../fakes/ecs.ts';
import { awsError, failureOf, Setting } from './deployment-setting.ts';

const life: readonly Moment[] = [
  { after: 0, status: 'Created' },
  { after: 3, status: 'InProgress', target: target([event('BeforeInstall', 'Succeeded', 1), event('Install', 'InProgress')]) },
  {
    after: 60,
    status: 'InProgress',
    target: target([event('BeforeInstall', 'Succeeded', 1), event('Install', 'InProgress')], { running: 1, traffic: 0 }),
  },
  {
    after: 90,
    status: 'InProgress',
    target: target([event('Install', 'Succeeded', 87), event('AllowTraffic', 'InProgress')], { running: 2, traffic: 10 }),
  },
  {
    after: 200,
    status: 'InProgress',
    terminationWaitStarted: true,
    target: target([event('AllowTraffic', 'Succeeded', 110)], { running: 2, traffic: 100 }),
  },
  {
    after: 500,
    status: 'Succeeded',
    terminationWaitStarted: true,
    target: target([event('AllowTraffic', 'Succeeded', 110)], { running: 2, traffic: 100 }),
  },
];

async function started(setting: Setting, inputs: Partial<DeploymentInputs> = {}) {
  const deployed = await deployService(await setting.prepare(inputs), setting.request);
  if (deployed.result !== 'started') throw new Error('it did not start');
  setting.log.lines.length = 0;
  setting.journal.length = 0;
  return deployed;
}

async function follow(setting: Setting, inputs: Partial<DeploymentInputs> = {}): Promise<Followed> {
  return followDeployment({ ...setting.request, ...(await started(setting, inputs)), forewarned: false });
}

function living(moments: readonly Moment[]): Setting {
  const setting = new Setting();
  setting.codedeploy.life = moments;
  return setting;
}

describe('a deployment that succeeds', () => {
  test('is told by what is new, a line each', async () => {
    const setting = living(life);
    expect(await follow(setting)).toMatchObject({ status: 'Succeeded' });
    expect(setting.log.lines).toEqual([
      '▼ d-NEW1  following until succeeded, for at most 35 min (30 min for tasks and hooks, 5 min before the old tasks end)',
      'd-NEW1  Created',
      'd-NEW1  BeforeInstall ✓ (1 s)',
      'd-NEW1  Install …',
      'd-NEW1  green tasks: 1 of 2 running',
      'd-NEW1  Install ✓ (1 min 27 s)',
      'd-NEW1  AllowTraffic …',
      'd-NEW1  green tasks: 2 of 2 running',
      'd-NEW1  green traffic: 0 % → 10 %',
      'd-NEW1  AllowTraffic ✓ (1 min 50 s)',
      'd-NEW1  green traffic: 10 % → 100 %',
      'd-NEW1  the traffic has shifted whole; the old tasks are kept for a while',
      'd-NEW1  Succeeded',
      'd-NEW1  Succeeded: AllowTraffic ✓ (1 min 50 s)',
    ]);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
    expect(setting.remembered).toEqual([]);
    expect(setting.writes).toEqual([]);
  });

  test('is never looked at more than every two seconds', async () => {
    const setting = living(life);
    await follow(setting);
    expect(Math.min(...setting.clock.slept)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...setting.clock.slept)).toBeLessThanOrEqual(20_000);
  });
});

describe('wait-until', () => {
  test.each([
    ['started', 'Created', 0],
    ['traffic-shifted', 'InProgress', 200],
    ['succeeded', 'Succeeded', 500],
  ] as const)('%s', async (until, status, seconds) => {
    const setting = living(life);
    const begin = setting.clock.now();
    expect((await follow(setting, { 'wait-until': until })).status).toBe(status);
    const took = (setting.clock.now() - begin) / 1_000;
    expect(took).toBeGreaterThanOrEqual(seconds);
    expect(took).toBeLessThanOrEqual(seconds + 20);
    if (until === 'started') expect(setting.journal).toEqual(['forget']);
  });

  test('ready ends where the deployment waits to be continued', async () => {
    const setting = living([
      { after: 0, status: 'InProgress' },
      { after: 30, status: 'Ready' },
    ]);
    expect((await follow(setting, { 'wait-until': 'ready' })).status).toBe('Ready');
  });
});

describe('a deployment that fails', () => {
  const failed: Moment = {
    after: 30,
    status: 'Failed',
    error: { code: 'HEALTH_CONSTRAINTS', message: 'the green tasks are not healthy' },
    target: target([
      { ...event('Install', 'Failed', 27), diagnostics: { code: 'ScriptFailed', message: 'exit 1', logTail: 'last words' } },
    ]),
  };

  test('is explained, and the service’s own words with it', async () => {
    const setting = living([{ after: 0, status: 'InProgress' }, failed]);
    const at = setting.clock.now();
    setting.ecs.answer = {
      found: 'service',
      service: {
        ...someService,
        events: [
          { at: at + 9_000, message: 'unable to pull' },
          { at: at - 1, message: 'old news' },
        ],
      },
    };
    setting.ecs.stopped = [
      {
        id: 't',
        taskDefinition: 'web:43',
        stoppedAt: at + 8_000,
        stopCode: 'TaskFailedToStart',
        reason: 'CannotPullContainerError: 403 denied',
        containers: [],
      },
    ];
    const error = await failureOf(follow(setting));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toBe(
      [
        'Deployment d-NEW1 failed: HEALTH_CONSTRAINTS: the green tasks are not healthy',
        '  Install (the new tasks are started, and must become healthy) failed after 27 s: ScriptFailed: exit 1',
        '  last words',
        '  a task of web:43 stopped: CannotPullContainerError: 403 denied',
        '  service event: unable to pull',
        'The new tasks had no production traffic: the users saw nothing of it.',
        'It was not rolled back, so that the new tasks stay as they are until the next deployment. auto-rollback: failure would have CodeDeploy do it.',
      ].join('\n'),
    );
    expect(error.hint).toMatch(/^The task execution role may not pull: .* https:\/\/eu-west-1\.console/);
    expect(setting.outputs.get('deployment-status')).toBe('Failed');
    expect(setting.remembered).toEqual([]);
  });

  test('and is rolled back is followed to the rollback’s end, and fails the step all the same', async () => {
    const setting = living([
      { after: 0, status: 'InProgress', rollsBack: true },
      { ...failed, rollsBack: true },
      { ...failed, rollsBack: true, after: 33, rollback: { by: 'd-BACK', of: undefined, message: undefined } },
    ]);
    const deployed = await started(setting);
    setting.codedeploy.add({ id: 'd-BACK', creator: 'codeDeployRollback' }, [{ after: 60, status: 'Succeeded' }]);
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed }));
    expect(error.message).toMatch(/\nIt was rolled back by d-BACK: the old tasks have the whole traffic again\.$/);
    expect(setting.outputs.get('rollback-deployment-id')).toBe('d-BACK');
    expect(setting.log.lines).toContain('d-BACK  Succeeded');
  });

  test('and whose rollback fails says so', async () => {
    const setting = living([{ ...failed, after: 0, rollback: { by: 'd-BACK', of: undefined, message: undefined } }]);
    const deployed = await started(setting);
    setting.codedeploy.add({ id: 'd-BACK', status: 'Failed' });
    expect((await failureOf(followDeployment({ ...setting.request, ...deployed }))).message).toMatch(
      /Its rollback d-BACK ended as Failed: see which tasks have the traffic/,
    );
  });

  test('stopped by someone else', async () => {
    const setting = living([{ after: 0, status: 'Stopped', error: { code: 'MANUAL_STOP', message: 'stopped by jo' } }]);
    expect((await failureOf(follow(setting))).message).toMatch(/^Deployment d-NEW1 was stopped: MANUAL_STOP: stopped by jo/);
  });
});

const consequence = 'It goes on without this job: neither this step nor its post step touches it any more.';

describe('faults', () => {
  test('throttling, 5xx and lost connections are survived', async () => {
    const setting = living(life);
    setting.codedeploy.failures.set('GetDeployment', [
      awsError('ThrottlingException'),
      awsError('InternalFailure', { httpStatusCode: 500 }),
    ]);
    setting.codedeploy.failures.set('GetDeploymentTarget', [Object.assign(new Error('socket'), { code: 'ECONNRESET' })]);
    expect((await follow(setting)).status).toBe('Succeeded');
    expect(setting.log.lines[1]).toMatch(/no answer from AWS .*; still following$/);
  });

  test.each<[string, ReturnType<Session['ending']>, string, RegExp]>([
    [
      'the job’s own',
      { why: 'environment', at: undefined, left: undefined },
      'the credentials expired and came from the environment, so that they can’t be renewed',
      /^Give deploy-role to let the action renew the credentials itself\. https/,
    ],
    [
      'of a chained role',
      { why: 'role-chaining', at: undefined, left: undefined },
      'the credentials expired, and so did those in the environment from which the role was assumed',
      /^To avoid that, let the job assume the role by OIDC: role-chaining: false/,
    ],
    [
      'of a role that is renewed',
      undefined,
      'the session of deploy-role expired, although the action renews it ten minutes before: ExpiredTokenException: the test says so',
      /^See whether the role’s sessions were revoked, and run the step again\. https/,
    ],
  ])('pain 4: expired credentials, %s, end the wait at once, and the deployment goes on', async (_, ending, why, hint) => {
    const setting = living(life);
    setting.ending = () => ending;
    setting.codedeploy.failures.set('GetDeployment', [awsError('ExpiredTokenException')]);
    const error = await failureOf(follow(setting));
    expect(error.message).toBe(`Deployment d-NEW1 is still running, but can't be followed: ${why}. ${consequence}`);
    expect(setting.remembered).toEqual([]);
    expect(error.hint).toMatch(hint);
    expect(setting.clock.slept).toEqual([]);
    expect(setting.writes).toEqual([]);
  });

  test.each<[string, ReturnType<Session['ending']>, RegExp | undefined]>([
    ['keys that are renewed', undefined, undefined],
    ['keys that last', { why: 'environment', at: 0, left: 35 * 60_000 }, undefined],
    ['keys of an unknown end, and a short wait', { why: 'environment', at: undefined, left: undefined }, undefined],
    [
      'keys that end before the wait may',
      { why: 'environment', at: Date.parse('2026-11-21T12:34:00Z'), left: 34 * 60_000 },
      /^warning: The wait may take 35 min, but the credentials come from the environment and can't be renewed \(they last until 12:34 UTC\)\. Give deploy-role/,
    ],
    [
      'a chained role that ends before the wait may',
      { why: 'role-chaining', at: Date.parse('2026-11-21T12:34:00Z'), left: 34 * 60_000 },
      /^warning: The wait may take 35 min, but the role was assumed by role chaining, which ends after an hour \(until 12:34 UTC\), .*role-chaining: false/,
    ],
  ])('%s: said before the wait, or not', async (_, ending, warning) => {
    const setting = living(life);
    setting.ending = () => ending;
    await follow(setting);
    const warnings = setting.log.lines.filter((line) => line.startsWith('warning'));
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
    if (warning) expect(setting.log.lines[0]).toBe(warnings[0]);
  });

  test('keys of an unknown end, and a wait of more than an hour', async () => {
    const setting = living(life);
    setting.ending = () => ({ why: 'environment', at: undefined, left: undefined });
    await follow(setting, { 'wait-for-minutes': 61 });
    expect(setting.log.lines[0]).toMatch(/they last for an hour as a rule, nobody says/);
  });

  test('a denial ends the wait at once, and names the action', async () => {
    const setting = living(life);
    const hint = "Allow codedeploy:GetDeploymentTarget in the caller's IAM policy; a service control policy can deny it too.";
    const denial = new AwsError('codedeploy:GetDeploymentTarget failed: AccessDeniedException: no.', {
      service: 'codedeploy',
      operation: 'GetDeploymentTarget',
      code: 'AccessDeniedException',
      hint,
    });
    setting.codedeploy.failures.set('GetDeploymentTarget', [denial]);
    const error = await failureOf(follow(setting));
    expect(error.message).toMatch(
      /^Deployment d-NEW1 is still running, but can't be followed: codedeploy:GetDeploymentTarget failed: AccessDeniedException: no\. It goes on without this job/,
    );
    expect(error.hint).toBe(`${hint} ${setting.outputs.get('deployment-url') ?? ''}`);
    expect(setting.remembered).toEqual([]);
  });

  test('so does anything else that AWS refuses', async () => {
    const setting = living(life);
    setting.codedeploy.failures.set('GetDeployment', [awsError('InvalidDeploymentIdException')]);
    const error = await failureOf(follow(setting));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toMatch(
      /^Deployment d-NEW1 is still running, but can't be followed: InvalidDeploymentIdException: the test says so/,
    );
    expect(setting.writes).toEqual([]);
  });

  test('a fault of our own stays one', async () => {
    const setting = living(life);
    setting.codedeploy.failures.set('GetDeployment', [new TypeError('x is not a function')]);
    expect(await failureOf(follow(setting))).toBeInstanceOf(TypeError);
  });

  test.each([
    [
      'STS refuses to renew it',
      new AwsError('sts:AssumeRoleWithWebIdentity failed: AccessDenied', {
        service: 'sts',
        operation: 'AssumeRoleWithWebIdentity',
        code: 'AccessDenied',
      }),
      /the action renews the session of deploy-role by itself, and that failed: sts:AssumeRoleWithWebIdentity failed: AccessDenied\. It goes on/,
      /^See that the role can still be assumed/,
    ],
    [
      'what came is another account’s',
      new InputError([{ input: 'deploy-account-id', problem: 'is another' }]),
      /and that failed: deploy-account-id: is another\. It goes on/,
      /^See that the role can still be assumed/,
    ],
  ])('credentials: %s', async (_name, failure, message, hint) => {
    const setting = living(life);
    const deployed = await started(setting);
    setting.codedeploy.failures.set('GetDeployment', [failure]);
    const side = { ...setting.side, session: { ...setting.session, how: 'oidc' as const } };
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed, target: { ...deployed.target, side } }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(setting.writes).toEqual([]);
  });
});

describe('the time is over', () => {
  const slow: readonly Moment[] = [{ after: 0, status: 'InProgress', target: target([event('Install', 'InProgress')]) }];
  const inputs = { 'wait-for-minutes': 3 };
  const undo = { ...inputs, 'on-timeout': 'rollback' } as const;
  const url = 'https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-NEW1?region=eu-west-1';

  test('on-timeout: leave: it goes on, and what to do is said', async () => {
    const setting = living(slow);
    const error = await failureOf(follow(setting, inputs));
    expect(error.message).toBe(
      'Deployment d-NEW1 did not come to succeeded within 3 min (wait-for-minutes). It was InProgress, in Install. It goes on, as on-timeout says.',
    );
    expect(error.hint).toBe(`Raise wait-for-minutes, or let an earlier wait-until end the step, or on-timeout: rollback undo it. ${url}`);
    expect(setting.writes).toEqual([]);
    expect(setting.remembered).toEqual([]);
  });

  test('one that waits in Ready: how it is continued is said', async () => {
    const error = await failureOf(follow(living([{ after: 0, status: 'Ready' }]), inputs));
    expect(error.hint).toMatch(/^It waits for someone to continue it: let mode: continue \(deployment-id: d-NEW1\) do so/);
  });

  test('pain 10: on-timeout: rollback stops it, follows the rollback to its end, and fails telling both', async () => {
    const setting = living(slow);
    const deployed = await started(setting, undo);
    setting.codedeploy.add({ id: 'd-BACK' }, [{ after: 200, status: 'Succeeded' }]);
    setting.codedeploy.stopped = { rollback: { by: 'd-BACK', of: undefined, message: undefined } };
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed }));
    expect(error.message).toBe(
      'Deployment d-NEW1 did not come to succeeded within 3 min (wait-for-minutes). It was InProgress, in Install. It was stopped with a rollback, as on-timeout says.\nIt was rolled back by d-BACK: the old tasks have the whole traffic again.',
    );
    expect(error).toMatchObject({ status: 'Stopped', rollback: { id: 'd-BACK', status: 'Succeeded' } });
    expect(setting.writes).toEqual(['codedeploy:StopDeployment d-NEW1 with rollback']);
    expect(Object.fromEntries(setting.outputs)).toMatchObject({ 'deployment-status': 'Stopped', 'rollback-deployment-id': 'd-BACK' });
    expect(setting.remembered).toEqual([]);
  });

  test('on-timeout: rollback never undoes a shift that is whole', async () => {
    const setting = living([{ after: 0, status: 'InProgress', terminationWaitStarted: true }]);
    expect((await failureOf(follow(setting, undo))).message).toMatch(
      /It goes on: its traffic has shifted whole, and only the old tasks are still kept\.$/,
    );
    expect(setting.writes).toEqual([]);
  });

  test('pain 13: one that succeeds in the moment of its stop has succeeded', async () => {
    const setting = living([...slow, { after: 179, status: 'InProgress' }]);
    const deployed = await started(setting, undo);
    setting.codedeploy.stopAnswer = 'ended';
    const { deployer } = deployed.target;
    const ending = {
      ...deployer,
      stop: async (of: { id: string; rollback: boolean }) => {
        setting.codedeploy.become('d-NEW1', { status: 'Succeeded' });
        return deployer.stop(of);
      },
    };
    const target = { ...deployed.target, deployer: ending };
    expect(await followDeployment({ ...setting.request, ...deployed, target })).toMatchObject({ status: 'Succeeded' });
  });

  test('a stop that fails is left to the post step, whatever on-cancel says', async () => {
    const setting = living(slow);
    setting.codedeploy.failures.set('StopDeployment', [awsError('ThrottlingException')]);
    const error = await failureOf(follow(setting, { ...undo, 'on-cancel': 'leave' }));
    expect(error.message).toMatch(
      /It goes on, for it could not be stopped, as on-timeout says: ThrottlingException: .*\. The post step tries again\.$/,
    );
    expect(setting.remembered).toMatchObject([{ kind: 'deployment', onCancel: 'rollback' }]);
  });

  test('what does not end when it is stopped is not waited for for ever', async () => {
    const setting = living(slow);
    setting.codedeploy.stopped = { status: 'InProgress' };
    expect((await failureOf(follow(setting, undo))).message).toMatch(/as on-timeout says, and had not ended 30 min later\.$/);
  });
});

describe('a cancel', () => {
  const cancelled = async (setting: Setting, inputs: Partial<DeploymentInputs> = {}) => {
    const deployed = await started(setting, inputs);
    setting.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
    return failureOf(followDeployment({ ...setting.request, ...deployed }));
  };

  test('stops the deployment with a rollback', async () => {
    const setting = living(life);
    expect((await cancelled(setting)).message).toMatch(/^The run was cancelled\. Deployment d-NEW1 was stopped with a rollback/);
    expect(setting.writes).toEqual(['codedeploy:StopDeployment d-NEW1 with rollback']);
    expect(setting.clock.slept).toEqual([]);
    expect(setting.remembered).toEqual([]);
  });

  test('is answered at once in the midst of a slow call', async () => {
    const setting = living(life);
    const deployed = await started(setting);
    const slow = Promise.withResolvers<never>();
    const request = { ...setting.request, ...deployed };
    const deployer = { ...deployed.target.deployer, look: async () => slow.promise };
    const following = failureOf(followDeployment({ ...request, target: { ...deployed.target, deployer } }));
    setTimeout(() => setting.abort.abort(new CancelledError('now')), 10);
    expect((await following).message).toMatch(/was stopped with a rollback/);
  });

  test('leaves it running where that is asked', async () => {
    const setting = living(life);
    expect((await cancelled(setting, { 'on-cancel': 'leave' })).message).toMatch(/Deployment d-NEW1 goes on without being followed/);
    expect(setting.writes).toEqual([]);
  });

  test('that can’t be carried out is left to the post step', async () => {
    const setting = living(life);
    setting.codedeploy.failures.set('StopDeployment', [awsError('ThrottlingException')]);
    expect((await cancelled(setting)).message).toMatch(/^The run was cancelled, and deployment d-NEW1 could not be stopped: /);
    expect(setting.remembered).toHaveLength(1);
  });
});
