/**
 * Deploys through ECS itself: UpdateService with another task definition, and nothing else
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html).
 *
 * A service deployment has no description and UpdateService no idempotency token. So every deployment gets a task definition of its
 * own: by it the deployment is known, and the same request sent again starts nothing new. ECS would also let a new deployment take
 * the place of one that is under way; whether one is, is asked right before.
 */
import { parseAccountId, parseArn, partitionOf, type AccountId, type Region } from '../domain/account.ts';
import { descriptionOfTags, tagsOf } from '../domain/deployment-marker.ts';
import type { Deployment } from '../domain/deployment.ts';
import { shortName, type LiveService } from '../domain/live-service.ts';
import { memo } from '../domain/policy/memo.ts';
import {
  deploymentOf,
  pauseAhead,
  pausesBeforeShift,
  runningRevision,
  serviceDeploymentArn,
  serviceDeploymentId,
} from '../domain/service-deployment.ts';
import { containerNames, mappedPorts, withTags, type TaskDefinition } from '../domain/task-definition.ts';
import { ownWaitBudget } from '../domain/wait-budget.ts';
import type { DocumentProblem, InputProblem } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ecs, ListedDeployment, RegisteredTaskDefinition } from '../ports/ecs.ts';
import type { Deployer, DeploymentCall, Readiness, StartAnswer } from './deployer.ts';
import { ecsDeployments, listedWith, type OwnPlace } from './ecs-deployments.ts';
import type { DeploymentInputs } from './prepare-deployment.ts';

/** What an author says about a deployment, as far as ECS itself has an answer to it. */
export type OwnInputs = Pick<
  DeploymentInputs,
  | 'cluster'
  | 'service'
  | 'codedeploy-application'
  | 'codedeploy-deployment-group'
  | 'codedeploy-appspec'
  | 'codedeploy-deployment-config'
  | 'codedeploy-deployment-description'
  | 'auto-rollback'
  | 'wait-until'
>;

export interface OwnWish {
  readonly ecs: Ecs;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly region: Region;
  readonly service: LiveService;
  readonly inputs: OwnInputs;
}

export interface OwnDeployer extends Deployer {
  /** The task definition that has the production traffic: that of the service revision which runs, not `service.taskDefinition` (RULES 6.9). */
  running(): Promise<RegisteredTaskDefinition>;
  /** Inputs that are not used. */
  readonly warnings: readonly string[];
  /** The deployment with the mark of its run. */
  named(id: string): Promise<Deployment>;
}

export function ecsDeployer({ ecs, clock, region, service, inputs }: OwnWish): OwnDeployer {
  const account = ownerOf(service);
  const place: OwnPlace = { how: 'ecs', region, account, cluster: shortName(inputs.cluster), service: inputs.service };
  const deployments = ecsDeployments({ ecs, place });
  const definitionOf = memo(async (arn: string) => ecs.describeTaskDefinition(arn));
  const described = memo(async (arn: string) => ecs.serviceDeployment(arn));
  const current = lazy(async () => ecs.serviceRevisions(service.revisions.slice(0, 20)));
  const newest = lazy(async () => (await ecs.newestDeployments(place))[0]);

  /** The task definition of a service revision; undefined where ECS has it no more. */
  const deployedBy = async (revision: string): Promise<string | undefined> => {
    const known = (await current()).find(({ arn }) => arn === revision);
    return (known ?? (await ecs.serviceRevisions([revision]))[0])?.taskDefinition;
  };

  /** A deployment with the mark of its run, which its task definition bears. */
  const marked = async (listed: ListedDeployment | undefined): Promise<Deployment | undefined> => {
    if (!listed) return undefined;
    const [deployment, description] = await Promise.all([described(listed.arn), descriptionOf(listed.revision)]);
    return deploymentOf(deployment, { description });
  };

  const descriptionOf = async (revision: string): Promise<string> => {
    const definition = await deployedBy(revision);
    return definition === undefined ? '' : descriptionOfTags((await definitionOf(definition)).tags);
  };

  const deployer: OwnDeployer = {
    ...deployments,
    where: place,
    place: `ECS's own ${service.own.strategy ?? ''} deployments`,
    needsOwnDefinition: true,
    lint: () => [],
    warnings: ignored({ inputs, service }),

    named: async (id) => {
      const deployment = await described(serviceDeploymentArn(place, id));
      return deploymentOf(deployment, { description: deployment.target && (await descriptionOf(deployment.target.arn)) });
    },

    running: async () => {
      // Mostly what was asked for last runs too: asked beside, in case.
      definitionOf(service.taskDefinition).catch(() => undefined);
      const [only, ...others] = service.revisions;
      const last = others.length > 0 || only === undefined ? await newest() : undefined;
      const revision = last ? runningRevision(await described(last.arn)) : only;
      return definitionOf((revision === undefined ? undefined : await deployedBy(revision)) ?? service.taskDefinition);
    },

    read: () => {
      const reads = {
        active: ecs.activeDeployments(place).then(async ([first]) => marked(first)),
        newest: newest().then(marked),
      };
      for (const reading of Object.values(reads)) reading.catch(() => undefined);
      return async ({ definition }): Promise<Readiness> => {
        const [active, last] = await Promise.allSettled([reads.active, reads.newest]);
        return {
          active: active.status === 'fulfilled' ? active.value : undefined,
          newest: last.status === 'fulfilled' ? last.value : undefined,
          failures: [active, last].flatMap((read) => (read.status === 'rejected' ? [read.reason as unknown] : [])),
          inputs: inputProblems({ inputs, service }),
          documents: definition ? containerProblems({ service, definition }) : [],
          warnings: deployer.warnings,
        };
      };
    },

    marked: ({ definition, marker, undoes }) => withTags(definition, tagsOf({ marker, undoes })),
    render: ({ taskDefinition }) => ({
      updateService: JSON.stringify({ cluster: place.cluster, service: place.service, taskDefinition }, undefined, 2),
    }),
    changes: () => [],

    start: async ({ taskDefinition }): Promise<StartAnswer> => {
      const [active] = await ecs.activeDeployments(place);
      if (active) {
        const id = serviceDeploymentId(active.arn);
        const [revision] = await ecs.serviceRevisions([active.revision]);
        return revision?.taskDefinition === taskDefinition ? { answer: 'started', id } : { answer: 'busy', message: `${id} is under way.` };
      }
      const update = await ecs.updateService({ cluster: place.cluster, service: place.service, taskDefinition });
      if (update.answer === 'unknown') return update;
      for (const pause of [500, 1_000, 2_000, 4_000]) {
        const made = await listedWith({ ecs, place, taskDefinition });
        if (made) return { answer: 'started', id: serviceDeploymentId(made.arn) };
        // Not to be cancelled: the deployment runs, and nobody could undo it.
        await clock.sleep(pause);
      }
      return { answer: 'unknown', error: new Error('ECS updated the service, and lists no deployment of it') };
    },

    permission: ({ call }) => {
      if (call === 'endTerminationWait') throw new Error('a bake time has no end but its own');
      const arn = (resource: string): string => `arn:${partitionOf(region)}:ecs:${region}:${account}:${resource}`;
      const name = `${place.cluster}/${place.service}`;
      return {
        service: 'ecs',
        action: actions[call],
        resource: arn(call === 'start' ? `service/${name}` : `service-deployment/${name}/*`),
      };
    },

    revision: async (name) => {
      const taskDefinition = await deployedBy(name);
      return taskDefinition === undefined ? undefined : { taskDefinition, deployer };
    },

    pauseAhead: async ({ deployment: { id } }) => {
      const deployment = await ecs.serviceDeployment(serviceDeploymentArn(place, id));
      return pauseAhead({ own: service.own, deployment, until: inputs['wait-until'] });
    },

    // By the service's settings: those of a deployment that is there are mostly the same.
    budget: async () => ownWaitBudget({ own: service.own, until: inputs['wait-until'] }),
  };
  return deployer;
}

const actions: Readonly<Record<Exclude<DeploymentCall, 'endTerminationWait'>, string>> = {
  start: 'UpdateService',
  stop: 'StopServiceDeployment',
  endReadyWait: 'ContinueServiceDeployment',
};

function ownerOf({ arn }: LiveService): AccountId {
  const parsed = parseArn(arn);
  const account = parseAccountId(parsed.ok ? parsed.value.account : '');
  if (!account.ok) throw new Error(`ECS described a service with the ARN "${arn}"`);
  return account.value;
}

/** What would not happen, though the author counts on it. */
function inputProblems({ inputs, service }: Pick<OwnWish, 'inputs' | 'service'>): readonly InputProblem[] {
  const who = deployedByEcs(service);
  const rollback = inputs['auto-rollback'];
  return [
    ...(inputs['codedeploy-appspec'] === undefined
      ? []
      : [
          {
            input: 'codedeploy-appspec',
            problem: `is for CodeDeploy, and ${who}: its hooks would not run; leave it out, and give the service lifecycle hooks instead`,
          },
        ]),
    ...(rollback === 'group'
      ? []
      : [
          {
            input: 'auto-rollback',
            problem: `is ${rollback}, and ${who}, which rolls back as the service's deployment configuration says; leave it out, and set alarms and circuit breaker there`,
          },
        ]),
  ];
}

const unused = [
  'codedeploy-application',
  'codedeploy-deployment-group',
  'codedeploy-deployment-config',
  'codedeploy-deployment-description',
] as const;

function ignored({ inputs, service }: Pick<OwnWish, 'inputs' | 'service'>): readonly string[] {
  const given = unused.filter((name) => inputs[name] !== undefined);
  const who = deployedByEcs(service);
  return [
    ...given.map((name) => `${name} is ignored: ${who}.`),
    ...(inputs['wait-until'] === 'ready' && pausesBeforeShift(service.own).length === 0
      ? [
          `wait-until is ready, and ${service.name} has no pause hook before its traffic shifts: the step ends when the traffic has shifted.`,
        ]
      : []),
  ];
}

function deployedByEcs({ name, own }: LiveService): string {
  return `${name} is deployed by ECS itself (${own.strategy ?? ''})`;
}

/** The containers that take the traffic must be in the task definition, and their ports mapped there: ECS would refuse the update. */
function containerProblems({ service, definition }: { service: LiveService; definition: TaskDefinition }): readonly DocumentProblem[] {
  const file = `the load balancer of the service ${service.name}`;
  const names = containerNames(definition);
  return service.loadBalancers.flatMap(({ containerName, containerPort }): DocumentProblem[] => {
    if (!names.includes(containerName))
      return [
        {
          file,
          problem: `names the container ${containerName}, which the task definition ${definition.family} lacks: its containers are ${names.join(', ')}`,
        },
      ];
    if (mappedPorts(definition, containerName).includes(containerPort)) return [];
    return [
      {
        file,
        problem: `is for port ${containerPort} of the container ${containerName}, which does not map it in the task definition ${definition.family}`,
      },
    ];
  });
}
