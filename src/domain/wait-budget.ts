/**
 * How long a deployment may take by its own settings: the steps of its traffic shift, the wait in Ready, the wait before the old
 * tasks end – which AWS's own CLI and action leave out in part (PEERS pain 11) – and a margin for new tasks to start and hooks to run.
 */
import type { WaitUntil } from './deployment.ts';
import type { DeploymentGroup, TrafficRouting } from './deployment-group.ts';

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
  group: Pick<DeploymentGroup, 'readyWait' | 'terminationWaitMinutes'>;
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

/** Canary: one wait after the first part. Linear: a wait after each part but the last. */
function shiftMinutes(routing: TrafficRouting): number {
  switch (routing.kind) {
    case 'all-at-once':
      return 0;
    case 'canary':
      return routing.minutes;
    case 'linear':
      return (Math.ceil(100 / Math.max(routing.percentage, 1)) - 1) * routing.minutes;
  }
}
