/**
 * Proxies for the SDK, which knows none. Whether there is one for a host is decided by the toolkit, as for everything else that is
 * spoken to: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in small letters or capitals; never for loopback. The SDK then talks through a tunnel
 * (CONNECT: https://www.rfc-editor.org/rfc/rfc9110#name-connect), so a proxy sees host names and nothing else.
 */
import http from 'node:http';
import https from 'node:https';
import { isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getProxyUrl } from '@actions/http-client';
import { toError } from '../errors.ts';

export interface ProxyAgents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

/** Agents for the SDK's requests; undefined where the environment names no proxy, and the SDK's own do. */
export function proxyAgents(environment: Readonly<Record<string, string | undefined>> = process.env): ProxyAgents | undefined {
  const isNamed = Object.entries(environment).some(([name, value]) => /^https?_proxy$/i.test(name) && value !== '');
  return isNamed ? { httpAgent: new TunnelAgent(settings), httpsAgent: new TlsTunnelAgent(settings) } : undefined;
}

/** As the SDK's own agents. */
const settings = { keepAlive: true, maxSockets: 50 };

type Connect = (error: Error | null, stream: Duplex) => void;

class TunnelAgent extends http.Agent {
  override createConnection(options: http.ClientRequestArgs, connected?: Connect): Duplex | null | undefined {
    return connect('http:', options, { connected, direct: () => super.createConnection(options, connected), through: (socket) => socket });
  }
}

class TlsTunnelAgent extends https.Agent {
  override createConnection(options: https.RequestOptions, connected?: Connect): Duplex | null | undefined {
    return connect('https:', options, {
      connected,
      direct: () => super.createConnection(options, connected),
      // TLS is spoken with the host behind the tunnel, and its certificate is checked as ever.
      through: (socket) => super.createConnection({ ...options, socket } as https.RequestOptions),
    });
  }
}

interface Connecting {
  readonly connected: Connect | undefined;
  readonly direct: () => Duplex | null | undefined;
  readonly through: (socket: Socket) => Duplex | null | undefined;
}

function connect(
  protocol: string,
  { host, port }: Pick<http.ClientRequestArgs, 'host' | 'port'>,
  { connected, direct, through }: Connecting,
): Duplex | null | undefined {
  const name = host ?? 'localhost';
  const authority = `${isIPv6(name) ? `[${name}]` : name}:${port ?? ''}`;
  const proxy = getProxyUrl(`${protocol}//${authority}`);
  if (proxy === '') return direct();
  tunnel(new URL(proxy), authority).then(
    (socket) => connected?.(null, through(socket) ?? socket),
    // A connection that failed has no stream.
    (error: unknown) => connected?.(toError(error), undefined as unknown as Duplex),
  );
  return undefined;
}

async function tunnel(proxy: URL, authority: string): Promise<Socket> {
  const { protocol, hostname, port, username, password } = proxy;
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const request = (protocol === 'https:' ? https : http).request({
    method: 'CONNECT',
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port || (protocol === 'https:' ? 443 : 80),
    path: authority,
    headers: { host: authority, ...(username !== '' && { 'proxy-authorization': `Basic ${secret}` }) },
    agent: false,
  });
  return new Promise((resolve, reject) => {
    request.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new ProxyRefused(`the proxy ${proxy.host} answered ${statusCode} to CONNECT ${authority}`));
    });
    request.once('error', (error) => reject(new ProxyRefused(`the proxy ${proxy.host} can’t be used: ${error.message}`, error)));
    request.end();
  });
}

class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused' as const;
  /** The system's, by which the SDK knows what to try again. */
  readonly code: string | undefined;

  constructor(why: string, cause?: Error) {
    super(`${why} (HTTPS_PROXY, HTTP_PROXY; what needs no proxy belongs into NO_PROXY)`, { cause });
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}
