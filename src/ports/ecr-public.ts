/**
 * Amazon ECR Public, whose images everybody may pull: one registry an account, served in us-east-1 whatever the Region of the job
 * (AWS-FACTS 2.2). Its images are at `public.ecr.aws/<alias>/<name>`; the API knows them by the name alone.
 *
 * The API can't read manifests and configurations: they are read as Docker reads them, over the registry's HTTP API.
 * Source: https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/
 */
import { text } from 'node:stream/consumers';
import * as core from '@actions/core';
import type { Repository } from '@aws-sdk/client-ecr-public';
import { parseAccountId, type Region } from '../domain/account.ts';
import { hostAtEndpoint, publicHost, type Digest, type EndpointChoice, type RepositoryName } from '../domain/image.ts';
import { AwsError } from '../errors.ts';
import { asker, clientSettings, emptyAnswer, lazy, type Asked, type AwsAccess } from './aws.ts';
import { imageId, imageIn, imageToPut, loginIn, none, type EcrRepository, type ImageRegistry, type RepositoryPlace } from './ecr.ts';
import type { OciBlob } from './oci-image.ts';
import type { OciRegistry, RegistryPlace } from './oci-registry.ts';

export interface EcrPublicSettings {
  readonly ociRegistry: Pick<OciRegistry, 'read'>;
  /** Hides a secret in the runner's log. */
  readonly mask?: (secret: string) => void;
  readonly endpoint?: EndpointChoice;
}

const onlyRegion = 'us-east-1' as Region;
const service = 'ecr-public';

/** A repository is found by the name that the API has for it; what it is called afterwards, `<alias>/<name>`, is understood too. */
export function awsEcrPublic(
  { region: _, ...access }: AwsAccess,
  { ociRegistry, mask = core.setSecret, endpoint = { dualStack: false, fips: false } }: EcrPublicSettings,
): ImageRegistry {
  const here = { ...access, region: onlyRegion };
  const ask = asker(here);
  const sdk = lazy(async () => import('@aws-sdk/client-ecr-public'));
  const client = lazy(async () => new (await sdk()).ECRPUBLICClient(clientSettings(here)));
  /** By the name for the API and by the one afterwards. */
  const found = new Map<RepositoryName, { readonly name: RepositoryName; readonly repository: EcrRepository }>();
  /** Blobs of images that were read. */
  const blobs = new Map<Digest, OciBlob>();
  let alias: string | undefined;
  const nameOf = (repository: RepositoryName): RepositoryName => {
    const isBelow = alias !== undefined && repository.startsWith(`${alias}/`);
    return found.get(repository)?.name ?? (isBelow ? (repository.slice((alias ?? '').length + 1) as RepositoryName) : repository);
  };
  const named = ({ repository, registryId }: RepositoryPlace) => ({
    ...(registryId !== undefined && { registryId }),
    repositoryName: nameOf(repository),
  });

  const authorization: ImageRegistry['authorization'] = async () => {
    const { GetAuthorizationTokenCommand } = await sdk();
    const asked = {
      service,
      operation: 'GetAuthorizationToken',
      alsoCheck: 'sts:GetServiceBearerToken, which it needs too',
    };
    const { authorizationData: data } = await ask(asked, async () => (await client()).send(new GetAuthorizationTokenCommand({})));
    const login = loginIn(data?.authorizationToken, mask);
    if (login === undefined) throw emptyAnswer(asked, 'a login');
    return { ...login, service, host: hostAtEndpoint(publicHost, endpoint), expiresAt: data?.expiresAt?.getTime() };
  };
  const repository: ImageRegistry['repository'] = async (place) => {
    const known = found.get(place.repository);
    if (known) return known.repository;
    const { DescribeRepositoriesCommand } = await sdk();
    const asked = about('DescribeRepositories', place);
    const { repositoryName, ...registry } = named(place);
    const request = new DescribeRepositoriesCommand({ ...registry, repositoryNames: [repositoryName] });
    const reply = await none(
      /^(Repository|Registry)NotFoundException$/,
      ask(asked, async () => (await client()).send(request)),
    );
    if (!reply) return undefined;
    const described = repositoryIn(asked, { name: repositoryName, found: reply.repositories?.[0], endpoint });
    for (const name of [place.repository, described.name]) found.set(name, { name: repositoryName, repository: described });
    alias = described.name.split('/')[0];
    return described;
  };
  const readLogin = lazy(authorization);
  /** Where the registry's HTTP API has it; undefined where there is no such repository. */
  const over = async (place: RepositoryPlace): Promise<RegistryPlace | undefined> => {
    const described = await repository(place);
    return described && { host: described.host, repository: described.name, login: await readLogin() };
  };

  return {
    service,
    authorization,
    repository,

    image: async (place, id) => {
      const { DescribeImagesCommand } = await sdk();
      const asked = about('DescribeImages', place);
      const request = new DescribeImagesCommand({ ...named(place), imageIds: [imageId(id)] });
      const reply = await none(
        /^(Image|Repository|Registry)NotFoundException$/,
        ask(asked, async () => (await client()).send(request)),
      );
      return imageIn(asked, reply?.imageDetails?.[0]);
    },

    manifest: async (place, id) => {
      try {
        const registry = await over(place);
        const reference = 'tag' in id ? id.tag : id.digest;
        const image = registry && (await ociRegistry.read({ ...registry, reference, signal: neverAborted }));
        const top = image?.manifests.at(-1);
        if (!image || !top) return { answer: 'missing' };
        for (const blob of image.blobs) blobs.set(blob.digest, blob);
        return { answer: 'found', digest: image.digest, mediaType: top.mediaType, text: Buffer.from(top.bytes).toString('utf8') };
      } catch (error) {
        if (error instanceof AwsError && ['DENIED', 'UNAUTHORIZED'].includes(error.code))
          return { answer: 'denied', reason: error.message };
        throw error;
      }
    },

    configuration: async (_, digest) => {
      const blob = blobs.get(digest);
      return blob && text(blob.open());
    },

    putManifest: async (place, image) => {
      const { PutImageCommand } = await sdk();
      const request = new PutImageCommand({
        ...named(place),
        ...imageToPut(image),
      });
      // ImageAlreadyExists: this very image has this very tag.
      await none(
        'ImageAlreadyExistsException',
        ask(about('PutImage', place), async () => (await client()).send(request)),
      );
    },
  };
}

const neverAborted = new AbortController().signal;

/** From `public.ecr.aws/<alias>/<name>`. Tags of public repositories may always move. */
function repositoryIn(
  asked: Asked,
  { name, found, endpoint }: { name: RepositoryName; found: Repository | undefined; endpoint: EndpointChoice },
): EcrRepository {
  const registryId = parseAccountId(found?.registryId ?? '');
  const [plainHost = '', ...path] = (found?.repositoryUri ?? '').split('/');
  if (!registryId.ok || path.slice(1).join('/') !== name) throw emptyAnswer(asked, 'the repository');
  const host = hostAtEndpoint(plainHost, endpoint);
  const full = path.join('/') as RepositoryName;
  return {
    name: full,
    registryId: registryId.value,
    arn: found?.repositoryArn ?? '',
    uri: `${host}/${full}`,
    host,
    mutability: 'MUTABLE',
    exclusionFilters: [],
  };
}

function about(operation: string, { repository }: RepositoryPlace): Asked {
  return { service, operation, of: `public repository ${repository}` };
}
