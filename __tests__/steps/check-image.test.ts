import { describe, expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { Digest, RepositoryName, Tag } from '../../src/domain/image.ts';
import type { Platform } from '../../src/domain/oci.ts';
import type { TaskDefinition } from '../../src/domain/task-definition.ts';
import type { Ecr, ManifestAnswer } from '../../src/ports/ecr.ts';
import { checkImage, platformProblems } from '../../src/steps/check-image.ts';
import { awsError } from './deployment-setting.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const place = { repository: 'shop/web' as RepositoryName, registryId: '111111111111' as AccountId };
const single = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  text: JSON.stringify({ config: { mediaType: 'c', digest, size: 1 }, layers: [] }),
};
const index = {
  mediaType: 'application/vnd.oci.image.index.v1+json',
  text: JSON.stringify({
    manifests: [
      { mediaType: 'm', digest, size: 1, platform: { os: 'linux', architecture: 'arm64' } },
      { mediaType: 'm', digest, size: 1, platform: { os: 'unknown', architecture: 'unknown' } },
    ],
  }),
};

function ecr(answer: ManifestAnswer, configuration: () => Promise<string | undefined> = async () => undefined): Ecr {
  const port: Partial<Ecr> = { manifest: async () => answer, configuration };
  return port as Ecr;
}

describe('whether the account can pull', () => {
  test('yes, with the platforms of an index, attestations left out', async () => {
    const answer = await checkImage({ ecr: ecr({ answer: 'found', digest, ...index }), place, id: { tag: 'v1' as Tag } });
    expect(answer).toEqual({ canPull: 'yes', digest, platforms: [{ os: 'linux', architecture: 'arm64' }] });
  });

  test('yes, with the platform in a single image’s configuration', async () => {
    const port = ecr({ answer: 'found', digest, ...single }, async () => '{"os":"linux","architecture":"amd64"}');
    expect(await checkImage({ ecr: port, place, id: { digest } })).toMatchObject({ platforms: [{ os: 'linux', architecture: 'amd64' }] });
  });

  test('yes, though the configuration can’t be read', async () => {
    const port = ecr({ answer: 'found', digest, ...single }, async () => {
      throw awsError('ServerException', { httpStatusCode: 500 });
    });
    expect(await checkImage({ ecr: port, place, id: { digest } })).toEqual({ canPull: 'yes', digest, platforms: undefined });
  });

  test('no: there is none', async () => {
    expect(await checkImage({ ecr: ecr({ answer: 'missing' }), place, id: { tag: 'v1' as Tag } })).toEqual({
      canPull: 'no',
      problem: 'there is no image shop/web:v1 in 111111111111',
    });
  });

  test('no: there is none, and the Region is said where it is not the service’s', async () => {
    const elsewhere = 'us-east-1' as Region;
    expect(await checkImage({ ecr: ecr({ answer: 'missing' }), place, id: { tag: 'v1' as Tag }, elsewhere })).toMatchObject({
      problem: 'there is no image shop/web:v1 in 111111111111 (us-east-1)',
    });
  });

  test('no: the repository policy refuses', async () => {
    const reason = 'not authorized because no resource-based policy allows the ecr:BatchGetImage action';
    expect(await checkImage({ ecr: ecr({ answer: 'denied', reason }), place, id: { digest } })).toMatchObject({
      canPull: 'no',
      problem: expect.stringMatching(
        /may not pull shop\/web@sha256:.* in 111111111111: the repository policy does not allow it\. Share the repository/,
      ),
    });
  });

  test('can’t tell: the deploy role itself may not ask', async () => {
    const reason = 'not authorized because no identity-based policy allows the ecr:BatchGetImage action';
    expect(await checkImage({ ecr: ecr({ answer: 'denied', reason }), place, id: { digest } })).toMatchObject({ canPull: 'unknown' });
  });
});

describe('whether it runs on the tasks’ platform', () => {
  const definition: TaskDefinition = { family: 'web', requiresCompatibilities: ['FARGATE'], containerDefinitions: [{ name: 'web' }] };
  const amd64: Platform = { os: 'linux', architecture: 'amd64' };
  const arm64: Platform = { os: 'linux', architecture: 'arm64' };
  test.each<[string, readonly Platform[] | undefined, readonly string[]]>([
    ['one of them fits', [arm64, amd64], []],
    ['unknown', undefined, []],
    ['none fits', [arm64], ['is for linux/arm64, and the tasks of web run on linux/amd64 (runtimePlatform); build it for that platform']],
  ])('%s', (_name, platforms, expected) => {
    expect(platformProblems({ platforms, definition })).toEqual(expected);
  });
});
