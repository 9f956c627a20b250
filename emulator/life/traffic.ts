/**
 * How the listener's weights move from blue to green: all at once, in two steps (canary) or in equal ones (linear).
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
 */
import { MINUTE } from './durations.ts';

export type TrafficRouting =
  | { readonly type: 'AllAtOnce' }
  | { readonly type: 'TimeBasedCanary'; readonly percentage: number; readonly minutes: number }
  | { readonly type: 'TimeBasedLinear'; readonly percentage: number; readonly minutes: number };

/** The listener's new weights: when, and green's percentage. */
export const weightsOf = (routing: TrafficRouting, first: number): { at: number; green: number }[] => {
  switch (routing.type) {
    case 'AllAtOnce':
      return [{ at: first, green: 100 }];
    case 'TimeBasedCanary':
      return [
        { at: first, green: routing.percentage },
        { at: first + routing.minutes * MINUTE, green: 100 },
      ];
    case 'TimeBasedLinear':
      return Array.from({ length: Math.ceil(100 / routing.percentage) }, (_, index) => ({
        at: first + index * routing.minutes * MINUTE,
        green: Math.min(100, routing.percentage * (index + 1)),
      }));
  }
};
