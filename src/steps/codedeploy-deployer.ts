/** Deploys through CodeDeploy: an AppSpec for a deployment group (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html). */
import { partitionOf } from '../domain/account.ts';
import {
  appSpecText,
  differencesFromLive,
  lintAgainst,
  lintAppSpec,
  synthesise,
  taskDefinitionOf,
  taskDefinitionPath,
} from '../domain/appspec.ts';
import { hasBegunToShift } from '../domain/deployment-continuation.ts';
import { predefinedRouting, type DeploymentGroup } from '../domain/deployment-group.ts';
import type { Deployment, WaitUntil } from '../domain/deployment.ts';
import { formatPath, type Finding, type JsonObject } from '../domain/json.ts';
import { shortName, type LiveService } from '../domain/live-service.ts';
import type { TaskDefinition } from '../domain/task-definition.ts';
import { waitBudget } from '../domain/wait-budget.ts';
import type { DocumentProblem, InputProblem } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import type { AutoRollbackEvent, Codedeploy, GroupAnswer, NewDeployment } from '../ports/codedeploy.ts';
import { parseDocument, type ParsedDocument } from '../ports/documents.ts';
import { codedeployDeployments, type GroupPlace } from './codedeploy-deployments.ts';
import type { Deployer, DeploymentCall } from './deployer.ts';

export const autoRollbacks = ['group', 'failure', 'alarm', 'none'] as const;
export type AutoRollback = (typeof autoRollbacks)[number];

export interface CodedeployWish {
  readonly codedeploy: Codedeploy;
  readonly place: GroupPlace;
  /** Where it was read already. */
  readonly group?: DeploymentGroup | undefined;
  /** The author's AppSpec; undefined: made from the live service. */
  readonly appSpec: ParsedDocument | undefined;
  /** Undefined: the group's. */
  readonly config: string | undefined;
  readonly autoRollback: AutoRollback;
  readonly until: WaitUntil;
}

export function codedeployDeployer(wish: CodedeployWish): Deployer {
  const { codedeploy, place, appSpec } = wish;
  const group = lazy(async (): Promise<GroupAnswer> => (wish.group ? { found: 'group', group: wish.group } : codedeploy.group(place)));
  const config = lazy(async () => {
    const name = wish.config ?? (await knownGroup(group()))?.config;
    return name === undefined ? undefined : routingOf({ codedeploy, name });
  });
  return {
    ...codedeployDeployments({ codedeploy, place }),
    where: place,
    needsOwnDefinition: false,
    place: `deployment group ${place.group} of ${place.application}`,

    lint: (definition) => {
      if (!appSpec) return [];
      const grammar = lintAppSpec(appSpec.value);
      const against = grammar.length > 0 || !definition ? [] : lintAgainst({ document: appSpec.value, definition });
      return [...grammar, ...against].map((finding) => located(appSpec, finding));
    },

    read: () => {
      const reads = {
        group: group(),
        active: codedeploy.activeDeployments(place),
        newest: group().then(async (answer) => newestOf({ codedeploy, answer })),
        // The group's own is there for sure, and says only how long to follow.
        config: wish.config === undefined && wish.until === 'started' ? undefined : config(),
      };
      // Whoever awaits them reports; one that fails early must not end the process.
      for (const reading of Object.values(reads)) reading?.catch(() => undefined);
      return async ({ service, definition }) => {
        const [answer, active, newest, routing] = await Promise.allSettled([reads.group, reads.active, reads.newest, reads.config]);
        const isMissing = wish.config !== undefined && routing.status === 'fulfilled' && routing.value === undefined;
        return {
          active: active.status === 'fulfilled' ? active.value[0] : undefined,
          newest: newest.status === 'fulfilled' ? newest.value : undefined,
          failures: [answer, active, newest, routing].flatMap((read) => (read.status === 'rejected' ? [read.reason as unknown] : [])),
          inputs: [
            ...(answer.status === 'fulfilled' ? groupProblems({ answer: answer.value, place }) : []),
            ...(isMissing ? [missingConfig(wish.config)] : []),
            ...(service && !appSpec && !synthesise(service) ? [noLoadBalancer(service)] : []),
          ],
          documents: service && definition ? containerProblems({ appSpec, service, definition }) : [],
          warnings: [],
        };
      };
    },

    marked: ({ definition }) => definition,
    render: ({ service, taskDefinition }) => ({ appSpec: render({ appSpec, service, taskDefinition }) }),
    changes: (service) => differencesFromLive({ document: appSpec?.value ?? synthesised(service), service }),

    start: async ({ service, taskDefinition, description }) => {
      const answer = await codedeploy.createDeployment({
        ...place,
        appSpec: render({ appSpec, service, taskDefinition }),
        description,
        config: wish.config,
        autoRollback: autoRollbackOf(wish.autoRollback),
      });
      return answer.answer === 'created' ? { answer: 'started', id: answer.id } : answer;
    },

    permission: ({ call, account }) => ({
      service: 'codedeploy',
      action: actions[call],
      resource: `arn:${partitionOf(place.region)}:codedeploy:${place.region}:${account}:deploymentgroup:${place.application}/${place.group}`,
    }),

    revision: async (name) => {
      const text = await codedeploy.revisionText({ application: place.application, sha256: name });
      if (text === undefined) return undefined;
      const document = parseDocument(`the AppSpec ${name.slice(0, 12)} of ${place.application}`, text);
      return { taskDefinition: taskDefinitionOf(document.value), deployer: codedeployDeployer({ ...wish, appSpec: document }) };
    },

    pauseAhead: async (snapshot) => {
      if ((await knownGroup(group()))?.readyWait.onTimeout !== 'STOP_DEPLOYMENT') return 'none';
      return hasBegunToShift(snapshot) ? 'past' : 'ahead';
    },

    budget: async (of) => {
      const own = of?.config === undefined ? config() : routingOf({ codedeploy, name: of.config });
      const [routing = { kind: 'all-at-once' as const }, known] = await Promise.all([own, knownGroup(group())]);
      const { readyWait = { onTimeout: '', minutes: 0 }, terminationWaitMinutes = 0 } = known ?? {};
      return waitBudget({ routing, group: { readyWait, terminationWaitMinutes }, until: wish.until });
    },
  };
}

async function routingOf({ codedeploy, name }: { codedeploy: Codedeploy; name: string }) {
  const predefined = predefinedRouting(name);
  if (predefined) return predefined;
  const config = await codedeploy.deploymentConfig(name);
  return config?.computePlatform === undefined || config.computePlatform === 'ECS' ? config?.routing : undefined;
}

async function knownGroup(asking: Promise<GroupAnswer>): Promise<DeploymentGroup | undefined> {
  const answer = await asking;
  return answer.found === 'group' ? answer.group : undefined;
}

async function newestOf({ codedeploy, answer }: { codedeploy: Codedeploy; answer: GroupAnswer }): Promise<Deployment | undefined> {
  const id = answer.found === 'group' ? answer.group.lastAttempted : undefined;
  return id === undefined ? undefined : codedeploy.deployment(id);
}

export function groupProblems({ answer, place }: { answer: GroupAnswer; place: GroupPlace }): InputProblem[] {
  const { application, group, cluster, service, region } = place;
  if (answer.found === 'nothing') {
    return answer.missing === 'application'
      ? [{ input: 'codedeploy-application', problem: `there is no CodeDeploy application ${application} in ${region}` }]
      : [{ input: 'codedeploy-deployment-group', problem: `the application ${application} has no deployment group ${group}` }];
  }
  const { computePlatform = 'ECS', services } = answer.group;
  if (computePlatform !== 'ECS')
    return [{ input: 'codedeploy-deployment-group', problem: `${group} is for the compute platform ${computePlatform}, not for ECS` }];
  const fits = services.some((each) => shortName(each.cluster) === cluster && shortName(each.service) === service);
  if (fits) return [];
  const others = services.map((each) => `${shortName(each.service)} of cluster ${shortName(each.cluster)}`).join(', ');
  return [
    { input: 'codedeploy-deployment-group', problem: `${group} deploys ${others || 'no service'}, not ${service} of cluster ${cluster}` },
  ];
}

function missingConfig(name = ''): InputProblem {
  return { input: 'codedeploy-deployment-config', problem: `there is no deployment configuration ${name} for ECS` };
}

function noLoadBalancer({ name }: LiveService): InputProblem {
  return {
    input: 'codedeploy-appspec',
    problem: `is needed: the service ${name} names no load balancer, so that no AppSpec can be made from it`,
  };
}

function containerProblems({
  appSpec,
  service,
  definition,
}: {
  appSpec: ParsedDocument | undefined;
  service: LiveService;
  definition: TaskDefinition;
}): DocumentProblem[] {
  if (appSpec) return lintAgainst({ document: appSpec.value, definition }).map((finding) => located(appSpec, finding));
  const document = synthesise(service);
  if (!document) return [];
  return lintAgainst({ document, definition }).map(({ path, problem }) => ({
    file: `the AppSpec made from the service ${service.name}`,
    path: formatPath(path),
    problem,
  }));
}

function located(document: ParsedDocument, { path, problem }: Finding): DocumentProblem {
  return { file: document.file, path: formatPath(path), problem, ...document.position(path) };
}

function synthesised(service: LiveService): JsonObject {
  const document = synthesise(service);
  if (!document) throw new Error(`the service ${service.name} has no load balancer, which was not checked`);
  return document;
}

function render({
  appSpec,
  service,
  taskDefinition,
}: {
  appSpec: ParsedDocument | undefined;
  service: LiveService;
  taskDefinition: string;
}): string {
  return appSpec
    ? appSpec.textWith(taskDefinitionPath(appSpec.value), taskDefinition)
    : appSpecText(synthesised(service), { taskDefinition });
}

const actions: Readonly<Record<DeploymentCall, string>> = {
  start: 'CreateDeployment',
  stop: 'StopDeployment',
  endReadyWait: 'ContinueDeployment',
  endTerminationWait: 'ContinueDeployment',
};

const rollbackEvents: Readonly<Record<Exclude<AutoRollback, 'group'>, readonly AutoRollbackEvent[]>> = {
  failure: ['DEPLOYMENT_FAILURE'],
  alarm: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'],
  none: [],
};

/** "Enabled" without events is refused (InvalidAutoRollbackConfigException). */
function autoRollbackOf(wish: AutoRollback): NewDeployment['autoRollback'] {
  if (wish === 'group') return undefined;
  const events = rollbackEvents[wish];
  return { enabled: events.length > 0, events };
}
