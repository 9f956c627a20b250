import { describe, expect, test } from '@jest/globals';
import {
  attestation,
  beyondEngine,
  classicCacheSource,
  lacksEmulator,
  lostWithoutBuildx,
  parseBuilder,
  type BuildWishes,
} from '../../src/domain/builder.ts';

const none: BuildWishes = { platforms: [], annotations: [], 'cache-from': [], 'cache-to': [], provenance: undefined, sbom: undefined };

test('docker buildx inspect', () => {
  const text = `Name:          multi
Driver:        docker-container
Last Activity: 2026-11-21 12:00:00 +0000 UTC

Nodes:
Name:     multi0
Endpoint: unix:///var/run/docker.sock
Status:   inactive
`;
  expect(parseBuilder(text)).toEqual({ name: 'multi', driver: 'docker-container' });
  expect(parseBuilder('ERROR: no builder "x" found')).toBeUndefined();
});

describe('what the engine’s own builder does not have', () => {
  test.each<[Partial<BuildWishes>, string[]]>([
    [{}, []],
    [{ platforms: ['linux/arm64'] }, []],
    [{ platforms: ['linux/amd64', 'linux/arm64'] }, ['platforms']],
    [{ annotations: ['a=b'] }, ['annotations']],
    [{ 'cache-from': ['host/web:cache', 'type=registry,ref=host/web:cache', 'type=local,src=x'] }, []],
    [{ 'cache-from': ['type=gha'] }, ['cache-from']],
    [{ 'cache-to': ['type=inline'] }, []],
    [{ 'cache-to': ['type=gha,mode=max'] }, ['cache-to']],
    [{ 'cache-to': ['"type=registry",ref=host/web:cache'] }, ['cache-to']],
    [{ provenance: 'false', sbom: 'False' }, []],
    [{ provenance: 'mode=max', sbom: 'true' }, ['provenance', 'sbom']],
  ])('%j: %j', (wishes, needs) => {
    expect(beyondEngine({ ...none, ...wishes })).toEqual(needs);
  });
});

test.each<[Partial<BuildWishes>, string[]]>([
  [{}, []],
  [{ 'cache-from': ['host/web:cache'] }, []],
  [{ 'cache-from': ['type=local,src=x'], 'cache-to': ['type=inline'], provenance: 'true' }, ['provenance', 'cache-from', 'cache-to']],
])('without buildx %j loses %j', (wishes, lost) => {
  expect(lostWithoutBuildx({ ...none, ...wishes })).toEqual(lost);
});

test.each([
  ['host/web:cache', 'host/web:cache'],
  ['type=registry,ref=host/web:cache', 'host/web:cache'],
  ['type=gha', undefined],
])('the classic builder takes its cache from %s as %s', (cache, image) => {
  expect(classicCacheSource(cache)).toBe(image);
});

describe('attestations, as docker/build-push-action asks for them', () => {
  const builderId = 'https://github.com/acme/shop/actions/runs/1/attempts/1';
  test.each<['provenance' | 'sbom', string | undefined, string[]]>([
    ['provenance', undefined, []],
    ['provenance', 'true', [`type=provenance,builder-id=${builderId}`]],
    ['provenance', 'false', ['type=provenance,disabled=true']],
    ['provenance', 'mode=max', [`type=provenance,mode=max,builder-id=${builderId}`]],
    ['provenance', 'mode=max,builder-id=me', ['type=provenance,mode=max,builder-id=me']],
    ['sbom', 'true', ['type=sbom']],
    ['sbom', 'FALSE', ['type=sbom,disabled=true']],
    ['sbom', 'generator=host/scanner:1', ['type=sbom,generator=host/scanner:1']],
  ])('%s: %s', (type, value, expected) => {
    expect(attestation(type, value, { builderId })).toEqual(expected);
  });
});

test('a step on a foreign processor', () => {
  expect(lacksEmulator('exec /bin/sh: exec format error')).toBe(true);
  expect(lacksEmulator('exit code: 1')).toBe(false);
});
