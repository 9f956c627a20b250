/**
 * An HTTP proxy on loopback that speaks CONNECT only, as companies have them between their runners and the internet. Where a host
 * really is, the test says: names that no resolver knows lead to servers on loopback.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeServer, listen } from './registry/servers.ts';

export interface ProxyOptions {
  /** Where `host:port` is: a port on loopback, or a place; undefined: 502, as for a host that can't be reached. */
  readonly route: (authority: string) => number | { readonly host: string; readonly port: number } | undefined;
  /** `user:password`, without which it answers 407. */
  readonly credentials?: string;
}

export interface ConnectProxy {
  /** `http://127.0.0.1:<port>`: HTTPS_PROXY and HTTP_PROXY. */
  readonly url: string;
  /** `host:port` of each tunnel that was asked for, in order. */
  readonly tunnels: readonly string[];
  readonly close: () => Promise<void>;
}

export async function startProxy({ route, credentials }: ProxyOptions): Promise<ConnectProxy> {
  const tunnels: string[] = [];
  const open = new Set<Duplex>();
  const server = createServer((_, response) => void response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const authority = request.url ?? '';
    tunnels.push(authority);
    const refuse = (status: string) => client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
    const [, given = ''] = (request.headers['proxy-authorization'] ?? '').split(' ');
    if (credentials !== undefined && Buffer.from(given, 'base64').toString() !== credentials)
      return void refuse('407 Proxy Authentication Required');
    const place = route(authority);
    if (place === undefined) return void refuse('502 Bad Gateway');
    const upstream = connect(typeof place === 'number' ? { host: '127.0.0.1', port: place } : place, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    for (const end of [client, upstream]) {
      open.add(end);
      end.on('error', () => [client, upstream].forEach((each) => each.destroy()));
      end.on('close', () => [client, upstream].forEach((each) => each.destroy()));
    }
  });
  const url = await listen(server, 0);
  return {
    url,
    tunnels,
    close: async () => {
      for (const end of open) end.destroy();
      await closeServer(server);
    },
  };
}
