/**
 * Finds the service that is meant where ECS itself deploys it: the one of a service deployment's ARN, else the one that is named. Who
 * deploys a service is read from it, never asked.
 */
import { parseArn } from '../domain/account.ts';
import { isServiceDeployment, type DeploymentId } from '../domain/deployment.ts';
import { shortName, type LiveService } from '../domain/live-service.ts';
import { deploysItself } from '../domain/service-deployment.ts';
import { InputError, type InputProblem } from '../errors.ts';
import type { PlaceWish } from './codedeploy-place.ts';
import { serviceProblems } from './prepare-deployment.ts';
import type { DeployInputs, DeploySide } from './sessions.ts';

export interface OwnWish extends DeployInputs, PlaceWish {
  readonly 'deployment-id': DeploymentId | undefined;
}

interface Named {
  readonly cluster: string;
  readonly service: string;
}

/** What the inputs alone lack, or say twice, to lead to a service deployment. */
export function serviceDeploymentProblems(inputs: OwnWish): InputProblem[] {
  const id = inputs['deployment-id'];
  if (id === undefined || !isServiceDeployment(id)) return [];
  const named = namesIn(id);
  const { cluster, service } = inputs;
  if (!named) {
    const problem = `is needed: ${id} is of ECS’s own deployments, which are known by their service`;
    return (['cluster', 'service'] as const).filter((input) => inputs[input] === undefined).map((input) => ({ input, problem }));
  }
  const region = inputs['deploy-region'] ?? inputs['aws-region'];
  return [
    ...(named.region === region ? [] : [`is in ${named.region}, and the Region is ${region} (deploy-region)`]),
    ...(cluster === undefined || shortName(cluster) === named.cluster ? [] : [`is of the cluster ${named.cluster}, not of ${cluster}`]),
    ...(service === undefined || service === named.service ? [] : [`is of the service ${named.service}, not of ${service}`]),
  ].map((problem) => ({ input: 'deployment-id', problem }));
}

/**
 * The service, where ECS itself deploys it; undefined where CodeDeploy is meant.
 * @throws InputError where nobody deploys it so that there is anything to follow
 */
export async function findOwnService({
  inputs,
  side: { ecs, session },
}: {
  inputs: OwnWish;
  side: Pick<DeploySide, 'ecs' | 'session'>;
}): Promise<LiveService | undefined> {
  const named = meant(inputs);
  if (!named) return undefined;
  const live = await ecs.describeService(named);
  const id = inputs['deployment-id'];
  if (live.found === 'service' && deploysItself(live.service)) return live.service;
  const isCodedeploys = live.found === 'nothing' || live.service.controller === 'CODE_DEPLOY';
  if (id === undefined && isCodedeploys) return undefined;
  const problems = serviceProblems({ live, inputs: { ...inputs, ...named, 'deploy-region': session.region } });
  if (problems.length > 0) throw new InputError(problems);
  throw new InputError([
    { input: 'deployment-id', problem: `${id ?? ''} is of ECS’s own deployments, and ${named.service} is deployed by CodeDeploy (d-…)` },
  ]);
}

/** The service to be asked about; undefined where the inputs name CodeDeploy's. */
function meant(inputs: OwnWish): Named | undefined {
  const { 'deployment-id': id, cluster, service } = inputs;
  if (id !== undefined && !isServiceDeployment(id)) return undefined;
  if (id === undefined && inputs['codedeploy-application'] !== undefined && inputs['codedeploy-deployment-group'] !== undefined)
    return undefined;
  return (id && namesIn(id)) ?? (cluster !== undefined && service !== undefined ? { cluster, service } : undefined);
}

function namesIn(id: DeploymentId): (Named & { readonly region: string }) | undefined {
  const arn = parseArn(id);
  if (!arn.ok) return undefined;
  const [, cluster = '', service = ''] = arn.value.resource.split('/');
  return { cluster, service, region: arn.value.region };
}
