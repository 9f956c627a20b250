import { describe, expect, test } from '@jest/globals';
import { parseMarker } from '../../src/domain/deployment-marker.ts';
import { CancelledError, DeploymentError, InputError } from '../../src/errors.ts';
import { planRollback } from '../../src/steps/plan-rollback.ts';
import { prepareRollback } from '../../src/steps/prepare-rollback.ts';
import { rollBack, type RollbackRequest } from '../../src/steps/roll-back.ts';
import { someDefinition, someService } from '../fakes/ecs.ts';
import { event, target, type Moment } from '../fakes/codedeploy.ts';
import { awsError, failureOf, image } from './deployment-setting.ts';
import { appSpec, arn, byId, ExistingSetting, wish } from './existing-deployment.ts';

const none = { by: undefined, of: undefined, message: undefined };
const undoing = 'Rollback of d-2 [acme.shop:Rollback/999/1/back#xyz]';

/** d-2 deployed web:42 upon web:41. */
function setting(moments: readonly Moment[] = [{ after: 0, status: 'Succeeded' }]): ExistingSetting {
  const made = new ExistingSetting();
  made.codedeploy.add({ id: 'd-2', revision: 'r2', previousRevision: 'r1' }, moments);
  return made;
}

function requestOf(of: ExistingSetting, inputs: Partial<RollbackRequest['inputs']> = {}): RollbackRequest {
  const { side, ports, memory, output, abort } = of;
  return { inputs: { ...wish, ...inputs }, side, ports, memory, output, signal: abort.signal };
}

const run = async (of: ExistingSetting, inputs: Partial<RollbackRequest['inputs']> = {}): Promise<void> => rollBack(requestOf(of, inputs));

/** Asserts that nothing was written, and gives what was said. */
async function refused(of: ExistingSetting, inputs: Partial<RollbackRequest['inputs']> = {}): Promise<string> {
  const error = await failureOf(run(of, inputs));
  expect(error).toBeInstanceOf(InputError);
  expect(of.writes).toEqual([]);
  expect(of.remembered).toEqual([]);
  expect(of.outputs.get('changed')).toBe('false');
  return error.message;
}

describe('what ran before the newest success', () => {
  test('is deployed again, by the very AppSpec, and followed to its end', async () => {
    const of = setting();
    await run(of);
    expect(of.writes).toEqual(['codedeploy:CreateDeployment']);
    const [created] = of.codedeploy.created;
    expect(created).toMatchObject({ appSpec: appSpec(41), config: undefined, autoRollback: undefined });
    expect(created?.description).toMatch(/^Rollback of d-2 \[acme\.shop:Release\/1000\/1\/release#/);
    expect(parseMarker(created?.description ?? '')).toBeDefined();
    expect(Object.fromEntries(of.outputs)).toEqual({
      changed: 'true',
      'deployment-id': 'd-NEW1',
      'deployment-url': expect.stringContaining('d-NEW1'),
      'deployment-status': 'Succeeded',
      'rollback-deployment-id': 'd-NEW1',
      'task-definition-arn': arn(41),
    });
    expect(of.log.lines).toContain('rolling back d-2: task definition web:42 → web:41');
    expect(of.log.lines.at(-1)).toBe('d-2 is rolled back: web runs web:41 again.');
    expect(of.remembered).toEqual([]);
    expect(of.github.summary).toContain('### Rollback of d\\-2');
    expect(of.github.summary).toContain('| Task definition | `web:42` → `web:41` |');
  });

  test('is named by what differs, without the values of the environment', async () => {
    const of = setting();
    await run(of);
    expect(of.log.lines).toContain('  ~ containers.web.environment.STAGE.value: changed');
    expect(of.log.lines.join('\n')).not.toContain('s3cret');
  });

  test('may shift its traffic at once', async () => {
    const of = setting();
    await run(of, { 'codedeploy-deployment-config': 'CodeDeployDefault.ECSAllAtOnce' });
    expect(of.codedeploy.created[0]?.config).toBe('CodeDeployDefault.ECSAllAtOnce');
  });

  test('is saved for the post step before it is sent, to be left running', async () => {
    const of = setting();
    await run(of);
    expect(of.journal.filter((call) => /remember|forget|Create/.test(call))).toEqual(['remember', 'codedeploy:CreateDeployment', 'forget']);
    const lost = setting();
    for (let time = 0; time < 3; time++) lost.codedeploy.creations.push({ answer: 'unknown', error: new Error('ECONNRESET') });
    expect((await failureOf(run(lost))).message).toMatch(/was not answered three times: ECONNRESET/);
    expect(lost.remembered).toMatchObject([{ kind: 'deployment', group: 'DgpECS-dev-web', onCancel: 'leave' }]);
  });

  test('a lost reply is cleared up by the nonce: one deployment', async () => {
    const of = setting();
    of.codedeploy.creations.push('made but lost');
    await run(of);
    expect(of.codedeploy.created).toHaveLength(1);
    expect(of.outputs.get('deployment-id')).toBe('d-NEW1');
  });

  test('that fails fails the step', async () => {
    const of = setting();
    of.codedeploy.life = [{ after: 0, status: 'Failed', error: { code: 'ALARM_ACTIVE', message: 'an alarm' } }];
    const error = await failureOf(run(of));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toMatch(/^Rolling back d-2 to web:41: Deployment d-NEW1 failed: ALARM_ACTIVE: an alarm/);
    expect(of.outputs.get('deployment-status')).toBe('Failed');
    expect(of.github.summary).toContain('| Outcome | Failed |');
  });

  test('is refused by AWS: nothing was made', async () => {
    const of = setting();
    of.codedeploy.creations.push(awsError('DeploymentConfigDoesNotExistException'));
    expect((await failureOf(run(of))).message).toMatch(/^DeploymentConfigDoesNotExistException/);
    expect(of.remembered).toEqual([]);
    expect(of.outputs.get('changed')).toBe('false');
  });
});

describe('nothing to go back to', () => {
  test('no deployment yet', async () => {
    expect(await refused(new ExistingSetting())).toBe('mode: there is nothing to roll back to: there is no deployment yet');
  });

  test('the first deployment that there was', async () => {
    const of = new ExistingSetting();
    of.codedeploy.add({ id: 'd-1', status: 'Succeeded', revision: 'r1' });
    expect(await refused(of)).toBe('mode: there is nothing to roll back to: nothing is known that ran before d-1');
  });

  test('an AppSpec that AWS has no more', async () => {
    const of = setting();
    of.codedeploy.revisions.delete('r1');
    expect(await refused(of)).toMatch(/AWS knows no more what ran before d-2$/);
  });

  test('a task definition that is INACTIVE', async () => {
    const of = setting();
    of.ecs.definitions.set('web:41', { ...someDefinition, status: 'INACTIVE', containerDefinitions: [] });
    expect(await refused(of)).toBe(
      "mode: d-2 can't be rolled back to web:41: it is INACTIVE, so that no task of it can be started any more; deploy the image that ran then with mode: deploy",
    );
  });

  test('a task definition that ECS has no more', async () => {
    const of = setting();
    of.ecs.describeTaskDefinition = async (name) => {
      if (name === arn(41)) throw awsError('ClientException');
      return { arn: name, definition: someDefinition, tags: [] };
    };
    expect(await refused(of)).toBe("mode: d-2 can't be rolled back to web:41: ClientException: the test says so");
  });

  test('an image that is there no more', async () => {
    const of = setting();
    of.ecr.web.images.clear();
    expect(await refused(of)).toBe(`mode: d-2 can't be rolled back to web:41: there is no image shop/web@${image.digest} in 111111111111`);
  });

  test('an image of another registry than ECR is not asked for', async () => {
    const of = setting();
    const containerDefinitions = [
      { name: 'web', image: 'nginx' },
      { name: 'side', image: 'ghcr.io/a/b:1' },
    ];
    of.ecs.definitions.set('web:41', { ...someDefinition, containerDefinitions });
    of.ecr.web.images.clear();
    await run(of);
    expect(of.writes).toEqual(['codedeploy:CreateDeployment']);
  });

  test('a service that is not deployed by CodeDeploy any more', async () => {
    const of = setting();
    of.ecs.answer = { found: 'service', service: { ...someService, controller: 'EXTERNAL' } };
    expect(await refused(of)).toMatch(/^service: web has the deployment controller EXTERNAL/);
  });
});

describe('a deployment that is under way', () => {
  const running: readonly Moment[] = [{ after: 0, status: 'InProgress' }];
  const back: readonly Moment[] = [
    { after: 0, status: 'InProgress' },
    { after: 20, status: 'Succeeded' },
  ];

  test.each([
    ['shifting', running],
    ['in Ready', [{ after: 0, status: 'Ready' }]],
    ['whose traffic has shifted whole', [{ after: 0, status: 'InProgress', terminationWaitStarted: true }]],
  ] as const)('%s is stopped with a rollback, which is followed to its end', async (_name, moments) => {
    const of = setting(moments);
    of.codedeploy.rollbackLife = back;
    await run(of);
    expect(of.writes).toEqual(['codedeploy:StopDeployment d-2 with rollback']);
    expect(Object.fromEntries(of.outputs)).toEqual({
      changed: 'true',
      'deployment-id': 'd-BACK',
      'deployment-url': expect.stringContaining('d-BACK'),
      'deployment-status': 'Succeeded',
      'rollback-deployment-id': 'd-BACK',
      'task-definition-arn': arn(41),
    });
    expect(of.log.lines).toContain(
      'd-2  is rolled back by d-BACK: https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-BACK?region=eu-west-1',
    );
    expect(of.log.lines.at(-1)).toBe('d-2 was rolled back by d-BACK: the tasks of web:41 have the whole traffic.');
  });

  test('whose rollback comes late is waited for', async () => {
    const of = setting(running);
    const { stop } = of.codedeploy;
    of.codedeploy.stop = async (what) => {
      const answer = await stop({ ...what, rollback: false });
      of.codedeploy.add({ id: 'd-BACK', revision: 'r1', rollback: { ...none, of: 'd-2' } }, [{ after: 9, status: 'Succeeded' }]);
      return answer;
    };
    await run(of);
    expect(of.writes).toHaveLength(1);
    expect(of.outputs.get('rollback-deployment-id')).toBe('d-BACK');
  });

  test('that has no traffic yet needs no rollback', async () => {
    const of = setting([{ after: 0, status: 'InProgress', target: target([event('Install', 'InProgress')], { running: 1, traffic: 0 }) }]);
    await run(of);
    expect(of.writes).toEqual(['codedeploy:StopDeployment d-2 with rollback']);
    expect(of.log.lines.at(-1)).toBe('d-2 ended as Stopped before its tasks had any traffic: the old tasks have the whole traffic.');
    expect(of.outputs.has('rollback-deployment-id')).toBe(false);
  });

  test('whose rollback fails: what ran before is deployed again', async () => {
    const of = setting(running);
    of.codedeploy.rollbackLife = [{ after: 3, status: 'Failed' }];
    await run(of);
    expect(of.writes).toEqual(['codedeploy:StopDeployment d-2 with rollback', 'codedeploy:CreateDeployment']);
    expect(of.codedeploy.created[0]?.appSpec).toBe(appSpec(41));
    expect(of.log.lines.at(-1)).toBe('d-2 is rolled back: web runs web:41 again.');
  });

  test('that succeeds before it can be stopped is undone all the same (PEERS pain 13)', async () => {
    const of = setting(running);
    of.codedeploy.stop = async ({ id }) => {
      of.journal.push(`codedeploy:StopDeployment ${id}`);
      of.codedeploy.become(id, { status: 'Succeeded' });
      return 'ended';
    };
    await run(of);
    expect(of.writes).toEqual(['codedeploy:StopDeployment d-2', 'codedeploy:CreateDeployment']);
    expect(of.log.lines).toContain('d-2  ended before it could be stopped');
  });

  test('that may not be stopped is left as it is', async () => {
    const of = setting(running);
    of.codedeploy.failures.set('StopDeployment', [awsError('UnsupportedActionForDeploymentTypeException')]);
    expect((await failureOf(run(of))).message).toMatch(/^UnsupportedActionForDeploymentTypeException/);
    expect(of.outputs.get('changed')).toBe('false');
  });

  test('whose rollback does not end in time', async () => {
    const of = setting(running);
    of.codedeploy.rollbackLife = [{ after: 0, status: 'InProgress' }];
    const error = await failureOf(run(of, { 'wait-for-minutes': 2 }));
    expect(error.message).toBe('Deployment d-BACK of deployment group DgpECS-dev-web of AppECS-dev-web did not end within 2 min.');
    expect(error.hint).toMatch(/^It goes on\. Run the rollback again/);
  });
});

describe('a rollback that is there already', () => {
  test('of ours that is under way is followed, not undone', async () => {
    const of = setting();
    of.codedeploy.add({ id: 'd-3', description: undoing, revision: 'r1', previousRevision: 'r2' }, [{ after: 30, status: 'Succeeded' }]);
    await run(of);
    expect(of.writes).toEqual([]);
    expect(Object.fromEntries(of.outputs)).toMatchObject({ changed: 'false', 'deployment-id': 'd-3', 'deployment-status': 'Succeeded' });
  });

  test('of ours that succeeded is enough: no second step back', async () => {
    const of = setting();
    of.codedeploy.add({ id: 'd-3', status: 'Succeeded', description: undoing, revision: 'r1', previousRevision: 'r2' });
    await run(of);
    expect(of.writes).toEqual([]);
    expect(of.log.lines.at(-1)).toBe('notice: Nothing is left to roll back: d-2 was rolled back by d-3.');
  });

  test('of AWS’s own is waited for, and enough', async () => {
    const of = setting([{ after: 0, status: 'Failed', rollback: { ...none, by: 'd-BACK' } }]);
    of.codedeploy.add({ id: 'd-BACK', creator: 'codeDeployRollback', revision: 'r1', rollback: { ...none, of: 'd-2' } }, [
      { after: 30, status: 'Succeeded' },
    ]);
    await run(of);
    expect(of.writes).toEqual([]);
    expect(of.log.lines.at(-1)).toBe('notice: Nothing is left to roll back: d-2 was rolled back by d-BACK.');
    expect(of.outputs.get('task-definition-arn')).toBe(arn(41));
  });

  test('of another run that comes in between is followed instead of a second one', async () => {
    const of = setting();
    const { createDeployment } = of.codedeploy;
    of.codedeploy.createDeployment = async (wanted) => {
      of.codedeploy.add({ id: 'd-3', description: undoing, revision: 'r1', previousRevision: 'r2' }, [{ after: 30, status: 'Succeeded' }]);
      of.codedeploy.creations.push({ answer: 'busy', message: "already has an active Deployment 'd-3'" });
      return createDeployment(wanted);
    };
    await run(of);
    expect(of.codedeploy.created).toEqual([]);
    expect(of.outputs.get('deployment-id')).toBe('d-3');
    expect(of.outputs.get('changed')).toBe('false');
    expect(of.remembered).toEqual([]);
  });
});

describe('with a deployment-id', () => {
  test('that is the newest it is undone', async () => {
    const of = setting();
    await run(of, byId('d-2'));
    expect(of.writes).toEqual(['codedeploy:CreateDeployment']);
  });

  test('that a newer one has replaced nothing is', async () => {
    const of = setting();
    of.codedeploy.add({ id: 'd-3', status: 'Succeeded', revision: 'r3', previousRevision: 'r2' });
    expect(await refused(of, byId('d-2'))).toBe(
      'mode: there is nothing to roll back to: d-2 (Succeeded) is not what would be rolled back: d-3 (Succeeded) came after it',
    );
  });
});

describe('a cancel', () => {
  const cancel = (of: ExistingSetting): void => of.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));

  test('before anything was done', async () => {
    const of = setting();
    cancel(of);
    expect((await failureOf(run(of))).message).toBe('The run was cancelled. Nothing was changed.');
    expect(of.writes).toEqual([]);
  });

  test('leaves a rollback by deployment running', async () => {
    const of = setting();
    of.codedeploy.life = [{ after: 0, status: 'InProgress' }];
    const { createDeployment } = of.codedeploy;
    of.codedeploy.createDeployment = async (wanted) => {
      cancel(of);
      return createDeployment(wanted);
    };
    expect((await failureOf(run(of))).message).toMatch(/^The run was cancelled\. Deployment d-NEW1 goes on without being followed: https/);
    expect(of.writes).toEqual(['codedeploy:CreateDeployment']);
  });

  test('leaves a rollback by stop running', async () => {
    const of = setting([{ after: 0, status: 'InProgress' }]);
    of.codedeploy.rollbackLife = [{ after: 0, status: 'InProgress' }];
    const { stop } = of.codedeploy;
    of.codedeploy.stop = async (what) => {
      cancel(of);
      return stop(what);
    };
    expect((await failureOf(run(of))).message).toMatch(
      /^The run was cancelled\. Deployment d-2 was stopped with a rollback, which goes on without being followed: https/,
    );
    expect(of.writes).toEqual(['codedeploy:StopDeployment d-2 with rollback']);
  });
});

describe('the plan', () => {
  const planned = async (of: ExistingSetting) => {
    const request = requestOf(of);
    const plan = await planRollback(await prepareRollback(request), request);
    expect(of.writes).toEqual([]);
    return plan;
  };

  test('of a deployment that would be made', async () => {
    const plan = await planned(setting());
    expect(plan).toMatchObject({
      writes: [{ service: 'codedeploy', action: 'CreateDeployment' }],
      deployment: {
        outcome: 'deploy',
        before: 'd-2 would be undone by it',
        taskDefinition: { running: arn(42), planned: arn(41) },
        appSpec: appSpec(41),
      },
    });
    expect(JSON.stringify(plan)).not.toContain('s3cret');
  });

  test('of a stop, with what would run again', async () => {
    const plan = await planned(setting([{ after: 0, status: 'InProgress' }]));
    expect(plan).toMatchObject({
      writes: [{ action: 'StopDeployment' }],
      course: {
        id: 'd-2',
        fate: 'would be stopped with a rollback, which would be followed',
        taskDefinition: { running: arn(42), planned: arn(41) },
      },
    });
    expect(plan.course?.taskDefinition?.differences).toContain('~ containers.web.environment.STAGE.value: changed');
  });

  test.each([
    ['ours', { description: undoing }, 'rolls back d-2 already: it would be followed'],
    ['AWS’s', { rollback: { ...none, of: 'd-2' } }, 'is a rollback: its end would be waited for'],
    ['ours, which succeeded', { description: undoing, status: 'Succeeded' }, 'would be left as it is: d-2 was rolled back by d-3'],
  ])('of a rollback that is there: %s', async (_name, more, fate) => {
    const of = setting();
    of.codedeploy.add({ id: 'd-3', revision: 'r1', previousRevision: 'r2', ...more });
    expect(await planned(of)).toMatchObject({ writes: [], course: { id: 'd-3', fate } });
    expect(of.outputs.get('changed')).toBe('false');
  });
});
