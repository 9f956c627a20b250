/** A task that stopped, and why; ECS shows it for an hour. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html */

export interface StoppedTask {
  readonly id: string;
  readonly taskSetId: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly stoppedAt: number;
  readonly stopCode: 'TaskFailedToStart' | 'EssentialContainerExited' | 'ServiceSchedulerInitiated';
  readonly stoppedReason: string;
  /** What `containers[].reason` says; only where the container itself could not start. */
  readonly containerReason?: string;
  /** When it reached RUNNING; absent if it never did. */
  readonly startedAt?: number;
}
