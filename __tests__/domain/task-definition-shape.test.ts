import { describe, expect, test } from '@jest/globals';
import { RegisterTaskDefinitionRequest$ } from '@aws-sdk/client-ecs';
import fc from 'fast-check';
import { formatPath, type Json, type JsonObject } from '../../src/domain/json.ts';
import { readTaskDefinition, unknownMembers } from '../../src/domain/task-definition.ts';
import { taskDefinitionShape, tidied, type Shape } from '../../src/domain/task-definition-shape.ts';

/** The SDK's model of a type, in our words. Its schemas are tuples: https://github.com/smithy-lang/smithy-typescript, "schema serde". */
function modelOf(schema: unknown): unknown {
  if (typeof schema === 'function') return modelOf((schema as () => unknown)());
  if (schema === 0) return 'text';
  if (schema === 1) return 'whole';
  if (schema === 2) return 'flag';
  if (typeof schema === 'number') return { kind: schema >= 128 ? 'map' : 'list', of: modelOf(schema % 64) };
  const [kind, , , , names, members, required = 0] = schema as [number | object, ...unknown[]];
  // A member with traits of its own.
  if (typeof kind !== 'number') return modelOf(kind);
  if (kind === 1) return { kind: 'list', of: modelOf(names) };
  // A union: ECS decides.
  if (kind === 4) return 'any';
  return {
    kind: 'structure',
    members: Object.fromEntries((names as string[]).map((name, index) => [name, modelOf((members as unknown[])[index])])),
    // We ask for more, here and there.
    required: expect.arrayContaining((names as string[]).slice(0, required as number)),
  };
}

/** What of our table the model has too. */
function comparable(shape: Shape): unknown {
  if (typeof shape === 'string') return shape;
  if (shape.kind !== 'structure') return { kind: shape.kind, of: comparable(shape.of) };
  const { kind, members, required } = shape;
  return { kind, members: Object.fromEntries(Object.entries(members).map(([name, inner]) => [name, comparable(inner)])), required };
}

test('the table of types is what the SDK knows, member by member', () => {
  // That there are a family and containers is found in words of their own.
  expect(comparable(taskDefinitionShape)).toEqual({ ...(modelOf(RegisterTaskDefinitionRequest$) as object), required: [] });
});

const containers = (container: JsonObject): JsonObject => ({ family: 'web', containerDefinitions: [{ name: 'web', ...container }] });
function findings(document: Json): string[] {
  const reading = readTaskDefinition(document);
  return reading.ok ? [] : reading.findings.map(({ path, problem }) => `${formatPath(path)} ${problem}`);
}

describe('pain 24: what ECS would refuse in words that name no field is found with its path', () => {
  test.each<[string, JsonObject, string]>([
    ['environment as a map', { environment: { STAGE: 'dev' } }, '.environment must be a list of objects with name and value'],
    ['a variable without a name', { environment: [{ value: 'x' }] }, '.environment[0].name is missing'],
    ['a flag as text', { essential: 'yes' }, '.essential must be true or false, without quotes'],
    ['a number as text', { memory: '512' }, '.memory must be a whole number, without quotes'],
    ['half a number', { cpu: 0.5 }, '.cpu must be a whole number'],
    [
      'a port as text',
      { portMappings: [{ containerPort: '80' }] },
      '.portMappings[0].containerPort must be a whole number, without quotes',
    ],
    [
      'ports without a list',
      { portMappings: { containerPort: 80 } },
      '.portMappings must be a list of objects with containerPort and hostPort',
    ],
    ['a user as a number', { user: 1000 }, '.user must be text: quote it, so that it is clear what is meant'],
    ['a command as text', { command: 'npm start' }, '.command must be a list'],
    ['a number in a command', { command: ['sleep', 5] }, '.command[1] must be text: quote it, so that it is clear what is meant'],
    [
      'a number among log options',
      { logConfiguration: { logDriver: 'awslogs', options: { 'max-size': 10 } } },
      '.logConfiguration.options.max-size must be text: quote it, so that it is clear what is meant',
    ],
    ['a secret without a place', { secrets: [{ name: 'A', valueFrom: '' }] }, '.secrets[0].valueFrom is missing'],
    ['a health check without a command', { healthCheck: { interval: 5 } }, '.healthCheck.command is missing'],
    ['an object for text', { hostname: { Ref: 'x' } }, '.hostname must be text'],
    ['a list for an object', { logConfiguration: [] }, '.logConfiguration must be an object'],
  ])('%s', (_name, container, problem) => {
    expect(findings(containers(container))).toEqual([`$.containerDefinitions[0]${problem}`]);
  });

  test('all at once, each once', () => {
    expect(
      findings({
        family: 5,
        volumes: 'none',
        containerDefinitions: [{ name: 7 }, 'web'],
        requiresCompatibilities: [1],
        enableFaultInjection: 1,
      }),
    ).toEqual([
      '$.family must be text: quote it, so that it is clear what is meant',
      '$.volumes must be a list of objects with name and host',
      '$.requiresCompatibilities[0] must be text: quote it, so that it is clear what is meant',
      '$.enableFaultInjection must be true or false, without quotes',
      '$.containerDefinitions[0].name must be text: quote it, so that it is clear what is meant',
      '$.containerDefinitions[1] must be an object',
    ]);
  });
});

describe('pain 24: nulls and empty values never break a registration', () => {
  test.each<[string, JsonObject, JsonObject]>([
    [
      'empty text at any depth',
      { logConfiguration: { logDriver: 'awslogs', secretOptions: [] }, repositoryCredentials: { credentialsParameter: '' } },
      { logConfiguration: { logDriver: 'awslogs', secretOptions: [] } },
    ],
    ['what is empty once its nulls are gone', { healthCheck: { command: null }, linuxParameters: { capabilities: { add: null } } }, {}],
    [
      'empty arguments, labels and options are values',
      { command: ['run', ''], dockerLabels: { a: '' } },
      { command: ['run', ''], dockerLabels: { a: '' } },
    ],
    [
      'nulls among them are none',
      { command: ['run', null], dockerLabels: { a: null, b: '1' } },
      { command: ['run'], dockerLabels: { b: '1' } },
    ],
    ['what nobody knows is left alone', { newer: { a: '', b: {} } }, { newer: { a: '', b: {} } }],
  ])('%s', (_name, container, expected) => {
    const reading = readTaskDefinition(containers(container));
    expect(reading).toEqual({ ok: true, definition: containers(expected) });
  });

  test('tidying never throws, leaves no null, and does nothing the second time', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = tidied(value, taskDefinitionShape);
        if (once !== null) expect(JSON.stringify(once)).not.toMatch(/(?<=[[:,])null(?=[\],}])/);
        expect(tidied(once, taskDefinitionShape)).toEqual(once);
      }),
    );
  });
});

test('members that nobody knows, with what was meant perhaps', () => {
  const document = { ...containers({ enviroment: [], portMappings: [{ contanerPort: 80 }] }), revision: 3, tagz: [] };
  expect(unknownMembers(document).map(({ path, known }) => [formatPath(path), known.length > 2])).toEqual([
    ['$.containerDefinitions[0].enviroment', true],
    ['$.containerDefinitions[0].portMappings[0].contanerPort', true],
    ['$.tagz', true],
  ]);
});
