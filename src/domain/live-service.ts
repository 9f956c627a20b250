/**
 * An ECS service as it runs. With the CODE_DEPLOY controller the truth is its PRIMARY task set: `service.taskDefinition` is the one
 * that the service was made with, and CodeDeploy never changes it (RULES 6.9).
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html, API_TaskSet.html
 */
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

export interface LiveService extends Launch {
  readonly name: string;
  readonly arn: string;
  readonly clusterArn: string;
  /** `ACTIVE`, `DRAINING` or `INACTIVE`. */
  readonly status: string;
  /** A description without a controller is one of ECS's own (rolling). */
  readonly controller: string;
  /** ECS's own deployment strategy: `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`; undefined where the description has none. */
  readonly strategy: string | undefined;
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
