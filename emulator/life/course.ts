/**
 * All of a deployment's life that is known from what has been asked of it so far: its steps, its waits and its end. First the course
 * that nobody disturbs; then an alarm or a stop cuts it short.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
 */
import { MINUTE } from './durations.ts';
import { LIFECYCLE_EVENTS } from './events.ts';
import { failureOf } from './failure.ts';
import type { ErrorInformation, RollbackEvent } from './failure.ts';
import type { Moment } from './outcome.ts';
import type { DeploymentPlan } from './plan.ts';
import { stepOf, trafficOf } from './steps.ts';
import type { Step } from './steps.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

interface End {
  readonly at: number;
  readonly status: 'Succeeded' | 'Failed' | 'Stopped';
  readonly error?: ErrorInformation;
  readonly rollback?: { readonly event: RollbackEvent; readonly wanted?: boolean };
}

export interface Course {
  readonly startsAt: number;
  readonly steps: readonly Step[];
  readonly weights: readonly { readonly at: number; readonly green: number }[];
  readonly ready?: Span;
  readonly wait?: Span;
  readonly end: End;
}

const command = (plan: DeploymentPlan, wait: 'READY_WAIT' | 'TERMINATION_WAIT', span: Span): number | undefined =>
  plan.commands.find((each) => each.command === 'continue' && each.wait === wait && each.at >= span.from && each.at < span.to)?.at;

/** The course without anybody's stopping it. */
const undisturbed = (plan: DeploymentPlan): Course => {
  const { createdAt, durations: lasts } = plan;
  const startsAt = createdAt + (lasts.created + lasts.queued) * 1000;
  const steps: Step[] = [];
  let ready: Span | undefined;
  let weights: Course['weights'] = [];
  let at = startsAt;
  let end: End | undefined;
  for (const name of LIFECYCLE_EVENTS) {
    if (end) {
      steps.push({ name, from: at, to: at, end: 'Skipped' });
      continue;
    }
    if (name === 'BeforeAllowTraffic' && plan.kind === 'deploy' && plan.readyWait !== undefined) {
      const whole = { from: at, to: at + plan.readyWait * MINUTE };
      const continued = command(plan, 'READY_WAIT', whole);
      ready = { from: at, to: continued ?? whole.to };
      at = ready.to;
      if (continued === undefined) {
        const message = `The deployment timed out while waiting for a notification to continue. This time out period is ${plan.readyWait} minutes.`;
        end = { at, status: 'Stopped', error: { code: 'TIMEOUT', message }, rollback: { event: 'DEPLOYMENT_FAILURE' } };
        steps.push({ name, from: at, to: at, end: 'Skipped' });
        continue;
      }
    }
    const step = stepOf(plan, name, at);
    steps.push(step);
    at = step.to;
    if (name === 'AllowTraffic') {
      weights = trafficOf(plan, step.from).filter((each) => each.at <= step.to);
      if (plan.kind === 'rollback' && step.end === 'Failed') weights = [];
    }
    if (step.end === 'Failed') {
      const error = step.error ?? failureOf(name);
      // "If BeforeInstall fails, a rollback can't be triggered": nothing has been installed yet.
      end = { at, status: 'Failed', error, ...(name !== 'BeforeInstall' && { rollback: { event: 'DEPLOYMENT_FAILURE' } }) };
    }
  }
  if (end) return { startsAt, steps, weights, end, ...(ready && { ready }) };
  if (plan.kind === 'rollback' || plan.terminationWait === undefined) {
    return { startsAt, steps, weights, end: { at, status: 'Succeeded' }, ...(ready && { ready }) };
  }
  const whole = { from: at, to: at + plan.terminationWait * MINUTE };
  const wait = { from: at, to: command(plan, 'TERMINATION_WAIT', whole) ?? whole.to };
  return { startsAt, steps, weights, wait, end: { at: wait.to + lasts.terminate * 1000, status: 'Succeeded' }, ...(ready && { ready }) };
};

/** When a moment of the course is; undefined if the course never gets there. */
const momentOf = (course: Course, moment: Moment): number | undefined => {
  const span =
    moment === 'Ready'
      ? course.ready
      : moment === 'TerminationWait'
        ? course.wait
        : course.steps.find(({ name, end }) => name === moment && end !== 'Skipped');
  return span && (span.from + span.to) / 2;
};

const stopOf = (plan: DeploymentPlan, course: Course): { readonly at: number; readonly wanted?: boolean } | undefined => {
  const { outcome, durations, commands } = plan;
  const asked = commands.find((each) => each.command === 'stop');
  const scripted = outcome !== 'succeed' && 'stoppedAt' in outcome ? outcome : undefined;
  const scriptedAt = scripted && momentOf(course, scripted.stoppedAt);
  if (scripted && scriptedAt !== undefined && (!asked || scriptedAt < asked.at)) {
    return { at: scriptedAt + durations.stop * 1000, ...(scripted.rollback !== undefined && { wanted: scripted.rollback }) };
  }
  return asked && { at: asked.at + durations.stop * 1000, ...(asked.rollback !== undefined && { wanted: asked.rollback }) };
};

/** The whole course: the undisturbed one, cut short by an alarm or a stop that comes before blue is being terminated. */
export const courseOf = (plan: DeploymentPlan): Course => {
  const course = undisturbed(plan);
  const { outcome } = plan;
  const last = course.wait && course.end.status === 'Succeeded' ? course.wait.to : course.end.at;
  const ends: End[] = [];
  const stop = stopOf(plan, course);
  if (stop) {
    const rollback = { event: 'DEPLOYMENT_STOP_ON_REQUEST' as const, ...(stop.wanted !== undefined && { wanted: stop.wanted }) };
    ends.push({
      at: stop.at,
      status: 'Stopped',
      error: { code: 'MANUAL_STOP', message: 'The deployment was manually stopped.' },
      rollback,
    });
  }
  if (outcome !== 'succeed' && 'alarmAt' in outcome) {
    const message = `One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <${outcome.alarm ?? ''}>`;
    const at = momentOf(course, outcome.alarmAt);
    if (at !== undefined) {
      ends.push({ at, status: 'Stopped', error: { code: 'ALARM_ACTIVE', message }, rollback: { event: 'DEPLOYMENT_STOP_ON_ALARM' } });
    }
  }
  const [cut] = ends.filter(({ at }) => at < last).toSorted((a, b) => a.at - b.at);
  if (!cut) return course;
  const clip = (span: Span | undefined): Span | undefined =>
    span && span.from < cut.at ? { from: span.from, to: Math.min(span.to, cut.at) } : undefined;
  const ready = clip(course.ready);
  const wait = clip(course.wait);
  return {
    startsAt: course.startsAt,
    steps: course.steps.map((step): Step => {
      if (step.to <= cut.at && step.from < cut.at) return step;
      const { name, from } = step;
      return from >= cut.at ? { name, from: cut.at, to: cut.at, end: 'Skipped' } : { name, from, to: cut.at, end: 'Failed' };
    }),
    weights: course.weights.filter(({ at }) => at <= cut.at),
    end: cut,
    ...(ready && { ready }),
    ...(wait && { wait }),
  };
};
