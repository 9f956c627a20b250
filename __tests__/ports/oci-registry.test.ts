import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { accessDenied, lostReply, lostRequest, serverError, slow, throttling } from '../../emulator/faults.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import { formatPlatform } from '../../src/domain/oci.ts';
import { CancelledError, DocumentError } from '../../src/errors.ts';
import { baseUrl } from '../../src/ports/http.ts';
import { httpOciRegistry, type PushRequest, type RegistryPlace } from '../../src/ports/oci-registry.ts';
import { newWorld, outside, region, shared, start, type Started } from '../emulator/start.ts';
import { FakeClock } from '../fakes/clock.ts';
import { indexType, manifestType, writeLayout } from '../oci-layout.ts';

let started: Started;
let folder: string;
let clock: FakeClock;
const repository = 'shop/web' as RepositoryName;
const tags = (...names: string[]) => names as Tag[];
const registry = () => httpOciRegistry({ clock });

beforeEach(async () => {
  const world = newWorld();
  world.repository({ account: shared, region, name: 'shop/fixed', mutability: 'IMMUTABLE' });
  started = await start({ world });
  folder = await mkdtemp(join(tmpdir(), 'oci-test-'));
  clock = new FakeClock();
});
afterEach(async () => {
  await started.emulator.close();
  await rm(folder, { recursive: true });
  expect(started.emulator.violations).toEqual([]);
});

async function place(account = shared, name: string = repository): Promise<RegistryPlace> {
  const key = started.key(account);
  const password = `password-of-${key.accessKeyId}`;
  started.world.registryTokens.set(password, { key, region, expiresAt: started.world.sessionTime() + 60_000 });
  return { host: await started.emulator.registryHost(shared), repository: name as RepositoryName, login: { username: 'AWS', password } };
}

async function pushRequest(given: Partial<PushRequest> & { account?: string; name?: string } = {}): Promise<PushRequest> {
  const { account, name, ...rest } = given;
  const image = rest.image ?? (await registry().layout((await writeLayout(folder)).path));
  return { ...(await place(account, name)), image, tags: tags('blue'), signal: new AbortController().signal, ...rest };
}
const calls = () => started.emulator.requests.of('registry').map(({ operation }) => operation);
const stored = (name: string = repository) => started.world.findRepository({ account: shared, region, name });

describe('a layout', () => {
  test('of one image', async () => {
    const { digest, path } = await writeLayout(folder, { platforms: ['linux/arm64'] });
    const layout = await registry().layout(path);
    expect(layout.digest).toBe(digest);
    expect(layout.platforms.map(formatPlatform)).toEqual(['linux/arm64']);
    expect([layout.manifests.length, layout.blobs.length]).toEqual([1, 2]);
  });

  test('of an index: children first, attestations are no platform', async () => {
    const { digest, path } = await writeLayout(folder, { platforms: ['linux/amd64', 'linux/arm64', 'unknown/unknown'] });
    const layout = await registry().layout(path);
    expect(layout.manifests.map(({ mediaType }) => mediaType)).toEqual([manifestType, manifestType, manifestType, indexType]);
    expect(layout.manifests.at(-1)?.digest).toBe(digest);
    expect(layout.platforms.map(formatPlatform)).toEqual(['linux/amd64', 'linux/arm64']);
  });

  test('every broken blob is told at once', async () => {
    const { path, blobs } = await writeLayout(folder, { platforms: ['linux/amd64', 'linux/arm64'] });
    await unlink(blobs.get('layer linux/amd64')?.path ?? '');
    await appendFile(blobs.get('layer linux/arm64')?.path ?? '', '!');
    const config = blobs.get('config linux/amd64')?.path ?? '';
    await writeFile(config, (await readFile(config, 'utf8')).replace('linux', 'LINUX'));
    const reading = registry().layout(path);
    await expect(reading).rejects.toThrow(DocumentError);
    await expect(reading).rejects.toMatchObject({
      problems: [
        { file: config, problem: expect.stringMatching(/^is not what its name says: its digest is sha256:/) },
        { file: blobs.get('layer linux/amd64')?.path, problem: 'is missing' },
        { file: blobs.get('layer linux/arm64')?.path, problem: 'has 21 bytes, but its descriptor says 20' },
      ],
    });
  });

  test.each([
    ['index.json', 'it has no file index.json'],
    ['oci-layout', 'it has no file oci-layout'],
  ])('without %s is none', async (file, problem) => {
    const { path } = await writeLayout(folder);
    await unlink(join(path, file));
    await expect(registry().layout(path)).rejects.toThrow(problem);
  });

  test('that is a tar archive is the same image; its blobs are read where they lie', async () => {
    const { path, digest } = await writeLayout(join(folder, 'layout'), { platforms: ['linux/amd64', 'linux/arm64'] });
    const archive = join(folder, 'image.tar');
    await promisify(execFile)('tar', ['-cf', archive, '-C', path, '.']);
    const request = await pushRequest({ image: await registry().layout(archive) });
    expect(request.image).toMatchObject({ digest, name: archive });
    await registry().push(request);
    expect(stored()?.tags.get('blue')).toBe(digest);
  });

  test('whose archive was changed is told, with the file in it', async () => {
    const { path, blobs } = await writeLayout(join(folder, 'layout'));
    const layer = blobs.get('layer linux/amd64')?.path ?? '';
    await writeFile(layer, (await readFile(layer, 'utf8')).replace('hello', 'HELLO'));
    const archive = join(folder, 'image.tar');
    await promisify(execFile)('tar', ['-cf', archive, '-C', path, '.']);
    await expect(registry().layout(archive)).rejects.toThrow(/image\.tar: blobs\/sha256\/[0-9a-f]{64}: is not what its name says/);
  });

  test.each([
    ['a compressed archive', 'is neither a folder nor a tar archive'],
    ['an empty file', 'is neither a folder nor a tar archive'],
    ['nothing', 'is not there'],
  ])('%s is none', async (what, problem) => {
    const file = join(folder, 'image.tar');
    if (what !== 'nothing') await writeFile(file, what === 'an empty file' ? '' : gzipSync('x'.repeat(2000)));
    await expect(registry().layout(file)).rejects.toThrow(`${file}: ${problem}`);
  });

  test('a manifest that was changed is told', async () => {
    const { path, blobs } = await writeLayout(folder);
    await appendFile(blobs.get('manifest linux/amd64')?.path ?? '', ' ');
    await expect(registry().layout(path)).rejects.toThrow('is not what its name says');
  });
});

describe('a push', () => {
  test('sends blobs, then manifests, then each tag; ECR then has the same digest', async () => {
    const request = await pushRequest({ tags: tags('blue', '1.2') });
    await registry().push(request);
    expect(stored()?.tags).toEqual(
      new Map([
        ['blue', request.image.digest],
        ['1.2', request.image.digest],
      ]),
    );
    const operations = calls();
    expect(operations[0]).toBe('Ping');
    expect(operations.slice(-2)).toEqual(['PutImage', 'PutImage']);
    expect(operations.slice(1, -2)).not.toContain('PutImage');
  });

  test('of an index sends its children before it', async () => {
    const { path } = await writeLayout(folder, { platforms: ['linux/amd64', 'linux/arm64'] });
    const request = await pushRequest({ image: await registry().layout(path), tags: tags('multi') });
    await registry().push(request);
    expect([...(stored()?.images.keys() ?? [])]).toEqual(request.image.manifests.map(({ digest }) => digest));
    expect(stored()?.tags).toEqual(new Map([['multi', request.image.digest]]));
  });

  test('sends no blob that is there, and without tags pushes by digest', async () => {
    await registry().push(await pushRequest());
    started.emulator.requests.clear();
    await registry().push(await pushRequest({ tags: [] }));
    expect(calls()).toEqual(['Ping', 'BatchCheckLayerAvailability', 'BatchCheckLayerAvailability', 'PutImage']);
  });

  test.each([
    ['BatchCheckLayerAvailability', throttling()],
    ['InitiateLayerUpload', serverError()],
    ['UploadLayerPart', lostRequest()],
    ['UploadLayerPart', lostReply()],
    ['CompleteLayerUpload', lostReply()],
    ['CompleteLayerUpload', serverError()],
    ['PutImage', lostReply()],
    ['PutImage', throttling()],
  ])('outlives a passing fault of %s: %j', async (operation, fault) => {
    started.emulator.faults.inject({ service: 'registry', operation }, fault);
    const request = await pushRequest();
    await registry().push(request);
    expect(stored()?.tags.get('blue')).toBe(request.image.digest);
  });

  test('gives up on a fault that stays, having said which', async () => {
    started.emulator.faults.inject({ service: 'registry', operation: 'PutImage', times: 99 }, serverError());
    await expect(registry().push(await pushRequest())).rejects.toThrow(
      /ecr:PutImage for 127\.0\.0\.1:\d+\/shop\/web failed: the registry answered 500/,
    );
    expect(calls().filter((name) => name === 'PutImage')).toHaveLength(5);
    expect(stored()?.tags.size).toBe(0);
  });

  test('a denial names the action, the caller and both sides, is not repeated, and no manifest is sent', async () => {
    started.emulator.faults.inject({ service: 'registry', operation: 'InitiateLayerUpload', times: 99 }, accessDenied());
    await expect(registry().push(await pushRequest())).rejects.toMatchObject({
      name: 'AwsError',
      operation: 'InitiateLayerUpload',
      code: 'DENIED',
      message: expect.stringMatching(/answered 403 DENIED: User: .*111111111111.* is not authorized to perform: ecr:InitiateLayerUpload/),
      hint: expect.stringMatching(/^Allow ecr:InitiateLayerUpload .*caller's IAM policy, and in the repository policy of shop\/web/),
    });
    expect(calls()).not.toContain('PutImage');
  });

  test('another account that the policy does not know is refused', async () => {
    await expect(registry().push(await pushRequest({ account: outside }))).rejects.toThrow(
      /403 DENIED: User: .*444444444444.*InitiateLayerUpload/,
    );
    expect(stored()?.images.size).toBe(0);
  });

  test('an immutable tag is refused in the registry’s words', async () => {
    await registry().push(await pushRequest({ name: 'shop/fixed' }));
    const other = await registry().layout((await writeLayout(join(folder, 'other'), { content: 'other' })).path);
    await expect(registry().push(await pushRequest({ name: 'shop/fixed', image: other }))).rejects.toThrow(
      /ecr:PutImage .* failed: .*immutable/,
    );
  });

  test('a wrong login is refused', async () => {
    const request = await pushRequest({ login: { username: 'AWS', password: 'wrong' } });
    await expect(registry().push(request)).rejects.toThrow('Your Authorization Token is invalid');
    expect(stored()?.images.size).toBe(0);
  });

  test('a repository that is not there', async () => {
    await expect(registry().push(await pushRequest({ name: 'shop/none' }))).rejects.toThrow(/the registry answered 404/);
  });

  test('nobody answers: says which host, and what to check', async () => {
    const request = await pushRequest({ host: '127.0.0.1:1' });
    await expect(registry().push(request)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringContaining('no answer from 127.0.0.1:1'),
      hint: expect.stringContaining('NO_PROXY'),
    });
  });

  test('is cancelled at once', async () => {
    started.emulator.faults.inject({ service: 'registry', operation: 'UploadLayerPart', times: 99 }, slow(500));
    const cancel = new AbortController();
    const pushing = registry().push(await pushRequest({ signal: cancel.signal }));
    const begun = Date.now();
    setTimeout(() => cancel.abort(new CancelledError('cancelled by the test')), 50);
    await expect(pushing).rejects.toThrow(new CancelledError('cancelled by the test'));
    expect(Date.now() - begun).toBeLessThan(400);
    expect(calls()).not.toContain('PutImage');
  });
});

describe('an image of a registry', () => {
  const signal = new AbortController().signal;
  const readable = async (name?: string) => ({ ...(await place(shared, name)), signal });

  test('is read with its children, by tag or digest', async () => {
    const { path } = await writeLayout(folder, { platforms: ['linux/amd64', 'linux/arm64', 'unknown/unknown'] });
    const request = await pushRequest({ image: await registry().layout(path) });
    await registry().push(request);
    for (const reference of ['blue' as Tag, request.image.digest]) {
      const image = await registry().read({ ...(await readable()), reference });
      expect(image).toMatchObject({ digest: request.image.digest, name: `${request.host}/shop/web` });
      expect(image?.manifests.map(({ digest }) => digest)).toEqual(request.image.manifests.map(({ digest }) => digest));
      expect(image?.platforms.map(formatPlatform)).toEqual(['linux/amd64', 'linux/arm64']);
      expect(image?.blobs).toHaveLength(6);
    }
  });

  test('a single one tells its platform by its configuration', async () => {
    await registry().push(
      await pushRequest({ image: await registry().layout((await writeLayout(folder, { platforms: ['linux/arm64'] })).path) }),
    );
    const image = await registry().read({ ...(await readable()), reference: 'blue' as Tag });
    expect(image?.platforms.map(formatPlatform)).toEqual(['linux/arm64']);
  });

  test('that is not there is undefined', async () => {
    await expect(registry().read({ ...(await readable()), reference: 'none' as Tag })).resolves.toBeUndefined();
    const none = `sha256:${'0'.repeat(64)}` as Digest;
    await expect(registry().read({ ...(await readable()), reference: none })).resolves.toBeUndefined();
  });

  test('is copied to another registry with every byte and attestation', async () => {
    started.world.repository({ account: shared, region, name: 'shop/copy' });
    const { path } = await writeLayout(folder, { platforms: ['linux/amd64', 'unknown/unknown'] });
    await registry().push(await pushRequest({ image: await registry().layout(path) }));
    const image = await registry().read({ ...(await readable()), reference: 'blue' as Tag });
    if (!image) throw new Error('it was pushed');
    started.emulator.requests.clear();
    await registry().push(await pushRequest({ name: 'shop/copy', image, tags: tags('prod') }));
    expect(stored('shop/copy')?.tags).toEqual(new Map([['prod', image.digest]]));
    expect([...(stored('shop/copy')?.images.keys() ?? [])]).toEqual(image.manifests.map(({ digest }) => digest));
    expect(calls().filter((name) => name === 'GetDownloadUrlForLayer')).toHaveLength(4);
  });

  test('whose connection is cut is begun again', async () => {
    started.world.repository({ account: shared, region, name: 'shop/copy' });
    await registry().push(await pushRequest());
    const image = await registry().read({ ...(await readable()), reference: 'blue' as Tag });
    if (!image) throw new Error('it was pushed');
    started.emulator.faults.inject({ service: 'registry', operation: 'GetDownloadUrlForLayer', times: 6 }, lostRequest());
    await registry().push(await pushRequest({ name: 'shop/copy', image, tags: tags('prod') }));
    expect(stored('shop/copy')?.tags.get('prod')).toBe(image.digest);
  });

  test('of the same registry: its blobs are taken over, none is sent', async () => {
    started.world.repository({ account: shared, region, name: 'shop/copy' });
    await registry().push(await pushRequest());
    const image = await registry().read({ ...(await readable()), reference: 'blue' as Tag });
    if (!image) throw new Error('it was pushed');
    started.emulator.requests.clear();
    await registry().push(await pushRequest({ name: 'shop/copy', image, tags: tags('prod'), mountFrom: repository }));
    expect(stored('shop/copy')?.tags.get('prod')).toBe(image.digest);
    expect(calls()).not.toContain('UploadLayerPart');
  });

  test('a registry that can’t take over is sent the blobs', async () => {
    started.world.repository({ account: shared, region, name: 'shop/copy' });
    await registry().push(await pushRequest());
    const image = await registry().read({ ...(await readable()), reference: 'blue' as Tag });
    if (!image) throw new Error('it was pushed');
    const elsewhere = 'shop/nowhere' as RepositoryName;
    await registry().push(await pushRequest({ name: 'shop/copy', image, tags: tags('prod'), mountFrom: elsewhere }));
    expect(stored('shop/copy')?.tags.get('prod')).toBe(image.digest);
  });

  test('a refusal says what a copy needs', async () => {
    await registry().push(await pushRequest());
    await expect(registry().read({ ...(await place(outside)), signal, reference: 'blue' as Tag })).rejects.toMatchObject({
      name: 'AwsError',
      message: expect.stringMatching(/^ecr:BatchGetImage for .*shop\/web failed: the registry answered 403/),
      hint: expect.stringContaining('ecr:BatchGetImage (a copy needs BatchGetImage and GetDownloadUrlForLayer)'),
    });
  });
});

describe('another registry', () => {
  let server: Server;
  const seen: string[] = [];
  const serve = async (handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    seen.length = 0;
    server = createServer((request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`.trim());
      handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterEach(() => {
    server.close();
  });

  test('that asks for a Bearer token gets one, and a fresh one when it has expired', async () => {
    let granted = 0;
    const host = await serve((request, response) => {
      const url = request.url ?? '';
      if (url.startsWith('/token')) return void response.end(JSON.stringify({ token: `t${(granted += 1)}` }));
      if (request.headers.authorization === 'Bearer t2') {
        return void response.writeHead(200, { 'content-type': indexType }).end('{"schemaVersion":2,"manifests":[]}');
      }
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host ?? ''}/token",service="reg"` }).end();
    });
    const login = { username: 'u', password: 'p' };
    const signal = new AbortController().signal;
    await expect(registry().read({ host, repository, login, signal, reference: 'blue' as Tag })).resolves.toMatchObject({ platforms: [] });
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    const token = `GET /token?service=reg&scope=repository%3Ashop%2Fweb%3Apull ${basic}`;
    const get = 'GET /v2/shop/web/manifests/blue';
    expect(seen).toEqual(['GET /v2/', token, `${get} Bearer t1`, token, `${get} Bearer t2`]);
  });

  test('that lets anybody read is asked without a login', async () => {
    const host = await serve((request, response) => {
      const url = request.url ?? '';
      if (url.startsWith('/token')) return void response.end(JSON.stringify({ access_token: 'anybody' }));
      if (request.headers.authorization !== 'Bearer anybody')
        return void response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host ?? ''}/token"` }).end();
      response.writeHead(200, { 'content-type': indexType }).end('{"schemaVersion":2,"manifests":[]}');
    });
    const signal = new AbortController().signal;
    await registry().read({ host, repository, login: undefined, signal, reference: 'blue' as Tag });
    expect(seen).toContain('GET /token?scope=repository%3Ashop%2Fweb%3Apull');
  });

  test('that answers another manifest than it was asked for is not believed', async () => {
    const host = await serve((_, response) =>
      response.writeHead(200, { 'content-type': indexType }).end('{"schemaVersion":2,"manifests":[]}'),
    );
    const reference = `sha256:${'1'.repeat(64)}` as Digest;
    const signal = new AbortController().signal;
    await expect(registry().read({ host, repository, login: undefined, signal, reference })).rejects.toThrow('is not what its name says');
  });

  test('that cuts a layer short is read again from its beginning, and what is pushed is whole', async () => {
    const { digest, blobs } = await writeLayout(folder);
    const texts = new Map(await Promise.all([...blobs.values()].map(async (blob) => [blob.digest, await readFile(blob.path)] as const)));
    let cut = 0;
    const host = await serve((request, response) => {
      const [, kind, name = ''] = /^\/v2\/shop\/web\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
      const bytes = texts.get(name) ?? Buffer.from('');
      response.writeHead(200, { 'content-type': manifestType, 'content-length': String(bytes.length) });
      if (kind !== 'blobs' || name !== blobs.get('layer linux/amd64')?.digest || (cut += 1) > 1) return void response.end(bytes);
      response.write(bytes.subarray(0, 3));
      setTimeout(() => response.destroy(), 10);
    });
    const signal = new AbortController().signal;
    const image = await registry().read({ host, repository, login: undefined, signal, reference: digest as Digest });
    if (!image) throw new Error('it is served');
    await registry().push(await pushRequest({ image }));
    expect(cut).toBe(2);
    expect(stored()?.tags.get('blue')).toBe(digest);
  });

  test('that cuts its answer short is asked again', async () => {
    let asked = 0;
    const host = await serve((_, response) => {
      if ((asked += 1) > 1) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setTimeout(() => response.destroy(), 10);
    });
    const signal = new AbortController().signal;
    await expect(registry().read({ host, repository, login: undefined, signal, reference: 'x' as Tag })).rejects.toThrow('answered 404');
    expect(clock.slept).toHaveLength(1);
  });
});

test.each([
  ['localhost:5000', 'http'],
  ['127.0.0.1:5000', 'http'],
  ['[::1]:5000', 'http'],
  ['111111111111.dkr.ecr.eu-west-1.amazonaws.com', 'https'],
  ['localhost.example.com', 'https'],
  ['10.0.0.1:5000', 'https'],
])('%s is spoken to by %s', (host, scheme) => {
  expect(baseUrl(host)).toBe(`${scheme}://${host}`);
});
