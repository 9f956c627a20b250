import { describe, expect, test } from '@jest/globals';
import { grantFor, pullActions, withConsumers, type Want } from '../../../src/domain/policy/grant.ts';
import { neededStatements, render } from '../../../src/domain/policy/render.ts';
import { defaultPolicySid, markedAt, markerOf, parsePolicySid, readSid, withoutMarker, writeSid } from '../../../src/domain/policy/sid.ts';
import type { Target } from '../../../src/domain/policy/target.ts';

const inRegion = (region: string, partition = 'aws') => ({
  repositoryArn: `arn:${partition}:ecr:${region}:999999999999:repository/shop/web`,
});
const target = (json: unknown) => json as Target;
const organization = 'o-a1b2c3d4e5';

describe('what is written for a target', () => {
  test.each([
    ['an organization', { kind: 'organization', organization }, 'OrgPaths', 'o-a1b2c3d4e5/*'],
    ['a root', { kind: 'root', organization, root: 'r-ab12' }, 'OrgPaths', 'o-a1b2c3d4e5/*'],
    [
      'an OU',
      { kind: 'ou', organization, ou: 'ou-ab12-11111111', path: `${organization}/r-ab12/ou-ab12-11111111/` },
      'OrgPaths',
      'o-a1b2c3d4e5/*/ou-ab12-11111111/*',
    ],
    [
      'an explicit path',
      { kind: 'path', path: `${organization}/r-ab12/ou-ab12-11111111/` },
      'OrgPaths',
      'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*',
    ],
    ['an account', { kind: 'account', account: '111111111111' }, 'Accounts', 'arn:aws:iam::111111111111:root'],
    ['a role', { kind: 'role', role: 'arn:aws:iam::111111111111:role/x' }, 'Roles', 'arn:aws:iam::111111111111:role/x'],
    [
      'lambda',
      { kind: 'service', service: 'lambda', account: '111111111111' },
      'Lambda',
      'arn:aws:lambda:eu-west-1:111111111111:function:*',
    ],
    [
      'codebuild',
      { kind: 'service', service: 'codebuild', account: '111111111111' },
      'CodeBuild',
      'arn:aws:codebuild:eu-west-1:111111111111:project/*',
    ],
  ])('%s', (_, json, kind, value) => {
    expect(grantFor({ target: target(json), actions: [] }, inRegion('eu-west-1'))).toEqual({ kind, value, actions: [] });
  });

  test.each([
    ['cn-north-1', 'aws-cn', 'arn:aws-cn:iam::111111111111:root'],
    ['us-gov-west-1', 'aws-us-gov', 'arn:aws-us-gov:iam::111111111111:root'],
    ['eusc-de-east-1', 'aws-eusc', 'arn:aws-eusc:iam::111111111111:root'],
  ])('the partition is that of the repository: %s', (region, partition, value) => {
    expect(grantFor({ target: target({ kind: 'account', account: '111111111111' }), actions: [] }, inRegion(region, partition)).value).toBe(
      value,
    );
  });

  test('pain 38: never a Resource, and no principal with a wildcard in it', () => {
    const grants = [
      { kind: 'ou', organization, ou: 'ou-ab12-11111111' },
      { kind: 'account', account: '111111111111' },
      { kind: 'role', role: 'arn:aws:iam::111111111111:role/x' },
      { kind: 'service', service: 'lambda', account: '111111111111' },
      { kind: 'service', service: 'codebuild', account: '111111111111' },
    ].map((json) => grantFor({ target: target(json), actions: pullActions }, inRegion('eu-west-1')));
    const statements = neededStatements(grants, defaultPolicySid);
    expect(statements.map((statement) => [statement['Resource'], statement['Principal']])).toEqual([
      [undefined, '*'],
      [undefined, { AWS: ['arn:aws:iam::111111111111:root'] }],
      [undefined, { AWS: ['arn:aws:iam::111111111111:role/x'] }],
      [undefined, { Service: 'lambda.amazonaws.com' }],
      [undefined, { Service: 'codebuild.amazonaws.com' }],
    ]);
  });

  test("pain 39: a function's account is let in beside the service, once", () => {
    const lambda: Want = { target: target({ kind: 'service', service: 'lambda', account: '111111111111' }), actions: pullActions };
    const account: Want = { target: target({ kind: 'account', account: '111111111111' }), actions: pullActions };
    expect(withConsumers([lambda])).toEqual([account, lambda]);
    expect(withConsumers([lambda, account])).toEqual([lambda, account]);
  });
});

describe('a Sid', () => {
  const policySid = defaultPolicySid;
  const marker = markerOf({ now: Date.UTC(2026, 10, 21), random: 0.123456789 });

  test('carries kind, number and marker, and gives them back', () => {
    for (const number of [1, 2, 11]) {
      for (const own of [
        { kind: 'OrgPaths', number, marker },
        { kind: 'Roles', number, marker: undefined },
      ] as const) {
        const text = writeSid({ policySid, ...own });
        expect(text).toMatch(/^[A-Za-z0-9]+$/);
        expect(readSid(text, policySid)).toEqual(own);
      }
    }
    expect(markedAt(marker)).toBe(Date.UTC(2026, 10, 21));
    expect(withoutMarker(`EcrOrgDeployOrgPathsx${marker}`)).toBe('EcrOrgDeployOrgPaths');
  });

  test.each([
    'EcrOrgDeploy',
    'EcrOrgDeployOther',
    'EcrOrgDeployOrgPaths1',
    'EcrOrgDeployOrgPathsxshort',
    'ecrorgdeployOrgPaths',
    'OrgPaths',
    undefined,
  ])('%s is not ours', (sid) => {
    expect(readSid(sid, policySid)).toBeUndefined();
  });

  test('of another policy-sid is not ours', () => {
    const other = parsePolicySid('Platform');
    expect(other.ok && readSid('EcrOrgDeployOrgPaths', other.value)).toBeUndefined();
  });

  test.each(['', 'with space', 'a-b', 'ü', 'x'.repeat(65)])('"%s" is no policy-sid', (text) => {
    expect(parsePolicySid(text).ok).toBe(false);
  });
});

test('a needed statement in three languages', () => {
  const grant = grantFor(
    { target: target({ kind: 'ou', organization, ou: 'ou-ab12-11111111' }), actions: ['ecr:BatchGetImage'] },
    inRegion('eu-west-1'),
  );
  expect(render(neededStatements([grant], defaultPolicySid))).toEqual({
    json: `{
  "Sid": "EcrOrgDeployOrgPaths",
  "Effect": "Allow",
  "Principal": "*",
  "Action": [
    "ecr:BatchGetImage"
  ],
  "Condition": {
    "ForAnyValue:StringLike": {
      "aws:PrincipalOrgPaths": [
        "o-a1b2c3d4e5/*/ou-ab12-11111111/*"
      ]
    }
  }
}`,
    cloudFormation: `RepositoryPolicyText:
  Version: "2012-10-17"
  Statement:
    - Sid: "EcrOrgDeployOrgPaths"
      Effect: "Allow"
      Principal: "*"
      Action:
        - "ecr:BatchGetImage"
      Condition:
        "ForAnyValue:StringLike":
          "aws:PrincipalOrgPaths":
            - "o-a1b2c3d4e5/*/ou-ab12-11111111/*"`,
    terraform: `statement {
  sid    = "EcrOrgDeployOrgPaths"
  effect = "Allow"
  principals {
    type        = "*"
    identifiers = [
      "*",
    ]
  }
  actions = [
    "ecr:BatchGetImage",
  ]
  condition {
    test     = "ForAnyValue:StringLike"
    variable = "aws:PrincipalOrgPaths"
    values = [
      "o-a1b2c3d4e5/*/ou-ab12-11111111/*",
    ]
  }
}`,
  });
});
