/**
 * The real parts beside the action: a Docker engine with buildx, a registry with TLS and a password under the host names of ECR, moto,
 * act and actionlint. `.ci/run` starts them (.ci/parts) and says by variables where they are. A suite that lacks one is skipped with a
 * line that says which; with CI=true that is a failure.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { keyEnvironment } from '../../emulator/identity.ts';
import { Job, type JobOptions, type StepResult } from '../../emulator/runner.ts';
import { accounts, region, roles, startScenario, type Scenario, type ScenarioOptions } from '../../emulator/scenario.ts';

/** A shell for images that are built FROM scratch. */
export const busybox = '/bin/busybox';

/** Where they are if not on PATH. */
export const programs = { act: process.env['ACT'] ?? 'act', actionlint: process.env['ACTIONLINT'] ?? 'actionlint' } as const;

const lacking = {
  engine: () =>
    said('docker', ['version', '--format', '{{.Server.Version}}'])
      ? undefined
      : 'a Docker engine answers no `docker version` (DOCKER_HOST)',
  buildx: () => (said('docker', ['buildx', 'version']) ? undefined : 'the docker CLI has no buildx plugin (DOCKER_CONFIG)'),
  buildkitd: () => missingVariable('BUILDKITD_ADDR'),
  busybox: () => (existsSync(busybox) ? undefined : `there is no ${busybox}, statically linked`),
  registry: () => missingVariable('REGISTRY_CA', 'REGISTRY_PASSWORD', 'NODE_EXTRA_CA_CERTS'),
  moto: () => missingVariable('MOTO_URL'),
  act: () => (said(programs.act, ['--version']) ? undefined : 'there is no act (ACT, or on PATH)'),
  actionlint: () => (said(programs.actionlint, ['-version']) ? undefined : 'there is no actionlint (ACTIONLINT, or on PATH)'),
} as const satisfies Record<string, () => string | undefined>;

export type Part = keyof typeof lacking;

/** A suite that needs real parts. */
export function describeReal(name: string, { needs }: { needs: readonly Part[] }, suite: () => void): void {
  const problems = needs.flatMap((part) => lacking[part]() ?? []);
  if (problems.length === 0) describe(name, suite);
  else if (process.env['CI'] === 'true') {
    test(`${name}: the real parts are there`, () => {
      throw new Error(problems.join('; '));
    });
  } else {
    process.stderr.write(`skipped: ${name}: ${problems.join('; ')}. "bash .ci/run" starts all parts.\n`);
    describe.skip(name, suite);
  }
}

function said(program: string, args: readonly string[]): boolean {
  try {
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000, encoding: 'utf8' }).trim() !== '';
  } catch {
    return false;
  }
}

function missingVariable(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !process.env[name]);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not set`;
}

export function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The name that AWS gives to a registry; /etc/hosts leads to ours. */
export const registryHost = (account: string, inRegion: string): string => `${account}.dkr.ecr.${inRegion}.amazonaws.com`;
export const host = registryHost(accounts.registry, region);

/** For a suite: AWS on localhost with the ECR API over the real registry. What the emulator did not expect fails the suite. */
export function overRegistry(use: (scenario: Scenario) => void, options: ScenarioOptions = {}): void {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario({ registryHosts: registryHost, registryPassword: variable('REGISTRY_PASSWORD'), ...options });
    use(scenario);
  });
  afterAll(async () => {
    const { violations } = scenario.emulator;
    await scenario.emulator.close();
    expect(violations).toEqual([]);
  });
}

/** A repository of this test's own: the registry outlives it. */
export function newRepository({ emulator }: Scenario, settings: { mutability?: 'MUTABLE' | 'IMMUTABLE' } = {}): string {
  const name = `real/${unique()}`;
  emulator.world.repository({ account: accounts.registry, region, name, ...settings });
  return name;
}

export function unique(): string {
  return `t${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}

/** A job that reaches the emulator, the engine and the registry, and nothing else of this machine's configuration. */
export function newJob(scenario: Scenario, { environment = {}, ...options }: JobOptions = {}): Job {
  return new Job({ ...options, environment: { ...jobEnvironment(scenario), ...environment } });
}

/** The variables by which a job reaches them. */
export function jobEnvironment({ emulator }: Scenario): Record<string, string> {
  return emulator.environment({ NODE_EXTRA_CA_CERTS: variable('NODE_EXTRA_CA_CERTS'), DOCKER_HOST: process.env['DOCKER_HOST'] ?? '' });
}

/** The inputs that every mode needs to reach the registry. */
export const registryInputs = { 'aws-region': region, 'registry-role': roles.registry } as const;

/** Why a step failed, for a test that expects it did not. */
export function story({ exitCode, log }: StepResult): string {
  return exitCode === 0 ? 'exit code 0' : `exit code ${exitCode ?? 'none'}\n${log.join('\n')}`;
}

export const helloWorld = resolve(import.meta.dirname, '../../examples/hello-world');

/** Where the docker CLI finds buildx, as `cliPluginsExtraDirs` of the configuration in force; none if it is where every client looks. */
export function pluginFolders(): readonly string[] {
  const file = join(process.env['DOCKER_CONFIG'] ?? '', 'config.json');
  const { cliPluginsExtraDirs = [] } = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { cliPluginsExtraDirs?: string[] })
    : {};
  return cliPluginsExtraDirs;
}

/** A user's Docker configuration, as it may be on a runner: logins elsewhere, a helper for our own host, perhaps buildx. Its path. */
export function writeDockerConfig(folder: string, { buildx }: { buildx: boolean }): string {
  const config = {
    auths: { 'registry.example.com': { auth: Buffer.from('someone:else').toString('base64') } },
    credHelpers: { [host]: 'no-such-helper' },
    ...(buildx && pluginFolders().length > 0 && { cliPluginsExtraDirs: pluginFolders() }),
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'config.json');
  // Not as Docker would write it: whatever rewrites the file shows.
  writeFileSync(file, `${JSON.stringify(config)}\n\n`, { mode: 0o600 });
  return file;
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** What the registry itself says that a tag or digest names; undefined where there is nothing. */
export async function digestInRegistry(repository: string, reference: string): Promise<string | undefined> {
  const response = await askRegistry(`${repository}/manifests/${reference}`, 'HEAD');
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the registry answered ${response.status} for ${repository}:${reference}`);
  return response.headers.get('docker-content-digest') ?? undefined;
}

/** The manifest that a tag or digest names, as the registry has it. */
export async function manifestInRegistry(repository: string, reference: string): Promise<unknown> {
  return (await askRegistry(`${repository}/manifests/${reference}`)).json();
}

export async function tagsInRegistry(repository: string): Promise<readonly string[]> {
  const { tags } = (await (await askRegistry(`${repository}/tags/list`)).json()) as { tags?: string[] | null };
  return (tags ?? []).sort();
}

async function askRegistry(path: string, method = 'GET'): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`AWS:${variable('REGISTRY_PASSWORD')}`).toString('base64')}`;
  return fetch(`https://${host}/v2/${path}`, { method, headers: { authorization, accept: manifestTypes.join(', ') } });
}

const run = promisify(execFile);

/** `docker …` with exactly this environment. */
export async function docker(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const { stdout, stderr } = await run('docker', [...args], { env: { PATH: process.env['PATH'] ?? '', ...environment } });
  return stdout + stderr;
}

export interface DockerCall {
  readonly pid: number;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Recorder {
  /** PATH, with the recorder's docker first. */
  readonly path: string;
  readonly calls: () => readonly DockerCall[];
  readonly remove: () => void;
}

/** A `docker` that notes how it is called and then becomes the real one. */
export function recordingDocker(): Recorder {
  const folder = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-docker-'));
  const path = process.env['PATH'] ?? '';
  const real = path
    .split(delimiter)
    .map((each) => join(each, 'docker'))
    .find((program) => existsSync(program));
  if (real === undefined) throw new Error('no docker on PATH');
  const [program, notes] = [join(folder, 'bin/docker'), join(folder, 'notes')];
  for (const each of [dirname(program), notes]) mkdirSync(each);
  writeFileSync(
    program,
    `#!/bin/sh\nnote='${notes}'/$$\nprintf '%s\\0' "$@" >"$note.arguments"\nenv -0 >"$note.environment"\nexec '${real}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  const pieces = (file: string): string[] => readFileSync(join(notes, file), 'utf8').split('\0').slice(0, -1);
  return {
    path: `${dirname(program)}${delimiter}${path}`,
    calls: () =>
      readdirSync(notes)
        .filter((name) => name.endsWith('.environment'))
        .map((name) => name.split('.')[0] ?? '')
        .map((pid) => ({
          pid: Number(pid),
          arguments: pieces(`${pid}.arguments`),
          environment: Object.fromEntries(
            pieces(`${pid}.environment`).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
          ),
        }))
        .sort((one, other) => one.pid - other.pid),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Every process's command line, by its ID; a zombie has none. */
export function commandLines(): ReadonlyMap<number, string> {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    ids.flatMap((id) => {
      try {
        return [[Number(id), readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()] as const];
      } catch {
        return [];
      }
    }),
  );
}

/** Looks at all processes again and again; gives what it saw. */
export function watchCommandLines(): () => ReadonlySet<string> {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    for (const line of commandLines().values()) seen.add(line);
  }, 15);
  return () => {
    clearInterval(timer);
    return seen;
  };
}

/** The files below a folder, by their path in it, as text. */
export function filesBelow(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    names.filter((name) => statSync(join(folder, name)).isFile()).map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );
}

/** The files below a folder that hold any of these secrets, in the clear or as Basic credentials. */
export function filesWith(folder: string, secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => [secret, Buffer.from(`AWS:${secret}`).toString('base64')]);
  return [...filesBelow(folder)].filter(([, text]) => forms.some((form) => text.includes(form))).map(([name]) => name);
}

export interface Proxy {
  readonly url: string;
  /** `Service_Version.Operation` or the action of a Query request, in order. */
  readonly operations: readonly string[];
  readonly close: () => Promise<void>;
}

/** Stands before moto and notes what is asked. */
export async function startProxy(to: string): Promise<Proxy> {
  const operations: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const target = incoming.headers['x-amz-target'];
      operations.push(String(target ?? new URLSearchParams(body.toString('utf8')).get('Action')).replace(/^.*\./, ''));
      const forward = request(new URL(incoming.url ?? '/', to), { method: incoming.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      forward.on('error', () => outgoing.destroy());
      forward.end(body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    operations,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Keys that moto takes for those of its default account, 123456789012. */
export const motoKeys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' } as const;
export const motoKeyEnvironment = keyEnvironment({ ...motoKeys } as Parameters<typeof keyEnvironment>[0]);
