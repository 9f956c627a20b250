import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { publicAlias } from '../../emulator/ecr-public.ts';
import { accessDenied, failure } from '../../emulator/faults.ts';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import { awsEcrPublic } from '../../src/ports/ecr-public.ts';
import type { EcrRepository, ImageRegistry } from '../../src/ports/ecr.ts';
import { httpOciRegistry } from '../../src/ports/oci-registry.ts';
import { devA, manifestType, newWorld, pushImage, region, shared, start, type RegistryClient, type Started } from '../emulator/start.ts';
import { FakeClock } from '../fakes/clock.ts';

let started: Started;
let masks: string[];
let host: string;
const before = { ...process.env };
const name = 'hello/world' as RepositoryName;
const path = `${publicAlias(shared)}/${name}` as RepositoryName;
const tag = (text: string) => text as Tag;

beforeEach(async () => {
  const world = newWorld();
  world.repository({ account: shared, region: 'public', name });
  started = await start({ world });
  host = await started.emulator.registryHost(shared, 'public');
  process.env['AWS_ENDPOINT_URL'] = started.emulator.url;
  masks = [];
});
afterEach(async () => {
  await started.emulator.close();
  process.env = { ...before };
  expect(started.emulator.violations).toEqual([]);
});

function publicOf(account: string): ImageRegistry {
  const { accessKeyId, secretAccessKey } = started.key(account);
  const credentials = async () => ({ accessKeyId, secretAccessKey });
  const ociRegistry = httpOciRegistry({ clock: new FakeClock() });
  // Whatever the job's Region is.
  return awsEcrPublic({ region: region as Region, credentials }, { ociRegistry, mask: (secret) => void masks.push(secret) });
}

async function pushed(given: { tag?: string; content?: string } = {}) {
  const { password } = await publicOf(shared).authorization();
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;
  const owner: RegistryClient = (method, at, { body, headers = {} } = {}) =>
    fetch(`http://${host}${at}`, { method, headers: { ...headers, authorization }, ...(body === undefined ? {} : { body: String(body) }) });
  return pushImage(owner, { name: path, ...given });
}

const described = (): EcrRepository => ({
  name: path,
  registryId: shared as AccountId,
  arn: `arn:aws:ecr-public::${shared}:repository/${name}`,
  uri: `${host}/${path}`,
  host,
  mutability: 'MUTABLE',
  exclusionFilters: [],
});

test('the login is for public.ecr.aws, asked in us-east-1, and masked', async () => {
  const { username, password, host: loggedIn, service } = await publicOf(shared).authorization();
  expect({ username, loggedIn, service }).toEqual({ username: 'AWS', loggedIn: 'public.ecr.aws', service: 'ecr-public' });
  expect(masks).toContain(password);
  expect(started.emulator.requests.of('ecr-public').map((entry) => entry.region)).toEqual(['us-east-1']);
});

test('a denial names both actions', async () => {
  started.emulator.faults.inject({ service: 'ecr-public' }, accessDenied());
  await expect(publicOf(shared).authorization()).rejects.toMatchObject({
    message: expect.stringContaining('ecr-public:GetAuthorizationToken failed'),
    hint: expect.stringMatching(/ecr-public:GetAuthorizationToken .* sts:GetServiceBearerToken/),
  });
  expect(masks).toEqual([]);
});

test('a repository is known by its name, and then by the path that Docker knows', async () => {
  const ecr = publicOf(shared);
  await expect(ecr.repository({ repository: name })).resolves.toEqual(described());
  await expect(ecr.repository({ repository: path, registryId: shared as AccountId })).resolves.toEqual(described());
  await expect(ecr.repository({ repository: 'none' as RepositoryName })).resolves.toBeUndefined();
  await expect(publicOf(devA).repository({ repository: name })).resolves.toBeUndefined();
});

test('an image: by tag and digest, by the API; its manifest and configuration, by the registry', async () => {
  const { digest, manifest } = await pushed({ tag: 'v1' });
  const ecr = publicOf(shared);
  await expect(ecr.image({ repository: name }, { tag: tag('v1') })).resolves.toEqual({ digest, tags: ['v1'], mediaType: manifestType });
  await expect(ecr.image({ repository: name }, { tag: tag('v2') })).resolves.toBeUndefined();
  await ecr.repository({ repository: name });
  const place = { repository: path, registryId: shared as AccountId };
  await expect(ecr.image(place, { digest: digest as Digest })).resolves.toMatchObject({ digest });
  const found = await ecr.manifest(place, { tag: tag('v1') });
  expect(found).toEqual({ answer: 'found', digest, mediaType: manifestType, text: manifest });
  await expect(ecr.manifest(place, { tag: tag('v2') })).resolves.toEqual({ answer: 'missing' });
  await expect(ecr.manifest({ repository: 'none' as RepositoryName }, { tag: tag('v1') })).resolves.toEqual({ answer: 'missing' });
  const { config } = JSON.parse(manifest) as { config: { digest: Digest } };
  expect(JSON.parse((await ecr.configuration(place, config.digest)) ?? '')).toMatchObject({ os: 'linux' });
  await expect(ecr.configuration(place, `sha256:${'0'.repeat(64)}` as Digest)).resolves.toBeUndefined();
});

test('a further tag is put by the API, and again without a change', async () => {
  const { digest } = await pushed({ tag: 'v1' });
  const ecr = publicOf(shared);
  await ecr.repository({ repository: name });
  const found = await ecr.manifest({ repository: path }, { digest: digest as Digest });
  if (found.answer !== 'found') throw new Error(found.answer);
  for (let time = 0; time < 2; time += 1) await ecr.putManifest({ repository: path }, { ...found, tag: tag('stable') });
  await expect(ecr.image({ repository: path }, { tag: tag('stable') })).resolves.toMatchObject({ digest });
});

test('what the registry denies is told with the right action', async () => {
  started.emulator.faults.inject({ service: 'registry', operation: 'BatchGetImage' }, failure('DENIED', 'not for you', 403));
  await expect(publicOf(shared).manifest({ repository: name }, { tag: tag('v1') })).resolves.toEqual({
    answer: 'denied',
    reason: expect.stringContaining(`ecr-public:BatchGetImage for ${host}/${path} failed: the registry answered 403 DENIED: not for you`),
  });
});
