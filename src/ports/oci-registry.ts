/**
 * The registry's HTTP API (OCI distribution spec, spec.md): images are read, pushed and copied without Docker. A push is in the order
 * that keeps the registry whole at any moment: blobs, child manifests, then the image under its tags.
 *
 *   GET   /v2/                          → 401 with the challenge: Basic (ECR) or Bearer
 *   GET   /v2/<name>/manifests/<tag or digest>,  GET /v2/<name>/blobs/<digest>
 *   HEAD  /v2/<name>/blobs/<digest>     → 200: it is there already
 *   POST  /v2/<name>/blobs/uploads/?mount=<digest>&from=<name>  → 201: taken over from another repository, 202: as below
 *   POST  /v2/<name>/blobs/uploads/     → 202 Location;  PATCH Location <bytes> → 202 Location;  PUT Location?digest= → 201
 *   PUT   /v2/<name>/manifests/<tag or digest>
 *
 * Failures are told in the words of ECR's API, which answers behind these calls and which IAM policies name.
 */
import { Readable } from 'node:stream';
import { apiName, parseEcrHost, type Digest, type RepositoryName, type Tag } from '../domain/image.ts';
import { manifestMediaTypes, parseConfiguration, parseManifest, platformsOf, type Descriptor, type Platform } from '../domain/oci.ts';
import { AwsError } from '../errors.ts';
import { atMost } from './at-most.ts';
import type { Clock } from './clock.ts';
import type { RegistryLogin, RegistryService } from './ecr.ts';
import { baseUrl, noAnswer, NoAnswer, openHttp, type Http, type HttpReply, type HttpRequest, type HttpStream } from './http.ts';
import { digestOf, largestManifest, type OciBlob, type OciImage, type OciManifest } from './oci-image.ts';
import { readOciLayout } from './oci-layout.ts';

export interface RegistryPlace {
  readonly host: string;
  readonly repository: RepositoryName;
  /** Undefined: as anybody. */
  readonly login: RegistryLogin | undefined;
}

export interface PushRequest extends RegistryPlace {
  readonly image: OciImage;
  /** With none, the image is pushed by its digest alone. */
  readonly tags: readonly Tag[];
  /** A repository of the same registry that has the blobs: they are taken over from there where the registry can do that. */
  readonly mountFrom?: RepositoryName;
  readonly signal: AbortSignal;
}

export interface ReadRequest extends RegistryPlace {
  readonly reference: Tag | Digest;
  readonly signal: AbortSignal;
}

export interface OciRegistry {
  /**
   * Reads the layout in a folder or a tar archive and checks every blob of its image against its digest; no network.
   * @throws DocumentError with every problem of the layout
   */
  layout(path: string): Promise<OciImage>;
  /**
   * Reads an image of a registry: its manifests, each checked against its digest. Blobs are read when they are pushed elsewhere.
   * @returns undefined where there is no such image
   * @throws AwsError where the registry refuses
   */
  read(request: ReadRequest): Promise<OciImage | undefined>;
  /**
   * Pushes blobs that are missing, then manifests, children first, then the image under each tag.
   * @throws AwsError where the registry refuses; the signal's reason when aborted
   */
  push(request: PushRequest): Promise<void>;
}

/** Uploads at the same time. */
const lanes = 4;
const uploadAttempts = 3;

export function httpOciRegistry({ clock }: { clock: Clock }): OciRegistry {
  const exchange = async <T>(place: RegistryPlace, { signal, scope }: Exchange, work: (talk: Talk) => Promise<T>): Promise<T> => {
    const http = openHttp({ clock, signal });
    try {
      return await work(await openTalk({ http, place, scope }));
    } finally {
      http.close();
    }
  };

  const push = async (request: PushRequest): Promise<void> =>
    exchange(request, { signal: request.signal, scope: 'pull,push' }, async (talk) => {
      const { image, tags, mountFrom } = request;
      await atMost(lanes, image.blobs, async (blob) => pushBlob(talk, { blob, mountFrom }));
      const top = image.manifests.at(-1);
      if (!top) throw new Error(`the image ${image.name} has no manifest`);
      for (const child of image.manifests.slice(0, -1)) await pushManifest(talk, { manifest: child, as: child.digest });
      const names = tags.length > 0 ? tags : [top.digest];
      for (const name of names) await pushManifest(talk, { manifest: top, as: name });
    });

  return {
    layout: readOciLayout,

    read: async (request) => {
      const { reference, signal } = request;
      const place = { ...request, ...apiName(request) };
      const open = (digest: Digest): Readable => Readable.from(blobBytes(digest), { objectMode: false });
      async function* blobBytes(digest: Digest): AsyncGenerator<Buffer> {
        const http = openHttp({ clock, signal });
        try {
          const talk = await openTalk({ http, place, scope: 'pull' });
          const { status, headers, body } = await talk.open('GetDownloadUrlForLayer', { method: 'GET', url: `blobs/${digest}` });
          if (status !== 200) throw talk.refusal('GetDownloadUrlForLayer', { status, headers, text: '' });
          yield* chunksOf(body, (error) => talk.unanswered('GetDownloadUrlForLayer', noAnswer(error)));
        } finally {
          http.close();
        }
      }
      return exchange(place, { signal, scope: 'pull' }, async (talk) => {
        const reader = new ImageReader(talk, open);
        const digest = await reader.manifest(reference);
        if (digest === undefined) return undefined;
        const name = `${request.host}/${request.repository}`;
        return {
          name,
          digest,
          platforms: await reader.platforms(),
          manifests: [...reader.manifests.values()],
          blobs: [...reader.blobs.values()],
        };
      });
    },

    push: async (request) => {
      for (let made = 1; ; made += 1) {
        try {
          await push(request);
          return;
        } catch (error) {
          // Where an image comes over the network itself, it is begun again: what is there by then is not sent twice.
          if (made === uploadAttempts || !isCutShort(error)) throw error;
        }
      }
    },
  };
}

interface Exchange {
  readonly signal: AbortSignal;
  readonly scope: Scope;
}

/** What a token is asked for. */
type Scope = 'pull' | 'pull,push';

function isCutShort(error: unknown): boolean {
  return error instanceof AwsError && error.operation === 'GetDownloadUrlForLayer' && error.cause instanceof NoAnswer;
}

async function* chunksOf(body: Readable, failure: (error: unknown) => unknown): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw failure(error);
  }
}

class ImageReader {
  readonly manifests = new Map<Digest, OciManifest>();
  readonly blobs = new Map<Digest, OciBlob>();
  readonly #talk: Talk;
  readonly #open: (digest: Digest) => Readable;
  readonly #platforms: Platform[] = [];
  /** Of images that no index describes. */
  #configuration: Digest | undefined;

  constructor(talk: Talk, open: (digest: Digest) => Readable) {
    this.#talk = talk;
    this.#open = open;
  }

  /** Reads a manifest and, before it takes its place, what it names; undefined where there is none. */
  async manifest(reference: Tag | Digest, child?: Descriptor): Promise<Digest | undefined> {
    const operation = 'BatchGetImage';
    const headers = { accept: manifestMediaTypes.join(', ') };
    const reply = await this.#talk.send(operation, { method: 'GET', url: `manifests/${reference}`, headers });
    if (reply.status === 404 && !child) return undefined;
    if (reply.status !== 200) throw this.#talk.refusal(operation, reply);
    const bytes = Buffer.from(reply.text);
    const digest = digestOf(bytes);
    const mediaType = header(reply, 'content-type').split(';')[0] ?? '';
    const parsed = parseManifest(reply.text, mediaType);
    const why = !parsed.ok
      ? parsed.problem
      : bytes.length > largestManifest
        ? `has ${bytes.length} bytes; ECR takes at most ${largestManifest}`
        : reference.includes(':') && reference !== digest
          ? `is not what its name says: its digest is ${digest}`
          : undefined;
    if (why !== undefined || !parsed.ok) throw this.#talk.refusal(operation, reply, `the manifest ${reference} ${why ?? ''}`);
    if (parsed.value.kind === 'index') {
      for (const each of parsed.value.children) if (!this.manifests.has(each.digest)) await this.manifest(each.digest, each);
      this.#platforms.push(...platformsOf(parsed.value));
    } else {
      const { config, layers } = parsed.value;
      for (const blob of [config, ...layers]) this.blobs.set(blob.digest, { ...blob, open: () => this.#open(blob.digest) });
      if (!child) this.#configuration = config.digest;
    }
    this.manifests.set(digest, { digest, mediaType, bytes });
    return digest;
  }

  /** From the index, or from the configuration of a single image. */
  async platforms(): Promise<readonly Platform[]> {
    if (this.#configuration === undefined) return this.#platforms;
    const reply = await this.#talk.send('GetDownloadUrlForLayer', { method: 'GET', url: `blobs/${this.#configuration}` });
    if (reply.status !== 200) throw this.#talk.refusal('GetDownloadUrlForLayer', reply);
    const platform = parseConfiguration(reply.text);
    return platform.ok ? [platform.value] : [];
  }
}

async function pushBlob(talk: Talk, { blob, mountFrom }: { blob: OciBlob; mountFrom: RepositoryName | undefined }): Promise<void> {
  const head = await talk.send('BatchCheckLayerAvailability', { method: 'HEAD', url: `blobs/${blob.digest}` });
  // Anything but 200 is "not known to be there". An answer to HEAD has no words: if it was a refusal, the upload is refused with some.
  if (head.status === 200) return;
  let failure: AwsError | undefined;
  for (let made = 0; made < uploadAttempts; made += 1) {
    failure = await upload(talk, { blob, mountFrom });
    if (!failure) return;
  }
  throw failure ?? new Error('an upload is tried at least once');
}

/** One upload from its beginning: bytes sent again would be appended to those that came through. Returns why it did not end well. */
async function upload(
  talk: Talk,
  { blob: { digest, size, open }, mountFrom }: { blob: OciBlob; mountFrom: RepositoryName | undefined },
): Promise<AwsError | undefined> {
  const mount = mountFrom === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(mountFrom)}`;
  const begun = await talk.send('InitiateLayerUpload', {
    method: 'POST',
    url: `blobs/uploads/${mount}`,
    headers: { 'content-length': '0' },
  });
  if (begun.status === 201 && mountFrom !== undefined) return undefined;
  if (begun.status !== 202) throw talk.refusal('InitiateLayerUpload', begun);
  try {
    const sent = await talk.send('UploadLayerPart', {
      method: 'PATCH',
      url: talk.location(begun),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: open,
    });
    if (sent.status !== 202) return talk.refusal('UploadLayerPart', sent);
    const end = new URL(talk.location(sent));
    end.searchParams.set('digest', digest);
    const done = await talk.send('CompleteLayerUpload', { method: 'PUT', url: end.href, headers: { 'content-length': '0' } });
    return done.status === 201 ? undefined : talk.refusal('CompleteLayerUpload', done);
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

async function pushManifest(talk: Talk, { manifest, as }: { manifest: OciManifest; as: Tag | Digest }): Promise<void> {
  const { bytes, mediaType, digest } = manifest;
  const reply = await talk.send('PutImage', {
    method: 'PUT',
    url: `manifests/${as}`,
    headers: { 'content-type': mediaType, 'content-length': String(bytes.byteLength) },
    body: () => Readable.from([bytes]),
  });
  if (reply.status !== 201 && reply.status !== 200) throw talk.refusal('PutImage', reply);
  const named = header(reply, 'docker-content-digest');
  if (named !== '' && named !== digest) throw talk.refusal('PutImage', reply, `it stored ${as} as ${named}, but the image is ${digest}`);
}

/** Requests to one repository, with the login that the registry asked for. */
interface Talk {
  /** `url` is absolute, or within the repository. */
  send(operation: string, request: HttpRequest): Promise<HttpReply>;
  open(operation: string, request: HttpRequest): Promise<HttpStream>;
  location(reply: HttpReply): string;
  refusal(operation: string, reply: HttpReply, why?: string): AwsError;
  unanswered(operation: string, error: unknown): unknown;
}

async function openTalk({ http, place, scope }: { http: Http; place: RegistryPlace; scope: Scope }): Promise<Talk> {
  const { host, repository } = place;
  const base = `${baseUrl(host)}/v2/`;
  const refusal: Talk['refusal'] = (operation, reply, why) => refused({ operation, reply, why, place });
  const told: Talk['unanswered'] = (operation, error) => unanswered({ operation, error, place });
  const answered = async <R>(operation: string, asking: Promise<R>): Promise<R> =>
    asking.catch((error: unknown) => {
      throw told(operation, error);
    });
  const ping = await answered('GetAuthorizationToken', http.send({ method: 'GET', url: base }));
  if (ping.status !== 200 && ping.status !== 401) throw refusal('GetAuthorizationToken', ping);
  let authorization = await answer(ping);

  async function answer(challenge: Pick<HttpReply, 'status' | 'headers'>): Promise<string | undefined> {
    if (challenge.status !== 401) return undefined;
    const { login } = place;
    const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
    const bearer = /^Bearer\s+(.*)$/i.exec(header(challenge, 'www-authenticate'))?.[1];
    if (bearer === undefined) return basic;
    const { realm = '', service } = parameters(bearer);
    const url = URL.parse(realm, base);
    if (!url) throw refusal('GetAuthorizationToken', ping, `its challenge names no realm: ${bearer}`);
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:${scope}`);
    const headers = basic === undefined ? {} : { authorization: basic };
    const reply = await answered('GetAuthorizationToken', http.send({ method: 'GET', url: url.href, headers }));
    if (reply.status !== 200) throw refusal('GetAuthorizationToken', reply);
    const { token, access_token } = JSON.parse(reply.text) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token ?? ''}`;
  }

  const complete = ({ url, headers, ...request }: HttpRequest): HttpRequest => ({
    ...request,
    url: URL.parse(url)?.href ?? `${base}${repository}/${url}`,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
  });
  const authorized = async <R extends Pick<HttpReply, 'status' | 'headers'>>(
    operation: string,
    request: HttpRequest,
    ask: (request: HttpRequest) => Promise<R>,
  ): Promise<R> => {
    const reply = await answered(operation, ask(complete(request)));
    // A bearer token lives minutes, a large push may take longer.
    if (reply.status !== 401 || authorization?.startsWith('Bearer ') !== true) return reply;
    authorization = await answer(reply);
    return answered(operation, ask(complete(request)));
  };
  return {
    send: async (operation, request) => authorized(operation, request, async (complete) => http.send(complete)),
    open: async (operation, request) => authorized(operation, request, async (complete) => http.open(complete)),
    location: (reply) => new URL(header(reply, 'location'), base).href,
    refusal,
    unanswered: told,
  };
}

/** `realm="…",service="…"`. */
function parameters(challenge: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
}

function header({ headers }: Pick<HttpReply, 'headers'>, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

interface Failure {
  readonly operation: string;
  readonly place: RegistryPlace;
}

function refused({ operation, place, reply, why }: Failure & { reply: HttpReply; why: string | undefined }): AwsError {
  const { code, message } = registryProblem(reply);
  const said = why ?? [code.startsWith('HTTP') ? '' : code, message].filter((part) => part !== '').join(': ');
  return new AwsError(`${what({ operation, place })} failed: the registry answered ${reply.status} ${said}`.trimEnd(), {
    service: serviceOf(place),
    operation,
    code,
    ...hint({ status: reply.status, operation, place }),
  });
}

function unanswered({ operation, place, error }: Failure & { error: unknown }): unknown {
  if (!(error instanceof NoAnswer)) return error;
  return new AwsError(`${what({ operation, place })} failed: no answer from ${place.host}: ${error.message}`, {
    service: serviceOf(place),
    operation,
    code: error.code,
    cause: error,
    hint: `Check that this runner reaches ${baseUrl(place.host)} (proxy, NO_PROXY, VPC endpoint).`,
  });
}

/** IAM names the action only of ECR. */
function what({ operation, place }: Failure): string {
  return `${isEcr(place) ? `${serviceOf(place)}:` : ''}${operation} for ${place.host}/${place.repository}`;
}

function isEcr({ host, login }: RegistryPlace): boolean {
  return login?.service !== undefined || parseEcrHost(host) !== undefined || baseUrl(host).startsWith('http:');
}

function serviceOf({ login }: RegistryPlace): RegistryService {
  return login?.service ?? 'ecr';
}

/** `{"errors":[{"code":"DENIED","message":"…"}]}`; an answer to HEAD has no body. */
function registryProblem({ status, text }: HttpReply): { code: string; message: string } {
  try {
    const { errors = [] } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    const [first] = errors;
    if (first) return { code: first.code ?? `HTTP${status}`, message: first.message ?? '' };
  } catch {
    // Not in the form of the specification: a proxy's page, or nothing.
  }
  return { code: `HTTP${status}`, message: text.slice(0, 200) };
}

function hint({ status, operation, place }: Failure & { status: number }): { hint?: string } {
  const { host, repository } = place;
  if (status === 404) return { hint: `Check that the repository ${repository} exists there.` };
  if (status !== 401 && status !== 403) return {};
  if (!isEcr(place)) return { hint: `Log in to ${host} before this step (docker/login-action).` };
  const pull = ['BatchGetImage', 'GetDownloadUrlForLayer'];
  const action =
    operation === 'GetAuthorizationToken'
      ? operation
      : pull.includes(operation)
        ? `${operation} (a copy needs ${pull.join(' and ')})`
        : `${operation} (a push needs BatchCheckLayerAvailability, InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage and BatchGetImage)`;
  return {
    hint: `Allow ${serviceOf(place)}:${action} in the caller's IAM policy, and in the repository policy of ${repository} if it is another account's.`,
  };
}
