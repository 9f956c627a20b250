/**
 * AppSpecs for ECS: version 0.0, one TargetService, hooks.
 *
 *   version: 0.0
 *   Resources:
 *     - TargetService:                  # any name; one resource only: a group deploys one service
 *         Type: AWS::ECS::Service
 *         Properties:
 *           TaskDefinition: <ARN>
 *           LoadBalancerInfo: {ContainerName: <text>, ContainerPort: <number>}
 *           PlatformVersion: <text>                                                              # optional
 *           NetworkConfiguration: {AwsvpcConfiguration: {Subnets, SecurityGroups, AssignPublicIp}}   # optional, all three or none
 *           CapacityProviderStrategy: [{CapacityProvider, Base, Weight}]                         # optional
 *   Hooks: [{<one of five events>: <Lambda function>}]                                           # optional
 *
 * Keys may be spelled in any case, as AWS's own CLI and action take them. What is not known here stays as it is.
 * Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html, …-hooks.html
 */
import { elements, isList, isObject, textOf, type Finding, type Json, type JsonObject, type JsonPath } from './json.ts';
import { running, type CapacityProvider, type Launch, type LiveService, type Network } from './live-service.ts';
import { containerNames, mappedPorts, type TaskDefinition } from './task-definition.ts';

/** The hooks that ECS deployments know, in their order. */
export const hookNames = ['BeforeInstall', 'AfterInstall', 'AfterAllowTestTraffic', 'BeforeAllowTraffic', 'AfterAllowTraffic'] as const;

const serviceType = 'AWS::ECS::Service';

interface Found {
  readonly value: Json | undefined;
  readonly path: JsonPath;
}

/** A member by its name in any case, and where it stands; a member that is not there stands where it would be. */
function member({ value, path }: Found, name: string): Found {
  const key = isObject(value) ? Object.keys(value).find((one) => one.toLowerCase() === name.toLowerCase()) : undefined;
  return key === undefined || !isObject(value) ? { value: undefined, path: [...path, name] } : { value: value[key], path: [...path, key] };
}

/** Members of these names that are given twice, in two spellings: which one counts nobody says. */
function doubles(found: Found, ...names: readonly string[]): Finding[] {
  const keys = isObject(found.value) ? Object.keys(found.value) : [];
  return names.flatMap((name) => {
    const [first, ...others] = keys.filter((key) => key.toLowerCase() === name.toLowerCase());
    return others.map((key) => ({ path: [...found.path, key], problem: `is given twice, as ${first ?? ''} too: keep one of them` }));
  });
}

function items({ value, path }: Found): readonly Found[] {
  return elements(value).map((inner, index) => ({ value: inner, path: [...path, index] }));
}

const finding = ({ path }: Found, problem: string): Finding => ({ path, problem });
const isAbsent = ({ value }: Found): boolean => value === undefined || value === null;

/** The properties of the one service; its path is right only where `lintAppSpec` found nothing. */
function properties(document: Json): Found {
  const [resource] = items(member({ value: document, path: [] }, 'Resources'));
  const name = isObject(resource?.value) ? Object.keys(resource.value)[0] : undefined;
  return member(member(resource ?? { value: undefined, path: ['Resources', 0] }, name ?? 'TargetService'), 'Properties');
}

/** Where the task definition's ARN stands, or would stand. */
export function taskDefinitionPath(document: Json): JsonPath {
  return member(properties(document), 'TaskDefinition').path;
}

/** The task definition's ARN; empty where the document names none. */
export function taskDefinitionOf(document: Json): string {
  return textOf(member(properties(document), 'TaskDefinition').value);
}

/** Everything in a document that is against the grammar. */
export function lintAppSpec(document: Json): readonly Finding[] {
  const root: Found = { value: document, path: [] };
  if (!isObject(document)) return [finding(root, 'is not an AppSpec: it must be an object with version and Resources')];
  return [
    ...doubles(root, 'version', 'Resources', 'Hooks'),
    ...versionFindings(member(root, 'version')),
    ...resourceFindings(member(root, 'Resources')),
    ...hookFindings(member(root, 'Hooks')),
  ];
}

function versionFindings(version: Found): Finding[] {
  return version.value === 0 || version.value === '0.0' ? [] : [finding(version, 'must be 0.0, the only version there is')];
}

function resourceFindings(resources: Found): Finding[] {
  if (isAbsent(resources)) return [finding(resources, 'is missing: it must be a list with one TargetService')];
  if (!isList(resources.value)) return [finding(resources, 'must be a list: write "- TargetService:" below it')];
  const services = items(resources).flatMap((item) =>
    isObject(item.value) ? Object.keys(item.value).map((name) => member(item, name)) : [item],
  );
  const [service, second] = services;
  if (!service) return [finding(resources, 'is empty: it must hold one TargetService')];
  if (second) {
    return [
      finding(second, `is a second service, and a deployment group deploys one; give each service an AppSpec and a deployment of its own`),
    ];
  }
  return serviceFindings(service);
}

function serviceFindings(service: Found): Finding[] {
  if (!isObject(service.value)) return [finding(service, 'must be an object with Type and Properties')];
  const type = member(service, 'Type');
  const typeFindings = [
    ...doubles(service, 'Type', 'Properties'),
    ...(type.value === serviceType ? [] : [finding(type, `must be ${serviceType}`)]),
  ];
  const found = member(service, 'Properties');
  if (!isObject(found.value)) return [...typeFindings, finding(found, 'must be an object with TaskDefinition and LoadBalancerInfo')];
  const taskDefinition = member(found, 'TaskDefinition');
  return [
    ...typeFindings,
    ...doubles(found, 'TaskDefinition', 'LoadBalancerInfo', 'PlatformVersion', 'NetworkConfiguration', 'CapacityProviderStrategy'),
    ...(isAbsent(taskDefinition) || typeof taskDefinition.value === 'string' ? [] : [finding(taskDefinition, 'must be text')]),
    ...loadBalancerFindings(member(found, 'LoadBalancerInfo')),
    ...textFindings(member(found, 'PlatformVersion')),
    ...networkFindings(member(found, 'NetworkConfiguration')),
    ...capacityFindings(member(found, 'CapacityProviderStrategy')),
  ];
}

function textFindings(found: Found): Finding[] {
  return isAbsent(found) || typeof found.value === 'string' ? [] : [finding(found, 'must be text: quote it')];
}

function loadBalancerFindings(info: Found): Finding[] {
  if (isList(info.value)) return [finding(info, 'must be an object, not a list: CodeDeploy rejects a list without saying why')];
  if (!isObject(info.value)) return [finding(info, 'must be an object with ContainerName and ContainerPort')];
  const name = member(info, 'ContainerName');
  const port = member(info, 'ContainerPort');
  return [
    ...doubles(info, 'ContainerName', 'ContainerPort'),
    ...(typeof name.value === 'string' && name.value !== ''
      ? []
      : [finding(name, 'must be the name of the container that takes the traffic')]),
    ...(isWhole(port.value, { least: 1, most: 65_535 }) ? [] : [finding(port, 'must be a port number from 1 to 65535, without quotes')]),
  ];
}

function networkFindings(network: Found): Finding[] {
  if (isAbsent(network)) return [];
  const vpc = member(network, 'AwsvpcConfiguration');
  if (!isObject(vpc.value)) return [finding(vpc, 'must be an object with Subnets, SecurityGroups and AssignPublicIp')];
  const publicIp = member(vpc, 'AssignPublicIp');
  return [
    ...doubles(network, 'AwsvpcConfiguration'),
    ...doubles(vpc, 'Subnets', 'SecurityGroups', 'AssignPublicIp'),
    ...idFindings(member(vpc, 'Subnets'), { most: 16 }),
    ...idFindings(member(vpc, 'SecurityGroups'), { most: 5 }),
    ...(publicIp.value === 'ENABLED' || publicIp.value === 'DISABLED'
      ? []
      : [finding(publicIp, 'must be ENABLED or DISABLED: a network configuration has all three settings or none')]),
  ];
}

function idFindings(ids: Found, { most }: { most: number }): Finding[] {
  const list = elements(ids.value);
  if (list.length >= 1 && list.length <= most && list.every((id) => typeof id === 'string')) return [];
  return [finding(ids, `must be a list of 1 to ${most} IDs: a network configuration has all three settings or none`)];
}

function capacityFindings(strategy: Found): Finding[] {
  if (isAbsent(strategy)) return [];
  if (!isList(strategy.value)) return [finding(strategy, 'must be a list of capacity providers')];
  const entries = items(strategy);
  const malformed = entries.flatMap((entry) => {
    const name = member(entry, 'CapacityProvider');
    return [
      ...doubles(entry, 'CapacityProvider', 'Base', 'Weight'),
      ...(typeof name.value === 'string' && name.value !== '' ? [] : [finding(name, 'must be the name of a capacity provider')]),
      ...amountFindings(member(entry, 'Base'), { most: 100_000 }),
      ...amountFindings(member(entry, 'Weight'), { most: 1_000 }),
    ];
  });
  const bases = entries.map((entry) => member(entry, 'Base')).filter(({ value }) => typeof value === 'number' && value > 0);
  const [, second] = bases;
  const isWeighted = entries.some((entry) => Number(member(entry, 'Weight').value ?? 0) > 0);
  return [
    ...malformed,
    ...(second ? [finding(second, 'is a second base: only one capacity provider may have one')] : []),
    ...(entries.length > 1 && !isWeighted ? [finding(strategy, 'must give at least one provider a Weight above 0')] : []),
  ];
}

function amountFindings(amount: Found, { most }: { most: number }): Finding[] {
  if (isAbsent(amount) || isWhole(amount.value, { least: 0, most })) return [];
  return [finding(amount, `must be a whole number from 0 to ${most}, without quotes`)];
}

function hookFindings(hooks: Found): Finding[] {
  if (isAbsent(hooks)) return [];
  if (!isList(hooks.value)) return [finding(hooks, 'must be a list: write "- BeforeInstall: <function>" below it')];
  return items(hooks).flatMap((item) => {
    const names = isObject(item.value) ? Object.keys(item.value) : [];
    if (names.length === 0) return [finding(item, 'must be an event and its Lambda function, as "BeforeInstall: <function>"')];
    return names.flatMap((name) => {
      const hook = member(item, name);
      if (!hookNames.some((known) => known.toLowerCase() === name.toLowerCase()))
        return [finding(hook, `is not an event of ECS deployments; those are ${hookNames.join(', ')}`)];
      return typeof hook.value === 'string' && hook.value !== '' ? [] : [finding(hook, 'must be the name or ARN of a Lambda function')];
    });
  });
}

function isWhole(value: Json | undefined, { least, most }: { least: number; most: number }): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

/** Whether the container that takes the traffic is in the task definition, and its port mapped there. */
export function lintAgainst({ document, definition }: { document: Json; definition: TaskDefinition }): readonly Finding[] {
  const info = member(properties(document), 'LoadBalancerInfo');
  const name = member(info, 'ContainerName');
  const port = member(info, 'ContainerPort');
  if (typeof name.value !== 'string' || typeof port.value !== 'number') return [];
  const names = containerNames(definition);
  if (!names.includes(name.value)) {
    return [
      finding(name, `is "${name.value}", which the task definition ${definition.family} lacks: its containers are ${names.join(', ')}`),
    ];
  }
  const ports = mappedPorts(definition, name.value);
  if (ports.includes(port.value)) return [];
  const mapped = ports.length === 0 ? 'maps no port' : `maps ${ports.join(', ')}`;
  return [finding(port, `is ${port.value}, but the container ${name.value} ${mapped} in the task definition ${definition.family}`)];
}

/**
 * An AppSpec with all that the service runs with, for CodeDeploy silently drops the capacity providers that an AppSpec omits (PEERS
 * pain 17); undefined where the service has no load balancer.
 */
export function synthesise(service: LiveService): JsonObject | undefined {
  const { loadBalancers, platformVersion, network, capacityProviders } = running(service);
  const [target] = loadBalancers.length > 0 ? loadBalancers : service.loadBalancers;
  if (!target) return undefined;
  return {
    version: '0.0',
    Resources: [
      {
        TargetService: {
          Type: serviceType,
          Properties: {
            TaskDefinition: '',
            LoadBalancerInfo: { ContainerName: target.containerName, ContainerPort: target.containerPort },
            ...(platformVersion !== undefined && { PlatformVersion: platformVersion }),
            ...networkProperty(network),
            ...(capacityProviders.length > 0 && { CapacityProviderStrategy: capacityProviders.map(capacityProperty) }),
          },
        },
      },
    ],
  };
}

/** All three settings or none: without security groups of its own the service's stay in force. */
function networkProperty(network: Network | undefined): JsonObject {
  if (!network || network.securityGroups.length === 0) return {};
  const { subnets, securityGroups, assignPublicIp = 'DISABLED' } = network;
  return {
    NetworkConfiguration: { AwsvpcConfiguration: { Subnets: subnets, SecurityGroups: securityGroups, AssignPublicIp: assignPublicIp } },
  };
}

function capacityProperty({ provider, base, weight }: CapacityProvider): JsonObject {
  // A base of 0 is none, and only one provider may have one.
  return { CapacityProvider: provider, ...(base !== undefined && base > 0 && { Base: base }), Weight: weight ?? 0 };
}

/**
 * What in a document is not as the service runs now, the task definition apart: a line each. What the document leaves out stays as
 * it is, the capacity providers excepted, which CodeDeploy drops.
 */
export function differencesFromLive({ document, service }: { document: Json; service: LiveService }): readonly string[] {
  const live = running(service);
  const found = properties(document);
  const info = member(found, 'LoadBalancerInfo');
  const platform = member(found, 'PlatformVersion');
  return [
    ...differing('container', {
      is: `${textOf(member(info, 'ContainerName').value)}:${textOf(member(info, 'ContainerPort').value)}`,
      was: (live.loadBalancers.length > 0 ? live : service).loadBalancers.map((each) => `${each.containerName}:${each.containerPort}`),
    }),
    ...(isAbsent(platform) ? [] : differing('platform version', { is: textOf(platform.value), was: [live.platformVersion ?? 'LATEST'] })),
    ...networkDifferences({ network: member(found, 'NetworkConfiguration'), live }),
    ...differing('capacity providers', {
      is: items(member(found, 'CapacityProviderStrategy'))
        .map((entry) => capacityText(entry))
        .sort()
        .join(', '),
      was: [
        live.capacityProviders
          .map(({ provider, base, weight }) => `${provider} base ${base ?? 0} weight ${weight ?? 0}`)
          .sort()
          .join(', '),
      ],
    }),
  ];
}

function capacityText(entry: Found): string {
  const [name, base, weight] = ['CapacityProvider', 'Base', 'Weight'].map((key) => member(entry, key).value);
  return `${textOf(name)} base ${textOf(base ?? 0)} weight ${textOf(weight ?? 0)}`;
}

function networkDifferences({ network, live }: { network: Found; live: Launch }): string[] {
  if (isAbsent(network)) return [];
  const vpc = member(network, 'AwsvpcConfiguration');
  const list = (name: string): string => elements(member(vpc, name).value).map(textOf).sort().join(', ');
  const { subnets = [], securityGroups = [], assignPublicIp = 'DISABLED' } = live.network ?? {};
  return [
    ...differing('subnets', { is: list('Subnets'), was: [[...subnets].sort().join(', ')] }),
    ...differing('security groups', { is: list('SecurityGroups'), was: [[...securityGroups].sort().join(', ')] }),
    ...differing('public IP', { is: textOf(member(vpc, 'AssignPublicIp').value), was: [assignPublicIp] }),
  ];
}

function differing(what: string, { is, was }: { is: string; was: readonly string[] }): string[] {
  return was.includes(is) ? [] : [`${what}: ${was.join(', ') || 'none'} → ${is || 'none'}`];
}

/**
 * The text of an AppSpec that we made. The version is written as the documentation's JSON examples have it, `0.0`, which a JSON
 * writer would make `0`.
 */
export function appSpecText(document: JsonObject, { taskDefinition }: { taskDefinition: string }): string {
  const path = taskDefinitionPath(document);
  const filled = replaced(document, path, taskDefinition);
  return JSON.stringify(filled, undefined, 2).replace('"version": "0.0"', '"version": 0.0');
}

function replaced(value: Json | undefined, [step, ...rest]: JsonPath, replacement: Json): Json {
  if (step === undefined) return replacement;
  if (typeof step === 'number') return elements(value).map((inner, index) => (index === step ? replaced(inner, rest, replacement) : inner));
  return isObject(value) ? { ...value, [step]: replaced(value[step], rest, replacement) } : (value ?? null);
}
