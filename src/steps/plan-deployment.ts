/** What `deployService` would do with what was prepared; no call is made. */
import { hasShifted, isRollingBack, type Deployment } from '../domain/deployment.ts';
import { nextRevision, registration, type PlanPart, type PlannedWrite } from '../domain/plan.ts';
import { differences, readTaskDefinition, type PinnedImage } from '../domain/task-definition.ts';
import type { Ports } from '../ports/index.ts';
import { isUnchanged, needsRegistration, seen } from './deploy-service.ts';
import type { Deployer } from './deployer.ts';
import type { SetOutput } from './follow-deployment.ts';
import type { DeploymentInputs, PreparedDeployment } from './prepare-deployment.ts';
import { containerUris, renderDefinition } from './render-definition.ts';
import { mark } from './start-deployment.ts';

export interface PlanRequest {
  /** By digest, in the order of the containers that get them; that of a build is a placeholder. */
  readonly images: readonly PinnedImage[];
  readonly ports: Pick<Ports, 'clock' | 'github'>;
  readonly output: SetOutput;
}

/** @throws DocumentError where ECS would not take the rendered definition */
export async function planDeployment(prepared: PreparedDeployment, { images, ports, output }: PlanRequest): Promise<PlanPart> {
  const { deployer, service, inputs } = prepared;
  const running = prepared.running.arn;
  const definition = renderDefinition(prepared, images);
  const { yieldTo } = seen(prepared, await mark(ports));
  const outcome = yieldTo ? 'yield' : isUnchanged(prepared, definition) ? 'unchanged' : 'deploy';
  const registers = outcome === 'deploy' && needsRegistration(prepared, definition);
  const planned = registers ? nextRevision({ running, family: definition.family }) : running;
  const live = readTaskDefinition(prepared.running.definition);
  const active = yieldTo ? undefined : prepared.active;
  const before = yieldTo ? `${yieldTo.id} is of a newer run of this workflow` : active && fateOf(active, prepared).text;

  output('changed', String(outcome === 'deploy'));
  if (!registers) output('task-definition-arn', running);
  return {
    writes: [
      ...(active ? fateOf(active, prepared).calls.map((call) => write(prepared, call)) : []),
      ...(registers ? [registration] : []),
      ...(outcome === 'deploy' ? [write(prepared, 'start')] : []),
    ],
    deployment: {
      cluster: inputs.cluster,
      service: service.name,
      place: deployer.place,
      images: containerUris(prepared.containers, images),
      outcome,
      ...(before !== undefined && { before }),
      taskDefinition: {
        running,
        planned,
        differences: registers && live.ok ? differences({ before: live.definition, after: definition }) : [],
      },
      changes: outcome === 'deploy' ? deployer.changes(service) : [],
      ...(outcome === 'deploy' && deployer.render({ service, taskDefinition: planned })),
    },
  };
}

/** What would become of the deployment that is under way: as `endOf` decides. */
export function fateOf(
  active: Deployment,
  { inputs, deployer }: { readonly inputs: Pick<DeploymentInputs, 'on-active-deployment'>; readonly deployer: Deployer },
): { readonly text: string; readonly calls: readonly ('stop' | 'endTerminationWait')[] } {
  const isUnderWay = `${active.id} is under way (${active.status})`;
  if (inputs['on-active-deployment'] !== 'stop' || isRollingBack(active))
    return { text: `${isUnderWay}, and would be waited for`, calls: [] };
  if (!hasShifted(active)) return { text: `${isUnderWay}, and would be stopped with a rollback`, calls: ['stop'] };
  return deployer.endTerminationWait
    ? { text: `${isUnderWay}, and its old tasks would be ended`, calls: ['endTerminationWait'] }
    : { text: `${isUnderWay}, and would be waited for: its traffic has shifted`, calls: [] };
}

function write({ deployer, identity }: PreparedDeployment, call: 'start' | 'stop' | 'endTerminationWait'): PlannedWrite {
  return deployer.permission({ call, account: identity.account });
}
