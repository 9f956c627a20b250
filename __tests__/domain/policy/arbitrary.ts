/** Random policies, trees and requests for the property tests. Small alphabets, so that things meet. */
import fc from 'fast-check';
import { pullActions, type Want } from '../../../src/domain/policy/grant.ts';
import type { AccountId, RoleArn } from '../../../src/domain/account.ts';
import type { OrganizationId, OrgPath, OuId, RootId } from '../../../src/domain/organization.ts';
import type { Target } from '../../../src/domain/policy/target.ts';

export const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };

/** Who asks, in the tree below. */
export interface Member {
  readonly account: string;
  readonly organization?: string;
  readonly path?: string;
}

/** Two organizations; ou-t lies below ou-p, ou-t2 beside it, ou-c below ou-t. */
export const members: readonly Member[] = [
  { account: '100000000000', organization: 'o-1', path: 'o-1/r-1/' },
  { account: '100000000001', organization: 'o-1', path: 'o-1/r-1/ou-p/' },
  { account: '100000000002', organization: 'o-1', path: 'o-1/r-1/ou-p/ou-t/' },
  { account: '100000000003', organization: 'o-1', path: 'o-1/r-1/ou-p/ou-t/ou-c/' },
  { account: '100000000004', organization: 'o-1', path: 'o-1/r-1/ou-p/ou-t2/' },
  { account: '100000000005', organization: 'o-1', path: 'o-1/r-1/ou-q/' },
  { account: '200000000000', organization: 'o-2', path: 'o-2/r-2/ou-t/' },
  { account: '300000000000' },
];
export const paths = members.flatMap(({ path }) => (path === undefined ? [] : [path]));
const inFirst = members.filter(({ organization }) => organization === 'o-1');

/** Everybody who can ask: each account's root user, two roles and a user. */
export const identities = members.flatMap((member) =>
  ['root', 'role/deploy', 'role/other', 'user/ci'].map((name) => ({ ...member, arn: `arn:aws:iam::${member.account}:${name}` })),
);
export type Identity = (typeof identities)[number];

const pathOf: Readonly<Record<string, string>> = {
  'ou-p': 'o-1/r-1/ou-p/',
  'ou-t': 'o-1/r-1/ou-p/ou-t/',
  'ou-c': 'o-1/r-1/ou-p/ou-t/ou-c/',
  'ou-q': 'o-1/r-1/ou-q/',
};

export const targets: fc.Arbitrary<Target> = fc.oneof(
  fc.constant<Target>({ kind: 'organization', organization: 'o-1' as OrganizationId }),
  fc.constant<Target>({ kind: 'root', organization: 'o-1' as OrganizationId, root: 'r-1' as RootId }),
  fc.tuple(fc.constantFrom('ou-p', 'ou-t', 'ou-c', 'ou-q'), fc.boolean()).map(([ou, known]): Target => ({
    kind: 'ou',
    organization: 'o-1' as OrganizationId,
    ou: ou as OuId,
    path: known ? (pathOf[ou] as OrgPath) : undefined,
  })),
  fc.constantFrom(...Object.values(pathOf)).map((path): Target => ({ kind: 'path', path: path as OrgPath })),
  fc
    .tuple(fc.constantFrom(...inFirst), fc.constantFrom('nothing', 'organization', 'path'), fc.boolean())
    .map(([{ account, path }, known, role]): Target => {
      const membership = {
        ...(known === 'nothing' ? {} : { organization: 'o-1' as OrganizationId }),
        ...(known === 'path' ? { path: path as OrgPath } : {}),
      };
      if (role) return { kind: 'role', role: `arn:aws:iam::${account}:role/deploy` as RoleArn, ...membership };
      return { kind: 'account', account: account as AccountId, ...membership };
    }),
  fc
    .constantFrom('lambda' as const, 'codebuild' as const)
    .map((service): Target => ({ kind: 'service', service, account: '100000000002' as AccountId })),
);

/** Is this identity's request one of the target's? */
export function isOf(target: Target, { account, arn, organization, path = '' }: Identity): boolean {
  switch (target.kind) {
    case 'organization':
    case 'root':
      return organization === target.organization;
    case 'ou':
      return organization === target.organization && path.includes(`/${target.ou}/`);
    case 'path':
      return path.startsWith(target.path);
    case 'account':
      return account === target.account;
    case 'role':
      return arn === target.role;
    case 'service':
      return false;
  }
}

export const wants: fc.Arbitrary<readonly Want[]> = fc.array(
  fc.record({
    target: targets,
    actions: fc.constantFrom<readonly string[]>(pullActions, pullActions, ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']),
  }),
  { minLength: 1, maxLength: 3 },
);

const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'aws:PrincipalOrgPaths': fc.oneof(
    fc.constantFrom(
      'o-1/*',
      'o-1/*/',
      'o-1/*/ou-t/*',
      'o-1/*/ou-t*',
      'o-1/*/ou-t/',
      'o-1/r-1/ou-p/*',
      'o-1/r-1/ou-p/ou-t/ou-*',
      'o-1/*/ou-*',
      'o-*',
      '*',
      'o-1/${*}/ou-t/*',
      '${aws:PrincipalAccount}',
    ),
    fc.constantFrom(...paths),
    fc
      .array(fc.constantFrom('o-1/', 'o-2/', 'r-1/', 'ou-p/', 'ou-t/', 'ou-t', 'ou-c/', '*', '?', '/', 'ou-'), { maxLength: 6 })
      .map((parts) => parts.join('')),
  ),
  'aws:PrincipalOrgID': fc.constantFrom('o-1', 'o-2', 'o-*', '*', 'O-1', 'o-?', '${*}'),
  'aws:PrincipalAccount': fc.constantFrom('100000000002', '100000000003', '1*', '*', '300000000000'),
  'aws:PrincipalArn': fc.constantFrom(
    'arn:aws:iam::100000000002:role/deploy',
    'arn:aws:iam::*:role/*',
    'arn:aws:iam::100000000002:*',
    '*',
    'arn:*',
    'arn:aws:*:*:1*:*',
    'arn:aws:iam::10000000000?:root',
  ),
  'aws:PrincipalIsAWSService': fc.constantFrom('true', 'false', 'True'),
  'aws:SecureTransport': fc.constantFrom('true', 'false'),
  'aws:PrincipalTag/team': fc.constantFrom('x', '*', 'y'),
  'aws:SourceVpce': fc.constantFrom('vpce-1', '*'),
  'aws:SourceArn': fc.constantFrom(
    'arn:aws:lambda:eu-west-1:100000000002:function:*',
    'arn:aws:lambda:eu-west-1:100000000002:function:one',
    'arn:aws:codebuild:*:100000000002:project/*',
    '*',
  ),
  'aws:SourceAccount': fc.constantFrom('100000000002', '*'),
};
const nulls = fc.constantFrom('true', 'false');
const operators = fc.constantFrom(
  ...[
    'StringEquals',
    'StringNotEquals',
    'StringEqualsIgnoreCase',
    'StringNotEqualsIgnoreCase',
    'StringLike',
    'StringNotLike',
    'ArnEquals',
    'ArnLike',
    'ArnNotLike',
    'Bool',
  ],
);
const clause = fc
  .tuple(
    fc.constantFrom('', '', 'ForAnyValue:', 'ForAllValues:'),
    fc.oneof({ weight: 8, arbitrary: operators }, { weight: 1, arbitrary: fc.constant('Null') }),
    fc.constantFrom('', '', 'IfExists'),
  )
  .chain(([set, operator, ifExists]) => {
    const isNull = operator === 'Null';
    const keys = set === '' && !isNull ? Object.keys(values).filter((key) => key !== 'aws:PrincipalOrgPaths') : Object.keys(values);
    return fc.constantFrom(...keys, ...(set === '' ? [] : Array<string>(8).fill('aws:PrincipalOrgPaths'))).chain((key) => {
      const value = isNull ? nulls : (values[key] ?? nulls);
      const name = isNull ? 'Null' : `${set}${operator}${ifExists}`;
      return fc
        .tuple(fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })), fc.boolean())
        .map(([listed, lower]) => ({ [name]: { [lower ? key.toLowerCase() : key]: listed } }));
    });
  });
const canonical = fc
  .constantFrom('o-1/*/ou-t/*', 'o-1/*', 'o-1/r-1/ou-p/*')
  .map((value) => ({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': value } }));

const principals = fc.constantFrom<unknown>(
  ...['*', '*', '*', { AWS: '*' }, { AWS: '100000000002' }, { AWS: ['arn:aws:iam::100000000003:root', '100000000001'] }],
  ...[
    { AWS: 'arn:aws:iam::100000000002:role/deploy' },
    { AWS: 'AROAEXAMPLE' },
    { Service: 'lambda.amazonaws.com' },
    { Service: 'codebuild.amazonaws.com' },
  ],
);
const actions = fc.constantFrom<unknown>(
  ...[pullActions, pullActions, 'ecr:*', '*', ['ecr:Get*', 'ECR:BATCH*'], 'ecr:BatchGetImage', 'ecr:PutImage'],
);

export const statement = (effects: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      effect: fc.constantFrom(...effects),
      principal: principals,
      action: actions,
      notAction: fc.nat(9),
      resource: fc.constantFrom<unknown>(
        undefined,
        undefined,
        '*',
        facts.repositoryArn,
        'arn:aws:ecr:eu-west-1:999999999999:repository/other',
      ),
      clauses: fc.array(fc.oneof(clause, canonical), { maxLength: 3 }),
      sid: fc.constantFrom(undefined, 'Foreign', 'EcrOrgDeployOther'),
    })
    .map(({ effect, principal, action, notAction, resource, clauses, sid }) => {
      // Clauses under one operator go together, as JSON needs it; the same key twice would be one key.
      const condition: Record<string, Record<string, unknown>> = {};
      for (const one of clauses)
        for (const [operator, keys] of Object.entries(one)) condition[operator] = { ...condition[operator], ...keys };
      return {
        ...(sid === undefined ? {} : { Sid: sid }),
        Effect: effect,
        Principal: principal,
        ...(notAction === 0 ? { NotAction: 'ecr:PutImage' } : { Action: action }),
        ...(resource === undefined ? {} : { Resource: resource }),
        ...(clauses.length === 0 ? {} : { Condition: condition }),
      };
    });

export const policies = (effects: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      version: fc.constantFrom('2012-10-17', '2012-10-17', '2008-10-17', undefined),
      statements: fc.array(statement(effects), { maxLength: 3 }),
    })
    .map(({ version, statements }) => ({ ...(version === undefined ? {} : { Version: version }), Id: 'kept', Statement: statements }));
