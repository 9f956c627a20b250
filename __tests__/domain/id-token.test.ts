import { describe, expect, test } from '@jest/globals';
import { contextOf, otherForm, readClaims } from '../../src/domain/id-token.ts';

const ids = { owner: '12', repository: '34' };

describe.each([
  ['repo:acme/shop:ref:refs/heads/main', 'ref:refs/heads/main', 'repo:acme@12/shop@34:ref:refs/heads/main'],
  ['repo:acme@12/shop@34:ref:refs/heads/main', 'ref:refs/heads/main', 'repo:acme/shop:ref:refs/heads/main'],
  ['repo:acme/shop:environment:dev', 'environment:dev', 'repo:acme@12/shop@34:environment:dev'],
  ['repo:acme/shop:pull_request', 'pull_request', 'repo:acme@12/shop@34:pull_request'],
  ['repo:acme/shop:ref:refs/heads/jo@home', 'ref:refs/heads/jo@home', 'repo:acme@12/shop@34:ref:refs/heads/jo@home'],
  ['repository_owner:acme:job_workflow_ref:x', 'repository_owner:acme:job_workflow_ref:x', undefined],
])('the subject %s', (sub, context, other) => {
  test('has a context and another form', () => {
    expect([contextOf(sub), otherForm({ sub, ids })]).toEqual([context, other]);
  });
});

test('without IDs the form with IDs is not guessed', () => {
  expect(otherForm({ sub: 'repo:acme/shop:pull_request', ids: undefined })).toBeUndefined();
});

test('the claims of a token, in its own words', () => {
  const iss = 'https://token.actions.githubusercontent.com';
  expect(
    readClaims({ sub: 's', aud: 'a', iss, ref: 'refs/heads/x', actor: 'jo', jti: 'x', repository_id: '34', repository_owner_id: '12' }),
  ).toEqual({
    sub: 's',
    aud: 'a',
    issuer: 'token.actions.githubusercontent.com',
    others: [
      ['ref', 'refs/heads/x'],
      ['actor', 'jo'],
    ],
    ids,
  });
});

test.each([[null], ['text'], [{ sub: 7 }]])('what is no set of claims: %j', (payload) => {
  expect(readClaims(payload)).toMatchObject({ sub: 'unknown', aud: 'unknown', others: [], ids: undefined });
});
