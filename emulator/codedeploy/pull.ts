/** The pull of green's images, asked for once, when Install has begun: a refusal makes the deployment's tasks fail. */
import type { Deployment } from './deployment.ts';
import { records, text } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import type { EcsState } from '../ecs/state.ts';

/** May a task of this account pull this image with this execution role? The reason if not. True for registries that aren't ours. */
export type CanPull = (image: string, account: string, executionRoleArn: string | undefined) => true | string;

export const askPull = (
  deployment: Deployment,
  { canPull, ecs, now }: { readonly canPull: CanPull | undefined; readonly ecs: EcsState; readonly now: number },
): void => {
  const { plan } = deployment;
  if (!canPull || deployment.pullAsked || plan.kind === 'rollback' || plan.refused) return;
  const install = lifeOf(plan, now).lifecycleEvents.find(({ name }) => name === 'Install');
  if (install?.startedAt === undefined) return;
  deployment.pullAsked = true;
  const definition = ecs.findTaskDefinition(deployment, plan.green.taskDefinition);
  const role = definition && text(definition.body, 'executionRoleArn');
  for (const container of definition ? (records(definition.body, 'containerDefinitions') ?? []) : []) {
    const answer = canPull(text(container, 'image') ?? '', deployment.account, role);
    if (answer === true) continue;
    const reason = answer.startsWith('CannotPull') ? answer : `CannotPullContainerError: ${answer}`;
    deployment.plan = { ...plan, outcome: { tasks: 'cannotPull', reason } };
    return;
  }
};
