/**
 * What becomes of a deployment when the run is cancelled: `on-cancel: rollback` stops it and sends the traffic back, unless the traffic
 * has shifted whole, for from then on a rollback would undo a healthy deployment (RULES 5.17).
 *
 * Main answers a signal with `cancelDeployment`. The post step is the second chance, when main was killed: it believes what main left
 * behind only after AWS has confirmed the account and the nonce (RULES 5.2, 5.6).
 */
import type { Cleanup } from '../cleanup.ts';
import type { AccountId } from '../domain/account.ts';
import { hasShifted, isRollingBack, isTerminal, type Deployment } from '../domain/deployment.ts';
import type { How } from '../ports/credentials.ts';
import type { Ports } from '../ports/index.ts';
import { codedeployDeployments } from './codedeploy-deployments.ts';
import type { DeploymentPlace, Deployments, OwnMark } from './deployer.ts';
import { ecsDeployments } from './ecs-deployments.ts';
import { openDeploy, type DeployInputs, type DeploySide } from './sessions.ts';

/**
 * What the post step needs to know; saved before the deployment is asked for, for a kill can fall between request and reply. By its
 * mark the deployment is found on AWS, and known not to be a stranger's.
 */
export type UnfinishedDeployment = DeploymentPlace & OwnMark & Unfinished;

interface Unfinished {
  /** Any other account is refused. */
  readonly account: AccountId;
  readonly onCancel: 'rollback' | 'leave';
  /** How its credentials are had again: inputs, never keys. */
  readonly access: DeployInputs;
}

/** What main leaves to the post step about a deployment with this mark. */
export function unfinishedDeployment({
  place,
  mark,
  account,
  how,
  inputs,
}: {
  place: DeploymentPlace;
  mark: OwnMark;
  account: AccountId;
  how: How;
  inputs: DeployInputs & { readonly 'on-cancel': Unfinished['onCancel'] };
}): Cleanup {
  return { kind: 'deployment', ...place, ...mark, account, onCancel: inputs['on-cancel'], access: accessOf(inputs, how) };
}

/** The post step comes by its credentials in the same way, whatever the job's environment holds by then. */
function accessOf(inputs: DeployInputs, how: How): DeployInputs {
  const chaining = how === 'oidc' ? 'false' : how === 'assume-role' ? 'true' : inputs['role-chaining'];
  return {
    'aws-region': inputs['aws-region'],
    'deploy-region': inputs['deploy-region'],
    'deploy-role': inputs['deploy-role'],
    'deploy-account-id': inputs['deploy-account-id'],
    audience: inputs.audience,
    'role-session-name': inputs['role-session-name'],
    'role-chaining': chaining,
    'role-duration-seconds': inputs['role-duration-seconds'],
    'role-external-id': inputs['role-external-id'],
    'role-session-tags': inputs['role-session-tags'],
  };
}

/** @returns what was done, as a sentence for whoever cancelled */
export async function cancelDeployment({
  deployments,
  id,
  onCancel,
}: {
  deployments: Pick<Deployments, 'deployment' | 'stop' | 'url'>;
  id: string;
  onCancel: 'rollback' | 'leave';
}): Promise<string> {
  const url = deployments.url(id);
  if (onCancel === 'leave') return `Deployment ${id} goes on without being followed: ${url}`;
  const deployment = await deployments.deployment(id);
  return (await undoDeployment({ deployments, deployment })).said;
}

export interface Undoing {
  /** `ended`: there was nothing to stop any more. `shifted`: it is left alone, for its traffic has shifted whole. */
  readonly result: 'stopped' | 'ended' | 'shifted';
  /** The same as a sentence. */
  readonly said: string;
}

/** Stops a deployment with a rollback, unless its traffic has shifted whole. */
export async function undoDeployment({
  deployments,
  deployment,
}: {
  deployments: Pick<Deployments, 'stop' | 'url'>;
  deployment: Deployment;
}): Promise<Undoing> {
  const { id, status } = deployment;
  const url = deployments.url(id);
  if (isTerminal(status)) return { result: 'ended', said: `Deployment ${id} had ended already: ${status}. ${url}` };
  if (isRollingBack(deployment)) return { result: 'stopped', said: `Deployment ${id} is rolled back already. ${url}` };
  if (hasShifted(deployment))
    return {
      result: 'shifted',
      said: `Deployment ${id} goes on: its traffic has shifted whole, and only the old tasks are still kept. ${url}`,
    };
  const answer = await deployments.stop({ id, rollback: true });
  if (answer === 'ended') return { result: 'ended', said: `Deployment ${id} ended before it could be stopped. ${url}` };
  return {
    result: 'stopped',
    said: `Deployment ${id} was stopped with a rollback: the traffic goes back to the old tasks. ${url}`,
  };
}

/** The post step's part. */
export async function finishDeployment({ unfinished, ports }: { unfinished: UnfinishedDeployment; ports: Ports }): Promise<void> {
  const { nonce, account, onCancel, access } = unfinished;
  const side = openDeploy({ inputs: { ...access, 'deploy-account-id': account }, ports });
  const deployments = deploymentsAt({ place: unfinished, side });
  // Reads may start beside the guard; the write waits for it.
  const [deployment] = await Promise.all([deployments.find(unfinished), side.session.identity()]);
  if (!deployment) {
    ports.log.info(`The deployment that main was about to start (${nonce}) was never made.`);
    return;
  }
  const said =
    onCancel === 'rollback'
      ? (await undoDeployment({ deployments, deployment })).said
      : await cancelDeployment({ deployments, id: deployment.id, onCancel });
  ports.log.notice(said);
}

function deploymentsAt({ place, side: { ecs, codedeploy } }: { place: DeploymentPlace; side: DeploySide }): Deployments {
  return place.how === 'ecs' ? ecsDeployments({ ecs, place }) : codedeployDeployments({ codedeploy, place });
}
