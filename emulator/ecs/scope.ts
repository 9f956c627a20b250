/** One account in one Region, and the ARNs there. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
import type { Call } from '../service.ts';

/** Nothing is seen across. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** The Region's partition: the second part of its ARNs. */
export const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : region.startsWith('eusc-') ? 'aws-eusc' : 'aws';

export const ecsArn = (scope: Scope, rest: string): string =>
  `arn:${partitionOf(scope.region)}:ecs:${scope.region}:${scope.account}:${rest}`;

/** A key for what is of one account and Region. */
export const within = (scope: Scope): string => `${scope.account}/${scope.region}`;

/** Where a call looks: its caller's account, its endpoint's Region. */
export const scopeOf = (call: Call): Scope => ({ account: call.caller.account, region: call.region });
