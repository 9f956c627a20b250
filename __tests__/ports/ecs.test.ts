import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { AwsError } from '../../src/errors.ts';
import { readTaskDefinition } from '../../src/domain/task-definition.ts';
import { definition, startWorld, type DeploymentWorld } from './deployment-world.ts';

let world: DeploymentWorld;
beforeEach(async () => {
  world = await startWorld({ service: { tags: [] } });
});
afterEach(async () => {
  await world.emulator.close();
  expect(world.emulator.violations).toEqual([]);
});

describe('describeService', () => {
  test('tells the service with its PRIMARY task set', async () => {
    expect(await world.ecs.describeService({ cluster: 'dev', service: 'web' })).toMatchObject({
      found: 'service',
      service: {
        name: 'web',
        status: 'ACTIVE',
        controller: 'CODE_DEPLOY',
        desiredCount: 2,
        primary: {
          taskDefinition: 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:1',
          loadBalancers: [{ containerName: 'web', containerPort: 80 }],
          network: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' },
          capacityProviders: [],
        },
        events: [{ message: '(service web) has reached a steady state.' }],
      },
    });
  });
  test.each([
    ['service', 'dev', 'nope'],
    ['cluster', 'nope', 'web'],
  ] as const)('a missing %s is an answer', async (missing, cluster, service) => {
    expect(await world.ecs.describeService({ cluster, service })).toEqual({ found: 'nothing', missing });
  });
  test('a denial names the action and the service', async () => {
    world.emulator.faults.inject({ operation: 'DescribeServices' }, accessDenied());
    const asking = world.ecs.describeService({ cluster: 'dev', service: 'web' });
    await expect(asking).rejects.toBeInstanceOf(AwsError);
    await expect(asking).rejects.toThrow(/^ecs:DescribeServices for service web of cluster dev failed: AccessDeniedException/);
  });
});

describe('task definitions', () => {
  test('what was registered reads back, with its tags, and can be registered again', async () => {
    const first = await world.ecs.registerTaskDefinition({ ...definition, tags: [{ key: 'team', value: 'shop' }] });
    expect(first.arn).toMatch(/task-definition\/web:2$/);
    const described = await world.ecs.describeTaskDefinition(first.arn);
    expect(described.tags).toEqual([{ key: 'team', value: 'shop' }]);
    const reading = readTaskDefinition(described.definition);
    if (!reading.ok) throw new Error('it did not read back');
    expect((await world.ecs.registerTaskDefinition(reading.definition)).arn).toMatch(/web:3$/);
  });
  test('members that the SDK does not know yet go and come with it', async () => {
    const [container] = definition.containerDefinitions;
    const { arn } = await world.ecs.registerTaskDefinition({
      ...definition,
      newMember: true,
      containerDefinitions: [{ ...container, newer: { a: ['é'] } }],
    });
    expect(world.emulator.requests.of('ecs', 'RegisterTaskDefinition')[0]?.input).toMatchObject({ newMember: true });
    const { definition: described } = await world.ecs.describeTaskDefinition(arn);
    expect(described).toMatchObject({ containerDefinitions: [{ name: 'web', newer: { a: ['é'] } }] });
  });
  test('pain 26: a denied registration names ecs:TagResource and iam:PassRole beside its own action', async () => {
    world.emulator.faults.inject({ operation: 'RegisterTaskDefinition' }, accessDenied());
    await expect(world.ecs.registerTaskDefinition({ ...definition, tags: [{ key: 'team', value: 'shop' }] })).rejects.toMatchObject({
      hint: expect.stringMatching(/ecs:RegisterTaskDefinition.*iam:PassRole.*ecs:TagResource/),
    });
  });
  test('ECS’s refusal is passed on', async () => {
    await expect(world.ecs.registerTaskDefinition({ ...definition, cpu: '17' })).rejects.toThrow(
      /^ecs:RegisterTaskDefinition for family web failed: ClientException/,
    );
  });
});

test('a service without stopped tasks has none', async () => {
  expect(await world.ecs.stoppedTasks({ cluster: 'dev', service: 'web' })).toEqual([]);
  expect(world.emulator.requests.names()).toEqual(['ecs:ListTasks']);
});
