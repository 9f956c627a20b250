/**
 * The OCI distribution API (v2) of one account's ECR registry in one Region: what `docker push` and `docker pull` speak. Each
 * request is decided by the same policies as the API, under the IAM action that ECR asks for it.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { refusalOf } from './access.ts';
import type { Blobs } from './blobs.ts';
import { replicate } from './ecr/replication.ts';
import { repositoryNotFound, type Ecr } from './ecr/target.ts';
import { registryRoot } from './ecr-public.ts';
import { expired } from './faults.ts';
import { readBody, type Shared } from './http.ts';
import type { Principal } from './identity.ts';
import type { JournalEntry } from './journal.ts';
import { serveBlob, serveLayerUrl, serveUpload } from './registry/blobs.ts';
import { serveManifest, serveReferrers, serveTags } from './registry/manifests.ts';
import type { Repository } from './repository.ts';
import { AwsFault } from './service.ts';

/** One registry: an account's in a Region; `public` stands for ECR Public, whose images everyone may read. */
export interface Registry {
  readonly shared: Shared;
  readonly ecr: Ecr;
  readonly blobs: Blobs;
  readonly account: string;
  readonly region: string;
}

/** One request to a repository, after its way was found. */
export interface RegistryExchange {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The repository's path: `/v2/<name>`, in ECR Public `/v2/<alias>/<name>`. */
  readonly home: string;
  /** The tag, digest or upload ID of the path. */
  readonly reference: string;
  readonly body: Buffer;
  /** Whether the caller may also read that other repository, from which a blob is mounted. */
  readonly mayRead: (other: Repository) => boolean;
}

interface Route {
  readonly path: RegExp;
  /** Method → the IAM action that decides. */
  readonly actions: Readonly<Record<string, string>>;
  readonly serve: (exchange: RegistryExchange) => void | Promise<void>;
}

const routes: readonly Route[] = [
  {
    path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?(?<reference>[^/]*)$/,
    actions: {
      POST: 'InitiateLayerUpload',
      PATCH: 'UploadLayerPart',
      PUT: 'CompleteLayerUpload',
      GET: 'UploadLayerPart',
      DELETE: 'CompleteLayerUpload',
    },
    serve: serveUpload,
  },
  {
    path: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
    actions: { GET: 'GetDownloadUrlForLayer', HEAD: 'BatchCheckLayerAvailability' },
    serve: serveBlob,
  },
  {
    path: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
    actions: { GET: 'BatchGetImage', HEAD: 'BatchGetImage', PUT: 'PutImage', DELETE: 'BatchDeleteImage' },
    serve: serveManifest,
  },
  { path: /^\/v2\/(?<name>.+)\/tags\/(?<reference>list)$/, actions: { GET: 'ListImages' }, serve: serveTags },
  { path: /^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/, actions: { GET: 'BatchGetImage' }, serve: serveReferrers },
];

export async function serveRegistry(
  registry: Registry,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { shared, account, region } = registry;
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  const method = request.method ?? 'GET';
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  if (serveLayerUrl(registry, { url, response })) return;

  const root = registryRoot({ account, region });
  const found = find(url.pathname.replace(`${root}/`, '/v2/'), method);
  const input = { method, repository: found?.name ?? '', reference: found?.reference ?? url.pathname };
  const entry: JournalEntry = {
    service: 'registry',
    operation: found?.action ?? 'Ping',
    account: '',
    caller: '',
    region,
    input,
    at: shared.world.clock.now(),
    status: 0,
  };
  shared.journal.entries.push(entry);
  try {
    const body = await readBody(request);
    if (found === undefined && url.pathname !== '/v2/' && url.pathname !== '/v2') {
      shared.violations.push(`registry ${account}: ${method} ${url.pathname} is not served`);
      throw new AwsFault('UNSUPPORTED', 'Invalid request', 404);
    }
    const principal = await callerOf(registry, { request, action: found?.action });
    if (principal === 'nobody') {
      entry.status = 401;
      response.setHeader('WWW-Authenticate', `Basic realm="http://${request.headers.host ?? ''}/",service="ecr.amazonaws.com"`);
      answerError(response, new AwsFault('UNAUTHORIZED', 'Not Authorized', 401));
      return;
    }
    if (principal !== 'anyone') Object.assign(entry, { account: principal.account, caller: principal.arn });
    const resource = found ? `arn:aws:ecr:${region}:${account}:repository/${found.name}` : '*';
    const fault = shared.faults.take({ ...entry, resource });
    if (fault?.delay) await sleep(fault.delay);
    if (fault?.lose === 'request') {
      entry.error = 'ConnectionLost';
      return void request.socket.destroy();
    }
    if (fault?.error) throw fault.error({ ...entry, resource });
    if (!found) {
      entry.status = 200;
      return void response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end();
    }

    await replicate(registry.ecr);
    const repository = url.pathname.startsWith(`${root}/`) ? shared.world.findRepository({ account, region, name: found.name }) : undefined;
    if (!repository) throw repositoryNotFound({ name: found.name, account });
    const refusal = (operation: string, other: Repository) =>
      principal === 'anyone' ? undefined : refusalOf(shared.world, { principal, operation, repository: other });
    const denied = refusal(found.action, repository);
    if (denied !== undefined) throw new AwsFault('DENIED', denied, 403);
    const mayRead = (other: Repository) => refusal('GetDownloadUrlForLayer', other) === undefined;
    if (fault?.lose === 'reply') response.end = () => (request.socket.destroy(), response);
    await found.route.serve({
      registry,
      repository,
      request,
      response,
      url,
      home: `${root}/${found.name}`,
      reference: found.reference,
      body,
      mayRead,
    });
    if (fault?.lose === 'reply') entry.error = 'ConnectionLost';
    else entry.status = response.statusCode;
  } catch (error) {
    // The client went away in the middle of its upload: nothing of ours.
    if (request.destroyed && !request.complete) return;
    const fault = error instanceof AwsFault ? registryFault(error) : new AwsFault('UNKNOWN', 'Internal error', 500);
    if (!(error instanceof AwsFault))
      shared.violations.push(
        `registry ${account}: ${method} ${url.pathname}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    Object.assign(entry, { status: fault.status, error: fault.code });
    answerError(response, fault);
  } finally {
    shared.log(`registry:${entry.operation} ${account} ${method} ${url.pathname} ${entry.status}`);
  }
}

function find(path: string, method: string): { name: string; reference: string; action: string; route: Route } | undefined {
  for (const route of routes) {
    const { name, reference } = route.path.exec(path)?.groups ?? {};
    const action = route.actions[method];
    if (name !== undefined && reference !== undefined && action !== undefined)
      return { name, reference: decodeURIComponent(reference), action, route };
  }
  return undefined;
}

/** The principal whose password this is; `nobody` without one; `anyone` who reads from ECR Public. */
async function callerOf(
  registry: Registry,
  { request, action }: { request: IncomingMessage; action: string | undefined },
): Promise<Principal | 'nobody' | 'anyone'> {
  const { shared, region } = registry;
  const isReading = action === undefined || ['BatchGetImage', 'GetDownloadUrlForLayer', 'BatchCheckLayerAvailability'].includes(action);
  const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'basic') return region === 'public' && isReading && action !== undefined ? 'anyone' : 'nobody';
  const [user, ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  const token = shared.world.registryTokens.get(rest.join(':'));
  // A token is good for one Region (AWS-FACTS 2.2).
  if (user !== 'AWS' || token?.region !== region) throw new AwsFault('DENIED', 'Your Authorization Token is invalid.', 400);
  if (token.expiresAt <= shared.world.sessionTime()) throw expired('registry');
  return token.key.principal;
}

/** The API's exceptions in the registry's words. */
function registryFault(fault: AwsFault): AwsFault {
  const spelled: Readonly<Record<string, readonly [code: string, status: number]>> = {
    RepositoryNotFoundException: ['NAME_UNKNOWN', 404],
    ImageTagAlreadyExistsException: ['TAG_INVALID', 400],
    LayersNotFoundException: ['MANIFEST_BLOB_UNKNOWN', 400],
    ReferencedImagesNotFoundException: ['MANIFEST_BLOB_UNKNOWN', 400],
    InvalidParameterException: ['MANIFEST_INVALID', 400],
  };
  const [code, status] = spelled[fault.code] ?? [fault.code, fault.status];
  return new AwsFault(code, fault.message, status);
}

export function answerError(response: ServerResponse, fault: AwsFault): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ errors: [{ code: fault.code, message: fault.message }] });
  response
    .writeHead(fault.status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
