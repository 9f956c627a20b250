/**
 * An ECS service as it runs. With the CODE_DEPLOY controller the truth is its PRIMARY task set: `service.taskDefinition` is the one
 * that the service was made with, and CodeDeploy never changes it (RULES 6.9). Where ECS itself deploys, it is the service revision.
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html, API_TaskSet.html
 */
import type { TrafficRouting } from './deployment-group.ts';

export interface ContainerTarget {
  readonly containerName: string;
  readonly containerPort: number;
}

export interface Network {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: string | undefined;
}

export interface CapacityProvider {
  readonly provider: string;
  readonly base: number | undefined;
  readonly weight: number | undefined;
}

/** How tasks are run: told by the service, and by each of its task sets. */
export interface Launch {
  readonly taskDefinition: string;
  readonly loadBalancers: readonly ContainerTarget[];
  readonly launchType: string | undefined;
  readonly platformVersion: string | undefined;
  readonly network: Network | undefined;
  readonly capacityProviders: readonly CapacityProvider[];
}

export interface TaskSet extends Launch {
  readonly id: string;
}

export interface ServiceEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

/** How a service is deployed by ECS itself. */
export interface OwnDeployments {
  /** `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`; undefined where the description has none, which means rolling. */
  readonly strategy: string | undefined;
  readonly routing: TrafficRouting;
  /** Minutes for which the old tasks are kept after the shift. */
  readonly bakeMinutes: number;
  /** Where a deployment is held until somebody continues it, and for how long at most. */
  readonly pauses: readonly Pause[];
  /** A network load balancer takes ten minutes more for each of the two shifts. */
  readonly networkLoadBalancer: boolean;
}

export interface Pause {
  readonly stage: string;
  readonly minutes: number;
}

export interface LiveService extends Launch {
  readonly name: string;
  readonly arn: string;
  readonly clusterArn: string;
  /** `ACTIVE`, `DRAINING` or `INACTIVE`. */
  readonly status: string;
  /** A description without a controller is one of ECS's own (rolling). */
  readonly controller: string;
  /** How ECS itself deploys it, if the controller is ECS. */
  readonly own: OwnDeployments;
  /** The ARNs of the service revisions that have tasks: one, or several while ECS deploys. */
  readonly revisions: readonly string[];
  readonly desiredCount: number;
  /** The task set that takes the production traffic; only with an external controller. */
  readonly primary: TaskSet | undefined;
  /** Newest first, as ECS tells them. */
  readonly events: readonly ServiceEvent[];
}

/** What runs: the PRIMARY task set where there is one. */
export function running(service: LiveService): Launch {
  return service.primary ?? service;
}

/** The last part of an ECS ARN or name: `arn:…:cluster/dev` → `dev`, `arn:…:task-definition/web:42` → `web:42`. */
export function shortName(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** A task that stopped, with what ECS says of it. */
export interface StoppedTask {
  readonly id: string;
  readonly taskDefinition: string;
  /** Milliseconds since the epoch. */
  readonly stoppedAt: number | undefined;
  readonly stopCode: string | undefined;
  readonly reason: string | undefined;
  readonly containers: readonly { readonly name: string; readonly reason: string | undefined; readonly exitCode: number | undefined }[];
}
