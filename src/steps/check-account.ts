/**
 * Whether a deployment to one account would work: everything that `deploy` checks, by the same checks, and what only the other sides tell.
 * No early stop: what a failed read prevents is a finding of its own.
 */
import type { AccountId } from '../domain/account.ts';
import { findingsOf, type CheckFinding, type Fact, type Subject } from '../domain/findings.ts';
import { formatImage } from '../domain/image.ts';
import { shortName, type LiveService } from '../domain/live-service.ts';
import { formatPlatform, formatPlatforms } from '../domain/oci.ts';
import { organizationOf, type OrganizationId, type OrgPath } from '../domain/organization.ts';
import { policyFacts, type PullQuestion } from '../domain/pull-policy.ts';
import { platformWish } from '../domain/task-definition.ts';
import { pullingRole, roleFacts } from '../domain/task-roles.ts';
import type { WaitBudget } from '../domain/wait-budget.ts';
import { ActionError, AwsError, formatProblem, type DocumentProblem, type InputProblem } from '../errors.ts';
import type { Ports } from '../ports/index.ts';
import type { PathOf } from './account-paths.ts';
import { platformProblems } from './check-image.ts';
import { notKnown, reading, type ReadImage, type Reading } from './check-registry.ts';
import type { TargetAccount } from './deploy-accounts.ts';
import { findImages, named, type FindInputs, type FoundImage, type RegistryReads } from './find-image.ts';
import { plannedWait } from './follow-deployment.ts';
import { fateOf } from './plan-deployment.ts';
import type { Found } from './preflight-report.ts';
import {
  examineDeployment,
  examineDocuments,
  type DeploymentInputs,
  type ExaminedDocuments,
  type Examination,
} from './prepare-deployment.ts';
import { deployAccount, openDeploy, registryAccount, type DeploySide } from './sessions.ts';
import { shortnessOf } from './warn-of-ending.ts';

export interface CheckInputs extends DeploymentInputs, FindInputs {
  readonly 'organization-id': OrganizationId | undefined;
}

/** What is asked once for all accounts. */
export interface Shared {
  readonly registry: RegistryReads;
  /** In the order of the images. */
  readonly images: readonly (ReadImage | undefined)[];
  /** Undefined without `organization-role`. */
  readonly pathOf: PathOf | undefined;
}

export interface AccountCheck {
  /** Those of this account. */
  readonly inputs: CheckInputs;
  /** Undefined for the one account that the inputs lead to. */
  readonly target: TargetAccount | undefined;
  readonly shared: Shared;
  readonly ports: Ports;
}

/** @throws InputError for what the way of assuming a role does not take, before any call; else only a fault of our own */
export async function checkAccount(check: AccountCheck): Promise<readonly CheckFinding[]> {
  const looked = await lookAt(check);
  const id = looked.examined.known ? looked.examined.value.identity.account : deployAccount(check.inputs);
  const facts = [...factsOf(check, looked), ...(await policiesFor(id, { check, looked }))];
  return findingsOf({ id, name: check.target?.name ?? '' }, facts);
}

/** What the account's own side told. */
interface Looked {
  readonly side: DeploySide;
  readonly documents: ExaminedDocuments;
  readonly examined: Reading<Examination>;
  readonly images: Reading<readonly FoundImage[]>;
  readonly wait: Reading<WaitBudget>;
}

async function lookAt({ inputs, target, shared, ports }: AccountCheck): Promise<Looked> {
  const side = openDeploy({ inputs, ports });
  const [first] = inputs.image;
  const images = inputs.image.map(({ container, image }) => ({ container, repository: image.repository }));
  const documents = await examineDocuments({ inputs, side, images, ports, member: target });
  const owner = registryAccount(inputs) ?? shared.images.find((image) => image?.wish === first)?.account;
  const request = { inputs, side, ports, images, registryAccount: owner };
  const [examined, found] = await Promise.all([
    reading(async () => examineDeployment({ request, examined: documents })),
    reading(async () => findImages({ inputs, side, ports, registry: shared.registry })),
  ]);
  const wait = examined.known ? await reading(async () => plannedWait({ inputs, deployer: examined.value.deployer })) : examined;
  return { side, documents, examined, images: found, wait };
}

function factsOf(check: AccountCheck, looked: Looked): readonly Fact[] {
  const { documents, examined } = looked;
  const strangers = documents.warnings.map((reason) => warned('task definition', reason));
  const inFiles = [...factsIn(documents.found, check.inputs), ...strangers];
  if (!examined.known) {
    return [
      ...inFiles,
      { severity: 'error', subject: 'credentials', reason: examined.since, advice: examined.advice },
      unknown('service', 'there are no credentials for this account; no more is known of all else in it'),
    ];
  }
  const { found: problems, familyWarning, readiness } = examined.value;
  const failed = problems.failures.map(({ error }) => factOfFailure(error));
  // What is wrong in a file that is to be left out helps nobody.
  const hasNoAppSpec = problems.inputs.some(({ input }) => input === 'codedeploy-appspec');
  const found = [
    ...inFiles.filter(({ subject }) => !hasNoAppSpec || subject !== 'AppSpec'),
    ...(familyWarning === undefined ? [] : [warned('task definition', familyWarning)]),
    ...(readiness?.warnings ?? []).map((reason) => warned('service', reason)),
    ...factsIn(problems, check.inputs),
    ...failed,
    ...imageFacts(check, looked),
    ...platformFacts(check, looked),
  ];
  const told = new Set([...found.filter(({ severity }) => severity === 'error'), ...failed].map(({ subject }) => subject));
  const others = factsOfExamination(check, { looked, examination: examined.value, isWrong: (subject) => told.has(subject) });
  return [...found, ...others.filter(({ subject }) => !told.has(subject))];
}

interface Examined {
  readonly looked: Looked;
  readonly examination: Examination;
  readonly isWrong: (subject: Subject) => boolean;
}

const noDefinition = 'the task definition is not known';

/** What is in order, and what is not known; of what is wrong it does not matter. */
function factsOfExamination({ inputs }: AccountCheck, { looked, examination, isWrong }: Examined): readonly Fact[] {
  const { identity, deployer, service, running, definition, containers, readiness } = examination;
  const { documents } = looked.documents;
  const noService = whyNoService(examination);
  const roles = definition && { definition, service, account: identity.account, region: looked.side.session.region };
  return [
    fine('credentials', 'they are of this account'),
    service
      ? fine('service', `${service.name} of cluster ${inputs.cluster} is ${service.status}, with the controller ${controllerOf(service)}`)
      : unknown('service', 'it could not be read'),
    definition && running
      ? fine(
          'task definition',
          documents.taskDefinition
            ? `${documents.taskDefinition.file} (family ${definition.family}), in place of ${shortName(running.arn)}`
            : `${shortName(running.arn)}, as it runs`,
        )
      : unknown('task definition', 'what the service runs is not known'),
    containers
      ? fine('container', `${containers.images.join(', ')} ${containers.images.length === 1 ? 'gets the image' : 'get the images'}`)
      : unknown('container', noDefinition),
    ...(roles ? roleFacts(roles) : [unknown('execution role', noDefinition)]),
    ...(deployer.where.how === 'codedeploy' ? codedeployFacts({ looked, examination }) : []),
    activeFact({ examination, inputs }),
    readiness && service && !isWrong('deployment group')
      ? waitFact({ inputs, looked })
      : unknown('wait', service && readiness ? 'the deployment group is not known' : noService),
  ];
}

function whyNoService({ service, deployer }: Examination): string {
  return service === undefined ? 'the service is not known' : `${service.name} is not deployed by ${deployer.place}`;
}

function controllerOf({ controller, own }: LiveService): string {
  return controller === 'ECS' && own.strategy !== undefined ? `${controller} (${own.strategy})` : controller;
}

/** What only CodeDeploy has. */
function codedeployFacts({ looked, examination }: Pick<Examined, 'looked' | 'examination'>): readonly Fact[] {
  const { deployer, service, definition, readiness } = examination;
  const { appSpec } = looked.documents.documents;
  const noService = whyNoService(examination);
  return [
    readiness && service && definition
      ? fine('AppSpec', appSpec ? `${appSpec.file} fits` : `is made from the service ${service.name}`)
      : unknown('AppSpec', service && readiness ? noDefinition : noService),
    readiness && service ? fine('deployment group', `${deployer.place} deploys ${service.name}`) : unknown('deployment group', noService),
  ];
}

const groupInputs = ['codedeploy-application', 'codedeploy-deployment-group'];

function activeFact({ examination, inputs }: { examination: Examination; inputs: CheckInputs }): Fact {
  const { found, service, readiness, deployer } = examination;
  const active = readiness?.active;
  if (active) {
    const advice = `Let it end first, if that is not meant: ${deployer.url(active.id)}`;
    return { severity: 'warning', subject: 'active deployment', reason: fateOf(active, { inputs, deployer }).text, advice };
  }
  if (!service || !readiness) return unknown('active deployment', whyNoService(examination));
  if (found.inputs.some(({ input }) => groupInputs.includes(input)))
    return unknown('active deployment', 'the service has no such deployment group');
  return fine('active deployment', `none is under way in ${deployer.place}`);
}

/** Whether the credentials outlive it. */
function waitFact({ inputs, looked: { side, wait } }: { inputs: CheckInputs; looked: Looked }): Fact {
  if (inputs['wait-until'] === 'started') return fine('wait', 'nobody waits: wait-until is started');
  if (!wait.known) return unknown('wait', wait.since);
  const { minutes, explanation } = wait.value;
  const short = shortnessOf({ session: side.session, minutes });
  if (short) return { severity: 'warning', subject: 'wait', reason: short.problem, advice: short.advice };
  return fine('wait', `${minutes} min at most (${explanation}), which the credentials outlive`);
}

/** Whether this account's side can pull them: asked by `deploy` too, and in the same words. */
function imageFacts({ inputs }: AccountCheck, { images }: Looked): readonly Fact[] {
  if (!images.known) return [unread('image', images)];
  return images.value.flatMap(({ wish, image, problems, warnings, notes }): readonly Fact[] => [
    ...problems.map((problem) => factOf(problem)),
    ...warnings.map((reason): Fact => ({
      severity: 'warning',
      subject: 'image',
      reason,
      advice: 'Allow it in the policy of deploy-role (docs/iam.md).',
    })),
    ...notes.map((reason): Fact => ({ severity: 'info', subject: 'image', reason })),
    ...(image && problems.length === 0 && warnings.length === 0
      ? [fine('image', `${named(wish, formatImage(image))} can be pulled${inputs['deploy-role'] === undefined ? '' : ' by deploy-role'}`)]
      : []),
  ]);
}

function platformFacts({ shared, inputs }: AccountCheck, { images, examined }: Looked): readonly Fact[] {
  const definition = examined.known ? examined.value.definition : undefined;
  if (!definition) return [unknown('platform', noDefinition)];
  const tasks = platformWish(definition);
  if (!tasks) return [fine('platform', `${definition.family} names no runtimePlatform`)];
  return inputs.image.map((wish, index) => {
    const found = images.known ? images.value[index] : undefined;
    const platforms = found?.platforms ?? shared.images[index]?.platforms;
    if (!platforms || platforms.length === 0) {
      const isWhole = found?.problems.length === 0;
      const since = isWhole ? 'the image does not tell for which platform it is' : 'the image could not be read';
      return { ...unknown('platform', named(wish, since)), ...(isWhole && { severity: 'warning' }) };
    }
    const [problem] = platformProblems({ platforms, definition });
    return problem === undefined
      ? fine('platform', named(wish, `the image is for ${formatPlatforms(platforms)}, and the tasks run on ${formatPlatform(tasks)}`))
      : { severity: 'error', subject: 'platform', reason: named(wish, `the image ${problem}`) };
  });
}

/** Whether the registry's policies let the account's tasks pull, as far as the registry's and the organization's side tell. */
async function policiesFor(
  id: AccountId | undefined,
  { check, looked }: { check: AccountCheck; looked: Looked },
): Promise<readonly Fact[]> {
  if (id === undefined) return [unknown('account path', 'nobody says whose account it is')];
  const { shared, inputs } = check;
  const path = await pathOf(id, check);
  const known = path.known ? path.value : undefined;
  const puller = pullerOf(id, { looked, path: known, organization: known ? organizationOf(known) : inputs['organization-id'] });
  const facts = shared.images.flatMap((image, index) => {
    if (!image?.policy.known) return [];
    const found = looked.images.known ? looked.images.value[index] : undefined;
    return policyFacts({
      repositoryArn: image.repositoryArn,
      policy: image.policy.value,
      registryPolicy: image.registryPolicy.known ? image.registryPolicy.value : 'not known',
      puller,
      pull: pullOf(found),
      pathAdvice: shared.pathOf ? undefined : 'Give organization-role, which tells where the account is in the organization.',
    });
  });
  return [pathFact(path, check), ...facts];
}

/** Undefined for an account that is not in the organization. */
async function pathOf(id: AccountId, { target, shared }: AccountCheck): Promise<Reading<OrgPath | undefined>> {
  if (target?.ouPath) return { known: true, value: target.ouPath as OrgPath };
  const ask = shared.pathOf;
  return ask ? reading(async () => ask(id)) : { known: false, since: 'no organization-role is given' };
}

function pathFact(path: Reading<OrgPath | undefined>, { shared }: AccountCheck): Fact {
  const subject = 'account path';
  if (!path.known) {
    return {
      severity: shared.pathOf ? 'warning' : 'info',
      subject,
      reason: `is not known, since ${path.since}`,
      advice: shared.pathOf
        ? path.advice
        : 'Give organization-role: it tells which OUs the account is in, and so which statements are for it.',
    };
  }
  if (path.value !== undefined) return fine(subject, path.value);
  return { severity: 'warning', subject, reason: 'the account is not in the organization of organization-role: no OU stands for it' };
}

function pullerOf(
  account: AccountId,
  { looked: { examined, side }, ...membership }: { looked: Looked; path: OrgPath | undefined; organization: OrganizationId | undefined },
): PullQuestion['puller'] {
  const { definition, service } = examined.known ? examined.value : {};
  const role = definition && pullingRole({ definition, service, account, region: side.session.region });
  return role ? { kind: 'role', role, ...membership } : { kind: 'account', account, ...membership };
}

function pullOf(found: FoundImage | undefined): PullQuestion['pull'] {
  if (!found || found.warnings.length > 0) return 'unknown';
  return found.problems.length > 0 ? 'no' : 'yes';
}

/** What `deploy` would refuse to go on with. */
function factsIn({ inputs, documents }: Found, given: CheckInputs): readonly Fact[] {
  return [...inputs.map(factOf), ...documents.map((problem) => factInDocument(problem, given))];
}

const aboutInputs: Readonly<Record<string, { readonly subject: Subject; readonly advice?: string }>> = {
  'deploy-account-id': { subject: 'credentials' },
  cluster: { subject: 'service', advice: 'Correct cluster, deploy-region or deploy-role.' },
  service: {
    subject: 'service',
    advice: 'Correct service, or make one that can be deployed (examples/cloudformation).',
  },
  'codedeploy-application': { subject: 'deployment group', advice: 'Correct codedeploy-application, or make it.' },
  'codedeploy-deployment-group': { subject: 'deployment group', advice: 'Correct codedeploy-deployment-group, or make it.' },
  'codedeploy-deployment-config': { subject: 'deployment group', advice: 'Correct codedeploy-deployment-config.' },
  'codedeploy-appspec': { subject: 'AppSpec', advice: 'Give codedeploy-appspec.' },
  'on-active-deployment': { subject: 'active deployment', advice: 'Let it end first, or set on-active-deployment: wait.' },
  image: { subject: 'image', advice: 'Correct image, publish it, or share its repository.' },
  'container-name': { subject: 'container', advice: 'Correct container-name, or name containers in image.' },
  'environment-variables': { subject: 'container', advice: 'Leave the variable out, or take the secret out of the task definition.' },
};

function factOf({ input, problem }: InputProblem): Fact {
  const { subject, advice } = aboutInputs[input] ?? { subject: 'service', advice: `Correct ${input}.` };
  // A sentence about the input reads on from its name.
  const readsOn = input !== subject && /^(is|deploys|needs|can't) /.test(problem);
  const saysWhatToDo = /; (give|leave) /.test(problem);
  return { severity: 'error', subject, reason: readsOn ? `${input} ${problem}` : problem, advice: saysWhatToDo ? undefined : advice };
}

function factInDocument(problem: DocumentProblem, { 'codedeploy-appspec': appSpec }: CheckInputs): Fact {
  const isAppSpec = problem.file === appSpec || problem.file.startsWith('the AppSpec');
  return {
    severity: 'error',
    subject: isAppSpec ? 'AppSpec' : 'task definition',
    reason: formatProblem(problem),
    advice: 'Correct it there: a deployment would stop before its first write.',
  };
}

const askedBy: Readonly<Record<string, Subject>> = {
  DescribeServices: 'service',
  DescribeTaskDefinition: 'task definition',
  GetDeploymentGroup: 'deployment group',
  GetDeploymentConfig: 'deployment group',
  ListDeployments: 'active deployment',
  GetDeployment: 'active deployment',
  ListServiceDeployments: 'active deployment',
  DescribeServiceDeployments: 'active deployment',
  DescribeServiceRevisions: 'active deployment',
  BatchGetImage: 'image',
};

/** A call that a deployment would make too: refused it would fail there as well, and of a passing trouble nothing follows. */
function factOfFailure(error: unknown): Fact {
  if (!(error instanceof ActionError)) throw error;
  const subject = (error instanceof AwsError && askedBy[error.operation]) || 'credentials';
  return unread(subject, notKnown(error));
}

function unread(subject: Subject, { since, advice, isPassing = false }: Extract<Reading<never>, { known: false }>): Fact {
  return isPassing
    ? { severity: 'warning', subject, reason: `could not be asked: ${since}`, advice }
    : { severity: 'error', subject, reason: since, advice };
}

function warned(subject: Subject, reason: string): Fact {
  return { severity: 'warning', subject, reason };
}

function fine(subject: Subject, reason: string): Fact {
  return { severity: 'ok', subject, reason };
}

/** What prevented it is a finding of its own. */
function unknown(subject: Subject, since: string): Fact {
  return { severity: 'info', subject, reason: `not known, since ${since}` };
}
