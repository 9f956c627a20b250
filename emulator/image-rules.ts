/** What a push must satisfy, by the API or by the registry: references are there, tags may move (AWS-FACTS 2.3). */
import { matchesGlob } from './glob.ts';
import type { ImageStore } from './image-store.ts';
import type { Manifest } from './manifest.ts';
import type { Repository } from './repository.ts';
import { AwsFault } from './service.ts';

/** Whether a tag of this repository can't be moved to another image. */
export function isImmutable({ mutability, exclusionFilters }: Repository, tag: string): boolean {
  const isExcluded = exclusionFilters.some((filter) => matchesGlob(filter, tag));
  switch (mutability) {
    case 'MUTABLE':
      return false;
    case 'IMMUTABLE':
      return true;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !isExcluded;
    case 'MUTABLE_WITH_EXCLUSION':
      return isExcluded;
  }
}

/** An immutable tag that exists is refused even for the same digest, as ECR does (aws/containers-roadmap#2179). */
export async function requireFreeTag(images: ImageStore, { repository, tag }: { repository: Repository; tag: string }): Promise<void> {
  if (!isImmutable(repository, tag) || !(await images.tags(repository)).has(tag)) return;
  throw new AwsFault(
    'ImageTagAlreadyExistsException',
    `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`,
  );
}

/** All layers of an image, and all images of an index, have to be in this repository. */
export async function requireReferences(
  images: ImageStore,
  { repository, manifest }: { repository: Repository; manifest: Manifest },
): Promise<void> {
  const where = `required for pushing image into repository with name '${repository.name}' in the registry with id '${repository.account}' do not exist`;
  const missing = async (digests: readonly string[], isThere: (digest: string) => Promise<boolean>) => {
    const found = await Promise.all(digests.map(isThere));
    return digests.filter((_, index) => !found[index]);
  };
  const blobs = [...(manifest.config ? [manifest.config] : []), ...manifest.layers].map(({ digest }) => digest);
  const layers = await missing(blobs, async (digest) => (await images.blobSize(repository, digest)) !== undefined);
  if (layers.length > 0) throw new AwsFault('LayersNotFoundException', `Layers with digests '[${layers.join(', ')}]' ${where}`);
  const referenced = await missing(
    manifest.children.map(({ digest }) => digest),
    async (digest) => (await images.find(repository, { digest })) !== undefined,
  );
  if (referenced.length > 0)
    throw new AwsFault('ReferencedImagesNotFoundException', `Images with digests '[${referenced.join(', ')}]' ${where}`);
}
