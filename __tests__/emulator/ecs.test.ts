import { describe, expect, test } from '@jest/globals';
import { EmulatorClock } from '../../emulator/clock.ts';
import { EcsState, ecsService } from '../../emulator/ecs.ts';
import type { Controller } from '../../emulator/ecs.ts';
import type { Call, Json } from '../../emulator/service.ts';
import { faultOf } from './fault-of.ts';

const here = { account: '222222222222', region: 'eu-west-1' };
const arn = (rest: string): string => `arn:aws:ecs:eu-west-1:222222222222:${rest}`;

const definition = (given: Json = {}): Json => ({
  family: 'web',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/execution',
  containerDefinitions: [{ name: 'web', image: 'public.ecr.aws/x/y:1', portMappings: [{ containerPort: 80 }] }],
  ...given,
});

const world = (controller: Controller | null = 'CODE_DEPLOY') => {
  const state = new EcsState();
  const service = state.service({
    ...here,
    cluster: 'dev',
    name: 'web',
    controller,
    taskDefinition: definition(),
    desiredCount: 2,
    loadBalancers: [{ targetGroupArn: 'arn:tg/blue', containerName: 'web', containerPort: 80 }],
    tags: [{ key: 'team', value: 'shop' }],
  });
  const clock = new EmulatorClock();
  const call: Call = {
    caller: { accessKeyId: 'AKIA', account: here.account, arn: 'arn:aws:sts::222222222222:assumed-role/deploy/x' },
    region: here.region,
    clock,
  };
  const { operations } = ecsService(state);
  const ask = (operation: string, input: Json, from: Partial<Call> = {}): Json =>
    operations[operation]?.(input, { ...call, ...from }) as Json;
  return { state, service, clock, call, ask };
};

describe('DescribeServices', () => {
  test('a service of CODE_DEPLOY has task sets and no deployments', () => {
    const { ask } = world();
    expect(ask('DescribeServices', { cluster: 'dev', services: ['web'] })).toMatchObject({
      services: [
        {
          serviceArn: arn('service/dev/web'),
          deploymentController: { type: 'CODE_DEPLOY' },
          taskDefinition: arn('task-definition/web:1'),
          runningCount: 2,
          deployments: [],
          taskSets: [
            {
              status: 'PRIMARY',
              taskDefinition: arn('task-definition/web:1'),
              runningCount: 2,
              stabilityStatus: 'STEADY_STATE',
              startedBy: 'CODE_DEPLOY',
            },
          ],
          events: [{ message: '(service web) has reached a steady state.' }],
        },
      ],
      failures: [],
    });
  });

  test.each([
    ['ECS', { type: 'ECS' }],
    [null, undefined],
  ] as const)('controller %s', (controller, shown) => {
    const [service] = world(controller).ask('DescribeServices', { cluster: 'dev', services: ['web'] })['services'] as Json[];
    expect(service?.['deploymentController']).toEqual(shown);
    expect(service?.['taskSets']).toBeUndefined();
    expect(service?.['deployments']).toMatchObject([{ status: 'PRIMARY', rolloutState: 'COMPLETED' }]);
  });

  test('what it does not know is a failure, not an error; ARNs are names too; tags only on request', () => {
    const { ask } = world();
    const reply = ask('DescribeServices', {
      cluster: arn('cluster/dev'),
      services: [arn('service/dev/web'), 'api', arn('service/prod/web')],
      include: ['TAGS'],
    });
    expect(reply['services']).toMatchObject([{ serviceName: 'web', tags: [{ key: 'team', value: 'shop' }] }]);
    expect(reply['failures']).toEqual([
      { arn: arn('service/dev/api'), reason: 'MISSING' },
      { arn: arn('service/prod/web'), reason: 'MISSING' },
    ]);
    expect((ask('DescribeServices', { cluster: 'dev', services: ['web'] })['services'] as Json[])[0]).not.toHaveProperty('tags');
  });

  test('accounts and Regions are kept apart', () => {
    const { ask, call } = world();
    const input = { cluster: 'dev', services: ['web'] };
    expect(faultOf(() => ask('DescribeServices', input, { region: 'us-east-1' }))).toBe('ClusterNotFoundException: Cluster not found.');
    expect(faultOf(() => ask('DescribeServices', input, { caller: { ...call.caller, account: '333333333333' } }))).toMatch(
      /^ClusterNotFoundException/,
    );
  });
});

const refused: Record<string, [operation: string, input: Json, fault: RegExp]> = {
  'eleven services': [
    'DescribeServices',
    { cluster: 'dev', services: Array.from({ length: 11 }, (_, n) => `s${n}`) },
    /^InvalidParameterException: .*10/,
  ],
  'no services': ['DescribeServices', { cluster: 'dev', services: [] }, /^InvalidParameterException: Services cannot be empty/],
  'no such cluster': ['DescribeServices', { services: ['web'] }, /^ClusterNotFoundException/],
  "another account's cluster": [
    'DescribeServices',
    { cluster: 'arn:aws:ecs:eu-west-1:333333333333:cluster/dev', services: ['web'] },
    /^InvalidParameterException: Invalid identifier/,
  ],
  'no such definition': ['DescribeTaskDefinition', { taskDefinition: 'api' }, /^ClientException: Unable to describe task definition\.$/],
  'a revision that is no number': [
    'DescribeTaskDefinition',
    { taskDefinition: 'web:latest' },
    /^InvalidParameterException: Invalid revision number\. Number: latest$/,
  ],
  'no family': ['RegisterTaskDefinition', definition({ family: null }), /^ClientException: Family/],
  'no containers': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [] }),
    /^ClientException: Container list cannot be empty\.$/,
  ],
  'eleven containers': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: Array.from({ length: 11 }, (_, n) => ({ name: `c${n}`, image: 'x' })) }),
    /^ClientException: Number of containers/,
  ],
  'a container without a name': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ image: 'x' }] }),
    /^ClientException: Container\.name should not be null or empty\.$/,
  ],
  'an empty image': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: '' }] }),
    /^ClientException: Container\.image should not be null or empty\.$/,
  ],
  'the same name twice': [
    'RegisterTaskDefinition',
    definition({
      containerDefinitions: [
        { name: 'a', image: 'x' },
        { name: 'a', image: 'y' },
      ],
    }),
    /^ClientException: .*unique/,
  ],
  'nothing essential': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: 'x', essential: false }] }),
    /^ClientException: .*essential/,
  ],
  'cpu 257': [
    'RegisterTaskDefinition',
    definition({ cpu: '257' }),
    /^ClientException: No Fargate configuration exists for given values: 257 CPU, 512 memory\.$/,
  ],
  '256 CPU with 4 GB': ['RegisterTaskDefinition', definition({ memory: '4096' }), /^ClientException: No Fargate configuration/],
  'Fargate without cpu': ['RegisterTaskDefinition', definition({ cpu: null }), /^ClientException: Fargate requires that 'cpu' be defined/],
  'Fargate in bridge mode': [
    'RegisterTaskDefinition',
    definition({ networkMode: 'bridge' }),
    /^ClientException: Fargate only supports network mode/,
  ],
  'an ECR image without an execution role': [
    'RegisterTaskDefinition',
    definition({ executionRoleArn: null, containerDefinitions: [{ name: 'a', image: '111111111111.dkr.ecr.eu-west-1.amazonaws.com/a' }] }),
    /execution role ARN to support ECR images\.$/,
  ],
  'ports that differ': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: 'x', portMappings: [{ containerPort: 80, hostPort: 81 }] }] }),
    /^ClientException: When networkMode=awsvpc, the host ports and container ports in port mappings must match\.$/,
  ],
  'EC2 without memory': [
    'RegisterTaskDefinition',
    { family: 'web', containerDefinitions: [{ name: 'a', image: 'x' }] },
    /At least one of 'memory' or 'memoryReservation' must be specified\.$/,
  ],
  'more than 64 KiB': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: 'x', environment: [{ name: 'A', value: 'x'.repeat(65_536) }] }] }),
    /^ClientException: Actual length: '\d+'\. Max allowed length is '65536' bytes\.$/,
  ],
  'empty tags': ['RegisterTaskDefinition', definition({ tags: [] }), /^InvalidParameterException: Tags can not be empty\.$/],
  'a null in a list': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: 'x', secrets: [null] }] }),
    /^SerializationException/,
  ],
  'a list for the whole': [
    'RegisterTaskDefinition',
    [definition()] as unknown as Json,
    /^SerializationException: Unrecognized collection type class com\.amazonaws\.madison\.frontend\.RegisterTaskDefinitionRequest$/,
  ],
  'a number for a string': [
    'RegisterTaskDefinition',
    definition({ cpu: 256 }),
    /^SerializationException: NUMBER_VALUE cannot be converted to String$/,
  ],
  'an empty credentialsParameter': [
    'RegisterTaskDefinition',
    definition({ containerDefinitions: [{ name: 'a', image: 'x', repositoryCredentials: { credentialsParameter: '' } }] }),
    /^ClientException/,
  ],
  'a task definition behind CodeDeploy’s back': [
    'UpdateService',
    { cluster: 'dev', service: 'web', taskDefinition: 'web:1' },
    /^InvalidParameterException: Unable to update task definition on services with a CODE_DEPLOY deployment controller\. Use AWS CodeDeploy to trigger a new deployment\.$/,
  ],
  'a forced deployment behind its back': [
    'UpdateService',
    { cluster: 'dev', service: 'web', forceNewDeployment: true },
    /^InvalidParameterException: Cannot force a new deployment/,
  ],
  'no such service': ['UpdateService', { cluster: 'dev', service: 'api' }, /^ServiceNotFoundException/],
  'tags of nothing': ['ListTagsForResource', { resourceArn: arn('service/dev/api') }, /^InvalidParameterException/],
};

test.each(Object.entries(refused))('refused: %s', (_name, [operation, input, fault]) => {
  const { ask } = world();
  expect(faultOf(() => ask(operation, input))).toMatch(fault);
});

describe('task definitions', () => {
  test('a revision is described with what ECS adds, by family, revision and ARN', () => {
    const { ask } = world();
    const { taskDefinition, tags } = ask(
      'RegisterTaskDefinition',
      definition({ tags: [{ key: 'a', value: 'b' }], revision: 7, deleteRequestedAt: 1 }),
    );
    expect(tags).toEqual([{ key: 'a', value: 'b' }]);
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: arn('task-definition/web:2'),
      revision: 2,
      status: 'ACTIVE',
      compatibilities: ['EC2', 'FARGATE'],
      registeredBy: 'arn:aws:sts::222222222222:assumed-role/deploy/x',
      volumes: [],
      containerDefinitions: [
        { cpu: 0, essential: true, environment: [], portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }] },
      ],
    });
    expect(taskDefinition).not.toHaveProperty('deleteRequestedAt');
    for (const name of ['web', 'web:2', arn('task-definition/web:2'), arn('task-definition/web')]) {
      expect(ask('DescribeTaskDefinition', { taskDefinition: name, include: ['TAGS'] })).toEqual({ taskDefinition, tags });
    }
    expect(ask('DescribeTaskDefinition', { taskDefinition: 'web' })).not.toHaveProperty('tags');
  });

  test('deregistered, it can still be described, and the family goes back to the revision before', () => {
    const { ask, clock } = world();
    ask('RegisterTaskDefinition', definition());
    clock.advance(1000);
    expect(ask('DeregisterTaskDefinition', { taskDefinition: 'web:2' })).toMatchObject({
      taskDefinition: { status: 'INACTIVE', deregisteredAt: expect.any(Number) },
    });
    expect(ask('DescribeTaskDefinition', { taskDefinition: 'web' })).toMatchObject({ taskDefinition: { revision: 1 } });
    expect(ask('DescribeTaskDefinition', { taskDefinition: 'web:2' })).toMatchObject({ taskDefinition: { status: 'INACTIVE' } });
    expect(ask('ListTaskDefinitions', { status: 'INACTIVE' })).toEqual({ taskDefinitionArns: [arn('task-definition/web:2')] });
  });

  test('lists page', () => {
    const { ask } = world();
    for (let revision = 2; revision <= 5; revision += 1) ask('RegisterTaskDefinition', definition());
    const first = ask('ListTaskDefinitions', { familyPrefix: 'web', sort: 'DESC', maxResults: 3 });
    expect(first['taskDefinitionArns']).toEqual([5, 4, 3].map((revision) => arn(`task-definition/web:${revision}`)));
    const second = ask('ListTaskDefinitions', { familyPrefix: 'web', sort: 'DESC', maxResults: 3, nextToken: first['nextToken'] });
    expect(second).toEqual({ taskDefinitionArns: [2, 1].map((revision) => arn(`task-definition/web:${revision}`)) });
  });

  test.each([
    ['.25 vCPU', '0.5 GB'],
    ['1024', '8192'],
    ['4 vCPU', '30 GB'],
    ['16384', '122880'],
  ])('Fargate has %s with %s', (cpu, memory) => {
    expect(faultOf(() => world().ask('RegisterTaskDefinition', definition({ cpu, memory })))).toBe('none');
  });
});

describe('services, clusters, tasks', () => {
  test('UpdateService: desired count on CODE_DEPLOY, a task definition on ECS, whose rollout takes its time', () => {
    const { ask } = world();
    expect(ask('UpdateService', { cluster: 'dev', service: 'web', desiredCount: 3 })).toMatchObject({
      service: { desiredCount: 3, runningCount: 3 },
    });

    const rolling = world('ECS');
    rolling.ask('RegisterTaskDefinition', definition());
    const state = (): unknown => rolling.ask('DescribeServices', { cluster: 'dev', services: ['web'] })['services'];
    expect(rolling.ask('UpdateService', { cluster: 'dev', service: 'web', taskDefinition: 'web' })).toMatchObject({
      service: { taskDefinition: arn('task-definition/web:2') },
    });
    expect(state()).toMatchObject([{ deployments: [{ rolloutState: 'IN_PROGRESS' }] }]);
    rolling.clock.advance(60_000);
    expect(state()).toMatchObject([{ deployments: [{ rolloutState: 'COMPLETED' }] }]);
  });

  test('running tasks, by service and family', () => {
    const { ask } = world();
    const { taskArns } = ask('ListTasks', { cluster: 'dev', serviceName: 'web', family: 'web' });
    expect(taskArns).toHaveLength(2);
    expect(ask('ListTasks', { cluster: 'dev', desiredStatus: 'STOPPED' })).toEqual({ taskArns: [] });
    const { tasks, failures } = ask('DescribeTasks', { cluster: 'dev', tasks: [...(taskArns as string[]), 'abc'] });
    expect(tasks).toMatchObject([
      { lastStatus: 'RUNNING', group: 'service:web', containers: [{ name: 'web', lastStatus: 'RUNNING' }] },
      {},
    ]);
    expect(failures).toEqual([{ arn: arn('task/dev/abc'), reason: 'MISSING' }]);
  });

  test('clusters and tags', () => {
    const { ask, service } = world();
    expect(ask('DescribeClusters', { clusters: ['dev', 'prod'] })).toMatchObject({
      clusters: [{ clusterName: 'dev', status: 'ACTIVE', activeServicesCount: 1, runningTasksCount: 2 }],
      failures: [{ arn: arn('cluster/prod'), reason: 'MISSING' }],
    });
    ask('TagResource', {
      resourceArn: service.arn,
      tags: [
        { key: 'team', value: 'pay' },
        { key: 'a', value: 'b' },
      ],
    });
    expect(ask('ListTagsForResource', { resourceArn: service.arn })).toEqual({
      tags: [
        { key: 'team', value: 'pay' },
        { key: 'a', value: 'b' },
      ],
    });
  });
});
