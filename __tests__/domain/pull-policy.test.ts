import { expect, test } from '@jest/globals';
import type { AccountId, RoleArn } from '../../src/domain/account.ts';
import type { OrganizationId, OrgPath } from '../../src/domain/organization.ts';
import { parsePolicy, type Policy } from '../../src/domain/policy/document.ts';
import { policyFacts, type PullQuestion } from '../../src/domain/pull-policy.ts';

const account = '222222222222' as AccountId;
const organization = 'o-a1b2c3d4e5' as OrganizationId;
const path = 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/' as OrgPath;
const role = `arn:aws:iam::${account}:role/web-execution` as RoleArn;
const actions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

const policy = (...statements: readonly object[]): Policy => {
  const parsed = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
};
const allow = { Sid: 'Yes', Effect: 'Allow', Principal: '*', Action: actions };
const paths = (value: string) => ({ ...allow, Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': value } } });
const ofOu = paths('o-a1b2c3d4e5/*/ou-ab12-11111111/*');
const ofOther = paths('o-a1b2c3d4e5/*/ou-ab12-22222222/*');
const deny = (principal: string, condition?: object) => ({
  Sid: 'No',
  Effect: 'Deny',
  Principal: { AWS: principal },
  Action: 'ecr:*',
  ...(condition && { Condition: condition }),
});
const byRole: PullQuestion['puller'] = { kind: 'role', role, organization, path };
const byAccount: PullQuestion['puller'] = { kind: 'account', account, organization, path };
const nowhere: PullQuestion['puller'] = { kind: 'account', account };

interface Given extends Partial<PullQuestion> {
  readonly owner?: string;
}

const cases: readonly (readonly [name: string, given: Given, expected: readonly (string | RegExp)[]])[] = [
  ['an OU statement covers its account', { policy: policy(ofOu) }, [/^ok repository policy: lets the account pull: "Yes": /]],
  [
    'and its execution role',
    { policy: policy(ofOu), puller: byRole },
    [/^ok repository policy: lets the execution role web-execution pull/],
  ],
  [
    'a statement for that role only',
    { policy: policy({ ...allow, Principal: { AWS: role } }), puller: byRole },
    [/^ok repository policy: lets the execution role web-execution pull/],
  ],
  [
    'two actions are enough, one is not',
    { policy: policy({ ...ofOu, Action: 'ecr:BatchGetImage' }) },
    [/^error repository policy: does not let the account pull: no statement allows it → .*target-ous: ou-ab12-11111111/],
  ],
  [
    'another OU',
    { policy: policy(ofOther) },
    [
      /^error repository policy: does not let the account pull: "Yes": .* → Share the repository: mode: share with target-ous: ou-ab12-11111111\./,
    ],
  ],
  ['no policy at all, and no path', { policy: policy(), puller: nowhere }, [/^error .* → .*target-accounts: 222222222222/]],
  [
    'a path that nobody knows',
    { policy: policy(ofOu), puller: nowhere, pathAdvice: 'Ask.' },
    [/^warning repository policy: whether it lets the account pull is not known: .* → Ask\.$/],
  ],
  ['which does not matter where the pull was tried', { policy: policy(ofOu), puller: nowhere, pull: 'yes' }, [/^info /]],
  [
    'of the account at the root the ID is named',
    { policy: policy(ofOu), puller: { ...byAccount, path: 'o-a1b2c3d4e5/r-ab12/' as OrgPath } },
    [/^error .*target-accounts: 222222222222/],
  ],
  [
    'the registry policy alone allows it',
    { policy: policy(), registryPolicy: policy({ ...ofOu, Resource: '*' }) },
    [/^warning .* The registry policy does \("Yes": .*\), and AWS does not say that this is enough/],
  ],
  [
    'a registry policy that could not be read, of which the pull shows something',
    { policy: policy(), registryPolicy: 'not known', pull: 'yes' },
    [/^warning /],
  ],
  ['and one of which it shows nothing', { policy: policy(), registryPolicy: 'not known' }, [/^error /]],
  [
    'a Deny for the account',
    { policy: policy(ofOu, deny(`arn:aws:iam::${account}:root`)) },
    [
      /^ok /,
      /^error repository policy: "No" denies the account ecr:BatchGetImage, ecr:GetDownloadUrlForLayer: Principal is account 2{12} → /,
    ],
  ],
  [
    'a Deny on what nobody knows',
    { policy: policy(ofOu, deny('*', { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } })) },
    [/^ok /, /^warning repository policy: "No" may deny the account/],
  ],
  [
    'a Deny of the registry policy',
    { policy: policy(ofOu), registryPolicy: policy({ ...deny('*'), Resource: '*' }) },
    [/^ok /, /^error registry policy: "No" denies/],
  ],
  ['a Deny for others', { policy: policy(ofOu, deny('arn:aws:iam::333333333333:root')) }, [/^ok /]],
  ['the account that owns the repository needs none', { policy: policy(), owner: account }, [/^ok repository policy: is not needed/]],
  ['but is denied all the same', { policy: policy(deny('*')), owner: account }, [/^ok /, /^error .*"No" denies/]],
];

test.each(cases)('%s', (_, { owner = '111111111111', ...given }, expected) => {
  const facts = policyFacts({
    repositoryArn: `arn:aws:ecr:eu-west-1:${owner}:repository/shop/web`,
    policy: policy(),
    registryPolicy: undefined,
    puller: byAccount,
    pull: 'unknown',
    ...given,
  });
  expect(
    facts.map(({ severity, subject, reason, advice }) => `${severity} ${subject}: ${reason}${advice === undefined ? '' : ` → ${advice}`}`),
  ).toEqual(expected.map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))));
});

test('of many statements some are enough', () => {
  const many = policy(...Array.from({ length: 6 }, (_, index) => ({ ...ofOther, Sid: `S${index}` })));
  const [fact] = policyFacts({
    repositoryArn: 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/web',
    policy: many,
    registryPolicy: undefined,
    puller: byAccount,
    pull: 'unknown',
  });
  expect(fact?.reason).toMatch(/"S0": .*; "S1": .*; "S2": .*; and 3 statements more$/);
});
