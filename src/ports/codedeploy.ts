/** AWS CodeDeploy, as far as an ECS blue/green deployment asks it. */
import { createHash } from 'node:crypto';
import type { DeploymentConfig, DeploymentGroup, TrafficRouting } from '../domain/deployment-group.ts';
import {
  activeStatuses,
  isActive,
  type DeployedTaskSet,
  type Deployment,
  type DeploymentTarget,
  type LifecycleEvent,
} from '../domain/deployment.ts';
import { toError } from '../errors.ts';
import { asker, awsCode, clientSettings, emptyAnswer, isPassing, lazy, type Asked, type AwsAccess } from './aws.ts';
import type * as Sdk from '@aws-sdk/client-codedeploy';

export interface GroupName {
  readonly application: string;
  readonly group: string;
}

export type GroupAnswer =
  { readonly found: 'group'; readonly group: DeploymentGroup } | { readonly found: 'nothing'; readonly missing: 'application' | 'group' };

export interface NewDeployment extends GroupName {
  /** YAML or JSON text. */
  readonly appSpec: string;
  readonly description: string;
  /** Default: the group's. */
  readonly config: string | undefined;
  /** When CodeDeploy rolls back by itself; undefined leaves it to the group. */
  readonly autoRollback: { readonly enabled: boolean; readonly events: readonly AutoRollbackEvent[] } | undefined;
}

export type AutoRollbackEvent = 'DEPLOYMENT_FAILURE' | 'DEPLOYMENT_STOP_ON_ALARM' | 'DEPLOYMENT_STOP_ON_REQUEST';

/**
 * `busy`: the group has an active deployment (DeploymentLimitExceededException). `unknown`: no answer, or one that does not say
 * whether the deployment was made; it may exist (RULES 5.1).
 */
export type CreateAnswer =
  | { readonly answer: 'created'; readonly id: string }
  | { readonly answer: 'busy'; readonly message: string }
  | { readonly answer: 'unknown'; readonly error: Error };

/** `ended`: there is nothing to stop any more (DeploymentAlreadyCompletedException). */
export type StopAnswer = 'stopping' | 'stopped' | 'ended';
export type ContinueWait = 'READY_WAIT' | 'TERMINATION_WAIT';

export interface Codedeploy {
  /** A deployment group with its compute platform (GetDeploymentGroup). */
  group(name: GroupName): Promise<GroupAnswer>;
  /** A deployment configuration; undefined where there is none of that name (GetDeploymentConfig). */
  deploymentConfig(name: string): Promise<DeploymentConfig | undefined>;
  /** The group's deployments that have not ended (ListDeployments, then GetDeployment for each). */
  activeDeployments(name: GroupName): Promise<readonly Deployment[]>;
  /**
   * Starts a deployment: sent once, never repeated, since the call has no idempotency token.
   * @throws AwsError where CodeDeploy refused it: nothing was made
   */
  createDeployment(wanted: NewDeployment): Promise<CreateAnswer>;
  deployment(id: string): Promise<Deployment>;
  /** The deployment's one target, with lifecycle events and task sets; undefined before the deployment has started. */
  target(of: { id: string; cluster: string; service: string }): Promise<DeploymentTarget | undefined>;
  /** Stops a deployment, and with `rollback` has CodeDeploy send the traffic back by a deployment of its own. */
  stop(of: { id: string; rollback: boolean }): Promise<StopAnswer>;
  /** Ends a wait: READY_WAIT shifts the traffic, TERMINATION_WAIT ends the blue tasks. */
  continueDeployment(of: { id: string; wait: ContinueWait }): Promise<void>;
  /** The AppSpec that was deployed, by its SHA-256; undefined where CodeDeploy has it no more (GetApplicationRevision). */
  revisionText(of: { application: string; sha256: string }): Promise<string | undefined>;
}

export function awsCodedeploy(access: AwsAccess): Codedeploy {
  const ask = asker(access);
  const sdk = lazy(async () => import('@aws-sdk/client-codedeploy'));
  const client = lazy(async () => new (await sdk()).CodeDeployClient(clientSettings(access)));
  const once = lazy(async () => new (await sdk()).CodeDeployClient(clientSettings(access, { attempts: 1 })));

  const deployment = async (id: string): Promise<Deployment> => {
    const { GetDeploymentCommand } = await sdk();
    const asked = about('GetDeployment', `deployment ${id}`);
    const { deploymentInfo } = await ask(asked, async () => (await client()).send(new GetDeploymentCommand({ deploymentId: id })));
    if (!deploymentInfo) throw emptyAnswer(asked, 'what it was asked for');
    return toDeployment({ id, info: deploymentInfo });
  };

  return {
    group: async ({ application, group }) => {
      const { GetDeploymentGroupCommand } = await sdk();
      const asked = about('GetDeploymentGroup', `deployment group ${group} of ${application}`);
      const request = new GetDeploymentGroupCommand({ applicationName: application, deploymentGroupName: group });
      try {
        const { deploymentGroupInfo } = await ask(asked, async () => (await client()).send(request));
        if (!deploymentGroupInfo) throw emptyAnswer(asked, 'what it was asked for');
        return { found: 'group', group: toGroup({ application, group, info: deploymentGroupInfo }) };
      } catch (error) {
        const code = awsCode(error);
        if (code === 'ApplicationDoesNotExistException') return { found: 'nothing', missing: 'application' };
        if (code === 'DeploymentGroupDoesNotExistException') return { found: 'nothing', missing: 'group' };
        throw error;
      }
    },

    deploymentConfig: async (name) => {
      const { GetDeploymentConfigCommand } = await sdk();
      const asked = about('GetDeploymentConfig', `deployment configuration ${name}`);
      const request = new GetDeploymentConfigCommand({ deploymentConfigName: name });
      try {
        const { deploymentConfigInfo: info } = await ask(asked, async () => (await client()).send(request));
        return { name, computePlatform: info?.computePlatform, routing: toRouting(info?.trafficRoutingConfig) };
      } catch (error) {
        if (awsCode(error) === 'DeploymentConfigDoesNotExistException') return undefined;
        throw error;
      }
    },

    activeDeployments: async ({ application, group }) => {
      const { ListDeploymentsCommand } = await sdk();
      const asked = about('ListDeployments', `deployment group ${group} of ${application}`);
      const page = async (nextToken?: string): Promise<string[]> => {
        const request = new ListDeploymentsCommand({
          applicationName: application,
          deploymentGroupName: group,
          includeOnlyStatuses: [...activeStatuses],
          nextToken,
        });
        const { deployments = [], nextToken: next } = await ask(asked, async () => (await client()).send(request));
        return [...deployments, ...(next === undefined ? [] : await page(next))];
      };
      try {
        const found = await Promise.all((await page()).map(deployment));
        // One that ended between the two calls is active no more.
        return found.filter(({ status }) => isActive(status));
      } catch (error) {
        // Whether application and group are there is `group`'s answer.
        if (/^(Application|DeploymentGroup)DoesNotExistException$/.test(awsCode(error) ?? '')) return [];
        throw error;
      }
    },

    createDeployment: async (wanted) => {
      const { CreateDeploymentCommand } = await sdk();
      const asked = {
        ...about('CreateDeployment', `deployment group ${wanted.group} of ${wanted.application}`),
        alsoCheck: 'codedeploy:GetDeploymentConfig and codedeploy:RegisterApplicationRevision, which it needs too',
      };
      const request = new CreateDeploymentCommand({
        applicationName: wanted.application,
        deploymentGroupName: wanted.group,
        deploymentConfigName: wanted.config,
        description: wanted.description,
        revision: {
          revisionType: 'AppSpecContent',
          appSpecContent: { content: wanted.appSpec, sha256: createHash('sha256').update(wanted.appSpec).digest('hex') },
        },
        ...(wanted.autoRollback && {
          autoRollbackConfiguration: { enabled: wanted.autoRollback.enabled, events: [...wanted.autoRollback.events] },
        }),
      });
      try {
        const { deploymentId } = await ask(asked, async () => (await once()).send(request));
        if (deploymentId === undefined) return { answer: 'unknown', error: emptyAnswer(asked, 'what it was asked for') };
        return { answer: 'created', id: deploymentId };
      } catch (error) {
        if (awsCode(error) === 'DeploymentLimitExceededException') return { answer: 'busy', message: toError(error).message };
        if (isPassing(error)) return { answer: 'unknown', error: toError(error) };
        throw error;
      }
    },

    deployment,

    target: async ({ id, cluster, service }) => {
      const { GetDeploymentTargetCommand } = await sdk();
      const asked = about('GetDeploymentTarget', `deployment ${id}`);
      const request = new GetDeploymentTargetCommand({ deploymentId: id, targetId: `${cluster}:${service}` });
      try {
        const { deploymentTarget } = await ask(asked, async () => (await client()).send(request));
        return deploymentTarget?.ecsTarget && toTarget(deploymentTarget.ecsTarget);
      } catch (error) {
        // Rollbacks and deployments that failed at once may never get a target.
        if (/^DeploymentNotStarted|^DeploymentTargetDoesNotExist/.test(awsCode(error) ?? '')) return undefined;
        throw error;
      }
    },

    stop: async ({ id, rollback }) => {
      const { StopDeploymentCommand } = await sdk();
      const request = new StopDeploymentCommand({ deploymentId: id, autoRollbackEnabled: rollback });
      try {
        const { status } = await ask(about('StopDeployment', `deployment ${id}`), async () => (await client()).send(request));
        return status === 'Succeeded' ? 'stopped' : 'stopping';
      } catch (error) {
        if (awsCode(error) === 'DeploymentAlreadyCompletedException') return 'ended';
        throw error;
      }
    },

    continueDeployment: async ({ id, wait }) => {
      const { ContinueDeploymentCommand } = await sdk();
      const request = new ContinueDeploymentCommand({ deploymentId: id, deploymentWaitType: wait });
      await ask(about('ContinueDeployment', `deployment ${id}`), async () => (await client()).send(request));
    },

    revisionText: async ({ application, sha256 }) => {
      const { GetApplicationRevisionCommand } = await sdk();
      const request = new GetApplicationRevisionCommand({
        applicationName: application,
        revision: { revisionType: 'AppSpecContent', appSpecContent: { sha256 } },
      });
      const asked = about('GetApplicationRevision', `revision ${sha256.slice(0, 12)} of ${application}`);
      try {
        const { revision } = await ask(asked, async () => (await client()).send(request));
        return revision?.appSpecContent?.content;
      } catch (error) {
        if (awsCode(error) === 'RevisionDoesNotExistException') return undefined;
        throw error;
      }
    },
  };
}

function about(operation: string, of: string): Asked & { readonly of: string } {
  return { service: 'codedeploy', operation, of };
}

function toGroup({ application, group, info }: GroupName & { info: Sdk.DeploymentGroupInfo }): DeploymentGroup {
  const blueGreen = info.blueGreenDeploymentConfiguration;
  const ready = blueGreen?.deploymentReadyOption;
  const termination = blueGreen?.terminateBlueInstancesOnDeploymentSuccess;
  return {
    application,
    name: group,
    computePlatform: info.computePlatform,
    services: (info.ecsServices ?? []).map(({ clusterName = '', serviceName = '' }) => ({ cluster: clusterName, service: serviceName })),
    config: info.deploymentConfigName ?? 'CodeDeployDefault.ECSAllAtOnce',
    type: info.deploymentStyle?.deploymentType,
    readyWait: { onTimeout: ready?.actionOnTimeout ?? 'CONTINUE_DEPLOYMENT', minutes: ready?.waitTimeInMinutes ?? 0 },
    terminationWaitMinutes: termination?.action === 'KEEP_ALIVE' ? 0 : (termination?.terminationWaitTimeInMinutes ?? 0),
    lastAttempted: info.lastAttemptedDeployment?.deploymentId,
  };
}

function toRouting(config: Sdk.TrafficRoutingConfig | undefined): TrafficRouting {
  const { timeBasedCanary: canary, timeBasedLinear: linear } = config ?? {};
  if (canary) return { kind: 'canary', percentage: canary.canaryPercentage ?? 0, minutes: canary.canaryInterval ?? 0 };
  if (linear) return { kind: 'linear', percentage: linear.linearPercentage ?? 0, minutes: linear.linearInterval ?? 0 };
  return { kind: 'all-at-once' };
}

function toDeployment({ id, info }: { id: string; info: Sdk.DeploymentInfo }): Deployment {
  return {
    id: info.deploymentId ?? id,
    status: info.status ?? '',
    application: info.applicationName ?? '',
    group: info.deploymentGroupName ?? '',
    config: info.deploymentConfigName,
    description: info.description ?? '',
    creator: info.creator ?? '',
    error: info.errorInformation && { code: info.errorInformation.code ?? '', message: info.errorInformation.message ?? '' },
    createdAt: info.createTime?.getTime(),
    completedAt: info.completeTime?.getTime(),
    terminationWaitStarted: info.instanceTerminationWaitTimeStarted ?? false,
    rollback: {
      by: info.rollbackInfo?.rollbackDeploymentId,
      of: info.rollbackInfo?.rollbackTriggeringDeploymentId,
      message: info.rollbackInfo?.rollbackMessage,
    },
    rollsBack: info.autoRollbackConfiguration?.enabled,
    statusMessages: info.deploymentStatusMessages ?? [],
    waits: {
      ready: info.blueGreenDeploymentConfiguration?.deploymentReadyOption?.waitTimeInMinutes,
      termination: info.blueGreenDeploymentConfiguration?.terminateBlueInstancesOnDeploymentSuccess?.terminationWaitTimeInMinutes,
    },
    revision: info.revision?.appSpecContent?.sha256,
    previousRevision: info.previousRevision?.appSpecContent?.sha256,
  };
}

function toTarget({ status, lifecycleEvents = [], taskSetsInfo = [] }: Sdk.ECSTarget): DeploymentTarget {
  return { status: status ?? '', events: lifecycleEvents.map(toEvent), taskSets: taskSetsInfo.map(toTaskSet) };
}

function toEvent({ lifecycleEventName = '', status, startTime, endTime, diagnostics }: Sdk.LifecycleEvent): LifecycleEvent {
  return {
    name: lifecycleEventName,
    status: status ?? '',
    startedAt: startTime?.getTime(),
    endedAt: endTime?.getTime(),
    diagnostics: diagnostics && {
      code: diagnostics.errorCode ?? '',
      message: diagnostics.message ?? '',
      logTail: diagnostics.logTail ?? '',
    },
  };
}

function toTaskSet(set: Sdk.ECSTaskSet): DeployedTaskSet {
  return {
    // AWS's own spelling.
    id: set.identifer ?? '',
    label: set.taskSetLabel,
    status: set.status ?? '',
    desired: set.desiredCount ?? 0,
    pending: set.pendingCount ?? 0,
    running: set.runningCount ?? 0,
    traffic: set.trafficWeight ?? 0,
  };
}
