/**
 * What a step leaves to its post step: facts, written before the effect that they undo, never a secret. The post step is the only
 * second chance when main was killed, and in jobs with `container:` the first (RULES 5.6).
 */
import type { OwnBuilder } from './ports/docker.ts';
import type { GitHub } from './ports/github.ts';
import type { UnfinishedDeployment } from './steps/finish-deployment.ts';
import type { DockerLogin } from './steps/docker-login.ts';

export type Cleanup =
  | { readonly kind: 'remove-folder'; readonly path: string }
  | ({ readonly kind: 'docker-login' } & DockerLogin)
  | ({ readonly kind: 'docker-builder' } & OwnBuilder)
  | ({ readonly kind: 'deployment' } & UnfinishedDeployment);

export interface Memory {
  /** Saves what to undo, before it is done. */
  remember(item: Cleanup): void;
  /** It was undone, or needs no undoing any more. */
  forget(item: Cleanup): void;
}

/**
 * The runner hands each state to the post step as an environment variable, of which Linux takes 131,072 bytes at most and Windows 32,767
 * characters; beyond that the post step can't even be started. So the list is saved in pieces, in UTF-8 bytes each below this.
 */
const pieceLimit = 30_000;

/** `cleanup`, `cleanup-1`, `cleanup-2`, … */
function stateName(piece: number): string {
  return piece === 0 ? 'cleanup' : `cleanup-${piece}`;
}

export function cleanupMemory(github: GitHub): Memory {
  // An item stays in its piece, so that only that is saved anew: the runner's file of states is append-only.
  const pieces: Set<Cleanup>[] = [];
  const save = (piece: Set<Cleanup>): void => github.saveState(stateName(pieces.indexOf(piece)), JSON.stringify([...piece]));
  const pieceFor = (item: Cleanup): Set<Cleanup> => {
    const last = pieces.at(-1);
    const found = pieces.find((piece) => piece.has(item)) ?? (last && hasRoom(last, item) ? last : undefined);
    if (found) return found;
    const added = new Set<Cleanup>();
    pieces.push(added);
    return added;
  };
  return {
    remember: (item) => {
      const piece = pieceFor(item);
      piece.add(item);
      save(piece);
    },
    forget: (item) => {
      const piece = pieces.find((one) => one.delete(item));
      if (piece) save(piece);
    },
  };
}

function hasRoom(piece: ReadonlySet<Cleanup>, item: Cleanup): boolean {
  return piece.size === 0 || Buffer.byteLength(JSON.stringify([...piece, item])) < pieceLimit;
}

/** What main left behind. The state is our own, written by `cleanupMemory`; what it says about AWS is confirmed there before it is acted on. */
export function remembered(github: GitHub): readonly Cleanup[] {
  const items: Cleanup[] = [];
  // A piece of which all was forgotten is `[]`, and further ones may follow it.
  for (let piece = 0; ; piece += 1) {
    const saved = github.state(stateName(piece));
    if (saved === '') return items;
    items.push(...cleanupsIn(saved));
  }
}

function cleanupsIn(saved: string): readonly Cleanup[] {
  try {
    const list: unknown = JSON.parse(saved);
    return Array.isArray(list) ? list.filter(isCleanup) : [];
  } catch {
    return [];
  }
}

const kinds: readonly string[] = ['remove-folder', 'docker-login', 'docker-builder', 'deployment'] satisfies Cleanup['kind'][];

function isCleanup(item: unknown): item is Cleanup {
  return typeof item === 'object' && item !== null && 'kind' in item && kinds.includes(String(item.kind));
}
