import { describe, expect, test } from '@jest/globals';
import type { AccountId, Region, RoleArn } from '../../src/domain/account.ts';
import type { Digest } from '../../src/domain/image.ts';
import { parseImageWishes } from '../../src/domain/image-wish.ts';
import type { Session } from '../../src/ports/credentials.ts';
import type { Ecr, ManifestAnswer } from '../../src/ports/ecr.ts';
import type { Ports } from '../../src/ports/index.ts';
import { findImages, imageInputProblems, imageProblems, type FindInputs, type FoundImage } from '../../src/steps/find-image.ts';
import type { RegistryInputs } from '../../src/steps/sessions.ts';
import { Setting, someInputs } from './deployment-setting.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const shared = '111111111111' as AccountId;
const role = 'arn:aws:iam::111111111111:role/ecr' as RoleArn;
const host = (account: string): string => `${account}.dkr.ecr.eu-west-1.amazonaws.com`;
const found: ManifestAnswer = { answer: 'found', digest, mediaType: 'application/vnd.oci.image.index.v1+json', text: '{"manifests":[]}' };

interface Given {
  readonly image: string;
  readonly inputs?: Partial<RegistryInputs>;
  readonly deploy?: ManifestAnswer;
  readonly endpoint?: string;
}

function inputsOf({ image, inputs = {} }: Given): FindInputs {
  const parsed = parseImageWishes(image);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { ...someInputs, 'registry-id': undefined, 'registry-role': undefined, ...inputs, image: parsed.value };
}

async function find(given: Given): Promise<{ found: FoundImage; calls: readonly string[] }> {
  const { all, calls } = await findAll(given);
  const [found] = all;
  if (!found) throw new Error('nothing was looked for');
  return { found, calls };
}

async function findAll(given: Given): Promise<{ all: readonly FoundImage[]; calls: readonly string[] }> {
  const setting = new Setting();
  const calls: string[] = [];
  const ecr = ({ side, region }: Session): Ecr => {
    const port: Partial<Ecr> = {
      authorization: async () => {
        calls.push(`${side} ${region} GetAuthorizationToken`);
        return {
          username: 'AWS',
          password: 'x',
          expiresAt: undefined,
          host: given.endpoint ?? host(side === 'registry' ? shared : '222222222222'),
        };
      },
      manifest: async ({ registryId }, id) => {
        calls.push(`${side} ${region} BatchGetImage ${registryId ?? 'own'} ${Object.values(id).join('')}`);
        return side === 'deploy' ? (given.deploy ?? found) : found;
      },
    };
    return port as Ecr;
  };
  const registry: Session = { ...setting.session, side: 'registry', region: 'eu-west-1' as Region };
  const ports: Partial<Ports> = { ...setting.ports, ecr, credentials: { open: () => registry, available: async () => true } };
  return { all: await findImages({ inputs: inputsOf(given), side: setting.side, ports: ports as Ports }), calls };
}

describe('the image', () => {
  test('by digest, with its host: one call, in its own Region and registry', async () => {
    const image = `111111111111.dkr.ecr.us-east-1.amazonaws.com/shop/web@${digest}`;
    expect(await find({ image })).toMatchObject({
      found: {
        image: { host: '111111111111.dkr.ecr.us-east-1.amazonaws.com', repository: 'shop/web', digest },
        platforms: [],
        problems: [],
        warnings: [],
        notes: [`The image ${image} is in us-east-1, and the service in eu-west-1: the tasks pull it from there.`],
      },
      calls: [`deploy us-east-1 BatchGetImage 111111111111 ${digest}`],
    });
  });

  test('by tag: resolved by the same call', async () => {
    const { found: result, calls } = await find({ image: `${host(shared)}/shop/web:v1` });
    expect(result.image?.digest).toBe(digest);
    expect(calls).toEqual(['deploy eu-west-1 BatchGetImage 111111111111 v1']);
  });

  test('without a host, by registry-id: the account is put into the host that ECR names', async () => {
    const { found: result } = await find({ image: `shop/web@${digest}`, inputs: { 'registry-id': shared } });
    expect(result.image?.host).toBe(host(shared));
  });

  test('without a host, by registry-role: the host is the registry’s own', async () => {
    const { found: result, calls } = await find({
      image: `shop/web@${digest}`,
      inputs: { 'registry-role': role },
      endpoint: '127.0.0.1:5000',
    });
    expect(result.image?.host).toBe('127.0.0.1:5000');
    expect(calls).toContain('registry eu-west-1 GetAuthorizationToken');
  });

  test('a host without digits can’t be completed', async () => {
    const { found: result } = await find({ image: `shop/web@${digest}`, inputs: { 'registry-id': shared }, endpoint: '127.0.0.1:5000' });
    expect(result.problems).toMatchObject([{ input: 'image', problem: expect.stringMatching(/give the full URI, or registry-role/) }]);
  });

  test('a tag that the deploy side may not read is read by the registry’s role', async () => {
    const deploy: ManifestAnswer = { answer: 'denied', reason: 'no identity-based policy allows it' };
    const { found: result } = await find({ image: `${host(shared)}/shop/web:v1`, inputs: { 'registry-role': role }, deploy });
    expect(result).toMatchObject({ image: { digest }, problems: [], warnings: [expect.stringMatching(/can't be told/)] });
  });

  test('and without such a role can’t be resolved', async () => {
    const deploy: ManifestAnswer = { answer: 'denied', reason: 'no identity-based policy allows it' };
    const { found: result } = await find({ image: `${host(shared)}/shop/web:v1`, deploy });
    expect(result.problems).toMatchObject([{ problem: expect.stringMatching(/can't be resolved to its digest/) }]);
  });

  test('in a registry that nobody names is deployed with a warning', async () => {
    const { found: result, calls } = await find({ image: `registry.example/shop/web@${digest}` });
    expect(result).toMatchObject({
      image: { host: 'registry.example' },
      problems: [],
      warnings: [expect.stringMatching(/registry-id would say/)],
    });
    expect(calls).toEqual([]);
  });
});

describe('a line for each container', () => {
  const both = `web=${host(shared)}/shop/web:v1\nproxy=333333333333.dkr.ecr.us-east-1.amazonaws.com/infra/proxy@${digest}`;
  test('of any account and Region: each is looked for where it is', async () => {
    const { all, calls } = await findAll({ image: both, inputs: { 'registry-role': role } });
    expect(all.map(({ wish, image }) => [wish.container, image?.host, image?.repository])).toEqual([
      ['web', host(shared), 'shop/web'],
      ['proxy', '333333333333.dkr.ecr.us-east-1.amazonaws.com', 'infra/proxy'],
    ]);
    expect(calls).toEqual(['deploy eu-west-1 BatchGetImage 111111111111 v1', `deploy us-east-1 BatchGetImage 333333333333 ${digest}`]);
  });

  test('without hosts: the registry is asked for its host once', async () => {
    const { all, calls } = await findAll({
      image: `web=shop/web@${digest}\nproxy=infra/proxy@${digest}`,
      inputs: { 'registry-role': role },
    });
    expect(all.map(({ image }) => image?.host)).toEqual([host(shared), host(shared)]);
    expect(calls.filter((call) => call.includes('Authorization'))).toHaveLength(1);
  });

  test('what is wrong is said of which, all at once', async () => {
    const { all } = await findAll({ image: both, deploy: { answer: 'missing' } });
    expect(imageProblems(all, undefined)).toEqual([
      { input: 'image', problem: 'web: there is no image shop/web:v1 in 111111111111' },
      { input: 'image', problem: `proxy: there is no image infra/proxy@${digest} in 333333333333 (us-east-1)` },
    ]);
  });

  test('the registry’s own role is not asked for a tag of another registry', async () => {
    const deploy: ManifestAnswer = { answer: 'denied', reason: 'no identity-based policy allows it' };
    const { all, calls } = await findAll({ image: `web=${host('333333333333')}/shop/web:v1`, inputs: { 'registry-role': role }, deploy });
    expect(all).toMatchObject([{ image: undefined, problems: [{ problem: expect.stringMatching(/^web: .*can't be resolved/) }] }]);
    expect(calls.filter((call) => call.startsWith('registry'))).toEqual([]);
  });
});

describe('what the inputs alone show', () => {
  test.each<[string, Given, readonly string[]]>([
    ['nothing', { image: `${host(shared)}/shop/web@${digest}` }, []],
    ['no registry', { image: `shop/web@${digest}` }, ['registry-id']],
    ['no registry, said once', { image: `a=shop/web@${digest}\nb=shop/web@${digest}` }, ['registry-id']],
    ['lines of two accounts', { image: `a=${host('333333333333')}/shop/web@${digest}`, inputs: { 'registry-id': shared } }, []],
    ['two accounts', { image: `${host('333333333333')}/shop/web@${digest}`, inputs: { 'registry-id': shared } }, ['image']],
  ])('%s', (_name, given, expected) => {
    expect(imageInputProblems(inputsOf(given)).map(({ input }) => input)).toEqual(expected);
  });
});
