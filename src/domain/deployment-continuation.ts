/**
 * What `mode: continue` does about a deployment, by what it stands in:
 *
 *   … → InProgress → [Ready: READY_WAIT] → traffic shifts → [old tasks are kept: TERMINATION_WAIT] → Succeeded
 *
 * Only the wait that it stands in is ended, and none once the deployment has come as far as `wait-until` asks: a late approval of the
 * traffic shift never ends the old tasks.
 * Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ContinueDeployment.html
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

export function continuationOf({
  snapshot,
  until,
  hasReadyWait,
}: {
  snapshot: Snapshot;
  until: WaitUntil;
  /** Whether deployments of its group wait in Ready for somebody to continue them. */
  hasReadyWait: boolean;
}): Continuation {
  const { deployment } = snapshot;
  const { status } = deployment;
  if (isTerminal(status)) return { what: 'follow', why: `it has ended already: ${status}` };
  if (status === 'Ready') return { what: 'end-ready-wait' };
  if (hasReached({ deployment, until })) return { what: 'follow', why: 'its traffic has shifted whole already' };
  if (deployment.terminationWaitStarted) return { what: 'end-termination-wait' };
  if (!hasReadyWait) {
    return {
      what: 'nothing',
      why: `is ${status}, and waits for nothing: its group shifts the traffic without a wait in Ready, and the wait before the old tasks end has not begun. Continue it in that wait, or use mode: follow`,
    };
  }
  return hasBegunToShift(snapshot) ? { what: 'follow', why: 'it was continued already, and its traffic shifts' } : { what: 'await-ready' };
}

const eventsOfTheShift = ['BeforeAllowTraffic', 'AllowTraffic', 'AfterAllowTraffic'];

function hasBegunToShift(snapshot: Snapshot): boolean {
  const begun = snapshot.target?.events.some(({ name, status }) => eventsOfTheShift.includes(name) && status !== 'Pending');
  return begun === true || (greenOf(snapshot)?.traffic ?? 0) > 0;
}
