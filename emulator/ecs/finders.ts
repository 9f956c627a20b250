/** What a request to ECS is about, by name or ARN. What is not there is the fault that ECS answers. */
import { text } from '../coral.ts';
import { client, invalid } from './checks.ts';
import type { ClusterRecord } from './cluster.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import type { EcsState } from './state.ts';
import type { TaskDefinitionRecord } from './task-definition.ts';
import { AwsFault } from '../service.ts';
import type { Call, Json } from '../service.ts';

/** A cluster's name from a name, an ARN or nothing (`default`); an ARN of another account or Region is refused as ECS does. */
export const clusterName = (input: Json, scope: Scope): string => {
  const given = text(input, 'cluster') ?? 'default';
  const arn = /^arn:[^:]+:ecs:([^:]+):(\d{12}):cluster\/(.+)$/.exec(given);
  if (!arn) return given;
  if (arn[2] !== scope.account) throw invalid(`Invalid identifier: Identifier is for ${arn[2] ?? ''}. Your accountId is ${scope.account}`);
  if (arn[1] !== scope.region) throw invalid(`Invalid identifier: Identifier is for ${arn[1] ?? ''}. Your region is ${scope.region}`);
  return arn[3] ?? given;
};

/** `name`, `arn:…:service/cluster/name` or the old `arn:…:service/name`; undefined where the ARN is of elsewhere. */
export const serviceName = (given: string, scope: Scope, cluster: string): string | undefined => {
  const arn = /^arn:[^:]+:ecs:([^:]+):(\d{12}):service\/(?:([^/]+)\/)?([^/]+)$/.exec(given);
  if (!arn) return given;
  const here = arn[1] === scope.region && arn[2] === scope.account && (arn[3] === undefined || arn[3] === cluster);
  return here ? arn[4] : undefined;
};

export const ecsFinders = (state: EcsState) => {
  const clusterOf = (input: Json, call: Call): ClusterRecord => {
    const found = state.findCluster(scopeOf(call), clusterName(input, scopeOf(call)));
    if (found?.status !== 'ACTIVE') throw new AwsFault('ClusterNotFoundException', 'Cluster not found.');
    return found;
  };
  const serviceOf = (input: Json, call: Call): ServiceRecord => {
    const cluster = clusterOf(input, call);
    const name = serviceName(text(input, 'service') ?? '', scopeOf(call), cluster.name);
    const found = name === undefined ? undefined : state.findService(scopeOf(call), cluster.name, name);
    if (!found) throw new AwsFault('ServiceNotFoundException', 'Service not found.');
    return found;
  };
  const definitionOf = (name: string | undefined, call: Call, message: string): TaskDefinitionRecord => {
    const found = name === undefined ? undefined : state.findTaskDefinition(scopeOf(call), name);
    if (!found) throw client(message);
    return found;
  };
  return { clusterOf, serviceOf, definitionOf };
};
