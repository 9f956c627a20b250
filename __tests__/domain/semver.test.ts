import { expect, test } from '@jest/globals';
import { parseSemver } from '../../src/domain/semver.ts';

test.each([
  ['1.2.3', '1.2.3', false],
  ['v1.2.3', '1.2.3', false],
  ['v2.0.8-beta.67', '2.0.8-beta.67', true],
  ['1.0.0-0.3.7', '1.0.0-0.3.7', true],
  ['1.0.0-x-y-z.--', '1.0.0-x-y-z.--', true],
  ['1.2.3+build.5', '1.2.3', false],
  ['1.2.3-rc.1+sha.5114f85', '1.2.3-rc.1', true],
])('%s is %s', (text, version, isPrerelease) => {
  expect(parseSemver(text)).toMatchObject({ raw: text, version, isPrerelease });
});

test.each([
  '1.2',
  '1',
  '01.2.3',
  '1.02.3',
  '1.2.3-01',
  '1.2.3-',
  '1.2.3+',
  '1.2.3-a..b',
  'V1.2.3',
  'v1.2.3.4',
  ' 1.2.3',
  'release-1.2.3',
  `1.2.3-${'a'.repeat(256)}`,
])('%j is no semantic version', (text) => {
  expect(parseSemver(text)).toBeUndefined();
});
