/** What is new between two looks at a deployment, as lines; and when to look again. */
import { greenOf, hasShifted, isTerminal, type LifecycleEvent, type Snapshot } from './deployment.ts';

/** Only what changed: statuses, lifecycle events with their durations, traffic, task counts. */
export function progressBetween(previous: Snapshot | undefined, next: Snapshot): readonly string[] {
  // An end is the last word; any other status comes before what happens in it.
  const status = statusLines(previous, next);
  const isEnd = isTerminal(next.deployment.status);
  return [
    ...(isEnd ? [] : status),
    ...(next.target?.events ?? []).flatMap((event) => eventLines(eventNamed(previous, event.name), event)),
    ...taskLines(previous, next),
    ...trafficLines(previous, next),
    ...shiftLines(previous, next),
    ...(isEnd ? status : []),
  ];
}

/** Whether anything moved: what the next delay depends on. */
export function hasMoved(previous: Snapshot | undefined, next: Snapshot): boolean {
  return previous === undefined || progressBetween(previous, next).length > 0 || previous.deployment.status !== next.deployment.status;
}

const seconds = 1_000;

/**
 * Milliseconds until the next look. A look is two calls, and more than one call a second is never made. Around what happens – the last
 * move, and the end of a wait as far as it is known – a look comes every 2 seconds; otherwise the more seldom the farther away that is:
 * every 4 seconds at most, in long waits every 20. `bench/notice.ts` tells how late that is.
 */
export function nextDelay({ snapshot: { deployment }, sinceMove }: { snapshot: Snapshot; sinceMove: number }): number {
  const { status, terminationWaitStarted, waits } = deployment;
  const isWaiting = status === 'Ready' || terminationWaitStarted;
  const slowest = isWaiting ? 20 * seconds : 4 * seconds;
  const wait = status === 'Ready' ? waits.ready : waits.termination;
  const untilEnd = isWaiting && wait !== undefined ? Math.abs(wait * 60 * seconds - sinceMove) : Infinity;
  return Math.min(slowest, Math.max(2 * seconds, Math.min(sinceMove, untilEnd) / 10));
}

/** `3 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatDuration(milliseconds: number): string {
  const total = Math.max(0, Math.round(milliseconds / seconds));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}

/** How long an event took; undefined where CodeDeploy doesn't say. */
export function durationOf({ startedAt, endedAt }: LifecycleEvent): string | undefined {
  return startedAt === undefined || endedAt === undefined ? undefined : formatDuration(endedAt - startedAt);
}

/** How a deployment went, in a line: `Succeeded after 6 min 12 s: BeforeInstall ✓ (0 s)  Install ✓ (1 min 30 s)`. */
export function courseLine({ deployment, target }: Snapshot): string {
  const { createdAt, completedAt } = deployment;
  const status = deployment.terminationWaitStarted && !isTerminal(deployment.status) ? 'The traffic has shifted whole' : deployment.status;
  const took = createdAt === undefined || completedAt === undefined ? '' : ` after ${formatDuration(completedAt - createdAt)}`;
  const events = (target?.events ?? []).flatMap((event) => eventLines(undefined, event));
  return `${status}${took}${events.length === 0 ? '' : `: ${events.join('  ')}`}`;
}

function statusLines(previous: Snapshot | undefined, { deployment }: Snapshot): string[] {
  const { status } = deployment;
  if (previous?.deployment.status === status || status === 'InProgress') return [];
  if (status === 'Ready')
    return [
      `Ready: ${deployment.pause?.said ?? 'the new tasks run, and the traffic waits to be shifted'} (mode: continue, or the console)`,
    ];
  return [deployment.rollback.within === 'running' ? `${status}: ${deployment.rollback.message ?? 'ECS gives no reason'}` : status];
}

function eventNamed(snapshot: Snapshot | undefined, name: string): LifecycleEvent | undefined {
  return snapshot?.target?.events.find((event) => event.name === name);
}

function eventLines(previous: LifecycleEvent | undefined, event: LifecycleEvent): string[] {
  if (previous?.status === event.status) return [];
  const duration = durationOf(event);
  const took = duration === undefined ? '' : ` (${duration})`;
  switch (event.status) {
    case 'InProgress':
      return [`${event.name} …`];
    case 'Succeeded':
      return [`${event.name} ✓${took}`];
    case 'Failed':
      return [`${event.name} ✗${took}`];
    default:
      return [];
  }
}

/** Of the new tasks: the old ones are no news until they end, which the status tells. */
function taskLines(previous: Snapshot | undefined, next: Snapshot): string[] {
  const green = greenOf(next);
  const before = previous && greenOf(previous);
  if (!green || ((before?.running ?? 0) === green.running && (before?.desired ?? 0) === green.desired)) return [];
  return [`green tasks: ${green.running} of ${green.desired} running`];
}

function trafficLines(previous: Snapshot | undefined, next: Snapshot): string[] {
  const [before, now] = [previous && greenOf(previous), greenOf(next)];
  if (!now) return [];
  return [
    ...shift('green test traffic', { from: before?.testTraffic, to: now.testTraffic }),
    ...shift('green traffic', { from: before?.traffic, to: now.traffic }),
  ];
}

function shift(what: string, { from = 0, to = 0 }: { from: number | undefined; to: number | undefined }): string[] {
  return from === to ? [] : [`${what}: ${from} % → ${to} %`];
}

function shiftLines(previous: Snapshot | undefined, { deployment }: Snapshot): string[] {
  if (!deployment.terminationWaitStarted || isTerminal(deployment.status) || (previous && hasShifted(previous.deployment))) return [];
  return ['the traffic has shifted whole; the old tasks are kept for a while'];
}
