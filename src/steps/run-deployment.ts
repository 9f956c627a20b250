/** A prepared deployment from its start to its end, with its place in the job summary: what `deploy` and `release` share. */
import { summariseDeployment, type DeploymentSummary } from '../domain/deployment-summary.ts';
import { isActive } from '../domain/deployment.ts';
import { ActionError, CancelledError, DeploymentError, toError } from '../errors.ts';
import { deployService, type DeployRequest, type Deployed } from './deploy-service.ts';
import { followDeployment, type Followed } from './follow-deployment.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import { containerUris } from './render-definition.ts';

/** @throws what `deployService` and `followDeployment` throw, after the summary was written */
export async function runDeployment(prepared: PreparedDeployment, request: DeployRequest): Promise<Deployed> {
  const deployed = await deployService(prepared, request);
  const images = containerUris(prepared.containers, request.images);
  const summarise = async (ending: Ending): Promise<void> =>
    request.ports.github.summarise(
      summariseDeployment({
        service: prepared.inputs.service,
        cluster: prepared.inputs.cluster,
        images,
        taskDefinition: deployed.taskDefinition,
        previousTaskDefinition: deployed.result === 'started' ? deployed.previousTaskDefinition : deployed.taskDefinition,
        deployment: deployed.result === 'started' ? deployed : undefined,
        ...ending,
      }),
    );
  if (deployed.result !== 'started') {
    await summarise({
      outcome: deployed.result === 'unchanged' ? 'unchanged: the service runs this already' : `yielded to ${deployed.to.id} of a newer run`,
      events: [],
    });
    return deployed;
  }
  await summariseEnd(followDeployment({ ...request, ...deployed }), summarise);
  return deployed;
}

/** How a deployment ended, as the job summary tells it. */
export type Ending = Pick<DeploymentSummary, 'outcome' | 'events' | 'failure' | 'advice' | 'rollback'>;

/** Waits for the end, and writes the summary whatever it is. */
export async function summariseEnd(following: Promise<Followed>, summarise: (ending: Ending) => Promise<void>): Promise<Followed> {
  try {
    const followed = await following;
    const { status, events } = followed;
    await summarise({ outcome: outcomeOf(status), events });
    return followed;
  } catch (error) {
    await summarise(badEnding(error));
    throw error;
  }
}

function outcomeOf(status: string): string {
  if (status === 'Created') return 'started, not waited for';
  return status === 'Succeeded' ? status : `${status}: as far as wait-until asks`;
}

function badEnding(error: unknown): Ending {
  const failure = toError(error).message;
  if (error instanceof CancelledError) return { outcome: 'the run was cancelled', events: [], failure, advice: error.hint };
  if (!(error instanceof DeploymentError))
    return { outcome: 'failed', events: [], failure, advice: error instanceof ActionError ? error.hint : undefined };
  const { status, events, rollback, hint, url } = error;
  const undone = rollback && (rollback.status === 'Succeeded' ? ', rolled back' : `, and its rollback is ${rollback.status}`);
  const outcome = isActive(status) ? `${status}, not followed any more` : `${status}${undone ?? ''}`;
  // The table links to the console already.
  return { outcome, events, failure, advice: hint?.replace(url, '').trim(), rollback };
}
