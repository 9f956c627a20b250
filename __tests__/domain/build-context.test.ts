import { expect, test } from '@jest/globals';
import { defaultContext, fillDefaultContext, isRemoteContext } from '../../src/domain/build-context.ts';

test.each([
  ['.', false],
  ['app', false],
  ['/work/app', false],
  ['github.company', false],
  ['https://github.com/acme/shop.git#main:app', true],
  ['http://example.com/context.tar.gz', true],
  ['git://example.com/shop.git', true],
  ['ssh://git@example.com/shop.git', true],
  ['git@github.com:acme/shop.git', true],
  ['github.com/acme/shop', true],
])('%s is remote: %s', (context, remote) => {
  expect(isRemoteContext(context)).toBe(remote);
});

test('the default context is this repository at its commit; a folder of it may follow', () => {
  const context = defaultContext({ serverUrl: 'https://github.com', repository: 'acme/shop', sha: 'abc' });
  expect(fillDefaultContext('{{defaultContext}}:app', context)).toBe('https://github.com/acme/shop.git#abc:app');
  expect(fillDefaultContext('{{ defaultContext }}', context)).toBe('https://github.com/acme/shop.git#abc');
  expect(fillDefaultContext('app', context)).toBe('app');
});
