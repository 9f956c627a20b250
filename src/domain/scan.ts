/**
 * What a scan found in an image, and whether a gate lets it through.
 *
 *   severity  CRITICAL > HIGH > MEDIUM > LOW > INFORMATIONAL > UNDEFINED     (ECR: FindingSeverity; Inspector's UNTRIAGED is UNDEFINED)
 *   gate      none | critical | high | medium | low: what is as severe, or more, fails
 *
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
 */
import { code, escapeMarkdown, table } from './markdown.ts';

export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNDEFINED'] as const;
export type Severity = (typeof severities)[number];

export const severityGates = ['none', 'critical', 'high', 'medium', 'low'] as const;
export type SeverityGate = (typeof severityGates)[number];

export type SeverityCounts = Readonly<Partial<Record<Severity, number>>>;

export interface Finding {
  /** `CVE-2026-1000`. */
  readonly name: string;
  readonly severity: Severity;
  /** `openssl 3.0.1`; undefined where ECR does not say. */
  readonly package: string | undefined;
  /** The version without it; only enhanced scans tell. */
  readonly fixedIn: string | undefined;
  readonly uri: string | undefined;
}

export interface ImageScan {
  /** ECR's word: `IN_PROGRESS`, `COMPLETE`, … */
  readonly status: string;
  /** ECR's explanation of it. */
  readonly why: string | undefined;
  readonly counts: SeverityCounts;
  readonly findings: readonly Finding[];
}

export function toSeverity(text: string | undefined): Severity {
  return severities.find((known) => known === text) ?? 'UNDEFINED';
}

export function countBySeverity(findings: readonly Finding[]): SeverityCounts {
  const counts: Partial<Record<Severity, number>> = {};
  for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}

export type ScanProgress =
  | { readonly is: 'done' }
  /** Also where the status is one that nobody knows yet: it may become one of the others. */
  | { readonly is: 'running' }
  /** There will be no findings. */
  | { readonly is: 'over'; readonly why: string };

/** Why a scan ended without findings (ECR: ScanStatus). */
const ends: Readonly<Record<string, string>> = {
  FAILED: 'the scan failed',
  UNSUPPORTED_IMAGE: 'ECR can’t scan this image: its operating system or type is not supported',
  SCAN_ELIGIBILITY_EXPIRED: 'the image is older than enhanced scanning looks at',
  LIMIT_EXCEEDED: 'the limit of scans is reached',
  IMAGE_ARCHIVED: 'the image is archived',
};

/** What a status means. A finished enhanced scan reads ACTIVE, since it goes on looking. */
export function progressOf({ status, why }: Pick<ImageScan, 'status' | 'why'>): ScanProgress {
  if (status === 'COMPLETE' || status === 'ACTIVE') return { is: 'done' };
  const end = ends[status];
  if (end === undefined) return { is: 'running' };
  return { is: 'over', why: `${end} (${status}${why === undefined ? '' : `: ${why}`})` };
}

/** The severities that a gate stops. */
export function stoppedBy(gate: SeverityGate): readonly Severity[] {
  const at = severities.findIndex((severity) => severity.toLowerCase() === gate);
  return severities.slice(0, at + 1);
}

/** `1 critical and 2 high findings`; undefined where the gate lets the image through. */
export function breach(counts: SeverityCounts, gate: SeverityGate): string | undefined {
  const stopped = stoppedBy(gate);
  const found = Object.fromEntries(stopped.map((severity) => [severity, counts[severity] ?? 0]));
  const all = Object.values(found).reduce((sum, count) => sum + count, 0);
  return all === 0 ? undefined : `${formatCounts(found)} finding${all === 1 ? '' : 's'}`;
}

/** `1 critical, 2 high and 3 low`; `no` where there is none. */
export function formatCounts(counts: SeverityCounts): string {
  const parts = severities.flatMap((severity) => {
    const count = counts[severity] ?? 0;
    return count === 0 ? [] : [`${count} ${severity.toLowerCase()}`];
  });
  const last = parts.pop();
  if (last === undefined) return 'no';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** `CVE-2026-1000 in openssl 3.0.1, fixed in 3.0.2`. */
export function formatFinding({ name, package: vulnerable, fixedIn }: Finding): string {
  return `${name}${vulnerable === undefined ? '' : ` in ${vulnerable}`}${fixedIn === undefined ? '' : `, fixed in ${fixedIn}`}`;
}

/** For sorting: the most severe first. */
export function bySeverity(one: Finding, other: Finding): number {
  return severities.indexOf(one.severity) - severities.indexOf(other.severity) || one.name.localeCompare(other.name);
}

/** The scan of one image. */
export interface ScannedImage {
  /** The platform, or the digest where that is not known. */
  readonly name: string;
  /** Undefined where there are no findings to show; `problem` says why. */
  readonly scan: ImageScan | undefined;
  readonly problem: string | undefined;
}

/** The job summary takes 1 MiB a step; whoever has more findings than this reads them in ECR. */
const shownFindings = 50;

/** The scans for the job summary. Names and packages are others' text: escaped. */
export function scanMarkdown(images: readonly ScannedImage[], { gate }: { gate: SeverityGate }): string {
  const found = images
    .flatMap(({ name, scan }) => (scan?.findings ?? []).map((finding) => ({ image: name, finding })))
    .toSorted((one, other) => bySeverity(one.finding, other.finding));
  return [
    '### Image scan',
    '',
    table(
      ['Image', ...severities.map(title), `\`fail-on-severity: ${gate}\``],
      images.map(({ name, scan, problem }) => [
        code(name),
        ...severities.map((severity) => (scan ? String(scan.counts[severity] ?? 0) : '–')),
        problem === undefined ? 'passed' : `**failed**: ${escapeMarkdown(problem)}`,
      ]),
    ),
    ...(found.length === 0
      ? []
      : [
          '',
          table(
            ['Severity', 'Finding', 'Package', 'Fixed in', 'Image'],
            found
              .slice(0, shownFindings)
              .map(({ image, finding }) => [
                title(finding.severity),
                linked(finding),
                escapeMarkdown(finding.package ?? '–'),
                escapeMarkdown(finding.fixedIn ?? '–'),
                code(image),
              ]),
          ),
        ]),
    ...(found.length > shownFindings ? ['', `… and ${found.length - shownFindings} more, in ECR.`] : []),
    '',
    '',
  ].join('\n');
}

const title = (severity: Severity): string => `${severity.slice(0, 1)}${severity.slice(1).toLowerCase()}`;

/** A link only where its address has nothing that Markdown could take for more. */
function linked({ name, uri }: Finding): string {
  const text = escapeMarkdown(name);
  return uri !== undefined && /^https:\/\/[\w./?=&%+-]+$/.test(uri) ? `[${text}](${uri})` : text;
}
