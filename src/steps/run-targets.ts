/** What `deploy` and `release` do with targets that are prepared, be it one account or many: plan them, or deploy to them. */
import type { PlanPart } from '../domain/plan.ts';
import { cutWaves } from '../domain/fan-out.ts';
import { atMost } from '../ports/at-most.ts';
import { fanOut, warnOfLength, type FanOutRequest, type ReadyAccount } from './fan-out.ts';
import { planDeployment } from './plan-deployment.ts';
import type { Deployable } from './prepare-found-image.ts';
import { runDeployment } from './run-deployment.ts';
import type { Target } from './targets.ts';

export interface TargetsRequest extends Omit<FanOutRequest, 'accounts'> {
  readonly targets: readonly Target[];
  /** One for each target, in their order. */
  readonly deployables: readonly Deployable[];
}

/** @throws what `runDeployment` throws, or `fanOut` */
export async function runTargets({ targets, deployables, ...request }: TargetsRequest): Promise<void> {
  const alone = aloneOf({ targets, deployables });
  if (alone) await runDeployment(alone.prepared, { ...request, images: alone.images });
  else await fanOut({ ...request, accounts: readyAccounts({ targets, deployables }) });
}

/** @throws DocumentError where ECS would not take a rendered definition */
export async function planTargets({
  targets,
  deployables,
  ...request
}: Pick<TargetsRequest, 'targets' | 'deployables' | 'inputs' | 'ports' | 'output'>): Promise<PlanPart> {
  const { inputs, ports, output } = request;
  const alone = aloneOf({ targets, deployables });
  if (alone) return planDeployment(alone.prepared, { images: alone.images, ports, output });
  const waves = cutWaves(readyAccounts({ targets, deployables }), inputs.waves);
  await warnOfLength({ waves, request });
  const planned = await Promise.all(
    waves.map(async (wave) =>
      atMost(inputs['max-parallel'], wave, async ({ member, prepared, images }) => {
        const { writes, deployment } = await planDeployment(prepared, { images, ports, output: () => undefined });
        if (!deployment) throw new Error('a deployment was planned without a plan');
        return { writes, account: { account: member.account, name: member.name, deployment } };
      }),
    ),
  );
  const accounts = planned.flat();
  output('changed', String(accounts.some(({ account: { deployment } }) => deployment.outcome === 'deploy')));
  return { writes: accounts.flatMap(({ writes }) => writes), waves: planned.map((wave) => wave.map(({ account }) => account)) };
}

/** The one account that there is where there is no fan-out. */
function aloneOf({
  targets: [target],
  deployables: [deployable],
}: Pick<TargetsRequest, 'targets' | 'deployables'>): Deployable | undefined {
  return target?.member ? undefined : deployable;
}

function readyAccounts({ targets, deployables }: Pick<TargetsRequest, 'targets' | 'deployables'>): readonly ReadyAccount[] {
  return targets.flatMap(({ member }, index) => {
    const deployable = deployables[index];
    return member && deployable ? [{ member, ...deployable }] : [];
  });
}
