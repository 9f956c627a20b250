/** A small organization behind an emulator, and clients of every account: what the emulator's tests start from. */
import { ECRClient } from '@aws-sdk/client-ecr';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { STSClient } from '@aws-sdk/client-sts';
import { createHash } from 'node:crypto';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/emulator.ts';
import type { AccessKey } from '../../emulator/identity.ts';
import { World } from '../../emulator/world.ts';

export const shared = '111111111111';
export const devA = '222222222222';
export const devB = '333333333333';
export const outside = '444444444444';
export const management = '999999999999';
export const region = 'eu-west-1';
export const organizationId = 'o-a1b2c3d4e5';
export const developmentOu = 'ou-ab12-11111111';
export const orgPathPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Dev',
      Effect: 'Allow',
      Principal: '*',
      Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability'],
      Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': [`${organizationId}/*/${developmentOu}/*`] } },
    },
  ],
});

export function newWorld(): World {
  const world = new World();
  world.organization({ id: organizationId, rootId: 'r-ab12', management });
  const services = world.ou('Services', { id: 'ou-ab12-00000000' });
  const development = world.ou('Workloads/Development', { id: developmentOu });
  world.account(shared, { name: 'shared', ou: services });
  world.account(devA, { name: 'dev-a', ou: development });
  world.account(devB, { name: 'dev-b', ou: development });
  world.account(outside, { name: 'outside' });
  world.repository({ account: shared, region, name: 'shop/web' });
  return world;
}

export interface Started {
  readonly emulator: Emulator;
  readonly world: World;
  /** A user's key in an account, made once. */
  readonly key: (account: string) => AccessKey;
  readonly ecr: (account: string | AccessKey) => ECRClient;
  readonly sts: (account: string | AccessKey) => STSClient;
  readonly organizations: (account: string | AccessKey) => OrganizationsClient;
  /** A request to an account's registry as `docker` would send it. */
  readonly registry: (account: string, as?: string) => Promise<RegistryClient>;
}

export type RegistryClient = (
  method: string,
  path: string,
  given?: { body?: string | Buffer; headers?: Record<string, string> },
) => Promise<Response>;

export async function start(options: EmulatorOptions = {}): Promise<Started> {
  const world = options.world ?? newWorld();
  const emulator = await startEmulator({ world, ...options });
  const keys = new Map<string, AccessKey>();
  const key = (account: string) => {
    const known = keys.get(account) ?? world.user(account, 'tester');
    keys.set(account, known);
    return known;
  };
  const configuration = (of: string | AccessKey) => ({
    endpoint: emulator.url,
    region,
    credentials: typeof of === 'string' ? key(of) : of,
    maxAttempts: 1,
  });
  return {
    emulator,
    world,
    key,
    ecr: (of) => new ECRClient(configuration(of)),
    sts: (of) => new STSClient(configuration(of)),
    organizations: (of) => new OrganizationsClient(configuration(of)),
    registry: async (account, as = account) => {
      const host = await emulator.registryHost(account);
      const password = passwordOf(world, key(as));
      return (method, path, { body, headers = {} } = {}) =>
        fetch(`http://${host}${path}`, {
          method,
          headers: { authorization: `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`, ...headers },
          ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
        });
    },
  };
}

function passwordOf(world: World, key: AccessKey): string {
  const password = `password-of-${key.accessKeyId}`;
  world.registryTokens.set(password, { key, region, expiresAt: world.sessionTime() + 43_200_000 });
  return password;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';
export const sha256 = (bytes: string | Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface PushedImage {
  readonly digest: string;
  readonly manifest: string;
  readonly layer: string;
}

/** Pushes a one-layer image as a client does: uploads, then the manifest. */
export async function pushImage(
  registry: RegistryClient,
  given: { name?: string; tag?: string; content?: string } = {},
): Promise<PushedImage & { response: Response }> {
  const { name = 'shop/web', content = 'hello', tag } = given;
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', content });
  for (const blob of [config, content]) {
    const opened = await registry('POST', `/v2/${name}/blobs/uploads/`);
    const location = new URL(opened.headers.get('location') ?? 'http://none/');
    await registry('PUT', `${location.pathname}?digest=${sha256(blob)}`, { body: blob });
  }
  const descriptor = (mediaType: string, blob: string) => ({ mediaType, digest: sha256(blob), size: blob.length });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', content)],
  });
  const digest = sha256(manifest);
  const response = await registry('PUT', `/v2/${name}/manifests/${tag ?? digest}`, {
    body: manifest,
    headers: { 'content-type': manifestType },
  });
  return { digest, manifest, layer: sha256(content), response };
}

/** The name of the error that a promise is rejected with; `none` if it isn't. */
export async function errorOf(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await promise;
    return { name: 'none', message: '' };
  } catch (error) {
    return error instanceof Error ? { name: error.name, message: error.message } : { name: 'unknown', message: String(error) };
  }
}
