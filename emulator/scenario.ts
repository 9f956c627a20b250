/**
 * The article's setting, ready to release to: an organization with a Services and a Workloads/Development OU, the shared registry's
 * account, two accounts in the development OU and one outside, and in each of them a Fargate service that CodeDeploy deploys
 * blue/green, and another that ECS itself deploys. The demo, the tests and `npm run emulator` start from it.
 */
import { refusalOf } from './access.ts';
import { CodeDeployState, codedeployService, type CanPull } from './codedeploy.ts';
import { EcsState, ecsService } from './ecs.ts';
import { startEmulator, type Emulator, type EmulatorOptions } from './emulator.ts';
import { World } from './world.ts';

export const region = 'eu-west-1';
export const organizationId = 'o-a1b2c3d4e5';
export const developmentOu = 'ou-ab12-11111111';
export const accounts = {
  registry: '111111111111',
  devA: '222222222222',
  devB: '333333333333',
  outside: '444444444444',
  management: '999999999999',
} as const;
export const repositoryName = 'shop/web';
export const cluster = 'dev';
export const service = 'web';
/** ECS itself deploys it. */
export const ownService = 'api';
export const roles = {
  /** Pushes and reads images, reads and writes repository policies. */
  registry: `arn:aws:iam::${accounts.registry}:role/ecr-release`,
  /** Reads the organization's tree, from the management account. */
  organization: `arn:aws:iam::${accounts.management}:role/organization-read`,
  deploy: (account: string) => `arn:aws:iam::${account}:role/web-deploy`,
  execution: (account: string) => `arn:aws:iam::${account}:role/web-execution`,
} as const;

export interface Scenario {
  readonly emulator: Emulator;
  readonly ecs: EcsState;
  readonly codedeploy: CodeDeployState;
  /** An account like those in the development OU, made now: its service, its CodeDeploy application and group, its roles. */
  addAccount(id: string, given: { name: string; ou?: string }): void;
  /** A task definition of a service as ECS would hold it, by account. */
  readonly taskDefinition: (account: string) => Record<string, unknown>;
}

/** The organization's job may assume the roles by OIDC, and from any role or user of the registry's account. */
const trust = { oidcSubjects: ['repo:acme/shop:*'], principals: [accounts.registry] } as const;

export interface ScenarioOptions extends Omit<EmulatorOptions, 'world' | 'services' | 'region'> {
  /** The repository's policy. Default: none. */
  readonly policy?: object;
}

/** What `share` writes for the development OU, as an earlier release left it. */
export const sharedPolicy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'EcrOrgDeployOrgPaths',
      Effect: 'Allow',
      Principal: '*',
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': [`${organizationId}/*/${developmentOu}/*`] } },
    },
  ],
} as const;

export async function startScenario({ policy, ...options }: ScenarioOptions = {}): Promise<Scenario> {
  const world = new World();
  const hosts = new Map<string, string>();
  const pulling: CanPull = (image, account, role) => canPull({ world, hosts, image, account, role });
  const ecs = new EcsState({ canPull: pulling });
  const codedeploy = new CodeDeployState({ canPull: pulling });

  world.organization({ id: organizationId, rootId: 'r-ab12', management: accounts.management });
  world.account(accounts.registry, { name: 'services', ou: world.ou('Services', { id: 'ou-ab12-00000000' }) });
  world.ou('Workloads/Development', { id: developmentOu });
  world.role(roles.registry, { trust });
  world.role(roles.organization, { trust });
  world.repository({ account: accounts.registry, region, name: repositoryName, ...(policy && { policy }) });

  const addAccount: Scenario['addAccount'] = (id, { name, ou }) => {
    world.account(id, { name, ...(ou !== undefined && { ou: world.ou(ou) }) });
    world.role(roles.deploy(id), { trust });
    world.role(roles.execution(id));
    addService({ ecs, codedeploy, account: id });
    addOwnService({ ecs, account: id });
  };
  addAccount(accounts.devA, { name: 'dev-a', ou: 'Workloads/Development' });
  addAccount(accounts.devB, { name: 'dev-b', ou: 'Workloads/Development' });
  addAccount(accounts.outside, { name: 'outside', ou: 'Sandbox' });

  const emulator = await startEmulator({ ...options, world, region, services: [ecsService(ecs), codedeployService(codedeploy, ecs)] });
  emulator.github.identity.subject = 'repo:acme/shop:ref:refs/heads/main';
  hosts.set(await emulator.registryHost(accounts.registry), accounts.registry);
  return { emulator, ecs, codedeploy, addAccount, taskDefinition };
}

/** What the service runs before the first release. */
function taskDefinition(account: string): Record<string, unknown> {
  return {
    family: service,
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: '256',
    memory: '512',
    executionRoleArn: roles.execution(account),
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
  };
}

/** A service that ECS itself deploys, with a canary. */
function addOwnService({ ecs, account }: { ecs: EcsState; account: string }): void {
  const arn = (kind: string): string => `arn:aws:elasticloadbalancing:${region}:${account}:${kind}`;
  ecs.service({
    account,
    region,
    cluster,
    name: ownService,
    controller: 'ECS',
    taskDefinition: { ...taskDefinition(account), family: ownService },
    launchType: 'FARGATE',
    platformVersion: 'LATEST',
    desiredCount: 2,
    deploymentConfiguration: {
      strategy: 'CANARY',
      bakeTimeInMinutes: 5,
      canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 5 },
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'], securityGroups: ['sg-0a1b2c3d'], assignPublicIp: 'DISABLED' },
    },
    loadBalancers: [
      {
        targetGroupArn: arn('targetgroup/api-blue/0123456789abcdef'),
        containerName: 'web',
        containerPort: 80,
        advancedConfiguration: {
          alternateTargetGroupArn: arn('targetgroup/api-green/0123456789abcdef'),
          productionListenerRule: arn('listener-rule/app/api/0123456789abcdef/0123456789abcdef/0123456789abcdef'),
          testListenerRule: arn('listener-rule/app/api/0123456789abcdef/fedcba9876543210/0123456789abcdef'),
          roleArn: `arn:aws:iam::${account}:role/ecs-load-balancers`,
        },
      },
    ],
  });
}

function addService({ ecs, codedeploy, account }: { ecs: EcsState; codedeploy: CodeDeployState; account: string }): void {
  const scope = { account, region };
  const arn = (kind: string): string => `arn:aws:elasticloadbalancing:${region}:${account}:${kind}`;
  ecs.cluster({ ...scope, name: cluster });
  ecs.service({
    ...scope,
    cluster,
    name: service,
    controller: 'CODE_DEPLOY',
    taskDefinition: taskDefinition(account),
    launchType: 'FARGATE',
    platformVersion: 'LATEST',
    desiredCount: 2,
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'], securityGroups: ['sg-0a1b2c3d'], assignPublicIp: 'DISABLED' },
    },
    loadBalancers: [{ targetGroupArn: arn('targetgroup/web-blue/0123456789abcdef'), containerName: 'web', containerPort: 80 }],
  });
  codedeploy.application({ ...scope, name: `AppECS-${cluster}-${service}` });
  codedeploy.group({
    ...scope,
    application: `AppECS-${cluster}-${service}`,
    name: `DgpECS-${cluster}-${service}`,
    cluster,
    service,
    autoRollback: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST'],
    termination: { action: 'TERMINATE', waitTimeInMinutes: 5 },
    deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
    targetGroups: ['web-blue', 'web-green'],
    listenerArn: arn('listener/app/web/0123456789abcdef/0123456789abcdef'),
  });
}

/** What Fargate finds out when it starts the green tasks: whether the repository's policy lets their execution role pull. */
function canPull({
  world,
  hosts,
  image,
  account,
  role,
}: {
  world: World;
  hosts: ReadonlyMap<string, string>;
  image: string;
  account: string;
  role: string | undefined;
}): true | string {
  const [host = '', ...path] = image.split('/');
  const owner = hosts.get(host);
  if (owner === undefined) return true;
  const name = path.join('/').replace(/[@:].*$/, '');
  const repository = world.findRepository({ account: owner, region, name });
  const execution = world.findRole(role ?? roles.execution(account));
  if (!repository) return `repository ${name} not found`;
  if (!execution) return `the execution role of account ${account} is missing`;
  const { principal } = world.session(execution);
  const refusals = ['BatchGetImage', 'GetDownloadUrlForLayer'].map((operation) => refusalOf(world, { principal, operation, repository }));
  return refusals.find((refusal) => refusal !== undefined) ?? true;
}
