/**
 * HTTP for registries: the toolkit's client (it knows HTTPS_PROXY, HTTP_PROXY and NO_PROXY), abortable, and with passing faults
 * tried again. AWS's own APIs are called through the SDK, not through this.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpClient } from '@actions/http-client';
import { isNetworkFault } from './aws.ts';
import type { Clock } from './clock.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: (() => Readable) | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A reply whose body is still to be read, or destroyed. */
export interface HttpStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface Http {
  /**
   * Sends a request; the reply may have any status. A PATCH is sent once: its bytes would be added to those that came through.
   * @throws NoAnswer when no attempt was answered; the signal's reason when aborted
   */
  send(request: HttpRequest): Promise<HttpReply>;
  /** As `send`, for a reply that is too large for memory. What fails while it is read is the reader's. */
  open(request: HttpRequest): Promise<HttpStream>;
  close(): void;
}

/** The network failed: the request may or may not have arrived. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer' as const;
  /** The system's, such as ECONNRESET. */
  readonly code: string;

  constructor(message: string, { code, cause }: { code: string; cause: unknown }) {
    super(message, { cause });
    this.code = code;
  }

  /** Whether another attempt may be answered; a certificate that is not trusted stays so. */
  get passing(): boolean {
    return isNetworkFault(this) || this.message.startsWith('Request timeout');
  }
}

const attempts = 5;
const firstPause = 500;
const longestPause = 10_000;
const idleTimeout = 60_000;

/** One exchange with a host: its connections are kept until it is closed. */
export function openHttp({ clock, signal }: { clock: Clock; signal?: AbortSignal | undefined }): Http {
  // A body that can't be read ends the exchange: it would fail again.
  const broken = new AbortController();
  const ended = signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]);
  const client = (allowRedirects: boolean): HttpClient =>
    new HttpClient('ecr-org-deploy', [abortable(ended)], { keepAlive: true, allowRedirects, socketTimeout: idleTimeout });
  // A body is a stream, which can't be sent again to where a redirect points.
  const [reading, sending] = [client(true), client(false)];

  const open = async ({ method, url, headers = {}, body }: HttpRequest): Promise<HttpStream> => {
    const stream = body?.();
    stream?.on('error', (error) => broken.abort(error));
    const { message } = await (stream ? sending : reading).request(method, url, stream ?? null, { ...headers });
    return { status: message.statusCode ?? 0, headers: message.headers, body: message };
  };

  const read = async (request: HttpRequest): Promise<HttpReply> => {
    const { body, ...reply } = await open(request);
    return { ...reply, text: await textOf(body) };
  };

  const retried = async <R extends { readonly status: number }>(
    request: HttpRequest,
    attempt: (request: HttpRequest) => Promise<R>,
    made = 1,
  ): Promise<R> => {
    ended.throwIfAborted();
    const outcome = await attempt(request).catch(noAnswer);
    ended.throwIfAborted();
    const passing = outcome instanceof NoAnswer ? outcome.passing : isPassingStatus(outcome.status);
    if (passing && made < attempts && request.method !== 'PATCH') {
      const longest = Math.min(longestPause, firstPause * 2 ** made);
      await clock.sleep(clock.random() * longest, ended);
      return retried(request, attempt, made + 1);
    }
    if (outcome instanceof NoAnswer) throw outcome;
    return outcome;
  };

  return {
    send: async (request) => retried(request, read),
    open: async (request) => retried(request, open),
    close: () => {
      reading.dispose();
      sending.dispose();
    },
  };
}

/** `localhost`, 127.0.0.0/8 and ::1 are spoken to in the clear, as Docker does; all others by TLS. */
export function baseUrl(host: string): string {
  const name = host.replace(/:\d+$/, '');
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(name);
  return `${loopback ? 'http' : 'https'}://${host}`;
}

/** The toolkit takes no signal, but lets a handler complete the options of each request. */
function abortable(signal: AbortSignal): NonNullable<ConstructorParameters<typeof HttpClient>[1]>[number] {
  return {
    prepareRequest: (options) => {
      options.signal = signal;
    },
    canHandleAuthentication: () => false,
    handleAuthentication: async () => Promise.reject(new Error('never asked to')),
  };
}

/** The toolkit's own readBody never ends when the connection is cut. */
async function textOf(message: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function isPassingStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** What the network did, as far as Node tells it. */
export function noAnswer(cause: unknown): NoAnswer {
  const { code, message } = cause as { code?: unknown; message?: string };
  return new NoAnswer(message ?? String(cause), { code: typeof code === 'string' ? code : 'NoAnswer', cause });
}
