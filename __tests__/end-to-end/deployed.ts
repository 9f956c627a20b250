/** Deployments that are there already: what the end-to-end tests of `follow`, `continue` and `rollback` start from. */
import { expect } from '@jest/globals';
import type { StepResult } from '../../emulator/runner.ts';
import { accounts, cluster, ownService, region, service, sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, type Stage } from './stage.ts';

export const here = { account: accounts.devA, region } as const;
export const role = { ...inputs.common, 'deploy-role': inputs.deploying['deploy-role'] } as const;
export const base = { ...inputs.common, ...inputs.deploying } as const;

const longWait = 2_800;

/** The image is there, and nothing is deployed yet. */
async function onPublishedStage(speed: number, play: (stage: Stage) => Promise<void>): Promise<void> {
  await onStage({ policy: sharedPolicy, speed }, async (stage) => {
    layout(stage.job);
    const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };
    expect((await stage.step({ with: publish })).exitCode).toBe(0);
    await play(stage);
  });
}

/** Every deployment is over as soon as somebody looks. */
export async function onFastStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onPublishedStage(1_000_000, play);
}

/** As slow as on AWS. */
export async function onSlowStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onPublishedStage(1, play);
}

/** Everything is over within a second, but for a wait of almost two days, which is not over within a minute. */
export async function onWaitingStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onPublishedStage(3_000, play);
}

/** From now on deployments wait almost two days in Ready. */
export function waitInReady(stage: Stage): void {
  groupOf(stage).readyOption = { actionOnTimeout: 'STOP_DEPLOYMENT', waitTimeInMinutes: longWait };
}

/** From now on old tasks are kept for almost two days. */
export function keepOldTasks(stage: Stage): void {
  groupOf(stage).terminateOption = { action: 'TERMINATE', terminationWaitTimeInMinutes: longWait };
}

function groupOf({ scenario: { codedeploy } }: Stage) {
  const application = codedeploy.findApplication(here, `AppECS-${cluster}-${service}`);
  const [group] = application ? codedeploy.groups(application) : [];
  if (!group) throw new Error('the scenario has no deployment group');
  return group;
}

/** Every deployment so far, oldest first. */
export function deploymentsOf({ scenario: { codedeploy } }: Stage): readonly string[] {
  return codedeploy
    .deployments(here)
    .map(({ id }) => id)
    .reverse();
}

/** What has the traffic: `web:2`. */
export function running({ scenario: { codedeploy, ecs, emulator } }: Stage): string | undefined {
  codedeploy.settle(emulator.clock.now());
  const live = ecs.findService(here, cluster, service);
  const primary = (live?.live?.taskSets ?? live?.taskSets)?.find(({ status }) => status === 'PRIMARY');
  return primary?.taskDefinition.split('/').at(-1);
}

/** Deploys the image; each version is a task definition of its own, the first one web:2. */
export async function deploy(stage: Stage, version: number, more: Record<string, string> = {}): Promise<StepResult> {
  const environment = { 'environment-variables': `VERSION=${version}` };
  return stage.step({ with: { mode: 'deploy', ...base, ...inputs.registry, image: 'shop/web:v1', ...environment, ...more } });
}

/** The same of the service that ECS itself deploys: the first one is api:2. */
export async function deployOwn(stage: Stage, version: number, more: Record<string, string> = {}): Promise<StepResult> {
  return deploy(stage, version, { service: ownService, ...more });
}

/** From now on a pause hook holds ECS's own deployments at a stage for almost two days. */
export function pauseOwn({ scenario: { ecs } }: Stage, stage: string): void {
  const live = ecs.findService(here, cluster, ownService);
  if (!live) throw new Error('the scenario has no service that ECS itself deploys');
  const hook = { targetType: 'PAUSE', lifecycleStages: [stage], timeoutConfiguration: { timeoutInMinutes: longWait, action: 'ROLLBACK' } };
  live.deploymentConfiguration = { ...live.deploymentConfiguration, lifecycleHooks: [hook] };
}

/** The ARN of a deployment of that service. */
export function ownDeployment(id: string): string {
  return `arn:aws:ecs:${region}:${accounts.devA}:service-deployment/${cluster}/${ownService}/${id}`;
}

/** Two deployments that succeeded: web:3 upon web:2. Gives the ID of the second. */
export async function deployTwice(stage: Stage): Promise<string> {
  await deploy(stage, 1);
  const { outputs } = await deploy(stage, 2);
  expect(running(stage)).toBe('web:3');
  return outputs['deployment-id'] ?? '';
}

/** The last line of a log that failed. */
export function error(stage: Stage, { log, exitCode }: StepResult): string {
  expect(exitCode).toBe(1);
  return stage.plain(log.at(-1) ?? '');
}
