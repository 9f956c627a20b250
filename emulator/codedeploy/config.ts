/**
 * A deployment configuration: how traffic is shifted. CodeDeploy's own are here; others are made.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
 */
import type { ComputePlatform } from './application.ts';
import type { TrafficRouting } from '../life/traffic.ts';
import type { Json } from '../service.ts';

export interface DeploymentConfig {
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly routing?: TrafficRouting;
}

export const PREDEFINED: readonly DeploymentConfig[] = [
  { name: 'CodeDeployDefault.ECSAllAtOnce', computePlatform: 'ECS', routing: { type: 'AllAtOnce' } },
  {
    name: 'CodeDeployDefault.ECSLinear10PercentEvery1Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 1 },
  },
  {
    name: 'CodeDeployDefault.ECSLinear10PercentEvery3Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 3 },
  },
  {
    name: 'CodeDeployDefault.ECSCanary10Percent5Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 5 },
  },
  {
    name: 'CodeDeployDefault.ECSCanary10Percent15Minutes',
    computePlatform: 'ECS',
    routing: { type: 'TimeBasedCanary', percentage: 10, minutes: 15 },
  },
  { name: 'CodeDeployDefault.OneAtATime', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.HalfAtATime', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.AllAtOnce', computePlatform: 'Server' },
  { name: 'CodeDeployDefault.LambdaAllAtOnce', computePlatform: 'Lambda', routing: { type: 'AllAtOnce' } },
];

export const routingOf = (routing: TrafficRouting): Json => {
  switch (routing.type) {
    case 'AllAtOnce':
      return { type: routing.type };
    case 'TimeBasedCanary':
      return { type: routing.type, timeBasedCanary: { canaryPercentage: routing.percentage, canaryInterval: routing.minutes } };
    case 'TimeBasedLinear':
      return { type: routing.type, timeBasedLinear: { linearPercentage: routing.percentage, linearInterval: routing.minutes } };
  }
};
