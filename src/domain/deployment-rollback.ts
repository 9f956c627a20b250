/**
 * What `mode: rollback` does, decided by a group's newest deployment (RULES 6.18):
 *
 *   under way                          → it is stopped with a rollback
 *   succeeded                          → what ran before it is deployed again
 *   failed, and not (well) rolled back → the same, for its traffic may be split
 *   rolled back, or never had traffic  → nothing is left to do
 *
 * Rollbacks go back only. A rollback is no deployment of its own here, but the end of the one that it undoes, whether CodeDeploy made
 * it or we did (ours say so in their descriptions): it is waited for, never undone. So two rollbacks at once are one, and a rollback
 * after a deployment that CodeDeploy rolled back by itself does not go back twice. Who wants that names the deployment to undo next.
 * Where ECS itself deploys, its own rollback happens within the deployment that it undoes.
 */
import { undoneBy } from './deployment-marker.ts';
import { isActive, isRollingBack, type Deployment } from './deployment.ts';

export interface History {
  readonly active: Deployment | undefined;
  /** The newest deployment that is no rollback of AWS's. */
  readonly last: Ended | undefined;
  /** The deployment that the author names: no other is undone. */
  readonly named: Deployment | undefined;
}

/** A deployment, and what became of it; it tells nothing as long as one is active. */
export interface Ended {
  readonly deployment: Deployment;
  /** AWS's own rollback of it. */
  readonly rollback: Deployment | undefined;
  /** Whether its new tasks had traffic in the end. */
  readonly hadTraffic: boolean;
  /** The revision that a rollback of ours brought back, where it is deployed under a name of its own. */
  readonly restores?: string | undefined;
}

export type RollbackDecision =
  /** CodeDeploy sends the traffic back. */
  | { readonly what: 'stop'; readonly deployment: Deployment }
  /** A rollback of ours is under way: it does what is wanted. */
  | { readonly what: 'join'; readonly rollback: Deployment; readonly undoes: string }
  /** A rollback of AWS's is under way: what is to be done shows when it has ended. */
  | { readonly what: 'await'; readonly rollback: Deployment }
  /** `undone` has no effect any more: `by` undid it, which is itself where it never had any. */
  | { readonly what: 'done'; readonly undone: string; readonly by: Deployment; readonly why: string }
  /** By deploying that revision again, `undoes` is undone. */
  | { readonly what: 'redeploy'; readonly undoes: string; readonly revision: string }
  | { readonly what: 'nothing'; readonly why: string };

export function decideRollback(history: History): RollbackDecision {
  const { active, last, named } = history;
  const decision = decide(history);
  if (named === undefined || decision.what === 'await' || undoneIn(decision) === named.id) return decision;
  // What the author names is what runs since a newer one was undone.
  const isRestored = last && named.status === 'Succeeded' && named.revision === restoredBy(last);
  if (decision.what === 'done' && isRestored && undoneBy(named.description) === undefined)
    return redeploy({ undoes: named.id, revision: named.previousRevision, runs: named.revision });
  const newer = active ?? last?.deployment;
  const since = newer && newer.id !== named.id ? `: ${newer.id} (${newer.status}) came after it` : '';
  return { what: 'nothing', why: `${named.id} (${named.status}) is not what would be rolled back${since}` };
}

function decide({ active, last }: History): RollbackDecision {
  if (active) return decideActive(active);
  if (!last) return { what: 'nothing', why: 'there is no deployment yet' };
  const { deployment, rollback, hadTraffic } = last;
  // Lists lag behind.
  if (rollback && isActive(rollback.status)) return { what: 'await', rollback };
  const succeeded = deployment.status === 'Succeeded';
  const undone = undoneBy(deployment.description);
  if (undone !== undefined) {
    return succeeded
      ? { what: 'done', undone, by: deployment, why: `was rolled back by ${deployment.id}` }
      : redeploy({ undoes: undone, revision: deployment.revision });
  }
  const { within } = deployment.rollback;
  const holds = succeeded || (rollback ? rollback.status !== 'Succeeded' : within === 'failed' || (within !== 'succeeded' && hadTraffic));
  if (holds) return redeploy({ undoes: deployment.id, revision: deployment.previousRevision, runs: deployment.revision });
  const by = rollback?.id ?? (within === 'succeeded' ? 'ECS' : undefined);
  const why = by !== undefined ? `was rolled back by ${by}` : `ended as ${deployment.status} before its tasks had any traffic`;
  return { what: 'done', undone: deployment.id, by: rollback ?? deployment, why };
}

function decideActive(active: Deployment): RollbackDecision {
  if (isRollingBack(active)) return { what: 'await', rollback: active };
  const undoes = undoneBy(active.description);
  return undoes === undefined ? { what: 'stop', deployment: active } : { what: 'join', rollback: active, undoes };
}

/** @param runs the revision that is undone */
function redeploy({
  undoes,
  revision,
  runs,
}: {
  undoes: string;
  revision: string | undefined;
  runs?: string | undefined;
}): RollbackDecision {
  if (revision === undefined) return { what: 'nothing', why: `nothing is known that ran before ${undoes}` };
  if (revision === runs) return { what: 'nothing', why: `${undoes} deployed exactly what ran before it` };
  return { what: 'redeploy', undoes, revision };
}

function undoneIn(decision: RollbackDecision): string | undefined {
  switch (decision.what) {
    case 'stop':
      return decision.deployment.id;
    case 'join':
    case 'redeploy':
      return decision.undoes;
    case 'done':
      return decision.undone;
    case 'await':
    case 'nothing':
      return undefined;
  }
}

/** The revision that runs since the last deployment was undone. */
function restoredBy({ deployment, restores }: Ended): string | undefined {
  return undoneBy(deployment.description) === undefined ? deployment.previousRevision : (restores ?? deployment.revision);
}
