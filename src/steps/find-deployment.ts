/** Finds a deployment that exists, and whoever made it: what `follow`, `continue` and `rollback` begin with. */
import { isServiceDeployment, type DeploymentId, type Deployment, type WaitUntil } from '../domain/deployment.ts';
import { running, type LiveService } from '../domain/live-service.ts';
import { serviceDeploymentId } from '../domain/service-deployment.ts';
import { InputError } from '../errors.ts';
import { awsCode } from '../ports/aws.ts';
import type { Identity } from '../ports/credentials.ts';
import type { RegisteredTaskDefinition } from '../ports/ecs.ts';
import type { Ports } from '../ports/index.ts';
import { codedeployDeployer } from './codedeploy-deployer.ts';
import { findCodedeployPlace, type PlaceWish } from './codedeploy-place.ts';
import type { Deployer } from './deployer.ts';
import { ecsDeployer } from './ecs-deployer.ts';
import { findOwnService } from './ecs-place.ts';
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
  readonly ports: Pick<Ports, 'clock' | 'log'>;
}

export interface FoundDeployer {
  readonly identity: Identity;
  readonly deployer: Deployer;
  /** The deployment of `deployment-id`. */
  readonly named: Deployment | undefined;
  /** The one that has not ended, and the newest of all, asked when they are needed. */
  readonly around: () => Promise<Around>;
  /** What the author should know: inputs that are not used. */
  readonly warnings: readonly string[];
  /** The task definition that has the production traffic of its service. */
  readonly running: (service: LiveService) => Promise<RegisteredTaskDefinition>;
}

export interface Around {
  readonly active: Deployment | undefined;
  readonly newest: Deployment | undefined;
}

export interface FoundDeployment extends Pick<FoundDeployer, 'identity' | 'deployer'> {
  readonly deployment: Deployment;
}

/** @throws InputError where the inputs lead to no deployment, or into another account */
export async function findDeployer(request: FindRequest): Promise<FoundDeployer> {
  const { inputs, side } = request;
  const { codedeploy, ecs, session } = side;
  const asking = namedDeployment(request);
  const finding = findOwnService(request);
  for (const reading of [asking, finding]) reading.catch(() => undefined);
  // In the wrong account nothing else that was found means anything.
  const identity = await session.identity();
  const own = await finding;
  if (own) return foundOwn({ request, service: own, identity });
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
  return {
    identity,
    deployer,
    named,
    around: async () => aroundOf(deployer),
    warnings: [],
    running: async (service) => ecs.describeTaskDefinition(running(service).taskDefinition),
  };
}

async function foundOwn({
  request: { inputs, side, ports },
  service,
  identity,
}: {
  request: FindRequest;
  service: LiveService;
  identity: Identity;
}): Promise<FoundDeployer> {
  const { ecs, session } = side;
  const deployer = ecsDeployer({
    ecs,
    clock: ports.clock,
    region: session.region,
    service,
    inputs: {
      ...inputs,
      cluster: service.clusterArn,
      service: service.name,
      'codedeploy-appspec': undefined,
      'codedeploy-deployment-config': inputs['codedeploy-deployment-config'],
      'codedeploy-deployment-description': undefined,
      'auto-rollback': 'group',
    },
  });
  const id = inputs['deployment-id'];
  const named = id === undefined ? undefined : await deployer.named(serviceDeploymentId(id)).catch(missing({ id, session, identity }));
  return {
    identity,
    deployer,
    named,
    around: async () => aroundOf(deployer),
    warnings: deployer.warnings,
    running: async () => deployer.running(),
  };
}

/** The deployment that is named, else the one that is under way. */
export async function findDeployment(request: FindRequest): Promise<FoundDeployment> {
  const { identity, deployer, named, around, warnings } = await findDeployer(request);
  for (const warning of warnings) request.ports.log.warning(warning);
  if (named) return { identity, deployer, deployment: named };
  const { active, newest } = await around();
  if (active) return { identity, deployer, deployment: active };
  const last = newest ? `the newest deployment there, ${newest.id}, ended as ${newest.status}` : 'there was none yet';
  throw new InputError([{ input: 'deployment-id', problem: `is needed: nothing is under way in ${deployer.place}; ${last}` }]);
}

/** The deployment of CodeDeploy's that is named. */
async function namedDeployment({ inputs, side: { codedeploy, session } }: FindRequest): Promise<Deployment | undefined> {
  const id = inputs['deployment-id'];
  if (id === undefined || isServiceDeployment(id)) return undefined;
  try {
    return await codedeploy.deployment(id);
  } catch (error) {
    return missing({ id, session, identity: await session.identity() })(error);
  }
}

/** What AWS says of a deployment that is not there; CodeDeploy's words, and a DescribeServiceDeployments that finds none. */
const absences = ['DeploymentDoesNotExistException', 'InvalidDeploymentIdException', 'ServiceDeploymentNotFoundException', 'MISSING'];

function missing({ id, session, identity }: { id: DeploymentId; session: DeploySide['session']; identity: Identity }) {
  return (error: unknown): never => {
    if (!absences.includes(awsCode(error) ?? '')) throw error;
    const problem = `there is no deployment ${id} in ${session.region} of ${identity.account}; deploy-role and deploy-region say where it is looked for`;
    throw new InputError([{ input: 'deployment-id', problem }], { cause: error });
  };
}

async function aroundOf(deployer: Deployer): Promise<Around> {
  const { active, newest, inputs, documents, failures } = await deployer.read()({ service: undefined, definition: undefined });
  report({ inputs, documents, failures: failures.map((error) => ({ input: 'deploy-role', error })) });
  return { active, newest };
}
