import { describe, expect, test } from '@jest/globals';
import {
  accountOf,
  consoleHost,
  parseAccountId,
  parseArn,
  parseCluster,
  parseRegion,
  parseRoleArn,
  partitionOf,
  partitionOfArn,
  type Region,
  type RoleArn,
} from '../../src/domain/account.ts';
import { formatOuTarget, parseOrganizationId, parseOrgPath, parseOuId, parseOuTarget } from '../../src/domain/organization.ts';
import type { Parser } from '../../src/domain/parsed.ts';
import { parseReplicaPlace } from '../../src/domain/replica.ts';

const table: readonly (readonly [name: string, parser: Parser<unknown>, good: readonly string[], bad: readonly string[]])[] = [
  ['account ID', parseAccountId, ['012345678901'], ['12345678901', '1234567890123', '12345678901a', '']],
  [
    'Region',
    parseRegion,
    ['eu-west-1', 'us-gov-west-1', 'eusc-de-east-1', 'ap-southeast-10', 'us-iso-east-1'],
    ['eu', 'eu-west', 'EU-WEST-1', 'eu-west-1 ', 'http://eu-west-1'],
  ],
  [
    'role ARN',
    parseRoleArn,
    ['arn:aws:iam::111111111111:role/x', 'arn:aws-us-gov:iam::111111111111:role/path/x', 'arn:aws-cn:iam::111111111111:role/x'],
    [
      'x',
      'arn:aws:iam::1:role/x',
      'arn:aws:iam::111111111111:user/x',
      'arn:aws:sts::111111111111:assumed-role/x/y',
      'arn:aws:iam::111111111111:role/',
    ],
  ],
  [
    'cluster',
    parseCluster,
    ['dev', 'My_cluster-1', 'arn:aws-cn:ecs:cn-north-1:111111111111:cluster/dev'],
    ['', 'a/b', 'arn:aws:ecs:eu-west-1:111111111111:service/dev/web', 'arn:aws:ecs:eu-west-1:1:cluster/dev'],
  ],
  ['organization ID', parseOrganizationId, ['o-a1b2c3d4e5'], ['o-a1b2', 'o-A1B2C3D4E5', 'r-ab12']],
  ['OU ID', parseOuId, ['ou-ab12-11111111'], ['ou-ab12-1111', 'ou-ab12', 'ou-AB12-11111111', 'ou-ab12-11111111/']],
  [
    'organization path',
    parseOrgPath,
    ['o-a1b2c3d4e5/r-ab12/', 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/'],
    [
      'o-a1b2c3d4e5/r-ab12',
      'r-ab12/ou-ab12-11111111/',
      'o-a1b2c3d4e5/*/ou-ab12-11111111/',
      `o-a1b2c3d4e5/r-ab12/${'ou-ab12-11111111/'.repeat(6)}`,
    ],
  ],
];

describe.each(table)('%s', (_, parser, good, bad) => {
  test.each(good)('takes %s', (text) => {
    expect(parser(text)).toEqual({ ok: true, value: text });
  });
  test.each(bad.map((text) => [text]))('refuses %j and says what it wants', (text) => {
    expect(parser(text)).toEqual({ ok: false, problem: expect.stringContaining(`"${text}" is not`) });
  });
});

describe('target-ous', () => {
  test.each([
    ['ou-ab12-11111111', { kind: 'ou', ou: 'ou-ab12-11111111' }],
    ['r-ab12', { kind: 'root', root: 'r-ab12' }],
    ['o-a1b2c3d4e5', { kind: 'organization', organization: 'o-a1b2c3d4e5' }],
    ['o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/', { kind: 'path', path: 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/' }],
    ['o-a1b2c3d4e5/r-ab12/ou-ab12-11111111', { kind: 'path', path: 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/' }],
    ['o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*', { kind: 'path', path: 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/' }],
    ['Workloads/Development', { kind: 'name', names: ['Workloads', 'Development'] }],
  ])('%s', (text, value) => {
    const parsed = parseOuTarget(text);
    expect(parsed).toEqual({ ok: true, value });
    expect(parsed.ok && parseOuTarget(formatOuTarget(parsed.value))).toEqual(parsed);
  });

  test.each(['*', 'o-a1b2c3d4e5/*/ou-ab12-11111111/', 'ou-1', 'Workloads//Dev', 'o-x'])('refuses %s', (text) => {
    expect(parseOuTarget(text).ok).toBe(false);
  });

  test.each(['r-ab12/ou-ab12-11111111/', '/r-ab12/ou-ab12-11111111', 'r-ab12/ou-ab12-11111111/*', 'Workloads/ou-ab12-11111111'])(
    'says of %s that a path needs its organization',
    (text) => {
      expect(parseOuTarget(text)).toEqual({ ok: false, problem: expect.stringMatching(/without its organization|has a wildcard/) });
    },
  );
});

test('the account of a role', () => {
  expect(accountOf('arn:aws:iam::111111111111:role/path/x' as RoleArn)).toBe('111111111111');
  expect(partitionOfArn('arn:aws-us-gov:iam::111111111111:role/path/x')).toBe('aws-us-gov');
});

test('an ARN keeps the colons of its resource', () => {
  expect(parseArn('arn:aws:ecs:eu-west-1:222222222222:task-definition/web:7')).toEqual({
    ok: true,
    value: { partition: 'aws', service: 'ecs', region: 'eu-west-1', account: '222222222222', resource: 'task-definition/web:7' },
  });
});

test.each([
  ['eu-west-1', 'aws', 'console.aws.amazon.com'],
  ['cn-north-1', 'aws-cn', 'console.amazonaws.cn'],
  ['us-gov-west-1', 'aws-us-gov', 'console.amazonaws-us-gov.com'],
  ['eusc-de-east-1', 'aws-eusc', 'console.amazonaws-eusc.eu'],
  ['us-isob-east-1', 'aws-iso-b', 'console.aws.amazon.com'],
])('%s is in partition %s', (region, partition, host) => {
  expect(partitionOf(region as Region)).toBe(partition);
  expect(consoleHost(region as Region)).toBe(host);
});

describe('replica place', () => {
  test.each([
    ['eu-central-1', { account: undefined, region: 'eu-central-1' }],
    ['222222222222/us-gov-west-1', { account: '222222222222', region: 'us-gov-west-1' }],
  ])('takes %s', (text, value) => {
    expect(parseReplicaPlace(text)).toEqual({ ok: true, value });
  });
  test.each(
    [
      '',
      'europe',
      '22/eu-central-1',
      '222222222222',
      '222222222222/',
      '/eu-central-1',
      'eu-central-1/222222222222',
      '222222222222/eu-central-1/x',
    ].map((text) => [text]),
  )('refuses %j and says what it wants', (text) => {
    expect(parseReplicaPlace(text)).toEqual({ ok: false, problem: expect.stringContaining(`"${text}" is not`) });
  });
});
