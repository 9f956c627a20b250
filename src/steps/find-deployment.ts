/** Finds a deployment that exists, and whoever made it: what `follow`, `continue` and `rollback` begin with. */
import type { DeploymentId, Deployment, WaitUntil } from '../domain/deployment.ts';
import { InputError } from '../errors.ts';
import { awsCode } from '../ports/aws.ts';
import type { Identity } from '../ports/credentials.ts';
import { codedeployDeployer } from './codedeploy-deployer.ts';
import { findCodedeployPlace, type PlaceWish } from './codedeploy-place.ts';
import type { Deployer } from './deployer.ts';
import { report } from './preflight-report.ts';
import type { DeployInputs, DeploySide } from './sessions.ts';

/** The inputs that lead to a deployment. */
export interface DeploymentWish extends DeployInputs, PlaceWish {
  readonly 'deployment-id': DeploymentId | undefined;
  readonly 'codedeploy-deployment-config'?: string | undefined;
  readonly 'wait-until': WaitUntil;
}

export interface FindRequest {
  readonly inputs: DeploymentWish;
  readonly side: DeploySide;
}

export interface FoundDeployer {
  readonly identity: Identity;
  readonly deployer: Deployer;
  /** The deployment of `deployment-id`. */
  readonly named: Deployment | undefined;
  /** The one that has not ended, and the newest of all, asked when they are needed. */
  readonly around: () => Promise<Around>;
}

export interface Around {
  readonly active: Deployment | undefined;
  readonly newest: Deployment | undefined;
}

export interface FoundDeployment extends Pick<FoundDeployer, 'identity' | 'deployer'> {
  readonly deployment: Deployment;
}

/** @throws InputError where the inputs lead to no deployment, or into another account */
export async function findDeployer({ inputs, side }: FindRequest): Promise<FoundDeployer> {
  const { codedeploy, session } = side;
  const asking = namedDeployment({ inputs, side });
  asking.catch(() => undefined);
  // In the wrong account nothing else that was found means anything.
  const identity = await session.identity();
  const named = await asking;
  const { place, group } = await findCodedeployPlace({ codedeploy, region: session.region, wish: inputs, deployment: named });
  const deployer = codedeployDeployer({
    codedeploy,
    place,
    group,
    appSpec: undefined,
    config: inputs['codedeploy-deployment-config'],
    autoRollback: 'group',
    until: inputs['wait-until'],
  });
  return { identity, deployer, named, around: async () => aroundOf(deployer) };
}

/** The deployment that is named, else the one that is under way. */
export async function findDeployment(request: FindRequest): Promise<FoundDeployment> {
  const { identity, deployer, named, around } = await findDeployer(request);
  if (named) return { identity, deployer, deployment: named };
  const { active, newest } = await around();
  if (active) return { identity, deployer, deployment: active };
  const last = newest ? `the newest deployment there, ${newest.id}, ended as ${newest.status}` : 'there was none yet';
  throw new InputError([{ input: 'deployment-id', problem: `is needed: nothing is under way in ${deployer.place}; ${last}` }]);
}

async function namedDeployment({ inputs, side: { codedeploy, session } }: FindRequest): Promise<Deployment | undefined> {
  const id = inputs['deployment-id'];
  if (id === undefined) return undefined;
  try {
    return await codedeploy.deployment(id);
  } catch (error) {
    if (!['DeploymentDoesNotExistException', 'InvalidDeploymentIdException'].includes(awsCode(error) ?? '')) throw error;
    const { account } = await session.identity();
    const problem = `there is no deployment ${id} in ${session.region} of ${account}; deploy-role and deploy-region say where it is looked for`;
    throw new InputError([{ input: 'deployment-id', problem }], { cause: error });
  }
}

async function aroundOf(deployer: Deployer): Promise<Around> {
  const { active, newest, inputs, documents, failures } = await deployer.read()({ service: undefined, definition: undefined });
  report({ inputs, documents, failures: failures.map((error) => ({ input: 'deploy-role', error })) });
  return { active, newest };
}
