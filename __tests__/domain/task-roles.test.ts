import { expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { LiveService } from '../../src/domain/live-service.ts';
import type { TaskDefinition } from '../../src/domain/task-definition.ts';
import { pullingRole, roleFacts } from '../../src/domain/task-roles.ts';
import { someService } from '../fakes/ecs.ts';

const account = '222222222222' as AccountId;
const own = `arn:aws:iam::${account}:role/team/web-execution`;
const definition = (members: object): TaskDefinition => ({ family: 'web', containerDefinitions: [], ...members });
const onEc2: LiveService = { ...someService, launchType: 'EC2', primary: undefined };
const onSpot: LiveService = {
  ...onEc2,
  launchType: undefined,
  capacityProviders: [{ provider: 'FARGATE_SPOT', base: undefined, weight: 1 }],
};

test.each<[name: string, members: object, service: LiveService | undefined, expected: readonly RegExp[], pulls: string | undefined]>([
  ['its own role', { executionRoleArn: own }, someService, [/^ok execution role: team\/web-execution is of this account/], own],
  ['its own role, on Fargate Spot', { executionRoleArn: own }, onSpot, [/^ok /], own],
  [
    'its own role, where the service is not known',
    { executionRoleArn: own, requiresCompatibilities: ['FARGATE'] },
    undefined,
    [/^ok /],
    own,
  ],
  ['instances pull with their own', { executionRoleArn: own }, onEc2, [/^ok /], undefined],
  ['none, on instances', {}, onEc2, [/^ok execution role: there is none: the container instances pull/], undefined],
  ['none, on Fargate', {}, someService, [/^error execution role: the task definition web has no executionRoleArn/], undefined],
  [
    'a name, which is of the account',
    { executionRoleArn: 'web-execution' },
    someService,
    [/^ok execution role: web-execution is of/],
    undefined,
  ],
  [
    'of another account',
    { executionRoleArn: 'arn:aws:iam::333333333333:role/x' },
    someService,
    [/^error execution role: arn:.* is a role of 333333333333, and tasks take roles of their own account only, 222222222222$/],
    undefined,
  ],
  [
    'of another partition',
    { executionRoleArn: `arn:aws-cn:iam::${account}:role/x` },
    someService,
    [/^error execution role: arn:.* is in the partition aws-cn, and eu-west-1 in aws$/],
    undefined,
  ],
  [
    'a task role too',
    { executionRoleArn: own, taskRoleArn: 'arn:aws:iam::333333333333:role/x' },
    someService,
    [/^ok /, /^error task role: .* is a role of 333333333333/],
    own,
  ],
])('%s', (_, members, service, expected, pulls) => {
  const roles = { definition: definition(members), service, account, region: 'eu-west-1' as Region };
  expect(roleFacts(roles).map(({ severity, subject, reason }) => `${severity} ${subject}: ${reason}`)).toEqual(
    expected.map((pattern) => expect.stringMatching(pattern)),
  );
  expect(pullingRole(roles)).toBe(pulls);
});
