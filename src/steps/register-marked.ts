/** Registers the task definition of a deployment, with the run's mark where the deployment has no description to hold it. */
import { markerTag, type Marker } from '../domain/deployment-marker.ts';
import type { TaskDefinition } from '../domain/task-definition.ts';
import { isDenial } from '../ports/aws.ts';
import type { Ecs, RegisteredTaskDefinition } from '../ports/ecs.ts';
import type { Log } from '../ports/log.ts';
import type { Deployer } from './deployer.ts';

/** Whoever may not tag deploys all the same: only later runs can't tell whose it was. */
export async function registerMarked({
  deployer,
  ecs,
  definition,
  marker,
  log,
}: {
  deployer: Pick<Deployer, 'marked'>;
  ecs: Pick<Ecs, 'registerTaskDefinition'>;
  definition: TaskDefinition;
  marker: Marker;
  log: Log;
}): Promise<RegisteredTaskDefinition> {
  const marked = deployer.marked({ definition, marker });
  if (marked === definition) return ecs.registerTaskDefinition(definition);
  try {
    return await ecs.registerTaskDefinition(marked);
  } catch (error) {
    if (!isDenial(error)) throw error;
    const registered = await ecs.registerTaskDefinition(definition);
    log.warning(
      `The task definition could not be tagged (${markerTag}), so an older run of this workflow will not yield to this one. Allow ecs:TagResource.`,
    );
    return registered;
  }
}
