import { describe, expect, test } from '@jest/globals';
import { AwsError, DocumentError, InputError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { someGroup } from '../fakes/codedeploy.ts';
import { someDefinition, someService } from '../fakes/ecs.ts';
import { account, awsError, failureOf, Setting } from './deployment-setting.ts';
import type { DeploymentInputs } from '../../src/steps/prepare-deployment.ts';

const appSpec = (properties: string): string =>
  `version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n${properties}\n`;
const goodProperties = '        TaskDefinition: <TASK_DEFINITION>\n        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}';

describe('what is read', () => {
  test('independent reads start together, and the PRIMARY task set tells what runs', async () => {
    const setting = new Setting();
    const prepared = await setting.prepare();
    expect(setting.journal).toEqual([
      'codedeploy:GetDeploymentGroup',
      'codedeploy:ListDeployments',
      'ecs:DescribeServices',
      'sts:GetCallerIdentity',
      'ecs:DescribeTaskDefinition web:42',
    ]);
    expect(prepared.running.arn).toMatch(/web:42$/);
    expect(prepared.containers).toEqual({ images: ['web'], environment: 'web' });
    expect(setting.writes).toEqual([]);
  });

  test('a custom traffic configuration is read beside, one of AWS’s own is not', async () => {
    const setting = new Setting();
    setting.codedeploy.config = { name: 'Slow', computePlatform: 'ECS', routing: { kind: 'canary', percentage: 5, minutes: 20 } };
    const prepared = await setting.prepare({ 'codedeploy-deployment-config': 'Slow' });
    expect(setting.journal.filter((call) => call.includes('Config'))).toEqual(['codedeploy:GetDeploymentConfig Slow']);
    expect(await prepared.deployer.budget()).toEqual({
      minutes: 55,
      explanation: '30 min for tasks and hooks, 20 min canary traffic shift, 5 min before the old tasks end',
    });
  });
});

test('a cluster that was named by its ARN is known by its name from then on', async () => {
  const setting = new Setting();
  const { inputs, deployer } = await setting.prepare({ cluster: `arn:aws:ecs:eu-west-1:${account}:cluster/dev` });
  expect(inputs.cluster).toBe('dev');
  expect(deployer.where).toMatchObject({ cluster: 'dev', application: 'AppECS-dev-web', group: 'DgpECS-dev-web' });
});

describe('documents are wrong before anything is called', () => {
  const cases: readonly { name: string; inputs: Partial<DeploymentInputs>; files: Record<string, string>; message: RegExp }[] = [
    {
      name: 'missing file',
      inputs: { 'task-definition': 'td.json' },
      files: {},
      message: /^td\.json: is not there \(looked at \/workspace\/td\.json\)$/,
    },
    {
      name: 'broken JSON',
      inputs: { 'task-definition': 'td.json' },
      files: { 'td.json': '{"family": "web",\n "containerDefinitions": [}' },
      message: /^td\.json:2:27: is not JSON: /,
    },
    {
      name: 'no TargetService',
      inputs: { 'codedeploy-appspec': 'appspec.yaml' },
      files: { 'appspec.yaml': 'version: 0.0\nResources: []\n' },
      message: /^appspec\.yaml:2:12: \$\.Resources is empty: it must hold one TargetService$/,
    },
    {
      name: 'a container that the task definition file lacks',
      inputs: { 'codedeploy-appspec': 'appspec.yaml', 'task-definition': 'td.json' },
      files: {
        'appspec.yaml': appSpec(goodProperties),
        'td.json': '{"family": "web", "containerDefinitions": [{"name": "app", "image": "x"}]}',
      },
      message:
        /^appspec\.yaml:7:43: \$\.Resources\[0\]\.TargetService\.Properties\.LoadBalancerInfo\.ContainerName is "web", which the task definition web lacks: its containers are app$/,
    },
    {
      name: 'everything at once',
      inputs: { 'codedeploy-appspec': 'appspec.yaml', 'task-definition': 'td.yaml' },
      files: {
        'appspec.yaml': appSpec('        LoadBalancerInfo: [{ContainerName: web}]'),
        'td.yaml': 'family: web\ncontainerDefinitions: []\n',
      },
      message:
        /^td\.yaml:2:23: \$\.containerDefinitions must be a list of at least one container\nappspec\.yaml:6:27: .* must be an object, not a list/,
    },
  ];
  test.each(cases)('$name', async ({ inputs, files, message }) => {
    const setting = new Setting();
    for (const [file, text] of Object.entries(files)) setting.files.texts.set(file, text);
    const error = await failureOf(setting.prepare(inputs));
    expect(error).toBeInstanceOf(DocumentError);
    expect(error.message).toMatch(message);
    expect(setting.journal).toEqual([]);
  });
});

test('a member that nobody knows is a warning with its place, and is registered all the same', async () => {
  const setting = new Setting();
  const file = 'family: web\ncontainerDefinitions:\n  - name: web\n    enviroment: []\n    portMappings: [{ containerPort: 80 }]\n';
  setting.files.texts.set('td.yaml', file);
  const { definition } = await setting.prepare({ 'task-definition': 'td.yaml' });
  expect(definition.containerDefinitions[0]).toHaveProperty('enviroment');
  expect(setting.log.lines).toEqual([
    'warning: td.yaml:4:17: $.containerDefinitions[0].enviroment is not known here (did you mean "environment"?); it is sent to ECS as it stands',
  ]);
});

describe('what AWS shows to be wrong', () => {
  const cases: readonly { name: string; inputs?: Partial<DeploymentInputs>; change: (setting: Setting) => void; message: RegExp }[] = [
    {
      name: 'no cluster',
      change: ({ ecs }) => (ecs.answer = { found: 'nothing', missing: 'cluster' }),
      message: /^cluster: there is no cluster dev in eu-west-1$/,
    },
    {
      name: 'no service',
      change: ({ ecs }) => (ecs.answer = { found: 'nothing', missing: 'service' }),
      message: /^service: there is no service web in the cluster dev$/,
    },
    {
      name: 'a draining service',
      change: ({ ecs }) => (ecs.answer = { found: 'service', service: { ...someService, status: 'DRAINING' } }),
      message: /^service: web is DRAINING, not ACTIVE$/,
    },
    {
      name: 'rolling updates, whose group is no news',
      change: ({ ecs, codedeploy }) => {
        ecs.answer = { found: 'service', service: { ...someService, controller: 'ECS', own: { ...someService.own, strategy: 'ROLLING' } } };
        codedeploy.groupAnswer = { found: 'nothing', missing: 'group' };
      },
      message:
        /^service: web has rolling updates \(the deployment controller ECS with the strategy ROLLING\); give it the controller ECS with/,
    },
    {
      name: 'the controller ECS without a strategy, which means rolling updates',
      change: ({ ecs }) => (ecs.answer = { found: 'service', service: { ...someService, controller: 'ECS' } }),
      message: /^service: web has rolling updates/,
    },
    {
      name: 'the controller EXTERNAL',
      change: ({ ecs }) => (ecs.answer = { found: 'service', service: { ...someService, controller: 'EXTERNAL' } }),
      message: /^service: web has the deployment controller EXTERNAL: whoever made its task sets deploys it; give it the controller/,
    },
    {
      name: 'no application',
      change: ({ codedeploy }) => (codedeploy.groupAnswer = { found: 'nothing', missing: 'application' }),
      message: /^codedeploy-application: there is no CodeDeploy application AppECS-dev-web in eu-west-1$/,
    },
    {
      name: 'a group of another compute platform',
      change: ({ codedeploy }) => (codedeploy.groupAnswer = { found: 'group', group: { ...someGroup, computePlatform: 'Lambda' } }),
      message: /^codedeploy-deployment-group: DgpECS-dev-web is for the compute platform Lambda, not for ECS$/,
    },
    {
      name: 'a group of another service',
      change: ({ codedeploy }) =>
        (codedeploy.groupAnswer = { found: 'group', group: { ...someGroup, services: [{ cluster: 'prod', service: 'api' }] } }),
      message: /^codedeploy-deployment-group: DgpECS-dev-web deploys api of cluster prod, not web of cluster dev$/,
    },
    {
      name: 'no such configuration',
      inputs: { 'codedeploy-deployment-config': 'Nope' },
      change: () => undefined,
      message: /^codedeploy-deployment-config: there is no deployment configuration Nope for ECS$/,
    },
    {
      name: 'a deployment under way that must not be',
      inputs: { 'on-active-deployment': 'fail' },
      change: ({ codedeploy }) => codedeploy.add({ id: 'd-OTHER' }),
      message:
        /^on-active-deployment: is fail, and d-OTHER \(InProgress\) is under way in deployment group DgpECS-dev-web of AppECS-dev-web: https:/,
    },
    {
      name: 'a variable that is a secret',
      inputs: { 'environment-variables': [['TOKEN', 'x']] },
      change: ({ ecs }) =>
        (ecs.definition = {
          ...someDefinition,
          containerDefinitions: [{ name: 'web', secrets: [{ name: 'TOKEN', valueFrom: 'arn' }], portMappings: [{ containerPort: 80 }] }],
        }),
      message: /^environment-variables: TOKEN is a secret of the container web, and ECS takes a name only once$/,
    },
    {
      name: 'several at once',
      inputs: { 'container-name': 'app', 'codedeploy-deployment-config': 'Nope' },
      change: ({ codedeploy }) => (codedeploy.groupAnswer = { found: 'group', group: { ...someGroup, services: [] } }),
      message:
        /^3 inputs need attention:\n {2}- codedeploy-deployment-group: .*\n {2}- codedeploy-deployment-config: .*\n {2}- container-name: "app" is not in the task definition web: its containers are web$/,
    },
  ];
  test.each(cases)('$name', async ({ inputs, change, message }) => {
    const setting = new Setting();
    change(setting);
    const error = await failureOf(setting.prepare(inputs));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(setting.writes).toEqual([]);
  });

  test('what ECS would not register is found before anything is written: too large with its environment, and a container without an image', async () => {
    const setting = new Setting();
    const containers = someDefinition['containerDefinitions'] as JsonObject[];
    setting.ecs.definition = { ...someDefinition, containerDefinitions: [...containers, { name: 'log' }] };
    const error = await failureOf(setting.prepare({ 'environment-variables': [['BIG', 'x'.repeat(66_000)]] }));
    expect(error).toBeInstanceOf(DocumentError);
    expect(error.message.split('\n')).toEqual([
      "the live service's task definition web:42: $.containerDefinitions[1].image is missing",
      expect.stringMatching(
        /web:42: \$ has \d+ bytes as JSON with environment-variables and images in it, and ECS takes 65536 at most; move/,
      ),
    ]);
    expect(setting.writes).toEqual([]);
  });

  test('the container behind the load balancer must be in the task definition', async () => {
    const setting = new Setting();
    setting.ecs.definition = { ...someDefinition, containerDefinitions: [{ name: 'web', portMappings: [{ containerPort: 8080 }] }] };
    const error = await failureOf(setting.prepare());
    expect(error).toBeInstanceOf(DocumentError);
    expect(error.message).toMatch(/^the AppSpec made from the service web: .*ContainerPort is 80, but the container web maps 8080/);
  });

  test('denied calls are reported together', async () => {
    const setting = new Setting();
    setting.ecs.failures.set(
      'DescribeServices',
      new AwsError('ecs:DescribeServices denied', { service: 'ecs', operation: 'DescribeServices', code: 'AccessDenied' }),
    );
    setting.codedeploy.failures.set('ListDeployments', [
      new AwsError('codedeploy:ListDeployments denied', { service: 'codedeploy', operation: 'ListDeployments', code: 'AccessDenied' }),
    ]);
    const error = await failureOf(setting.prepare());
    expect(error.message).toBe(
      '2 inputs need attention:\n  - deploy-role: ecs:DescribeServices denied\n  - deploy-role: codedeploy:ListDeployments denied',
    );
  });

  test('one denied call stays the AwsError that it is', async () => {
    const setting = new Setting();
    setting.codedeploy.failures.set('ListDeployments', [awsError('AccessDeniedException')]);
    expect(await failureOf(setting.prepare())).toBeInstanceOf(AwsError);
  });

  test('in the wrong account only that is said', async () => {
    const setting = new Setting();
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-account-id', problem: 'is another one' }]);
    };
    setting.ecs.answer = { found: 'nothing', missing: 'cluster' };
    expect((await failureOf(setting.prepare())).message).toBe('deploy-account-id: is another one');
  });
});

describe('the account that owns the registry', () => {
  const registryAccount = account;
  test('is deployed into only by its name', async () => {
    const error = await failureOf(new Setting().prepare({ 'deploy-account-id': undefined }, { registryAccount }));
    expect(error.message).toMatch(/^deploy-account-id: is needed to deploy into 222222222222, which owns the registry/);
  });
  test('is deployed into when it is meant', async () => {
    await expect(new Setting().prepare({ 'deploy-account-id': account }, { registryAccount })).resolves.toBeDefined();
  });
});

test('a further check is answered in the same report', async () => {
  const setting = new Setting();
  setting.codedeploy.groupAnswer = { found: 'nothing', missing: 'group' };
  const error = await failureOf(setting.prepare({}, { beside: () => async () => [{ input: 'image', problem: 'is not there' }] }));
  expect(error.message).toContain('- image: is not there');
  expect(error.message).toContain('- codedeploy-deployment-group:');
});
