import { describe, expect, test } from '@jest/globals';
import {
  buildxArguments,
  classicBuildArguments,
  digestInMetadata,
  digestInPush,
  loginArguments,
  type BuildRequest,
} from '../../src/domain/docker-arguments.ts';
import { plainBuild } from '../build-request.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const full: BuildRequest = {
  ...plainBuild,
  file: '/work/app/Dockerfile.prod',
  target: 'final',
  platforms: ['linux/amd64', 'linux/arm64'],
  buildArgs: [
    ['BASE', 'scratch'],
    ['EMPTY', ''],
    ['QUOTED', 'a "b" $c; d=e'],
  ],
  buildContexts: [['assets', '/work/assets']],
  secrets: [
    { id: 'npm', file: '/temp/secret-0' },
    { id: 'odd', file: '/temp/a "b", c' },
    { id: 'token', variable: 'TOKEN' },
  ],
  ssh: ['default', 'key=/home/ci/id'],
  labels: [['org.opencontainers.image.title', 'Web shop']],
  annotations: ['index:team=red'],
  cacheFrom: ['type=gha', 'host/shop/web:cache'],
  cacheTo: ['type=gha,mode=max'],
  noCache: true,
  pull: true,
  attestations: ['type=provenance,mode=max'],
  builder: 'multi',
  references: ['host/shop/web:blue', 'host/shop/web:1.2'],
};

describe('buildx', () => {
  test('the plain case', () => {
    expect(buildxArguments(plainBuild, { metadataFile: '/tmp/m.json' })).toEqual([
      ...['buildx', 'build', '--progress', 'plain', '--push', '--metadata-file', '/tmp/m.json'],
      ...['--tag', 'host/shop/web:blue', '/work/app'],
    ]);
  });

  test('every option, values as they are: no shell reads them', () => {
    expect(buildxArguments(full, { metadataFile: 'm' }).slice(7)).toEqual([
      ...['--builder', 'multi'],
      ...['--file', '/work/app/Dockerfile.prod', '--target', 'final', '--platform', 'linux/amd64,linux/arm64'],
      ...['--build-arg', 'BASE=scratch', '--build-arg', 'EMPTY=', '--build-arg', 'QUOTED=a "b" $c; d=e'],
      ...['--label', 'org.opencontainers.image.title=Web shop'],
      ...['--no-cache', '--pull'],
      ...['--tag', 'host/shop/web:blue', '--tag', 'host/shop/web:1.2'],
      ...['--build-context', 'assets=/work/assets'],
      ...['--secret', 'id=npm,src=/temp/secret-0', '--secret', 'id=odd,"src=/temp/a ""b"", c"', '--secret', 'id=token,env=TOKEN'],
      ...['--ssh', 'default', '--ssh', 'key=/home/ci/id'],
      ...['--annotation', 'index:team=red'],
      ...['--cache-from', 'type=gha', '--cache-from', 'host/shop/web:cache', '--cache-to', 'type=gha,mode=max'],
      ...['--attest', 'type=provenance,mode=max'],
      '/work/app',
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
  expect(classicBuildArguments(plainBuild)).toEqual(['build', '--tag', 'host/shop/web:blue', '/work/app']);
  expect(classicBuildArguments(full).slice(-3)).toEqual(['--cache-from', 'host/shop/web:cache', '/work/app']);
  expect(classicBuildArguments(full).join(' ')).not.toMatch(/--(secret|ssh|attest|annotation|cache-to|builder|build-context)/);
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
