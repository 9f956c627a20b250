/**
 * AWS on localhost: one HTTP server for the AWS APIs and the GitHub endpoints, and one for each registry that ECR names.
 *
 *     const emulator = await startEmulator({ world, speed: 600 });
 *     spawn('node', ['dist/main.js'], { env: { ...process.env, ...emulator.environment(keyEnvironment(key)) } });
 *     …
 *     await emulator.close();
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Blobs } from './blobs.ts';
import { EmulatorClock } from './clock.ts';
import { ecrPublicService } from './ecr-public.ts';
import { ecrService, type Ecr, type RegistryHosts } from './ecr.ts';
import { Faults } from './faults.ts';
import { Github } from './github.ts';
import { readBody, send, serveAws, type Shared } from './http.ts';
import { MemoryImageStore } from './image-store.ts';
import { Journal } from './journal.ts';
import { organizationsService, type OrganizationsOptions } from './organizations.ts';
import { closeServer, listen, RegistryServers } from './registry/servers.ts';
import { RemoteImageStore } from './remote-image-store.ts';
import type { Service } from './service.ts';
import { stsService } from './sts.ts';
import { World } from './world.ts';

export interface EmulatorOptions {
  /** How many times as fast as real time AWS's clock runs. Default: that of the world's clock, 1. */
  readonly speed?: number;
  readonly world?: World;
  /** `loopback`: our own registries. A function: the host (`host[:port]`, by HTTPS, or a base URL) of a real registry that stands in for ours. */
  readonly registryHosts?: 'loopback' | ((account: string, region: string) => string);
  /** The password of that real registry, for user `AWS`. */
  readonly registryPassword?: string;
  readonly latency?: { readonly perRequestMs?: number; readonly firstOnConnectionMs?: number };
  readonly organizations?: OrganizationsOptions;
  /** Services written elsewhere: ECS, CodeDeploy. */
  readonly services?: readonly Service[];
  /** The API server's port; 0, the default, is any free one. */
  readonly port?: number;
  readonly region?: string;
  /** Gets a line for each request. */
  readonly log?: (line: string) => void;
}

export interface Emulator {
  /** `http://127.0.0.1:<port>`: AWS_ENDPOINT_URL. */
  readonly url: string;
  readonly world: World;
  readonly clock: EmulatorClock;
  readonly requests: Journal;
  readonly faults: Faults;
  readonly github: Github;
  /** What the emulator did not expect. A test fails on any. */
  readonly violations: readonly string[];
  /** The host that ECR names for an account's registry: `127.0.0.1:<port>`. */
  readonly registryHost: (account: string, region?: string) => Promise<string>;
  /** The variables by which the action finds this emulator, with further ones of your own. */
  readonly environment: (extra?: Readonly<Record<string, string>>) => Record<string, string>;
  readonly close: () => Promise<void>;
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { world = new World(), latency = {}, region = 'eu-west-1', log = () => undefined } = options;
  if (options.speed !== undefined) world.useClock(new EmulatorClock(options.speed));
  const shared: Shared = { world, faults: new Faults(), journal: new Journal(), violations: [], log };
  const github = new Github(shared);
  const { ecr, close: closeRegistries } = registries(shared, options);
  const services = [
    stsService({ world, identity: github.identity }),
    organizationsService({ world, ...options.organizations }),
    ecrService(ecr),
    ecrPublicService(ecr),
    ...(options.services ?? []),
  ];

  const seen = new WeakSet<Socket>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const delay = (latency.perRequestMs ?? 0) + (seen.has(request.socket) ? 0 : (latency.firstOnConnectionMs ?? 0));
    seen.add(request.socket);
    const body = await readBody(request);
    if (delay > 0) await sleep(delay);
    if (await github.serve({ request, response, body })) return;
    if (await serveAws(shared, services, { request, response, body })) return;
    shared.violations.push(`${request.method ?? ''} ${request.url ?? ''} is not a path of the emulator`);
    send(response, 404, 'application/json', JSON.stringify({ message: 'Not Found' }));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return;
      shared.violations.push(
        `${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (!response.headersSent)
        send(response, 500, 'application/json', JSON.stringify({ __type: 'InternalFailure', message: 'Internal failure' }));
    });
  });
  server.keepAliveTimeout = 60_000;
  const url = await listen(server, options.port ?? 0);

  return {
    url,
    world,
    clock: world.clock,
    requests: shared.journal,
    faults: shared.faults,
    github,
    violations: shared.violations,
    registryHost: async (account, registryRegion = region) =>
      (await ecr.hosts.endpoint(account, registryRegion)).replace(/^https?:\/\//, ''),
    environment: (extra = {}) => ({
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      GITHUB_API_URL: `${url}/api/v3`,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/oidc/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: github.identity.requestToken,
      ...extra,
    }),
    close: async () => {
      await closeServer(server);
      await closeRegistries();
    },
  };
}

/** Our own registries on loopback, or a real one beside us. */
function registries(
  shared: Shared,
  { registryHosts = 'loopback', registryPassword, latency = {} }: EmulatorOptions,
): { ecr: Ecr; close: () => Promise<void> } {
  const { world, faults } = shared;
  if (registryHosts !== 'loopback') {
    const endpoint = (account: string, region: string) => {
      const host = registryHosts(account, region);
      return Promise.resolve(host.includes('://') ? host : `https://${host}`);
    };
    const hosts: RegistryHosts = { endpoint, password: registryPassword };
    return { ecr: { world, faults, hosts, images: new RemoteImageStore({ world, hosts }) }, close: () => Promise.resolve() };
  }
  const blobs = new Blobs();
  const servers: RegistryServers = new RegistryServers({ shared, blobs, ecr: () => ecr, perRequestMs: latency.perRequestMs ?? 0 });
  const ecr: Ecr = { world, faults, hosts: servers, images: new MemoryImageStore({ world, blobs }) };
  return { ecr, close: () => servers.close() };
}
