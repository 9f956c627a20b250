/**
 * The emulator's answers beside those of moto, a third party's emulator: the same calls by the same SDK, compared by the members of
 * the answers and their types, and by the names of errors. What is known to differ is listed below with its reason, and a listed
 * difference that is gone is a failure too. What moto does not simulate: AWS-FACTS 8.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as codedeploy from '@aws-sdk/client-codedeploy';
import * as ecr from '@aws-sdk/client-ecr';
import * as ecs from '@aws-sdk/client-ecs';
import * as organizations from '@aws-sdk/client-organizations';
import * as sts from '@aws-sdk/client-sts';
import { createHash, randomInt } from 'node:crypto';
import { accounts, cluster, developmentOu, region, roles, service, startScenario, type Scenario } from '../../emulator/scenario.ts';
import { describeReal, motoKeys, variable } from './parts.ts';

/** One of the two, with an organization, a cluster, a CodeDeploy group and an image's layers in it. */
interface Side {
  readonly ecr: ecr.ECRClient;
  readonly ecs: ecs.ECSClient;
  readonly sts: sts.STSClient;
  readonly organizations: organizations.OrganizationsClient;
  readonly codedeploy: codedeploy.CodeDeployClient;
  readonly account: string;
  readonly member: string;
  readonly root: string;
  readonly ou: string;
  readonly role: string;
  readonly idToken: string;
}

type Ask = (side: Side) => Promise<unknown>;

const application = `AppECS-${cluster}-${service}`;
const group = `DgpECS-${cluster}-${service}`;
const of = { repositoryName: 'shapes/web' };
const family = 'shapes';
const blobs = { config: JSON.stringify({ architecture: 'amd64', os: 'linux' }), layer: 'shapes' };
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: manifestType,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(blobs.config), size: blobs.config.length },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(blobs.layer), size: blobs.layer.length }],
});
const image = { ...of, imageManifest: manifest, imageManifestMediaType: manifestType };
const policyText = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Dev',
      Effect: 'Allow',
      Principal: '*',
      Action: ['ecr:BatchGetImage'],
      Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': [`o-a1b2c3d4e5/*/${developmentOu}/*`] } },
    },
  ],
});
const registryPolicy = ({ account }: Side): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Replication',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['ecr:ReplicateImage'],
        Resource: [`arn:aws:ecr:${region}:${account}:repository/*`],
      },
    ],
  });
const taskDefinition: ecs.RegisterTaskDefinitionCommandInput = {
  family,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/web-execution',
  runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
  containerDefinitions: [
    {
      name: 'web',
      image: 'public.ecr.aws/nginx/nginx:stable-alpine',
      essential: true,
      portMappings: [{ containerPort: 80, protocol: 'tcp' }],
      environment: [{ name: 'STAGE', value: 'dev' }],
    },
  ],
  tags: [{ key: 'team', value: 'shop' }],
};
const appSpec = JSON.stringify({
  version: 0,
  Resources: [
    {
      TargetService: {
        Type: 'AWS::ECS::Service',
        Properties: {
          TaskDefinition: `arn:aws:ecs:${region}:${accounts.devA}:task-definition/web:1`,
          LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 },
        },
      },
    },
  ],
});
const revision = {
  revisionType: 'AppSpecContent' as const,
  appSpecContent: { content: appSpec, sha256: createHash('sha256').update(appSpec).digest('hex') },
};
const deploymentIds = new Map<Side, string>();
const deploymentOf = (side: Side): string => deploymentIds.get(side) ?? 'd-NONE00000';

/** In order: later calls read what earlier ones wrote. */
const calls: readonly (readonly [name: string, ask: Ask])[] = [
  ['sts:GetCallerIdentity', (side) => side.sts.send(new sts.GetCallerIdentityCommand({}))],
  ['sts:AssumeRole', (side) => side.sts.send(new sts.AssumeRoleCommand({ RoleArn: side.role, RoleSessionName: 'shapes' }))],
  [
    'sts:AssumeRoleWithWebIdentity',
    (side) =>
      side.sts.send(
        new sts.AssumeRoleWithWebIdentityCommand({ RoleArn: side.role, RoleSessionName: 'shapes', WebIdentityToken: side.idToken }),
      ),
  ],

  ['organizations:DescribeOrganization', (side) => side.organizations.send(new organizations.DescribeOrganizationCommand({}))],
  ['organizations:ListRoots', (side) => side.organizations.send(new organizations.ListRootsCommand({}))],
  [
    'organizations:ListOrganizationalUnitsForParent',
    (side) => side.organizations.send(new organizations.ListOrganizationalUnitsForParentCommand({ ParentId: side.root })),
  ],
  [
    'organizations:ListOrganizationalUnitsForParent of no parent',
    (side) => side.organizations.send(new organizations.ListOrganizationalUnitsForParentCommand({ ParentId: 'ou-ab12-99999999' })),
  ],
  [
    'organizations:ListAccountsForParent',
    (side) => side.organizations.send(new organizations.ListAccountsForParentCommand({ ParentId: side.ou })),
  ],
  ['organizations:ListAccounts', (side) => side.organizations.send(new organizations.ListAccountsCommand({}))],
  [
    'organizations:ListChildren',
    (side) => side.organizations.send(new organizations.ListChildrenCommand({ ParentId: side.ou, ChildType: 'ACCOUNT' })),
  ],
  ['organizations:ListParents', (side) => side.organizations.send(new organizations.ListParentsCommand({ ChildId: side.member }))],
  [
    'organizations:ListParents of no child',
    (side) => side.organizations.send(new organizations.ListParentsCommand({ ChildId: '000000000001' })),
  ],
  [
    'organizations:DescribeOrganizationalUnit',
    (side) => side.organizations.send(new organizations.DescribeOrganizationalUnitCommand({ OrganizationalUnitId: side.ou })),
  ],
  [
    'organizations:DescribeOrganizationalUnit of none',
    (side) => side.organizations.send(new organizations.DescribeOrganizationalUnitCommand({ OrganizationalUnitId: 'ou-ab12-99999999' })),
  ],
  [
    'organizations:DescribeAccount',
    (side) => side.organizations.send(new organizations.DescribeAccountCommand({ AccountId: side.member })),
  ],
  [
    'organizations:DescribeAccount of none',
    (side) => side.organizations.send(new organizations.DescribeAccountCommand({ AccountId: '000000000001' })),
  ],

  ['ecr:DescribeRepositories of none', (side) => side.ecr.send(new ecr.DescribeRepositoriesCommand({ repositoryNames: ['shapes/none'] }))],
  ['ecr:CreateRepository again', (side) => side.ecr.send(new ecr.CreateRepositoryCommand(of))],
  ['ecr:CreateRepository of a bad name', (side) => side.ecr.send(new ecr.CreateRepositoryCommand({ repositoryName: 'Shapes' }))],
  ['ecr:DescribeRepositories', (side) => side.ecr.send(new ecr.DescribeRepositoriesCommand({ repositoryNames: [of.repositoryName] }))],
  [
    'ecr:ListTagsForResource',
    async (side) => side.ecr.send(new ecr.ListTagsForResourceCommand({ resourceArn: await repositoryArn(side) })),
  ],
  ['ecr:GetRepositoryPolicy of none', (side) => side.ecr.send(new ecr.GetRepositoryPolicyCommand(of))],
  ['ecr:DeleteRepositoryPolicy of none', (side) => side.ecr.send(new ecr.DeleteRepositoryPolicyCommand(of))],
  ['ecr:SetRepositoryPolicy', (side) => side.ecr.send(new ecr.SetRepositoryPolicyCommand({ ...of, policyText }))],
  ['ecr:SetRepositoryPolicy, no JSON', (side) => side.ecr.send(new ecr.SetRepositoryPolicyCommand({ ...of, policyText: '{' }))],
  [
    'ecr:SetRepositoryPolicy, unknown operator',
    (side) => side.ecr.send(new ecr.SetRepositoryPolicyCommand({ ...of, policyText: policyText.replace('StringLike', 'StringLooksLike') })),
  ],
  ['ecr:GetRepositoryPolicy', (side) => side.ecr.send(new ecr.GetRepositoryPolicyCommand(of))],
  ['ecr:DeleteRepositoryPolicy', (side) => side.ecr.send(new ecr.DeleteRepositoryPolicyCommand(of))],
  [
    'ecr:SetRepositoryPolicy of no repository',
    (side) => side.ecr.send(new ecr.SetRepositoryPolicyCommand({ repositoryName: 'shapes/none', policyText })),
  ],
  ['ecr:GetRegistryPolicy of none', (side) => side.ecr.send(new ecr.GetRegistryPolicyCommand({}))],
  ['ecr:PutRegistryPolicy', (side) => side.ecr.send(new ecr.PutRegistryPolicyCommand({ policyText: registryPolicy(side) }))],
  ['ecr:GetRegistryPolicy', (side) => side.ecr.send(new ecr.GetRegistryPolicyCommand({}))],
  ['ecr:GetAuthorizationToken', (side) => side.ecr.send(new ecr.GetAuthorizationTokenCommand({}))],
  ['ecr:DescribeImages, empty', (side) => side.ecr.send(new ecr.DescribeImagesCommand(of))],
  ['ecr:DescribeImages of none', (side) => side.ecr.send(new ecr.DescribeImagesCommand({ ...of, imageIds: [{ imageTag: 'none' }] }))],
  ['ecr:PutImage', (side) => side.ecr.send(new ecr.PutImageCommand({ ...image, imageTag: 'one' }))],
  ['ecr:PutImage again', (side) => side.ecr.send(new ecr.PutImageCommand({ ...image, imageTag: 'one' }))],
  ['ecr:PutImage, a second tag', (side) => side.ecr.send(new ecr.PutImageCommand({ ...image, imageTag: 'two' }))],
  ['ecr:DescribeImages', (side) => side.ecr.send(new ecr.DescribeImagesCommand({ ...of, imageIds: [{ imageTag: 'one' }] }))],
  ['ecr:ListImages', (side) => side.ecr.send(new ecr.ListImagesCommand(of))],
  ['ecr:BatchGetImage', (side) => side.ecr.send(new ecr.BatchGetImageCommand({ ...of, imageIds: [{ imageTag: 'one' }] }))],
  ['ecr:BatchGetImage of none', (side) => side.ecr.send(new ecr.BatchGetImageCommand({ ...of, imageIds: [{ imageTag: 'none' }] }))],
  [
    'ecr:DescribeImageScanFindings of none',
    (side) => side.ecr.send(new ecr.DescribeImageScanFindingsCommand({ ...of, imageId: { imageTag: 'one' } })),
  ],
  ['ecr:DescribeRegistry', (side) => side.ecr.send(new ecr.DescribeRegistryCommand({}))],
  [
    'ecr:PutReplicationConfiguration',
    (side) =>
      side.ecr.send(
        new ecr.PutReplicationConfigurationCommand({
          replicationConfiguration: { rules: [{ destinations: [{ region: 'eu-central-1', registryId: side.account }] }] },
        }),
      ),
  ],
  ['ecr:DescribeRegistry with a rule', (side) => side.ecr.send(new ecr.DescribeRegistryCommand({}))],
  ['ecr:PutImageTagMutability', (side) => side.ecr.send(new ecr.PutImageTagMutabilityCommand({ ...of, imageTagMutability: 'IMMUTABLE' }))],
  ['ecr:BatchDeleteImage, one tag', (side) => side.ecr.send(new ecr.BatchDeleteImageCommand({ ...of, imageIds: [{ imageTag: 'two' }] }))],
  ['ecr:BatchDeleteImage of none', (side) => side.ecr.send(new ecr.BatchDeleteImageCommand({ ...of, imageIds: [{ imageTag: 'none' }] }))],
  ['ecr:DeleteRepository, not empty', (side) => side.ecr.send(new ecr.DeleteRepositoryCommand(of))],
  ['ecr:DeleteRepository', (side) => side.ecr.send(new ecr.DeleteRepositoryCommand({ ...of, force: true }))],

  ['ecs:DescribeTaskDefinition of none', (side) => side.ecs.send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: 'none' }))],
  ['ecs:RegisterTaskDefinition', (side) => side.ecs.send(new ecs.RegisterTaskDefinitionCommand(taskDefinition))],
  [
    'ecs:RegisterTaskDefinition without a family',
    (side) => side.ecs.send(new ecs.RegisterTaskDefinitionCommand({ ...taskDefinition, family: '' })),
  ],
  [
    'ecs:DescribeTaskDefinition',
    (side) => side.ecs.send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: family, include: ['TAGS'] })),
  ],
  ['ecs:ListTaskDefinitions', (side) => side.ecs.send(new ecs.ListTaskDefinitionsCommand({ familyPrefix: family }))],
  [
    'ecs:TagResource',
    async (side) =>
      side.ecs.send(new ecs.TagResourceCommand({ resourceArn: await taskDefinitionArn(side), tags: [{ key: 'stage', value: 'dev' }] })),
  ],
  [
    'ecs:ListTagsForResource',
    async (side) => side.ecs.send(new ecs.ListTagsForResourceCommand({ resourceArn: await taskDefinitionArn(side) })),
  ],
  ['ecs:DeregisterTaskDefinition', (side) => side.ecs.send(new ecs.DeregisterTaskDefinitionCommand({ taskDefinition: `${family}:1` }))],
  ['ecs:DescribeClusters', (side) => side.ecs.send(new ecs.DescribeClustersCommand({ clusters: [cluster] }))],
  ['ecs:DescribeClusters of none', (side) => side.ecs.send(new ecs.DescribeClustersCommand({ clusters: ['none'] }))],
  ['ecs:DescribeServices of none', (side) => side.ecs.send(new ecs.DescribeServicesCommand({ cluster, services: ['none'] }))],
  ['ecs:DescribeServices of no cluster', (side) => side.ecs.send(new ecs.DescribeServicesCommand({ cluster: 'none', services: ['none'] }))],
  ['ecs:ListTasks of no cluster', (side) => side.ecs.send(new ecs.ListTasksCommand({ cluster: 'none' }))],
  [
    'ecs:DescribeTasks of none',
    (side) => side.ecs.send(new ecs.DescribeTasksCommand({ cluster, tasks: ['0123456789abcdef0123456789abcdef'] })),
  ],

  ['codedeploy:GetApplication', (side) => side.codedeploy.send(new codedeploy.GetApplicationCommand({ applicationName: application }))],
  ['codedeploy:GetApplication of none', (side) => side.codedeploy.send(new codedeploy.GetApplicationCommand({ applicationName: 'none' }))],
  ['codedeploy:ListApplications', (side) => side.codedeploy.send(new codedeploy.ListApplicationsCommand({}))],
  [
    'codedeploy:GetDeploymentGroup',
    (side) => side.codedeploy.send(new codedeploy.GetDeploymentGroupCommand({ applicationName: application, deploymentGroupName: group })),
  ],
  [
    'codedeploy:GetDeploymentGroup of none',
    (side) => side.codedeploy.send(new codedeploy.GetDeploymentGroupCommand({ applicationName: application, deploymentGroupName: 'none' })),
  ],
  [
    'codedeploy:ListDeploymentGroups',
    (side) => side.codedeploy.send(new codedeploy.ListDeploymentGroupsCommand({ applicationName: application })),
  ],
  [
    'codedeploy:GetDeployment of none',
    (side) => side.codedeploy.send(new codedeploy.GetDeploymentCommand({ deploymentId: 'd-NONE00000' })),
  ],
  [
    'codedeploy:CreateDeployment',
    async (side) => {
      const answer = await side.codedeploy.send(
        new codedeploy.CreateDeploymentCommand({
          applicationName: application,
          deploymentGroupName: group,
          revision,
          description: 'shapes',
        }),
      );
      deploymentIds.set(side, answer.deploymentId ?? '');
      return answer;
    },
  ],
  ['codedeploy:GetDeployment', (side) => side.codedeploy.send(new codedeploy.GetDeploymentCommand({ deploymentId: deploymentOf(side) }))],
  [
    'codedeploy:BatchGetDeployments',
    (side) => side.codedeploy.send(new codedeploy.BatchGetDeploymentsCommand({ deploymentIds: [deploymentOf(side)] })),
  ],
  [
    'codedeploy:ListDeployments',
    (side) => side.codedeploy.send(new codedeploy.ListDeploymentsCommand({ applicationName: application, deploymentGroupName: group })),
  ],
];

interface Difference {
  /** What only moto answers (or answers with another type), or its error; `anything` where the other fails. */
  readonly moto?: readonly string[] | 'anything';
  /** What only the emulator answers. */
  readonly emulator?: readonly string[] | 'anything';
  readonly because: string;
}

const ofTaskDefinition = [
  'taskDefinition.containerDefinitions[].portMappings[].hostPort: number',
  'taskDefinition.containerDefinitions[].systemControls[]',
  'taskDefinition.registeredAt: date',
  'taskDefinition.registeredBy: string',
  'taskDefinition.requiresAttributes[]',
  'taskDefinition.requiresAttributes[].name: string',
];
const paths = 'Path and Paths are new members, which moto doesn’t know (AWS-FACTS 1.1)';
const filledIn =
  'moto leaves out what ECS fills in: who registered it and when, requiresAttributes, hostPort with awsvpc, empty systemControls';
const times = 'moto writes times as text, and the SDK refuses them in this protocol';

const differences: Readonly<Record<string, Difference>> = {
  'sts:AssumeRole': { moto: ['PackedPolicySize: number'], because: 'STS answers it only where a policy or tags were given' },
  'sts:AssumeRoleWithWebIdentity': {
    moto: ['PackedPolicySize: number'],
    emulator: ['Audience: string', 'Provider: string', 'SubjectFromWebIdentityToken: string'],
    because: 'moto reads no token, so it can tell nothing of it; PackedPolicySize as above',
  },
  'organizations:DescribeOrganization': {
    moto: [
      'Organization.AvailablePolicyTypes[]',
      'Organization.AvailablePolicyTypes[].Status: string',
      'Organization.AvailablePolicyTypes[].Type: string',
    ],
    because: 'a deprecated member, which nobody reads here',
  },
  'organizations:ListOrganizationalUnitsForParent': { emulator: ['OrganizationalUnits[].Path: string'], because: paths },
  'organizations:DescribeOrganizationalUnit': { emulator: ['OrganizationalUnit.Path: string'], because: paths },
  'organizations:ListAccountsForParent': { emulator: ['Accounts[].Paths[]', 'Accounts[].Paths[]: string'], because: paths },
  'organizations:ListAccounts': { emulator: ['Accounts[].Paths[]', 'Accounts[].Paths[]: string'], because: paths },
  'organizations:DescribeAccount': { emulator: ['Account.Paths[]', 'Account.Paths[]: string'], because: paths },
  'organizations:ListParents of no child': {
    moto: ['! AccountNotFoundException'],
    emulator: ['! ChildNotFoundException'],
    because: 'AccountNotFoundException is none of the errors that the API reference lists for ListParents',
  },
  'ecr:DescribeImages': {
    emulator: ['imageDetails[].artifactMediaType: string', 'imageDetails[].imageStatus: string'],
    because: 'moto reads no manifest and has no archived images',
  },
  'ecs:RegisterTaskDefinition': {
    emulator: [...ofTaskDefinition, 'tags[]', 'tags[].key: string', 'tags[].value: string'],
    because: `${filledIn}; and the tags`,
  },
  'ecs:RegisterTaskDefinition without a family': {
    moto: 'anything',
    emulator: ['! ClientException'],
    because: 'moto registers a family without a name',
  },
  'ecs:DescribeTaskDefinition': { emulator: ofTaskDefinition, because: filledIn },
  'ecs:DeregisterTaskDefinition': { emulator: [...ofTaskDefinition, 'taskDefinition.deregisteredAt: date'], because: filledIn },
  'ecs:DescribeClusters': {
    moto: ['clusters[].settings[].name: string', 'clusters[].settings[].value: string'],
    emulator: [
      'clusters[].capacityProviders[]',
      'clusters[].capacityProviders[]: string',
      'clusters[].defaultCapacityProviderStrategy[]',
      'clusters[].statistics[]',
      'clusters[].tags[]',
    ],
    because: 'ECS answers settings only where they are included; moto leaves empty lists and capacity providers out',
  },
  'ecs:DescribeTasks of none': {
    emulator: ['failures[].arn: string', 'failures[].reason: string'],
    because: 'moto passes over tasks that are missing',
  },
  'codedeploy:GetApplication': { moto: ['! TypeError'], emulator: 'anything', because: times },
  'codedeploy:GetDeployment': { moto: ['! TypeError'], emulator: 'anything', because: times },
  'codedeploy:BatchGetDeployments': { moto: ['! TypeError'], emulator: 'anything', because: times },
  'codedeploy:GetDeploymentGroup': {
    emulator: [
      'deploymentGroupInfo.alarmConfiguration.alarms[]',
      'deploymentGroupInfo.alarmConfiguration.enabled: boolean',
      'deploymentGroupInfo.alarmConfiguration.ignorePollAlarmFailure: boolean',
      'deploymentGroupInfo.terminationHookEnabled: boolean',
    ],
    because: 'moto loses the alarms and has no termination hook',
  },
  'codedeploy:ListDeploymentGroups': { moto: ['nextToken: string'], because: 'moto answers an empty token where there is no further page' },
};

async function taskDefinitionArn({ ecs: client }: Side): Promise<string> {
  const { taskDefinition: found } = await client.send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: family }));
  return found?.taskDefinitionArn ?? '';
}

async function repositoryArn({ ecr: client }: Side): Promise<string> {
  const { repositories } = await client.send(new ecr.DescribeRepositoriesCommand({ repositoryNames: [of.repositoryName] }));
  return repositories?.[0]?.repositoryArn ?? '';
}

/** An answer as the paths of its members with their types, or an error as its name. */
async function answerOf(ask: Ask, side: Side): Promise<readonly string[]> {
  try {
    const answer = (await ask(side)) as Record<string, unknown>;
    return [...new Set(members({ ...answer, $metadata: undefined }))].sort();
  } catch (error) {
    return [`! ${error instanceof Error ? error.name : String(error)}`];
  }
}

function members(value: unknown, path = ''): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [`${path}[]`, ...value.flatMap((inner) => members(inner, `${path}[]`))];
  if (value instanceof Date) return [`${path}: date`];
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([name, inner]) => members(inner, path === '' ? name : `${path}.${name}`));
}

/** Keys of an account of this run's own: moto gives each account its own world. */
async function startMoto(): Promise<Side> {
  const endpoint = variable('MOTO_URL');
  const account = String(randomInt(300_000_000_000, 999_999_999_999));
  const role = `arn:aws:iam::${account}:role/shapes`;
  const first = new sts.STSClient({ region, endpoint, credentials: motoKeys });
  const { Credentials: keys } = await first.send(new sts.AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'shapes' }));
  const credentials = {
    accessKeyId: keys?.AccessKeyId ?? '',
    secretAccessKey: keys?.SecretAccessKey ?? '',
    sessionToken: keys?.SessionToken ?? '',
  };
  const configuration = { region, endpoint, credentials, maxAttempts: 1 };
  const side = clients(configuration);
  await side.organizations.send(new organizations.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  const { Roots = [] } = await side.organizations.send(new organizations.ListRootsCommand({}));
  const root = Roots[0]?.Id ?? '';
  const { OrganizationalUnit } = await side.organizations.send(
    new organizations.CreateOrganizationalUnitCommand({ ParentId: root, Name: 'Workloads' }),
  );
  const { CreateAccountStatus } = await side.organizations.send(
    new organizations.CreateAccountCommand({ AccountName: 'dev-a', Email: 'dev-a@example.com' }),
  );
  const [ou, member] = [OrganizationalUnit?.Id ?? '', CreateAccountStatus?.AccountId ?? ''];
  await side.organizations.send(new organizations.MoveAccountCommand({ AccountId: member, SourceParentId: root, DestinationParentId: ou }));
  await side.ecs.send(new ecs.CreateClusterCommand({ clusterName: cluster }));
  await side.ecr.send(new ecr.CreateRepositoryCommand(of));
  await side.codedeploy.send(new codedeploy.CreateApplicationCommand({ applicationName: application, computePlatform: 'ECS' }));
  await side.codedeploy.send(
    new codedeploy.CreateDeploymentGroupCommand({
      applicationName: application,
      deploymentGroupName: group,
      serviceRoleArn: `arn:aws:iam::${account}:role/codedeploy`,
      deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
      deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
      ecsServices: [{ clusterName: cluster, serviceName: service }],
      autoRollbackConfiguration: { enabled: true, events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST'] },
      alarmConfiguration: { enabled: false, ignorePollAlarmFailure: false, alarms: [] },
      blueGreenDeploymentConfiguration: {
        terminateBlueInstancesOnDeploymentSuccess: { action: 'TERMINATE', terminationWaitTimeInMinutes: 5 },
        deploymentReadyOption: { actionOnTimeout: 'CONTINUE_DEPLOYMENT', waitTimeInMinutes: 0 },
      },
      loadBalancerInfo: {
        targetGroupPairInfoList: [
          {
            targetGroups: [{ name: 'web-blue' }, { name: 'web-green' }],
            prodTrafficRoute: {
              listenerArns: [`arn:aws:elasticloadbalancing:${region}:${account}:listener/app/web/0123456789abcdef/0123456789abcdef`],
            },
          },
        ],
      },
    }),
  );
  return { ...side, account, member, root, ou, role, idToken: 'moto takes any' };
}

async function startOurs({ emulator }: Scenario): Promise<Side> {
  const { world, url: endpoint, github } = emulator;
  const configuration = (account: string) => ({ region, endpoint, credentials: world.user(account, 'shapes'), maxAttempts: 1 });
  const side: Side = {
    ...clients(configuration(accounts.registry)),
    organizations: clients(configuration(accounts.management)).organizations,
    ecs: clients(configuration(accounts.devA)).ecs,
    codedeploy: clients(configuration(accounts.devA)).codedeploy,
    account: accounts.registry,
    member: accounts.devA,
    root: world.root.id,
    ou: developmentOu,
    role: roles.deploy(accounts.devA),
    idToken: github.identity.token('sts.amazonaws.com'),
  };
  await side.ecr.send(new ecr.CreateRepositoryCommand(of));
  await pushBlobs(side);
  return side;
}

function clients(configuration: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } }) {
  return {
    ecr: new ecr.ECRClient(configuration),
    ecs: new ecs.ECSClient(configuration),
    sts: new sts.STSClient(configuration),
    organizations: new organizations.OrganizationsClient(configuration),
    codedeploy: new codedeploy.CodeDeployClient(configuration),
  };
}

/** ECR refuses a manifest whose layers it does not have; moto takes any. */
async function pushBlobs({ ecr: client }: Side): Promise<void> {
  const { authorizationData = [] } = await client.send(new ecr.GetAuthorizationTokenCommand({}));
  const [{ authorizationToken = '', proxyEndpoint = '' } = {}] = authorizationData;
  const headers = { authorization: `Basic ${authorizationToken}` };
  for (const blob of Object.values(blobs)) {
    const begun = await fetch(`${proxyEndpoint}/v2/${of.repositoryName}/blobs/uploads/`, { method: 'POST', headers });
    const location = new URL(begun.headers.get('location') ?? '', proxyEndpoint);
    location.searchParams.set('digest', sha256(blob));
    await fetch(location, { method: 'PUT', headers, body: blob });
  }
}

describeReal('the emulator answers in the shapes of moto', { needs: ['moto'] }, () => {
  let scenario: Scenario;
  let ours: Side;
  let moto: Side;
  beforeAll(async () => {
    scenario = await startScenario();
    [ours, moto] = await Promise.all([startOurs(scenario), startMoto()]);
  });
  afterAll(async () => {
    await scenario.emulator.close();
    for (const side of [ours, moto]) for (const each of [side.ecr, side.ecs, side.sts, side.organizations, side.codedeploy]) each.destroy();
  });

  test.each(calls.map(([name, ask]) => ({ name, ask })))('$name', async ({ name, ask }) => {
    const [mine, theirs] = [await answerOf(ask, ours), await answerOf(ask, moto)];
    const { moto: onlyMoto = [], emulator: onlyEmulator = [] } = differences[name] ?? {};
    const found = { moto: theirs.filter((member) => !mine.includes(member)), emulator: mine.filter((member) => !theirs.includes(member)) };
    if (onlyMoto !== 'anything') expect(found.moto).toEqual([...onlyMoto].sort());
    if (onlyEmulator !== 'anything') expect(found.emulator).toEqual([...onlyEmulator].sort());
  });

  test('every listed difference belongs to a call', () => {
    const names = calls.map(([name]) => name);
    expect(Object.keys(differences).filter((name) => !names.includes(name))).toEqual([]);
  });
});
