/** Brings what was prepared to its repositories, whatever it is: a build, a push, a copy, or further tags for an image that is there. */
import type { Memory } from '../cleanup.ts';
import type { Digest, RepositoryName } from '../domain/image.ts';
import { AwsError } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import type { Authorization, Ecr, EcrRepository, ImageRegistry } from '../ports/ecr.ts';
import type { OciImage } from '../ports/oci-image.ts';
import { buildImage, inPrivateDocker } from './build-image.ts';
import type { Source } from './find-source.ts';
import { missingTags, placeOf, type PreparedPublish, type PublishPorts, type Target } from './prepare-publish.ts';

export interface PublishContext {
  readonly ecr: ImageRegistry;
  /** Makes a repository that is not there; only private ones are made. */
  readonly creator: Pick<Ecr, 'createRepository'>;
  readonly ports: PublishPorts;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/**
 * @returns the digest of what is there now, in the words of whoever pushed it
 * @throws CommandError for a failed build or push; AwsError where the registry refuses
 */
export async function deliver(prepared: PreparedPublish, context: PublishContext): Promise<Digest> {
  const { source, targets } = prepared;
  switch (source.kind) {
    case 'build': {
      const { inputs, names } = prepared;
      const login = await context.ecr.authorization();
      const host = targets[0].repository.host;
      return buildImage({ inputs, build: source.build, labels: names.labels, references: referencesOf(targets), host, login, ...context });
    }
    case 'local':
      return pushLocal(source.reference, prepared, context);
    case 'layout':
    case 'copy':
      return pushImage(source.image, prepared, context);
    case 'registry':
    case 'reuse':
      return retag(source, prepared, context);
  }
}

function referencesOf(targets: readonly Target[]): readonly string[] {
  return targets.flatMap(({ repository, tags }) => tags.map(({ tag }) => `${repository.uri}:${tag}`));
}

async function pushLocal(image: string, { targets }: PreparedPublish, context: PublishContext): Promise<Digest> {
  const { ecr, ports, signal } = context;
  const [{ repository }] = targets;
  const login = await ecr.authorization();
  return inPrivateDocker({ ...context, hosts: [repository.host], login }, async (config) =>
    ports.log.group(`Push ${image} to ${targets.map((target) => target.repository.uri).join(', ')}`, async () =>
      ports.docker.push({ image, references: referencesOf(targets) }, { config, signal }),
    ),
  );
}

async function pushImage(image: OciImage, { targets }: PreparedPublish, context: PublishContext): Promise<Digest> {
  const login = lazy(async () => context.ecr.authorization());
  for (const target of targets) await pushTo(target, { image, context, login });
  return image.digest;
}

interface PushTo {
  readonly image: OciImage;
  readonly context: PublishContext;
  readonly login: () => Promise<Authorization>;
  readonly mountFrom?: RepositoryName;
}

async function pushTo(target: Target, { image, context, login, mountFrom }: PushTo): Promise<void> {
  const missing = missingTags(target, image.digest);
  if (missing.length === 0) return;
  const { ports, signal } = context;
  const { host, name, uri } = target.repository;
  ports.log.info(`Pushing ${image.name} (${image.blobs.length} blobs) to ${uri} as ${missing.join(', ')}`);
  const from = mountFrom === undefined ? {} : { mountFrom };
  await ports.ociRegistry.push({ host, repository: name, login: await login(), image, tags: missing, signal, ...from });
}

/** Further tags for an image that is there, by its own manifest, so that the digest stays (RULES 5.10); to other repositories a copy. */
async function retag(
  source: Extract<Source, { readonly digest: Digest }>,
  { targets }: PreparedPublish,
  context: PublishContext,
): Promise<Digest> {
  const { ecr, ports, signal } = context;
  const { digest, repository: from } = source;
  const login = lazy(async () => ecr.authorization());
  for (const target of targets) {
    const { repository } = target;
    const missing = missingTags(target, digest);
    if (missing.length === 0) continue;
    const place = placeOf(repository);
    const found = await ecr.manifest(place, { digest });
    if (found.answer === 'found') {
      ports.log.info(`Tagging ${repository.uri}@${digest} as ${missing.join(', ')}`);
      for (const tag of missing) await ecr.putManifest(place, { ...found, tag });
    } else {
      if (repository.name === from)
        throw notThere({ repository, digest, why: found.answer === 'denied' ? found.reason : 'it is not there any more' });
      const image = await ports.ociRegistry.read({
        host: repository.host,
        repository: from,
        login: await login(),
        reference: digest,
        signal,
      });
      if (!image) throw notThere({ repository: { uri: `${repository.host}/${from}` }, digest, why: 'it is not there any more' });
      await pushTo(target, { image, context, login, mountFrom: from });
    }
  }
  return digest;
}

export function notThere({ repository, digest, why }: { repository: Pick<EcrRepository, 'uri'>; digest: Digest; why: string }): AwsError {
  return new AwsError(`${repository.uri}@${digest} was pushed, but ${why}`, {
    service: 'ecr',
    operation: 'DescribeImages',
    code: 'ImageDigestMismatch',
    hint: 'Another run may have pushed the same tag at the same time, or a lifecycle policy removed it: run this again.',
  });
}
