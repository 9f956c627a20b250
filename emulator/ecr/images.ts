/** Images: by tag and digest, with ECR's rules for tags, references and deletion. */
import { randomBytes } from 'node:crypto';
import { type Ecr, type EcrOperations, repositoryOf } from './target.ts';
import { requireFreeTag, requireReferences } from '../image-rules.ts';
import { digestOf, type ImageReference } from '../image-store.ts';
import { optionalNumber, optionalText, page, record, records, text, texts, timestamp } from '../json.ts';
import { parseManifest } from '../manifest.ts';
import type { Repository, StoredImage } from '../repository.ts';
import { AwsFault, type Json } from '../service.ts';

export function imageOperations(ecr: Ecr): EcrOperations {
  const { images, world } = ecr;
  return {
    DescribeImages: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'DescribeImages' });
      const wanted = records(input, 'imageIds');
      const all = await images.list(repository);
      const selected = wanted.length > 0 ? await Promise.all(wanted.map((id) => requireImage(ecr, { repository, id }))) : all;
      const status = optionalText(record(input, 'filter') ?? {}, 'tagStatus');
      const tags = await tagsByDigest(ecr, repository);
      const filtered = selected.filter(({ digest }) =>
        status === 'TAGGED' ? tags.has(digest) : status === 'UNTAGGED' ? !tags.has(digest) : true,
      );
      const { items, next } = page(filtered, { token: optionalText(input, 'nextToken'), size: optionalNumber(input, 'maxResults') ?? 100 });
      return { imageDetails: items.map((image) => detail(repository, { image, tags: tags.get(image.digest) })), nextToken: next };
    },

    ListImages: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'ListImages' });
      const status = optionalText(record(input, 'filter') ?? {}, 'tagStatus') ?? 'ANY';
      const tags = await tagsByDigest(ecr, repository);
      const ids = (await images.list(repository)).flatMap(({ digest }): Json[] => {
        const own = tags.get(digest);
        if (own) return status === 'UNTAGGED' ? [] : own.map((tag) => ({ imageDigest: digest, imageTag: tag }));
        return status === 'TAGGED' ? [] : [{ imageDigest: digest }];
      });
      const { items, next } = page(ids, { token: optionalText(input, 'nextToken'), size: optionalNumber(input, 'maxResults') ?? 100 });
      return { imageIds: items, nextToken: next };
    },

    BatchGetImage: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'BatchGetImage' });
      const accepted = texts(input, 'acceptedMediaTypes');
      const found: Json[] = [];
      const failures: Json[] = [];
      for (const id of records(input, 'imageIds')) {
        const { image, failure } = await lookUp(ecr, { repository, id });
        if (image && (accepted.length === 0 || accepted.includes(image.mediaType)))
          found.push(imageJson(repository, { image, tag: optionalText(id, 'imageTag') }));
        else failures.push(failure ?? { imageId: id, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
      }
      return { images: found, failures };
    },

    PutImage: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'PutImage' });
      const bytes = Buffer.from(text(input, 'imageManifest'));
      const tag = optionalText(input, 'imageTag');
      const digest = digestOf(bytes);
      const expected = optionalText(input, 'imageDigest');
      const manifest = parseManifest(bytes, optionalText(input, 'imageManifestMediaType'));
      if (tag !== undefined && !/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(tag)) {
        throw new AwsFault(
          'InvalidParameterException',
          `Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9-_.]+''`,
        );
      }
      if (expected !== undefined && expected !== digest)
        throw new AwsFault('ImageDigestDoesNotMatchException', `The digest '${expected}' does not match the manifest's '${digest}'`);
      if (tag !== undefined) await requireFreeTag(images, { repository, tag });
      const existing = await images.find(repository, { digest });
      if (existing && (tag === undefined || (await images.tags(repository)).get(tag) === digest)) {
        const what = tag === undefined ? `digest '${digest}'` : `digest '${digest}' and tag '${tag}'`;
        throw new AwsFault(
          'ImageAlreadyExistsException',
          `Image with ${what} already exists in the repository with name '${repository.name}' in registry with id '${repository.account}'`,
        );
      }
      await requireReferences(images, { repository, manifest });
      const image = await images.put(repository, { bytes, mediaType: manifest.mediaType, tag });
      return { image: imageJson(repository, { image, tag }) };
    },

    BatchDeleteImage: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'BatchDeleteImage' });
      const deleted: Json[] = [];
      const failures: Json[] = [];
      for (const id of records(input, 'imageIds')) {
        const { image, failure } = await lookUp(ecr, { repository, id });
        if (image) {
          const outcome = await remove(ecr, { repository, image, id });
          (Array.isArray(outcome) ? deleted : failures).push(...(Array.isArray(outcome) ? (outcome as Json[]) : [outcome as Json]));
        } else if (failure) failures.push(failure);
      }
      return { imageIds: deleted, failures };
    },

    BatchCheckLayerAvailability: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'BatchCheckLayerAvailability' });
      const layers = await Promise.all(
        texts(input, 'layerDigests').map(async (layerDigest) => {
          const layerSize = await images.blobSize(repository, layerDigest);
          return { layerDigest, layerAvailability: layerSize === undefined ? 'UNAVAILABLE' : 'AVAILABLE', layerSize };
        }),
      );
      return { layers, failures: [] };
    },

    GetDownloadUrlForLayer: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'GetDownloadUrlForLayer' });
      const layerDigest = text(input, 'layerDigest');
      if ((await images.blobSize(repository, layerDigest)) === undefined) {
        throw new AwsFault(
          'LayersNotFoundException',
          `Layers with digests '[${layerDigest}]' do not exist in the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
        );
      }
      const endpoint = await ecr.hosts.endpoint(repository.account, repository.region);
      const token = randomBytes(20).toString('hex');
      world.layerUrls.set(token, { repository, digest: layerDigest, expiresAt: world.sessionTime() + 3_600_000 });
      return { layerDigest, downloadUrl: `${endpoint}/_layers/${token}` };
    },
  };
}

function referenceOf(id: Json): ImageReference | undefined {
  const digest = optionalText(id, 'imageDigest');
  const tag = optionalText(id, 'imageTag');
  return digest !== undefined ? { digest } : tag !== undefined ? { tag } : undefined;
}

/** One image by its ID, or the entry that goes into `failures`. */
async function lookUp(
  ecr: Ecr,
  { repository, id }: { repository: Repository; id: Json },
): Promise<{ image?: StoredImage; failure?: Json }> {
  const failed = (failureCode: string, failureReason: string) => ({ failure: { imageId: id, failureCode, failureReason } });
  const reference = referenceOf(id);
  if (!reference) return failed('MissingDigestAndTag', 'Invalid request parameters: both tag and digest cannot be null');
  if ('digest' in reference && !/^sha256:[0-9a-f]{64}$/.test(reference.digest))
    return failed(
      'InvalidImageDigest',
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    );
  const image = await ecr.images.find(repository, reference);
  if (!image) return failed('ImageNotFound', 'Requested image not found');
  const tag = optionalText(id, 'imageTag');
  if ('digest' in reference && tag !== undefined && (await ecr.images.tags(repository)).get(tag) !== image.digest) {
    return failed('ImageTagDoesNotMatchDigest', 'Image tag does not match image digest');
  }
  return { image };
}

/** The image or ImageNotFoundException. */
export async function requireImage(ecr: Ecr, { repository, id }: { repository: Repository; id: Json }): Promise<StoredImage> {
  const reference = referenceOf(id);
  const image = reference && (await ecr.images.find(repository, reference));
  if (image) return image;
  const shown = (name: string) => `${name}:'${optionalText(id, name) ?? 'null'}'`;
  throw new AwsFault(
    'ImageNotFoundException',
    `The image with imageId {${shown('imageDigest')}, ${shown('imageTag')}} does not exist within the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
  );
}

export async function tagsByDigest(ecr: Pick<Ecr, 'images'>, repository: Repository): Promise<ReadonlyMap<string, string[]>> {
  const grouped = new Map<string, string[]>();
  for (const [tag, digest] of await ecr.images.tags(repository)) grouped.set(digest, [...(grouped.get(digest) ?? []), tag]);
  return grouped;
}

/** By tag: takes the tag away, and the image with its last tag. By digest: the image with all tags. A child of an index stays. */
async function remove(
  ecr: Ecr,
  { repository, image, id }: { repository: Repository; image: StoredImage; id: Json },
): Promise<readonly Json[] | Json> {
  const { images } = ecr;
  const tags = (await tagsByDigest(ecr, repository)).get(image.digest) ?? [];
  const tag = optionalText(id, 'imageTag');
  if (tag !== undefined && tags.length > 1) {
    await images.untag(repository, tag);
    return [{ imageDigest: image.digest, imageTag: tag }];
  }
  const parents = (await images.list(repository)).filter((each) =>
    parseManifest(each.bytes, each.mediaType).children.some(({ digest }) => digest === image.digest),
  );
  if (parents.length > 0) {
    return {
      imageId: { imageDigest: image.digest },
      failureCode: 'ImageReferencedByManifestList',
      failureReason: `Requested image referenced by manifest list: [${parents.map(({ digest }) => digest).join(', ')}]`,
    };
  }
  await images.remove(repository, image.digest);
  return tags.length > 0 ? tags.map((imageTag) => ({ imageDigest: image.digest, imageTag })) : [{ imageDigest: image.digest }];
}

function imageJson(repository: Repository, { image, tag }: { image: StoredImage; tag: string | undefined }): Json {
  return {
    registryId: repository.account,
    repositoryName: repository.name,
    imageId: { imageDigest: image.digest, imageTag: tag },
    imageManifest: image.bytes.toString(),
    imageManifestMediaType: image.mediaType,
  };
}

function detail(repository: Repository, { image, tags }: { image: StoredImage; tags: readonly string[] | undefined }): Json {
  const manifest = parseManifest(image.bytes, image.mediaType);
  return {
    registryId: repository.account,
    repositoryName: repository.name,
    imageDigest: image.digest,
    imageTags: tags,
    imageSizeInBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    imagePushedAt: timestamp(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    artifactMediaType: manifest.artifactType,
    subjectManifestDigest: manifest.subject,
    imageStatus: 'ACTIVE',
  };
}
