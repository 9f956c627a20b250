import { expect, test } from '@jest/globals';
import { parseImageSource } from '../../src/domain/image-source.ts';

const digest = `sha256:${'0'.repeat(64)}`;

test.each<[string, object]>([
  ['oci:build/image', { kind: 'layout', path: 'build/image' }],
  ['oci:/tmp/image.tar', { kind: 'layout', path: '/tmp/image.tar' }],
  ['web', { kind: 'local', reference: 'web' }],
  ['web:latest', { kind: 'local', reference: 'web:latest' }],
  ['shop/web:1.2', { kind: 'local', reference: 'shop/web:1.2' }],
  [digest, { kind: 'local', reference: digest }],
  ['docker:ghcr.io/acme/web:1', { kind: 'local', reference: 'ghcr.io/acme/web:1' }],
  [`docker:web@${digest}`, { kind: 'local', reference: `web@${digest}` }],
  ['ghcr.io/acme/web:1', { kind: 'registry', reference: { host: 'ghcr.io', repository: 'acme/web', tag: '1', digest: undefined } }],
  [`localhost/web@${digest}`, { kind: 'registry', reference: { host: 'localhost', repository: 'web', tag: undefined, digest } }],
  [`shop/web@${digest}`, { kind: 'registry', reference: { host: undefined, repository: 'shop/web', tag: undefined, digest } }],
])('%s', (text, source) => {
  expect(parseImageSource(text)).toEqual({ ok: true, value: source });
});

test.each([
  ['oci:', 'names no OCI layout'],
  ['docker:', 'is not an image of the Docker engine'],
  ['--privileged', 'is not an image of the Docker engine'],
  ['docker:-v', 'is not an image of the Docker engine'],
  ['two words', 'is not an image of the Docker engine'],
  ['ghcr.io/acme/web', 'names no tag and no digest'],
  ['ghcr.io/Acme/web:1', 'is not an image reference'],
])('%j is refused', (text, problem) => {
  expect(parseImageSource(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});
