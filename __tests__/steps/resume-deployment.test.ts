import { describe, expect, test } from '@jest/globals';
import { CancelledError, DeploymentError } from '../../src/errors.ts';
import { continuer } from '../../src/steps/continue-deployment.ts';
import { planContinuation, planFollowing } from '../../src/steps/plan-course.ts';
import { resumeDeployment, type ResumeInputs } from '../../src/steps/resume-deployment.ts';
import { event, someGroup, target, type Moment } from '../fakes/codedeploy.ts';
import { awsError, failureOf } from './deployment-setting.ts';
import { arn, byId, ExistingSetting, wish } from './existing-deployment.ts';

const marked = '[acme.shop:Release/999/1/release#abc123]';
const shifting = target([event('AllowTraffic', 'InProgress')], { running: 2, traffic: 10 });

/** A setting in which d-1 has begun. */
function living(moments: readonly Moment[], given: { description?: string; readyWait?: boolean } = {}): ExistingSetting {
  const setting = new ExistingSetting();
  const { description = '', readyWait = false } = given;
  const group = { ...someGroup, ...(readyWait && { readyWait: { onTimeout: 'STOP_DEPLOYMENT', minutes: 60 } }) };
  setting.codedeploy.groupAnswer = { found: 'group', group };
  setting.codedeploy.add({ id: 'd-1', revision: 'r2', description }, moments);
  return setting;
}

async function follow(setting: ExistingSetting, inputs: Partial<ResumeInputs> = {}, { continuing = false } = {}): Promise<void> {
  const all = { ...wish, ...inputs };
  const found = await setting.find(inputs);
  const { log, abort, ports, memory, output, side } = setting;
  const seen = continuer({ deployer: found.deployer, until: all['wait-until'], log, signal: abort.signal });
  setting.journal.length = 0;
  await resumeDeployment({ found, inputs: all, side, ports, memory, signal: abort.signal, output, ...(continuing && { seen }) });
}

describe('follow', () => {
  test('tells what is followed, and how it ends', async () => {
    const setting = living([{ after: 30, status: 'Succeeded', terminationWaitStarted: true }]);
    await follow(setting);
    expect(setting.log.lines).toEqual([
      'd-1  is under way (InProgress): a deployment of web:42 to web in cluster dev, in deployment group DgpECS-dev-web of AppECS-dev-web: https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-1?region=eu-west-1',
      '▼ d-1  following until succeeded, for at most 35 min (30 min for tasks and hooks, 5 min before the old tasks end)',
      'd-1  Succeeded',
      'd-1  Succeeded',
    ]);
    expect(Object.fromEntries(setting.outputs)).toEqual({
      'deployment-id': 'd-1',
      'deployment-url': expect.stringContaining('d-1'),
      'deployment-status': 'Succeeded',
      'task-definition-arn': arn(42),
    });
    expect(setting.writes).toEqual([]);
    expect(setting.github.summary).toContain('| Task definition | `web:42` |');
  });

  test('counts the deployment’s own traffic configuration in, not the group’s', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1', config: 'CodeDeployDefault.ECSCanary10Percent15Minutes' }, [{ after: 5, status: 'Succeeded' }]);
    await follow(setting);
    expect(setting.log.lines).toContainEqual(expect.stringContaining('for at most 50 min (30 min for tasks and hooks, 15 min canary'));
  });

  test.each(['ready', 'traffic-shifted', 'succeeded'] as const)('one that has succeeded meets %s at once', async (until) => {
    const setting = living([{ after: 0, status: 'Succeeded' }]);
    await follow(setting, { ...byId('d-1'), 'wait-until': until });
    expect(setting.log.lines[0]).toMatch(/^d-1 {2}has ended already \(Succeeded\): a deployment of web:42 to web in cluster dev/);
    expect(setting.log.lines.slice(1)).toEqual(['▼ d-1  how it went', 'd-1  Succeeded', 'd-1  Succeeded']);
    expect(setting.clock.slept).toEqual([]);
  });

  test('one that has failed is explained, its rollback told, and the step fails', async () => {
    const failed: Moment = {
      after: 0,
      status: 'Failed',
      error: { code: 'ALARM_ACTIVE', message: 'an alarm' },
      rollback: { by: 'd-BACK', of: undefined, message: undefined },
    };
    const setting = living([failed]);
    setting.codedeploy.add({ id: 'd-BACK', status: 'Succeeded', creator: 'codeDeployRollback' });
    const error = await failureOf(follow(setting, byId('d-1')));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toBe(
      'Deployment d-1 failed: ALARM_ACTIVE: an alarm\nIt was rolled back by d-BACK: the old tasks have the whole traffic again.',
    );
    expect(Object.fromEntries(setting.outputs)).toMatchObject({ 'deployment-status': 'Failed', 'rollback-deployment-id': 'd-BACK' });
    expect(setting.github.summary).toContain('| Outcome | Failed, rolled back |');
    expect(setting.writes).toEqual([]);
  });

  test('an AppSpec that may not be read is no reason to stop', async () => {
    const setting = living([{ after: 0, status: 'Succeeded' }]);
    setting.codedeploy.failures.set('GetApplicationRevision', [awsError('AccessDeniedException')]);
    await follow(setting, byId('d-1'));
    expect(setting.outputs.has('task-definition-arn')).toBe(false);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
  });

  describe('a cancel', () => {
    const cancelled = async (setting: ExistingSetting, inputs: Partial<ResumeInputs> = {}) => {
      setting.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
      return failureOf(follow(setting, inputs));
    };

    test('leaves it running, for others started it', async () => {
      const setting = living([], { description: marked });
      expect((await cancelled(setting)).message).toMatch(/^The run was cancelled\. Deployment d-1 goes on without being followed: https/);
      expect(setting.journal).toEqual(['codedeploy:GetApplicationRevision r2']);
    });

    test('rolls it back where that is asked, and the post step would too', async () => {
      const setting = living([], { description: marked });
      expect((await cancelled(setting, { 'on-cancel': 'rollback' })).message).toMatch(/Deployment d-1 was stopped with a rollback/);
      expect(setting.journal).toEqual([
        'codedeploy:GetApplicationRevision r2',
        'remember',
        'codedeploy:GetDeployment d-1',
        'codedeploy:StopDeployment d-1 with rollback',
        'forget',
      ]);
    });

    test('of one without a mark of ours is main’s alone: the post step could not know it again', async () => {
      const setting = living([]);
      await cancelled(setting, { 'on-cancel': 'rollback' });
      expect(setting.writes).toEqual(['codedeploy:StopDeployment d-1 with rollback']);
      expect(setting.journal).not.toContain('remember');
    });
  });

  test('its plan', async () => {
    const setting = living([]);
    const { output, ports } = setting;
    const plan = await planFollowing({ found: await setting.find(), inputs: wish, ports, output });
    expect(plan).toMatchObject({ writes: [], course: { id: 'd-1', status: 'InProgress', fate: 'would be followed until succeeded' } });
    const ended = living([{ after: 0, status: 'Failed' }]);
    const found = await ended.find(byId('d-1'));
    expect((await planFollowing({ found, inputs: wish, ports, output })).course?.fate).toBe('has ended: there is nothing to follow');
  });
});

describe('continue', () => {
  const waitsInReady: readonly Moment[] = [{ after: 0, status: 'Ready' }];
  const keepsOldTasks: readonly Moment[] = [{ after: 0, status: 'InProgress', terminationWaitStarted: true }];

  test.each([
    ['Ready', waitsInReady, 'READY_WAIT', 'd-1  continued: the traffic shifts now'],
    ['the wait before the old tasks end', keepsOldTasks, 'TERMINATION_WAIT', 'd-1  continued: its old tasks end now'],
  ])('ends %s, once, and follows', async (_name, moments, wait, line) => {
    const setting = living(moments, { readyWait: true });
    await follow(setting, {}, { continuing: true });
    expect(setting.writes).toEqual([`codedeploy:ContinueDeployment d-1 ${wait}`]);
    expect(setting.log.lines).toContain(line);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
  });

  test('comes too early, and waits for Ready', async () => {
    const setting = living(
      [
        { after: 0, status: 'InProgress' },
        { after: 60, status: 'Ready' },
      ],
      { readyWait: true },
    );
    await follow(setting, {}, { continuing: true });
    expect(setting.writes).toEqual(['codedeploy:ContinueDeployment d-1 READY_WAIT']);
    expect(setting.log.lines.filter((line) => line.includes('has not come to Ready yet'))).toHaveLength(1);
  });

  test.each([
    [
      'one whose traffic shifts already',
      [
        { after: 0, target: shifting },
        { after: 30, status: 'Succeeded' },
      ],
      'succeeded',
      /was continued already/,
    ],
    ['one that has ended', [{ after: 0, status: 'Succeeded' }], 'succeeded', /has ended already: Succeeded/],
    ['one that is as far as is wanted', keepsOldTasks, 'traffic-shifted', /traffic has shifted whole already/],
  ] as const)('leaves %s alone, and is content', async (_name, moments, until, said) => {
    const setting = living(moments, { readyWait: true });
    await follow(setting, { ...byId('d-1'), 'wait-until': until }, { continuing: true });
    expect(setting.writes).toEqual([]);
    expect(setting.log.lines).toContainEqual(expect.stringMatching(said));
  });

  test('of one that waits for nothing says so', async () => {
    const setting = living([{ after: 0, target: shifting }]);
    const error = await failureOf(follow(setting, {}, { continuing: true }));
    expect(error.message).toBe(
      'mode: there is nothing to continue: d-1 is InProgress, and waits for nothing: its group shifts the traffic without a wait in Ready, and the wait before the old tasks end has not begun. Continue it in that wait, or use mode: follow',
    );
    expect(setting.writes).toEqual([]);
  });

  test('of one that has failed fails, and continues nothing', async () => {
    const setting = living([{ after: 0, status: 'Stopped', error: { code: 'TIMEOUT', message: 'nobody continued it' } }]);
    expect((await failureOf(follow(setting, byId('d-1'), { continuing: true }))).message).toMatch(/^Deployment d-1 was stopped: TIMEOUT/);
    expect(setting.writes).toEqual([]);
  });

  test.each([
    ['somebody else continued it in the same moment', waitsInReady, 'DeploymentIsNotInReadyStateException'],
    ['ECS does not take TERMINATION_WAIT', keepsOldTasks, 'UnsupportedActionForDeploymentTypeException'],
  ])('%s: it is followed all the same', async (_name, moments, code) => {
    const setting = living([...moments, { after: 30, status: 'Succeeded' }], { readyWait: true });
    setting.codedeploy.failures.set('ContinueDeployment', [awsError(code)]);
    await follow(setting, {}, { continuing: true });
    expect(setting.log.lines).toContain(`d-1  AWS does not continue it (${code}): it goes on by itself, and is followed`);
    expect(setting.writes).toHaveLength(1);
  });

  test('without an answer it looks again, and sends it again', async () => {
    const setting = living(waitsInReady, { readyWait: true });
    setting.codedeploy.failures.set('ContinueDeployment', [awsError('InternalFailure', { httpStatusCode: 500 })]);
    await follow(setting, {}, { continuing: true });
    expect(setting.writes).toHaveLength(2);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
  });

  test.each(['AccessDeniedException', 'UnsupportedActionForDeploymentTypeException'])('%s of the shift is an error', async (code) => {
    const setting = living(waitsInReady, { readyWait: true });
    setting.codedeploy.failures.set('ContinueDeployment', [awsError(code)]);
    expect((await failureOf(follow(setting, {}, { continuing: true }))).message).toContain(code);
    expect(setting.writes).toHaveLength(1);
  });

  test('a cancel before the call continues nothing', async () => {
    const setting = living(waitsInReady, { readyWait: true });
    setting.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
    expect((await failureOf(follow(setting, {}, { continuing: true }))).message).toMatch(/^The run was cancelled\. Deployment d-1 goes on/);
    expect(setting.writes).toEqual([]);
  });

  test.each([
    ['Ready', waitsInReady, 'would be continued: its traffic would shift', 1],
    ['the wait before the old tasks end', keepsOldTasks, 'would be continued: its old tasks would end', 1],
    ['before Ready', [], 'would be continued as soon as it has come to Ready', 1],
    ['after it', [{ after: 0, target: shifting }], 'would not be continued: it was continued already, and its traffic shifts', 0],
  ] as const)('its plan: %s', async (_name, moments, fate, calls) => {
    const setting = living(moments, { readyWait: true });
    const { output, ports } = setting;
    const plan = await planContinuation({ found: await setting.find(), inputs: wish, ports, output });
    expect(plan.course?.fate).toBe(fate);
    expect(plan.writes.map(({ action }) => action)).toEqual(Array.from({ length: calls }, () => 'ContinueDeployment'));
    expect(setting.writes).toEqual([]);
  });

  test('no plan for one that waits for nothing', async () => {
    const setting = living([]);
    const { output, ports } = setting;
    expect((await failureOf(planContinuation({ found: await setting.find(), inputs: wish, ports, output }))).message).toMatch(
      /^mode: there is nothing to continue: d-1 is InProgress/,
    );
  });
});
