/** The pull of green's images, asked for once, when Install has begun: a refusal makes the deployment's tasks fail. */
import type { Deployment } from './deployment.ts';
import { records, text } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import type { EcsState } from '../ecs/state.ts';
import { refusedImage } from '../pull.ts';
import type { CanPull } from '../pull.ts';

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
  const images = definition ? (records(definition.body, 'containerDefinitions') ?? []).map((each) => text(each, 'image') ?? '') : [];
  const reason = refusedImage({ canPull, images, account: deployment.account, role });
  if (reason !== undefined) deployment.plan = { ...plan, outcome: { tasks: 'cannotPull', reason } };
};
