/**
 * How long a deployment may take by its own settings: the steps of its traffic shift, the wait in Ready, the wait before the old
 * tasks end – which AWS's own CLI and action leave out in part (PEERS pain 11) – and a margin for new tasks to start and hooks to run.
 */
import type { WaitUntil } from './deployment.ts';
import type { ReadyWait, TrafficRouting } from './deployment-group.ts';
import type { OwnDeployments } from './live-service.ts';

export interface WaitBudget {
  readonly minutes: number;
  /** `30 min for tasks and hooks, 5 min canary, 60 min before the old tasks end`. */
  readonly explanation: string;
}

/** As AWS's action allows by default (wait-for-minutes). */
const marginMinutes = 30;

export function waitBudget({
  routing,
  group,
  until,
}: {
  routing: TrafficRouting;
  group: { readonly readyWait: Pick<ReadyWait, 'minutes'>; readonly terminationWaitMinutes: number };
  until: WaitUntil;
}): WaitBudget {
  const parts: readonly (readonly [minutes: number, what: string])[] = [
    [marginMinutes, 'for tasks and hooks'],
    [until === 'ready' ? 0 : group.readyWait.minutes, 'in Ready'],
    [until === 'ready' ? 0 : shiftMinutes(routing), `${routing.kind} traffic shift`],
    [until === 'succeeded' ? group.terminationWaitMinutes : 0, 'before the old tasks end'],
  ];
  return {
    minutes: parts.reduce((sum, [minutes]) => sum + minutes, 0),
    explanation: parts
      .filter(([minutes]) => minutes > 0)
      .map(([minutes, what]) => `${minutes} min ${what}`)
      .join(', '),
  };
}

/** The same by the settings of a service that ECS itself deploys. */
export function ownWaitBudget({ own, until }: { own: OwnDeployments; until: WaitUntil }): WaitBudget {
  const budget = waitBudget({
    routing: own.routing,
    group: { readyWait: { minutes: pauseMinutes(own) }, terminationWaitMinutes: own.bakeMinutes },
    until,
  });
  if (!own.networkLoadBalancer) return budget;
  // Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html (considerations)
  return { minutes: budget.minutes + 20, explanation: `${budget.explanation}, 20 min for the network load balancer` };
}

/** A pause before the shift is one before each of its steps. */
function pauseMinutes({ pauses, routing }: OwnDeployments): number {
  return pauses.reduce((sum, { stage, minutes }) => sum + minutes * (stage === 'PRE_PRODUCTION_TRAFFIC_SHIFT' ? stepsOf(routing) : 1), 0);
}

/** How many times the traffic is shifted. */
function stepsOf(routing: TrafficRouting): number {
  switch (routing.kind) {
    case 'all-at-once':
      return 1;
    case 'canary':
      return 2;
    case 'linear':
      return Math.ceil(100 / Math.max(routing.percentage, 1));
  }
}

/** A wait after each part but the last. */
function shiftMinutes(routing: TrafficRouting): number {
  return routing.kind === 'all-at-once' ? 0 : (stepsOf(routing) - 1) * routing.minutes;
}
