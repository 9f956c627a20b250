/**
 * Image names, tags and digests.
 *
 *   reference   = [host "/"] repository [":" tag] ["@" digest]
 *   host        = a first component with "." or ":" in it, or "localhost"           (distribution/reference)
 *   repository  = 2 to 256 of [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*, joined by "/"       (ECR CreateRepository: repositoryName)
 *   tag         = [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}                                  (OCI distribution spec)
 *   digest      = sha256:<64 hex digits>
 *   ECR host    = <account>.dkr.ecr[-fips].<region>.<suffix> | <account>.dkr-ecr[-fips].<region>.on.<suffix>
 */
import { partitionOf, type AccountId, type Region } from './account.ts';
import { bad, matching, ok, type Branded, type Parsed } from './parsed.ts';

export type RepositoryName = Branded<'RepositoryName'>;
export type Tag = Branded<'Tag'>;
export type Digest = Branded<'Digest'>;

const component = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';

const repositoryForm = matching<'RepositoryName'>(
  new RegExp(`^${component}(?:/${component})*$`),
  'a repository name such as shop/web (lower-case letters, digits, and single . _ - / between them)',
);
export function parseRepositoryName(text: string): Parsed<RepositoryName> {
  if (text.length < 2 || text.length > 256) return bad(`"${text}" is not a repository name: it needs 2 to 256 characters`);
  return repositoryForm(text);
}

export const parseTag = matching<'Tag'>(
  /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/,
  'a tag: a letter, digit or "_", then at most 127 letters, digits, ".", "_" or "-"',
);
export const parseDigest = matching<'Digest'>(/^sha256:[0-9a-f]{64}$/, 'a digest (sha256: and 64 hex digits)');

export interface ImageReference {
  /** Absent in a registry-less reference (`shop/web@sha256:…`). */
  readonly host: string | undefined;
  readonly repository: RepositoryName;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/** A reference to an image in a registry; one of tag and digest must be there. */
export function parseImageReference(text: string): Parsed<ImageReference> {
  const [named = '', digestText, ...more] = text.split('@');
  if (more.length > 0) return bad(`"${text}" is not an image reference: it has two "@"`);
  const host = hostIn(named);
  const rest = host === undefined ? named : named.slice(host.length + 1);
  const colon = rest.indexOf(':');
  const repository = parseRepositoryName(colon < 0 ? rest : rest.slice(0, colon));
  const tag = colon < 0 ? undefined : parseTag(rest.slice(colon + 1));
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  if (!repository.ok) return bad(`"${text}" is not an image reference: ${repository.problem}`);
  if (tag && !tag.ok) return bad(`"${text}" is not an image reference: ${tag.problem}`);
  if (digest && !digest.ok) return bad(`"${text}" is not an image reference: ${digest.problem}`);
  if (!tag && !digest) return bad(`"${text}" names no tag and no digest; write ${text}:<tag> or ${text}@sha256:…`);
  return ok({ host, repository: repository.value, tag: tag?.value, digest: digest?.value });
}

/** The host that a name begins with; undefined where its first component is none. */
export function hostIn(name: string): string | undefined {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' ? first : undefined;
}

/** `host/repository:tag@digest`, as far as the parts are there. */
export function formatImage({ host, repository, tag, digest }: Partial<ImageReference> & Pick<ImageReference, 'repository'>): string {
  const prefix = host === undefined ? '' : `${host}/`;
  return `${prefix}${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

export interface EcrHost {
  readonly account: AccountId;
  readonly region: Region;
}

const ecrHost =
  /^(?<account>\d{12})\.dkr[.-]ecr(?<fips>-fips)?\.(?<region>[a-z0-9][a-z0-9-]*)\.(?<suffix>amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

/**
 * The account and Region in an ECR host; undefined for any other host (such as the emulator's).
 * Source: awslabs/amazon-ecr-credential-helper, the expression that it finds ECR hosts by.
 */
export function parseEcrHost(host: string): EcrHost | undefined {
  const { account, region } = ecrHost.exec(host)?.groups ?? {};
  return account === undefined || region === undefined ? undefined : { account: account as AccountId, region: region as Region };
}

/** Under which host and name a registry's API knows a repository: Docker Hub's has another host, and a prefix for its own images. */
export function apiName({ host, repository }: { readonly host: string; readonly repository: RepositoryName }): {
  readonly host: string;
  readonly repository: RepositoryName;
} {
  if (host !== 'docker.io' && host !== 'index.docker.io') return { host, repository };
  return { host: 'registry-1.docker.io', repository: (repository.includes('/') ? repository : `library/${repository}`) as RepositoryName };
}

/** The same registry host for another account; undefined where the host does not start with twelve digits (RULES 5.4). */
export function hostOfAccount(host: string, account: AccountId): string | undefined {
  return /^\d{12}\./.test(host) ? host.replace(/^\d{12}/, account) : undefined;
}

/** As policies name a repository. */
export function repositoryArn({
  account,
  region,
  repository,
}: {
  readonly account: AccountId;
  readonly region: Region;
  readonly repository: RepositoryName;
}): string {
  return `arn:${partitionOf(region)}:ecr:${region}:${account}:repository/${repository}`;
}

/** Which of AWS's endpoints are asked for: AWS_USE_DUALSTACK_ENDPOINT and AWS_USE_FIPS_ENDPOINT. */
export interface EndpointChoice {
  readonly dualStack: boolean;
  readonly fips: boolean;
}

/** Where registries answer over IPv6 too, by the suffix of the ordinary host. The European sovereign cloud's is not published: [U]. */
const dualStackSuffixes: Readonly<Record<string, string>> = {
  'amazonaws.com': 'on.aws',
  'amazonaws.com.cn': 'on.amazonwebservices.com.cn',
};

/**
 * The host of the same registry at the endpoint that is asked for. ECR names the ordinary one (`proxyEndpoint`, `repositoryUri`); Docker
 * keeps a login for each host. A host that is not ECR's, and one that has no such endpoint, stay as they are.
 * Source: https://docs.aws.amazon.com/general/latest/gr/ecr.html, https://docs.aws.amazon.com/AmazonECR/latest/public/public-ecr-requests.html
 */
export function hostAtEndpoint(host: string, { dualStack, fips }: EndpointChoice): string {
  if (host === publicHost) return dualStack ? dualStackPublicHost : host;
  const { account, region, suffix = '', fips: hasFips } = ecrHost.exec(host)?.groups ?? {};
  if (account === undefined || region === undefined) return host;
  const isFips = hasFips !== undefined || (fips && suffix === 'amazonaws.com');
  const further = dualStack ? dualStackSuffixes[suffix] : undefined;
  const isDualStack = further !== undefined || suffix.startsWith('on.');
  return `${account}.dkr${isDualStack ? '-' : '.'}ecr${isFips ? '-fips' : ''}.${region}.${further ?? suffix}`;
}

/** ECR Public's host, the same for everybody; a registry's alias follows in the path. */
export const publicHost = 'public.ecr.aws';
const dualStackPublicHost = 'ecr-public.aws.com';
