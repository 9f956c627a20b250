/** Follows a deployment that another step, another run or a person started: `follow`, and what `continue` does after its call. */
import type { Cleanup, Memory } from '../cleanup.ts';
import { parseMarker } from '../domain/deployment-marker.ts';
import { summariseDeployment } from '../domain/deployment-summary.ts';
import { isTerminal, type Snapshot } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { toError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { Deployer, Revision } from './deployer.ts';
import type { DeploymentWish, FoundDeployment } from './find-deployment.ts';
import { unfinishedDeployment } from './finish-deployment.ts';
import { followDeployment, type FollowTarget, type SetFollowedOutput } from './follow-deployment.ts';
import { summariseEnd } from './run-deployment.ts';
import type { DeploySide } from './sessions.ts';

export interface ResumeInputs extends DeploymentWish {
  readonly 'wait-for-minutes': number | undefined;
  readonly 'on-cancel': 'rollback' | 'leave';
  readonly 'on-timeout': 'rollback' | 'leave';
}

export interface ResumeRequest {
  readonly found: FoundDeployment;
  readonly inputs: ResumeInputs;
  readonly side: DeploySide;
  readonly ports: Pick<Ports, 'clock' | 'github' | 'log'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  readonly output: SetFollowedOutput;
  /** Each look. */
  readonly seen?: (snapshot: Snapshot) => Promise<void>;
}

/** @throws what `followDeployment` throws, after the summary was written */
export async function resumeDeployment(request: ResumeRequest): Promise<void> {
  const { found, inputs, side, ports, memory, signal, output, seen } = request;
  const { deployer, deployment } = found;
  const { cluster, service } = deployer.where;
  const { id, status } = deployment;
  const url = deployer.url(id);
  output('deployment-id', id);
  output('deployment-url', url);
  const revision = await revisionOf({ deployer, name: deployment.revision, ports });
  if (revision) output('task-definition-arn', revision.taskDefinition);
  const what = revision ? ` of ${shortName(revision.taskDefinition)}` : '';
  const state = isTerminal(status) ? `has ended already (${status})` : `is under way (${status})`;
  ports.log.info(`${id}  ${state}: a deployment${what} to ${service} in cluster ${cluster}, in ${deployer.place}: ${url}`);

  const item = secondChance({ request, taskDefinition: revision?.taskDefinition });
  if (item) memory.remember(item);
  const target: FollowTarget = { deployer, deployment, side, inputs: { ...inputs, cluster, service } };
  await summariseEnd(
    followDeployment({ id, target, ports, signal, output, ...(seen && { seen }), ...(item && { unfinished: { memory, item } }) }),
    async (ending) =>
      ports.github.summarise(
        summariseDeployment({
          service,
          cluster,
          images: [],
          taskDefinition: revision?.taskDefinition,
          previousTaskDefinition: undefined,
          deployment: { id, url },
          ...ending,
        }),
      ),
  );
}

/** What a deployment deployed, where AWS still knows it. It explains; that it can't be read is no failure of its own. */
export async function revisionOf({
  deployer,
  name,
  ports: { log },
}: {
  deployer: Pick<Deployer, 'revision'>;
  name: string | undefined;
  ports: Pick<Ports, 'log'>;
}): Promise<Revision | undefined> {
  if (name === undefined) return undefined;
  try {
    return await deployer.revision(name);
  } catch (error) {
    log.debug(`what the deployment deploys could not be read: ${toError(error).message}`);
    return undefined;
  }
}

/**
 * What the post step would do when main is killed. A deployment without a mark of ours is main's alone: the post step touches only what
 * AWS confirms to be ours (RULES 5.2).
 */
function secondChance({
  request: { found, inputs, side },
  taskDefinition = '',
}: {
  request: ResumeRequest;
  taskDefinition: string | undefined;
}): Cleanup | undefined {
  const { deployer, deployment, identity } = found;
  const nonce = parseMarker(deployment.description)?.nonce;
  if (nonce === undefined || inputs['on-cancel'] === 'leave' || isTerminal(deployment.status)) return undefined;
  const mark = { nonce, taskDefinition };
  return unfinishedDeployment({ place: deployer.where, mark, account: identity.account, how: side.session.how, inputs });
}
