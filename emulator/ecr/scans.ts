/**
 * Image scanning (AWS-FACTS 2.6): basic scans on push or on demand, one an image a day, none of an index; enhanced scans are
 * ACTIVE once they are done. A scan takes a few seconds of AWS time; what it finds is the repository's `findings`, unless it ends
 * otherwise (`scanEnd`).
 */
import { type Ecr, type EcrOperations, repositoryOf } from './target.ts';
import { requireImage } from './images.ts';
import { optionalNumber, optionalText, page, record, timestamp } from '../json.ts';
import { isIndex } from '../manifest.ts';
import { severities, type Repository, type ScanEnd, type StoredImage } from '../repository.ts';
import { AwsFault, type Json } from '../service.ts';

const duration = 5_000;
const day = 24 * 60 * 60 * 1000;

export function scanOperations(ecr: Ecr): EcrOperations {
  const { clock } = ecr.world;
  return {
    StartImageScan: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'StartImageScan' });
      const image = await requireImage(ecr, { repository, id: record(input, 'imageId') ?? {} });
      const now = clock.now();
      if (isIndex(image.mediaType))
        throw new AwsFault('UnsupportedImageTypeException', `The image type ${image.mediaType} is not supported for image scanning.`);
      if (repository.scanning === 'enhanced')
        throw new AwsFault('ValidationException', 'This feature is disabled when enhanced scanning is enabled on the registry.');
      const last = startedAt(repository, image);
      if (last !== undefined && now - last < day)
        throw new AwsFault('LimitExceededException', 'The scan quota per image has been exceeded. Wait and try again.');
      repository.scans.set(image.digest, now);
      return { ...named(repository, image), imageScanStatus: { status: 'IN_PROGRESS' } };
    },

    DescribeImageScanFindings: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'DescribeImageScanFindings' });
      const image = await requireImage(ecr, { repository, id: record(input, 'imageId') ?? {} });
      const started = startedAt(repository, image);
      if (started === undefined || isIndex(image.mediaType)) {
        throw new AwsFault(
          'ScanNotFoundException',
          `Image scan does not exist for the image with '{imageDigest:'${image.digest}', imageTag:'null'}' in the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
        );
      }
      const isDone = repository.scanEnd !== 'never' && clock.now() >= started + duration;
      if (isDone && repository.scanEnd !== undefined)
        return {
          ...named(repository, image),
          imageScanStatus: { status: repository.scanEnd, description: descriptions[repository.scanEnd] },
        };
      const status = statuses[repository.scanning][isDone ? 'done' : 'running'];
      const { nextToken, ...found } = findings(repository, { completedAt: started + duration, input });
      return {
        ...named(repository, image),
        imageScanStatus: { status },
        ...(isDone ? { imageScanFindings: found, nextToken } : {}),
      };
    },
  };
}

const statuses = {
  basic: { running: 'IN_PROGRESS', done: 'COMPLETE' },
  enhanced: { running: 'PENDING', done: 'ACTIVE' },
} as const;

const descriptions: Readonly<Partial<Record<ScanEnd, string>>> = {
  FAILED: 'The scan failed.',
  UNSUPPORTED_IMAGE: "UnsupportedImageError: The operating system '' version '' is not supported.",
};

/** When the newest scan of an image began: by request, or with its push. */
function startedAt(repository: Repository, image: StoredImage): number | undefined {
  const requested = repository.scans.get(image.digest);
  const isByItself = repository.scanEnd !== 'never' && (repository.scanOnPush || repository.scanning === 'enhanced');
  return requested ?? (isByItself ? image.pushedAt : undefined);
}

function named(repository: Repository, image: StoredImage): Json {
  return { registryId: repository.account, repositoryName: repository.name, imageId: { imageDigest: image.digest } };
}

/** One page of them. */
function findings(
  repository: Repository,
  { completedAt, input }: { completedAt: number; input: Json },
): Json & { nextToken: string | undefined } {
  const all = severities.flatMap((severity) =>
    Array.from({ length: repository.findings[severity] ?? 0 }, (_, index) => ({
      severity,
      name: `CVE-2026-${1000 + index}-${severity}`,
      vulnerable: { name: 'openssl', version: '3.0.1', fixedInVersion: '3.0.2' },
    })),
  );
  const { items, next } = page(all, { token: optionalText(input, 'nextToken'), size: optionalNumber(input, 'maxResults') ?? 100 });
  return {
    imageScanCompletedAt: timestamp(completedAt),
    vulnerabilitySourceUpdatedAt: timestamp(completedAt),
    findingSeverityCounts: repository.findings,
    ...(repository.scanning === 'enhanced'
      ? {
          enhancedFindings: items.map(({ severity, name, vulnerable }) => ({
            severity,
            title: `${name} - ${vulnerable.name}`,
            status: 'ACTIVE',
            type: 'PACKAGE_VULNERABILITY',
            fixAvailable: 'YES',
            packageVulnerabilityDetails: {
              vulnerabilityId: name,
              sourceUrl: `https://nvd.nist.gov/vuln/detail/${name}`,
              vulnerablePackages: [vulnerable],
            },
          })),
        }
      : {
          findings: items.map(({ severity, name, vulnerable }) => ({
            severity,
            name,
            uri: `https://cve.mitre.org/cgi-bin/cvename.cgi?name=${name}`,
            attributes: [
              { key: 'package_name', value: vulnerable.name },
              { key: 'package_version', value: vulnerable.version },
            ],
          })),
        }),
    nextToken: next,
  };
}
