/**
 * The gate after the push: waits for ECR's scan of an image, shows what it found, and stops where that is too severe. An index is not
 * scanned itself, so each of its platforms is (RULES 5.12). What can't be looked at does not pass: whoever asks for a gate would rather
 * know. The image stays pushed, with its tags (RULES 6.20).
 */
import type { AccountId } from '../domain/account.ts';
import type { Digest, Tag } from '../domain/image.ts';
import { formatPlatform, imageMediaTypes, isAttestation, parseManifest } from '../domain/oci.ts';
import {
  breach,
  bySeverity,
  formatCounts,
  formatFinding,
  progressOf,
  scanMarkdown,
  stoppedBy,
  type ImageScan,
  type ScannedImage,
  type SeverityGate,
} from '../domain/scan.ts';
import { InputError } from '../errors.ts';
import type { Ecr, RepositoryPlace, ScanStart } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';

/** An image that was just pushed. */
export interface PushedImage extends RepositoryPlace {
  readonly registryId: AccountId;
  readonly digest: Digest;
  readonly tags: readonly Tag[];
}

export interface ScanRequest {
  readonly image: PushedImage;
  readonly gate: SeverityGate;
  readonly ecr: Pick<Ecr, 'manifest' | 'scan' | 'startScan'>;
  readonly ports: Pick<Ports, 'clock' | 'github' | 'log'>;
  readonly signal: AbortSignal;
}

/** Between two looks, in milliseconds. */
const pause = 5_000;
/** How long a scan on push may take to begin; then one is asked for. */
const patience = 15_000;
/** ECR's own waiter gives up after five minutes; enhanced scans take longer now and then. */
const budget = 10 * 60_000;

/** @throws InputError where an image has findings that the gate stops, or no scan is to be had; AwsError where ECR refuses to tell */
export async function scanImage(request: ScanRequest): Promise<void> {
  const { image, gate, ports } = request;
  if (gate === 'none') return;
  const parts = await scannable(request);
  ports.log.info(`Waiting for the scan of ${parts.map(({ name }) => name).join(', ')} (fail-on-severity: ${gate}).`);
  const scanned = await Promise.all(parts.map(async (part) => scan(part, request)));
  for (const { name, scan: found } of scanned) if (found) ports.log.info(`Scan of ${name}: ${formatCounts(found.counts)} findings.`);
  await ports.github.summarise(scanMarkdown(scanned, { gate }));
  const problems = scanned.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ input: 'fail-on-severity', problem: `${name}: ${problem}` }],
  );
  if (problems.length > 0)
    throw new InputError(problems, {
      hint: `The image is pushed as ${image.digest}, with the tags ${image.tags.join(', ')}; nothing was shared or deployed. Mend it and publish again; fail-on-severity: none lets an image through unseen.`,
    });
}

interface Part {
  /** The platform; of a single image the repository. */
  readonly name: string;
  readonly digest: Digest;
}

/** The image itself, or the images of an index, without its attestations. */
async function scannable({ image, ecr }: ScanRequest): Promise<readonly Part[]> {
  const found = await ecr.manifest(image, { digest: image.digest });
  const manifest = found.answer === 'found' ? parseManifest(found.text, found.mediaType) : undefined;
  if (!manifest?.ok || manifest.value.kind !== 'index') return [{ name: image.repository, digest: image.digest }];
  return manifest.value.children
    .filter(({ mediaType, platform }) => imageMediaTypes.some((known) => known === mediaType) && !(platform && isAttestation(platform)))
    .map(({ digest, platform }) => ({ name: platform ? formatPlatform(platform) : digest, digest }));
}

async function scan(part: Part, { image, gate, ecr, ports: { clock, log }, signal }: ScanRequest): Promise<ScannedImage> {
  const { name, digest } = part;
  const begun = clock.monotonic();
  let asked: ScanStart | undefined;
  for (;;) {
    const found = await ecr.scan(image, digest);
    const waited = clock.monotonic() - begun;
    const progress = found ? progressOf(found) : undefined;
    if (found && progress?.is === 'done') return { name, scan: found, problem: tooSevere(found, gate) };
    if (progress?.is === 'over') return { name, scan: undefined, problem: progress.why };
    if (waited >= budget) return { name, scan: undefined, problem: tooLate({ found, asked }) };
    if (found === undefined && (asked === undefined || asked.start === 'unknown') && waited >= patience) {
      asked = await ecr.startScan(image, digest);
      if ('reason' in asked) return { name, scan: undefined, problem: notScanned(asked) };
      log.info(`No scan of ${name} has begun by itself: ${tried[asked.start]}.`);
    }
    await clock.sleep(pause, signal);
  }
}

function tooSevere({ counts, findings }: ImageScan, gate: SeverityGate): string | undefined {
  const found = breach(counts, gate);
  if (found === undefined) return undefined;
  const stopped = findings.filter(({ severity }) => stoppedBy(gate).includes(severity)).toSorted(bySeverity);
  const shown = stopped.slice(0, 3).map(formatFinding);
  const more = stopped.length > shown.length ? [`and ${stopped.length - shown.length} more`] : [];
  return `${found}: ${[...shown, ...more].join('; ')}`;
}

const tried = {
  started: 'one was asked for',
  limited: 'ECR refuses to start one, since it scans an image once in 24 hours and so many in all',
  enhanced: 'the registry’s enhanced scanning starts them',
  unknown: 'ECR did not answer when one was asked for',
} as const;

function notScanned({ start, reason }: ScanStart & { readonly reason: string }): string {
  return start === 'denied'
    ? `no scan has begun by itself, and none may be started. Turn scan on push on, or allow ecr:StartImageScan. ${reason}`
    : `ECR can’t scan this image. ${reason}`;
}

function tooLate({ found, asked }: { found: ImageScan | undefined; asked: ScanStart | undefined }): string {
  const minutes = `${budget / 60_000} minutes`;
  if (found) return `the scan did not end within ${minutes}; it is ${found.status}`;
  switch (asked?.start) {
    case 'limited':
      return `no scan came within ${minutes}, and ${tried.limited}`;
    case 'enhanced':
      return `no scan came within ${minutes}; check that the filters of the registry’s enhanced scanning take this repository in`;
    case 'unknown':
      return `no scan came within ${minutes}, and ${tried.unknown}`;
    default:
      return `no scan came within ${minutes}, though ${tried.started}`;
  }
}
