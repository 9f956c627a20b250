/** The deployments of a CodeDeploy deployment group: what main's follower, the cancel and the post step all work with. */
import type { Region } from '../domain/account.ts';
import { deploymentUrl, type Deployment } from '../domain/deployment.ts';
import { parseMarker } from '../domain/deployment-marker.ts';
import type { Codedeploy, GroupName } from '../ports/codedeploy.ts';
import type { Deployments } from './deployer.ts';

/** What leads back to a group's deployments. */
export interface GroupPlace extends GroupName {
  readonly how: 'codedeploy';
  readonly region: Region;
  readonly cluster: string;
  readonly service: string;
}

/** As the ECS console names them. */
export function usualGroup({ cluster, service }: { cluster: string; service: string }): GroupName {
  return { application: `AppECS-${cluster}-${service}`, group: `DgpECS-${cluster}-${service}` };
}

export function codedeployDeployments({ codedeploy, place }: { codedeploy: Codedeploy; place: GroupPlace }): Deployments {
  return {
    find: async ({ nonce }) => {
      const bearsIt = ({ description }: Deployment): boolean => parseMarker(description)?.nonce === nonce;
      // One that failed at once has ended before anybody looks: the group still names it as its newest.
      const [active, newest] = await Promise.all([codedeploy.activeDeployments(place), newestOf({ codedeploy, place })]);
      return [...active, ...(newest ? [newest] : [])].find(bearsIt);
    },
    deployment: async (id) => codedeploy.deployment(id),
    look: async (id) => {
      const { cluster, service } = place;
      const [deployment, target] = await Promise.all([codedeploy.deployment(id), codedeploy.target({ id, cluster, service })]);
      return { deployment, target };
    },
    stop: async (of) => codedeploy.stop(of),
    endReadyWait: async (id) => {
      await codedeploy.continueDeployment({ id, wait: 'READY_WAIT' });
      return 'continued';
    },
    endTerminationWait: async (id) => codedeploy.continueDeployment({ id, wait: 'TERMINATION_WAIT' }),
    url: (id) => deploymentUrl({ id, region: place.region }),
    traceOf: ({ nonce }) => `its description ends in #${nonce}`,
  };
}

async function newestOf({ codedeploy, place }: { codedeploy: Codedeploy; place: GroupName }): Promise<Deployment | undefined> {
  const answer = await codedeploy.group(place);
  if (answer.found !== 'group' || answer.group.lastAttempted === undefined) return undefined;
  return codedeploy.deployment(answer.group.lastAttempted);
}
