/**
 * All of a service deployment's life that is known from what has been asked of it so far: first the course that nobody disturbs, then
 * what cuts it short – an alarm, a stop, another deployment.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html, …/service-deployment.html
 */
import { sha256 } from '../ecs/ids.ts';
import type { Span } from './course.ts';
import { MINUTE } from './durations.ts';
import type { ServiceDeploymentPlan } from './service-plan.ts';
import { STAGES } from './stages.ts';
import type { Hook, Stage } from './stages.ts';
import { weightsOf } from './traffic.ts';

/** "The system times out, fails the deployment, and then initiates a rollback after a stage reaches 24 hours." */
const STAGE_TIMEOUT = 24 * 60 * MINUTE;

export interface HookSpan extends Span {
  readonly id: string;
  readonly hook: Hook;
  readonly expiresAt: number;
  readonly end: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
}

export interface StageSpan extends Span {
  readonly stage: Stage;
  readonly hooks: readonly HookSpan[];
}

interface ServiceEnd {
  readonly at: number;
  readonly status: 'SUCCESSFUL' | 'STOPPED' | 'ROLLBACK_SUCCESSFUL' | 'ROLLBACK_FAILED';
  /** From here on the deployment is STOP_REQUESTED or ROLLBACK_REQUESTED. */
  readonly requestedAt?: number;
  /** From here on it is ROLLBACK_IN_PROGRESS. */
  readonly rollbackAt?: number;
  readonly reason?: string;
  readonly alarm?: string;
  readonly tripped?: boolean;
}

export interface ServiceCourse {
  readonly startsAt: number;
  readonly stages: readonly StageSpan[];
  /** Percent of the production traffic. */
  readonly weights: readonly { readonly at: number; readonly green: number }[];
  readonly end: ServiceEnd;
}

/** ECS's own words are not documented but for the circuit breaker's. */
const REASONS = {
  hook: 'Service deployment rolled back because of hook execution failure(s).',
  breaker: 'Service deployment rolled back because the circuit breaker threshold was exceeded.',
  breakerOnly: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
  alarm: 'Service deployment rolled back because CloudWatch alarm(s) were triggered.',
  alarmOnly: 'Service deployment stopped because CloudWatch alarm(s) were triggered.',
  timeout: 'Service deployment rolled back because a lifecycle stage timed out.',
  asked: 'Service deployment rolled back because a user requested it.',
  replaced: 'Service deployment stopped because a new service deployment started.',
} as const;

/** A deployment that fails goes back the way it came. */
const rolledBack = (plan: ServiceDeploymentPlan, at: number, given: Omit<ServiceEnd, 'at' | 'status' | 'rollbackAt'> = {}): ServiceEnd => ({
  ...given,
  rollbackAt: at,
  at: at + (plan.durations.shift + plan.durations.terminate) * 1000,
  status: plan.rollback === 'fail' ? 'ROLLBACK_FAILED' : 'ROLLBACK_SUCCESSFUL',
});

const stopped = (plan: ServiceDeploymentPlan, at: number, given: Omit<ServiceEnd, 'at' | 'status' | 'requestedAt'>): ServiceEnd => ({
  ...given,
  requestedAt: at,
  at: at + plan.durations.stop * 1000,
  status: 'STOPPED',
});

const hookSpan = (plan: ServiceDeploymentPlan, hook: Hook, given: { readonly name: string; readonly from: number }): HookSpan => {
  const { name, from } = given;
  const id = `ecs-${hook.kind === 'PAUSE' ? 'pause' : 'lambda'}-${Buffer.from(sha256(`${plan.id}/${name}`), 'hex').toString('base64url')}`;
  const expiresAt = from + hook.minutes * MINUTE;
  if (hook.kind === 'AWS_LAMBDA') return { id, hook, from, to: from + plan.durations.hook * 1000, expiresAt, end: 'SUCCEEDED' };
  const answer = plan.commands.find((each) => each.command === 'continue' && each.hookId === id);
  if (answer?.command === 'continue')
    return { id, hook, from, to: answer.at, expiresAt, end: answer.action === 'CONTINUE' ? 'SUCCEEDED' : 'FAILED' };
  return { id, hook, from, to: expiresAt, expiresAt, end: 'TIMED_OUT' };
};

/** The stages in their order, the two of the shift once for each of its steps. */
const stagesOf = (plan: ServiceDeploymentPlan): readonly { readonly stage: Stage; readonly step: number }[] => {
  const steps = weightsOf(plan.routing, 0).length;
  const [before, after] = [STAGES.indexOf('PRE_PRODUCTION_TRAFFIC_SHIFT'), STAGES.indexOf('POST_PRODUCTION_TRAFFIC_SHIFT')];
  const once = (stage: Stage) => ({ stage, step: 0 });
  return [
    ...STAGES.slice(0, before)
      .filter((stage) => stage !== 'RECONCILE_SERVICE' || plan.blue.length > 1)
      .filter((stage) => plan.testTraffic || !stage.endsWith('TEST_TRAFFIC_SHIFT'))
      .map(once),
    ...Array.from({ length: steps }, (_, step) => STAGES.slice(before, after).map((stage) => ({ stage, step }))).flat(),
    ...STAGES.slice(after).map(once),
  ];
};

const lasts = (plan: ServiceDeploymentPlan, { stage, step }: { readonly stage: Stage; readonly step: number }): number => {
  const { durations, routing, bakeMinutes } = plan;
  switch (stage) {
    case 'SCALE_UP':
      return durations.install * 1000;
    case 'PRODUCTION_TRAFFIC_SHIFT': {
      const isLast = step === weightsOf(routing, 0).length - 1;
      return durations.shift * 1000 + (isLast || routing.type === 'AllAtOnce' ? 0 : routing.minutes * MINUTE);
    }
    case 'BAKE_TIME':
      return bakeMinutes * MINUTE;
    case 'CLEAN_UP':
      return durations.terminate * 1000;
    default:
      return durations.event * 1000;
  }
};

const failureOf = (plan: ServiceDeploymentPlan, span: StageSpan): { readonly span: StageSpan; readonly end: ServiceEnd } | undefined => {
  const { outcome, circuitBreaker } = plan;
  const said = outcome !== 'succeed' && 'reason' in outcome ? { reason: outcome.reason } : undefined;
  const until = (at: number, end: ServiceEnd) => ({ span: { ...span, to: at }, end });
  if (span.stage === 'SCALE_UP' && outcome !== 'succeed' && 'tasks' in outcome) {
    if (!circuitBreaker.enable)
      return until(span.from + STAGE_TIMEOUT, rolledBack(plan, span.from + STAGE_TIMEOUT, { reason: REASONS.timeout }));
    const at = span.from + circuitBreaker.threshold * plan.durations.retry * 1000;
    return until(
      at,
      circuitBreaker.rollback
        ? rolledBack(plan, at, { reason: REASONS.breaker, tripped: true })
        : stopped(plan, at, { reason: REASONS.breakerOnly, tripped: true }),
    );
  }
  if (outcome !== 'succeed' && 'failAt' in outcome && outcome.failAt === span.stage) {
    const hooks = span.hooks.map((hook): HookSpan => ({ ...hook, end: 'FAILED' }));
    return { span: { ...span, hooks }, end: rolledBack(plan, span.to, { reason: REASONS.hook, ...said }) };
  }
  const refusal = span.hooks.find(({ end, hook }) => end === 'FAILED' || (end === 'TIMED_OUT' && hook.onTimeout === 'ROLLBACK'));
  return refusal && until(refusal.to, rolledBack(plan, refusal.to, { reason: REASONS.hook }));
};

/** The course without anybody's stopping it. */
const undisturbed = (plan: ServiceDeploymentPlan): ServiceCourse => {
  const startsAt = plan.createdAt + (plan.durations.created + plan.durations.queued) * 1000;
  const stages: StageSpan[] = [];
  const weights: { at: number; green: number }[] = [];
  let at = startsAt;
  for (const { stage, step } of stagesOf(plan)) {
    const from = at;
    const hooks = plan.hooks
      .filter((hook) => hook.stages.includes(stage))
      .map((hook, index) => hookSpan(plan, hook, { name: `${stage}/${step}/${index}`, from }));
    const whole = { stage, from, to: Math.max(from + lasts(plan, { stage, step }), ...hooks.map(({ to }) => to)), hooks };
    const failure = failureOf(plan, whole);
    stages.push(failure?.span ?? whole);
    at = (failure?.span ?? whole).to;
    const green = weightsOf(plan.routing, 0)[step]?.green ?? 100;
    const shiftsAt = from + plan.durations.shift * 1000;
    if (stage === 'PRODUCTION_TRAFFIC_SHIFT' && shiftsAt <= at) weights.push({ at: shiftsAt, green });
    if (failure) return { startsAt, stages, weights, end: failure.end };
  }
  return { startsAt, stages, weights, end: { at, status: 'SUCCESSFUL' } };
};

/** Half-way through a stage; undefined if the course never gets there. */
const momentOf = ({ stages }: ServiceCourse, stage: Stage): number | undefined => {
  const span = stages.find((each) => each.stage === stage);
  return span && (span.from + span.to) / 2;
};

/** What would cut the course short, the first of it. */
const cutOf = (plan: ServiceDeploymentPlan, course: ServiceCourse): ServiceEnd | undefined => {
  const { outcome, commands, alarms } = plan;
  const ends: { readonly at: number; readonly end: ServiceEnd }[] = [];
  const stop = (at: number | undefined): void => {
    if (at === undefined) return;
    ends.push({ at, end: rolledBack(plan, at + plan.durations.stop * 1000, { requestedAt: at, reason: REASONS.asked }) });
  };
  if (outcome !== 'succeed' && 'stoppedAt' in outcome) stop(momentOf(course, outcome.stoppedAt));
  for (const { at, command } of commands) {
    if (command === 'stop') stop(at);
    if (command === 'replace') ends.push({ at, end: stopped(plan, at, { reason: REASONS.replaced }) });
  }
  if (outcome !== 'succeed' && 'alarmAt' in outcome) {
    const alarm = outcome.alarm ?? alarms.names[0];
    const at = momentOf(course, outcome.alarmAt);
    if (at !== undefined && alarm !== undefined && alarms.names.includes(alarm)) {
      ends.push({
        at,
        end: alarms.rollback
          ? rolledBack(plan, at, { reason: REASONS.alarm, alarm })
          : stopped(plan, at, { reason: REASONS.alarmOnly, alarm }),
      });
    }
  }
  const failsAt = course.end.rollbackAt ?? course.end.requestedAt ?? course.end.at;
  return ends.filter(({ at }) => at < failsAt).toSorted((a, b) => a.at - b.at)[0]?.end;
};

/** The whole course. A stop that comes while blue is being cleaned up comes too late: the deployment ends well. */
export const serviceCourseOf = (plan: ServiceDeploymentPlan): ServiceCourse => {
  const course = undisturbed(plan);
  const cut = cutOf(plan, course);
  if (!cut) return course;
  const at = cut.requestedAt ?? cut.rollbackAt ?? cut.at;
  const cleanUp = course.stages.find(({ stage }) => stage === 'CLEAN_UP');
  if (cleanUp && at >= cleanUp.from) return { ...course, end: { ...course.end, requestedAt: at } };
  return {
    startsAt: course.startsAt,
    stages: course.stages
      .filter(({ from }) => from < at)
      .map((span) => ({ ...span, to: Math.min(span.to, at), hooks: span.hooks.filter(({ from }) => from < at) })),
    weights: course.weights.filter((weight) => weight.at <= at),
    end: cut,
  };
};
