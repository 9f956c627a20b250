/** Manifests over the wire: by tag and by digest, single images and indexes, under the same rules as PutImage. */
import { tagsByDigest } from '../ecr/images.ts';
import { requireFreeTag, requireReferences } from '../image-rules.ts';
import { digestOf, type ImageReference } from '../image-store.ts';
import { parseManifest } from '../manifest.ts';
import type { RegistryExchange } from '../registry.ts';
import { AwsFault } from '../service.ts';

function referenceOf(reference: string): ImageReference {
  return reference.includes(':') ? { digest: reference } : { tag: reference };
}

export async function serveManifest(exchange: RegistryExchange): Promise<void> {
  const { registry, repository, request, response, reference } = exchange;
  const { images } = registry.ecr;
  if (request.method === 'PUT') return put(exchange);
  const image = await images.find(repository, referenceOf(reference));
  if (!image) throw new AwsFault('MANIFEST_UNKNOWN', 'Requested image not found', 404);
  if (request.method === 'DELETE') {
    if (reference.includes(':')) await images.remove(repository, image.digest);
    else await images.untag(repository, reference);
    return void response.writeHead(202, { 'content-length': 0 }).end();
  }
  const accept = request.headers.accept ?? '*/*';
  if (!accept.includes('*/*') && !accept.includes(image.mediaType)) {
    throw new AwsFault('MANIFEST_UNKNOWN', `The image is ${image.mediaType}, which the Accept header does not allow`, 404);
  }
  const headers = { 'content-type': image.mediaType, 'content-length': image.bytes.length, 'docker-content-digest': image.digest };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : image.bytes);
}

async function put({ registry, repository, request, response, home, reference, body }: RegistryExchange): Promise<void> {
  const { images } = registry.ecr;
  const named = referenceOf(reference);
  const manifest = parseManifest(body, request.headers['content-type']?.split(';')[0]);
  const digest = digestOf(body);
  if ('digest' in named && named.digest !== digest) throw new AwsFault('DIGEST_INVALID', 'The digest does not match the manifest', 400);
  const tag = 'tag' in named ? named.tag : undefined;
  if (tag !== undefined) {
    if (!/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(tag)) throw new AwsFault('TAG_INVALID', `Invalid tag '${tag}'`, 400);
    await requireFreeTag(images, { repository, tag });
  }
  await requireReferences(images, { repository, manifest });
  await images.put(repository, { bytes: body, mediaType: manifest.mediaType, tag });
  const headers = {
    location: `http://${request.headers.host ?? ''}${home}/manifests/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
  };
  response.writeHead(201, manifest.subject === undefined ? headers : { ...headers, 'oci-subject': manifest.subject }).end();
}

export async function serveTags({ registry, repository, response, url, home }: RegistryExchange): Promise<void> {
  const tags = [...(await registry.ecr.images.tags(repository)).keys()].sort();
  const after = url.searchParams.get('last');
  const size = Number(url.searchParams.get('n') ?? 1000);
  const rest = after === null ? tags : tags.filter((tag) => tag > after);
  const listed = rest.slice(0, size);
  const last = listed.at(-1);
  if (rest.length > size && last !== undefined) response.setHeader('link', `<${home}/tags/list?n=${size}&last=${last}>; rel="next"`);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name: repository.name, tags: listed }));
}

export async function serveReferrers({ registry, repository, response, reference }: RegistryExchange): Promise<void> {
  const tags = await tagsByDigest(registry.ecr, repository);
  const manifests = (await registry.ecr.images.list(repository))
    .map((image) => ({ image, manifest: parseManifest(image.bytes, image.mediaType) }))
    .filter(({ manifest }) => manifest.subject === reference)
    .map(({ image, manifest }) => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.bytes.length,
      artifactType: manifest.artifactType,
      tags: tags.get(image.digest),
    }));
  const body = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
  response.writeHead(200, { 'content-type': body.mediaType }).end(JSON.stringify(body));
}
