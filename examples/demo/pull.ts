/** Pulls an image as a task of another account would: with that account's own credentials, which ECR turns into a registry login. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { region, roles, type Scenario } from '../../emulator/scenario.ts';

const run = promisify(execFile);

export interface Pull {
  readonly pulled: boolean;
  /** The registry's words. */
  readonly answer: string;
}

export async function pullAs({
  scenario,
  account,
  image,
  docker,
}: {
  scenario: Scenario;
  account: string;
  image: string;
  docker: boolean;
}): Promise<Pull> {
  const password = await loginPassword({ scenario, account });
  // The registry is always asked: an engine that has the image already (its own build, another account's pull) asks nobody.
  const asked = await pullOverHttp({ image, password });
  return docker && asked.pulled ? pullWithDocker({ image, password }) : asked;
}

async function loginPassword({ scenario, account }: { scenario: Scenario; account: string }): Promise<string> {
  const { world, url } = scenario.emulator;
  const role = world.findRole(roles.execution(account));
  if (!role) throw new Error(`account ${account} has no execution role`);
  const ecr = new ECRClient({ region, endpoint: url, credentials: world.session(role) });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  ecr.destroy();
  return Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64')
    .toString('utf8')
    .replace(/^AWS:/, '');
}

async function pullWithDocker({ image, password }: { image: string; password: string }): Promise<Pull> {
  const config = await mkdtemp(join(tmpdir(), 'ecr-org-deploy-pull-'));
  const env = { ...process.env, DOCKER_CONFIG: config };
  try {
    const login = run('docker', ['login', '--username', 'AWS', '--password-stdin', image.split('/')[0] ?? ''], { env });
    login.child.stdin?.end(password);
    await login;
    const { stdout } = await run('docker', ['pull', image], { env });
    await run('docker', ['rmi', '--force', image], { env });
    return { pulled: true, answer: stdout.split('\n').find((line) => line.startsWith('Status:')) ?? '' };
  } catch (error) {
    return { pulled: false, answer: error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error) };
  } finally {
    await rm(config, { recursive: true, force: true });
  }
}

async function pullOverHttp({ image, password }: { image: string; password: string }): Promise<Pull> {
  const [, host = '', repository = '', digest = ''] = /^([^/]+)\/(.+)@(sha256:.+)$/.exec(image) ?? [];
  const headers = { authorization: `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`, accept: '*/*' };
  const get = async (path: string): Promise<Response> => fetch(`http://${host}/v2/${repository}/${path}`, { headers });
  const manifest = await get(`manifests/${digest}`);
  if (!manifest.ok) return { pulled: false, answer: `${manifest.status} ${await manifest.text()}` };
  const { layers = [] } = (await manifest.json()) as { layers?: { digest: string; size: number }[] };
  for (const layer of layers) {
    const blob = await get(`blobs/${layer.digest}`);
    if (!blob.ok) return { pulled: false, answer: `${blob.status} ${await blob.text()}` };
    await blob.arrayBuffer();
  }
  return { pulled: true, answer: `${digest.slice(0, 19)}… with ${layers.length} layer${layers.length === 1 ? '' : 's'}` };
}
