/** What the ECS service says of a deployment. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html */
import { taskId } from '../ecs/ids.ts';
import type { ServiceEvent } from '../ecs/service.ts';
import type { Course } from './course.ts';
import type { DeploymentPlan, TaskSetPlan } from './plan.ts';

export const serviceEventsOf = (plan: DeploymentPlan, course: Course): ServiceEvent[] => {
  const { blue, green, service } = plan;
  const about = (set: TaskSetPlan): string => `(service ${service}, taskSet ${set.id})`;
  const tasks = (set: TaskSetPlan): string =>
    Array.from({ length: set.desiredCount }, (_, index) => `(task ${taskId(set.id, index)})`).join(' ');
  const events: ServiceEvent[] = [];
  const install = course.steps.find(({ name }) => name === 'Install');
  if (plan.kind === 'deploy' && install && install.end !== 'Skipped' && !plan.refused) {
    events.push({ at: install.from + 1000, message: `${about(green)} has started ${green.desiredCount} tasks: ${tasks(green)}.` });
    if (install.end === 'Succeeded') {
      events.push(
        {
          at: install.to - 1,
          message: `${about(green)} registered ${green.desiredCount} targets in (target-group ${green.targetGroup.arn})`,
        },
        { at: install.to, message: `${about(green)} has reached a steady state.` },
      );
    }
  }
  const drained = plan.kind === 'rollback' ? green : blue;
  const from = plan.kind === 'rollback' ? course.end.at - 2 : course.wait?.to;
  if (from !== undefined && course.end.status === 'Succeeded') {
    events.push(
      { at: from, message: `${about(drained)} has begun draining connections on ${drained.desiredCount} tasks.` },
      {
        at: from + 1,
        message: `${about(drained)} deregistered ${drained.desiredCount} targets in (target-group ${drained.targetGroup.arn})`,
      },
      { at: from + 2, message: `${about(drained)} has stopped ${drained.desiredCount} running tasks: ${tasks(drained)}.` },
    );
  }
  return events;
};
