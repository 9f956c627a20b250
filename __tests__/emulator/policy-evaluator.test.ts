import { describe, expect, test } from '@jest/globals';
import { evaluate, type PolicyDecision, type PrincipalFacts } from '../../emulator/policy-evaluator.ts';

const resource = 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/web';
const roleArn = 'arn:aws:iam::222222222222:role/ecs/pull';
const role: PrincipalFacts = {
  type: 'AWS',
  account: '222222222222',
  arn: 'arn:aws:sts::222222222222:assumed-role/pull/task',
  principalArn: roleArn,
  userId: 'AROAEXAMPLE:task',
  organizationId: 'o-1',
  organizationPath: 'o-1/r-1/ou-p/ou-t/',
  tags: { team: 'shop' },
};
const at = (organizationPath: string): PrincipalFacts => ({ ...role, organizationPath });
const { organizationId: _id, organizationPath: _path, ...stranger } = role;
const foreign: PrincipalFacts = { ...role, organizationId: 'o-2', organizationPath: 'o-2/r-2/' };
const user: PrincipalFacts = { type: 'AWS', account: '222222222222', arn: 'arn:aws:iam::222222222222:user/ann', userId: 'AIDAANN' };
const lambda: PrincipalFacts = {
  type: 'Service',
  service: 'lambda.amazonaws.com',
  sourceArn: 'arn:aws:lambda:eu-west-1:222222222222:function:shop',
  sourceAccount: '222222222222',
};
const anonymous: PrincipalFacts = { type: 'Anonymous' };

interface Asked {
  readonly principal?: PrincipalFacts;
  readonly version?: string;
  readonly context?: Record<string, string | string[]>;
}

function decide(
  statements: readonly object[],
  { principal = role, version = '2012-10-17', context = {} }: Asked = {},
): PolicyDecision['decision'] {
  const Statement = statements.map((statement) => ({ Effect: 'Allow', Principal: '*', Action: 'ecr:*', ...statement }));
  return evaluate({ policy: { Version: version, Statement }, action: 'ecr:BatchGetImage', resource, principal, context }).decision;
}
const allows = (condition: object, principal: PrincipalFacts, more: Asked = {}) =>
  decide([{ Condition: condition }], { principal, ...more }) === 'allow';
const paths = (operator: string, ...values: string[]) => ({ [operator]: { 'aws:PrincipalOrgPaths': values } });
const any = 'ForAnyValue:StringLike';

describe('organization paths (AWS-FACTS 1.2, 1.3)', () => {
  const principals: readonly [string, PrincipalFacts][] = [
    ['root', at('o-x/r-y/')],
    ['ou', at('o-x/r-y/ou-id/')],
    ['nested ou', at('o-x/r-y/ou-p/ou-id/')],
    ['child', at('o-x/r-y/ou-id/ou-child/')],
    ['prefix', at('o-x/r-y/ou-id2/')],
    ['outside', stranger],
  ];
  test.each([
    ['o-x/*/ou-id/*', ['ou', 'nested ou', 'child']],
    ['o-x/*/ou-id/', ['ou', 'nested ou']],
    ['o-x/*/ou-id*', ['ou', 'nested ou', 'child', 'prefix']],
    ['o-x/*/ou-id', []],
    ['o-x/*', ['root', 'ou', 'nested ou', 'child', 'prefix']],
    ['o-x/r-y/ou-id/ou-*', ['child']],
    ['o-x/r-y/ou-id/*', ['ou', 'child']],
    ['o-x/*/', ['root', 'ou', 'nested ou', 'child', 'prefix']],
    ['O-X/*', []],
  ])('ForAnyValue:StringLike %s', (value, expected) => {
    expect(principals.filter(([, principal]) => allows(paths(any, value), principal)).map(([name]) => name)).toEqual(expected);
  });

  test.each<[string, object, PrincipalFacts, boolean]>([
    ['StringEquals, the exact unit', paths('ForAnyValue:StringEquals', 'o-1/r-1/ou-p/ou-t/'), role, true],
    ['StringEquals knows no wildcards', paths('ForAnyValue:StringEquals', 'o-1/*'), role, false],
    ['several values are alternatives', paths(any, 'o-9/*', 'o-1/*'), role, true],
    ['several keys all hold', { [any]: { 'aws:PrincipalOrgPaths': 'o-1/*', 'aws:PrincipalArn': 'x' } }, role, false],
    ['several operators all hold', { ...paths(any, 'o-1/*'), StringEquals: { 'aws:PrincipalAccount': '333333333333' } }, role, false],
    ['the key in another case', { [any]: { 'AWS:principalORGpaths': 'o-1/*' } }, role, true],
    ['the same key twice is AND', { [any]: { 'aws:PrincipalOrgPaths': 'o-1/*', 'AWS:PRINCIPALORGPATHS': 'o-2/*' } }, role, false],
    ['ForAnyValue, absent key', paths(any, '*'), stranger, false],
    ['ForAnyValue with a negated operator, absent key', paths('ForAnyValue:StringNotLike', 'o-1/*'), stranger, false],
    ['ForAnyValue with a negated operator', paths('ForAnyValue:StringNotLike', 'o-1/*'), foreign, true],
    ['ForAllValues', paths('ForAllValues:StringLike', 'o-1/*'), role, true],
    ['ForAllValues, another organization', paths('ForAllValues:StringLike', 'o-1/*'), foreign, false],
    ['ForAllValues, absent key', paths('ForAllValues:StringLike', 'o-1/*'), stranger, true],
    [
      'ForAllValues with Null false, absent key',
      { ...paths('ForAllValues:StringLike', 'o-1/*'), Null: { 'aws:PrincipalOrgPaths': 'false' } },
      stranger,
      false,
    ],
    ['IfExists, absent key', paths(`${any}IfExists`, 'o-1/*'), stranger, true],
    ['IfExists, another organization', paths(`${any}IfExists`, 'o-1/*'), foreign, false],
    ['no set operator on a multivalued key', paths('StringLike', 'o-1/*'), role, false],
    ['a service is in no organization', paths(any, '*'), lambda, false],
    ['anonymous', paths(any, '*'), anonymous, false],
  ])('%s', (_name, condition, principal, expected) => {
    expect(allows(condition, principal)).toBe(expected);
  });
});

describe('operators (AWS-FACTS 1.4)', () => {
  const context = { k: 'Abc', n: '10', d: '2026-11-21T00:00:00Z', ip: '203.0.113.7', v6: '2001:db8::1', list: ['a', 'b'] };
  test.each<[string, object, boolean]>([
    ['StringEquals', { StringEquals: { k: 'Abc' } }, true],
    ['StringEquals is case-sensitive', { StringEquals: { k: 'abc' } }, false],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { k: 'aBC' } }, true],
    ['StringLike ? and *', { StringLike: { k: 'A?*' } }, true],
    ['StringLike, ? is one', { StringLike: { k: 'A?' } }, false],
    ['StringNotEquals: none of them', { StringNotEquals: { k: ['x', 'Abc'] } }, false],
    ['StringNotEquals, absent key', { StringNotEquals: { gone: 'x' } }, true],
    ['StringNotLike, absent key', { StringNotLike: { gone: '*' } }, true],
    ['StringEquals, absent key', { StringEquals: { gone: 'x' } }, false],
    ['StringEqualsIfExists, absent key', { StringEqualsIfExists: { gone: 'x' } }, true],
    ['StringEqualsIfExists, other value', { StringEqualsIfExists: { k: 'x' } }, false],
    ['Null true, absent', { Null: { gone: 'true' } }, true],
    ['Null true, present', { Null: { k: true } }, false],
    ['Null false, present', { Null: { k: 'false' } }, true],
    ['Bool', { Bool: { 'aws:SecureTransport': true } }, true],
    ['Bool false', { Bool: { 'aws:SecureTransport': 'False' } }, false],
    ['Bool, absent key', { Bool: { gone: 'false' } }, false],
    ['NumericLessThan', { NumericLessThan: { n: 11 } }, true],
    ['NumericGreaterThanEquals', { NumericGreaterThanEquals: { n: '10' } }, true],
    ['NumericNotEquals', { NumericNotEquals: { n: ['9', '10'] } }, false],
    ['Numeric on a text', { NumericEquals: { k: '10' } }, false],
    ['DateLessThan', { DateLessThan: { d: '2026-11-22T00:00:00Z' } }, true],
    ['DateGreaterThan in epoch seconds', { DateGreaterThan: { d: '1000000000' } }, true],
    ['IpAddress', { IpAddress: { ip: '203.0.113.0/24' } }, true],
    ['IpAddress, one host', { IpAddress: { ip: '203.0.113.8' } }, false],
    ['NotIpAddress', { NotIpAddress: { ip: ['10.0.0.0/8', '203.0.113.0/24'] } }, false],
    ['IpAddress, no network', { IpAddress: { ip: ['203.0.113.0/99', 'x', ''] } }, false],
    ['IpAddress v6', { IpAddress: { v6: '2001:db8::/32' } }, true],
    ['ForAllValues with a stranger among them', { 'ForAllValues:StringEquals': { list: ['a'] } }, false],
    ['ForAllValues', { 'ForAllValues:StringEquals': { list: ['a', 'b', 'c'] } }, true],
    ['ForAnyValue', { 'ForAnyValue:StringEquals': { list: ['b'] } }, true],
    ['ForAnyValue, an empty list', { 'ForAnyValue:StringEquals': { none: ['b'] } }, false],
    ['an unknown operator', { StringMatches: { k: '*' } }, false],
    ['an unknown set operator', { 'ForSomeValue:StringLike': { list: '*' } }, false],
    ['operator names in another case', { stringlike: { k: '*' } }, true],
    ['ArnLike, part by part', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/*' } }, true],
    ['ArnEquals takes wildcards too', { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::222222222222:role/ecs/*' } }, true],
    ['ArnLike, a star stays within its part', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:*:role/ecs/pull' } }, false],
    ['ArnNotLike', { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/*' } }, true],
    ['ArnLike on a text', { ArnLike: { k: 'arn:aws:iam::*:role/*' } }, false],
    ['a principal tag', { StringEquals: { 'aws:PrincipalTag/team': 'shop' } }, true],
    ['another principal tag', { StringEquals: { 'aws:PrincipalTag/team': 'x' } }, false],
    ['an empty condition', {}, true],
  ])('%s', (_name, condition, expected) => {
    expect(allows(condition, role, { context: { ...context, none: [] } })).toBe(expected);
  });
});

describe('policy variables (AWS-FACTS 1.4)', () => {
  test.each<[string, string | undefined, object, boolean]>([
    ['the literal star', '2012-10-17', paths(any, 'o-1/${*}/ou-t/*'), false],
    ['the literal star matches itself', '2012-10-17', { StringLike: { k: 'a${*}${?}${$}b' } }, true],
    ['plain text in an older version', '2008-10-17', { StringEquals: { k2: 'x${aws:PrincipalAccount}' } }, true],
    ['plain text without a version', undefined, { StringLike: { k2: 'x${*}' } }, true],
    ['a key of the request', '2012-10-17', { StringEquals: { k3: 'a-${aws:PrincipalAccount}' } }, true],
    ["a value's star is no wildcard", '2012-10-17', { StringLike: { k3: '${k4}' } }, false],
    ['a default', '2012-10-17', { StringEquals: { k5: "${gone, 'none'}" } }, true],
    ['no value', '2012-10-17', { StringLike: { k3: '*${gone}' } }, false],
    ['a multivalued key', '2012-10-17', { StringLike: { k3: '${aws:PrincipalOrgPaths}*' } }, false],
  ])('%s', (_name, version, condition, expected) => {
    const context = { k: 'a*?$b', k2: 'x${aws:PrincipalAccount}', k3: 'a-222222222222', k4: '*', k5: 'none' };
    const Statement = { Effect: 'Allow', Principal: '*', Action: '*', Condition: condition };
    const policy = version === undefined ? { Statement } : { Version: version, Statement };
    expect(evaluate({ policy, action: 'ecr:PutImage', resource, principal: role, context }).decision === 'allow').toBe(expected);
  });
});

describe('Principal and NotPrincipal', () => {
  const account = 'arn:aws:iam::222222222222:root';
  test.each<[string, object, PrincipalFacts, boolean]>([
    ['*', { Principal: '*' }, anonymous, true],
    ['AWS *', { Principal: { AWS: '*' } }, role, true],
    ['an account ID', { Principal: { AWS: '222222222222' } }, role, true],
    ['an account ID, other account', { Principal: { AWS: ['333333333333', '111111111111'] } }, role, false],
    ["an account's root", { Principal: { AWS: account } }, user, true],
    ['the role', { Principal: { AWS: roleArn } }, role, true],
    ['the session', { Principal: { AWS: 'arn:aws:sts::222222222222:assumed-role/pull/task' } }, role, true],
    ['another session', { Principal: { AWS: 'arn:aws:sts::222222222222:assumed-role/pull/other' } }, role, false],
    ['the role, asked by a user', { Principal: { AWS: roleArn } }, user, false],
    ['a unique ID that exists', { Principal: { AWS: 'AROAEXAMPLE' } }, role, true],
    ['a unique ID that is gone', { Principal: { AWS: 'AROAGONE' } }, role, false],
    ['a partial wildcard', { Principal: { AWS: 'arn:aws:iam::222222222222:role/*' } }, role, false],
    ['a bare account ID is no Principal', { Principal: '222222222222' }, role, false],
    ['a service', { Principal: { Service: 'lambda.amazonaws.com' } }, lambda, true],
    ['another service', { Principal: { Service: ['codebuild.amazonaws.com'] } }, lambda, false],
    ['a service named as AWS', { Principal: { AWS: 'lambda.amazonaws.com' } }, lambda, false],
    [
      'a service that calls for a resource',
      {
        Principal: { Service: 'lambda.amazonaws.com' },
        Condition: { ArnLike: { 'aws:sourceARN': 'arn:aws:lambda:*:222222222222:function:*' } },
      },
      lambda,
      true,
    ],
    ['PrincipalIsAWSService', { Condition: { Bool: { 'aws:PrincipalIsAWSService': 'true' } } }, role, false],
    ['NotPrincipal, not listed', { Principal: undefined, NotPrincipal: { AWS: '333333333333' } }, role, true],
    ['NotPrincipal, listed', { Principal: undefined, NotPrincipal: { AWS: roleArn } }, role, false],
    ['neither', { Principal: undefined }, role, false],
  ])('%s', (_name, statement, principal, expected) => {
    expect(decide([statement], { principal }) === 'allow').toBe(expected);
  });

  test('a Deny with NotPrincipal spares who is listed with account, role and session', () => {
    const deny = (...listed: string[]) => [{}, { Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: listed } }];
    expect(decide(deny(roleArn))).toBe('deny');
    expect(decide(deny(roleArn, account, 'arn:aws:sts::222222222222:assumed-role/pull/task'))).toBe('allow');
  });
});

describe('Action, Resource and the order of statements', () => {
  test.each<[string, object, boolean]>([
    ['globs in any case', { Action: 'ECR:BATCH*' }, true],
    ['another service', { Action: 'ecs:*' }, false],
    ['one of a list', { Action: ['ecr:Get*', 'ecr:BatchGetImag?'] }, true],
    ['NotAction spares', { Action: undefined, NotAction: 'ecr:PutImage' }, true],
    ['NotAction hits', { Action: undefined, NotAction: 'ecr:Batch*' }, false],
    ['neither', { Action: undefined }, false],
    ['Resource *', { Resource: '*' }, true],
    ['Resource by glob', { Resource: 'arn:aws:ecr:*:111111111111:repository/shop/*' }, true],
    ['another repository', { Resource: 'arn:aws:ecr:eu-west-1:111111111111:repository/other' }, false],
    ['Resource with a variable', { Resource: 'arn:aws:ecr:eu-west-1:${aws:PrincipalAccount}:*' }, false],
    ['NotResource', { NotResource: '*' }, false],
    ['NotResource of another', { NotResource: 'arn:aws:ecr:*:*:repository/other' }, true],
  ])('%s', (_name, statement, expected) => {
    expect(decide([statement]) === 'allow').toBe(expected);
  });

  const ou = paths(any, 'o-1/*/ou-t/*');
  test.each<[string, readonly object[], PrincipalFacts, PolicyDecision['decision']]>([
    ['nothing matches', [{ Action: 'ecs:*' }], role, 'implicit-deny'],
    ['a Deny beats an Allow, in any order', [{ Effect: 'Deny' }, {}], role, 'deny'],
    ['a Deny that needs an absent key does not fire', [{}, { Effect: 'Deny', Condition: paths(any, '*') }], stranger, 'allow'],
    [
      'a Deny on another organization',
      [{ Condition: ou }, { Effect: 'Deny', Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } } }],
      role,
      'allow',
    ],
    [
      '… hits those outside, too',
      [{}, { Effect: 'Deny', Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } } }],
      stranger,
      'deny',
    ],
    [
      'a Deny below the unit',
      [{ Condition: ou }, { Effect: 'Deny', Condition: paths(any, '*/ou-sandbox/*') }],
      at('o-1/r-1/ou-p/ou-t/ou-sandbox/'),
      'deny',
    ],
    ['… leaves the unit', [{ Condition: ou }, { Effect: 'Deny', Condition: paths(any, '*/ou-sandbox/*') }], role, 'allow'],
    ['an unknown Effect is nothing', [{ Effect: 'allow' }], role, 'implicit-deny'],
  ])('%s', (_name, statements, principal, expected) => {
    expect(decide(statements, { principal })).toBe(expected);
  });

  test('says which statement decided', () => {
    const policy = JSON.stringify({
      Statement: [
        { Sid: 'A', Effect: 'Allow', Principal: '*', Action: 'ecr:PutImage' },
        { Sid: 'B', Effect: 'Allow', Principal: '*', Action: 'ecr:*' },
      ],
    });
    expect(evaluate({ policy, action: 'ecr:BatchGetImage', resource, principal: role })).toEqual({
      decision: 'allow',
      statement: { index: 1, sid: 'B' },
    });
    expect(() => evaluate({ policy: '{', action: 'ecr:BatchGetImage', resource, principal: role })).toThrow(SyntaxError);
  });

  test('a pattern of many stars costs no more than its length', () => {
    const path = `o-1/${'a/'.repeat(200)}`;
    expect(allows(paths(any, `${'*a'.repeat(60)}*b`), at(path))).toBe(false);
  });
});
