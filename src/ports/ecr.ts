/**
 * Amazon ECR, as far as the action asks it: login, repositories, images, manifests and the repository policy.
 *
 * Hosts come from what ECR answers (`proxyEndpoint`, `repositoryUri`), never from account and Region glued together (RULES 5.4); where
 * the environment asks for dual-stack or FIPS endpoints, they are the registry's there.
 * Sources: the ECR API reference; AWS-FACTS 2.
 */
import * as core from '@actions/core';
import type { ImageDetail, Repository } from '@aws-sdk/client-ecr';
import { parseAccountId, type AccountId, type Region } from '../domain/account.ts';
import { hostAtEndpoint, parseDigest, type Digest, type EndpointChoice, type RepositoryName, type Tag } from '../domain/image.ts';
import { manifestMediaTypes } from '../domain/oci.ts';
import type { Destination, ReplicationRule } from '../domain/replica.ts';
import type { ImageScan } from '../domain/scan.ts';
import { isTagMutability, type TagRule } from '../domain/tags.ts';
import { AwsError, toError } from '../errors.ts';
import { asker, awsCode, clientSettings, emptyAnswer, isDenial, isPassing, lazy, type Asked, type AwsAccess } from './aws.ts';
import { systemClock } from './clock.ts';
import { scanIn } from './ecr-scan.ts';
import { openHttp } from './http.ts';
import type { PolicyWritten } from './policy-store.ts';

/** A repository in the caller's registry, or in the one of `registryId`. */
export interface RepositoryPlace {
  readonly repository: RepositoryName;
  readonly registryId?: AccountId | undefined;
}

/** As IAM spells it. */
export type RegistryService = 'ecr' | 'ecr-public';

/** What Docker and the registry's HTTP API take as Basic credentials; good for every registry of the Region that the caller may use. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  /** Whose login it is. Default: `ecr`. */
  readonly service?: RegistryService;
}

export interface Authorization extends RegistryLogin {
  /** The host of the caller's own registry, from `proxyEndpoint`. */
  readonly host: string;
  /** Milliseconds since the epoch; undefined where ECR does not say. */
  readonly expiresAt: number | undefined;
}

export interface EcrRepository extends TagRule {
  readonly name: RepositoryName;
  readonly registryId: AccountId;
  readonly arn: string;
  /** `host/name`. */
  readonly uri: string;
  /** The host in `uri`. */
  readonly host: string;
}

export interface NewRepository {
  readonly mutability: 'MUTABLE' | 'IMMUTABLE';
}

export type ImageId = { readonly tag: Tag } | { readonly digest: Digest };

export interface EcrImage {
  readonly digest: Digest;
  readonly tags: readonly Tag[];
  readonly mediaType: string | undefined;
}

export interface EcrManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The manifest as it is stored: its bytes make the digest. */
  readonly text: string;
}

/** Whether this caller can have a manifest: the answer that the cross-account pull probe needs (RULES 5.16). */
export type ManifestAnswer =
  ({ readonly answer: 'found' } & EcrManifest) | { readonly answer: 'missing' } | { readonly answer: 'denied'; readonly reason: string };

/** What publishing asks of a registry, of a private or a public one. */
export interface ImageRegistry {
  readonly service: RegistryService;
  /** One token; the password is masked before anyone sees it. */
  authorization(): Promise<Authorization>;
  /** Undefined where there is no such repository. */
  repository(place: RepositoryPlace): Promise<EcrRepository | undefined>;
  /** Undefined where there is no such image, or no such repository. */
  image(place: RepositoryPlace, id: ImageId): Promise<EcrImage | undefined>;
  manifest(place: RepositoryPlace, id: ImageId): Promise<ManifestAnswer>;
  /** The image's configuration (JSON text: `os`, `architecture`, …) by its digest in a manifest; undefined where the caller may not have it. */
  configuration(place: RepositoryPlace, digest: Digest): Promise<string | undefined>;
  /**
   * Puts a tag on a manifest that the repository holds; the digest stays (RULES 5.10). Doing it again changes nothing.
   * @throws AwsError `ImageTagAlreadyExistsException` where the tag is immutable and names another image
   */
  putManifest(place: RepositoryPlace, image: EcrManifest & { readonly tag: Tag }): Promise<void>;
}

/**
 * `limited`: ECR scans an image once a day, and so many in all. `enhanced`: the registry scans by itself. `unknown`: no answer came, or
 * one that passes.
 */
export type ScanStart =
  | { readonly start: 'started' | 'limited' | 'enhanced' | 'unknown' }
  | { readonly start: 'unsupported' | 'denied'; readonly reason: string };

/** How far the copy of one image is in one place. */
export interface Replication extends Destination {
  readonly status: string;
  /** ECR's code for why it failed. */
  readonly failure: string | undefined;
}

/** A registry's policy, with its reach (https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html). */
export interface RegistryPolicy {
  readonly text: string;
  /** `V1` decides on replication and pull-through caches only, `V2` on every request. */
  readonly scope: 'V1' | 'V2';
}

export interface Ecr extends ImageRegistry {
  /** How far the scan of one image is, and all that it has found; undefined where there is none, or none yet. */
  scan(place: RepositoryPlace, digest: Digest): Promise<ImageScan | undefined>;
  /** Asks for a basic scan. */
  startScan(place: RepositoryPlace, digest: Digest): Promise<ScanStart>;
  /** The rules of the caller's own registry: nobody is told those of another. */
  replicationRules(): Promise<readonly ReplicationRule[]>;
  /** Where an image is copied to; an image that was pushed before the rule is copied nowhere. */
  replications(place: RepositoryPlace, digest: Digest): Promise<readonly Replication[]>;
  /**
   * Makes a repository. `created` is false where it was there after all: another run was faster, or a reply was lost. Never repeated:
   * what became of a lost reply is read.
   */
  createRepository(
    place: RepositoryPlace,
    settings: NewRepository,
  ): Promise<{ readonly repository: EcrRepository; readonly created: boolean }>;
  /** The policy's text; undefined where there is none, which is normal, or no such repository. */
  readPolicy(place: RepositoryPlace): Promise<string | undefined>;
  /** The policy of the caller's own registry: nobody is told that of another; undefined where there is none. */
  registryPolicy(): Promise<RegistryPolicy | undefined>;
  /** One request, never repeated, with an answer within five seconds (RULES 1: T). */
  writePolicy(place: RepositoryPlace, text: string): Promise<PolicyWritten>;
}

export interface EcrSettings {
  /** Hides a secret in the runner's log. */
  readonly mask?: (secret: string) => void;
  /** T of RULES 1, in milliseconds: how long a policy write may take at most. */
  readonly policyWriteDeadline?: number;
  /** Which of a registry's hosts is told. */
  readonly endpoint?: EndpointChoice;
}

export function awsEcr(
  access: AwsAccess,
  { mask = core.setSecret, policyWriteDeadline = 5_000, endpoint = { dualStack: false, fips: false } }: EcrSettings = {},
): Ecr {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-ecr'));
  const client = lazy(async () => new (await sdk()).ECRClient(clientSettings(access)));
  const once = lazy(async () => new (await sdk()).ECRClient(clientSettings(access, { attempts: 1 })));
  const describe: Ecr['repository'] = async (place) => {
    const { DescribeRepositoriesCommand } = await sdk();
    const asked = about('DescribeRepositories', place);
    const request = new DescribeRepositoriesCommand({ ...registry(place), repositoryNames: [place.repository] });
    const reply = await none(
      'RepositoryNotFoundException',
      ask(asked, async () => (await client()).send(request)),
    );
    return reply && repositoryIn(asked, { place, found: reply.repositories?.[0], endpoint });
  };
  return {
    service: 'ecr',

    authorization: async () => {
      const { GetAuthorizationTokenCommand } = await sdk();
      const asked = { service: 'ecr', operation: 'GetAuthorizationToken' };
      // No registryIds: deprecated, and the token is good for every registry of the Region anyway.
      const reply = await ask(asked, async () => (await client()).send(new GetAuthorizationTokenCommand({})));
      const [data] = reply.authorizationData ?? [];
      const login = loginIn(data?.authorizationToken, mask);
      const host = hostOfEndpoint(data?.proxyEndpoint ?? '');
      if (login === undefined || host === undefined) throw emptyAnswer(asked, 'a login and a registry endpoint');
      return { ...login, host: hostAtEndpoint(host, endpoint), expiresAt: data?.expiresAt?.getTime() };
    },

    repository: describe,

    createRepository: async (place, { mutability }) => {
      const { CreateRepositoryCommand } = await sdk();
      // There is no repository policy yet that could allow or deny it.
      const { alsoCheck: _, ...asked } = about('CreateRepository', place);
      const request = new CreateRepositoryCommand({ ...named(place), imageTagMutability: mutability });
      try {
        const { repository } = await ask(asked, async () => (await once()).send(request));
        return { repository: repositoryIn(asked, { place, found: repository, endpoint }), created: true };
      } catch (error) {
        if (awsCode(error) !== 'RepositoryAlreadyExistsException' && !isPassing(error)) throw error;
        const repository = await describe(place);
        if (repository === undefined) throw error;
        return { repository, created: false };
      }
    },

    image: async (place, id) => {
      const { DescribeImagesCommand } = await sdk();
      const asked = about('DescribeImages', place);
      const request = new DescribeImagesCommand({ ...named(place), imageIds: [imageId(id)] });
      const reply = await none(
        /^(Image|Repository)NotFoundException$/,
        ask(asked, async () => (await client()).send(request)),
      );
      return imageIn(asked, reply?.imageDetails?.[0]);
    },

    manifest: async (place, id) => {
      const { BatchGetImageCommand } = await sdk();
      const asked = about('BatchGetImage', place);
      const request = new BatchGetImageCommand({ ...named(place), imageIds: [imageId(id)], acceptedMediaTypes: [...manifestMediaTypes] });
      try {
        const reply = await none(
          'RepositoryNotFoundException',
          ask(asked, async () => (await client()).send(request)),
        );
        const [found] = reply?.images ?? [];
        if (found?.imageManifest === undefined) return { answer: 'missing' };
        return {
          answer: 'found',
          digest: digestIn(asked, found.imageId?.imageDigest),
          mediaType: found.imageManifestMediaType ?? mediaTypeIn(found.imageManifest),
          text: found.imageManifest,
        };
      } catch (error) {
        if (isDenial(error) && error instanceof AwsError) return { answer: 'denied', reason: error.message };
        throw error;
      }
    },

    configuration: async (place, digest) => {
      const { GetDownloadUrlForLayerCommand } = await sdk();
      const request = new GetDownloadUrlForLayerCommand({ ...named(place), layerDigest: digest });
      const asked = about('GetDownloadUrlForLayer', place);
      try {
        const { downloadUrl } = await ask(asked, async () => (await client()).send(request));
        if (downloadUrl === undefined) throw emptyAnswer(asked, 'a URL');
        // The URL is signed: it needs no further login.
        return await download(downloadUrl);
      } catch (error) {
        if (isDenial(error)) return undefined;
        throw error;
      }
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

    scan: async (place, digest) => {
      const { DescribeImageScanFindingsCommand } = await sdk();
      const asked = about('DescribeImageScanFindings', place);
      const page = async (nextToken: string | undefined) => {
        const request = new DescribeImageScanFindingsCommand({
          ...named(place),
          imageId: { imageDigest: digest },
          maxResults: 1000,
          nextToken,
        });
        return none(
          'ScanNotFoundException',
          ask(asked, async () => (await client()).send(request)),
        );
      };
      const first = await page(undefined);
      if (!first) return undefined;
      const pages = [first];
      for (let token = first.nextToken; token !== undefined;) {
        const next = await page(token);
        if (next) pages.push(next);
        token = next?.nextToken;
      }
      return scanIn(
        first.imageScanStatus,
        pages.flatMap(({ imageScanFindings }) => imageScanFindings ?? []),
      );
    },

    startScan: async (place, digest) => {
      const { StartImageScanCommand } = await sdk();
      const request = new StartImageScanCommand({ ...named(place), imageId: { imageDigest: digest } });
      try {
        // Once: the SDK takes a LimitExceededException for throttling.
        await ask(about('StartImageScan', place), async () => (await once()).send(request));
        return { start: 'started' };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        if (error.code === 'LimitExceededException') return { start: 'limited' };
        if (error.code === 'ValidationException') return { start: 'enhanced' };
        if (error.code === 'UnsupportedImageTypeException') return { start: 'unsupported', reason: error.message };
        if (isDenial(error)) return { start: 'denied', reason: error.message };
        if (isPassing(error)) return { start: 'unknown' };
        throw error;
      }
    },

    replicationRules: async () => {
      const { DescribeRegistryCommand } = await sdk();
      const asked = { service: 'ecr', operation: 'DescribeRegistry' };
      const { replicationConfiguration } = await ask(asked, async () => (await client()).send(new DescribeRegistryCommand({})));
      return (replicationConfiguration?.rules ?? []).map(({ destinations = [], repositoryFilters = [] }) => ({
        destinations: destinations.map(({ registryId, region }) => ({ account: registryId as AccountId, region: region as Region })),
        prefixes: repositoryFilters.flatMap(({ filter }) => filter ?? []),
      }));
    },

    replications: async (place, digest) => {
      const { DescribeImageReplicationStatusCommand } = await sdk();
      const request = new DescribeImageReplicationStatusCommand({ ...named(place), imageId: { imageDigest: digest } });
      const { replicationStatuses = [] } = await ask(about('DescribeImageReplicationStatus', place), async () =>
        (await client()).send(request),
      );
      return replicationStatuses.map(({ registryId, region, status, failureCode }) => ({
        account: registryId as AccountId,
        region: region as Region,
        status: status ?? '',
        failure: failureCode,
      }));
    },

    readPolicy: async (place) => {
      const { GetRepositoryPolicyCommand } = await sdk();
      const request = new GetRepositoryPolicyCommand(named(place));
      const asked = about('GetRepositoryPolicy', place);
      const reply = await none(
        /^Repository(Policy)?NotFoundException$/,
        ask(asked, async () => (await client()).send(request)),
      );
      return reply?.policyText;
    },

    registryPolicy: async () => {
      const { GetRegistryPolicyCommand, GetAccountSettingCommand } = await sdk();
      const reply = await none(
        'RegistryPolicyNotFoundException',
        ask({ service: 'ecr', operation: 'GetRegistryPolicy' }, async () => (await client()).send(new GetRegistryPolicyCommand({}))),
      );
      if (reply?.policyText === undefined) return undefined;
      const setting = new GetAccountSettingCommand({ name: 'REGISTRY_POLICY_SCOPE' });
      try {
        const { value } = await ask({ service: 'ecr', operation: 'GetAccountSetting' }, async () => (await client()).send(setting));
        return { text: reply.policyText, scope: value === 'V1' ? 'V1' : 'V2' };
      } catch (error) {
        // V2 is AWS's default, and whoever takes it for that overlooks no Deny.
        if (isDenial(error)) return { text: reply.policyText, scope: 'V2' };
        throw error;
      }
    },

    writePolicy: async (place, text) => {
      const deadline = AbortSignal.timeout(policyWriteDeadline);
      const { SetRepositoryPolicyCommand } = await sdk();
      const request = new SetRepositoryPolicyCommand({ ...named(place), policyText: text });
      try {
        await ask(about('SetRepositoryPolicy', place), async () => (await once()).send(request, { abortSignal: deadline }));
        return 'written';
      } catch (error) {
        if (isPassing(error)) return { unanswered: toError(error) };
        throw error;
      }
    },
  };
}

function repositoryIn(
  asked: Asked,
  { place, found, endpoint }: { place: RepositoryPlace; found: Repository | undefined; endpoint: EndpointChoice },
): EcrRepository {
  const registryId = parseAccountId(found?.registryId ?? '');
  const uri = found?.repositoryUri ?? '';
  if (!registryId.ok || !uri.endsWith(`/${place.repository}`)) throw emptyAnswer(asked, 'the repository');
  const host = hostAtEndpoint(uri.slice(0, -`/${place.repository}`.length), endpoint);
  const mutability = found?.imageTagMutability ?? '';
  return {
    name: place.repository,
    registryId: registryId.value,
    arn: found?.repositoryArn ?? '',
    uri: `${host}/${place.repository}`,
    host,
    mutability: isTagMutability(mutability) ? mutability : 'MUTABLE',
    exclusionFilters: (found?.imageTagMutabilityExclusionFilters ?? []).flatMap(({ filter }) => filter ?? []),
  };
}

/** `base64(user:password)`; masked on the line that decodes it. Undefined where it is none. */
export function loginIn(token: string | undefined, mask: (secret: string) => void): RegistryLogin | undefined {
  if (token === undefined || token === '') return undefined;
  mask(token);
  const [username = '', password = ''] = Buffer.from(token, 'base64').toString('utf8').split(/:(.*)/s, 2);
  if (password !== '') mask(password);
  return username === '' || password === '' ? undefined : { username, password };
}

async function download(url: string): Promise<string | undefined> {
  const http = openHttp({ clock: systemClock });
  try {
    const { status, text } = await http.send({ method: 'GET', url });
    return status === 200 ? text : undefined;
  } finally {
    http.close();
  }
}

function registry({ registryId }: RepositoryPlace): { registryId?: AccountId } {
  return registryId === undefined ? {} : { registryId };
}

function named(place: RepositoryPlace): { registryId?: AccountId; repositoryName: RepositoryName } {
  return { ...registry(place), repositoryName: place.repository };
}

export function imageId(id: ImageId): { imageTag: Tag } | { imageDigest: Digest } {
  return 'tag' in id ? { imageTag: id.tag } : { imageDigest: id.digest };
}

/** What is asked of which repository, for error messages. */
function about(operation: string, place: RepositoryPlace): Asked {
  const where = place.registryId === undefined ? '' : ` in ${place.registryId}`;
  const of = `repository ${place.repository}${where}`;
  return { service: 'ecr', operation, of, alsoCheck: `the repository policy of ${place.repository}${where} if it is another account's` };
}

/** Turns one expected error into undefined. */
export async function none<T>(code: string | RegExp, asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    const name = awsCode(error) ?? '';
    if (typeof code === 'string' ? code === name : code.test(name)) return undefined;
    throw error;
  }
}

/** What PutImage takes, of a private or a public repository. */
export function imageToPut({ text, mediaType, digest, tag }: EcrManifest & { readonly tag: Tag }) {
  return { imageManifest: text, imageManifestMediaType: mediaType, imageDigest: digest, imageTag: tag };
}

/** Of a private or a public repository's DescribeImages. */
export function imageIn(
  asked: Asked,
  found: Pick<ImageDetail, 'imageDigest' | 'imageTags' | 'imageManifestMediaType'> | undefined,
): EcrImage | undefined {
  if (!found) return undefined;
  return {
    digest: digestIn(asked, found.imageDigest),
    tags: (found.imageTags ?? []) as Tag[],
    mediaType: found.imageManifestMediaType,
  };
}

function digestIn(asked: Asked, text = ''): Digest {
  const digest = parseDigest(text);
  if (!digest.ok) throw emptyAnswer(asked, 'a digest');
  return digest.value;
}

/** The host (with its port) of `https://host`. */
function hostOfEndpoint(endpoint: string): string | undefined {
  return URL.parse(endpoint)?.host;
}

/** Manifests name their own media type; only very old ones (schema 1) don't. */
function mediaTypeIn(manifest: string): string {
  const { mediaType } = JSON.parse(manifest) as { mediaType?: unknown };
  return typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
}
