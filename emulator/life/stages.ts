/**
 * The lifecycle stages of a deployment that ECS itself makes, and the hooks that hang on them.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
 */

export const STAGES = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
] as const;
export type Stage = (typeof STAGES)[number];

export const isStage = (name: string): name is Stage => (STAGES as readonly string[]).includes(name);

const WITHOUT_HOOKS: readonly Stage[] = ['SCALE_UP', 'BAKE_TIME', 'CLEAN_UP'];
const WITHOUT_PAUSES: readonly Stage[] = [...WITHOUT_HOOKS, 'TEST_TRAFFIC_SHIFT', 'PRODUCTION_TRAFFIC_SHIFT'];

export interface Hook {
  readonly kind: 'AWS_LAMBDA' | 'PAUSE';
  readonly stages: readonly Stage[];
  /** The Lambda function's ARN. */
  readonly target?: string;
  /** Until ECS acts by itself. */
  readonly minutes: number;
  readonly onTimeout: 'CONTINUE' | 'ROLLBACK';
}

/** Stages that can't have a hook of this kind. */
export const refusedStages = ({ kind, stages }: Hook): readonly Stage[] =>
  stages.filter((stage) => (kind === 'PAUSE' ? WITHOUT_PAUSES : WITHOUT_HOOKS).includes(stage));
