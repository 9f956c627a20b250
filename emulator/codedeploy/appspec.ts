/**
 * The AppSpec for ECS in a JSON or YAML text.
 * https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
 */
import { parse } from 'yaml';
import { badRevision } from './revision.ts';
import { isRecord } from '../json.ts';
import { HOOKS, isHook } from '../life/events.ts';
import type { HookName } from '../life/events.ts';
import type { Json } from '../service.ts';

/** What an AppSpec for ECS says. */
export interface AppSpec {
  readonly taskDefinition: string;
  readonly containerName: string;
  readonly containerPort: number;
  readonly platformVersion?: string;
  readonly networkConfiguration?: Json;
  readonly capacityProviderStrategy?: readonly Json[];
  readonly hooks: Partial<Record<HookName, string>>;
}

/** A member by its name in any case: AWS's own CLI and action send `taskDefinition` as well as `TaskDefinition`. */
const anyCase = (json: Json, name: string): unknown =>
  Object.entries(json).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? undefined;

const stringOf = (json: Json, name: string): string | undefined => {
  const value = anyCase(json, name);
  if (value !== undefined && typeof value !== 'string') throw badRevision(`AppSpec: ${name} must be a string`);
  return value;
};

const objectOf = (json: Json, name: string): Json | undefined => {
  const value = anyCase(json, name);
  if (value !== undefined && !isRecord(value)) throw badRevision(`AppSpec: ${name} has an invalid format`);
  return value;
};

export const appSpecOf = (content: string): AppSpec => {
  let document: unknown;
  try {
    document = parse(content);
  } catch {
    throw badRevision('The AppSpec content is neither valid YAML nor valid JSON');
  }
  if (!isRecord(document)) throw badRevision('The AppSpec content must be an object');
  const version = anyCase(document, 'version');
  if (version !== 0 && version !== '0.0' && version !== '0') throw badRevision('The only supported AppSpec version is 0.0');
  const resources = anyCase(document, 'Resources');
  if (!Array.isArray(resources) || resources.length !== 1)
    throw badRevision('The AppSpec must have exactly one resource in its Resources section');
  const [resource] = resources as readonly unknown[];
  const named = isRecord(resource) ? Object.values(resource) : [];
  const [target] = named;
  if (named.length !== 1 || !isRecord(target)) throw badRevision('The resource of the AppSpec must have one name');
  if (stringOf(target, 'Type') !== 'AWS::ECS::Service')
    throw badRevision('The resource type of an Amazon ECS AppSpec must be AWS::ECS::Service');
  const properties = objectOf(target, 'Properties') ?? {};
  const taskDefinition = stringOf(properties, 'TaskDefinition');
  if (taskDefinition === undefined || taskDefinition === '') throw badRevision('AppSpec: TaskDefinition is required');
  const balancer = objectOf(properties, 'LoadBalancerInfo');
  const containerName = balancer && stringOf(balancer, 'ContainerName');
  const containerPort = balancer && anyCase(balancer, 'ContainerPort');
  if (containerName === undefined || containerName === '') throw badRevision('AppSpec: ContainerName is required');
  if (typeof containerPort !== 'number') throw badRevision('AppSpec: ContainerPort is required, and is a number');
  const platformVersion = stringOf(properties, 'PlatformVersion');
  const network = objectOf(properties, 'NetworkConfiguration');
  const strategy = anyCase(properties, 'CapacityProviderStrategy');
  return {
    taskDefinition,
    containerName,
    containerPort,
    ...(platformVersion !== undefined && { platformVersion }),
    ...(network && { networkConfiguration: networkOf(network) }),
    ...(strategy !== undefined && { capacityProviderStrategy: strategyOf(strategy) }),
    hooks: hooksOf(anyCase(document, 'Hooks')),
  };
};

/** All three members or none. */
const networkOf = (network: Json): Json => {
  const awsvpc = objectOf(network, 'AwsvpcConfiguration') ?? {};
  const subnets = anyCase(awsvpc, 'Subnets');
  const securityGroups = anyCase(awsvpc, 'SecurityGroups');
  const assignPublicIp = stringOf(awsvpc, 'AssignPublicIp');
  if (!Array.isArray(subnets) || !Array.isArray(securityGroups) || assignPublicIp === undefined) {
    throw badRevision('AppSpec: AwsvpcConfiguration needs Subnets, SecurityGroups and AssignPublicIp');
  }
  if (assignPublicIp !== 'ENABLED' && assignPublicIp !== 'DISABLED')
    throw badRevision('AppSpec: AssignPublicIp must be ENABLED or DISABLED');
  return { awsvpcConfiguration: { subnets: subnets as unknown[], securityGroups: securityGroups as unknown[], assignPublicIp } };
};

const strategyOf = (strategy: unknown): Json[] => {
  if (!Array.isArray(strategy) || strategy.length === 0) throw badRevision('AppSpec: CapacityProviderStrategy must be a list');
  const items = (strategy as readonly unknown[]).map((item) => {
    if (!isRecord(item)) throw badRevision('AppSpec: CapacityProviderStrategy has an invalid format');
    const capacityProvider = stringOf(item, 'CapacityProvider');
    const base = anyCase(item, 'Base') ?? 0;
    const weight = anyCase(item, 'Weight') ?? 0;
    if (capacityProvider === undefined || typeof base !== 'number' || typeof weight !== 'number') {
      throw badRevision('AppSpec: CapacityProviderStrategy has an invalid format');
    }
    return { capacityProvider, weight, base };
  });
  if (items.filter(({ base }) => base > 0).length > 1) throw badRevision('AppSpec: only one capacity provider can have a base');
  if (items.length > 1 && items.every(({ weight }) => weight === 0))
    throw badRevision('AppSpec: a capacity provider must have a weight above 0');
  return items;
};

const hooksOf = (hooks: unknown): Partial<Record<HookName, string>> => {
  if (hooks === undefined) return {};
  if (!Array.isArray(hooks)) throw badRevision('AppSpec: Hooks must be a list');
  const found: Partial<Record<HookName, string>> = {};
  for (const hook of hooks as readonly unknown[]) {
    const [entry, ...more] = isRecord(hook) ? Object.entries(hook) : [];
    const [name, lambda] = entry ?? ['', undefined];
    if (more.length > 0 || !isHook(name) || typeof lambda !== 'string' || lambda === '') {
      throw badRevision(`AppSpec: each hook is one of ${HOOKS.join(', ')} with a Lambda function`);
    }
    found[name] = lambda;
  }
  return found;
};
