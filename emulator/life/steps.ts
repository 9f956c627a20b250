/**
 * One lifecycle event's place in time: when it begins, when and how it ends, and what it shows at a moment in between.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html
 */
import { isHook } from './events.ts';
import type { Diagnostics, LifecycleEvent, LifecycleEventName } from './events.ts';
import { failureOf, installTimeout } from './failure.ts';
import type { ErrorInformation } from './failure.ts';
import type { DeploymentPlan } from './plan.ts';
import { weightsOf } from './traffic.ts';

export interface Step {
  readonly name: LifecycleEventName;
  readonly from: number;
  readonly to: number;
  readonly end: 'Succeeded' | 'Failed' | 'Skipped';
  readonly error?: ErrorInformation;
  readonly diagnostics?: Diagnostics;
}

export const stepOf = (plan: DeploymentPlan, name: LifecycleEventName, from: number): Step => {
  const { outcome, durations: lasts } = plan;
  const after = (seconds: number): number => from + seconds * 1000;
  if (plan.kind === 'rollback' && name !== 'AllowTraffic') return { name, from, to: from, end: 'Skipped' };
  const hook = plan.kind === 'deploy' && isHook(name) ? plan.hooks[name] : undefined;
  const failing = outcome !== 'succeed' && 'failAt' in outcome && outcome.failAt === name ? outcome : undefined;
  const ok = (seconds: number): Step => ({ name, from, to: after(seconds), end: 'Succeeded' });
  const failed = (to: number, error: ErrorInformation, diagnostics?: Diagnostics): Step => ({
    name,
    from,
    to,
    end: 'Failed',
    error,
    ...(diagnostics && { diagnostics }),
  });

  if (outcome !== 'succeed' && 'hookTimeoutAt' in outcome && outcome.hookTimeoutAt === name) {
    const message =
      'The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one hour after a deployment hook is invoked.';
    const diagnostics = { errorCode: 'ScriptTimedOut' as const, ...(hook !== undefined && { scriptName: hook }), message };
    return failed(after(lasts.hookTimeout), { code: 'TIMEOUT', message }, diagnostics);
  }
  if (name === 'Install' && plan.kind === 'deploy' && plan.refused) return failed(after(lasts.event), plan.refused);
  if (name === 'Install' && outcome !== 'succeed' && 'tasks' in outcome) {
    return failed(after(lasts.installTimeout), installTimeout(Math.round(lasts.installTimeout / 60)));
  }
  const natural =
    name === 'Install'
      ? after(lasts.install)
      : name === 'AllowTraffic'
        ? (trafficOf(plan, from).at(-1)?.at ?? from) + lasts.event * 1000
        : after(hook !== undefined || (failing && isHook(name)) ? lasts.hook : lasts.event);
  if (failing) {
    const error = {
      ...failureOf(name),
      ...(failing.code !== undefined && { code: failing.code }),
      ...(failing.message !== undefined && { message: failing.message }),
    };
    const said: Diagnostics | undefined =
      failing.diagnostics ??
      (isHook(name) || failing.logTail !== undefined
        ? {
            errorCode: 'ScriptFailed',
            ...(hook !== undefined && { scriptName: hook }),
            message: failing.message ?? 'The lifecycle event validation function reported Failed.',
            ...(failing.logTail !== undefined && { logTail: failing.logTail }),
          }
        : undefined);
    // A shift fails half-way, so that it can be seen what becomes of a split listener.
    return failed(name === 'AllowTraffic' ? (from + natural) / 2 : natural, error, said);
  }
  if (name === 'AllowTestTraffic' && plan.kind === 'deploy' && !plan.testListener) return { name, from, to: from, end: 'Skipped' };
  return name === 'Install' || name === 'AllowTraffic' ? { name, from, to: natural, end: 'Succeeded' } : ok((natural - from) / 1000);
};

/** The listener's new weights of this plan, if AllowTraffic begins then. A rollback takes everything back at once. */
export const trafficOf = (plan: DeploymentPlan, from: number): { at: number; green: number }[] => {
  const first = from + plan.durations.shift * 1000;
  return plan.kind === 'deploy' ? weightsOf(plan.routing, first) : [{ at: first, green: 0 }];
};

export const eventAt = (step: Step, now: number): LifecycleEvent => {
  if (step.end === 'Skipped') return { name: step.name, status: now >= step.to ? 'Skipped' : 'Pending' };
  if (now < step.from) return { name: step.name, status: 'Pending' };
  if (now < step.to) return { name: step.name, status: 'InProgress', startedAt: step.from };
  const { name, from, to, end, diagnostics } = step;
  return { name, status: end, startedAt: from, endedAt: to, ...(diagnostics && { diagnostics }) };
};
