/**
 * The members that RegisterTaskDefinition takes, and their types: what is of another type is refused by ECS in words that name a Java
 * class and no field (PEERS pain 24), so it is found here first. A test compares this table with the SDK's own model.
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
 */
import { isList, isObject, type Finding, type Json, type JsonObject, type JsonPath } from './json.ts';

export type Shape =
  | 'text'
  | 'whole'
  | 'flag'
  /** Whatever it is, ECS decides. */
  | 'any'
  | { readonly kind: 'list'; readonly of: Shape }
  /** Any names, one type of values. */
  | { readonly kind: 'map'; readonly of: Shape }
  | Structure;

export interface Structure {
  readonly kind: 'structure';
  readonly members: Readonly<Record<string, Shape>>;
  readonly required: readonly string[];
  /** Members for which an empty value is a value. */
  readonly mayBeEmpty: readonly string[];
}

const list = (of: Shape): Shape => ({ kind: 'list', of });
const map = (of: Shape): Shape => ({ kind: 'map', of });
const structure = (
  members: Structure['members'],
  { required = [], mayBeEmpty = [] }: { required?: readonly string[]; mayBeEmpty?: readonly string[] } = {},
): Structure => ({ kind: 'structure', members, required, mayBeEmpty });

const texts = list('text');
const variables = list(structure({ name: 'text', value: 'text' }, { required: ['name'], mayBeEmpty: ['value'] }));
const secrets = list(structure({ name: 'text', valueFrom: 'text' }, { required: ['name', 'valueFrom'] }));

const portMapping = structure({
  containerPort: 'whole',
  hostPort: 'whole',
  protocol: 'text',
  name: 'text',
  appProtocol: 'text',
  containerPortRange: 'text',
});

const linuxParameters = structure({
  capabilities: structure({ add: texts, drop: texts }),
  devices: list(structure({ hostPath: 'text', containerPath: 'text', permissions: texts }, { required: ['hostPath'] })),
  initProcessEnabled: 'flag',
  sharedMemorySize: 'whole',
  tmpfs: list(structure({ containerPath: 'text', size: 'whole', mountOptions: texts }, { required: ['containerPath', 'size'] })),
  maxSwap: 'whole',
  swappiness: 'whole',
});

const container = structure({
  name: 'text',
  image: 'text',
  repositoryCredentials: structure({ credentialsParameter: 'text' }, { required: ['credentialsParameter'] }),
  cpu: 'whole',
  memory: 'whole',
  memoryReservation: 'whole',
  links: texts,
  portMappings: list(portMapping),
  essential: 'flag',
  restartPolicy: structure({ enabled: 'flag', ignoredExitCodes: list('whole'), restartAttemptPeriod: 'whole' }, { required: ['enabled'] }),
  entryPoint: texts,
  command: texts,
  environment: variables,
  environmentFiles: list(structure({ value: 'text', type: 'text' }, { required: ['value', 'type'] })),
  mountPoints: list(structure({ sourceVolume: 'text', containerPath: 'text', readOnly: 'flag' })),
  volumesFrom: list(structure({ sourceContainer: 'text', readOnly: 'flag' })),
  linuxParameters,
  secrets,
  dependsOn: list(structure({ containerName: 'text', condition: 'text' }, { required: ['containerName', 'condition'] })),
  startTimeout: 'whole',
  stopTimeout: 'whole',
  versionConsistency: 'text',
  hostname: 'text',
  user: 'text',
  workingDirectory: 'text',
  disableNetworking: 'flag',
  privileged: 'flag',
  readonlyRootFilesystem: 'flag',
  dnsServers: texts,
  dnsSearchDomains: texts,
  extraHosts: list(structure({ hostname: 'text', ipAddress: 'text' }, { required: ['hostname', 'ipAddress'] })),
  dockerSecurityOptions: texts,
  interactive: 'flag',
  pseudoTerminal: 'flag',
  dockerLabels: map('text'),
  ulimits: list(structure({ name: 'text', softLimit: 'whole', hardLimit: 'whole' }, { required: ['name', 'softLimit', 'hardLimit'] })),
  logConfiguration: structure({ logDriver: 'text', options: map('text'), secretOptions: secrets }, { required: ['logDriver'] }),
  healthCheck: structure(
    { command: texts, interval: 'whole', timeout: 'whole', retries: 'whole', startPeriod: 'whole' },
    { required: ['command'] },
  ),
  systemControls: list(structure({ namespace: 'text', value: 'text' })),
  resourceRequirements: list(structure({ type: 'text', value: 'text', sharingStrategy: 'any' }, { required: ['type'] })),
  firelensConfiguration: structure({ type: 'text', options: map('text') }, { required: ['type'] }),
  credentialSpecs: texts,
});

const volume = structure(
  {
    name: 'text',
    host: structure({ sourcePath: 'text' }),
    dockerVolumeConfiguration: structure({
      scope: 'text',
      autoprovision: 'flag',
      driver: 'text',
      driverOpts: map('text'),
      labels: map('text'),
    }),
    efsVolumeConfiguration: structure(
      {
        fileSystemId: 'text',
        rootDirectory: 'text',
        transitEncryption: 'text',
        transitEncryptionPort: 'whole',
        authorizationConfig: structure({ accessPointId: 'text', iam: 'text' }),
      },
      { required: ['fileSystemId'] },
    ),
    s3filesVolumeConfiguration: structure(
      { fileSystemArn: 'text', rootDirectory: 'text', transitEncryptionPort: 'whole', accessPointArn: 'text' },
      { required: ['fileSystemArn'] },
    ),
    fsxWindowsFileServerVolumeConfiguration: structure(
      {
        fileSystemId: 'text',
        rootDirectory: 'text',
        authorizationConfig: structure({ credentialsParameter: 'text', domain: 'text' }, { required: ['credentialsParameter', 'domain'] }),
      },
      { required: ['fileSystemId', 'rootDirectory', 'authorizationConfig'] },
    ),
    configuredAtLaunch: 'flag',
  },
  // Without a path Docker chooses one.
  { mayBeEmpty: ['host'] },
);

export const taskDefinitionShape = structure({
  family: 'text',
  containerDefinitions: list(container),
  taskRoleArn: 'text',
  executionRoleArn: 'text',
  networkMode: 'text',
  volumes: list(volume),
  placementConstraints: list(structure({ type: 'text', expression: 'text' })),
  requiresCompatibilities: texts,
  cpu: 'text',
  memory: 'text',
  tags: list(structure({ key: 'text', value: 'text' }, { mayBeEmpty: ['value'] })),
  pidMode: 'text',
  ipcMode: 'text',
  proxyConfiguration: structure({ containerName: 'text', type: 'text', properties: variables }, { required: ['containerName'] }),
  inferenceAccelerators: list(structure({ deviceName: 'text', deviceType: 'text' }, { required: ['deviceName', 'deviceType'] })),
  ephemeralStorage: structure({ sizeInGiB: 'whole' }, { required: ['sizeInGiB'] }),
  runtimePlatform: structure({ cpuArchitecture: 'text', operatingSystemFamily: 'text' }),
  enableFaultInjection: 'flag',
});

/** Without what says nothing and breaks a registration: nulls anywhere, and empty text and objects where members are known. */
export function tidied(value: Json, shape: Shape = 'any'): Json {
  if (isList(value)) {
    const of = isKind(shape, 'list') ? shape.of : 'any';
    return value.filter((inner) => inner !== null).map((inner) => tidied(inner, of));
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([name, given]): [string, Json][] => {
    if (given === undefined || given === null) return [];
    const inner = tidied(given, memberOf(shape, name));
    return isKind(shape, 'structure') && isBlank(inner) && !shape.mayBeEmpty.includes(name) ? [] : [[name, inner]];
  });
  return Object.fromEntries(entries);
}

function isBlank(value: Json): boolean {
  return value === '' || (isObject(value) && Object.keys(value).length === 0);
}

/** What is of another type than ECS takes, or missing. */
export function typeFindings(value: Json, shape: Shape, path: JsonPath = []): readonly Finding[] {
  const finding = (problem: string): readonly Finding[] => [{ path, problem }];
  switch (shape) {
    case 'any':
      return [];
    case 'text':
      if (typeof value === 'string') return [];
      return finding(typeof value === 'object' ? 'must be text' : 'must be text: quote it, so that it is clear what is meant');
    case 'whole':
      if (Number.isSafeInteger(value)) return [];
      return finding(typeof value === 'string' ? 'must be a whole number, without quotes' : 'must be a whole number');
    case 'flag':
      return typeof value === 'boolean' ? [] : finding('must be true or false, without quotes');
  }
  switch (shape.kind) {
    case 'list':
      if (!isList(value)) return finding(`must be a list${elementsIn(shape.of)}`);
      return value.flatMap((inner, index) => typeFindings(inner, shape.of, [...path, index]));
    case 'map':
    case 'structure':
      if (!isObject(value)) return finding('must be an object');
      return [...membersFindings(value, shape, path), ...missing(value, shape, path)];
  }
}

function membersFindings(value: JsonObject, shape: Shape, path: JsonPath): readonly Finding[] {
  return Object.entries(value).flatMap(([name, inner]) => typeFindings(inner ?? null, memberOf(shape, name), [...path, name]));
}

function missing(value: JsonObject, shape: Shape, path: JsonPath): readonly Finding[] {
  if (!isKind(shape, 'structure')) return [];
  return shape.required.filter((name) => value[name] === undefined).map((name) => ({ path: [...path, name], problem: 'is missing' }));
}

/** ` of objects with name and value`. */
function elementsIn(shape: Shape): string {
  if (!isKind(shape, 'structure')) return '';
  const names = Object.keys(shape.members);
  return ` of objects with ${(names.length > 2 && shape.required.length > 0 ? shape.required : names.slice(0, 2)).join(' and ')}`;
}

/** Members that nobody knows: misspelt ones, or newer than this table. */
export function strangers(value: Json, shape: Shape = taskDefinitionShape, path: JsonPath = []): readonly Stranger[] {
  if (isList(value)) {
    const of = isKind(shape, 'list') ? shape.of : 'any';
    return value.flatMap((inner, index) => strangers(inner, of, [...path, index]));
  }
  if (!isObject(value) || !isKind(shape, 'structure')) return [];
  const known = Object.keys(shape.members);
  return Object.entries(value).flatMap(([name, inner]) =>
    known.includes(name) ? strangers(inner ?? null, memberOf(shape, name), [...path, name]) : [{ path: [...path, name], name, known }],
  );
}

export interface Stranger {
  readonly path: JsonPath;
  readonly name: string;
  /** What may stand in its place. */
  readonly known: readonly string[];
}

function memberOf(shape: Shape, name: string): Shape {
  if (isKind(shape, 'map')) return shape.of;
  return (isKind(shape, 'structure') ? shape.members[name] : undefined) ?? 'any';
}

function isKind<K extends 'list' | 'map' | 'structure'>(shape: Shape, kind: K): shape is Extract<Shape, { kind: K }> {
  return typeof shape === 'object' && shape.kind === kind;
}
