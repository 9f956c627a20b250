/** An ECS cluster: a name that services and tasks stand under. */
import type { Scope } from './scope.ts';
import type { Tag } from './tag.ts';

export interface ClusterRecord extends Scope {
  readonly name: string;
  readonly arn: string;
  status: string;
  tags: Tag[];
}
