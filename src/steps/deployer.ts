/** How a service is deployed, behind one interface: by CodeDeploy, or by ECS itself. No word of an AppSpec leaves an implementation. */
import type { AccountId } from '../domain/account.ts';
import type { PauseAhead } from '../domain/deployment-continuation.ts';
import type { Marker } from '../domain/deployment-marker.ts';
import type { Deployment, Snapshot } from '../domain/deployment.ts';
import type { LiveService } from '../domain/live-service.ts';
import type { PlannedWrite } from '../domain/plan.ts';
import type { TaskDefinition } from '../domain/task-definition.ts';
import type { WaitBudget } from '../domain/wait-budget.ts';
import type { DocumentProblem, InputProblem } from '../errors.ts';
import type { StopAnswer } from '../ports/codedeploy.ts';
import type { GroupPlace } from './codedeploy-deployments.ts';
import type { OwnPlace } from './ecs-deployments.ts';

/** What leads back to a service's deployments, from another process too. */
export type DeploymentPlace = GroupPlace | OwnPlace;

/** By what a deployment of ours is known: CodeDeploy's by the nonce in its description, ECS's own by its task definition. */
export interface OwnMark {
  readonly nonce: string;
  readonly taskDefinition: string;
}

/** What can be done to deployments that exist already. */
export interface Deployments {
  /** Our deployment, if there is one: it has not ended, or is the newest of all. */
  find(mark: OwnMark): Promise<Deployment | undefined>;
  deployment(id: string): Promise<Deployment>;
  /** The deployment with its progress. */
  look(id: string): Promise<Snapshot>;
  stop(of: { id: string; rollback: boolean }): Promise<StopAnswer>;
  /** Ends the wait in Ready; `over`: it waits there no more. */
  endReadyWait(id: string): Promise<'continued' | 'over'>;
  /** Ends the wait in which the old tasks are kept, so that the next deployment can start; undefined where it can't be ended. */
  readonly endTerminationWait: ((id: string) => Promise<void>) | undefined;
  url(id: string): string;
  /** By what a person finds our deployment, after "if it was made,": `its description ends in #…`. */
  traceOf(mark: OwnMark): string;
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
  /** What the author should know, and what is no reason to stop. */
  readonly warnings: readonly string[];
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
  /** Deploys it: CodeDeploy with all else in its AppSpec as it was then, ECS with all else as the service is now. */
  readonly deployer: Pick<Deployer, 'changes' | 'find' | 'permission' | 'place' | 'render' | 'start' | 'traceOf'>;
}

export interface Deployer extends Deployments {
  /** As a reader knows it: `deployment group DgpECS-dev-web of AppECS-dev-web`. */
  readonly place: string;
  readonly where: DeploymentPlace;
  /**
   * Whether every deployment needs a task definition of its own, one that nothing changed in too: by it the deployment is known to be
   * ours, and starting it twice is starting it once.
   */
  readonly needsOwnDefinition: boolean;
  /** What is wrong in the author's own documents; asked before any call. */
  lint(definition: TaskDefinition | undefined): readonly DocumentProblem[];
  /** Starts the reads that need nothing else, at once; the answer checks what they found. */
  read(): (expected: Expected) => Promise<Readiness>;
  /** What would be sent, as text. */
  render(of: { service: LiveService; taskDefinition: string }): { readonly appSpec: string } | { readonly updateService: string };
  /** What a deployment would change beside the task definition; nothing if all is as it runs. */
  changes(service: LiveService): readonly string[];
  /** The definition with the run's mark and what it undoes, where a deployment has no description to hold them. */
  marked(of: { definition: TaskDefinition; marker: Marker; undoes?: string | undefined }): TaskDefinition;
  /** Starts a deployment: sent once, never repeated blindly (RULES 5.1). */
  start(of: { service: LiveService; taskDefinition: string; description: string }): Promise<StartAnswer>;
  /** What IAM must allow for one of the calls that change something. */
  permission(of: { call: DeploymentCall; account: AccountId }): PlannedWrite;
  /** What a deployment's `revision` or `previousRevision` names; undefined where AWS knows it no more. */
  revision(name: string): Promise<Revision | undefined>;
  /** Whether a deployment will yet wait in Ready until somebody continues it. */
  pauseAhead(snapshot: Snapshot): Promise<PauseAhead>;
  /** How long a deployment may take by its own settings: one that is to be started, or one that is there. */
  budget(of?: Deployment): Promise<WaitBudget>;
}
