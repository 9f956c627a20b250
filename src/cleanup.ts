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

const stateName = 'cleanup';

export function cleanupMemory(github: GitHub): Memory {
  const items = new Set<Cleanup>();
  const save = (): void => github.saveState(stateName, JSON.stringify([...items]));
  return {
    remember: (item) => {
      items.add(item);
      save();
    },
    forget: (item) => {
      if (items.delete(item)) save();
    },
  };
}

/** What main left behind. The state is our own, written by `cleanupMemory`; what it says about AWS is confirmed there before it is acted on. */
export function remembered(github: GitHub): readonly Cleanup[] {
  try {
    const saved: unknown = JSON.parse(github.state(stateName) || '[]');
    return Array.isArray(saved) ? saved.filter(isCleanup) : [];
  } catch {
    return [];
  }
}

const kinds: readonly string[] = ['remove-folder', 'docker-login', 'docker-builder', 'deployment'] satisfies Cleanup['kind'][];

function isCleanup(item: unknown): item is Cleanup {
  return typeof item === 'object' && item !== null && 'kind' in item && kinds.includes(String(item.kind));
}
