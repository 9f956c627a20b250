/**
 * Task definitions: what RegisterTaskDefinition takes, with everything in it that we do not know.
 *
 * What DescribeTaskDefinition adds is stripped, and the empty values that break a registration with an opaque message ("Unrecognized
 * collection type") are taken out (PEERS pain 24); what is of the wrong type is found (task-definition-shape.ts).
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html, API_TaskDefinition.html
 */
import { formatImage, parseImageReference, type Digest, type RepositoryName } from './image.ts';
import { canonical, elements, formatPath, isList, isObject, textOf, type Finding, type Json, type JsonObject } from './json.ts';
import type { Platform } from './oci.ts';
import { bad, ok, type Parsed } from './parsed.ts';
import { strangers, taskDefinitionShape, tidied, typeFindings, type Stranger } from './task-definition-shape.ts';

/** Ready to be registered. */
export interface TaskDefinition extends JsonObject {
  readonly family: string;
  readonly containerDefinitions: readonly Container[];
}

export interface Container extends JsonObject {
  readonly name: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** An image as it is deployed: always by digest. */
export interface PinnedImage {
  readonly host: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** What ECS says of a registered task definition and does not take back. */
const readOnlyFields = [
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'deleteRequestedAt',
  'registeredBy',
] as const;

/** The quotas: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
const mostBytes = 64 * 1024;
const mostContainers = 10;

export type TaskDefinitionReading =
  { readonly ok: true; readonly definition: TaskDefinition } | { readonly ok: false; readonly findings: readonly Finding[] };

/**
 * Reads a document, or what ECS described, as a task definition to register.
 * @param family taken where the document names none: the live one's
 */
export function readTaskDefinition(document: Json, { family }: { family?: string } = {}): TaskDefinitionReading {
  if (!isObject(document)) return { ok: false, findings: [{ path: [], problem: 'is not a task definition: it must be an object' }] };
  const cleaned = registrable(document);
  const named = cleaned['family'] ?? family;
  const definition: JsonObject = { ...cleaned, ...(named !== undefined && { family: named }) };
  const typed = typeFindings(definition, taskDefinitionShape);
  const wrong = new Set(typed.map(({ path }) => formatPath(path)));
  const others = [...familyFindings(definition), ...containerFindings(definition), ...sizeFindings(definition)];
  const findings = [...typed, ...others.filter(({ path }) => !wrong.has(formatPath(path)))];
  return findings.length > 0 ? { ok: false, findings } : { ok: true, definition: definition as TaskDefinition };
}

/** Members that a file has and ECS, as far as we know it, does not take: misspelt ones, or newer than this action. */
export function unknownMembers(document: Json): readonly Stranger[] {
  return strangers(document).filter(({ path: [name, ...rest] }) => rest.length > 0 || !readOnlyFields.some((field) => field === name));
}

/** What ECS takes back of what it said, without what says nothing. */
function registrable(document: JsonObject): JsonObject {
  const entries = Object.entries(document).filter(([name]) => !readOnlyFields.some((field) => field === name));
  const cleaned = tidied(Object.fromEntries(entries), taskDefinitionShape);
  if (!isObject(cleaned)) return {};
  const { tags, cpu, memory, containerDefinitions, ...rest } = cleaned;
  return {
    ...rest,
    // ECS takes these two as text only; YAML authors write numbers.
    ...(cpu !== undefined && { cpu: typeof cpu === 'number' ? textOf(cpu) : cpu }),
    ...(memory !== undefined && { memory: typeof memory === 'number' ? textOf(memory) : memory }),
    // "Tags can not be empty."
    ...(tags !== undefined && !(isList(tags) && tags.length === 0) && { tags }),
    ...(containerDefinitions !== undefined && {
      containerDefinitions: isList(containerDefinitions) ? containerDefinitions.map(withValues) : containerDefinitions,
    }),
  };
}

/** A variable without a value is an empty one; a whole number is its text. */
function withValues(container: Json): Json {
  if (!isObject(container) || !isList(container['environment'])) return container;
  const environment = container['environment'].map((variable): Json => {
    if (!isObject(variable)) return variable;
    const value = variable['value'] ?? '';
    return { ...variable, value: Number.isSafeInteger(value) ? textOf(value) : value };
  });
  return { ...container, environment };
}

function familyFindings({ family }: JsonObject): Finding[] {
  const isFamily = typeof family === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(family);
  return isFamily ? [] : [{ path: ['family'], problem: 'must be a name of 1 to 255 letters, digits, "-" or "_"' }];
}

function containerFindings({ containerDefinitions }: JsonObject): Finding[] {
  const at = ['containerDefinitions'];
  if (!isList(containerDefinitions) || containerDefinitions.length === 0) {
    return [{ path: at, problem: 'must be a list of at least one container' }];
  }
  const names = new Set<string>();
  const tooMany = containerDefinitions.length > mostContainers;
  return [
    ...(tooMany ? [{ path: at, problem: `has ${containerDefinitions.length} containers, and ECS takes ${mostContainers} at most` }] : []),
    ...containerDefinitions.flatMap((container, index): Finding[] => {
      if (!isObject(container)) return [];
      const path = [...at, index, 'name'];
      const { name } = container;
      if (typeof name !== 'string') return [{ path, problem: 'must be the name of the container' }];
      if (names.has(name)) return [{ path, problem: `is "${name}", as another container's: names are unique` }];
      names.add(name);
      return [];
    }),
  ];
}

/** What ECS would not take of a definition that has its images and its environment. */
export function registrationFindings(definition: TaskDefinition): readonly Finding[] {
  const nameless = definition.containerDefinitions.flatMap(({ image }, index): Finding[] =>
    typeof image === 'string' && image.trim() !== '' ? [] : [{ path: ['containerDefinitions', index, 'image'], problem: 'is missing' }],
  );
  return [...nameless, ...sizeFindings(definition, ' with environment-variables and images in it')];
}

/** What a definition weighs, as ECS counts it: its JSON in UTF-8. */
function sizeFindings(definition: JsonObject, state = ''): Finding[] {
  const bytes = new TextEncoder().encode(JSON.stringify(definition)).length;
  if (bytes <= mostBytes) return [];
  return [
    { path: [], problem: `has ${bytes} bytes as JSON${state}, and ECS takes ${mostBytes} at most; move environment values to an env file` },
  ];
}

export function containerNames(definition: TaskDefinition): readonly string[] {
  return definition.containerDefinitions.map(({ name }) => name);
}

/**
 * The container that gets the image: the one that is wanted by name, else the one that already runs this repository (in any
 * registry), else the only essential one.
 */
export function chooseContainer({
  definition,
  repository,
  wanted,
}: {
  definition: TaskDefinition;
  repository: RepositoryName | undefined;
  wanted: string | undefined;
}): Parsed<string> {
  const names = containerNames(definition);
  const candidates = `its containers are ${names.join(', ')}`;
  if (wanted !== undefined) {
    return names.includes(wanted) ? ok(wanted) : bad(`"${wanted}" is not in the task definition ${definition.family}: ${candidates}`);
  }
  const here = definition.containerDefinitions.filter((container) => repository !== undefined && repositoryOf(container) === repository);
  const essential = definition.containerDefinitions.filter((container) => container['essential'] !== false);
  const [only, ...others] = here.length > 0 ? here : essential;
  if (only && others.length === 0) return ok(only.name);
  const why = here.length > 0 ? `several containers of ${definition.family} run ${repository ?? ''}` : `${definition.family} has several`;
  return bad(`is needed: ${why}, and it can't be known which gets the image; ${candidates}`);
}

function repositoryOf({ image }: Container): string | undefined {
  if (typeof image !== 'string') return undefined;
  // An image without a tag is legal in a task definition.
  const reference = [image, `${image}:latest`].map(parseImageReference).find((parsed) => parsed.ok);
  return reference?.ok ? reference.value.repository : undefined;
}

/** More tags than this ECS takes of no resource. */
const mostTags = 50;

/** With tags of ours in place of those of the same keys; without, where there is no room for them. */
export function withTags(definition: TaskDefinition, tags: readonly Tag[]): TaskDefinition {
  const others = elements(definition['tags']).filter((tag) => !isObject(tag) || !tags.some(({ key }) => key === tag['key']));
  const tagged = { ...definition, tags: [...others, ...tags.map(({ key, value }) => ({ key, value }))] };
  return tagged.tags.length <= mostTags && sizeFindings(tagged).length === 0 ? tagged : definition;
}

/** A container and the image that it gets. */
export interface ContainerImage {
  readonly container: string;
  readonly image: PinnedImage;
}

export function withImages(definition: TaskDefinition, images: readonly ContainerImage[]): TaskDefinition {
  return images.reduce(
    (changed, { container, image }) =>
      withContainer(changed, { name: container, change: (before) => ({ ...before, image: formatImage(image) }) }),
    definition,
  );
}

/** The environment merged by name: a variable that is there already keeps its place (RULES 6.11). */
export function withEnvironment(
  definition: TaskDefinition,
  { container, variables }: { container: string; variables: readonly (readonly [name: string, value: string])[] },
): TaskDefinition {
  if (variables.length === 0) return definition;
  const wanted = new Map(variables);
  const merge = (before: Container): Container => {
    const present = elements(before['environment']).map((variable) => {
      const name = isObject(variable) && typeof variable['name'] === 'string' ? variable['name'] : '';
      const value = wanted.get(name);
      wanted.delete(name);
      return value === undefined ? variable : { name, value };
    });
    return { ...before, environment: [...present, ...[...wanted].map(([name, value]) => ({ name, value }))] };
  };
  return withContainer(definition, { name: container, change: merge });
}

/** Variables that the container has as secrets: ECS refuses a name that is both. */
export function secretsAmong({
  definition,
  container,
  names,
}: {
  definition: TaskDefinition;
  container: string;
  names: readonly string[];
}): readonly string[] {
  const secrets = elements(definition.containerDefinitions.find(({ name }) => name === container)?.['secrets']);
  return names.filter((name) => secrets.some((secret) => isObject(secret) && secret['name'] === name));
}

function withContainer(
  definition: TaskDefinition,
  { name, change }: { name: string; change: (container: Container) => Container },
): TaskDefinition {
  return {
    ...definition,
    containerDefinitions: definition.containerDefinitions.map((container) => (container.name === name ? change(container) : container)),
  };
}

/** The ports that a container maps. */
export function mappedPorts(definition: TaskDefinition, container: string): readonly number[] {
  const mappings = elements(definition.containerDefinitions.find(({ name }) => name === container)?.['portMappings']);
  return mappings.flatMap((mapping) =>
    isObject(mapping) && typeof mapping['containerPort'] === 'number' ? [mapping['containerPort']] : [],
  );
}

/**
 * The platform that the tasks run on; undefined where nothing says it (EC2 takes what its instances are).
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html
 */
export function platformWish(definition: TaskDefinition): Platform | undefined {
  const wish = definition['runtimePlatform'];
  const onFargate = elements(definition['requiresCompatibilities']).includes('FARGATE');
  if (!isObject(wish) && !onFargate) return undefined;
  const { cpuArchitecture = 'X86_64', operatingSystemFamily = 'LINUX' } = isObject(wish) ? wish : {};
  return {
    os: textOf(operatingSystemFamily).startsWith('WINDOWS') ? 'windows' : 'linux',
    architecture: cpuArchitecture === 'ARM64' ? 'arm64' : 'amd64',
  };
}

/** The family of a file that is not the live one's, in words; the group would deploy it all the same (RULES 6.10). */
export function familyWarning({ definition, live }: { definition: TaskDefinition; live: string }): string | undefined {
  const family = live.replace(/^.*\//, '').replace(/:\d+$/, '');
  return definition.family === family
    ? undefined
    : `The task definition's family is ${definition.family}, but the service runs ${family}: a new family begins.`;
}

/** Whether two definitions mean the same to ECS: order, defaults and empty lists don't count. */
export function sameDefinition(one: TaskDefinition, other: TaskDefinition): boolean {
  return canonical(normalised(one)) === canonical(normalised(other));
}

/** What differs, a line each. Values of environment variables and of log options are named, never printed (RULES 5.19). */
export function differences({ before, after }: { before: TaskDefinition; after: TaskDefinition }): readonly string[] {
  const old = leaves(normalised(before));
  const now = leaves(normalised(after));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const was = old.get(path);
    const is = now.get(path);
    if (was === is) return [];
    const hidden = /\.environment\.|\.logConfiguration\.options\./.test(path);
    if (was === undefined) return [`+ ${path}${hidden ? '' : `: ${is ?? ''}`}`];
    if (is === undefined) return [`- ${path}${hidden ? '' : `: ${was}`}`];
    return [`~ ${path}: ${hidden ? 'changed' : `${was} → ${is}`}`];
  });
}

/** What each container runs, of a definition as ECS describes it. */
export function imagesOf({ containerDefinitions }: JsonObject): readonly { readonly container: string; readonly uri: string }[] {
  return elements(containerDefinitions).flatMap((container) =>
    isObject(container) ? [{ container: textOf(container['name']), uri: textOf(container['image']) }] : [],
  );
}

/** The same of two definitions as ECS describes them. */
export function describedDifferences({ before, after }: { before: JsonObject; after: JsonObject }): readonly string[] {
  const [old, now] = [readTaskDefinition(before), readTaskDefinition(after)];
  return old.ok && now.ok ? differences({ before: old.definition, after: now.definition }) : [];
}

/** What ECS fills in, so that its absence means the same. */
function normalised(definition: TaskDefinition): JsonObject {
  const { containerDefinitions, tags: _tags, ...rest } = registrable(definition);
  const awsvpc = rest['networkMode'] === 'awsvpc';
  return {
    ...withoutEmptyLists(rest),
    ...(rest['cpu'] !== undefined && { cpu: units(rest['cpu']) }),
    ...(rest['memory'] !== undefined && { memory: units(rest['memory']) }),
    requiresCompatibilities: [...elements(rest['requiresCompatibilities'])].sort(),
    containers: byName(elements(containerDefinitions).map((container) => normalisedContainer({ container, awsvpc }))),
  };
}

function normalisedContainer({ container, awsvpc }: { container: Json; awsvpc: boolean }): Json {
  if (!isObject(container)) return container;
  const { environment, secrets, portMappings, ...rest } = container;
  return {
    cpu: 0,
    essential: true,
    ...withoutEmptyLists(rest),
    environment: byName(elements(environment)),
    secrets: byName(elements(secrets)),
    portMappings: elements(portMappings).map((mapping) => {
      if (!isObject(mapping)) return mapping;
      return { protocol: 'tcp', ...(awsvpc && { hostPort: mapping['containerPort'] }), ...mapping };
    }),
  };
}

/** A list whose order means nothing, as an object by the names in it. */
function byName(list: readonly Json[]): JsonObject {
  return Object.fromEntries(
    list.map((each, index) => [isObject(each) && typeof each['name'] === 'string' ? each['name'] : `[${index}]`, each]),
  );
}

function withoutEmptyLists(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !(isList(value) && value.length === 0)));
}

/** `512`, `.5 vCPU` or `0.5 GB` in ECS's units. */
function units(value: Json): Json {
  const match = /^\s*(\d*\.?\d+)\s*(vcpu|gb)\s*$/i.exec(textOf(value));
  return match ? String(Number(match[1]) * 1024) : value;
}

/** Every value by its dotted path; containers, variables and secrets by their names. */
function leaves(value: Json | undefined, path = ''): Map<string, string> {
  if (isObject(value)) {
    return new Map(Object.entries(value).flatMap(([name, inner]) => [...leaves(inner, path === '' ? name : `${path}.${name}`)]));
  }
  if (isList(value)) return new Map(value.flatMap((inner, index) => [...leaves(inner, `${path}[${index}]`)]));
  return new Map<string, string>(value === undefined ? [] : [[path, textOf(value)]]);
}
