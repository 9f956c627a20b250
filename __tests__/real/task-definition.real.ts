/** Task definitions as the action renders them, registered with a third party's ECS by the action's own port, and described back. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Region } from '../../src/domain/account.ts';
import { parseDigest, parseRepositoryName } from '../../src/domain/image.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Parsed } from '../../src/domain/parsed.ts';
import {
  differences,
  readTaskDefinition,
  sameDefinition,
  withEnvironment,
  withImages,
  type TaskDefinition,
} from '../../src/domain/task-definition.ts';
import { awsEcs, type Ecs } from '../../src/ports/ecs.ts';
import { region } from '../../emulator/scenario.ts';
import { describeReal, host, motoKeys, unique, variable } from './parts.ts';

const digest = `sha256:${'4be1'.repeat(16)}`;

/** As a file may hold it: with what ECS once described, empty values, numbers for text, and fields that we know nothing of. */
const document = (family: string): JsonObject => ({
  taskDefinitionArn: `arn:aws:ecs:${region}:222222222222:task-definition/${family}:7`,
  revision: 7,
  status: 'ACTIVE',
  compatibilities: ['EC2', 'FARGATE'],
  registeredAt: '2026-01-01T00:00:00Z',
  family,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: 256,
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/web-execution',
  taskRoleArn: '',
  runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
  volumes: [{ name: 'scratch', host: {} }],
  placementConstraints: [],
  tags: [],
  containerDefinitions: [
    {
      name: 'web',
      image: 'public.ecr.aws/nginx/nginx:stable-alpine',
      essential: true,
      portMappings: [{ containerPort: 80, protocol: 'tcp' }],
      environment: [
        { name: 'STAGE', value: 'dev' },
        { name: 'REPLICAS', value: 2 },
      ],
      secrets: [{ name: 'PASSWORD', valueFrom: `arn:aws:ssm:${region}:222222222222:parameter/web/password` }],
      mountPoints: [{ sourceVolume: 'scratch', containerPath: '/scratch', readOnly: false }],
      dependsOn: [{ containerName: 'log', condition: 'START' }],
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': 'web', 'awslogs-region': region, 'awslogs-stream-prefix': 'web' },
      },
      healthCheck: { command: ['CMD-SHELL', 'true'], interval: 30 },
      command: null,
    },
    { name: 'log', image: 'public.ecr.aws/docker/library/busybox:stable', essential: false, entryPoint: ['sleep'], command: ['3600'] },
  ],
});

function sure<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

function read(definition: JsonObject): TaskDefinition {
  const reading = readTaskDefinition(definition);
  if (!reading.ok) throw new Error(JSON.stringify(reading.findings));
  return reading.definition;
}

describeReal('task definitions against moto', { needs: ['moto'] }, () => {
  const before = process.env['AWS_ENDPOINT_URL'];
  let ecs: Ecs;
  let family: string;
  beforeEach(() => {
    family = `web-${unique()}`;
    process.env['AWS_ENDPOINT_URL'] = variable('MOTO_URL');
    ecs = awsEcs({ region: region as Region, credentials: async () => motoKeys });
  });
  afterEach(() => {
    if (before === undefined) delete process.env['AWS_ENDPOINT_URL'];
    else process.env['AWS_ENDPOINT_URL'] = before;
  });

  const rendered = (): TaskDefinition => {
    const image = { host, repository: sure(parseRepositoryName('shop/web')), digest: sure(parseDigest(digest)) };
    const pinned = withImages(read(document(family)), [{ container: 'web', image }]);
    return withEnvironment(pinned, {
      container: 'web',
      variables: [
        ['STAGE', 'test'],
        ['COLOUR', 'green=blue'],
      ],
    });
  };

  test('what is rendered is what ECS describes, and means the same', async () => {
    const wanted = rendered();
    const registered = await ecs.registerTaskDefinition(wanted);
    expect(registered.arn).toBe(`arn:aws:ecs:${region}:123456789012:task-definition/${family}:1`);

    const described = await ecs.describeTaskDefinition(registered.arn);
    expect(described.arn).toBe(registered.arn);
    expect(described.definition).toEqual(registered.definition);
    const live = read(described.definition);
    expect(differences({ before: wanted, after: live })).toEqual([]);
    expect(sameDefinition(wanted, live)).toBe(true);
    expect(live.containerDefinitions[0]).toMatchObject({
      image: `${host}/shop/web@${digest}`,
      environment: [
        { name: 'STAGE', value: 'test' },
        { name: 'REPLICAS', value: '2' },
        { name: 'COLOUR', value: 'green=blue' },
      ],
      healthCheck: { command: ['CMD-SHELL', 'true'], interval: 30 },
    });
    expect(live.containerDefinitions[0]).not.toHaveProperty('command');
  });

  test('what ECS described can be registered again, as the next revision', async () => {
    const first = await ecs.registerTaskDefinition(rendered());
    const { definition } = await ecs.describeTaskDefinition(family);
    const second = await ecs.registerTaskDefinition(read(definition));
    expect(second.arn).toBe(first.arn.replace(/:1$/, ':2'));
    expect(sameDefinition(read(second.definition), read(first.definition))).toBe(true);
  });

  test('a changed value is seen, and tags come back beside the definition', async () => {
    const wanted = rendered();
    const { arn } = await ecs.registerTaskDefinition({ ...wanted, cpu: '512', memory: '1024', tags: [{ key: 'team', value: 'shop' }] });
    const { definition, tags } = await ecs.describeTaskDefinition(arn);
    expect(differences({ before: wanted, after: read(definition) })).toEqual(['~ cpu: 256 → 512', '~ memory: 512 → 1024']);
    expect(tags).toEqual([{ key: 'team', value: 'shop' }]);
  });

  test('a task definition that is not there is an AWS error with its code', async () => {
    await expect(ecs.describeTaskDefinition(`${family}:99`)).rejects.toMatchObject({
      operation: 'DescribeTaskDefinition',
      code: 'ClientException',
    });
  });
});
