/** A prepared deployment from its start to its end, with its place in the job summary: what `deploy` and `release` share. */
import { summariseDeployment } from '../domain/deployment-summary.ts';
import { formatImage } from '../domain/image.ts';
import { ActionError } from '../errors.ts';
import { deployService, type DeployRequest, type Deployed } from './deploy-service.ts';
import { followDeployment, type Followed } from './follow-deployment.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import { containerImages } from './render-definition.ts';

/** @throws what `deployService` and `followDeployment` throw, after the summary was written */
export async function runDeployment(prepared: PreparedDeployment, request: DeployRequest): Promise<Deployed> {
  const deployed = await deployService(prepared, request);
  const summarise = async (ending: { outcome: string; events?: Followed['events']; failure?: string }): Promise<void> =>
    request.ports.github.summarise(
      summariseDeployment({
        service: prepared.inputs.service,
        cluster: prepared.inputs.cluster,
        images: containerImages(prepared.containers, request.images).map(({ container, image }) => ({
          container,
          uri: formatImage(image),
        })),
        taskDefinition: deployed.taskDefinition,
        previousTaskDefinition: deployed.result === 'started' ? deployed.previousTaskDefinition : deployed.taskDefinition,
        deployment: deployed.result === 'started' ? deployed : undefined,
        events: [],
        ...ending,
      }),
    );
  if (deployed.result !== 'started') {
    await summarise({
      outcome: deployed.result === 'unchanged' ? 'unchanged: the service runs this already' : `yielded to ${deployed.to.id} of a newer run`,
    });
    return deployed;
  }
  try {
    const { status, events } = await followDeployment({ ...request, ...deployed });
    await summarise({ outcome: status === 'Created' ? 'started, not waited for' : status, events });
    return deployed;
  } catch (error) {
    const failure = error instanceof ActionError ? error.message : String(error);
    await summarise({ outcome: 'failed', failure });
    throw error;
  }
}
