/**
 * Finds the deployment group that is meant: the one of a deployment, else the one that is named, else the one that a service has by
 * the ECS console's custom. Its cluster and service are the group's own, of which it has one (AWS-FACTS 3.2).
 */
import type { Region } from '../domain/account.ts';
import type { DeploymentGroup } from '../domain/deployment-group.ts';
import type { Deployment } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { InputError, type InputProblem } from '../errors.ts';
import type { Codedeploy, GroupName } from '../ports/codedeploy.ts';
import { groupProblems } from './codedeploy-deployer.ts';
import { usualGroup, type GroupPlace } from './codedeploy-deployments.ts';

export interface PlaceWish {
  /** A name or an ARN. */
  readonly cluster?: string | undefined;
  readonly service: string | undefined;
  readonly 'codedeploy-application': string | undefined;
  readonly 'codedeploy-deployment-group': string | undefined;
}

/** What the inputs alone lack to lead to a deployment group. */
export function placeProblems(wish: PlaceWish & { readonly 'deployment-id': string | undefined }): InputProblem[] {
  if (wish['deployment-id'] !== undefined || namesOf(wish)) return [];
  return [
    {
      input: 'deployment-id',
      problem: 'is needed, or cluster and service, or codedeploy-application and codedeploy-deployment-group',
    },
  ];
}

/** @throws InputError where there is no such group, or it is not for what else is given */
export async function findCodedeployPlace({
  codedeploy,
  region,
  wish,
  deployment,
}: {
  codedeploy: Codedeploy;
  region: Region;
  wish: PlaceWish;
  deployment: Deployment | undefined;
}): Promise<{ place: GroupPlace; group: DeploymentGroup }> {
  const names = deployment ?? namesOf(wish);
  if (!names) throw new Error('the inputs that lead to a deployment group were not checked');
  const { application, group } = names;
  const answer = await codedeploy.group({ application, group });
  const own = answer.found === 'group' ? answer.group.services[0] : undefined;
  const place: GroupPlace = {
    how: 'codedeploy',
    region,
    application,
    group,
    cluster: shortName(wish.cluster ?? own?.cluster ?? ''),
    service: wish.service ?? shortName(own?.service ?? ''),
  };
  const problems = [...(deployment ? strangers({ wish, deployment }) : []), ...groupProblems({ answer, place })];
  if (problems.length === 0 && answer.found === 'group') return { place, group: answer.group };
  throw new InputError(
    deployment
      ? problems.map(({ problem }) => ({
          input: 'deployment-id',
          problem: `${deployment.id} is of ${group} of ${application}: ${problem}`,
        }))
      : problems,
  );
}

function namesOf({
  cluster,
  service,
  'codedeploy-application': application,
  'codedeploy-deployment-group': group,
}: PlaceWish): GroupName | undefined {
  if (application !== undefined && group !== undefined) return { application, group };
  if (cluster === undefined || service === undefined) return undefined;
  const usual = usualGroup({ cluster: shortName(cluster), service });
  return { application: application ?? usual.application, group: group ?? usual.group };
}

function strangers({ wish, deployment }: { wish: PlaceWish; deployment: Deployment }): InputProblem[] {
  const { 'codedeploy-application': application = deployment.application, 'codedeploy-deployment-group': group = deployment.group } = wish;
  if (application === deployment.application && group === deployment.group) return [];
  return [{ input: 'deployment-id', problem: `${group} of ${application} is asked for` }];
}
