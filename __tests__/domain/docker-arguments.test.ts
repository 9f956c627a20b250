import { describe, expect, test } from '@jest/globals';
import {
  buildxArguments,
  classicBuildArguments,
  digestInMetadata,
  digestInPush,
  loginArguments,
  type BuildRequest,
} from '../../src/domain/docker-arguments.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const plain: BuildRequest = {
  context: '/work/app',
  file: undefined,
  target: undefined,
  platforms: [],
  buildArgs: [],
  labels: [],
  references: ['host/shop/web:blue'],
};
const full: BuildRequest = {
  ...plain,
  file: '/work/app/Dockerfile.prod',
  target: 'final',
  platforms: ['linux/amd64', 'linux/arm64'],
  buildArgs: [
    ['BASE', 'scratch'],
    ['EMPTY', ''],
    ['QUOTED', 'a "b" $c; d=e'],
  ],
  labels: [['org.opencontainers.image.title', 'Web shop']],
  references: ['host/shop/web:blue', 'host/shop/web:1.2'],
};

describe('buildx', () => {
  test('the plain case', () => {
    expect(buildxArguments(plain, { metadataFile: '/tmp/m.json' })).toEqual([
      ...['buildx', 'build', '--progress', 'plain', '--push', '--metadata-file', '/tmp/m.json'],
      ...['--tag', 'host/shop/web:blue', '/work/app'],
    ]);
  });

  test('every option, values as they are: no shell reads them', () => {
    expect(buildxArguments(full, { metadataFile: 'm' }).slice(7)).toEqual([
      ...['--file', '/work/app/Dockerfile.prod', '--target', 'final', '--platform', 'linux/amd64,linux/arm64'],
      ...['--build-arg', 'BASE=scratch', '--build-arg', 'EMPTY=', '--build-arg', 'QUOTED=a "b" $c; d=e'],
      ...['--label', 'org.opencontainers.image.title=Web shop'],
      ...['--tag', 'host/shop/web:blue', '--tag', 'host/shop/web:1.2', '/work/app'],
    ]);
  });

  test.each([
    [`{"containerimage.digest":"${digest}","image.name":"x"}`, { ok: true, value: digest }],
    ['{}', { ok: false, problem: expect.stringContaining('containerimage.digest') }],
    ['null', { ok: false, problem: expect.stringContaining('containerimage.digest') }],
    ['{', { ok: false, problem: expect.stringContaining('is not JSON') }],
    ['{"containerimage.digest":"x"}', { ok: false, problem: expect.stringContaining('is not a digest') }],
  ])('metadata %s', (text, parsed) => {
    expect(digestInMetadata(text)).toEqual(parsed);
  });
});

test('the classic builder neither pushes nor writes metadata', () => {
  expect(classicBuildArguments(plain)).toEqual(['build', '--tag', 'host/shop/web:blue', '/work/app']);
});

test.each([
  [`a1: Pushed\nblue: digest: ${digest} size: 528\n`, { ok: true, value: digest }],
  ['a1: Pushed\n', { ok: false, problem: 'docker push did not say a digest' }],
  [`FROM x@${digest}`, { ok: false, problem: 'docker push did not say a digest' }],
])('the digest in the output of docker push: %j', (output, parsed) => {
  expect(digestInPush(output)).toEqual(parsed);
});

test('the password is no argument of docker login', () => {
  expect(loginArguments({ host: 'h', username: 'AWS' })).toEqual(['login', '--username', 'AWS', '--password-stdin', 'h']);
});
