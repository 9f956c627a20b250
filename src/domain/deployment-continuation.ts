/**
 * What `mode: continue` does about a deployment, by what it stands in:
 *
 *   … → InProgress → [Ready: READY_WAIT] → traffic shifts → [old tasks are kept: TERMINATION_WAIT] → Succeeded
 *
 * Only the wait that it stands in is ended, and none once the deployment has come as far as `wait-until` asks: a late approval of the
 * traffic shift never ends the old tasks. Where ECS itself deploys, Ready is wherever a pause hook holds it, which may be several
 * times; its bake time has no end but its own.
 * Sources: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ContinueDeployment.html,
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html
 */
import { greenOf, hasReached, isTerminal, type Snapshot, type WaitUntil } from './deployment.ts';

export type Continuation =
  | { readonly what: 'end-ready-wait' | 'end-termination-wait' }
  /** It has not come to Ready yet, but will. */
  | { readonly what: 'await-ready' }
  /** It waits no more, or has come far enough. */
  | { readonly what: 'follow'; readonly why: string }
  /** It waits for nothing. */
  | { readonly what: 'nothing'; readonly why: string };

/** Whether a deployment will yet wait in Ready until somebody continues it: `none` of its place do, it did, or it will. */
export type PauseAhead = 'none' | 'past' | 'ahead';

export function continuationOf({
  snapshot,
  until,
  pauseAhead,
  canEndTerminationWait,
}: {
  snapshot: Snapshot;
  until: WaitUntil;
  pauseAhead: PauseAhead;
  canEndTerminationWait: boolean;
}): Continuation {
  const { deployment } = snapshot;
  const { status } = deployment;
  if (isTerminal(status)) return { what: 'follow', why: `it has ended already: ${status}` };
  if (deployment.rollback.within === 'running') return { what: 'follow', why: 'it is rolled back' };
  if (status === 'Ready') return inReady(snapshot, until);
  if (hasReached({ deployment, until })) return { what: 'follow', why: 'its traffic has shifted whole already' };
  if (deployment.terminationWaitStarted) {
    return canEndTerminationWait
      ? { what: 'end-termination-wait' }
      : { what: 'nothing', why: 'is in its bake time, which ends by itself: ECS has no call that ends it. Use mode: follow' };
  }
  switch (pauseAhead) {
    case 'ahead':
      return { what: 'await-ready' };
    case 'past':
      return { what: 'follow', why: 'it was continued already, and its traffic shifts' };
    case 'none':
      return {
        what: 'nothing',
        why: canEndTerminationWait
          ? `is ${status}, and waits for nothing: its group shifts the traffic without a wait in Ready, and the wait before the old tasks end has not begun. Continue it in that wait, or use mode: follow`
          : `is ${status}, and no pause hook of its service will hold it. Give the service one (targetType: PAUSE), or use mode: follow`,
      };
  }
}

function inReady({ deployment: { pause } }: Snapshot, until: WaitUntil): Continuation {
  if (until !== 'traffic-shifted' || !pause?.isAfterShift) return { what: 'end-ready-wait' };
  return {
    what: 'nothing',
    why: `has the whole traffic on its new tasks, and ${pause.said}. Look at them, and continue it with wait-until: succeeded`,
  };
}

const eventsOfTheShift = ['BeforeAllowTraffic', 'AllowTraffic', 'AfterAllowTraffic'];

/** Whether CodeDeploy has left Ready, by itself or since somebody continued it. */
export function hasBegunToShift(snapshot: Snapshot): boolean {
  const begun = snapshot.target?.events.some(({ name, status }) => eventsOfTheShift.includes(name) && status !== 'Pending');
  return begun === true || (greenOf(snapshot)?.traffic ?? 0) > 0;
}
