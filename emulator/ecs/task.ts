/**
 * A task of a service, worked out from the service's task sets: those that run or are about to, and those that stopped of late.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
 */
import { present, records, text } from '../coral.ts';
import { taskId, taskSetId } from './ids.ts';
import { ecsArn } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import type { EcsState } from './state.ts';
import type { StoppedTask } from './stopped-task.ts';
import type { TaskSetRecord } from './task-set.ts';
import { timestamp } from '../json.ts';
import type { Json } from '../service.ts';

/** Milliseconds for which a stopped task is still shown. */
const STOPPED_TASKS_SHOWN = 3_600_000;

interface TaskView {
  readonly arn: string;
  readonly service: ServiceRecord;
  readonly startedBy: string;
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly launchType: string;
  readonly stopped?: StoppedTask;
  readonly lastStatus: string;
}

export const tasksOf = (state: EcsState, service: ServiceRecord, now: number): TaskView[] => {
  const arn = (id: string): string => ecsArn(service, `task/${service.cluster.name}/${id}`);
  const launchType = service.launchType ?? 'FARGATE';
  const sets: readonly Pick<TaskSetRecord, 'id' | 'taskDefinition' | 'createdAt' | 'running' | 'pending'>[] =
    service.taskSets.length > 0
      ? state.taskSetsOf(service, now)
      : [
          {
            id: taskSetId(service.arn),
            taskDefinition: service.taskDefinition,
            createdAt: service.updatedAt,
            running: service.desiredCount,
            pending: 0,
          },
        ];
  const current = sets.flatMap((set) =>
    Array.from({ length: set.running + set.pending }, (_, index): TaskView => ({
      arn: arn(taskId(set.id, index)),
      service,
      startedBy: set.id,
      taskDefinition: set.taskDefinition,
      createdAt: set.createdAt,
      launchType,
      lastStatus: index < set.running ? 'RUNNING' : 'PENDING',
    })),
  );
  const stopped = [...service.stoppedTasks, ...(service.live?.stoppedTasks ?? [])]
    .filter(({ stoppedAt }) => stoppedAt <= now && stoppedAt + STOPPED_TASKS_SHOWN > now)
    .map((task): TaskView => ({
      arn: arn(task.id),
      service,
      startedBy: task.taskSetId,
      taskDefinition: task.taskDefinition,
      createdAt: task.createdAt,
      launchType,
      stopped: task,
      lastStatus: 'STOPPED',
    }));
  return [...current, ...stopped];
};

export const describedTask = (state: EcsState, it: TaskView): Json => {
  const definition = state.findTaskDefinition(it.service, it.taskDefinition);
  const stop = it.stopped;
  const startedAt = stop ? stop.startedAt : it.lastStatus === 'RUNNING' ? it.createdAt : undefined;
  const containers = (definition ? (records(definition.body, 'containerDefinitions') ?? []) : []).map((each) =>
    present({
      containerArn: ecsArn(it.service, `container/${it.service.cluster.name}/${taskId(it.arn, text(each, 'name') ?? '')}`),
      taskArn: it.arn,
      name: text(each, 'name'),
      image: text(each, 'image'),
      imageDigest: startedAt === undefined ? undefined : /@(sha256:[0-9a-f]{64})$/.exec(text(each, 'image') ?? '')?.[1],
      lastStatus: it.lastStatus,
      exitCode: stop?.stopCode === 'EssentialContainerExited' ? 1 : undefined,
      reason: stop?.containerReason,
      networkInterfaces: [],
      healthStatus: 'UNKNOWN',
    }),
  );
  return present({
    taskArn: it.arn,
    clusterArn: it.service.cluster.arn,
    taskDefinitionArn: it.taskDefinition,
    group: `service:${it.service.name}`,
    startedBy: it.startedBy,
    launchType: it.launchType,
    lastStatus: it.lastStatus,
    desiredStatus: stop ? 'STOPPED' : 'RUNNING',
    createdAt: timestamp(it.createdAt),
    startedAt: startedAt === undefined ? undefined : timestamp(startedAt),
    stoppedAt: stop && timestamp(stop.stoppedAt),
    stopCode: stop?.stopCode,
    stoppedReason: stop?.stoppedReason,
    cpu: definition?.body['cpu'],
    memory: definition?.body['memory'],
    containers,
    attachments: [],
    version: 3,
  });
};
