/**
 * Image scanning (AWS-FACTS 2.6): basic scans on push or on demand, one an image a day, none of an index; enhanced scans are
 * ACTIVE once they are done. A scan takes a few seconds of AWS time; what it finds is the repository's `findings`.
 */
import { type Ecr, type EcrOperations, repositoryOf } from './target.ts';
import { requireImage } from './images.ts';
import { record, timestamp } from '../json.ts';
import { isIndex } from '../manifest.ts';
import { severities, type Repository, type StoredImage } from '../repository.ts';
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
      const isDone = clock.now() >= started + duration;
      const status = !isDone
        ? repository.scanning === 'enhanced'
          ? 'PENDING'
          : 'IN_PROGRESS'
        : repository.scanning === 'enhanced'
          ? 'ACTIVE'
          : 'COMPLETE';
      return {
        ...named(repository, image),
        imageScanStatus: { status },
        ...(isDone ? { imageScanFindings: findings(repository, started + duration) } : {}),
      };
    },
  };
}

/** When the newest scan of an image began: by request, or with its push. */
function startedAt(repository: Repository, image: StoredImage): number | undefined {
  const requested = repository.scans.get(image.digest);
  return requested ?? (repository.scanOnPush || repository.scanning === 'enhanced' ? image.pushedAt : undefined);
}

function named(repository: Repository, image: StoredImage): Json {
  return { registryId: repository.account, repositoryName: repository.name, imageId: { imageDigest: image.digest } };
}

function findings(repository: Repository, completedAt: number): Json {
  const all = severities.flatMap((severity) =>
    Array.from({ length: repository.findings[severity] ?? 0 }, (_, index) => ({ severity, name: `CVE-2026-${1000 + index}-${severity}` })),
  );
  return {
    imageScanCompletedAt: timestamp(completedAt),
    vulnerabilitySourceUpdatedAt: timestamp(completedAt),
    findingSeverityCounts: repository.findings,
    ...(repository.scanning === 'enhanced'
      ? {
          enhancedFindings: all.map(({ severity, name }) => ({
            severity,
            title: name,
            status: 'ACTIVE',
            packageVulnerabilityDetails: { vulnerabilityId: name },
          })),
        }
      : { findings: all.map(({ severity, name }) => ({ severity, name, uri: `https://cve.mitre.org/cgi-bin/cvename.cgi?name=${name}` })) }),
  };
}
