/**
 * What a dry run would do: the model, and its renderings for the log and the job summary. A mode prepares as it always does, and then
 * either executes or plans; what it would not know before a build has a placeholder in angle brackets.
 *
 * No value of an environment variable is in a plan (RULES 5.19): task definitions come into it by `differences` only.
 */
import type { AccountId } from './account.ts';
import { accountLabel } from './account-outcome.ts';
import type { Digest, Tag } from './image.ts';
import { shortName } from './live-service.ts';
import { codeBlock, escapeMarkdown } from './markdown.ts';

/** A call that would change something, as IAM names its action and its resource. */
export interface PlannedWrite {
  /** `ecr`. */
  readonly service: string;
  /** `PutImage`. */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
}

export interface PlannedTag {
  readonly tag: Tag;
  /** `set`: it is new. `move`: it names another image now. `keep`: it names this image already. */
  readonly change: 'set' | 'move' | 'keep';
}

export interface PlannedImage {
  /** `host/repository@sha256:…`; of a build the digest is not known yet. */
  readonly uri: string;
  /** `registry`: further tags for one that is there; `reuse`: so that nothing is built; `copy`: of another registry's. */
  readonly source: 'build' | 'local' | 'layout' | 'copy' | 'registry' | 'reuse';
  /** Whether this repository has it already. */
  readonly exists: boolean;
  readonly tags: readonly PlannedTag[];
}

export interface PlannedPolicy {
  /** `host/repository`. */
  readonly repository: string;
  readonly changed: boolean;
  /** Statement by statement. */
  readonly diff: readonly string[];
}

export interface PlannedDeployment {
  readonly cluster: string;
  readonly service: string;
  /** As a reader knows it: `deployment group DgpECS-dev-web of AppECS-dev-web`. */
  readonly place: string;
  /** What each container would run: `host/repository@sha256:…`. */
  readonly images: readonly { readonly container: string; readonly uri: string }[];
  /** `unchanged`: the service runs this already. `yield`: a newer run has deployed. */
  readonly outcome: 'deploy' | 'unchanged' | 'yield';
  /** What would become of the deployment that is under way, or whose run is newer. */
  readonly before?: string;
  readonly taskDefinition: {
    /** The ARN of what runs. */
    readonly running: string;
    /** The ARN of what would run. */
    readonly planned: string;
    /** Values of the environment are named, never told. */
    readonly differences: readonly string[];
  };
  /** What would change beside the task definition. */
  readonly changes: readonly string[];
  /** As it would be sent to CodeDeploy; absent where no deployment would be started. */
  readonly appSpec?: string;
  /** As it would be sent to ECS, where ECS itself deploys. */
  readonly updateService?: string;
}

/** What would be deployed to an account of a fan-out. */
export interface PlannedAccount {
  readonly account: AccountId;
  /** Text of others; may be empty. */
  readonly name: string;
  readonly deployment: PlannedDeployment;
}

/** What would become of a deployment that is there already. */
export interface PlannedCourse {
  readonly id: string;
  /** As it is now. */
  readonly status: string;
  readonly cluster: string;
  readonly service: string;
  readonly place: string;
  /** What would be done about it, as it continues a sentence that begins with it. */
  readonly fate: string;
  /** What it deploys, where that is known; and what would run in its place. */
  readonly taskDefinition?: { readonly running: string; readonly planned: string; readonly differences: readonly string[] };
}

/** What can be told without credentials, in sentences' parts: which calls would write is not known then. */
export interface BlindPlan {
  /** What is asked for, as far as the inputs and this machine tell. */
  readonly wished: readonly string[];
  /** What only AWS could tell. */
  readonly unknown: readonly string[];
}

/** What one part of a mode would do. */
export interface PlanPart {
  readonly writes: readonly PlannedWrite[];
  /** The hosts that Docker would be logged in to. */
  readonly login?: { readonly registries: readonly string[] };
  /** The same one for each repository. */
  readonly images?: readonly PlannedImage[];
  /** What the image would have to stand before it is shared or deployed. */
  readonly afterPush?: readonly string[];
  /** One for each repository, replicas among them. */
  readonly policies?: readonly PlannedPolicy[];
  readonly deployment?: PlannedDeployment;
  /** Of a fan-out, in the place of `deployment`: the accounts of each wave. */
  readonly waves?: readonly (readonly PlannedAccount[])[];
  /** In a run without credentials, instead of all others. */
  readonly blind?: BlindPlan;
  readonly course?: PlannedCourse;
}

export interface Plan extends PlanPart {
  readonly mode: string;
  /** Its diffs and documents were left out, since it was too long. */
  readonly truncated?: true;
}

/** Stands where the digest of an image will be that is not built yet; it never leaves a plan. */
export const digestOfBuild = '<digest of the build>' as Digest;

/** What is needed to register a task definition, whose ARN is not known before. */
export const registration: PlannedWrite = { service: 'ecs', action: 'RegisterTaskDefinition', resource: '*' };

/** The ARN that a further revision of a family would have. */
export function nextRevision({ running, family }: { running: string; family: string }): string {
  return `${running.slice(0, running.lastIndexOf('/') + 1)}${family}:<new revision>`;
}

/** The parts in the order in which they would be done. */
export function planOf(mode: string, parts: readonly PlanPart[]): Plan {
  return parts.reduce<Plan>(
    (plan, part) => ({
      ...plan,
      ...part,
      writes: [...plan.writes, ...part.writes],
      ...((plan.policies ?? part.policies) && { policies: [...(plan.policies ?? []), ...(part.policies ?? [])] }),
    }),
    { mode, writes: [] },
  );
}

/** For the output: as JSON, without diffs and documents where it would be longer than so many characters. */
export function planJson(plan: Plan, limit: number): string {
  const whole = JSON.stringify(plan);
  if (whole.length <= limit) return whole;
  const { policies, deployment, waves, ...rest } = plan;
  return JSON.stringify({
    ...rest,
    truncated: true,
    ...(policies && { policies: policies.map((policy) => ({ ...policy, diff: [] })) }),
    ...(deployment && { deployment: shortened(deployment) }),
    ...(waves && { waves: waves.map((wave) => wave.map((each) => ({ ...each, deployment: shortened(each.deployment) }))) }),
  });
}

function shortened({ appSpec: _, ...deployment }: PlannedDeployment): PlannedDeployment {
  return { ...deployment, taskDefinition: { ...deployment.taskDefinition, differences: [] } };
}

/** For the log. */
export function planLines(plan: Plan): readonly string[] {
  return [
    `Dry run of ${plan.mode}: nothing was written, built, pushed or logged in to. The plan:`,
    ...sections(plan).flatMap(({ title, facts, block }) => [
      `${title}: ${facts.join('; ')}`.trimEnd(),
      ...(block?.lines ?? []).map((line) => `    ${line}`),
    ]),
  ];
}

/** For the job summary. */
export function planMarkdown(plan: Plan): string {
  return [
    `### Dry run of ${plan.mode}`,
    '',
    'Nothing was written, built, pushed or logged in to.',
    '',
    ...sections(plan).flatMap(({ title, facts, block }) => [
      `**${title}**: ${facts.map(escapeMarkdown).join('; ')}`.trimEnd(),
      '',
      ...(block === undefined || block.lines.length === 0 ? [] : [codeBlock(block.lines, block.language), '']),
    ]),
  ].join('\n');
}

interface Section {
  readonly title: string;
  readonly facts: readonly string[];
  readonly block?: { readonly language: string; readonly lines: readonly string[] };
}

function sections(plan: Plan): readonly Section[] {
  const { login, images = [], afterPush = [], policies = [], deployment, waves = [], course, blind, writes } = plan;
  if (blind) return blindSections(blind);
  return [
    ...(login ? [{ title: 'Login', facts: [`Docker would be logged in to ${login.registries.join(', ')}`] }] : []),
    ...images.map(imageSection),
    ...(afterPush.length > 0 ? [{ title: 'After the push', facts: afterPush }] : []),
    ...policies.map(policySection),
    ...(deployment ? deploymentSections(deployment) : []),
    ...waves.map((wave, index) => waveSection(wave, { title: `Wave ${index + 1} of ${waves.length}` })),
    ...(course ? courseSections(course) : []),
    {
      title: 'Calls that would write',
      facts: [writes.length === 0 ? 'none' : `${writes.length}`],
      block: { language: '', lines: writes.map(({ service, action, resource }) => `${service}:${action} on ${resource}`) },
    },
  ];
}

function blindSections({ wished, unknown }: BlindPlan): readonly Section[] {
  const section = (title: string, lines: readonly string[]): Section => ({
    title,
    facts: lines.length === 0 ? ['nothing'] : [],
    block: { language: '', lines },
  });
  return [section('Asked for', wished), section('Not known without credentials', unknown)];
}

const marks: Readonly<Record<PlannedTag['change'], string>> = { set: '+', move: '~', keep: ' ' };

function imageSection({ uri, source, exists, tags }: PlannedImage): Section {
  const become = exists ? 'is there already' : source === 'build' ? 'would be built and pushed' : 'would be pushed';
  const lines = tags.map(({ tag, change }) => `${marks[change]} ${tag}${change === 'move' ? ' (names another image now)' : ''}`);
  return { title: 'Image', facts: [`${uri} ${become}`], block: { language: 'diff', lines } };
}

function policySection({ repository, changed, diff }: PlannedPolicy): Section {
  const fact = `of ${repository} ${changed ? 'would be changed' : 'covers all of this already'}`;
  return { title: 'Repository policy', facts: [fact], block: { language: 'diff', lines: diff } };
}

const outcomes: Readonly<Record<PlannedDeployment['outcome'], string>> = {
  deploy: 'would be deployed',
  unchanged: 'runs exactly this already',
  yield: 'would be left as it is',
};

function deploymentSections({
  cluster,
  service,
  place,
  images,
  outcome,
  before,
  taskDefinition,
  changes,
  appSpec,
  updateService,
}: PlannedDeployment): readonly Section[] {
  return [
    {
      title: 'Deployment',
      facts: [`${service} of cluster ${cluster} ${outcomes[outcome]}, by ${place}`, ...(before === undefined ? [] : [before]), ...changes],
      block: { language: '', lines: images.map(({ container, uri }) => `${container}: ${uri}`) },
    },
    definitionSection(taskDefinition),
    ...requestSections('AppSpec', appSpec),
    ...requestSections('UpdateService', updateService),
  ];
}

function requestSections(title: string, text: string | undefined): readonly Section[] {
  if (text === undefined) return [];
  return [{ title, facts: ['as it would be sent'], block: { language: '', lines: text.trimEnd().split('\n') } }];
}

function waveSection(wave: readonly PlannedAccount[], { title }: { title: string }): Section {
  return {
    title,
    facts: [wave.length === 1 ? '1 account' : `${wave.length} accounts`],
    block: { language: '', lines: wave.flatMap(accountLines) },
  };
}

function accountLines({ account, name, deployment }: PlannedAccount): readonly string[] {
  const { cluster, service, place, images, outcome, before, taskDefinition, changes } = deployment;
  const details = [
    ...(before === undefined ? [] : [before]),
    ...(outcome === 'deploy' ? images.map(({ container, uri }) => `${container}: ${uri}`) : []),
    ...definitionSection(taskDefinition).facts,
    ...taskDefinition.differences,
    ...changes,
  ];
  return [
    `${accountLabel({ account, name })}: ${service} of cluster ${cluster} ${outcomes[outcome]}, by ${place}`,
    ...details.map((line) => `  ${line}`),
  ];
}

function courseSections({ id, status, cluster, service, place, fate, taskDefinition }: PlannedCourse): readonly Section[] {
  return [
    { title: 'Deployment', facts: [`${id} (${status}) ${fate}`, `it is of ${service} of cluster ${cluster}, by ${place}`] },
    ...(taskDefinition ? [definitionSection(taskDefinition)] : []),
  ];
}

function definitionSection({ running, planned, differences }: PlannedDeployment['taskDefinition']): Section {
  const fate = running === planned ? `${shortName(running)}, nothing to register` : `${shortName(running)} → ${shortName(planned)}`;
  return { title: 'Task definition', facts: [fate], block: { language: 'diff', lines: differences } };
}
