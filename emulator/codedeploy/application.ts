/** An application: a name for one or more deployment groups, and the revisions they deployed. */
import type { Revision } from './revision.ts';
import type { Scope } from '../ecs/scope.ts';

export type ComputePlatform = 'ECS' | 'Server' | 'Lambda';

export interface ApplicationSeed extends Scope {
  readonly name: string;
  readonly computePlatform?: ComputePlatform;
}

export interface Application extends Scope {
  readonly id: string;
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly createdAt: number;
  /** By the SHA-256 of their content. */
  readonly revisions: Map<string, Revision>;
}
