/** The plan of a service deployment: all that its life follows from, with the commands it got so far. */
import type { Durations } from './durations.ts';
import type { Hook, Stage } from './stages.ts';
import type { TaskSetPlan } from './plan.ts';
import type { TrafficRouting } from './traffic.ts';

export type ServiceCommand =
  | { readonly at: number; readonly command: 'stop' }
  | { readonly at: number; readonly command: 'continue'; readonly hookId: string; readonly action: 'CONTINUE' | 'ROLLBACK' }
  /** Another deployment takes its place. */
  | { readonly at: number; readonly command: 'replace' };

/** How a service deployment goes: what a test or the demo asks of it before it starts. */
export type ServiceOutcome =
  | 'succeed'
  /** A stage fails, at its hook if it has one. `reason` defaults to what ECS says. */
  | { readonly failAt: Stage; readonly reason?: string }
  /** A CloudWatch alarm fires half-way through a stage. Only where the service watches alarms; `alarm` defaults to the first. */
  | { readonly alarmAt: Stage; readonly alarm?: string }
  /** Somebody else calls StopServiceDeployment half-way through a stage. */
  | { readonly stoppedAt: Stage }
  /** Green tasks never get healthy: the circuit breaker trips, or the stage times out after 24 hours. */
  | { readonly tasks: 'cannotPull' | 'unhealthy' | 'exit'; readonly reason?: string };

export interface ServiceDeploymentPlan {
  readonly id: string;
  /** AWS milliseconds. */
  readonly createdAt: number;
  readonly durations: Durations;
  readonly outcome: ServiceOutcome;
  /** Whether a rollback succeeds. */
  readonly rollback: 'succeed' | 'fail';
  readonly commands: readonly ServiceCommand[];
  /** The ECS service's name, for its events. */
  readonly service: string;
  /** The service revisions that have tasks; the first has the production traffic. */
  readonly blue: readonly TaskSetPlan[];
  readonly green: TaskSetPlan;
  readonly routing: TrafficRouting;
  /** Without a load balancer or Service Connect ECS shifts no traffic. */
  readonly shifts: boolean;
  readonly testTraffic: boolean;
  readonly bakeMinutes: number;
  readonly hooks: readonly Hook[];
  readonly circuitBreaker: { readonly enable: boolean; readonly rollback: boolean; readonly threshold: number };
  readonly alarms: { readonly names: readonly string[]; readonly rollback: boolean };
}
