import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { appSpecText, differencesFromLive, lintAgainst, lintAppSpec, synthesise, taskDefinitionPath } from '../../src/domain/appspec.ts';
import { formatPath, type JsonObject } from '../../src/domain/json.ts';
import type { LiveService } from '../../src/domain/live-service.ts';
import type { TaskDefinition } from '../../src/domain/task-definition.ts';
import { someService } from '../fakes/ecs.ts';

interface Case {
  readonly name: string;
  readonly change?: JsonObject;
  readonly properties?: JsonObject;
  readonly findings: readonly string[];
}

const cases = JSON.parse(readFileSync(new URL('cases/appspec.json', import.meta.url), 'utf8')) as Case[];
const document = ({ change, properties }: Partial<Case> = {}): JsonObject => ({
  version: 0,
  Resources: [
    {
      TargetService: {
        Type: 'AWS::ECS::Service',
        Properties: { TaskDefinition: '<ARN>', LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 }, ...properties },
      },
    },
  ],
  ...change,
});
const lines = (found: readonly { path: readonly (string | number)[]; problem: string }[]): string[] =>
  found.map(({ path, problem }) => `${formatPath(path)} ${problem}`);

describe('the grammar', () => {
  test.each(cases)('$name', (one) => {
    expect(lines(lintAppSpec(document(one)))).toEqual(one.findings);
  });
  test('something else entirely', () => {
    expect(lines(lintAppSpec('text'))).toEqual(['$ is not an AppSpec: it must be an object with version and Resources']);
  });
  test('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(lintAppSpec(value as JsonObject))));
  });
});

describe('against the task definition', () => {
  const definition: TaskDefinition = {
    family: 'web',
    containerDefinitions: [{ name: 'web', portMappings: [{ containerPort: 80 }] }, { name: 'sidecar' }],
  };
  test('container and mapped port', () => {
    expect(lintAgainst({ document: document(), definition })).toEqual([]);
  });
  test.each([
    ['app', 80, 'is "app", which the task definition web lacks: its containers are web, sidecar'],
    ['web', 8080, 'is 8080, but the container web maps 80 in the task definition web'],
    ['sidecar', 80, 'is 80, but the container sidecar maps no port in the task definition web'],
  ])('%s:%d', (ContainerName, ContainerPort, problem) => {
    const found = lintAgainst({ document: document({ properties: { LoadBalancerInfo: { ContainerName, ContainerPort } } }), definition });
    expect(found.map((each) => each.problem)).toEqual([problem]);
  });
});

describe('where the task definition goes', () => {
  test('where it stands, whatever its spelling', () => {
    const spelled = { resources: [{ any: { type: 'AWS::ECS::Service', properties: { taskDefinition: 'x' } } }] };
    expect(formatPath(taskDefinitionPath(spelled))).toBe('$.resources[0].any.properties.taskDefinition');
  });
  test('where it would stand', () => {
    const without = { Resources: [{ TargetService: { Properties: {} } }] };
    expect(formatPath(taskDefinitionPath(without))).toBe('$.Resources[0].TargetService.Properties.TaskDefinition');
  });
});

describe('made from the live service', () => {
  const rich: LiveService = {
    ...someService,
    primary: {
      ...someService,
      id: 'ecs-svc/1',
      platformVersion: '1.4.0',
      capacityProviders: [
        { provider: 'FARGATE', base: 1, weight: 1 },
        { provider: 'FARGATE_SPOT', base: 0, weight: 4 },
      ],
    },
  };

  test('pain 17: with everything that it runs with, capacity providers among them', () => {
    expect(synthesise(rich)).toEqual({
      version: '0.0',
      Resources: [
        {
          TargetService: {
            Type: 'AWS::ECS::Service',
            Properties: {
              TaskDefinition: '',
              LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 },
              PlatformVersion: '1.4.0',
              NetworkConfiguration: {
                AwsvpcConfiguration: { Subnets: ['subnet-1'], SecurityGroups: ['sg-1'], AssignPublicIp: 'DISABLED' },
              },
              CapacityProviderStrategy: [
                { CapacityProvider: 'FARGATE', Base: 1, Weight: 1 },
                { CapacityProvider: 'FARGATE_SPOT', Weight: 4 },
              ],
            },
          },
        },
      ],
    });
  });

  test('a network without security groups of its own is left as it is', () => {
    const bare = { ...rich, primary: undefined, network: { subnets: ['subnet-1'], securityGroups: [], assignPublicIp: undefined } };
    expect(JSON.stringify(synthesise(bare))).not.toContain('NetworkConfiguration');
  });

  test('not without a load balancer', () => {
    expect(synthesise({ ...someService, loadBalancers: [], primary: undefined })).toBeUndefined();
  });

  test('says nothing new, and has nothing against the grammar', () => {
    const base = fc.record({
      provider: fc.stringMatching(/^[A-Z_]{1,9}$/),
      base: fc.constant(undefined),
      weight: fc.integer({ min: 1, max: 9 }),
    });
    const services = fc.record({
      loadBalancers: fc.array(
        fc.record({ containerName: fc.stringMatching(/^[a-z]{1,9}$/), containerPort: fc.integer({ min: 1, max: 65_535 }) }),
        { minLength: 1, maxLength: 1 },
      ),
      platformVersion: fc.option(fc.constantFrom('1.4.0', 'LATEST'), { nil: undefined }),
      network: fc.option(
        fc.record({
          subnets: fc.array(fc.stringMatching(/^subnet-[0-9a-f]{8}$/), { minLength: 1, maxLength: 3 }),
          securityGroups: fc.array(fc.stringMatching(/^sg-[0-9a-f]{8}$/), { maxLength: 3 }),
          assignPublicIp: fc.constantFrom('ENABLED', 'DISABLED', undefined),
        }),
        { nil: undefined },
      ),
      capacityProviders: fc.array(base, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(services, (launch) => {
        const service: LiveService = { ...someService, ...launch, primary: undefined };
        const made = synthesise(service) ?? {};
        expect(lintAppSpec(made)).toEqual([]);
        expect(differencesFromLive({ document: made, service })).toEqual([]);
      }),
    );
  });

  test('as text: JSON, with the version as AWS writes it', () => {
    const text = appSpecText(synthesise(rich) ?? {}, { taskDefinition: 'arn:web:43' });
    expect(text).toMatch(/^\{\n {2}"version": 0\.0,\n/);
    expect(JSON.parse(text)).toMatchObject({ Resources: [{ TargetService: { Properties: { TaskDefinition: 'arn:web:43' } } }] });
  });
});

describe('what differs from what runs', () => {
  test.each([
    ['nothing', {}, []],
    ['another port', { LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 8080 } }, ['container: web:80 → web:8080']],
    ['a platform version', { platformVersion: '1.4.0' }, ['platform version: LATEST → 1.4.0']],
    [
      'subnets in another order, one more group',
      {
        NetworkConfiguration: {
          AwsvpcConfiguration: { Subnets: ['subnet-1'], SecurityGroups: ['sg-2', 'sg-1'], AssignPublicIp: 'DISABLED' },
        },
      },
      ['security groups: sg-1 → sg-1, sg-2'],
    ],
    [
      'capacity providers',
      { CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT', Weight: 1 }] },
      ['capacity providers: none → FARGATE_SPOT base 0 weight 1'],
    ],
  ])('%s', (_name, properties, expected) => {
    expect(differencesFromLive({ document: document({ properties }), service: someService })).toEqual(expected);
  });
});
