/**
 * What a deployment configuration means for the deployments that ECS itself makes, with its defaults.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
 */
import { invalid } from './checks.ts';
import type { ServiceRecord } from './service.ts';
import { flag, number, record, records, text, texts } from '../coral.ts';
import { isStage, refusedStages } from '../life/stages.ts';
import type { Hook } from '../life/stages.ts';
import type { TrafficRouting } from '../life/traffic.ts';
import type { Json } from '../service.ts';

const STRATEGIES: readonly string[] = ['BLUE_GREEN', 'LINEAR', 'CANARY'];

/** Does ECS itself deploy this service with new tasks beside the old ones? */
export const deploysItself = ({ controller, deploymentConfiguration }: ServiceRecord): boolean =>
  (controller ?? 'ECS') === 'ECS' && STRATEGIES.includes(text(deploymentConfiguration, 'strategy') ?? '');

export const routingOf = (configuration: Json): TrafficRouting => {
  const canary = record(configuration, 'canaryConfiguration') ?? {};
  const linear = record(configuration, 'linearConfiguration') ?? {};
  switch (text(configuration, 'strategy')) {
    case 'CANARY':
      return {
        type: 'TimeBasedCanary',
        percentage: number(canary, 'canaryPercent') ?? 5,
        minutes: number(canary, 'canaryBakeTimeInMinutes') ?? 10,
      };
    case 'LINEAR':
      return {
        type: 'TimeBasedLinear',
        percentage: number(linear, 'stepPercent') ?? 10,
        minutes: number(linear, 'stepBakeTimeInMinutes') ?? 6,
      };
    default:
      return { type: 'AllAtOnce' };
  }
};

export const hooksOf = (configuration: Json): readonly Hook[] =>
  (records(configuration, 'lifecycleHooks') ?? []).map((given) => {
    const timeout = record(given, 'timeoutConfiguration') ?? {};
    const target = text(given, 'hookTargetArn');
    const stages = (texts(given, 'lifecycleStages') ?? []).map((stage) => {
      if (!isStage(stage)) throw invalid(`Invalid lifecycle stage: ${stage}`);
      return stage;
    });
    const hook: Hook = {
      kind: text(given, 'targetType') === 'PAUSE' ? 'PAUSE' : 'AWS_LAMBDA',
      stages,
      ...(target !== undefined && { target }),
      minutes: number(timeout, 'timeoutInMinutes') ?? 1440,
      onTimeout: text(timeout, 'action') === 'CONTINUE' ? 'CONTINUE' : 'ROLLBACK',
    };
    const [refused] = refusedStages(hook);
    if (refused) throw invalid(`A ${hook.kind} lifecycle hook is not supported at ${refused}.`);
    return hook;
  });

/** Half of the tasks, at least 3 and at most 200. */
export const circuitBreakerOf = (configuration: Json, desiredCount: number) => {
  const given = record(configuration, 'deploymentCircuitBreaker') ?? {};
  return {
    enable: flag(given, 'enable') ?? false,
    rollback: flag(given, 'rollback') ?? false,
    threshold: Math.min(200, Math.max(3, Math.ceil(desiredCount / 2))),
  };
};

export const alarmsOf = (configuration: Json) => {
  const given = record(configuration, 'alarms') ?? {};
  return { names: flag(given, 'enable') === true ? (texts(given, 'alarmNames') ?? []) : [], rollback: flag(given, 'rollback') ?? false };
};
