import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatPlatform,
  imageMediaTypes,
  indexMediaTypes,
  parseConfiguration,
  parseLayoutIndex,
  parseManifest,
  platformsOf,
} from '../../src/domain/oci.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const descriptor = (digit: string, more: object = {}) => ({ mediaType: imageMediaTypes[0], digest: digest(digit), size: 7, ...more });
const json = (value: unknown) => JSON.stringify(value);

describe('an index', () => {
  const text = json({
    schemaVersion: 2,
    mediaType: indexMediaTypes[0],
    manifests: [
      descriptor('a', { platform: { os: 'linux', architecture: 'amd64' } }),
      descriptor('b', { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }),
      descriptor('c', {
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      }),
    ],
  });

  test('names its children, and its platforms without attestations', () => {
    const parsed = parseManifest(text);
    if (!parsed.ok || parsed.value.kind !== 'index') throw new Error('not an index');
    expect(parsed.value.children.map((child) => child.digest)).toEqual([digest('a'), digest('b'), digest('c')]);
    expect(platformsOf(parsed.value).map(formatPlatform)).toEqual(['linux/amd64', 'linux/arm64/v8']);
  });

  test.each(indexMediaTypes)('is told by the media type %s that came with it', (mediaType) => {
    expect(parseManifest(json({ manifests: [] }), mediaType)).toEqual({ ok: true, value: { kind: 'index', mediaType, children: [] } });
  });
});

test.each(imageMediaTypes)('an image of type %s names its configuration and layers', (mediaType) => {
  const parsed = parseManifest(json({ config: descriptor('a'), layers: [descriptor('b'), descriptor('c')] }), mediaType);
  expect(parsed).toMatchObject({ ok: true, value: { kind: 'image', config: { digest: digest('a') }, layers: [{}, {}] } });
});

test.each([
  ['not JSON', '{', 'is not JSON'],
  ['no object', '[]', 'is not a JSON object'],
  ['an index without manifests', json({ mediaType: indexMediaTypes[0] }), 'has no list at $.manifests'],
  ['an image without a configuration', json({ mediaType: imageMediaTypes[0], layers: [] }), 'has no descriptor at $.config'],
  [
    'a layer without a digest',
    json({ config: descriptor('a'), layers: [{ mediaType: 'x', size: 1 }] }),
    'has no sha256 digest at $.layers[0].digest',
  ],
  ['a layer of no size', json({ config: descriptor('a'), layers: [descriptor('b', { size: -1 })] }), 'has no size at $.layers[0].size'],
  ['a signature', json({ mediaType: 'application/vnd.example+json' }), 'is no image'],
])('%s is refused', (_, text, problem) => {
  expect(parseManifest(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});

describe('a layout', () => {
  test('has one image', () => {
    expect(parseLayoutIndex(json({ schemaVersion: 2, manifests: [descriptor('a')] }))).toEqual({ ok: true, value: descriptor('a') });
  });

  test.each([
    ['none', [], 'names no image'],
    ['two', [descriptor('a'), descriptor('b')], 'names 2 images'],
  ])('%s is refused', (_, manifests, problem) => {
    expect(parseLayoutIndex(json({ manifests }))).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});

test.each([
  [json({ os: 'linux', architecture: 'arm', variant: 'v7', config: {} }), 'linux/arm/v7'],
  [json({ os: 'linux', architecture: 'amd64', variant: '' }), 'linux/amd64'],
])('the platform of a configuration: %s', (text, platform) => {
  const parsed = parseConfiguration(text);
  expect(parsed.ok && formatPlatform(parsed.value)).toBe(platform);
});

test('nothing that a registry may answer makes a parser throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const parse of [parseManifest, parseLayoutIndex, parseConfiguration]) expect(typeof parse(text).ok).toBe('boolean');
    }),
  );
});
