import { describe, expect, test } from '@jest/globals';
import type { AccountId, Region, RoleArn } from '../../src/domain/account.ts';
import { openDeploy, sideProblems, type DeployInputs, type OrganizationInputs, type RegistryInputs } from '../../src/steps/sessions.ts';
import type { SideRequest } from '../../src/ports/credentials.ts';
import { reopening, Setting, someInputs } from './deployment-setting.ts';

type Given = Partial<RegistryInputs & DeployInputs & OrganizationInputs>;

const role = (account: string, partition = 'aws') => `arn:${partition}:iam::${account}:role/x` as RoleArn;
const cluster = (account: string, region = 'eu-west-1') => `arn:aws:ecs:${region}:${account}:cluster/dev`;
const [hub, devA, devB] = ['111111111111', '222222222222', '333333333333'] as [AccountId, AccountId, AccountId];

describe('what the inputs alone show to be wrong about the sides', () => {
  test.each<[string, Given, readonly string[]]>([
    [
      'nothing',
      { 'registry-role': role(hub), 'registry-id': hub, 'deploy-role': role(devA), 'deploy-account-id': devA, cluster: cluster(devA) },
      [],
    ],
    [
      'a registry-role of another account',
      { 'registry-role': role(devA), 'registry-id': hub },
      [`registry-id: is ${hub}, but registry-role is a role of ${devA} (${role(devA)})`],
    ],
    [
      'a deploy-role of another account',
      { 'deploy-role': role(devA), 'deploy-account-id': devB },
      [`deploy-account-id: is ${devB}, but deploy-role is a role of ${devA} (${role(devA)})`],
    ],
    [
      'a cluster of another account and Region',
      { 'deploy-role': role(devA), 'deploy-account-id': devA, cluster: cluster(devB, 'us-east-1') },
      [
        `cluster: is in ${devB} (${cluster(devB, 'us-east-1')}), but ${devA} is deployed to`,
        `cluster: is in us-east-1 (${cluster(devB, 'us-east-1')}), not in eu-west-1`,
      ],
    ],
    ['a cluster in the Region that is deployed to', { 'deploy-region': 'us-east-1' as Region, cluster: cluster(devA, 'us-east-1') }, []],
    [
      'roles of other partitions than the Region’s, each side for itself',
      {
        'registry-role': role(hub, 'aws-us-gov'),
        'deploy-role': role(devA),
        'deploy-region': 'cn-north-1' as Region,
        'organization-role': role(hub, 'aws-eusc'),
      },
      [
        `registry-role: ${role(hub, 'aws-us-gov')} is in the partition aws-us-gov, and eu-west-1 in aws`,
        `deploy-role: ${role(devA)} is in the partition aws, and cn-north-1 in aws-cn`,
        `organization-role: ${role(hub, 'aws-eusc')} is in the partition aws-eusc, and eu-west-1 in aws`,
      ],
    ],
  ])('%s', (_, given, problems) => {
    const { cluster: _name, 'deploy-account-id': _account, ...inputs } = someInputs;
    expect(sideProblems({ ...inputs, ...given }).map(({ input, problem }) => `${input}: ${problem}`)).toEqual(problems);
  });
});

test.each<[string, Given, AccountId | undefined]>([
  ['deploy-account-id', { 'deploy-account-id': devA }, devA],
  ['the role', { 'deploy-role': role(devA) }, devA],
  ['the cluster', { cluster: cluster(devB) }, devB],
  ['nothing', {}, undefined],
])('the account that is deployed to, as %s says it', (_, given, expected) => {
  const setting = new Setting();
  const opened: SideRequest[] = [];
  openDeploy({ inputs: { ...someInputs, 'deploy-account-id': undefined, ...given }, ports: reopening(setting, opened) });
  expect(opened).toMatchObject([{ side: 'deploy', sessionName: 'ecr-org-deploy-1000-1', expectedAccount: expected }]);
});
