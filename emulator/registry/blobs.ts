/** Layers over the wire: uploads in one piece, in chunks or by mounting, and downloads with ranges. */
import { digestOf } from '../image-store.ts';
import type { Registry, RegistryExchange } from '../registry.ts';
import { AwsFault } from '../service.ts';
import type { ServerResponse } from 'node:http';

export function serveUpload({ registry, repository, request, response, url, home, reference, body, mayRead }: RegistryExchange): void {
  const { blobs, shared } = registry;
  const base = `http://${request.headers.host ?? ''}${home}/blobs/`;
  const digest = url.searchParams.get('digest') ?? undefined;
  const created = (stored: string) =>
    void response.writeHead(201, { location: `${base}${stored}`, 'docker-content-digest': stored, 'content-length': 0 }).end();

  if (request.method === 'POST') {
    const mount = url.searchParams.get('mount');
    const other = shared.world.findRepository({ ...repository, name: url.searchParams.get('from') ?? '' });
    if (mount !== null && other && mayRead(other) && blobs.mount(mount, { from: other, to: repository })) {
      created(mount);
      return;
    }
    if (digest !== undefined) {
      created(store(registry, { repository, bytes: body, digest }));
      return;
    }
    const { id } = blobs.begin(repository);
    return void response
      .writeHead(202, { location: `${base}uploads/${id}`, range: '0-0', 'docker-upload-uuid': id, 'content-length': 0 })
      .end();
  }

  const upload = blobs.upload(repository, reference);
  if (!upload) throw new AwsFault('BLOB_UPLOAD_UNKNOWN', `The upload '${reference}' does not exist`, 404);
  const range = { range: `0-${Math.max(0, upload.size - 1)}` };
  switch (request.method) {
    case 'PATCH':
    case 'PUT': {
      const [, from] = /^(?:bytes )?(\d+)-\d+/.exec(request.headers['content-range'] ?? '') ?? [];
      if (from !== undefined && Number(from) !== upload.size) return void response.writeHead(416, { ...range, 'content-length': 0 }).end();
      upload.chunks.push(body);
      upload.size += body.length;
      if (request.method === 'PATCH') {
        const headers = {
          location: `${base}uploads/${upload.id}`,
          range: `0-${Math.max(0, upload.size - 1)}`,
          'docker-upload-uuid': upload.id,
          'content-length': 0,
        };
        return void response.writeHead(202, headers).end();
      }
      if (digest === undefined) throw new AwsFault('DIGEST_INVALID', 'The digest is missing', 400);
      const stored = store(registry, { repository, bytes: Buffer.concat(upload.chunks), digest });
      blobs.end(upload);
      created(stored);
      return;
    }
    case 'DELETE':
      blobs.end(upload);
      return void response.writeHead(204).end();
    default:
      return void response.writeHead(204, { ...range, location: `${base}uploads/${upload.id}`, 'docker-upload-uuid': upload.id }).end();
  }
}

function store(
  registry: Registry,
  { repository, bytes, digest }: { repository: RegistryExchange['repository']; bytes: Buffer; digest: string },
): string {
  if (digestOf(bytes) !== digest) throw new AwsFault('DIGEST_INVALID', 'Invalid digest or digest does not match the uploaded content', 400);
  return registry.blobs.put(repository, bytes);
}

export function serveBlob({ registry, repository, request, response, reference }: RegistryExchange): void {
  const bytes = registry.blobs.get(repository, reference);
  if (!bytes) throw new AwsFault('BLOB_UNKNOWN', `The blob '${reference}' does not exist in the repository '${repository.name}'`, 404);
  sendBytes(response, { bytes, range: request.headers.range, headers: { 'docker-content-digest': reference } });
}

/** The link of GetDownloadUrlForLayer: whoever has it may read, for an hour. */
export function serveLayerUrl({ shared, blobs }: Registry, { url, response }: { url: URL; response: ServerResponse }): boolean {
  const [, token] = /^\/_layers\/([0-9a-f]+)$/.exec(url.pathname) ?? [];
  if (token === undefined) return false;
  const layer = shared.world.layerUrls.get(token);
  const bytes = layer && layer.expiresAt > shared.world.sessionTime() ? blobs.get(layer.repository, layer.digest) : undefined;
  if (bytes) sendBytes(response, { bytes, range: undefined, headers: {} });
  else response.writeHead(403).end();
  return true;
}

function sendBytes(
  response: ServerResponse,
  { bytes, range, headers }: { bytes: Buffer; range: string | undefined; headers: Record<string, string> },
): void {
  const common = { ...headers, 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) return void response.writeHead(200, { ...common, 'content-length': bytes.length }).end(bytes);
  const start = Number(from);
  const end = Math.min(to ? Number(to) : bytes.length - 1, bytes.length - 1);
  if (start > end) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}`, 'content-length': 0 }).end();
  response.writeHead(206, { ...common, 'content-range': `bytes ${start}-${end}/${bytes.length}`, 'content-length': end - start + 1 });
  response.end(bytes.subarray(start, end + 1));
}
