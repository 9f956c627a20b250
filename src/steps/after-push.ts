/** What an image must stand before it is shared or deployed: the scan's gate, and its copies elsewhere. */
import type { BlindPlan, PlanPart } from '../domain/plan.ts';
import { formatDestination, formatReplicaPlace } from '../domain/replica.ts';
import type { SeverityGate } from '../domain/scan.ts';
import type { EcrRepository } from '../ports/ecr.ts';
import type { PublishedImage } from './publish-image.ts';
import { scanImage } from './scan-image.ts';
import { waitForReplication, type ReplicationInputs, type WaitRequest } from './wait-for-replication.ts';

/** The rows that a mode spreads: `checking` of modes/shared-inputs.ts. */
export interface AfterPushInputs extends ReplicationInputs {
  readonly 'fail-on-severity': SeverityGate;
}

export interface AfterPushRequest extends WaitRequest {
  readonly inputs: AfterPushInputs;
  readonly image: PublishedImage;
}

/**
 * The gate first: it takes seconds, and nobody waits for copies of an image that may not go on. It is the same image in every
 * repository, so it is scanned in one of them.
 */
export async function afterPush({ inputs, ...request }: AfterPushRequest): Promise<void> {
  const { image } = request;
  await scanImage({ ...request, gate: inputs['fail-on-severity'] });
  for (const { repository, tags } of [image, ...image.others])
    await waitForReplication({ ...request, image: { ...image, repository, tags } });
}

/** What is known of it without credentials. */
export function planAfterPushBlindly(inputs: AfterPushInputs): BlindPlan {
  const gate = inputs['fail-on-severity'];
  const places = inputs['wait-for-replication'].map(formatReplicaPlace).join(', ');
  return {
    wished: [
      ...(gate === 'none' ? [] : [`a scan of the image without findings of severity ${gate} or above`]),
      ...(places === '' ? [] : [`copies of the image in ${places}`]),
    ],
    unknown: [
      ...(gate === 'none' ? [] : ['what the scan finds']),
      ...(places === '' ? [] : ['whether replication rules of the registry make these copies']),
    ],
  };
}

/** The same in a dry run. */
export function planAfterPush({
  inputs,
  destinations,
  repository,
}: Pick<AfterPushRequest, 'inputs' | 'destinations'> & { readonly repository: EcrRepository }): PlanPart {
  const gate = inputs['fail-on-severity'];
  const names = destinations.map((destination) => formatDestination(destination, repository.registryId));
  const facts = [
    ...(gate === 'none' ? [] : [`the scan would be waited for, and findings of severity ${gate} or above would fail`]),
    ...(names.length === 0 ? [] : [`the copies in ${names.join(', ')} would be waited for`]),
  ];
  return {
    // Asked for only where no scan begins by itself.
    writes: gate === 'none' ? [] : [{ service: 'ecr', action: 'StartImageScan', resource: repository.arn }],
    ...(facts.length > 0 && { afterPush: facts }),
  };
}
