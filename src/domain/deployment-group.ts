/**
 * A CodeDeploy deployment group for ECS, as far as a deployment depends on it.
 * Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html
 */
export interface DeploymentGroup {
  readonly application: string;
  readonly name: string;
  /** `ECS`, `Lambda` or `Server`; undefined where the answer does not say (GetApplication would). */
  readonly computePlatform: string | undefined;
  readonly services: readonly { readonly cluster: string; readonly service: string }[];
  /** The configuration by which traffic shifts, unless a deployment names its own. */
  readonly config: string;
  /** `BLUE_GREEN` on ECS. */
  readonly type: string | undefined;
  readonly readyWait: ReadyWait;
  /** Minutes for which the blue tasks are kept after the shift; 0 where they are kept for ever or ended at once. */
  readonly terminationWaitMinutes: number;
  /** The newest deployment, whatever became of it. */
  readonly lastAttempted: string | undefined;
}

/** With `STOP_DEPLOYMENT` a deployment waits in Ready for ContinueDeployment, and is stopped when nobody continues it. */
export interface ReadyWait {
  readonly onTimeout: string;
  /** Absent with CONTINUE_DEPLOYMENT, so never assumed (PEERS pain 20). */
  readonly minutes: number;
}

/** How production traffic moves to the green task set. */
export type TrafficRouting =
  | { readonly kind: 'all-at-once' }
  | { readonly kind: 'canary'; readonly percentage: number; readonly minutes: number }
  | { readonly kind: 'linear'; readonly percentage: number; readonly minutes: number };

export interface DeploymentConfig {
  readonly name: string;
  readonly computePlatform: string | undefined;
  readonly routing: TrafficRouting;
}

/**
 * The routing of one of AWS's own configurations, told by its name, so that no call is made for it; undefined for any other name.
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
 */
export function predefinedRouting(name: string): TrafficRouting | undefined {
  if (name === 'CodeDeployDefault.ECSAllAtOnce') return { kind: 'all-at-once' };
  const linear = /^CodeDeployDefault\.ECSLinear(\d+)PercentEvery(\d+)Minutes$/.exec(name);
  if (linear) return { kind: 'linear', percentage: Number(linear[1]), minutes: Number(linear[2]) };
  const canary = /^CodeDeployDefault\.ECSCanary(\d+)Percent(\d+)Minutes$/.exec(name);
  return canary ? { kind: 'canary', percentage: Number(canary[1]), minutes: Number(canary[2]) } : undefined;
}
