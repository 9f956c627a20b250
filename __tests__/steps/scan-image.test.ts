import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Digest, Tag } from '../../src/domain/image.ts';
import { countBySeverity, type Finding, type ImageScan, type Severity, type SeverityGate } from '../../src/domain/scan.ts';
import { CancelledError, InputError } from '../../src/errors.ts';
import { scanImage } from '../../src/steps/scan-image.ts';
import { FakeClock } from '../fakes/clock.ts';
import { digestOf, FakeEcr } from '../fakes/ecr.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';

let ecr: FakeEcr;
let clock: FakeClock;
let github: FakeGitHub;
let log: RecordingLog;
const digest = digestOf('image');
const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';

beforeEach(() => {
  ecr = new FakeEcr();
  clock = new FakeClock();
  github = new FakeGitHub();
  log = new RecordingLog();
  ecr.hold({ digest, tags: ['v1', 'v1.2'] });
});

const scanning = async (gate: SeverityGate = 'high', signal = new AbortController().signal) =>
  scanImage({
    image: { repository: ecr.name, registryId: ecr.account, digest, tags: ['v1', 'v1.2'] as Tag[] },
    gate,
    ecr,
    ports: { clock, github, log },
    signal,
  });

const finding = (severity: Severity, name = `CVE-1-${severity}`): Finding => ({
  name,
  severity,
  package: 'openssl 3.0.1',
  fixedIn: severity === 'CRITICAL' ? '3.0.2' : undefined,
  uri: `https://example.test/${name}`,
});
const state = (status: string, why?: string): ImageScan => ({ status, why, counts: {}, findings: [] });
const complete = (...found: readonly Finding[]): ImageScan => ({
  status: 'COMPLETE',
  why: undefined,
  counts: countBySeverity(found),
  findings: found,
});

describe('a single image', () => {
  test('with nothing that the gate stops passes, at once when the scan is there', async () => {
    ecr.scans.set(digest, [complete(finding('MEDIUM'), finding('LOW'))]);
    await scanning();
    expect(clock.slept).toEqual([]);
    expect(log.lines).toEqual([
      'Waiting for the scan of shop/web (fail-on-severity: high).',
      'Scan of shop/web: 1 medium and 1 low findings.',
    ]);
    expect(github.summary).toContain('| `shop/web` | 0 | 0 | 1 | 1 | 0 | 0 | passed |');
    expect(ecr.journal).toEqual([]);
  });

  test('is waited for: first there is no scan, then it runs', async () => {
    ecr.scans.set(digest, [undefined, state('PENDING'), state('IN_PROGRESS'), { ...complete(), status: 'ACTIVE' }]);
    await scanning();
    expect(clock.slept).toEqual([5_000, 5_000, 5_000]);
    expect(ecr.journal).toEqual([]);
    expect(log.lines.at(-1)).toBe('Scan of shop/web: no findings.');
  });

  test('that has what the gate stops fails, names the worst, and says that it is pushed', async () => {
    const found = [
      finding('HIGH', 'CVE-4'),
      finding('LOW'),
      finding('CRITICAL', 'CVE-9'),
      finding('HIGH', 'CVE-2'),
      finding('HIGH', 'CVE-3'),
    ];
    ecr.scans.set(digest, [complete(...found)]);
    const failing = scanning();
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toMatchObject({
      message:
        'fail-on-severity: shop/web: 1 critical and 3 high findings: CVE-9 in openssl 3.0.1, fixed in 3.0.2; CVE-2 in openssl 3.0.1; CVE-3 in openssl 3.0.1; and 1 more',
      hint: expect.stringMatching(
        new RegExp(`^The image is pushed as ${digest}, with the tags v1, v1\\.2; nothing was shared or deployed\\.`),
      ),
    });
    expect(github.summary).toContain('**failed**: 1 critical and 3 high findings');
    expect(github.summary).toContain('| Critical | [CVE\\-9](https://example.test/CVE-9) | openssl 3.0.1 | 3.0.2 | `shop/web` |');
  });

  test.each([
    ['UNSUPPORTED_IMAGE', 'no OS', 'ECR can’t scan this image: its operating system or type is not supported (UNSUPPORTED_IMAGE: no OS)'],
    ['FAILED', undefined, 'the scan failed (FAILED)'],
    ['LIMIT_EXCEEDED', undefined, 'the limit of scans is reached (LIMIT_EXCEEDED)'],
    ['SCAN_ELIGIBILITY_EXPIRED', undefined, 'the image is older than enhanced scanning looks at (SCAN_ELIGIBILITY_EXPIRED)'],
    ['IMAGE_ARCHIVED', undefined, 'the image is archived (IMAGE_ARCHIVED)'],
  ])('whose scan ends as %s does not pass', async (status, why, problem) => {
    ecr.scans.set(digest, [state(status, why)]);
    await expect(scanning('low')).rejects.toThrow(`fail-on-severity: shop/web: ${problem}`);
    expect(clock.slept).toEqual([]);
    expect(github.summary).toContain('**failed**');
  });
});

describe('where no scan begins by itself', () => {
  test('one is asked for, once', async () => {
    ecr.scans.set(digest, [undefined, undefined, undefined, undefined, state('IN_PROGRESS'), complete()]);
    await scanning();
    expect(ecr.journal).toEqual([`ecr start scan ${digest}`]);
    expect(log.lines).toContain('No scan of shop/web has begun by itself: one was asked for.');
    expect(clock.slept).toHaveLength(5);
  });

  test.each([
    ['denied', 'no scan has begun by itself, and none may be started. Turn scan on push on, or allow ecr:StartImageScan. because'],
    ['unsupported', 'ECR can’t scan this image. because'],
  ] as const)('and it is %s: fails at once', async (start, problem) => {
    ecr.scanStart = { start, reason: 'because' };
    await expect(scanning()).rejects.toThrow(problem);
    expect(clock.slept).toHaveLength(3);
  });

  test.each([
    ['started', 'no scan came within 10 minutes, though one was asked for'],
    [
      'limited',
      'no scan came within 10 minutes, and ECR refuses to start one, since it scans an image once in 24 hours and so many in all',
    ],
    ['enhanced', 'no scan came within 10 minutes; check that the filters of the registry’s enhanced scanning take this repository in'],
  ] as const)('and it is %s, but never comes: fails after ten minutes', async (start, problem) => {
    ecr.scanStart = { start };
    await expect(scanning()).rejects.toThrow(problem);
    expect(clock.slept.reduce((sum, each) => sum + each, 0)).toBe(600_000);
    expect(ecr.journal).toHaveLength(1);
  });
});

test('a start that was not answered is tried again', async () => {
  ecr.scans.set(digest, [undefined, undefined, undefined, undefined, undefined, undefined, complete()]);
  ecr.startScan = async () => {
    ecr.journal.push('start');
    return { start: ecr.journal.length === 1 ? 'unknown' : 'started' };
  };
  await scanning();
  expect(ecr.journal).toEqual(['start', 'start']);
  expect(log.lines.slice(1, 3)).toEqual([
    'No scan of shop/web has begun by itself: ECR did not answer when one was asked for.',
    'No scan of shop/web has begun by itself: one was asked for.',
  ]);
});

test('a scan that does not end is told with its status', async () => {
  ecr.scans.set(digest, [state('FINDINGS_UNAVAILABLE')]);
  await expect(scanning()).rejects.toThrow('the scan did not end within 10 minutes; it is FINDINGS_UNAVAILABLE');
});

describe('an index', () => {
  const [amd64, arm64, attestation] = ['amd64', 'arm64', 'attestation'].map(digestOf) as [Digest, Digest, Digest];
  beforeEach(() => {
    const child = (of: Digest, platform: object) => ({ mediaType: imageType, digest: of, size: 2, platform });
    const manifests = [
      child(amd64, { os: 'linux', architecture: 'amd64' }),
      child(arm64, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
      child(attestation, { os: 'unknown', architecture: 'unknown' }),
    ];
    ecr.manifests.set(digest, {
      digest,
      mediaType: indexType,
      text: JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }),
    });
  });

  test('each platform is scanned, attestations are not, and every problem is told', async () => {
    ecr.scans.set(amd64, [complete(finding('HIGH'))]);
    ecr.scans.set(arm64, [undefined, state('UNSUPPORTED_IMAGE')]);
    await expect(scanning()).rejects.toThrow(
      /^2 inputs need attention:\n {2}- fail-on-severity: linux\/amd64: 1 high finding: .*\n {2}- fail-on-severity: linux\/arm64\/v8: ECR can’t scan/,
    );
    expect(github.summary).toContain('`linux/amd64`');
    expect(github.summary).toContain('| `linux/arm64/v8` | – | – | – | – | – | – | **failed**');
  });

  test('passes when each of them does', async () => {
    for (const each of [amd64, arm64]) ecr.scans.set(each, [complete(finding('MEDIUM'))]);
    await scanning();
  });
});

test('without a gate nothing is asked', async () => {
  await scanning('none');
  expect(log.lines).toEqual([]);
  expect(github.summary).toBe('');
});

test('a cancelled run stops waiting', async () => {
  const cancel = new AbortController();
  ecr.scan = async () => {
    cancel.abort(new CancelledError('cancelled'));
    return undefined;
  };
  await expect(scanning('high', cancel.signal)).rejects.toThrow(CancelledError);
});
