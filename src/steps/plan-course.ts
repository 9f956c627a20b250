/** What `follow` and `continue` would do about a deployment; no call that writes is made. */
import type { Continuation } from '../domain/deployment-continuation.ts';
import { isTerminal, type Deployment } from '../domain/deployment.ts';
import type { PlannedCourse, PlanPart } from '../domain/plan.ts';
import type { Ports } from '../ports/index.ts';
import { continuationNow, nothingToContinue } from './continue-deployment.ts';
import type { DeploymentWish, FoundDeployment } from './find-deployment.ts';
import type { SetFollowedOutput } from './follow-deployment.ts';
import { revisionOf } from './resume-deployment.ts';

interface PlanRequest {
  readonly found: FoundDeployment;
  readonly inputs: DeploymentWish;
  readonly ports: Pick<Ports, 'log'>;
  readonly output: SetFollowedOutput;
}

export async function planFollowing(request: PlanRequest): Promise<PlanPart> {
  const { found, inputs } = request;
  const ended = isTerminal(found.deployment.status);
  return course(request, { fate: ended ? 'has ended: there is nothing to follow' : `would be followed until ${inputs['wait-until']}` });
}

/** @throws InputError where it waits for nothing, as without a dry run */
export async function planContinuation(request: PlanRequest): Promise<PlanPart> {
  const { found, inputs } = request;
  const { deployer, deployment } = found;
  const snapshot = await deployer.look(deployment.id);
  const continuation = await continuationNow(snapshot, { deployer, until: inputs['wait-until'] });
  if (continuation.what === 'nothing') throw nothingToContinue(deployment.id, continuation);
  const call = continuation.what === 'end-termination-wait' ? 'endTerminationWait' : 'endReadyWait';
  return course(request, { fate: fateOf(continuation, deployment), ...(continuation.what !== 'follow' && { call }) });
}

function fateOf(continuation: Exclude<Continuation, { what: 'nothing' }>, { pause }: Deployment): string {
  switch (continuation.what) {
    case 'end-ready-wait':
      return `would be continued: ${pause ? 'ECS would go on from the pause hook' : 'its traffic would shift'}`;
    case 'end-termination-wait':
      return 'would be continued: its old tasks would end';
    case 'await-ready':
      return 'would be continued as soon as it has come to Ready';
    case 'follow':
      return `would not be continued: ${continuation.why}`;
  }
}

async function course(
  { found, ports, output }: PlanRequest,
  { fate, call }: { fate: string; call?: 'endReadyWait' | 'endTerminationWait' },
): Promise<PlanPart> {
  const { deployer, deployment, identity } = found;
  const { id, status } = deployment;
  const revision = await revisionOf({ deployer, name: deployment.revision, ports });
  output('deployment-id', id);
  output('deployment-status', status);
  output('deployment-url', deployer.url(id));
  if (revision) output('task-definition-arn', revision.taskDefinition);
  return {
    writes: call === undefined ? [] : [deployer.permission({ call, account: identity.account })],
    course: courseOf(found, deployment, fate),
  };
}

/** What would become of a deployment. */
export function courseOf(
  { deployer: { place, where } }: Pick<FoundDeployment, 'deployer'>,
  { id, status }: Deployment,
  fate: string,
): PlannedCourse {
  return { id, status, cluster: where.cluster, service: where.service, place, fate };
}
