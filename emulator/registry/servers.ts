/** The registries' HTTP servers on loopback: one for each account and Region, started when ECR first names it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Blobs } from '../blobs.ts';
import type { Ecr, RegistryHosts } from '../ecr/target.ts';
import type { Shared } from '../http.ts';
import { serveRegistry } from '../registry.ts';

export class RegistryServers implements RegistryHosts {
  readonly #started = new Map<string, Promise<{ url: string; server: Server }>>();
  readonly #serving: { shared: Shared; blobs: Blobs; ecr: () => Ecr; perRequestMs: number };

  constructor(serving: { shared: Shared; blobs: Blobs; ecr: () => Ecr; perRequestMs: number }) {
    this.#serving = serving;
  }

  async endpoint(account: string, region: string): Promise<string> {
    const key = `${account}/${region}`;
    const started = this.#started.get(key) ?? this.#start(account, region);
    this.#started.set(key, started);
    return (await started).url;
  }

  async close(): Promise<void> {
    for (const { server } of await Promise.all(this.#started.values())) await closeServer(server);
  }

  async #start(account: string, region: string): Promise<{ url: string; server: Server }> {
    const { shared, blobs, ecr, perRequestMs } = this.#serving;
    const server = createServer((request, response) => {
      const serve = async () => {
        if (perRequestMs > 0) await sleep(perRequestMs);
        await serveRegistry({ shared, blobs, ecr: ecr(), account, region }, { request, response });
      };
      serve().catch((error: unknown) => shared.violations.push(`registry ${account}: ${String(error)}`));
    });
    return { url: await listen(server, 0), server };
  }
}

/** Listens on loopback; 0 is any free port. */
export async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
