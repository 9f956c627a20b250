import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Digest, RepositoryName } from '../../src/domain/image.ts';
import { formatPath, type Json, type JsonObject } from '../../src/domain/json.ts';
import {
  chooseContainer,
  differences,
  familyWarning,
  platformWish,
  readTaskDefinition,
  sameDefinition,
  secretsAmong,
  withEnvironment,
  withImages,
  type TaskDefinition,
} from '../../src/domain/task-definition.ts';

const image = { host: '1.dkr', repository: 'shop/web' as RepositoryName, digest: `sha256:${'a'.repeat(64)}` as Digest };

function read(document: Json): TaskDefinition {
  const reading = readTaskDefinition(document);
  if (!reading.ok) throw new Error(reading.findings.map(({ problem }) => problem).join());
  return reading.definition;
}

function findings(document: Json): string[] {
  const reading = readTaskDefinition(document);
  return reading.ok ? [] : reading.findings.map(({ path, problem }) => `${formatPath(path)} ${problem}`);
}

const containers = (...list: JsonObject[]): JsonObject => ({ family: 'web', containerDefinitions: list });

describe('what is registered', () => {
  test('has no read-only field, and everything that is not known', () => {
    const described = {
      ...containers({ name: 'web', futureField: { a: [1] } }),
      futureTop: true,
      taskDefinitionArn: 'arn',
      revision: 3,
      status: 'ACTIVE',
      requiresAttributes: [],
      compatibilities: ['EC2'],
      registeredAt: 'x',
      deregisteredAt: 'x',
      deleteRequestedAt: 'x',
      registeredBy: 'x',
    };
    expect(read(described)).toEqual({ ...containers({ name: 'web', futureField: { a: [1] } }), futureTop: true });
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['null', { taskRoleArn: null }, {}],
    ['empty text', { taskRoleArn: '' }, {}],
    ['an empty object', { ephemeralStorage: {} }, {}],
    ['empty tags', { tags: [] }, {}],
    ['a volume whose empty object means something', { volumes: [{ name: 'v', host: {} }] }, { volumes: [{ name: 'v', host: {} }] }],
    ['null deep inside', { volumes: [{ name: 'v', host: null }, null] }, { volumes: [{ name: 'v' }] }],
    ['cpu and memory as numbers', { cpu: 256, memory: 512 }, { cpu: '256', memory: '512' }],
  ])('%s', (_name, given, expected) => {
    expect(read({ ...containers({ name: 'web' }), ...given })).toEqual({ ...containers({ name: 'web' }), ...expected });
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['an empty health check', { healthCheck: {}, user: '' }, {}],
    [
      'a variable without a value',
      { environment: [{ name: 'A', value: null }, { name: 'B' }, null] },
      {
        environment: [
          { name: 'A', value: '' },
          { name: 'B', value: '' },
        ],
      },
    ],
    ['an empty variable stays', { environment: [{ name: 'A', value: '' }] }, { environment: [{ name: 'A', value: '' }] }],
    ['a number', { environment: [{ name: 'PORT', value: 80 }] }, { environment: [{ name: 'PORT', value: '80' }] }],
    ['an empty command stays', { command: [] }, { command: [] }],
  ])('of a container: %s', (_name, given, expected) => {
    expect(read(containers({ name: 'web', ...given }))).toEqual(containers({ name: 'web', ...expected }));
  });
});

describe('what is wrong', () => {
  test.each<[string, Json, string[]]>([
    ['no object', [], ['$ is not a task definition: it must be an object']],
    [
      'no family, no containers',
      {},
      [
        '$.family must be a name of 1 to 255 letters, digits, "-" or "_"',
        '$.containerDefinitions must be a list of at least one container',
      ],
    ],
    ['a container without a name', containers({ image: 'x' }), ['$.containerDefinitions[0].name must be the name of the container']],
    [
      'a name twice',
      containers({ name: 'a' }, { name: 'a' }),
      ['$.containerDefinitions[1].name is "a", as another container\'s: names are unique'],
    ],
    [
      'a variable whose text is not clear',
      containers({
        name: 'a',
        environment: [
          { name: 'V', value: 1.1 },
          { name: 'B', value: true },
        ],
      }),
      [
        '$.containerDefinitions[0].environment[0].value must be text: quote it, so that it is clear what is meant',
        '$.containerDefinitions[0].environment[1].value must be text: quote it, so that it is clear what is meant',
      ],
    ],
    [
      'too large',
      containers({ name: 'a', command: ['x'.repeat(70_000)] }),
      ['$ has 70069 bytes as JSON, and ECS takes 65536 at most; move environment values to an env file'],
    ],
  ])('%s', (_name, document, expected) => {
    expect(findings(document)).toEqual(expected);
  });

  test('a file without a family is the running one’s', () => {
    expect(readTaskDefinition({ containerDefinitions: [{ name: 'a' }] }, { family: 'web' })).toMatchObject({
      ok: true,
      definition: { family: 'web' },
    });
  });
});

describe('the container that gets the image', () => {
  const here = { name: 'web', image: '222222222222.dkr.ecr.eu-west-1.amazonaws.com/shop/web:old' };
  const other = { name: 'proxy', image: 'public.ecr.aws/nginx/nginx' };
  test.each<[string, JsonObject[], string | undefined, string]>([
    ['by name', [here, other], 'proxy', 'proxy'],
    ['by repository, in any registry', [other, here], undefined, 'web'],
    ['the only one', [{ name: 'a', image: 'x:1' }], undefined, 'a'],
    ['the only essential one', [{ name: 'a' }, { name: 'b', essential: false }], undefined, 'a'],
    ['an image without a tag', [other, { name: 'c', image: 'host.example/shop/web' }], undefined, 'c'],
  ])('%s', (_name, list, wanted, expected) => {
    expect(chooseContainer({ definition: read(containers(...list)), repository: image.repository, wanted })).toEqual({
      ok: true,
      value: expected,
    });
  });

  test.each<[string, JsonObject[], string | undefined, RegExp]>([
    ['no such name', [here], 'app', /^"app" is not in the task definition web: its containers are web$/],
    ['two essential ones', [{ name: 'a' }, { name: 'b' }], undefined, /^is needed: web has several, .*; its containers are a, b$/],
    [
      'two that run it',
      [here, { ...here, name: 'worker' }],
      undefined,
      /^is needed: several containers of web run shop\/web, .* web, worker$/,
    ],
  ])('%s', (_name, list, wanted, problem) => {
    const chosen = chooseContainer({ definition: read(containers(...list)), repository: image.repository, wanted });
    expect(chosen).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});

describe('rendering', () => {
  const before = read(containers({ name: 'web', image: 'old' }, { name: 'proxy', image: 'nginx' }, { name: 'log', image: 'fluent' }));
  test('the image is always by digest, and only its own container changes', () => {
    expect(withImages(before, [{ container: 'web', image }]).containerDefinitions).toEqual([
      { name: 'web', image: `1.dkr/shop/web@sha256:${'a'.repeat(64)}` },
      { name: 'proxy', image: 'nginx' },
      { name: 'log', image: 'fluent' },
    ]);
  });

  test('several containers get an image each', () => {
    const sidecar = { ...image, host: '2.dkr', repository: 'infra/log' as RepositoryName };
    const after = withImages(before, [
      { container: 'log', image: sidecar },
      { container: 'web', image },
    ]);
    expect(after.containerDefinitions.map((container) => container['image'])).toEqual([
      `1.dkr/shop/web@sha256:${'a'.repeat(64)}`,
      'nginx',
      `2.dkr/infra/log@sha256:${'a'.repeat(64)}`,
    ]);
  });

  test('variables are merged by name and keep their places', () => {
    const before = read(
      containers({
        name: 'web',
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }),
    );
    const after = withEnvironment(before, {
      container: 'web',
      variables: [
        ['C', '3'],
        ['A', 'x=y'],
      ],
    });
    expect(after.containerDefinitions[0]?.['environment']).toEqual([
      { name: 'A', value: 'x=y' },
      { name: 'B', value: '2' },
      { name: 'C', value: '3' },
    ]);
  });

  test('a name that is a secret', () => {
    const definition = read(containers({ name: 'web', secrets: [{ name: 'TOKEN', valueFrom: 'arn' }] }));
    expect(secretsAmong({ definition, container: 'web', names: ['TOKEN', 'OTHER'] })).toEqual(['TOKEN']);
  });

  test('another family is worth a warning', () => {
    const definition = read(containers({ name: 'web' }));
    expect(familyWarning({ definition, live: 'arn:aws:ecs:eu-west-1:2:task-definition/web:3' })).toBeUndefined();
    expect(familyWarning({ definition, live: 'arn:aws:ecs:eu-west-1:2:task-definition/api:3' })).toMatch(
      /family is web, but the service runs api/,
    );
  });
});

describe('the same', () => {
  const base = {
    ...containers({ name: 'web', image: 'x', portMappings: [{ containerPort: 80 }] }),
    networkMode: 'awsvpc',
    cpu: '512',
    memory: '1024',
  };
  test.each<[string, JsonObject]>([
    [
      'what ECS fills in',
      {
        ...base,
        containerDefinitions: [
          {
            name: 'web',
            image: 'x',
            cpu: 0,
            essential: true,
            environment: [],
            mountPoints: [],
            volumesFrom: [],
            systemControls: [],
            portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }],
          },
        ],
        volumes: [],
        placementConstraints: [],
        status: 'ACTIVE',
        revision: 4,
      },
    ],
    ['units', { ...base, cpu: '.5 vCPU', memory: '1 GB' }],
    ['tags, which are none of a deployment’s business', { ...base, tags: [{ key: 'a', value: 'b' }] }],
  ])('%s', (_name, other) => {
    expect(sameDefinition(read(base), read(other))).toBe(true);
    expect(differences({ before: read(base), after: read(other) })).toEqual([]);
  });

  test('order of variables and containers', () => {
    const one = containers(
      {
        name: 'a',
        environment: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '2' },
        ],
      },
      { name: 'b' },
    );
    const two = containers(
      { name: 'b' },
      {
        name: 'a',
        environment: [
          { name: 'Y', value: '2' },
          { name: 'X', value: '1' },
        ],
      },
    );
    expect(sameDefinition(read(one), read(two))).toBe(true);
  });

  test('what differs is said, values of variables and log options never', () => {
    const before = read(
      containers({
        name: 'web',
        image: 'old',
        environment: [
          { name: 'A', value: 's3cret' },
          { name: 'GONE', value: 's3cret' },
        ],
        logConfiguration: { logDriver: 'splunk', options: { 'splunk-token': 's3cret' } },
      }),
    );
    const after = read({
      ...containers({
        name: 'web',
        image: 'new',
        environment: [
          { name: 'A', value: 'other' },
          { name: 'NEW', value: 's3cret' },
        ],
        logConfiguration: { logDriver: 'splunk', options: { 'splunk-token': 'other' } },
      }),
      cpu: '512',
    });
    expect(differences({ before, after })).toEqual([
      '~ containers.web.image: old → new',
      '~ containers.web.logConfiguration.options.splunk-token: changed',
      '~ containers.web.environment.A.value: changed',
      '- containers.web.environment.GONE.name',
      '- containers.web.environment.GONE.value',
      '+ cpu: 512',
      '+ containers.web.environment.NEW.name',
      '+ containers.web.environment.NEW.value',
    ]);
  });

  test('reading twice changes nothing, and there are differences exactly where it is not the same', () => {
    const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
    const container = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      image: fc.string(),
      extra: value,
      environment: fc.array(fc.record({ name: fc.constantFrom('X', 'Y'), value: fc.string() }), { maxLength: 2 }),
    });
    const documents = fc.record({
      family: fc.constant('web'),
      extra: value,
      containerDefinitions: fc.uniqueArray(container, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
    });
    fc.assert(
      fc.property(documents, documents, (one, other) => {
        const [first, second] = [read(one), read(other)];
        expect(read(first)).toEqual(first);
        expect(sameDefinition(first, first)).toBe(true);
        if (differences({ before: first, after: second }).length > 0) expect(sameDefinition(first, second)).toBe(false);
      }),
    );
  });
});

test.each<[string, JsonObject, string]>([
  ['Fargate', { requiresCompatibilities: ['FARGATE'] }, 'linux/amd64'],
  ['Graviton', { runtimePlatform: { cpuArchitecture: 'ARM64' } }, 'linux/arm64'],
  ['Windows', { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } }, 'windows/amd64'],
  ['EC2, which takes what its instances are', {}, 'unknown'],
])('the platform of %s', (_name, given, expected) => {
  const wish = platformWish(read({ ...containers({ name: 'a' }), ...given }));
  expect(wish ? `${wish.os}/${wish.architecture}` : 'unknown').toBe(expected);
});
