/** The operations that create and show deployments. */
import { checkedAlarms } from './alarms.ts';
import { appSpecOf } from './appspec.ts';
import { checkedRollback } from './auto-rollback.ts';
import { deploymentInfoOf } from './deployment.ts';
import { codedeployFinders, DEPLOYMENT_ID } from './finders.ts';
import { paged } from './pages.ts';
import { badRevision, contentOf, register } from './revision.ts';
import type { CodeDeployState } from './state.ts';
import { number, present, record, text, texts } from '../coral.ts';
import { lifeOf } from '../deployment-life.ts';
import { scopeOf } from '../ecs/scope.ts';
import { AwsFault } from '../service.ts';
import type { Service } from '../service.ts';

const STATUSES: readonly string[] = ['Created', 'Queued', 'InProgress', 'Baking', 'Succeeded', 'Failed', 'Stopped', 'Ready'];

export const deploymentOperations = (state: CodeDeployState): Service['operations'] => {
  const { applicationOf, deploymentOf, ecsConfigOf, groupOf } = codedeployFinders(state);
  return {
    CreateDeployment(input, call) {
      const group = groupOf(input, call);
      const description = text(input, 'description');
      if (description !== undefined && description.length > 256) {
        throw new AwsFault('DescriptionTooLongException', 'The description is too long: at most 256 characters.');
      }
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      if (group.application.computePlatform !== 'ECS') throw badRevision('AppSpecContent is not supported for this compute platform here');
      const autoRollback = checkedRollback(record(input, 'autoRollbackConfiguration'));
      const overrideAlarms = checkedAlarms(record(input, 'overrideAlarmConfiguration'));
      const config = ecsConfigOf(text(input, 'deploymentConfigName') ?? group.configName, scopeOf(call));
      const { content, sha256: hash } = contentOf(location);
      const spec = appSpecOf(content ?? group.application.revisions.get(hash ?? '')?.content ?? '');
      const active = state.activeDeployment(group);
      if (active) {
        const message = `The Deployment Group '${group.name}' already has an active Deployment '${active.id}'`;
        throw new AwsFault('DeploymentLimitExceededException', message);
      }
      const now = call.clock.now();
      const revision = register(group.application, location, now);
      return { deploymentId: state.create({ group, revision, spec, config, description, autoRollback, overrideAlarms, now }).id };
    },

    GetDeployment: (input, call) => ({ deploymentInfo: deploymentInfoOf(deploymentOf(input, call), call.clock.now()) }),

    BatchGetDeployments(input, call) {
      const ids = texts(input, 'deploymentIds') ?? [];
      if (ids.length === 0) throw new AwsFault('DeploymentIdRequiredException', 'At least one deployment ID is required.');
      if (ids.length > 25) throw new AwsFault('BatchLimitExceededException', 'The maximum number of deployment IDs is 25.');
      const known = state.deployments(scopeOf(call));
      return {
        deploymentsInfo: ids.flatMap((id) => {
          if (!DEPLOYMENT_ID.test(id)) throw new AwsFault('InvalidDeploymentIdException', `The deployment ID '${id}' is not valid.`);
          const found = known.find((each) => each.id === id);
          return found ? [deploymentInfoOf(found, call.clock.now())] : [];
        }),
      };
    },

    ListDeployments(input, call) {
      const application = text(input, 'applicationName') === undefined ? undefined : applicationOf(input, call);
      const named = text(input, 'deploymentGroupName') !== undefined;
      if (named && !application) throw new AwsFault('ApplicationNameRequiredException', 'Application name is required.');
      const group = named ? groupOf(input, call) : undefined;
      if (application && !group) throw new AwsFault('DeploymentGroupNameRequiredException', 'Deployment group name is required.');
      const statuses = texts(input, 'includeOnlyStatuses');
      const unknown = statuses?.find((each) => !STATUSES.includes(each));
      if (unknown !== undefined) throw new AwsFault('InvalidDeploymentStatusException', `The deployment status ${unknown} does not exist.`);
      const range = record(input, 'createTimeRange') ?? {};
      const start = number(range, 'start');
      const end = number(range, 'end');
      if (start !== undefined && end !== undefined && start > end) {
        throw new AwsFault('InvalidTimeRangeException', 'The start of the time range is after its end.');
      }
      const now = call.clock.now();
      const ids = state
        .deployments(scopeOf(call))
        .filter((each) => (group === undefined || each.group === group) && (!statuses || statuses.includes(lifeOf(each.plan, now).status)))
        .filter(
          ({ plan: { createdAt } }) => (start === undefined || createdAt >= start * 1000) && (end === undefined || createdAt <= end * 1000),
        )
        .map(({ id }) => id);
      const { items, next } = paged(ids, input);
      return present({ deployments: items, nextToken: next });
    },
  };
};
