/** The scan of an image, from what DescribeImageScanFindings answers in pages: basic findings and enhanced ones (Inspector's). */
import type { EnhancedImageScanFinding, ImageScanFinding, ImageScanFindings, ImageScanStatus } from '@aws-sdk/client-ecr';
import { countBySeverity, toSeverity, type Finding, type ImageScan } from '../domain/scan.ts';

export function scanIn(state: ImageScanStatus | undefined, pages: readonly ImageScanFindings[]): ImageScan {
  const findings = pages.flatMap(({ findings: basic = [], enhancedFindings = [] }) => [
    ...basic.map(ofBasic),
    // One that was suppressed is not to stop anybody.
    ...enhancedFindings.filter(({ status = 'ACTIVE' }) => status === 'ACTIVE').map(ofEnhanced),
  ]);
  return { status: state?.status ?? '', why: state?.description, counts: countBySeverity(findings), findings };
}

function ofBasic({ name, severity, uri, attributes = [] }: ImageScanFinding): Finding {
  const attribute = (key: string): string | undefined => attributes.find((one) => one.key === key)?.value;
  return {
    name: name ?? '',
    severity: toSeverity(severity),
    package: words(attribute('package_name'), attribute('package_version')),
    fixedIn: undefined,
    uri,
  };
}

function ofEnhanced({ title, severity, packageVulnerabilityDetails: details }: EnhancedImageScanFinding): Finding {
  const [vulnerable] = details?.vulnerablePackages ?? [];
  return {
    name: details?.vulnerabilityId ?? title ?? '',
    severity: toSeverity(severity),
    package: words(vulnerable?.name, vulnerable?.version),
    fixedIn: vulnerable?.fixedInVersion,
    uri: details?.sourceUrl,
  };
}

function words(...parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined && part !== '');
  return known.length === 0 ? undefined : known.join(' ');
}
