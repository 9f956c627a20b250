import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { failure, lostReply, lostRequest, serverError, throttling } from '../../emulator/faults.ts';
import { AwsError } from '../../src/errors.ts';
import type { ContinueWait, CreateAnswer } from '../../src/ports/codedeploy.ts';
import { appSpec, definition, group, here, startWorld, type DeploymentWorld } from './deployment-world.ts';

let world: DeploymentWorld;
beforeEach(async () => {
  world = await startWorld({ group: { autoRollback: true, deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes' } });
  await world.ecs.registerTaskDefinition(definition);
  world.emulator.requests.clear();
});
afterEach(async () => {
  await world.emulator.close();
  expect(world.emulator.violations).toEqual([]);
});

const wanted = { ...group, appSpec: appSpec(2), description: 'the mark', config: undefined, autoRollback: undefined };
const create = async (): Promise<CreateAnswer> => world.codedeploy.createDeployment(wanted);
async function created(): Promise<string> {
  const answer = await create();
  if (answer.answer !== 'created') throw new Error(`it was not created: ${answer.answer}`);
  return answer.id;
}

describe('the group', () => {
  test('with what a deployment depends on', async () => {
    expect(await world.codedeploy.group(group)).toMatchObject({
      found: 'group',
      group: {
        computePlatform: 'ECS',
        services: [{ cluster: 'dev', service: 'web' }],
        config: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
        readyWait: { onTimeout: 'CONTINUE_DEPLOYMENT', minutes: 0 },
        terminationWaitMinutes: 5,
        lastAttempted: undefined,
      },
    });
  });
  test.each([
    ['application', { ...group, application: 'nope' }],
    ['group', { ...group, group: 'nope' }],
  ])('a missing %s is an answer', async (missing, name) => {
    expect(await world.codedeploy.group(name)).toEqual({ found: 'nothing', missing });
    expect(await world.codedeploy.activeDeployments(name)).toEqual([]);
  });
  test('configurations', async () => {
    expect(await world.codedeploy.deploymentConfig('CodeDeployDefault.ECSLinear10PercentEvery3Minutes')).toMatchObject({
      computePlatform: 'ECS',
      routing: { kind: 'linear', percentage: 10, minutes: 3 },
    });
    expect(await world.codedeploy.deploymentConfig('Nope')).toBeUndefined();
  });
});

describe('CreateDeployment', () => {
  test('makes one, which is then active and the newest', async () => {
    const id = await created();
    expect(await world.codedeploy.activeDeployments(group)).toMatchObject([
      { id, status: 'Created', description: 'the mark', rollsBack: true },
    ]);
    expect(await world.codedeploy.group(group)).toMatchObject({ group: { lastAttempted: id } });
  });

  test('pain 9: that the group is busy is told by the exception’s name, whatever its words', async () => {
    world.emulator.faults.inject({ operation: 'CreateDeployment' }, failure('DeploymentLimitExceededException', 'Other words than ever.'));
    expect(await create()).toMatchObject({ answer: 'busy' });
  });

  test('a second one is busy', async () => {
    const id = await created();
    expect(await create()).toMatchObject({ answer: 'busy', message: expect.stringContaining(id) });
  });

  test.each([
    ['a lost request', lostRequest(), 0],
    ['a lost reply', lostReply(), 1],
    ['a server error', serverError(), 0],
    ['throttling', throttling(), 0],
  ])('%s is unknown, and sent once', async (_name, fault, made) => {
    world.emulator.faults.inject({ operation: 'CreateDeployment' }, fault);
    expect(await create()).toMatchObject({ answer: 'unknown' });
    expect(world.emulator.requests.of('codedeploy', 'CreateDeployment')).toHaveLength(1);
    expect(await world.codedeploy.activeDeployments(group)).toHaveLength(made);
  });

  test('a refusal throws', async () => {
    const asking = world.codedeploy.createDeployment({ ...wanted, config: 'Nope' });
    await expect(asking).rejects.toBeInstanceOf(AwsError);
    await expect(asking).rejects.toThrow(
      /^codedeploy:CreateDeployment for deployment group DgpECS-dev-web of AppECS-dev-web failed: DeploymentConfigDoesNotExistException/,
    );
  });

  test('auto-rollback as asked', async () => {
    const answer = await world.codedeploy.createDeployment({ ...wanted, autoRollback: { enabled: false, events: [] } });
    if (answer.answer !== 'created') throw new Error(answer.answer);
    expect(await world.codedeploy.deployment(answer.id)).toMatchObject({ rollsBack: false });
  });
});

describe('a deployment’s life', () => {
  test('no target before it has started, then events and task sets', async () => {
    const id = await created();
    const look = async () => world.codedeploy.target({ id, cluster: 'dev', service: 'web' });
    expect(await look()).toBeUndefined();
    world.emulator.clock.advance(120_000);
    expect(await look()).toMatchObject({
      events: expect.arrayContaining([expect.objectContaining({ name: 'Install', status: 'Succeeded' })]),
      taskSets: expect.arrayContaining([expect.objectContaining({ label: 'Green', desired: 2, running: 2, traffic: 10 })]),
    });
    world.emulator.clock.advance(400_000);
    expect(await world.codedeploy.deployment(id)).toMatchObject({ terminationWaitStarted: true, status: 'InProgress' });
    await world.codedeploy.continueDeployment({ id, wait: 'TERMINATION_WAIT' });
    world.emulator.clock.advance(60_000);
    expect(await world.codedeploy.deployment(id)).toMatchObject({ status: 'Succeeded' });
    expect(await world.codedeploy.stop({ id, rollback: true })).toBe('ended');
  });

  test('a stop with rollback makes a deployment that undoes it', async () => {
    const id = await created();
    world.emulator.clock.advance(120_000);
    expect(['stopping', 'stopped']).toContain(await world.codedeploy.stop({ id, rollback: true }));
    world.emulator.clock.advance(60_000);
    const stopped = await world.codedeploy.deployment(id);
    expect(stopped).toMatchObject({ status: 'Stopped', rollback: { by: expect.stringMatching(/^d-/) } });
    expect(await world.codedeploy.deployment(stopped.rollback.by ?? '')).toMatchObject({
      creator: 'codeDeployRollback',
      rollback: { of: id },
    });
  });

  test('a wait in Ready lasts until it is continued', async () => {
    const [settings] = world.states.codedeploy.groups(world.states.codedeploy.application({ ...here, name: group.application }));
    if (!settings) throw new Error('there is no group');
    settings.readyOption = { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: 60 };
    expect(await world.codedeploy.group(group)).toMatchObject({ group: { readyWait: { onTimeout: 'STOP_DEPLOYMENT', minutes: 60 } } });
    const id = await created();
    const goOn = async (wait: ContinueWait) => world.codedeploy.continueDeployment({ id, wait });
    await expect(goOn('READY_WAIT')).rejects.toMatchObject({ code: 'DeploymentIsNotInReadyStateException' });
    world.emulator.clock.advance(120_000);
    expect(await world.codedeploy.deployment(id)).toMatchObject({ status: 'Ready', waits: { ready: 60, termination: 5 } });
    await expect(goOn('TERMINATION_WAIT')).rejects.toMatchObject({ code: 'DeploymentIsNotInReadyStateException' });
    await goOn('READY_WAIT');
    expect(await world.codedeploy.deployment(id)).toMatchObject({ status: 'InProgress', terminationWaitStarted: false });
    world.emulator.clock.advance(400_000);
    expect(await world.codedeploy.deployment(id)).toMatchObject({ terminationWaitStarted: true });
  });

  test('without a rollback a stop leaves it at that', async () => {
    const id = await created();
    world.emulator.clock.advance(120_000);
    await world.codedeploy.stop({ id, rollback: false });
    world.emulator.clock.advance(60_000);
    expect(await world.codedeploy.deployment(id)).toMatchObject({ status: 'Stopped', rollback: { by: undefined } });
    await expect(world.codedeploy.continueDeployment({ id, wait: 'READY_WAIT' })).rejects.toMatchObject({
      code: 'DeploymentAlreadyCompletedException',
    });
  });

  test.each([
    ['d-AAAAAAAAA', 'DeploymentDoesNotExistException'],
    ['nonsense', 'InvalidDeploymentIdException'],
  ])('%s is no deployment: %s', async (id, code) => {
    await expect(world.codedeploy.deployment(id)).rejects.toMatchObject({ code });
  });

  test('what a deployment replaced is told by the hash of its AppSpec', async () => {
    const first = await created();
    world.emulator.clock.advance(1_000_000);
    await world.ecs.registerTaskDefinition(definition);
    const answer = await world.codedeploy.createDeployment({ ...wanted, appSpec: appSpec(3) });
    if (answer.answer !== 'created') throw new Error(answer.answer);
    const { revision } = await world.codedeploy.deployment(first);
    expect(await world.codedeploy.deployment(answer.id)).toMatchObject({ previousRevision: revision });
    expect(await world.codedeploy.revisionText({ application: group.application, sha256: revision ?? '' })).toBe(appSpec(2));
  });

  test('the AppSpec can be had again by its hash', async () => {
    const { revision = '' } = await world.codedeploy.deployment(await created());
    expect(await world.codedeploy.revisionText({ application: group.application, sha256: revision })).toBe(appSpec(2));
    expect(await world.codedeploy.revisionText({ application: group.application, sha256: '0'.repeat(64) })).toBeUndefined();
  });
});
