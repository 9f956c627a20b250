import { PutReplicationConfigurationCommand } from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accessDenied, failure, lostReply, serverError, slow, throttling } from '../../emulator/faults.ts';
import { policyOf, type RepositorySettings } from '../../emulator/repository.ts';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import { AwsError } from '../../src/errors.ts';
import { endpointChoice } from '../../src/ports/aws.ts';
import { awsEcr, type Ecr, type RepositoryPlace } from '../../src/ports/ecr.ts';
import {
  devA,
  indexType,
  manifestType,
  newWorld,
  orgPathPolicy,
  outside,
  pushImage,
  region,
  shared,
  start,
  type Started,
} from '../emulator/start.ts';

let started: Started;
let masks: string[];
const before = { ...process.env };
const place: RepositoryPlace = { repository: 'shop/web' as RepositoryName, registryId: shared as AccountId };
const absent = { ...place, repository: 'shop/none' as RepositoryName };
const tag = (text: string) => text as Tag;

beforeEach(async () => {
  const world = newWorld();
  world.repository({
    account: shared,
    region,
    name: 'shop/fixed',
    mutability: 'IMMUTABLE_WITH_EXCLUSION',
    exclusionFilters: ['latest', 'pr-*'],
  });
  started = await start({ world });
  process.env['AWS_ENDPOINT_URL'] = started.emulator.url;
  masks = [];
});
afterEach(async () => {
  await started.emulator.close();
  process.env = { ...before };
  expect(started.emulator.violations).toEqual([]);
});

function ecrOf(account: string): Ecr {
  const { accessKeyId, secretAccessKey } = started.key(account);
  const credentials = async () => ({ accessKeyId, secretAccessKey });
  return awsEcr({ region: region as Region, credentials }, { mask: (secret) => void masks.push(secret) });
}
const push = async (given: Parameters<typeof pushImage>[1] = {}) => pushImage(await started.registry(shared), given);
const calls = () => started.emulator.requests.of('ecr').map(({ operation }) => operation);

describe('authorization', () => {
  test('is one token for the caller’s registry, whose password is masked', async () => {
    const { username, password, host, expiresAt } = await ecrOf(shared).authorization();
    expect({ username, host }).toEqual({ username: 'AWS', host: await started.emulator.registryHost(shared) });
    expect(password.length).toBeGreaterThan(100);
    expect(masks).toContain(password);
    expect(expiresAt).toBeGreaterThan(Date.now());
    expect(started.emulator.requests.of('ecr')[0]?.input).toEqual({});
  });

  test('a denial names the action to allow', async () => {
    started.emulator.faults.inject({ operation: 'GetAuthorizationToken' }, accessDenied());
    await expect(ecrOf(shared).authorization()).rejects.toMatchObject({
      name: 'AwsError',
      message: expect.stringContaining('ecr:GetAuthorizationToken failed: AccessDeniedException'),
      hint: expect.stringContaining("Allow ecr:GetAuthorizationToken in the caller's IAM policy"),
    });
    expect(masks).toEqual([]);
  });
});

test('the hosts are those of the endpoints that the environment asks for', async () => {
  const account = '111111111111';
  const beside = await start({ world: started.world, registryHosts: () => `${account}.dkr.ecr.eu-west-1.amazonaws.com` });
  process.env['AWS_ENDPOINT_URL'] = beside.emulator.url;
  const { accessKeyId, secretAccessKey } = started.key(shared);
  const credentials = async () => ({ accessKeyId, secretAccessKey });
  const endpoint = endpointChoice({ AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_USE_FIPS_ENDPOINT: 'false' });
  const ecr = awsEcr({ region: region as Region, credentials }, { mask: () => undefined, endpoint });
  const host = `${account}.dkr-ecr.eu-west-1.on.aws`;
  await expect(ecr.authorization()).resolves.toMatchObject({ host });
  await expect(ecr.repository(place)).resolves.toMatchObject({ host, uri: `${host}/shop/web` });
  await beside.emulator.close();
});

describe('a repository', () => {
  test('tells its URI, host and rule for tags', async () => {
    const host = await started.emulator.registryHost(shared);
    const name = 'shop/fixed' as RepositoryName;
    await expect(ecrOf(shared).repository({ ...place, repository: name })).resolves.toEqual({
      name,
      registryId: shared,
      arn: `arn:aws:ecr:${region}:${shared}:repository/shop/fixed`,
      uri: `${host}/shop/fixed`,
      host,
      mutability: 'IMMUTABLE_WITH_EXCLUSION',
      exclusionFilters: ['latest', 'pr-*'],
    });
  });

  test('that is not there is undefined; one that the caller may not see is an error with both sides to check', async () => {
    await expect(ecrOf(shared).repository(absent)).resolves.toBeUndefined();
    await expect(ecrOf(devA).repository(place)).rejects.toMatchObject({
      message: expect.stringContaining(`ecr:DescribeRepositories for repository shop/web in ${shared} failed`),
      hint: expect.stringMatching(/caller's IAM policy, and the repository policy of shop\/web in 111111111111/),
    });
  });

  test('without a registry ID it is the caller’s own', async () => {
    await expect(ecrOf(devA).repository({ repository: place.repository })).resolves.toBeUndefined();
  });
});

describe('creating a repository', () => {
  const settings = { mutability: 'IMMUTABLE' } as const;

  test('asks once, and tells the new repository', async () => {
    await expect(ecrOf(shared).createRepository(absent, settings)).resolves.toMatchObject({
      created: true,
      repository: { name: 'shop/none', registryId: shared, mutability: 'IMMUTABLE' },
    });
    expect(calls()).toEqual(['CreateRepository']);
  });

  test('one that another run has made meanwhile is read', async () => {
    await expect(ecrOf(shared).createRepository(place, settings)).resolves.toMatchObject({
      created: false,
      repository: { name: 'shop/web', mutability: 'MUTABLE' },
    });
  });

  test('a lost reply is cleared up by reading, and nothing is asked twice', async () => {
    started.emulator.faults.inject({ operation: 'CreateRepository' }, lostReply());
    await expect(ecrOf(shared).createRepository(absent, settings)).resolves.toMatchObject({ created: false });
    expect(calls()).toEqual(['CreateRepository', 'DescribeRepositories']);
  });

  test('a request that never took effect, and a denial, are errors', async () => {
    started.emulator.faults.inject({ operation: 'CreateRepository' }, serverError());
    started.emulator.faults.inject({ operation: 'CreateRepository', nth: 2 }, accessDenied());
    await expect(ecrOf(shared).createRepository(absent, settings)).rejects.toMatchObject({ code: 'ServerException' });
    await expect(ecrOf(shared).createRepository(absent, settings)).rejects.toMatchObject({
      hint: expect.stringContaining('Allow ecr:CreateRepository'),
    });
    await expect(ecrOf(shared).repository(absent)).resolves.toBeUndefined();
  });
});

describe('an image', () => {
  test('is found by tag and by digest, or not at all', async () => {
    const { digest } = await push({ tag: 'blue' });
    const ecr = ecrOf(shared);
    const image = { digest, tags: ['blue'], mediaType: manifestType };
    await expect(ecr.image(place, { tag: tag('blue') })).resolves.toEqual(image);
    await expect(ecr.image(place, { digest: digest as Digest })).resolves.toEqual(image);
    await expect(ecr.image(place, { tag: tag('green') })).resolves.toBeUndefined();
    await expect(ecr.image(absent, { tag: tag('blue') })).resolves.toBeUndefined();
  });

  test('a fault that passes is tried again', async () => {
    await push({ tag: 'blue' });
    started.emulator.faults.inject({ operation: 'DescribeImages', times: 2 }, throttling());
    await expect(ecrOf(shared).image(place, { tag: tag('blue') })).resolves.toMatchObject({ tags: ['blue'] });
    expect(calls()).toEqual(['DescribeImages', 'DescribeImages', 'DescribeImages']);
  });
});

describe('a manifest', () => {
  test('comes as it is stored, with its configuration', async () => {
    const { digest, manifest } = await push({ tag: 'blue' });
    const ecr = ecrOf(shared);
    await expect(ecr.manifest(place, { tag: tag('blue') })).resolves.toEqual({
      answer: 'found',
      digest,
      mediaType: manifestType,
      text: manifest,
    });
    const { config } = JSON.parse(manifest) as { config: { digest: Digest } };
    expect(JSON.parse((await ecr.configuration(place, config.digest)) ?? '')).toMatchObject({ os: 'linux', architecture: 'amd64' });
  });

  test('of an index is the index', async () => {
    const { digest } = await push();
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [{ mediaType: manifestType, digest, size: 1 }] });
    await (
      await started.registry(shared)
    )('PUT', '/v2/shop/web/manifests/multi', { body: index, headers: { 'content-type': indexType } });
    await expect(ecrOf(shared).manifest(place, { tag: tag('multi') })).resolves.toMatchObject({ mediaType: indexType, text: index });
  });

  test('another account gets it as the repository policy says: the pull probe’s three answers', async () => {
    const { digest } = await push();
    const id = { digest: digest as Digest };
    await expect(ecrOf(devA).manifest(place, id)).resolves.toEqual({
      answer: 'denied',
      reason: expect.stringMatching(
        /ecr:BatchGetImage for repository shop\/web in 111111111111 failed: AccessDeniedException: User: .*222222222222/,
      ),
    });
    await ecrOf(shared).writePolicy(place, orgPathPolicy);
    await expect(ecrOf(devA).manifest(place, id)).resolves.toMatchObject({ answer: 'found', digest });
    await expect(ecrOf(devA).manifest(place, { tag: tag('none') })).resolves.toEqual({ answer: 'missing' });
    await expect(ecrOf(outside).manifest(place, id)).resolves.toMatchObject({ answer: 'denied' });
    await expect(ecrOf(shared).manifest(absent, id)).resolves.toEqual({ answer: 'missing' });
  });

  test('pain 40: every request names the registry, so that another account’s images are tagged, described and shared', async () => {
    await ecrOf(shared).image(place, { tag: tag('none') });
    await ecrOf(shared).readPolicy(place);
    await ecrOf(shared).manifest(place, { tag: tag('none') });
    const asked = started.emulator.requests.entries.filter(({ service }) => service === 'ecr');
    expect(asked.length).toBeGreaterThanOrEqual(3);
    for (const { input } of asked) expect(input).toMatchObject({ registryId: shared });
  });

  test('gets a further tag, and again without a change', async () => {
    const ecr = ecrOf(shared);
    const { digest } = await push({ tag: 'blue' });
    const found = await ecr.manifest(place, { tag: tag('blue') });
    if (found.answer !== 'found') throw new Error(found.answer);
    await ecr.putManifest(place, { ...found, tag: tag('stable') });
    await ecr.putManifest(place, { ...found, tag: tag('stable') });
    await expect(ecr.image(place, { tag: tag('stable') })).resolves.toMatchObject({ digest });
  });

  test('an immutable tag of another image is refused', async () => {
    const fixed = { ...place, repository: 'shop/fixed' as RepositoryName };
    const ecr = ecrOf(shared);
    await push({ name: 'shop/fixed', tag: 'v1', content: 'one' });
    const { digest } = await push({ name: 'shop/fixed', content: 'two' });
    const found = await ecr.manifest(fixed, { digest: digest as Digest });
    if (found.answer !== 'found') throw new Error(found.answer);
    await expect(ecr.putManifest(fixed, { ...found, tag: tag('v1') })).rejects.toMatchObject({ code: 'ImageTagAlreadyExistsException' });
    await ecr.putManifest(fixed, { ...found, tag: tag('latest') });
  });
});

describe('a scan', () => {
  const scanned = (settings: Partial<RepositorySettings>) =>
    started.world.repository({ account: shared, region, name: 'shop/web', ...settings });
  const digestIn = async () => (await push({ tag: 'v1' })).digest as Digest;

  test.each([
    ['basic', 'COMPLETE', undefined],
    ['enhanced', 'ACTIVE', '3.0.2'],
  ] as const)('%s: how far it is, then all that it found', async (scanning, status, fixedIn) => {
    scanned({ scanOnPush: true, scanning, findings: { CRITICAL: 1, HIGH: 1200 } });
    const digest = await digestIn();
    await expect(ecrOf(shared).scan(place, digest)).resolves.toMatchObject({
      status: scanning === 'basic' ? 'IN_PROGRESS' : 'PENDING',
      findings: [],
    });
    started.emulator.clock.advance(10_000);
    const found = await ecrOf(shared).scan(place, digest);
    expect(found).toMatchObject({ status, counts: { CRITICAL: 1, HIGH: 1200 } });
    expect(found?.findings).toHaveLength(1201);
    expect(found?.findings[0]).toEqual({
      name: 'CVE-2026-1000-CRITICAL',
      severity: 'CRITICAL',
      package: 'openssl 3.0.1',
      fixedIn,
      uri: expect.stringMatching(/^https:.*CVE-2026-1000-CRITICAL$/),
    });
    expect(calls().filter((name) => name === 'DescribeImageScanFindings')).toHaveLength(3);
  });

  test('that ended without findings says why', async () => {
    scanned({ scanOnPush: true, scanEnd: 'UNSUPPORTED_IMAGE' });
    const digest = await digestIn();
    started.emulator.clock.advance(10_000);
    await expect(ecrOf(shared).scan(place, digest)).resolves.toEqual({
      status: 'UNSUPPORTED_IMAGE',
      why: expect.stringContaining('UnsupportedImageError'),
      counts: {},
      findings: [],
    });
  });

  test('that nobody began is undefined; it is begun once a day', async () => {
    const digest = await digestIn();
    const ecr = ecrOf(shared);
    await expect(ecr.scan(place, digest)).resolves.toBeUndefined();
    await expect(ecr.startScan(place, digest)).resolves.toEqual({ start: 'started' });
    await expect(ecr.scan(place, digest)).resolves.toMatchObject({ status: 'IN_PROGRESS' });
    await expect(ecr.startScan(place, digest)).resolves.toEqual({ start: 'limited' });
    started.emulator.faults.inject({ operation: 'StartImageScan' }, serverError());
    await expect(ecr.startScan(place, digest)).resolves.toEqual({ start: 'unknown' });
  });

  test('is not begun where the registry does so itself, of an index, or without the right', async () => {
    scanned({ scanning: 'enhanced' });
    const digest = await digestIn();
    await expect(ecrOf(shared).startScan(place, digest)).resolves.toEqual({ start: 'enhanced' });
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [{ mediaType: manifestType, digest, size: 1 }] });
    await (
      await started.registry(shared)
    )('PUT', '/v2/shop/web/manifests/multi', { body: index, headers: { 'content-type': indexType } });
    const multi = await ecrOf(shared).image(place, { tag: tag('multi') });
    await expect(ecrOf(shared).startScan(place, multi?.digest ?? digest)).resolves.toMatchObject({
      start: 'unsupported',
      reason: expect.stringContaining('UnsupportedImageTypeException'),
    });
    started.emulator.faults.inject({ operation: 'StartImageScan' }, accessDenied());
    await expect(ecrOf(shared).startScan(place, digest)).resolves.toMatchObject({
      start: 'denied',
      reason: expect.stringContaining('ecr:StartImageScan for repository shop/web in 111111111111 failed: AccessDeniedException'),
    });
  });
});

test('replication: the rules of the own registry, and how far each copy is', async () => {
  const ecr = ecrOf(shared);
  await expect(ecr.replicationRules()).resolves.toEqual([]);
  await started.ecr(shared).send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [
          {
            destinations: [
              { region: 'us-east-1', registryId: shared },
              { region, registryId: devA },
            ],
            repositoryFilters: [{ filter: 'shop/', filterType: 'PREFIX_MATCH' }],
          },
        ],
      },
    }),
  );
  const destinations = [
    { account: shared, region: 'us-east-1' },
    { account: devA, region },
  ];
  await expect(ecr.replicationRules()).resolves.toEqual([{ destinations, prefixes: ['shop/'] }]);
  const { digest } = await push({ tag: 'v1' });
  await expect(ecr.replications(place, digest as Digest)).resolves.toEqual([
    { ...destinations[0], status: 'IN_PROGRESS', failure: undefined },
    { ...destinations[1], status: 'FAILED', failure: 'AccessDenied' },
  ]);
});

describe('the policy', () => {
  test('is undefined before, and read as written', async () => {
    const ecr = ecrOf(shared);
    await expect(ecr.readPolicy(place)).resolves.toBeUndefined();
    await expect(ecr.writePolicy(place, orgPathPolicy)).resolves.toBe('written');
    expect(JSON.parse((await ecr.readPolicy(place)) ?? '')).toEqual(JSON.parse(orgPathPolicy));
  });

  test('of a repository that is not there: none to read, and none can be written', async () => {
    await expect(ecrOf(shared).readPolicy(absent)).resolves.toBeUndefined();
    await expect(ecrOf(shared).writePolicy(absent, orgPathPolicy)).rejects.toMatchObject({ code: 'RepositoryNotFoundException' });
  });

  test('of the registry itself, with its scope; whoever may not read the scope takes it for the whole', async () => {
    const { registryPolicies, registryPolicyScopes } = started.emulator.world.account(shared);
    await expect(ecrOf(shared).registryPolicy()).resolves.toBeUndefined();
    registryPolicies.set(region, orgPathPolicy);
    await expect(ecrOf(shared).registryPolicy()).resolves.toEqual({ text: orgPathPolicy, scope: 'V2' });
    registryPolicyScopes.set(region, 'V1');
    await expect(ecrOf(shared).registryPolicy()).resolves.toEqual({ text: orgPathPolicy, scope: 'V1' });
    started.emulator.faults.inject({ operation: 'GetAccountSetting' }, accessDenied());
    await expect(ecrOf(shared).registryPolicy()).resolves.toEqual({ text: orgPathPolicy, scope: 'V2' });
    started.emulator.faults.inject({ operation: 'GetRegistryPolicy' }, accessDenied());
    await expect(ecrOf(shared).registryPolicy()).rejects.toMatchObject({ code: 'AccessDeniedException', operation: 'GetRegistryPolicy' });
  });

  test('a refused write throws, and nothing is written', async () => {
    started.emulator.faults.inject({ operation: 'SetRepositoryPolicy' }, failure('InvalidParameterException', 'Principal not found'));
    const writing = ecrOf(shared).writePolicy(place, orgPathPolicy);
    await expect(writing).rejects.toThrow(AwsError);
    await expect(writing).rejects.toThrow(
      /SetRepositoryPolicy for repository shop\/web in 111111111111 failed: InvalidParameterException: Principal not found/,
    );
    expect(policyOf(repository())).toBeUndefined();
  });

  test.each([
    ['a lost reply', lostReply(), true],
    ['a server error', serverError(), false],
    ['throttling', throttling(), false],
  ])('%s is unknown, and the write is never repeated', async (_, fault, held) => {
    started.emulator.faults.inject({ operation: 'SetRepositoryPolicy', times: 9 }, fault);
    await expect(ecrOf(shared).writePolicy(place, orgPathPolicy)).resolves.toMatchObject({ unanswered: expect.any(Error) });
    expect(calls()).toEqual(['SetRepositoryPolicy']);
    expect(policyOf(repository()) !== undefined).toBe(held);
  });

  test('a write has an answer within its deadline', async () => {
    started.emulator.faults.inject({ operation: 'SetRepositoryPolicy' }, slow(400));
    const { accessKeyId, secretAccessKey } = started.key(shared);
    const credentials = async () => ({ accessKeyId, secretAccessKey });
    const ecr = awsEcr({ region: region as Region, credentials }, { policyWriteDeadline: 100 });
    await expect(ecr.writePolicy(place, orgPathPolicy)).resolves.toMatchObject({ unanswered: expect.any(Error) });
  });
});

function repository() {
  const found = started.world.findRepository({ account: shared, region, name: 'shop/web' });
  if (!found) throw new Error('shop/web is gone');
  return found;
}
