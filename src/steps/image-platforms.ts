/** The platforms that an image in ECR runs on: an index lists them, a single image tells its own in its configuration. */
import { parseConfiguration, parseManifest, platformsOf, type Platform } from '../domain/oci.ts';
import { AwsError } from '../errors.ts';
import type { EcrManifest, ImageRegistry, RepositoryPlace } from '../ports/ecr.ts';

export interface PlatformQuestion {
  readonly ecr: ImageRegistry;
  readonly place: RepositoryPlace;
  readonly manifest: EcrManifest;
}

/** Undefined where they can't be known: that is no reason to stop. */
export async function imagePlatforms({ ecr, place, manifest }: PlatformQuestion): Promise<readonly Platform[] | undefined> {
  const parsed = parseManifest(manifest.text, manifest.mediaType);
  if (!parsed.ok) return undefined;
  if (parsed.value.kind === 'index') return platformsOf(parsed.value);
  try {
    const configuration = await ecr.configuration(place, parsed.value.config.digest);
    const platform = configuration === undefined ? undefined : parseConfiguration(configuration);
    return platform?.ok ? [platform.value] : undefined;
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
