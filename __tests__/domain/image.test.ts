import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AccountId } from '../../src/domain/account.ts';
import {
  formatImage,
  hostAtEndpoint,
  hostOfAccount,
  parseEcrHost,
  parseImageReference,
  parseRepositoryName,
  parseTag,
} from '../../src/domain/image.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';

describe('a reference', () => {
  test.each([
    [`shop/web@${digest}`, { host: undefined, repository: 'shop/web', tag: undefined, digest }],
    ['shop/web:1.2', { host: undefined, repository: 'shop/web', tag: '1.2', digest: undefined }],
    [`${host}/shop/web:blue@${digest}`, { host, repository: 'shop/web', tag: 'blue', digest }],
    ['127.0.0.1:5000/web:x', { host: '127.0.0.1:5000', repository: 'web', tag: 'x', digest: undefined }],
    ['localhost/web:x', { host: 'localhost', repository: 'web', tag: 'x', digest: undefined }],
  ])('%s', (text, value) => {
    expect(parseImageReference(text)).toEqual({ ok: true, value });
  });

  test.each([
    ['shop/web', 'names no tag and no digest'],
    ['shop/web@sha256:12', 'is not a digest'],
    [`shop/web@${digest}@${digest}`, 'two "@"'],
    ['Shop/web:1', 'is not a repository name'],
    ['shop/web:-x', 'is not a tag'],
    ['x:1', 'it needs 2 to 256 characters'],
  ])('%s is refused', (text, problem) => {
    expect(parseImageReference(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  // A dot in the first part of several makes it a host.
  const repository = fc
    .stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}(\/[a-z0-9]{1,8}){0,3}$/)
    .filter((name) => name.length > 1 && !/^[^/]*\.[^/]*\/|^localhost\//.test(name));
  const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/);
  test('what was parsed formats to itself', () => {
    fc.assert(
      fc.property(fc.constantFrom('', `${host}/`, '127.0.0.1:5000/'), repository, tag, fc.boolean(), (prefix, name, label, pinned) => {
        // A first component with a dot is a host.
        fc.pre(prefix !== '' || !/^[^/]*\.[^/]*\//.test(name));
        const text = `${prefix}${name}:${label}${pinned ? `@${digest}` : ''}`;
        const parsed = parseImageReference(text);
        expect(parsed.ok && formatImage(parsed.value)).toBe(text);
      }),
    );
  });
});

test.each([
  ['a'.repeat(256), true],
  ['a'.repeat(257), false],
  ['a--b__c', true],
  ['a___b', false],
  ['a//b', false],
  ['a/', false],
])('repository name %s: %s', (name, good) => {
  expect(parseRepositoryName(name).ok).toBe(good);
});

test.each([
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['_x', true],
  ['.x', false],
  ['', false],
])('tag %s: %s', (tag, good) => {
  expect(parseTag(tag).ok).toBe(good);
});

describe('ECR hosts (the expression of amazon-ecr-credential-helper)', () => {
  test.each([
    [host, 'eu-west-1'],
    ['111111111111.dkr-ecr.eu-west-1.on.aws', 'eu-west-1'],
    ['111111111111.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['111111111111.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
  ])('%s', (text, region) => {
    expect(parseEcrHost(text)).toEqual({ account: '111111111111', region });
  });

  test.each(['127.0.0.1:5000', 'ghcr.io', `x${host}`, `${host}.evil.example`])('%s is none', (text) => {
    expect(parseEcrHost(text)).toBeUndefined();
  });

  test('another account’s host is the same with its digits, where there are digits', () => {
    const other = '222222222222' as AccountId;
    expect(hostOfAccount(host, other)).toBe('222222222222.dkr.ecr.eu-west-1.amazonaws.com');
    expect(hostOfAccount('127.0.0.1:5000', other)).toBeUndefined();
  });

  test.each([
    [
      'dkr.ecr.eu-west-1.amazonaws.com',
      'dkr-ecr.eu-west-1.on.aws',
      'dkr.ecr-fips.eu-west-1.amazonaws.com',
      'dkr-ecr-fips.eu-west-1.on.aws',
    ],
    [
      'dkr.ecr.us-gov-west-1.amazonaws.com',
      'dkr-ecr.us-gov-west-1.on.aws',
      'dkr.ecr-fips.us-gov-west-1.amazonaws.com',
      'dkr-ecr-fips.us-gov-west-1.on.aws',
    ],
    [
      'dkr.ecr.cn-north-1.amazonaws.com.cn',
      'dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
      'dkr.ecr.cn-north-1.amazonaws.com.cn',
      'dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
    ],
    ['dkr.ecr.eusc-de-east-1.amazonaws.eu', ...Array<string>(3).fill('dkr.ecr.eusc-de-east-1.amazonaws.eu')],
    ['dkr-ecr-fips.us-east-2.on.aws', ...Array<string>(3).fill('dkr-ecr-fips.us-east-2.on.aws')],
  ])('%s at the endpoints that the environment may ask for', (plain, dualStack, fips, both) => {
    const at = (choice: { dualStack: boolean; fips: boolean }) => hostAtEndpoint(`111111111111.${plain}`, choice);
    expect(at({ dualStack: false, fips: false })).toBe(`111111111111.${plain}`);
    expect(at({ dualStack: true, fips: false })).toBe(`111111111111.${dualStack}`);
    expect(at({ dualStack: false, fips: true })).toBe(`111111111111.${fips}`);
    expect(at({ dualStack: true, fips: true })).toBe(`111111111111.${both}`);
  });

  test.each([
    ['127.0.0.1:5000', '127.0.0.1:5000'],
    ['ghcr.io', 'ghcr.io'],
    ['public.ecr.aws', 'ecr-public.aws.com'],
  ])('%s is %s over IPv6 too', (plain, dualStack) => {
    expect(hostAtEndpoint(plain, { dualStack: true, fips: true })).toBe(dualStack);
    expect(hostAtEndpoint(plain, { dualStack: false, fips: true })).toBe(plain);
  });
});
