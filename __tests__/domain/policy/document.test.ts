import { describe, expect, test } from '@jest/globals';
import { parsePolicy, serialise } from '../../../src/domain/policy/document.ts';

const allow = '{"Effect":"Allow","Principal":"*","Action":"ecr:*"}';

describe('a policy survives being read and written', () => {
  test.each([
    ['elements in their order', `{"Statement":[${allow}],"Id":"x","Version":"2008-10-17"}`],
    [
      'what IAM does not know',
      `{"Version":"2012-10-17","Comment":{"by":["me"]},"Statement":[{"Effect":"Deny","Until":3,"Principal":{"AWS":"1"},"Action":"*"}]}`,
    ],
    [
      'lists of one, scalars, numbers and booleans',
      `{"Statement":[{"Sid":"","Effect":"Allow","Principal":{"AWS":[111111111111]},"Action":["a:b"],"Condition":{"Bool":{"aws:SecureTransport":true}}}]}`,
    ],
    [
      'Sids with spaces',
      `{"Statement":[{"Sid":"ECR Repository Policy","Effect":"Allow","NotPrincipal":{"AWS":"1"},"NotAction":"a:b","NotResource":"*"}]}`,
    ],
  ])('%s', (_, text) => {
    const parsed = parsePolicy(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(
      serialise(
        parsed.policy,
        parsed.policy.statements.map(({ json }) => json),
      ),
    ).toBe(text);
  });

  test('no policy is an empty one of the new Version', () => {
    for (const text of [undefined, '', ' \n']) {
      const parsed = parsePolicy(text);
      expect(parsed.ok && serialise(parsed.policy, [])).toBe('{"Version":"2012-10-17","Statement":[]}');
    }
  });

  test('one statement without a list becomes a list', () => {
    const parsed = parsePolicy(`{"Statement":${allow}}`);
    expect(parsed.ok && parsed.policy.statements).toHaveLength(1);
  });
});

describe('what is malformed is told with its path', () => {
  test.each([
    ['no JSON', '{"Statement":', ['$']],
    ['no object', '[]', ['$']],
    ['no Statement', '{"Version":"2012-10-17"}', ['$']],
    ['a Version that is no string', `{"Version":2012,"Statement":[${allow}]}`, ['$.Version']],
    ['a statement that is no object', `{"Statement":[${allow},"x"]}`, ['$.Statement[1]']],
    ['an Effect of its own', '{"Statement":{"Effect":"allow","Principal":"*","Action":"a:b"}}', ['$.Statement.Effect']],
    ['no Principal, no Action', '{"Statement":[{"Effect":"Allow"}]}', ['$.Statement[0]', '$.Statement[0]']],
    ['Action and NotAction', '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","NotAction":"a:c"}]}', ['$.Statement[0]']],
    [
      'a Principal that is a name',
      '{"Statement":[{"Effect":"Allow","Principal":"111111111111","Action":"a:b"}]}',
      ['$.Statement[0].Principal'],
    ],
    ['an Action that is a number', '{"Statement":[{"Effect":"Allow","Principal":"*","Action":[1]}]}', ['$.Statement[0].Action']],
    [
      'a Condition without keys',
      '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Condition":{"Bool":"true"}}]}',
      ['$.Statement[0].Condition.Bool'],
    ],
    [
      'a value that is an object',
      '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Condition":{"Bool":{"k":{}}}}]}',
      ['$.Statement[0].Condition.Bool.k'],
    ],
    [
      'a key named twice',
      '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Condition":{"Bool":{"a":"x"},"Bool":{"b":"y"}}}]}',
      ['$.Statement[0].Condition.Bool'],
    ],
    [
      'the second of two problems too',
      '{"Statement":[{"Effect":"x","Principal":"*","Action":"a"},{"Effect":"y","Principal":"*","Action":"a"}]}',
      ['$.Statement[0].Effect', '$.Statement[1].Effect'],
    ],
  ])('%s', (_, text, paths) => {
    const parsed = parsePolicy(text);
    expect(parsed.ok ? [] : parsed.problems.map(({ path }) => path)).toEqual(paths);
  });
});
