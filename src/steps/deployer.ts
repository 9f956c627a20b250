/**
 * How a service is deployed, behind one interface: CodeDeploy today, ECS's own blue/green beside it later. No word of an AppSpec
 * leaves an implementation.
 */
import type { AccountId } from '../domain/account.ts';
import type { Deployment, Snapshot } from '../domain/deployment.ts';
import type { LiveService } from '../domain/live-service.ts';
import type { PlannedWrite } from '../domain/plan.ts';
import type { TaskDefinition } from '../domain/task-definition.ts';
import type { WaitBudget } from '../domain/wait-budget.ts';
import type { DocumentProblem, InputProblem } from '../errors.ts';
import type { StopAnswer } from '../ports/codedeploy.ts';
import type { DeploymentPlace } from './codedeploy-deployments.ts';

/** What can be done to deployments that exist already. */
export interface Deployments {
  /** The deployment that bears this nonce: one that has not ended, or the newest of all. */
  find(nonce: string): Promise<Deployment | undefined>;
  deployment(id: string): Promise<Deployment>;
  /** The deployment with its progress. */
  look(id: string): Promise<Snapshot>;
  stop(of: { id: string; rollback: boolean }): Promise<StopAnswer>;
  /** Ends the wait in Ready: the traffic shifts. */
  endReadyWait(id: string): Promise<void>;
  /** Ends the wait in which the old tasks are kept, so that the next deployment can start. */
  endTerminationWait(id: string): Promise<void>;
  url(id: string): string;
}

export interface Problems {
  readonly inputs: readonly InputProblem[];
  readonly documents: readonly DocumentProblem[];
}

/** What a deployer found on AWS's side, before anything was written. */
export interface Readiness extends Problems {
  /** The deployment that is under way, if one is. */
  readonly active: Deployment | undefined;
  /** The newest deployment, under way or ended. */
  readonly newest: Deployment | undefined;
  /** The reads that failed. */
  readonly failures: readonly unknown[];
}

export type StartAnswer =
  | { readonly answer: 'started'; readonly id: string }
  | { readonly answer: 'busy'; readonly message: string }
  | { readonly answer: 'unknown'; readonly error: Error };

/** The calls that change something. */
export type DeploymentCall = 'start' | 'stop' | 'endReadyWait' | 'endTerminationWait';

/** What is about to run: undefined where it is not there, which others report. */
export interface Expected {
  readonly service: LiveService | undefined;
  readonly definition: TaskDefinition | undefined;
}

/** What was deployed once, to be deployed again. */
export interface Revision {
  /** The ARN. */
  readonly taskDefinition: string;
  /** Deploys it with all else as it was then. */
  readonly deployer: Pick<Deployer, 'changes' | 'find' | 'place' | 'render' | 'start'>;
}

export interface Deployer extends Deployments {
  /** As a reader knows it: `deployment group DgpECS-dev-web of AppECS-dev-web`. */
  readonly place: string;
  /** Where its deployments are found again, by another process too. */
  readonly where: DeploymentPlace;
  /** What is wrong in the author's own documents; asked before any call. */
  lint(definition: TaskDefinition | undefined): readonly DocumentProblem[];
  /** Starts the reads that need nothing else, at once; the answer checks what they found. */
  read(): (expected: Expected) => Promise<Readiness>;
  /** What would be sent, as text. */
  render(of: { service: LiveService; taskDefinition: string }): string;
  /** What a deployment would change beside the task definition; nothing if all is as it runs. */
  changes(service: LiveService): readonly string[];
  /** Starts a deployment: sent once, never repeated blindly (RULES 5.1). */
  start(of: { service: LiveService; taskDefinition: string; description: string }): Promise<StartAnswer>;
  /** What IAM must allow for one of the calls that change something. */
  permission(of: { call: DeploymentCall; account: AccountId }): PlannedWrite;
  /** What a deployment's `revision` or `previousRevision` names; undefined where AWS knows it no more. */
  revision(name: string): Promise<Revision | undefined>;
  /** Whether its deployments wait in Ready until somebody continues them. */
  hasReadyWait(): Promise<boolean>;
  /** How long a deployment may take by its own settings: one that is to be started, or one that is there. */
  budget(of?: Deployment): Promise<WaitBudget>;
}
