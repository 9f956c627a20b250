/**
 * The operations on deployments that ECS itself makes, and on service revisions. What ECS answers where a deployment is in the wrong
 * state is not documented but for the exceptions' names.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
 */
import { invalid } from './checks.ts';
import { ecsFinders } from './finders.ts';
import { scopeOf } from './scope.ts';
import type { ServiceDeploymentRecord } from './service-deployment.ts';
import { briefDeployment, describedDeployment, describedServiceRevision } from './service-deployment.ts';
import type { EcsState } from './state.ts';
import { number, present, record, text, texts } from '../coral.ts';
import { page } from '../json.ts';
import { serviceLifeOf } from '../service-deployment-life.ts';
import { AwsFault } from '../service.ts';
import type { Call, Json, Service } from '../service.ts';

const STATUSES: readonly string[] = [
  'PENDING',
  'SUCCESSFUL',
  'STOPPED',
  'STOP_REQUESTED',
  'IN_PROGRESS',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
];

export const serviceDeploymentOperations = (state: EcsState): Service['operations'] => {
  const { serviceOf } = ecsFinders(state);
  const deploymentOf = (input: Json, call: Call): ServiceDeploymentRecord => {
    const arn = text(input, 'serviceDeploymentArn') ?? '';
    if (!/^arn:[^:]+:ecs:[^:]+:\d{12}:service-deployment\//.test(arn)) throw invalid(`Invalid service deployment ARN: ${arn}`);
    const found = state.own.find(scopeOf(call), arn);
    if (!found) throw new AwsFault('ServiceDeploymentNotFoundException', 'Service deployment not found.');
    return found;
  };
  return {
    ListServiceDeployments(input, call) {
      const service = serviceOf(input, call);
      const statuses = texts(input, 'status');
      const unknown = statuses?.find((each) => !STATUSES.includes(each));
      if (unknown !== undefined) throw invalid(`Invalid status: ${unknown}`);
      const { before = Infinity, after = -Infinity } = times(record(input, 'createdAt'));
      const size = number(input, 'maxResults') ?? 20;
      if (size < 1 || size > 100) throw invalid('maxResults must be between 1 and 100.');
      const now = call.clock.now();
      const found = state.own
        .of(service)
        .filter(({ plan }) => !statuses || statuses.includes(serviceLifeOf(plan, now).status))
        .filter(({ plan: { createdAt } }) => createdAt < before && createdAt > after);
      const { items, next } = page(found, { token: text(input, 'nextToken'), size });
      return present({ serviceDeployments: items.map((each) => briefDeployment(each, now)), nextToken: next });
    },

    DescribeServiceDeployments(input, call) {
      const arns = twenty(texts(input, 'serviceDeploymentArns'), 'serviceDeploymentArns');
      const found = arns.map((arn) => ({ arn, deployment: state.own.find(scopeOf(call), arn) }));
      return {
        serviceDeployments: found.flatMap(({ deployment }) => (deployment ? [describedDeployment(deployment, call.clock.now())] : [])),
        failures: found.flatMap(({ arn, deployment }) => (deployment ? [] : [{ arn, reason: 'MISSING' }])),
      };
    },

    DescribeServiceRevisions(input, call) {
      const arns = twenty(texts(input, 'serviceRevisionArns'), 'serviceRevisionArns');
      const found = arns.map((arn) => ({ arn, revision: state.own.revision(scopeOf(call), arn) }));
      return {
        serviceRevisions: found.flatMap(({ revision }) => (revision ? [describedServiceRevision(revision.service, revision.set)] : [])),
        failures: found.flatMap(({ arn, revision }) => (revision ? [] : [{ arn, reason: 'MISSING' }])),
      };
    },

    StopServiceDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      // ABORT is in the enumeration, and "the valid values are ROLLBACK".
      const type = text(input, 'stopType') ?? 'ROLLBACK';
      if (type !== 'ROLLBACK') throw invalid(`The stop type ${type} is not supported.`);
      const now = call.clock.now();
      const { status } = serviceLifeOf(deployment.plan, now);
      if (['SUCCESSFUL', 'STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'].includes(status)) {
        throw new AwsFault('ConflictException', `The service deployment is ${status} and cannot be stopped.`);
      }
      // Whatever goes back or stops already goes on doing so.
      if (status === 'PENDING' || status === 'IN_PROGRESS') state.own.command(deployment, { at: now, command: 'stop' });
      return { serviceDeploymentArn: deployment.arn };
    },

    ContinueServiceDeployment(input, call) {
      const deployment = deploymentOf(input, call);
      const hookId = text(input, 'hookId') ?? '';
      const action = text(input, 'action') ?? 'CONTINUE';
      if (action !== 'CONTINUE' && action !== 'ROLLBACK') throw invalid(`Invalid action: ${action}`);
      const now = call.clock.now();
      const { status, hooks } = serviceLifeOf(deployment.plan, now);
      const hook = hooks.find(({ id }) => id === hookId);
      if (status !== 'IN_PROGRESS' || hook?.status !== 'AWAITING_ACTION') throw invalid(`The hook ${hookId} is not awaiting an action.`);
      state.own.command(deployment, { at: now, command: 'continue', hookId, action });
      return { serviceDeploymentArn: deployment.arn };
    },
  };
};

const twenty = (arns: readonly string[] | undefined, name: string): readonly string[] => {
  if (!arns || arns.length === 0) throw invalid(`${name} cannot be empty.`);
  if (arns.length > 20) throw invalid(`${name} cannot have more than 20 elements.`);
  return arns;
};

const times = (given: Json = {}): { before?: number; after?: number } => {
  const [before, after] = [number(given, 'before'), number(given, 'after')];
  return { ...(before !== undefined && { before: before * 1000 }), ...(after !== undefined && { after: after * 1000 }) };
};
