/**
 * The registry's HTTP API (OCI distribution spec, spec.md): an image is pushed without Docker, in the order that keeps the registry
 * whole at any moment: blobs, child manifests, then the image under its tags.
 *
 *   GET   /v2/                          → 401 with the challenge: Basic (ECR) or Bearer
 *   HEAD  /v2/<name>/blobs/<digest>     → 200: it is there already
 *   POST  /v2/<name>/blobs/uploads/     → 202 Location;  PATCH Location <bytes> → 202 Location;  PUT Location?digest= → 201
 *   PUT   /v2/<name>/manifests/<tag or digest>
 *
 * Failures are told in the words of ECR's API, which answers behind these calls and which IAM policies name.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { parseDigest, type Digest, type RepositoryName, type Tag } from '../domain/image.ts';
import { manifestMediaTypes } from '../domain/oci.ts';
import { AwsError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { RegistryLogin } from './ecr.ts';
import { baseUrl, NoAnswer, openHttp, type Http, type HttpReply, type HttpRequest } from './http.ts';
import { readOciLayout, type LayoutBlob, type LayoutManifest, type OciLayout } from './oci-layout.ts';

export interface RegistryPlace {
  readonly host: string;
  readonly repository: RepositoryName;
  readonly login: RegistryLogin;
}

export interface PushRequest extends RegistryPlace {
  readonly layout: OciLayout;
  /** With none, the image is pushed by its digest alone. */
  readonly tags: readonly Tag[];
  readonly signal: AbortSignal;
}

export interface RegistryManifest {
  readonly digest: Digest;
  readonly mediaType: string;
}

export interface OciRegistry {
  /**
   * Reads the layout in a folder and checks every blob of its image against its digest; no network.
   * @throws DocumentError with every problem of the layout
   */
  layout(path: string): Promise<OciLayout>;
  /**
   * Pushes blobs that are missing, then manifests, children first, then the image under each tag.
   * @throws AwsError where the registry refuses; the signal's reason when aborted
   */
  push(request: PushRequest): Promise<void>;
  /** What a tag or digest names; undefined where there is nothing. */
  headManifest(place: RegistryPlace, reference: Tag | Digest): Promise<RegistryManifest | undefined>;
}

/** Uploads at the same time. */
const lanes = 4;
const uploadAttempts = 3;

export function httpOciRegistry({ clock }: { clock: Clock }): OciRegistry {
  const exchange = async <T>(place: RegistryPlace, signal: AbortSignal | undefined, work: (talk: Talk) => Promise<T>): Promise<T> => {
    const http = openHttp({ clock, signal });
    try {
      return await work(await openTalk({ http, place }));
    } finally {
      http.close();
    }
  };
  return {
    layout: readOciLayout,

    push: async (request) =>
      exchange(request, request.signal, async (talk) => {
        await inLanes(request.layout.blobs, async (blob) => pushBlob(talk, blob));
        const image = request.layout.manifests.at(-1);
        if (!image) throw new Error(`the layout ${request.layout.path} has no manifest`);
        for (const child of request.layout.manifests.slice(0, -1)) await pushManifest(talk, { manifest: child, as: child.digest });
        const names = request.tags.length > 0 ? request.tags : [image.digest];
        for (const name of names) await pushManifest(talk, { manifest: image, as: name });
      }),

    headManifest: async (place, reference) =>
      exchange(place, undefined, async (talk) => {
        const reply = await talk.send('BatchGetImage', {
          method: 'HEAD',
          url: `manifests/${reference}`,
          headers: { accept: manifestMediaTypes.join(', ') },
        });
        if (reply.status === 404) return undefined;
        const digest = parseDigest(header(reply, 'docker-content-digest'));
        if (reply.status !== 200 || !digest.ok) throw talk.refusal('BatchGetImage', reply);
        return { digest: digest.value, mediaType: header(reply, 'content-type') };
      }),
  };
}

async function pushBlob(talk: Talk, blob: LayoutBlob): Promise<void> {
  const head = await talk.send('BatchCheckLayerAvailability', { method: 'HEAD', url: `blobs/${blob.digest}` });
  // Anything but 200 is "not known to be there". An answer to HEAD has no words: if it was a refusal, the upload is refused with some.
  if (head.status === 200) return;
  let failure: AwsError | undefined;
  for (let made = 0; made < uploadAttempts; made += 1) {
    failure = await upload(talk, blob);
    if (!failure) return;
  }
  throw failure ?? new Error('an upload is tried at least once');
}

/** One upload from its beginning: bytes sent again would be appended to those that came through. Returns why it did not end well. */
async function upload(talk: Talk, { digest, size, path }: LayoutBlob): Promise<AwsError | undefined> {
  const begun = await talk.send('InitiateLayerUpload', { method: 'POST', url: 'blobs/uploads/', headers: { 'content-length': '0' } });
  if (begun.status !== 202) throw talk.refusal('InitiateLayerUpload', begun);
  try {
    const sent = await talk.send('UploadLayerPart', {
      method: 'PATCH',
      url: talk.location(begun),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: () => createReadStream(path),
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

async function pushManifest(talk: Talk, { manifest, as }: { manifest: LayoutManifest; as: Tag | Digest }): Promise<void> {
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
  location(reply: HttpReply): string;
  refusal(operation: string, reply: HttpReply, why?: string): AwsError;
}

async function openTalk({ http, place }: { http: Http; place: RegistryPlace }): Promise<Talk> {
  const { host, repository } = place;
  const base = `${baseUrl(host)}/v2/`;
  const refusal: Talk['refusal'] = (operation, reply, why) => refused({ operation, reply, why, place });
  const answered = async (operation: string, request: HttpRequest): Promise<HttpReply> =>
    http.send(request).catch((error: unknown) => {
      throw unanswered({ operation, error, place });
    });
  const ping = await answered('GetAuthorizationToken', { method: 'GET', url: base });
  if (ping.status !== 200 && ping.status !== 401) throw refusal('GetAuthorizationToken', ping);
  let authorization = await answer(ping);

  async function answer(challenge: HttpReply): Promise<string | undefined> {
    if (challenge.status !== 401) return undefined;
    const { username, password } = place.login;
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const bearer = /^Bearer\s+(.*)$/i.exec(header(challenge, 'www-authenticate'))?.[1];
    if (bearer === undefined) return basic;
    const { realm = '', service } = parameters(bearer);
    const url = URL.parse(realm, base);
    if (!url) throw refusal('GetAuthorizationToken', challenge, `its challenge names no realm: ${bearer}`);
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:pull,push`);
    const reply = await answered('GetAuthorizationToken', { method: 'GET', url: url.href, headers: { authorization: basic } });
    if (reply.status !== 200) throw refusal('GetAuthorizationToken', reply);
    const { token, access_token } = JSON.parse(reply.text) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token ?? ''}`;
  }

  const once = async (operation: string, { url, headers, ...request }: HttpRequest): Promise<HttpReply> =>
    answered(operation, {
      ...request,
      url: URL.parse(url)?.href ?? `${base}${repository}/${url}`,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    });
  return {
    send: async (operation, request) => {
      const reply = await once(operation, request);
      // A bearer token lives minutes, a large push may take longer.
      if (reply.status !== 401 || authorization?.startsWith('Bearer ') !== true) return reply;
      authorization = await answer(reply);
      return once(operation, request);
    },
    location: (reply) => new URL(header(reply, 'location'), base).href,
    refusal,
  };
}

/** `realm="…",service="…"`. */
function parameters(challenge: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
}

function header({ headers }: HttpReply, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

interface Failure {
  readonly operation: string;
  readonly place: RegistryPlace;
}

function refused({ operation, place, reply, why }: Failure & { reply: HttpReply; why: string | undefined }): AwsError {
  const { code, message } = registryProblem(reply);
  const { host, repository } = place;
  const said = why ?? [code.startsWith('HTTP') ? '' : code, message].filter((part) => part !== '').join(': ');
  return new AwsError(`ecr:${operation} for ${host}/${repository} failed: the registry answered ${reply.status} ${said}`.trimEnd(), {
    service: 'ecr',
    operation,
    code,
    ...hint({ status: reply.status, operation, repository }),
  });
}

function unanswered({ operation, place, error }: Failure & { error: unknown }): unknown {
  if (!(error instanceof NoAnswer)) return error;
  return new AwsError(`ecr:${operation} for ${place.host}/${place.repository} failed: no answer from ${place.host}: ${error.message}`, {
    service: 'ecr',
    operation,
    code: error.code,
    cause: error,
    hint: `Check that this runner reaches ${baseUrl(place.host)} (proxy, NO_PROXY, VPC endpoint).`,
  });
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

function hint({ status, operation, repository }: { status: number; operation: string; repository: string }): { hint?: string } {
  if (status === 401 || status === 403) {
    const action =
      operation === 'GetAuthorizationToken'
        ? operation
        : `${operation} (a push needs BatchCheckLayerAvailability, InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage and BatchGetImage)`;
    return {
      hint: `Allow ecr:${action} in the caller's IAM policy, and in the repository policy of ${repository} if it is another account's.`,
    };
  }
  return status === 404 ? { hint: `Check that the repository ${repository} exists there.` } : {};
}

/** Does the work of each item, a few at a time; the first failure ends it. */
async function inLanes<T extends object>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  // The lanes take from one list, so each item is taken once.
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        await work(item).catch((error: unknown) => {
          waiting.length = 0;
          throw error;
        });
      }
    }),
  );
}
