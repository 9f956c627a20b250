/**
 * What a rollback would do now, and whether it can: everything is checked before the first write. The task definition that is gone
 * back to must be ACTIVE, and its images must still be there.
 */
import { undoneBy } from '../domain/deployment-marker.ts';
import { decideRollback, type Ended, type RollbackDecision } from '../domain/deployment-rollback.ts';
import { greenOf, isActive, type Deployment } from '../domain/deployment.ts';
import { parseEcrHost, parseImageReference } from '../domain/image.ts';
import { formatPath, textOf, type JsonObject } from '../domain/json.ts';
import { shortName, type LiveService } from '../domain/live-service.ts';
import { imagesOf, readTaskDefinition, type TaskDefinition } from '../domain/task-definition.ts';
import { AwsError, InputError, type InputProblem } from '../errors.ts';
import { isDenial, isExpiry, isPassing } from '../ports/aws.ts';
import type { RegisteredTaskDefinition, ServiceAnswer } from '../ports/ecs.ts';
import type { Ports } from '../ports/index.ts';
import { checkImage } from './check-image.ts';
import type { Deployer, Revision } from './deployer.ts';
import { findDeployer, type DeploymentWish, type FoundDeployer } from './find-deployment.ts';
import { imageIdOf } from './find-image.ts';
import { rollbackOf } from './follow-deployment.ts';
import { report } from './preflight-report.ts';
import { serviceProblems, withOwnTags } from './prepare-deployment.ts';
import type { DeploySide } from './sessions.ts';

export interface RollbackPreparation {
  readonly inputs: DeploymentWish;
  readonly side: DeploySide;
  readonly ports: Pick<Ports, 'clock' | 'ecr' | 'log'>;
  readonly signal: AbortSignal;
}

type Redeploy = Extract<RollbackDecision, { what: 'redeploy' }>;

export type PreparedRollback = { readonly found: FoundDeployer } & (
  Exclude<RollbackDecision, { what: 'redeploy' | 'nothing' }> | (Redeploy & { readonly redeployment: Redeployment })
);

export interface Redeployment {
  readonly service: LiveService;
  readonly revision: Revision;
  /** What runs. */
  readonly from: RegisteredTaskDefinition;
  /** What ran before, and will again. */
  readonly to: RegisteredTaskDefinition;
  /** The same to be registered once more, where every deployment has a task definition of its own. */
  readonly copy: TaskDefinition | undefined;
}

/** @throws InputError where there is nothing to go back to, or it can't run any more: nothing was written */
export async function prepareRollback(request: RollbackPreparation): Promise<PreparedRollback> {
  const found = await findDeployer(request);
  const { active: listed, newest } = await found.around();
  // Lists lag behind.
  const active = listed ?? (newest && isActive(newest.status) ? newest : undefined);
  const last = active || !newest ? undefined : await endOf(newest, { deployer: found.deployer, request });
  const decision = decideRollback({ active, last, named: found.named });
  if (decision.what === 'nothing') throw nothing(decision.why);
  if (decision.what !== 'redeploy') return { found, ...decision };
  return { found, ...decision, redeployment: await prepareRedeployment({ request, found, decision }) };
}

function nothing(why: string): InputError {
  return new InputError([{ input: 'mode', problem: `there is nothing to roll back to: ${why}` }], {
    hint: 'To bring back an image that is not known here, deploy it: mode: deploy.',
  });
}

/** The newest deployment and what became of it, whether it or AWS's rollback of it is the newest in the group. */
async function endOf(newest: Deployment, { deployer, request }: { deployer: Deployer; request: RollbackPreparation }): Promise<Ended> {
  const { of } = newest.rollback;
  if (of !== undefined) return { deployment: await deployer.deployment(of), rollback: newest, hadTraffic: true };
  if (newest.status === 'Succeeded')
    return { deployment: newest, rollback: undefined, hadTraffic: true, restores: await restoredBy(newest, { deployer, request }) };
  const by = await rollbackOf({ deployment: newest, deployments: deployer, ports: request.ports, signal: request.signal });
  if (by !== undefined) return { deployment: newest, rollback: await deployer.deployment(by), hadTraffic: true };
  const green = greenOf(await deployer.look(newest.id));
  return { deployment: newest, rollback: undefined, hadTraffic: (green?.traffic ?? 0) > 0 };
}

/**
 * What a rollback of ours brought back, where it was registered once more for it: what ran before the deployment that it undid. Only
 * who names a deployment asks.
 */
async function restoredBy(
  { description }: Deployment,
  { deployer, request }: { deployer: Deployer; request: RollbackPreparation },
): Promise<string | undefined> {
  const undone = undoneBy(description);
  if (undone === undefined || !deployer.needsOwnDefinition || request.inputs['deployment-id'] === undefined) return undefined;
  return (await deployer.deployment(undone)).previousRevision;
}

async function prepareRedeployment({
  request,
  found,
  decision,
}: {
  request: RollbackPreparation;
  found: FoundDeployer;
  decision: Redeploy;
}): Promise<Redeployment> {
  const { ecs } = request.side;
  const { deployer } = found;
  const { cluster, service } = deployer.where;
  const { undoes } = decision;
  const [revision, answer] = await Promise.all([deployer.revision(decision.revision), ecs.describeService({ cluster, service })]);
  if (!revision) throw nothing(`AWS knows no more what ran before ${undoes}`);
  const live = serviceIn(answer, { request, found });
  const [from, to] = await Promise.all([found.running(live), describe(revision.taskDefinition, { request, undoes })]);
  const goal = `${undoes} can't be rolled back to ${shortName(to.arn)}`;
  const reading = deployer.needsOwnDefinition ? readTaskDefinition(withOwnTags(to)) : undefined;
  const problems = [
    ...statusProblems(to.definition),
    ...(reading && !reading.ok ? reading.findings.map(({ path, problem }) => `${formatPath(path)} ${problem}`) : []),
    ...(await imageProblems({ definition: to.definition, request })),
  ];
  report({ inputs: problems.map((problem) => ({ input: 'mode', problem: `${goal}: ${problem}` })), documents: [], failures: [] });
  return { service: live, revision, from, to, copy: reading?.ok ? reading.definition : undefined };
}

/** @throws InputError where the service is not there, or not deployed in this way any more */
function serviceIn(live: ServiceAnswer, { request, found }: { request: RollbackPreparation; found: FoundDeployer }): LiveService {
  const { cluster, service } = found.deployer.where;
  const problems: InputProblem[] = serviceProblems({ live, inputs: { ...request.inputs, cluster, service } });
  if (problems.length > 0 || live.found !== 'service') throw new InputError(problems);
  return live.service;
}

/** @throws InputError where ECS does not know it any more (ClientException) */
async function describe(
  arn: string,
  { request, undoes }: { request: RollbackPreparation; undoes: string },
): Promise<RegisteredTaskDefinition> {
  try {
    return await request.side.ecs.describeTaskDefinition(arn);
  } catch (error) {
    if (!(error instanceof AwsError) || isDenial(error) || isExpiry(error) || isPassing(error)) throw error;
    throw new InputError([{ input: 'mode', problem: `${undoes} can't be rolled back to ${shortName(arn)}: ${error.message}` }], {
      cause: error,
    });
  }
}

function statusProblems({ status }: JsonObject): string[] {
  return status === 'ACTIVE' || status === undefined
    ? []
    : [`it is ${textOf(status)}, so that no task of it can be started any more; deploy the image that ran then with mode: deploy`];
}

/** The images in ECR, asked for with the credentials of the account that pulls them; what other registries have is not known. */
async function imageProblems({ definition, request }: { definition: JsonObject; request: RollbackPreparation }): Promise<string[]> {
  const { side, ports } = request;
  const asked = [...new Set(imagesOf(definition).map(({ uri }) => uri))].flatMap((uri) => {
    const reference = parseImageReference(uri);
    const home = reference.ok ? parseEcrHost(reference.value.host ?? '') : undefined;
    return reference.ok && home ? [{ ...reference.value, ...home }] : [];
  });
  const answers = await Promise.all(
    asked.map(async ({ account, region, ...reference }) => {
      const place = { repository: reference.repository, registryId: account };
      return checkImage({ ecr: ports.ecr({ ...side.session, region }), place, id: imageIdOf(reference) });
    }),
  );
  for (const answer of answers) if (answer.canPull === 'unknown') ports.log.warning(answer.warning);
  return answers.flatMap((answer) => (answer.canPull === 'no' ? [answer.problem] : []));
}
