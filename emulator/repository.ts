/** One ECR repository: its settings, its policy with its past (for stale reads) and, in the memory store, its images. */
import type { Json } from './service.ts';

export const mutabilities = ['MUTABLE', 'IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE_WITH_EXCLUSION'] as const;
export type Mutability = (typeof mutabilities)[number];
export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNDEFINED'] as const;
export type Severity = (typeof severities)[number];

/** How scans can end without findings (AWS-FACTS 2.6); `never`: none ever begins by itself, and one that is asked for does not end. */
export type ScanEnd =
  'FAILED' | 'UNSUPPORTED_IMAGE' | 'SCAN_ELIGIBILITY_EXPIRED' | 'FINDINGS_UNAVAILABLE' | 'LIMIT_EXCEEDED' | 'IMAGE_ARCHIVED' | 'never';

export interface StoredImage {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** AWS time, milliseconds. */
  readonly pushedAt: number;
}

export interface Repository {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  mutability: Mutability;
  /** Wildcard filters such as `latest*`, for the two `…_WITH_EXCLUSION` settings. */
  exclusionFilters: readonly string[];
  scanOnPush: boolean;
  scanning: 'basic' | 'enhanced';
  /** What a scan of any image here finds. */
  findings: Partial<Record<Severity, number>>;
  /** How a scan of any image here ends instead. */
  scanEnd: ScanEnd | undefined;
  readonly resourceTags: readonly Json[];
  /** Every state of the policy in order; undefined is "no policy". */
  readonly policies: { readonly at: number; readonly text: string | undefined }[];
  readonly images: Map<string, StoredImage>;
  /** Tag → digest. */
  readonly tags: Map<string, string>;
  /** Digest → when the scan began. */
  readonly scans: Map<string, number>;
}

export interface RepositorySettings {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly mutability?: Mutability;
  readonly exclusionFilters?: readonly string[];
  readonly scanOnPush?: boolean;
  readonly scanning?: 'basic' | 'enhanced';
  readonly findings?: Partial<Record<Severity, number>>;
  readonly scanEnd?: ScanEnd;
  readonly resourceTags?: readonly Json[];
  /** JSON text, or the document. */
  readonly policy?: string | object;
}

export function newRepository(given: RepositorySettings, createdAt: number): Repository {
  const { account, region, name, policy } = given;
  const text = policy === undefined || typeof policy === 'string' ? policy : JSON.stringify(policy);
  return {
    account,
    region,
    name,
    arn: `arn:aws:ecr:${region}:${account}:repository/${name}`,
    createdAt,
    mutability: given.mutability ?? 'MUTABLE',
    exclusionFilters: given.exclusionFilters ?? [],
    scanOnPush: given.scanOnPush ?? false,
    scanning: given.scanning ?? 'basic',
    findings: given.findings ?? {},
    scanEnd: given.scanEnd,
    resourceTags: given.resourceTags ?? [],
    policies: [{ at: createdAt, text }],
    images: new Map(),
    tags: new Map(),
    scans: new Map(),
  };
}

/** The policy as it was at a time; undefined if there was none. */
export function policyAt(repository: Repository, at: number): string | undefined {
  return (repository.policies.findLast((state) => state.at <= at) ?? repository.policies[0])?.text;
}

/** The policy as it is now. */
export function policyOf(repository: Repository): string | undefined {
  return repository.policies.at(-1)?.text;
}
