import { afterEach, describe, expect, test } from '@jest/globals';
import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImageReplicationStatusCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  GetRegistryPolicyCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  PutImageCommand,
  PutReplicationConfigurationCommand,
  SetRepositoryPolicyCommand,
  StartImageScanCommand,
  type ECRClient,
} from '@aws-sdk/client-ecr';
import { accessDenied, expiredCredentials, lostReply, lostRequest, serverError, throttling, type Fault } from '../../emulator/faults.ts';
import { publicAlias } from '../../emulator/ecr-public.ts';
import type { Mutability } from '../../emulator/repository.ts';
import {
  devA,
  developmentOu,
  errorOf,
  indexType,
  manifestType,
  newWorld,
  organizationId,
  orgPathPolicy,
  outside,
  pushImage,
  region,
  sha256,
  shared,
  start as startOne,
  type RegistryClient,
  type Started,
} from './start.ts';

const running: Started[] = [];
async function start(): Promise<Started & { client: ECRClient; push: RegistryClient }> {
  const started = await startOne();
  running.push(started);
  return { ...started, client: started.ecr(shared), push: await started.registry(shared) };
}
afterEach(async () => {
  for (const { emulator } of running.splice(0)) {
    expect(emulator.violations).toEqual([]);
    await emulator.close();
  }
});

const repositoryName = 'shop/web';
const grant = new SetRepositoryPolicyCommand({ repositoryName, policyText: orgPathPolicy });
const codesOf = async (response: Response) => ((await response.json()) as { errors: { code: string; message: string }[] }).errors[0];

function putIndex(push: RegistryClient, { digests, tag }: { digests: readonly string[]; tag: string }): Promise<Response> {
  const manifests = digests.map((digest) => ({
    mediaType: manifestType,
    digest,
    size: 1,
    platform: { os: 'linux', architecture: 'amd64' },
  }));
  return push('PUT', `/v2/shop/web/manifests/${tag}`, {
    body: JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }),
    headers: { 'content-type': indexType },
  });
}

describe('login', () => {
  test('the password opens the registry that ECR names, for 12 hours, in one Region', async () => {
    const { client, emulator, ecr, key } = await start();
    const { authorizationData: [data] = [] } = await client.send(new GetAuthorizationTokenCommand({}));
    expect(data?.proxyEndpoint).toBe(`http://${await emulator.registryHost(shared)}`);
    expect((data?.expiresAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(43_100_000);
    const ping = async (host: string, token = data?.authorizationToken) =>
      (await fetch(`http://${host}/v2/`, { headers: { authorization: `Basic ${token ?? ''}` } })).status;
    const host = await emulator.registryHost(shared);
    expect(Buffer.from(data?.authorizationToken ?? '', 'base64').toString()).toMatch(/^AWS:.{100,}$/);
    expect(await ping(host)).toBe(200);
    expect(await ping(await emulator.registryHost(shared, 'us-east-1'))).toBe(400);
    expect(await ping(host, Buffer.from('AWS:x').toString('base64'))).toBe(400);
    const anonymous = await fetch(`http://${host}/v2/`);
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      `Basic realm="http://${host}/",service="ecr.amazonaws.com"`,
    ]);
    const deprecated = { registryIds: [shared, devA] };
    const both = await ecr(key(devA)).send(new GetAuthorizationTokenCommand(deprecated));
    expect(both.authorizationData?.map(({ proxyEndpoint }) => proxyEndpoint)).toEqual([
      `http://${host}`,
      `http://${await emulator.registryHost(devA)}`,
    ]);
    emulator.clock.advance(43_201_000);
    const expired = await fetch(`http://${host}/v2/`, { headers: { authorization: `Basic ${data?.authorizationToken ?? ''}` } });
    expect([expired.status, await codesOf(expired)]).toEqual([
      403,
      { code: 'DENIED', message: 'Your authorization token has expired. Reauthenticate and try again.' },
    ]);
  });
});

describe('repositories', () => {
  test('are created, described and found by name', async () => {
    const { client, emulator } = await start();
    const filters = [{ filterType: 'WILDCARD' as const, filter: 'latest*' }];
    const { repository } = await client.send(
      new CreateRepositoryCommand({
        repositoryName: 'a/b',
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: filters,
      }),
    );
    expect(repository).toMatchObject({
      repositoryArn: `arn:aws:ecr:${region}:${shared}:repository/a/b`,
      repositoryUri: `${await emulator.registryHost(shared)}/a/b`,
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters,
    });
    const { repositories } = await client.send(new DescribeRepositoriesCommand({ repositoryNames: ['a/b'] }));
    expect(repositories).toEqual([repository]);
    const page = await client.send(new DescribeRepositoriesCommand({ maxResults: 1 }));
    expect((await client.send(new DescribeRepositoriesCommand({ maxResults: 1, nextToken: page.nextToken }))).repositories).toMatchObject([
      { repositoryName: 'a/b' },
    ]);
    expect((await errorOf(client.send(new CreateRepositoryCommand({ repositoryName: 'a/b' })))).name).toBe(
      'RepositoryAlreadyExistsException',
    );
    expect((await errorOf(client.send(new CreateRepositoryCommand({ repositoryName: 'A//b' })))).name).toBe('InvalidParameterException');
    expect(await errorOf(client.send(new DescribeRepositoriesCommand({ repositoryNames: ['none'] })))).toEqual({
      name: 'RepositoryNotFoundException',
      message: `The repository with name 'none' does not exist in the registry with id '${shared}'`,
    });
  });
});

describe('repository policies', () => {
  const statement = (JSON.parse(orgPathPolicy) as { Statement: [Record<string, unknown>] }).Statement[0];
  const policy = (change: object, top: object = {}) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...change }], ...top });
  const accepted = 'none';
  const refused = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'";

  test.each<[string, string, string]>([
    ['ours', orgPathPolicy, accepted],
    ['a single statement, not in a list', JSON.stringify({ Version: '2008-10-17', Statement: statement }), accepted],
    ['a Resource', policy({ Resource: '*' }), accepted],
    ['an account of the world', policy({ Principal: { AWS: [devA, `arn:aws:iam::${devA}:root`] } }), accepted],
    ['a role of the world', policy({ Principal: { AWS: `arn:aws:iam::${devA}:role/pull` } }), accepted],
    ['a service', policy({ Principal: { Service: 'lambda.amazonaws.com' } }), accepted],
    ['10,240 characters', orgPathPolicy.padEnd(10_240), accepted],
    ['no JSON', '{', refused],
    ['no Statement', '{"Version":"2012-10-17"}', refused],
    ['an empty Statement', policy({}, { Statement: [] }), refused],
    ['an unknown Version', policy({}, { Version: '2020-01-01' }), refused],
    ['an unknown Effect', policy({ Effect: 'allow' }), refused],
    ['no Principal', policy({ Principal: undefined }), refused],
    ['a Principal that is no object', policy({ Principal: devA }), refused],
    ['a partial wildcard', policy({ Principal: { AWS: `arn:aws:iam::${devA}:role/*` } }), refused],
    ['no Action', policy({ Action: [] }), refused],
    ['GetAuthorizationToken', policy({ Action: ['ecr:BatchGetImage', 'ecr:GetAuthorizationToken'] }), refused],
    ["another service's action", policy({ Action: 's3:GetObject' }), refused],
    ['an unknown operator', policy({ Condition: { StringMatches: { 'aws:PrincipalOrgID': 'o-1' } } }), refused],
    ['an unknown element', policy({ Comment: 'x' }), refused],
    [
      '10,241 characters',
      orgPathPolicy.padEnd(10_241),
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Member must have length less than or equal to 10240'",
    ],
    [
      'a role that does not exist',
      policy({ Principal: { AWS: `arn:aws:iam::${devA}:role/gone` } }),
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    ],
    [
      'a deleted principal',
      policy({ Principal: { AWS: 'AROAABCDEFGHIJKLMNOPQ' } }),
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    ],
    [
      'a lock-out',
      policy({ Effect: 'Deny', Action: 'ecr:*', Condition: undefined }),
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'The policy would prevent you from setting another policy in the future; use force to set it'",
    ],
  ])('SetRepositoryPolicy: %s', async (_name, policyText, message) => {
    const { client, world } = await start();
    world.role(`arn:aws:iam::${devA}:role/pull`);
    const error = await errorOf(client.send(new SetRepositoryPolicyCommand({ repositoryName, policyText })));
    expect(error).toEqual(message === accepted ? { name: 'none', message: '' } : { name: 'InvalidParameterException', message });
    const stored = await errorOf(client.send(new GetRepositoryPolicyCommand({ repositoryName })));
    expect(stored.name).toBe(message === accepted ? 'none' : 'RepositoryPolicyNotFoundException');
  });

  test('are kept verbatim, deleted, and forced past the guard', async () => {
    const { client } = await start();
    await client.send(grant);
    expect((await client.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText).toBe(orgPathPolicy);
    await client.send(new DeleteRepositoryPolicyCommand({ repositoryName }));
    expect((await errorOf(client.send(new DeleteRepositoryPolicyCommand({ repositoryName })))).name).toBe(
      'RepositoryPolicyNotFoundException',
    );
    expect((await errorOf(client.send(new GetRegistryPolicyCommand({})))).name).toBe('RegistryPolicyNotFoundException');
    const lockOut = policy({ Effect: 'Deny', Action: 'ecr:Set*', Condition: undefined });
    await client.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: lockOut, force: true }));
    expect((await errorOf(client.send(grant))).message).toContain('with an explicit deny in a resource-based policy');
  });
});

describe('other accounts', () => {
  const pull = new BatchGetImageCommand({ registryId: shared, repositoryName, imageIds: [{ imageTag: 'v1' }] });

  test('need the repository policy, by the API and by the registry, and by where they are now', async () => {
    const { client, ecr, push, registry, world } = await start();
    await pushImage(push, { tag: 'v1' });
    const states = async () => {
      const docker = await (await registry(shared, devA))('GET', '/v2/shop/web/manifests/v1');
      return [(await errorOf(ecr(devA).send(pull))).name, docker.status];
    };
    const arn = `arn:aws:ecr:${region}:${shared}:repository/shop/web`;
    const message = `User: arn:aws:iam::${devA}:user/tester is not authorized to perform: ecr:BatchGetImage on resource: ${arn} because no resource-based policy allows the ecr:BatchGetImage action`;

    expect(await errorOf(ecr(devA).send(pull))).toEqual({ name: 'AccessDeniedException', message });
    expect(await codesOf(await (await registry(shared, devA))('GET', '/v2/shop/web/manifests/v1'))).toEqual({ code: 'DENIED', message });
    expect(await states()).toEqual(['AccessDeniedException', 403]);
    await client.send(grant);
    expect(await states()).toEqual(['none', 200]);
    world.move(devA, world.root);
    expect(await states()).toEqual(['AccessDeniedException', 403]);
    world.move(devA, world.ou('Workloads/Development/Team', { id: 'ou-ab12-22222222' }));
    expect(await states()).toEqual(['none', 200]);
    world.account('555555555555', { ou: world.ou('Workloads/Development') });
    expect((await errorOf(ecr('555555555555').send(pull))).name).toBe('none');
    expect((await errorOf(ecr(outside).send(pull))).name).toBe('AccessDeniedException');
    expect((await errorOf(ecr(devA).send(new DescribeImagesCommand({ registryId: shared, repositoryName })))).name).toBe(
      'AccessDeniedException',
    );
  });

  test('need their own permission too', async () => {
    const { client, ecr, world } = await start();
    await client.send(grant);
    const role = world.role(`arn:aws:iam::${devA}:role/pull`, { deny: ['ecr:Batch*'] });
    const error = await errorOf(ecr(world.session(role)).send(pull));
    expect(error.message).toContain('because no identity-based policy allows the ecr:BatchGetImage action');
    expect(
      (await errorOf(ecr(devA).send(new BatchGetImageCommand({ registryId: shared, repositoryName: 'none', imageIds: [] })))).name,
    ).toBe('RepositoryNotFoundException');
  });

  test('the registry policy is enforced beside', async () => {
    const { client, ecr, world } = await start();
    await client.send(grant);
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'ecr:BatchGetImage',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalAccount': devA } },
    };
    world.account(shared).registryPolicies.set(region, JSON.stringify({ Version: '2012-10-17', Statement: [deny] }));
    expect((await errorOf(ecr(devA).send(pull))).message).toContain('explicit deny');
    // The older scope knows nothing of pulls.
    world.account(shared).registryPolicyScopes.set(region, 'V1');
    await ecr(devA).send(pull);
  });
});

describe('images', () => {
  test('pushed by the registry are there for the API', async () => {
    const { client, push } = await start();
    const { digest, manifest, layer } = await pushImage(push, { tag: 'v1' });
    const { imageDetails } = await client.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }));
    expect(imageDetails).toMatchObject([
      { imageDigest: digest, imageTags: ['v1'], imageManifestMediaType: manifestType, imageSizeInBytes: 5, imageStatus: 'ACTIVE' },
    ]);
    const got = await client.send(
      new BatchGetImageCommand({
        repositoryName,
        imageIds: [{ imageTag: 'v1' }, { imageTag: 'gone' }],
        acceptedMediaTypes: [manifestType],
      }),
    );
    expect(got.images).toMatchObject([{ imageManifest: manifest, imageId: { imageDigest: digest, imageTag: 'v1' } }]);
    expect(got.failures).toMatchObject([{ failureCode: 'ImageNotFound', imageId: { imageTag: 'gone' } }]);
    const { downloadUrl = '' } = await client.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer }));
    expect(await (await fetch(downloadUrl)).text()).toBe('hello');
    const available = await client.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [layer, sha256('other')] }));
    expect(available.layers?.map(({ layerAvailability }) => layerAvailability)).toEqual(['AVAILABLE', 'UNAVAILABLE']);
    expect(await errorOf(client.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'x' }] })))).toEqual({
      name: 'ImageNotFoundException',
      message: `The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name 'shop/web' in the registry with id '${shared}'`,
    });
  });

  test('PutImage tags what is there, and refuses what refers to nothing', async () => {
    const { client, push } = await start();
    const { digest, manifest } = await pushImage(push, { tag: 'v1' });
    const put = (imageManifest: string, more: object = {}) =>
      errorOf(client.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v2', ...more })));
    expect((await put(manifest)).name).toBe('none');
    expect((await put(manifest)).name).toBe('ImageAlreadyExistsException');
    expect((await put(manifest, { imageDigest: sha256('x') })).name).toBe('ImageDigestDoesNotMatchException');
    expect((await put(manifest.replaceAll(/sha256:[0-9a-f]{64}/g, sha256('x')))).name).toBe('LayersNotFoundException');
    expect((await put(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [{ digest: sha256('x') }] }))).name).toBe(
      'ReferencedImagesNotFoundException',
    );
    expect((await put('[]')).name).toBe('InvalidParameterException');
    const { imageIds } = await client.send(new ListImagesCommand({ repositoryName, filter: { tagStatus: 'TAGGED' } }));
    expect(imageIds).toEqual([
      { imageDigest: digest, imageTag: 'v1' },
      { imageDigest: digest, imageTag: 'v2' },
    ]);
  });

  test.each<[Mutability, string, number]>([
    ['MUTABLE', 'v1', 201],
    ['IMMUTABLE', 'v1', 400],
    ['IMMUTABLE', 'latest', 400],
    ['IMMUTABLE_WITH_EXCLUSION', 'v1', 400],
    ['IMMUTABLE_WITH_EXCLUSION', 'latest', 201],
    ['MUTABLE_WITH_EXCLUSION', 'v1', 201],
    ['MUTABLE_WITH_EXCLUSION', 'latest', 400],
  ])('%s: pushing %s again, and again with another image', async (mutability, tag, status) => {
    const { client, push, world } = await start();
    const exclusionFilters = mutability.endsWith('_EXCLUSION') ? ['lat*'] : [];
    world.repository({ account: shared, region, name: repositoryName, mutability, exclusionFilters });
    expect((await pushImage(push, { tag })).response.status).toBe(201);
    expect((await pushImage(push, { tag })).response.status).toBe(status);
    const { response } = await pushImage(push, { tag, content: 'other' });
    expect(response.status).toBe(status);
    if (status === 400) {
      const message = `The image tag '${tag}' already exists in the 'shop/web' repository and cannot be overwritten because the tag is immutable.`;
      expect(await codesOf(response)).toEqual({ code: 'TAG_INVALID', message });
      const { manifest } = await pushImage(push, { content: 'other' });
      expect(await errorOf(client.send(new PutImageCommand({ repositoryName, imageManifest: manifest, imageTag: tag })))).toEqual({
        name: 'ImageTagAlreadyExistsException',
        message,
      });
    }
  });

  test('BatchDeleteImage: tags one by one, images whole, children of an index not before it', async () => {
    const { client, push } = await start();
    const { digest } = await pushImage(push, { tag: 'v1' });
    await pushImage(push, { tag: 'v2' });
    const index = await putIndex(push, { digests: [digest], tag: 'multi' });
    expect(index.status).toBe(201);
    const remove = async (...imageIds: object[]) => {
      const { imageIds: deleted = [], failures = [] } = await client.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
      return [deleted.map(({ imageTag }) => imageTag), failures.map(({ failureCode }) => failureCode)];
    };
    expect(await remove({ imageTag: 'v1' })).toEqual([['v1'], []]);
    expect(await remove({ imageDigest: digest }, { imageTag: 'none' })).toEqual([[], ['ImageReferencedByManifestList', 'ImageNotFound']]);
    expect(await remove({ imageTag: 'multi' }, { imageDigest: digest }, {})).toEqual([['multi', 'v2'], ['MissingDigestAndTag']]);
    expect((await client.send(new ListImagesCommand({ repositoryName }))).imageIds).toEqual([]);
  });
});

describe('the OCI registry', () => {
  test('chunked uploads, ranges, mounts, digests', async () => {
    const { push, world } = await start();
    world.repository({ account: shared, region, name: 'other' });
    const opened = await push('POST', '/v2/shop/web/blobs/uploads/');
    const { pathname } = new URL(opened.headers.get('location') ?? '');
    expect((await push('PATCH', pathname, { body: 'he', headers: { 'content-range': '0-1' } })).headers.get('range')).toBe('0-1');
    expect((await push('PATCH', pathname, { body: 'x', headers: { 'content-range': '7-7' } })).status).toBe(416);
    expect((await push('PATCH', pathname, { body: 'll' })).headers.get('range')).toBe('0-3');
    expect((await push('GET', pathname)).headers.get('range')).toBe('0-3');
    expect((await codesOf(await push('PUT', `${pathname}?digest=${sha256('other')}`)))?.code).toBe('DIGEST_INVALID');
    const second = new URL((await push('POST', '/v2/shop/web/blobs/uploads/')).headers.get('location') ?? '').pathname;
    await push('PATCH', second, { body: 'hel' });
    const digest = sha256('hello');
    expect((await push('PUT', `${second}?digest=${digest}`, { body: 'lo' })).status).toBe(201);
    const head = await push('HEAD', `/v2/shop/web/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length'), head.headers.get('docker-content-digest')]).toEqual([200, '5', digest]);
    const part = await push('GET', `/v2/shop/web/blobs/${digest}`, { headers: { range: 'bytes=1-3' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 1-3/5', 'ell']);
    expect((await push('HEAD', `/v2/other/blobs/${digest}`)).status).toBe(404);
    expect((await push('POST', `/v2/other/blobs/uploads/?mount=${digest}&from=shop/web`)).status).toBe(201);
    expect((await push('HEAD', `/v2/other/blobs/${digest}`)).status).toBe(200);
    expect((await push('POST', `/v2/other/blobs/uploads/?mount=${sha256('none')}&from=shop/web`)).status).toBe(202);
    expect((await push('POST', `/v2/other/blobs/uploads/?digest=${sha256('one')}`, { body: 'one' })).status).toBe(201);
    expect((await push('DELETE', pathname)).status).toBe(204);
    expect((await push('PUT', pathname)).status).toBe(404);
  });

  test('manifests by tag and digest, indexes, lists, deletion', async () => {
    const { push, emulator } = await start();
    const { digest, manifest } = await pushImage(push, { tag: 'v1' });
    const get = await push('GET', `/v2/shop/web/manifests/${digest}`);
    expect([get.headers.get('content-type'), get.headers.get('docker-content-digest'), await get.text()]).toEqual([
      manifestType,
      digest,
      manifest,
    ]);
    expect((await push('HEAD', '/v2/shop/web/manifests/v1')).status).toBe(200);
    expect((await push('GET', '/v2/shop/web/manifests/v1', { headers: { accept: indexType } })).status).toBe(404);
    expect((await codesOf(await putIndex(push, { digests: [sha256('x')], tag: 'multi' })))?.code).toBe('MANIFEST_BLOB_UNKNOWN');
    expect((await putIndex(push, { digests: [digest], tag: 'multi' })).status).toBe(201);
    expect(
      (await push('PUT', `/v2/shop/web/manifests/${sha256('x')}`, { body: manifest, headers: { 'content-type': manifestType } })).status,
    ).toBe(400);
    expect(await (await push('GET', '/v2/shop/web/tags/list')).json()).toEqual({ name: 'shop/web', tags: ['multi', 'v1'] });
    expect((await push('GET', '/v2/shop/web/tags/list?n=1')).headers.get('link')).toContain('last=multi');
    expect((await push('DELETE', '/v2/shop/web/manifests/v1')).status).toBe(202);
    expect((await codesOf(await push('GET', '/v2/shop/web/manifests/v1')))?.code).toBe('MANIFEST_UNKNOWN');
    expect((await push('DELETE', `/v2/shop/web/manifests/${digest}`)).status).toBe(202);
    expect((await push('HEAD', `/v2/shop/web/manifests/${digest}`)).status).toBe(404);
    expect(emulator.requests.of('registry', 'PutImage').map(({ status }) => status)).toEqual([201, 400, 201, 400]);
  });

  test('attestations refer to their image', async () => {
    const { push } = await start();
    const { digest, manifest } = await pushImage(push, { tag: 'v1' });
    const body = JSON.stringify({
      ...(JSON.parse(manifest) as object),
      artifactType: 'application/spdx+json',
      subject: { mediaType: manifestType, digest, size: 1 },
    });
    const put = await push('PUT', `/v2/shop/web/manifests/${sha256(body)}`, { body, headers: { 'content-type': manifestType } });
    expect(put.headers.get('oci-subject')).toBe(digest);
    expect(await (await push('GET', `/v2/shop/web/referrers/${digest}`)).json()).toMatchObject({
      manifests: [{ digest: sha256(body), artifactType: 'application/spdx+json' }],
    });
  });

  test("a missing repository and missing layers are refused in ECR's words", async () => {
    const { push } = await start();
    const missing = await push('POST', '/v2/none/blobs/uploads/');
    expect([missing.status, await codesOf(missing)]).toEqual([
      404,
      { code: 'NAME_UNKNOWN', message: `The repository with name 'none' does not exist in the registry with id '${shared}'` },
    ]);
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: { digest: sha256('none') }, layers: [] });
    const put = await push('PUT', '/v2/shop/web/manifests/v1', { body: manifest, headers: { 'content-type': manifestType } });
    expect([put.status, (await codesOf(put))?.code]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
  });
});

describe('scans', () => {
  test.each([
    ['basic', 'IN_PROGRESS', 'COMPLETE', 'findings'],
    ['enhanced', 'PENDING', 'ACTIVE', 'enhancedFindings'],
  ] as const)('%s', async (scanning, before, after, list) => {
    const { client, emulator, push, world } = await start();
    world.repository({ account: shared, region, name: repositoryName, scanOnPush: true, scanning, findings: { CRITICAL: 1, LOW: 2 } });
    const { digest } = await pushImage(push, { tag: 'v1' });
    const findings = new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageDigest: digest } });
    expect((await client.send(findings)).imageScanStatus?.status).toBe(before);
    emulator.clock.advance(10_000);
    const done = await client.send(findings);
    expect([done.imageScanStatus?.status, done.imageScanFindings?.findingSeverityCounts, done.imageScanFindings?.[list]?.length]).toEqual([
      after,
      { CRITICAL: 1, LOW: 2 },
      3,
    ]);
  });

  test('come in pages, and may end without findings', async () => {
    const { client, emulator, push, world } = await start();
    const repository = world.repository({ account: shared, region, name: repositoryName, scanOnPush: true, findings: { HIGH: 3 } });
    const { digest } = await pushImage(push, { tag: 'v1' });
    emulator.clock.advance(10_000);
    const ask = (nextToken?: string) =>
      client.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageDigest: digest }, maxResults: 2, nextToken }));
    const first = await ask();
    const second = await ask(first.nextToken);
    expect([first, second].map(({ imageScanFindings }) => imageScanFindings?.findings?.length)).toEqual([2, 1]);
    expect(second.nextToken).toBeUndefined();
    repository.scanEnd = 'UNSUPPORTED_IMAGE';
    const unsupported = await ask();
    expect(unsupported.imageScanStatus).toMatchObject({
      status: 'UNSUPPORTED_IMAGE',
      description: expect.stringContaining('operating system'),
    });
    expect(unsupported.imageScanFindings).toBeUndefined();
    repository.scanEnd = 'never';
    expect((await errorOf(ask())).name).toBe('ScanNotFoundException');
  });

  test('on demand: once a day, not of an index', async () => {
    const { client, emulator, push } = await start();
    const { digest } = await pushImage(push, { tag: 'v1' });
    await putIndex(push, { digests: [digest], tag: 'multi' });
    const scan = (imageTag: string) => errorOf(client.send(new StartImageScanCommand({ repositoryName, imageId: { imageTag } })));
    const findings = new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageTag: 'v1' } });
    expect((await errorOf(client.send(findings))).name).toBe('ScanNotFoundException');
    const names = [await scan('v1'), await scan('v1'), await scan('multi')].map(({ name }) => name);
    expect(names).toEqual(['none', 'LimitExceededException', 'UnsupportedImageTypeException']);
    emulator.clock.advance(86_400_000);
    expect((await scan('v1')).name).toBe('none');
  });
});

test('replication: later, elsewhere, without the policy, and into another account only where its registry allows', async () => {
  const { client, ecr, emulator, push, registry, world } = await start();
  const before = await pushImage(push, { tag: 'old', content: 'old' });
  emulator.clock.advance(1000);
  const destinations = [
    { region: 'us-east-1', registryId: shared },
    { region, registryId: devA },
  ];
  await client.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: { rules: [{ destinations, repositoryFilters: [{ filter: 'shop/', filterType: 'PREFIX_MATCH' }] }] },
    }),
  );
  expect((await client.send(new DescribeRegistryCommand({}))).replicationConfiguration?.rules?.[0]?.destinations).toEqual(destinations);
  const { digest } = await pushImage(push, { tag: 'v1' });
  const statusOf = async (imageDigest: string) =>
    (await client.send(new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageDigest } }))).replicationStatuses?.map(
      ({ status, failureCode }) => failureCode ?? status,
    );
  expect(await statusOf(before.digest)).toEqual([]);
  expect(await statusOf(digest)).toEqual(['IN_PROGRESS', 'AccessDenied']);
  const allow = { Effect: 'Allow', Principal: { AWS: shared }, Action: 'ecr:ReplicateImage', Resource: '*' };
  world.account(devA).registryPolicies.set(region, JSON.stringify({ Statement: [allow] }));
  emulator.clock.advance(31_000);
  expect(await statusOf(digest)).toEqual(['COMPLETE', 'COMPLETE']);
  const there = await registry(devA);
  expect((await there('GET', '/v2/shop/web/manifests/v1')).status).toBe(200);
  expect((await there('GET', `/v2/shop/web/blobs/${sha256('hello')}`)).status).toBe(200);
  expect((await errorOf(ecr(devA).send(new GetRepositoryPolicyCommand({ repositoryName })))).name).toBe(
    'RepositoryPolicyNotFoundException',
  );
});

test('faults of the registry', async () => {
  const { emulator, push } = await start();
  const inject = (fault: Fault) => emulator.faults.inject({ service: 'registry', operation: 'PutImage' }, fault);
  const statuses: unknown[] = [];
  for (const fault of [throttling(), accessDenied(), expiredCredentials(), serverError()]) {
    inject(fault);
    const { response } = await pushImage(push, { tag: 'v1' });
    statuses.push([response.status, (await codesOf(response))?.code]);
  }
  expect(statuses).toEqual([
    [429, 'TOOMANYREQUESTS'],
    [403, 'DENIED'],
    [403, 'DENIED'],
    [500, 'UNKNOWN'],
  ]);
  expect((await push('HEAD', '/v2/shop/web/manifests/v1')).status).toBe(404);
  inject(lostRequest());
  await expect(pushImage(push, { tag: 'v1' })).rejects.toThrow('fetch failed');
  expect((await push('HEAD', '/v2/shop/web/manifests/v1')).status).toBe(404);
  inject(lostReply());
  await expect(pushImage(push, { tag: 'v1' })).rejects.toThrow('fetch failed');
  expect((await push('HEAD', '/v2/shop/web/manifests/v1')).status).toBe(200);
});

test('ECR Public: a login of its own, images for everyone, pushes for the owner', async () => {
  const { emulator, key, world } = await start();
  world.repository({ account: shared, region: 'public', name: 'hello' });
  const ask = async (operation: string, { body = {}, from = 'us-east-1' } = {}) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=${key(shared).accessKeyId}/20261121/${from}/ecr-public/aws4_request, SignedHeaders=host, Signature=0`;
    const response = await fetch(emulator.url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization, 'x-amz-target': `SpencerFrontendService.${operation}` },
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const host = await emulator.registryHost(shared, 'public');
  const alias = publicAlias(shared);
  expect(await ask('DescribeRegistries')).toMatchObject({ registries: [{ registryUri: `${host}/${alias}` }] });
  expect(await ask('DescribeRepositories', { body: { repositoryNames: ['hello'] } })).toMatchObject({
    repositories: [{ repositoryUri: `${host}/${alias}/hello` }],
  });
  expect(await ask('GetAuthorizationToken', { from: region })).toMatchObject({ __type: 'UnsupportedCommandException' });
  const { authorizationData } = (await ask('GetAuthorizationToken')) as { authorizationData: { authorizationToken: string } };
  const owner: RegistryClient = (method, path, { body, headers = {} } = {}) =>
    fetch(`http://${host}${path}`, {
      method,
      headers: { ...headers, authorization: `Basic ${authorizationData.authorizationToken}` },
      ...(body === undefined ? {} : { body: String(body) }),
    });
  const { digest, manifest } = await pushImage(owner, { name: `${alias}/hello`, tag: 'v1' });
  expect((await fetch(`http://${host}/v2/${alias}/hello/manifests/${digest}`)).status).toBe(200);
  expect((await fetch(`http://${host}/v2/hello/manifests/${digest}`)).status).toBe(404);
  expect((await fetch(`http://${host}/v2/${alias}/hello/blobs/uploads/`, { method: 'POST' })).status).toBe(401);
  await ask('PutImage', { body: { repositoryName: 'hello', imageManifest: manifest, imageTag: 'v2' } });
  expect(await ask('DescribeImages', { body: { repositoryName: 'hello', imageIds: [{ imageTag: 'v2' }] } })).toMatchObject({
    imageDetails: [{ imageDigest: digest, imageTags: ['v1', 'v2'] }],
  });
  expect(await ask('DescribeImages', { body: { repositoryName: 'hello', imageIds: [{ imageTag: 'v3' }] } })).toMatchObject({
    __type: 'ImageNotFoundException',
  });
});

test('a real registry beside the emulator: the API asks it', async () => {
  const { emulator: real, key, push, world: realWorld } = await start();
  const password = 'the-real-one';
  realWorld.registryTokens.set(password, { key: key(shared), region, expiresAt: Infinity });
  const host = await real.registryHost(shared);
  const beside = await startOne({ registryHosts: () => `http://${host}`, registryPassword: password });
  running.push(beside);
  const client = beside.ecr(shared);
  const { digest, manifest, layer } = await pushImage(push, { tag: 'v1' });
  const { authorizationData: [data] = [] } = await client.send(new GetAuthorizationTokenCommand({}));
  expect([data?.proxyEndpoint, Buffer.from(data?.authorizationToken ?? '', 'base64').toString()]).toEqual([
    `http://${host}`,
    `AWS:${password}`,
  ]);
  const tagged = await client.send(new PutImageCommand({ repositoryName, imageManifest: manifest, imageTag: 'v2' }));
  expect(tagged.image?.imageId).toEqual({ imageDigest: digest, imageTag: 'v2' });
  await putIndex(push, { digests: [digest], tag: 'multi' });
  const { imageDetails } = await client.send(new DescribeImagesCommand({ repositoryName }));
  expect(imageDetails?.map(({ imageTags }) => imageTags)).toEqual([['multi'], ['v1', 'v2']]);
  const layers = await client.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [layer, sha256('x')] }));
  expect(layers.layers?.map(({ layerAvailability }) => layerAvailability)).toEqual(['AVAILABLE', 'UNAVAILABLE']);
  const { imageIds } = await client.send(
    new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: 'multi' }, { imageTag: 'v2' }] }),
  );
  expect(imageIds?.map(({ imageTag }) => imageTag)).toEqual(['multi', 'v2']);
  const got = await client.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }, { imageTag: 'v2' }] }));
  expect([got.images?.length, got.failures?.length]).toEqual([1, 1]);
  expect(
    (await errorOf(beside.ecr(devA).send(new BatchGetImageCommand({ registryId: shared, repositoryName, imageIds: [{ imageTag: 'v1' }] }))))
      .name,
  ).toBe('AccessDeniedException');
});

test('the world of the tests is the one that the texts speak of', () => {
  expect(newWorld().pathOf(devA)).toMatch(new RegExp(`^${organizationId}/r-ab12/ou-ab12-[a-z0-9]{8}/${developmentOu}/$`));
});
