/** What `rollBack` would do first with what was prepared; no call that writes is made. */
import type { Deployment } from '../domain/deployment.ts';
import { shortName } from '../domain/live-service.ts';
import { nextRevision, registration, type PlanPart, type PlannedCourse, type PlannedWrite } from '../domain/plan.ts';
import { describedDifferences, imagesOf } from '../domain/task-definition.ts';
import { toError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { FoundDeployer } from './find-deployment.ts';
import type { SetOutput } from './follow-deployment.ts';
import { courseOf } from './plan-course.ts';
import type { PreparedRollback } from './prepare-rollback.ts';
import { revisionOf } from './resume-deployment.ts';
import type { DeploySide } from './sessions.ts';

interface PlanRequest {
  readonly side: Pick<DeploySide, 'ecs'>;
  readonly ports: Pick<Ports, 'log'>;
  readonly output: SetOutput;
}

export async function planRollback(prepared: PreparedRollback, request: PlanRequest): Promise<PlanPart> {
  const { found } = prepared;
  for (const warning of found.warnings) request.ports.log.warning(warning);
  request.output('changed', String(prepared.what === 'stop' || prepared.what === 'redeploy'));
  switch (prepared.what) {
    case 'done':
      return { writes: [], course: courseOf(found, prepared.by, `would be left as it is: ${prepared.undone} ${prepared.why}`) };
    case 'await':
      return { writes: [], course: courseOf(found, prepared.rollback, 'is a rollback: its end would be waited for') };
    case 'join':
      return { writes: [], course: courseOf(found, prepared.rollback, `rolls back ${prepared.undoes} already: it would be followed`) };
    case 'stop': {
      const { deployment } = prepared;
      const taskDefinition = await definitionsOf({ deployment, found, request });
      const course = courseOf(found, deployment, 'would be stopped with a rollback, which would be followed');
      return { writes: [write(found, 'stop')], course: { ...course, ...(taskDefinition && { taskDefinition }) } };
    }
    case 'redeploy': {
      const { undoes, redeployment } = prepared;
      const { service, revision, from, to, copy } = redeployment;
      const { cluster } = found.deployer.where;
      const planned = copy ? nextRevision({ running: to.arn, family: copy.family }) : to.arn;
      if (!copy) request.output('task-definition-arn', to.arn);
      return {
        writes: [...(copy ? [registration] : []), write(found, 'start')],
        deployment: {
          cluster,
          service: service.name,
          place: found.deployer.place,
          images: imagesOf(to.definition),
          outcome: 'deploy',
          before: `${undoes} would be undone by it${copy ? `: ${shortName(to.arn)} would be registered once more` : ''}`,
          taskDefinition: {
            running: from.arn,
            planned,
            differences: describedDifferences({ before: from.definition, after: to.definition }),
          },
          changes: revision.deployer.changes(service),
          ...revision.deployer.render({ service, taskDefinition: planned }),
        },
      };
    }
  }
}

function write({ deployer, identity }: FoundDeployer, call: 'start' | 'stop'): PlannedWrite {
  return deployer.permission({ call, account: identity.account });
}

/** What the deployment brings, and what would have the traffic again. It explains; that it can't be read is no failure of its own. */
async function definitionsOf({
  deployment,
  found: { deployer },
  request: { side, ports },
}: {
  deployment: Deployment;
  found: FoundDeployer;
  request: PlanRequest;
}): Promise<PlannedCourse['taskDefinition']> {
  const [now, before] = await Promise.all(
    [deployment.revision, deployment.previousRevision].map(async (name) => revisionOf({ deployer, name, ports })),
  );
  if (!now || !before) return undefined;
  const arns = { running: now.taskDefinition, planned: before.taskDefinition };
  try {
    const [from, to] = await Promise.all([side.ecs.describeTaskDefinition(arns.running), side.ecs.describeTaskDefinition(arns.planned)]);
    return { ...arns, differences: describedDifferences({ before: from.definition, after: to.definition }) };
  } catch (error) {
    ports.log.debug(`the task definitions could not be compared: ${toError(error).message}`);
    return { ...arns, differences: [] };
  }
}
