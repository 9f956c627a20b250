/**
 * Everything about a deployment that can be checked before a build or a write (DESIGN 6.5), in few sequential calls:
 *
 *   documents → { DescribeServices ‖ GetDeploymentGroup ‖ ListDeployments ‖ GetCallerIdentity } → DescribeTaskDefinition
 *
 * Who deploys the service is known when it is described. CodeDeploy is asked beside, for that is the longer way; where ECS itself
 * deploys, its answers don't matter, and ECS is asked for its deployments beside the task definition.
 *
 * A release that cannot work fails here, in seconds, with every problem in one report.
 */
import type { AccountId } from '../domain/account.ts';
import { isActive, type Deployment, type WaitUntil } from '../domain/deployment.ts';
import { isOwnTag, parseMarker } from '../domain/deployment-marker.ts';
import { fillPlaceholders, type Filling } from '../domain/fan-out.ts';
import { formatPath, type Finding, type Json } from '../domain/json.ts';
import { running, shortName, type LiveService } from '../domain/live-service.ts';
import { deploysItself } from '../domain/service-deployment.ts';
import { familyWarning, readTaskDefinition, secretsAmong, unknownMembers, type TaskDefinition } from '../domain/task-definition.ts';
import { DocumentError, formatProblem, type DocumentProblem, type InputProblem } from '../errors.ts';
import { didYouMean } from '../inputs.ts';
import type { Identity } from '../ports/credentials.ts';
import { fillScalars, parseDocument, type ParsedDocument } from '../ports/documents.ts';
import type { RegisteredTaskDefinition, ServiceAnswer } from '../ports/ecs.ts';
import type { Files } from '../ports/files.ts';
import type { Ports } from '../ports/index.ts';
import { chooseContainers, type Containers, type ExpectedImage } from './choose-containers.ts';
import { codedeployDeployer, type AutoRollback } from './codedeploy-deployer.ts';
import { usualGroup } from './codedeploy-deployments.ts';
import type { TargetAccount } from './deploy-accounts.ts';
import type { Deployer, Readiness } from './deployer.ts';
import { ecsDeployer } from './ecs-deployer.ts';
import { report, type Found } from './preflight-report.ts';
import { rehearse } from './render-definition.ts';
import type { DeployInputs, DeploySide } from './sessions.ts';

/** The inputs of a deployment, as the modes parse them. */
export interface DeploymentInputs extends DeployInputs {
  readonly cluster: string;
  readonly service: string;
  readonly 'task-definition': string | undefined;
  readonly 'container-name': string | undefined;
  readonly 'environment-variables': readonly (readonly [name: string, value: string])[];
  readonly 'codedeploy-application': string | undefined;
  readonly 'codedeploy-deployment-group': string | undefined;
  readonly 'codedeploy-appspec': string | undefined;
  readonly 'codedeploy-deployment-config': string | undefined;
  readonly 'codedeploy-deployment-description': string | undefined;
  readonly 'auto-rollback': AutoRollback;
  readonly 'wait-until': WaitUntil;
  readonly 'wait-for-minutes': number | undefined;
  readonly 'on-active-deployment': 'wait' | 'stop' | 'fail';
  readonly 'on-cancel': 'rollback' | 'leave';
  readonly 'on-timeout': 'leave' | 'rollback';
  readonly 'force-new-deployment': boolean;
}

export interface PrepareRequest {
  readonly inputs: DeploymentInputs;
  readonly side: DeploySide;
  readonly ports: Pick<Ports, 'files' | 'log' | 'clock'>;
  /** What will be deployed, as far as it is known. */
  readonly images: readonly ExpectedImage[];
  /** The account that owns the registry, where it is known: it is deployed into only by its name (RULES 3, Guard). */
  readonly registryAccount?: AccountId | undefined;
  /** The author's files, where they were read already, beside other things that need no call. */
  readonly documents?: Documents | undefined;
  /** A further check that starts beside the reads and is answered in the same report, when the definition is known. */
  readonly beside?: () => (definition: TaskDefinition | undefined) => Promise<readonly InputProblem[]>;
}

/** A deployment that can be started. */
export interface PreparedDeployment {
  readonly inputs: DeploymentInputs;
  readonly side: DeploySide;
  readonly identity: Identity;
  readonly deployer: Deployer;
  readonly service: LiveService;
  /** What runs: the PRIMARY task set's, or the service revision's where ECS itself deploys (RULES 6.9). */
  readonly running: RegisteredTaskDefinition;
  /** What will be registered, but for the images and the environment. */
  readonly definition: TaskDefinition;
  readonly containers: Containers;
  readonly active: Deployment | undefined;
  readonly newest: Deployment | undefined;
  /** The same once more, after the service may have changed. */
  readonly again: () => Promise<PreparedDeployment>;
}

/** @throws InputError, DocumentError or AwsError: every problem at once, and nothing was written */
export async function prepareDeployment(request: PrepareRequest): Promise<PreparedDeployment> {
  const documents = request.documents ?? (await readDocuments(request));
  return check({ request: { ...request, inputs: named(request.inputs) }, documents });
}

/** An ARN has told its account and Region by now; from here on the cluster is its name. */
function named(inputs: DeploymentInputs): DeploymentInputs {
  return { ...inputs, cluster: shortName(inputs.cluster) };
}

/** The author's files, parsed. */
export interface Documents {
  readonly taskDefinition: ParsedDocument | undefined;
  readonly appSpec: ParsedDocument | undefined;
}

type DocumentsRequest = Pick<PrepareRequest, 'inputs' | 'side' | 'images' | 'ports'> & {
  /** Whose account ID, name and Region stand for the placeholders in them; elsewhere they are text. */
  readonly member?: TargetAccount | undefined;
};

/**
 * Reads, parses and lints the author's files, without any call.
 * @throws DocumentError or InputError: everything that is wrong in them
 */
export async function readDocuments(request: DocumentsRequest): Promise<Documents> {
  const { documents, found, warnings } = await examineDocuments(request);
  report(found);
  for (const warning of warnings) request.ports.log.warning(warning);
  return documents;
}

/** The author's files, whatever is wrong in them. */
export interface ExaminedDocuments {
  readonly documents: Documents;
  readonly found: Found;
  /** Of which nothing can be concluded, since something is wrong in them. */
  readonly unsound: ReadonlySet<keyof Documents>;
  readonly warnings: readonly string[];
}

/** As `readDocuments`, with what is wrong as data. */
export async function examineDocuments({ inputs, side, images, ports: { files }, member }: DocumentsRequest): Promise<ExaminedDocuments> {
  const filling = member && { ...member, region: inputs['deploy-region'] ?? inputs['aws-region'] };
  const [taskDefinition, appSpec] = await Promise.all([
    readDocument({ files, file: inputs['task-definition'], filling }),
    readDocument({ files, file: inputs['codedeploy-appspec'], filling }),
  ]);
  const documents = { taskDefinition: taskDefinition.document, appSpec: appSpec.document };
  const read = documents.taskDefinition && readTaskDefinition(documents.taskDefinition.value, { family: 'live' });
  const inDefinition = [
    ...taskDefinition.problems,
    ...(documents.taskDefinition && read && !read.ok ? locatedIn(documents.taskDefinition, read.findings) : []),
  ];
  const definition = read?.ok ? read.definition : undefined;
  const inAppSpec = [...appSpec.problems, ...codedeployOf({ inputs, side, documents }).lint(definition)];
  return {
    documents,
    found: {
      inputs: definition ? nameProblems({ inputs, images, definition }) : [],
      documents: [...inDefinition, ...inAppSpec],
      failures: [],
    },
    unsound: new Set([
      ...(inDefinition.length > 0 ? (['taskDefinition'] as const) : []),
      ...(inAppSpec.length > 0 ? (['appSpec'] as const) : []),
    ]),
    warnings: strangersIn(documents.taskDefinition),
  };
}

/** Members of a task definition file that are misspelt, or newer than this action. */
function strangersIn(document: ParsedDocument | undefined): readonly string[] {
  if (!document) return [];
  const findings = unknownMembers(document.value).map(({ path, name, known }) => ({
    path,
    problem: `is not known here${didYouMean(name, known)}; it is sent to ECS as it stands`,
  }));
  return locatedIn(document, findings).map(formatProblem);
}

async function readDocument({ files, file, filling }: { files: Files; file: string | undefined; filling: Filling | undefined }): Promise<{
  document: ParsedDocument | undefined;
  problems: DocumentProblem[];
}> {
  if (file === undefined) return { document: undefined, problems: [] };
  try {
    const text = await files.readText(file);
    if (text === undefined)
      return { document: undefined, problems: [{ file, problem: `is not there (looked at ${files.resolve(file)})` }] };
    return {
      document: parseDocument(file, filling ? fillScalars(file, text, (scalar) => fillPlaceholders(scalar, filling)) : text),
      problems: [],
    };
  } catch (error) {
    if (error instanceof DocumentError) return { document: undefined, problems: [...error.problems] };
    throw error;
  }
}

function locatedIn(document: ParsedDocument, findings: readonly Finding[]): DocumentProblem[] {
  return findings.map(({ path, problem }) => ({ file: document.file, path: formatPath(path), problem, ...document.position(path) }));
}

/** Only what the names alone show to be wrong; the choice by repository comes with the live service. */
function nameProblems({
  inputs,
  images,
  definition,
}: Pick<PrepareRequest, 'inputs' | 'images'> & { definition: TaskDefinition }): readonly InputProblem[] {
  const wanted = inputs['container-name'];
  const isByName = wanted !== undefined || images.every(({ container }) => container !== undefined);
  return isByName ? chooseContainers({ definition, images, wanted }).problems : [];
}

function codedeployOf({ inputs, side, documents }: { inputs: DeploymentInputs; side: DeploySide; documents: Documents }): Deployer {
  const { service } = inputs;
  const cluster = shortName(inputs.cluster);
  const usual = usualGroup({ cluster, service });
  return codedeployDeployer({
    codedeploy: side.codedeploy,
    place: {
      how: 'codedeploy',
      region: inputs['deploy-region'] ?? inputs['aws-region'],
      cluster,
      service,
      application: inputs['codedeploy-application'] ?? usual.application,
      group: inputs['codedeploy-deployment-group'] ?? usual.group,
    },
    appSpec: documents.appSpec,
    config: inputs['codedeploy-deployment-config'],
    autoRollback: inputs['auto-rollback'],
    until: inputs['wait-until'],
  });
}

/** Who deploys the service: how it is read, and what runs. */
interface Way {
  readonly deployer: Deployer;
  readonly ready: ReturnType<Deployer['read']>;
  readonly running: Promise<RegisteredTaskDefinition>;
}

function wayOf({
  request: { inputs, side, ports },
  service,
  codedeploy,
}: {
  request: PrepareRequest;
  service: LiveService;
  codedeploy: Omit<Way, 'running'>;
}): Way {
  if (!deploysItself(service)) return { ...codedeploy, running: side.ecs.describeTaskDefinition(running(service).taskDefinition) };
  const region = inputs['deploy-region'] ?? inputs['aws-region'];
  const deployer = ecsDeployer({ ecs: side.ecs, clock: ports.clock, region, service, inputs });
  return { deployer, ready: deployer.read(), running: deployer.running() };
}

interface Examining {
  readonly request: PrepareRequest;
  readonly documents: Documents;
}

async function check({ request, documents, again = false }: Examining & { again?: boolean }): Promise<PreparedDeployment> {
  const { inputs, side, ports } = request;
  const examination = await examine({ request, documents });
  const { found, familyWarning: family, identity, deployer, service, running: current, definition, containers, readiness } = examination;
  report(found);
  if (!service || !current || !definition || !containers || !readiness) throw new Error('a preflight problem was not reported');
  if (!again) for (const warning of [...(family === undefined ? [] : [family]), ...readiness.warnings]) ports.log.warning(warning);
  return {
    inputs,
    side,
    identity,
    deployer,
    service,
    running: current,
    definition,
    containers,
    active: readiness.active,
    newest: readiness.newest,
    again: async () => {
      const { beside: _checkedOnce, ...rest } = request;
      return check({ request: rest, documents, again: true });
    },
  };
}

/** All that was found about a deployment. What is undefined is not known, and `found` says why. */
export interface Examination extends Pick<PreparedDeployment, 'identity' | 'deployer'> {
  readonly found: Found;
  readonly familyWarning: string | undefined;
  readonly service: LiveService | undefined;
  readonly running: RegisteredTaskDefinition | undefined;
  readonly definition: TaskDefinition | undefined;
  readonly containers: Containers | undefined;
  /** Undefined for a service that this deployer does not deploy. */
  readonly readiness: Readiness | undefined;
}

/**
 * Everything that `prepareDeployment` checks, with what is wrong as data.
 * @throws what the side's `identity` throws: in the wrong account nothing that was found means anything
 */
export async function examineDeployment({
  request,
  examined: { documents, unsound },
}: {
  request: PrepareRequest;
  examined: Pick<ExaminedDocuments, 'documents' | 'unsound'>;
}): Promise<Examination> {
  return examine({ request: { ...request, inputs: named(request.inputs) }, documents, unsound });
}

async function examine({
  request,
  documents,
  unsound = new Set(),
}: Examining & Partial<Pick<ExaminedDocuments, 'unsound'>>): Promise<Examination> {
  const { inputs, side } = request;
  const codedeploy = codedeployOf({ inputs, side, documents });
  const started = { deployer: codedeploy, ready: codedeploy.read() };
  const beside = request.beside?.();
  const answering = side.ecs.describeService(inputs);
  const finding = answering.then((answer) =>
    answer.found === 'service' ? wayOf({ request, service: answer.service, codedeploy: started }) : undefined,
  );
  const describing = finding.then(async (way) => way?.running);
  const [identity, answer, described] = await Promise.allSettled([side.session.identity(), answering, describing]);
  if (identity.status === 'rejected') throw identity.reason;
  const { deployer, ready } = (await finding.catch(() => undefined)) ?? started;

  const live = answer.status === 'fulfilled' ? answer.value : undefined;
  const service = live?.found === 'service' ? live.service : undefined;
  const current = described.status === 'fulfilled' ? described.value : undefined;
  const reading = current && !unsound.has('taskDefinition') ? definitionFrom({ documents, current }) : undefined;
  const definition = reading?.ok ? reading.definition : undefined;
  const choice = definition && chooseContainers({ definition, images: request.images, wanted: inputs['container-name'] });
  const containers = choice?.containers;
  const serviceFindings = live ? serviceProblems({ live, inputs }) : [];
  // What is found of a deployment group helps nobody whose service is not deployed by one.
  const isOurs = service === undefined || service.controller === 'CODE_DEPLOY' || deploysItself(service);
  const answered = await ready(unsound.has('appSpec') ? { service: undefined, definition: undefined } : { service, definition });
  const readiness = isOurs ? answered : undefined;
  const [further] = await Promise.allSettled([beside?.(definition)]);
  const failures = [
    ...[answer, described, further].flatMap((read) => (read.status === 'rejected' ? [read.reason as unknown] : [])),
    ...(readiness?.failures ?? []),
  ];
  return {
    familyWarning: documents.taskDefinition && definition && current && familyWarning({ definition, live: current.arn }),
    identity: identity.value,
    deployer,
    service,
    running: current,
    definition,
    containers,
    readiness,
    found: {
      inputs: [
        ...guardProblems({ request, identity: identity.value }),
        ...serviceFindings,
        ...(readiness?.inputs ?? []),
        ...activeProblems({ active: readiness?.active, inputs, deployer }),
        ...(further.status === 'fulfilled' ? (further.value ?? []) : []),
        ...(choice?.problems ?? []),
        ...(definition && containers ? secretProblems({ inputs, definition, container: containers.environment }) : []),
      ],
      documents: [
        ...(reading && !reading.ok ? reading.problems : []),
        ...(current && definition && containers
          ? locate(rehearse({ definition, containers, inputs }, request.images), { documents, current })
          : []),
        ...(readiness?.documents ?? []),
      ],
      failures: failures.map((error) => ({ input: 'deploy-role', error })),
    },
  };
}

/** Where a definition comes from: the author's file, else what runs. */
interface Origin {
  readonly documents: Documents;
  readonly current: RegisteredTaskDefinition;
}

/** The file's definition, else the running one with its tags; a file without a family belongs to the running one. */
function definitionFrom(origin: Origin): { ok: true; definition: TaskDefinition } | { ok: false; problems: DocumentProblem[] } {
  const { documents, current } = origin;
  const family = shortName(current.arn).replace(/:\d+$/, '');
  const reading = readTaskDefinition(documents.taskDefinition ? documents.taskDefinition.value : withOwnTags(current), { family });
  return reading.ok ? reading : { ok: false, problems: locate(reading.findings, origin) };
}

function locate(findings: readonly Finding[], { documents, current }: Origin): DocumentProblem[] {
  if (documents.taskDefinition) return locatedIn(documents.taskDefinition, findings);
  const file = `the live service's task definition ${shortName(current.arn)}`;
  return findings.map(({ path, problem }) => ({ file, path: formatPath(path), problem }));
}

/** What is registered, with its tags: AWS's own (`aws:…`) can't be given, and another run's mark is not this one's. */
export function withOwnTags({ definition, tags }: RegisteredTaskDefinition): Json {
  const own = tags.filter((tag) => !tag.key.startsWith('aws:') && !isOwnTag(tag));
  return own.length === 0 ? definition : { ...definition, tags: own.map(({ key, value }) => ({ key, value })) };
}

/** The classic slip: the registry's own credentials, still in the environment, deploy into the registry's account (RULES 3). */
function guardProblems({ request, identity }: { request: PrepareRequest; identity: Identity }): InputProblem[] {
  const { inputs, registryAccount } = request;
  if (inputs['deploy-role'] !== undefined || inputs['deploy-account-id'] !== undefined) return [];
  if (registryAccount === undefined || identity.account !== registryAccount) return [];
  return [
    {
      input: 'deploy-account-id',
      problem: `is needed to deploy into ${identity.account}, which owns the registry (${identity.arn}); give it if that is meant, else the deploy-role of the other account`,
    },
  ];
}

export function serviceProblems({
  live,
  inputs,
}: {
  live: ServiceAnswer;
  inputs: Pick<DeploymentInputs, 'aws-region' | 'deploy-region' | 'cluster' | 'service'>;
}): InputProblem[] {
  const region = inputs['deploy-region'] ?? inputs['aws-region'];
  const { cluster, service } = inputs;
  if (live.found === 'nothing') {
    return live.missing === 'cluster'
      ? [{ input: 'cluster', problem: `there is no cluster ${cluster} in ${region}` }]
      : [{ input: 'service', problem: `there is no service ${service} in the cluster ${cluster}` }];
  }
  const { status, controller } = live.service;
  if (status !== 'ACTIVE') return [{ input: 'service', problem: `${service} is ${status}, not ACTIVE` }];
  if (controller === 'CODE_DEPLOY' || deploysItself(live.service)) return [];
  if (controller === 'EXTERNAL') {
    return [
      { input: 'service', problem: `${service} has the deployment controller EXTERNAL: whoever made its task sets deploys it; ${remedy}` },
    ];
  }
  return [
    { input: 'service', problem: `${service} has rolling updates (the deployment controller ECS with the strategy ROLLING); ${remedy}` },
  ];
}

const remedy =
  'give it the controller ECS with the strategy BLUE_GREEN, LINEAR or CANARY, or the controller CODE_DEPLOY; both have new tasks beside the old ones, so that a bad release is undone';

function activeProblems({
  active,
  inputs,
  deployer,
}: {
  active: Deployment | undefined;
  inputs: DeploymentInputs;
  deployer: Deployer;
}): InputProblem[] {
  if (!active || inputs['on-active-deployment'] !== 'fail' || !isActive(active.status)) return [];
  const by = parseMarker(active.description);
  const who = by ? ` by run ${by.run} of ${by.workflow}` : '';
  const problem = `is fail, and ${active.id} (${active.status}${who}) is under way in ${deployer.place}: ${deployer.url(active.id)}`;
  return [{ input: 'on-active-deployment', problem }];
}

function secretProblems({
  inputs,
  definition,
  container,
}: {
  inputs: DeploymentInputs;
  definition: TaskDefinition;
  container: string;
}): InputProblem[] {
  const names = secretsAmong({ definition, container, names: inputs['environment-variables'].map(([name]) => name) });
  return names.map((name) => ({
    input: 'environment-variables',
    problem: `${name} is a secret of the container ${container}, and ECS takes a name only once`,
  }));
}
