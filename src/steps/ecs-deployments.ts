/** The deployments of a service that ECS itself deploys: what main's follower, the cancel and the post step all work with. */
import type { AccountId, Region } from '../domain/account.ts';
import { descriptionOfTags, parseMarker } from '../domain/deployment-marker.ts';
import { isTerminal, type Snapshot } from '../domain/deployment.ts';
import {
  deploymentOf,
  pauseOf,
  serviceDeploymentArn,
  serviceDeploymentId,
  serviceDeploymentsUrl,
  snapshotOf,
} from '../domain/service-deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { isDenial, isPassing } from '../ports/aws.ts';
import type { Ecs, ListedDeployment } from '../ports/ecs.ts';
import type { Deployments } from './deployer.ts';

/** What leads back to a service's own deployments; ECS knows them by ARNs, which the account is a part of. */
export interface OwnPlace {
  readonly how: 'ecs';
  readonly region: Region;
  readonly account: AccountId;
  readonly cluster: string;
  readonly service: string;
}

/** The newest deployment with this task definition, which one run alone has. */
export async function listedWith({
  ecs,
  place,
  taskDefinition,
}: {
  ecs: Ecs;
  place: OwnPlace;
  taskDefinition: string;
}): Promise<ListedDeployment | undefined> {
  const newest = await ecs.newestDeployments(place);
  const revisions = await ecs.serviceRevisions(newest.map(({ revision }) => revision));
  return newest.find(({ revision }) => revisions.some((each) => each.arn === revision && each.taskDefinition === taskDefinition));
}

export function ecsDeployments({ ecs, place }: { ecs: Ecs; place: OwnPlace }): Deployments {
  const described = async (id: string) => ecs.serviceDeployment(serviceDeploymentArn(place, serviceDeploymentId(id)));
  // ECS tells only the stage that a deployment is in, and the traffic that the new tasks have now.
  const seen = new Map<string, Snapshot>();
  return {
    find: async ({ nonce, taskDefinition }) => {
      const listed = await listedWith({ ecs, place, taskDefinition });
      if (!listed) return undefined;
      const [deployment, { tags }] = await Promise.all([ecs.serviceDeployment(listed.arn), ecs.describeTaskDefinition(taskDefinition)]);
      const description = descriptionOfTags(tags);
      // A run that might not tag its task definition is known by the definition alone.
      return (parseMarker(description)?.nonce ?? nonce) === nonce ? deploymentOf(deployment, { description }) : undefined;
    },
    deployment: async (id) => deploymentOf(await described(id)),
    look: async (id) => {
      const snapshot = snapshotOf(await described(id), seen.get(id));
      seen.set(id, snapshot);
      return snapshot;
    },
    stop: async ({ id }) => {
      try {
        await ecs.stopServiceDeployment(serviceDeploymentArn(place, serviceDeploymentId(id)));
        return 'stopping';
      } catch (error) {
        // By what error ECS says that there is nothing to stop any more is not documented; the deployment says it too.
        if (isTerminal(deploymentOf(await described(id)).status)) return 'ended';
        throw error;
      }
    },
    endReadyWait: async (id) => {
      const arn = serviceDeploymentArn(place, serviceDeploymentId(id));
      const pause = async () => pauseOf(await ecs.serviceDeployment(arn));
      const hook = await pause();
      if (!hook) return 'over';
      try {
        await ecs.continueServiceDeployment({ arn, hook: hook.id });
        return 'continued';
      } catch (error) {
        // By what error ECS says that the hook waits no more is not documented; the deployment says it too.
        if (isDenial(error) || isPassing(error) || (await pause())?.id === hook.id) throw error;
        return 'over';
      }
    },
    // The bake time has no end but its own; a rollback would undo a healthy deployment (RULES 6.7).
    endTerminationWait: undefined,
    url: () => serviceDeploymentsUrl(place),
    traceOf: ({ taskDefinition }) => `its task definition is ${shortName(taskDefinition)}`,
  };
}
