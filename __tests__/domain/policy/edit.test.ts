import { describe, expect, test } from '@jest/globals';
import { diff } from '../../../src/domain/policy/diff.ts';
import { parsePolicy, type Policy } from '../../../src/domain/policy/document.ts';
import { edit, policyLimit, type Edit } from '../../../src/domain/policy/edit.ts';
import { fold } from '../../../src/domain/policy/fold.ts';
import { pullActions } from '../../../src/domain/policy/grant.ts';
import { defaultPolicySid, markerOf } from '../../../src/domain/policy/sid.ts';
import { stateOf } from '../../../src/domain/policy/state.ts';
import type { Target } from '../../../src/domain/policy/target.ts';

const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };
const policySid = defaultPolicySid;
const marker = markerOf({ now: Date.UTC(2026, 10, 21), random: 0.5 });
const ouTarget = (ou: string) => ({ kind: 'ou', organization: 'o-1', ou }) as Target;
const want = (target: Target, actions: readonly string[] = pullActions) => ({ target, actions });
interface Writing {
  readonly sid?: string;
  readonly actions?: readonly string[];
}
const own = (values: readonly string[], { sid = 'EcrOrgDeployOrgPaths', actions = pullActions }: Writing = {}) => ({
  Sid: sid,
  Effect: 'Allow',
  Principal: '*',
  Action: actions,
  Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': values } },
});
const foreign = { Sid: 'Other', Effect: 'Allow', Principal: { AWS: '222222222222' }, Action: 'ecr:BatchGetImage' };
const everybodyDenied = { Sid: 'Frozen', Effect: 'Deny', Principal: '*', Action: 'ecr:SetRepositoryPolicy' };

function policyOf(statements: readonly unknown[]): Policy {
  const parsed = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

interface Change {
  readonly mode?: 'merge' | 'reconcile';
  readonly limit?: number;
  readonly editor?: Target;
}
const change = (
  statements: readonly unknown[],
  wants: readonly ReturnType<typeof want>[],
  { mode = 'merge', editor, ...rest }: Change = {},
): Edit => edit({ policy: policyOf(statements), wants, facts: { ...facts, editor }, policySid, mode, marker, ...rest });
const statementsOf = (result: Edit): unknown => {
  if (result.kind !== 'changed') throw new Error(JSON.stringify(result));
  return (JSON.parse(result.text) as { Statement: unknown }).Statement;
};
const marked = (sid: string) => `${sid}x${marker}`;

describe('merge', () => {
  test('writes one statement for a kind, values sorted, behind the foreign ones', () => {
    expect(statementsOf(change([foreign], [want(ouTarget('ou-b')), want(ouTarget('ou-a'))]))).toEqual([
      foreign,
      own(['o-1/*/ou-a/*', 'o-1/*/ou-b/*'], { sid: marked('EcrOrgDeployOrgPaths') }),
    ]);
  });

  test('adds only the missing value to the statement that is there', () => {
    expect(statementsOf(change([own(['o-1/*/ou-b/*']), foreign], [want(ouTarget('ou-a')), want(ouTarget('ou-b'))]))).toEqual([
      foreign,
      own(['o-1/*/ou-a/*', 'o-1/*/ou-b/*'], { sid: marked('EcrOrgDeployOrgPaths') }),
    ]);
  });

  test('adds only the missing action, in a statement of its own', () => {
    const two = own(['o-1/*/ou-a/*', 'o-1/*/ou-b/*'], { actions: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'] });
    expect(statementsOf(change([two], [want(ouTarget('ou-a'))]))).toEqual([
      two,
      own(['o-1/*/ou-a/*'], { sid: marked('EcrOrgDeployOrgPaths2'), actions: ['ecr:BatchCheckLayerAvailability'] }),
    ]);
  });

  test('leaves a statement alone that has our Sid but somebody else’s form', () => {
    const bent = { ...own(['o-1/*/ou-b/*']), Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1', 'aws:PrincipalTag/team': 'x' } } };
    expect(statementsOf(change([bent], [want(ouTarget('ou-a'))]))).toEqual([
      bent,
      own(['o-1/*/ou-a/*'], { sid: marked('EcrOrgDeployOrgPaths2') }),
    ]);
  });

  test('Sids that clash: each statement has one of its own in what is written', () => {
    const foreignNumber = { ...foreign, Sid: 'EcrOrgDeployOrgPaths2' };
    const twice = [own(['o-1/*/ou-b/*']), own(['o-1/*/ou-c/*']), foreignNumber];
    const written = statementsOf(change(twice, [want(ouTarget('ou-a')), want(ouTarget('ou-b'), ['ecr:ListImages'])])) as { Sid: string }[];
    expect(written.map(({ Sid }) => Sid)).toEqual([
      'EcrOrgDeployOrgPaths2',
      marked('EcrOrgDeployOrgPaths'),
      'EcrOrgDeployOrgPaths',
      marked('EcrOrgDeployOrgPaths3'),
    ]);
  });

  test.each([
    ['what is covered', [own(['o-1/*/ou-a/*'])]],
    ['what a foreign statement covers', [{ ...own(['o-1/*']), Sid: 'Theirs' }]],
    [
      'what two statements cover together',
      [own(['o-1/*'], { actions: ['ecr:Batch*'] }), own(['o-1/*/ou-a/*'], { sid: 'x', actions: ['ecr:GetDownloadUrlForLayer'] })],
    ],
  ])('leaves %s', (_, statements) => {
    expect(change(statements, [want(ouTarget('ou-a'))]).kind).toBe('unchanged');
  });

  test('writes the wide value alone when a wide and a narrow one are missing', () => {
    const whole = { kind: 'organization', organization: 'o-1' } as Target;
    expect(statementsOf(change([], [want(ouTarget('ou-a')), want(whole)]))).toEqual([
      own(['o-1/*'], { sid: marked('EcrOrgDeployOrgPaths') }),
    ]);
  });
});

describe('reconcile', () => {
  test('takes out what is no longer wanted, and nothing of others', () => {
    const theirs = { ...own(['o-1/*/ou-old/*']), Sid: 'Theirs' };
    expect(
      statementsOf(change([own(['o-1/*/ou-a/*', 'o-1/*/ou-old/*']), theirs], [want(ouTarget('ou-a'))], { mode: 'reconcile' })),
    ).toEqual([theirs, own(['o-1/*/ou-a/*'], { sid: marked('EcrOrgDeployOrgPaths') })]);
  });

  test('keeps one statement to carry the marker when others cover everything', () => {
    const theirs = { ...own(['o-1/*']), Sid: 'Theirs' };
    expect(statementsOf(change([theirs, own(['o-1/*/ou-old/*'])], [want(ouTarget('ou-a'))], { mode: 'reconcile' }))).toEqual([
      theirs,
      own(['o-1/*/ou-a/*'], { sid: marked('EcrOrgDeployOrgPaths') }),
    ]);
  });

  test('drops a whole statement and marks one that stays', () => {
    const roles = {
      Sid: 'EcrOrgDeployRoles',
      Effect: 'Allow',
      Principal: { AWS: ['arn:aws:iam::111111111111:role/x'] },
      Action: pullActions,
    };
    expect(statementsOf(change([roles, own(['o-1/*/ou-a/*'])], [want(ouTarget('ou-a'))], { mode: 'reconcile' }))).toEqual([
      own(['o-1/*/ou-a/*'], { sid: marked('EcrOrgDeployOrgPaths') }),
    ]);
  });
});

describe('refused', () => {
  const refusal = (result: Edit) => (result.kind === 'refused' ? result.problems.join('\n') : result.kind);

  test('where a Deny makes every grant pointless', () => {
    expect(refusal(change([{ Sid: 'No', Effect: 'Deny', Principal: '*', Action: 'ecr:Batch*' }], [want(ouTarget('ou-a'))]))).toMatch(
      /ou-a of o-1 is denied ecr:.* by "No" .*no grant can help/,
    );
  });

  test.each([
    ['everybody', everybodyDenied, undefined],
    [
      'the editor',
      { ...everybodyDenied, Principal: { AWS: 'arn:aws:iam::999999999999:role/share' } },
      { kind: 'role', role: 'arn:aws:iam::999999999999:role/share' } as Target,
    ],
    [
      'everybody outside, and the editor is',
      { ...everybodyDenied, Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111111111111' } } },
      { kind: 'account', account: '999999999999' } as Target,
    ],
  ])('where the policy locks out %s', (_, deny, editor) => {
    expect(refusal(change([deny], [want(ouTarget('ou-a'))], editor ? { editor } : {}))).toMatch(/"Frozen" denies ecr:SetRepositoryPolicy/);
  });

  test('a Deny that spares the editor locks nobody out', () => {
    const spared = { ...everybodyDenied, Condition: { StringNotEquals: { 'aws:PrincipalAccount': '999999999999' } } };
    expect(change([spared], [want(ouTarget('ou-a'))], { editor: { kind: 'account', account: '999999999999' } as Target }).kind).toBe(
      'changed',
    );
  });

  test('over the limit, with the counts', () => {
    const many = Array.from({ length: 400 }, (_, number) => want(ouTarget(`ou-ab12-${String(number).padStart(8, '0')}`)));
    expect(refusal(change([foreign], many))).toMatch(
      /^the policy would have \d+ characters, \d+ more than the 10240 that ECR takes \(400 values in our 1 statements, 1 foreign statements, 0 values folded\)/,
    );
  });
});

describe('at the limit', () => {
  const values = Array.from({ length: 240 }, (_, number) => `o-a1b2c3d4e5/r-ab12/ou-ab12-00000000/ou-${String(number).padStart(3, '0')}/*`);

  test('values that another of ours covers are folded', () => {
    const full = [own([...values, 'o-a1b2c3d4e5/r-ab12/ou-ab12-00000000/*'].sort())];
    const result = change(full, [want({ kind: 'account', account: '111111111111' } as Target)]);
    if (result.kind !== 'changed') throw new Error(JSON.stringify(result));
    expect(result.text.length).toBeLessThan(policyLimit);
    expect(result.folded).toHaveLength(240);
    expect(JSON.stringify(statementsOf(result))).toContain('["o-a1b2c3d4e5/r-ab12/ou-ab12-00000000/*"]');
  });

  test('what only a foreign statement covers is not', () => {
    const theirs = { ...own(['o-a1b2c3d4e5/*']), Sid: 'Theirs' };
    expect(change([theirs, own(values)], [want({ kind: 'account', account: '111111111111' } as Target)]).kind).toBe('refused');
  });
});

describe('fold', () => {
  const statement = (number: number, values: readonly string[], actions: readonly string[] = pullActions) => ({
    sid: { kind: 'OrgPaths' as const, number, marker: undefined },
    actions,
    values,
  });
  test.each([
    ['an explicit path into its OU', [['o-1/*/ou-t/*', 'o-1/r-1/ou-t/*']], [['o-1/*/ou-t/*']]],
    ['an OU into the organization', [['o-1/*', 'o-1/*/ou-t/*']], [['o-1/*']]],
    ['a deeper path into a path', [['o-1/r-1/ou-a/*', 'o-1/r-1/ou-a/ou-b/*']], [['o-1/r-1/ou-a/*']]],
    ['nothing into an exact prefix', [['o-1/*/ou-t/*', 'o-1/*/ou-t2/*']], [['o-1/*/ou-t/*', 'o-1/*/ou-t2/*']]],
    ['a value that two statements have into the first', [['o-1/*/ou-t/*'], ['o-1/*/ou-t/*', 'o-2/*']], [['o-1/*/ou-t/*'], ['o-2/*']]],
    ['a whole statement', [['o-1/*'], ['o-1/*/ou-t/*']], [['o-1/*']]],
  ])('%s', (_, before, after) => {
    expect(fold(before.map((values, at) => statement(at + 1, values))).statements.map(({ values }) => values)).toEqual(after);
  });

  test('not into a statement with fewer actions', () => {
    const both = [statement(1, ['o-1/*'], ['ecr:BatchGetImage']), statement(2, ['o-1/*/ou-t/*'])];
    expect(fold(both).folded).toEqual([]);
  });
});

describe('diff', () => {
  const lines = (before: readonly unknown[], after: readonly unknown[]) =>
    diff({ before: policyOf(before), after: policyOf(after), policySid });
  test.each([
    ['nothing', [foreign], [foreign], []],
    ['a marker is no change', [own(['o-1/*'])], [own(['o-1/*'], { sid: marked('EcrOrgDeployOrgPaths') })], []],
    [
      'a value more and one less',
      [own(['o-1/*/ou-a/*', 'o-1/*/ou-b/*'])],
      [own(['o-1/*/ou-b/*', 'o-1/*/ou-c/*'])],
      [
        '~ EcrOrgDeployOrgPaths',
        '-     ForAnyValue:StringLike aws:PrincipalOrgPaths o-1/*/ou-a/*',
        '+     ForAnyValue:StringLike aws:PrincipalOrgPaths o-1/*/ou-c/*',
      ],
    ],
    ['a statement more', [], [foreign], ['+ "Other"', '+     Allow', '+     Principal AWS 222222222222', '+     Action ecr:BatchGetImage']],
    ['a statement less', [foreign], [], ['- "Other"', '-     Allow', '-     Principal AWS 222222222222', '-     Action ecr:BatchGetImage']],
  ])('%s', (_, before, after, expected) => {
    expect(lines(before, after)).toEqual(expected);
  });
});

describe('the state of a policy', () => {
  const state = (...statements: unknown[]) => stateOf(policyOf(statements));
  test('is the same however ECR lays it out', () => {
    const other = {
      Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-1/*' } },
      Action: [...pullActions].reverse(),
      Principal: '*',
      Effect: 'Allow',
      Sid: 'EcrOrgDeployOrgPaths',
    };
    expect(state(foreign, own(['o-1/*']))).toBe(state(other, foreign));
  });
  test('differs by a marker and by a value', () => {
    const states = [own(['o-1/*']), own(['o-1/*'], { sid: marked('EcrOrgDeployOrgPaths') }), own(['o-2/*'])].map((statement) =>
      state(statement),
    );
    expect(new Set(states).size).toBe(3);
  });
});
