/**
 * What ECS keeps of one container of a task definition, or the fault it answers.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
 */
import { flag, number, present, record, records, text } from '../coral.ts';
import { client, filled } from './checks.ts';
import type { Json } from '../service.ts';

export const registrableContainer = (input: Json, task: { readonly awsvpc: boolean; readonly needsMemory: boolean }): Json => {
  const name = text(input, 'name');
  if (!filled(name)) throw client('Container.name should not be null or empty.');
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) throw client(`Invalid container name '${name}'.`);
  if (!filled(text(input, 'image'))) throw client('Container.image should not be null or empty.');
  if (task.needsMemory && number(input, 'memory') === undefined && number(input, 'memoryReservation') === undefined) {
    throw client(`Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`);
  }
  for (const key of ['environment', 'secrets']) {
    for (const each of records(input, key) ?? []) {
      if (!filled(text(each, 'name'))) throw client(`Container '${name}': ${key} name should not be null or empty.`);
      if (key === 'secrets' && !filled(text(each, 'valueFrom')))
        throw client('The Systems Manager parameter name specified for secret is invalid.');
    }
  }
  for (const key of ['logConfiguration', 'healthCheck', 'linuxParameters', 'firelensConfiguration', 'dockerLabels']) record(input, key);
  const credentials = record(input, 'repositoryCredentials');
  if (credentials && !filled(text(credentials, 'credentialsParameter')))
    throw client('repositoryCredentials.credentialsParameter is invalid.');
  const portMappings = (records(input, 'portMappings') ?? []).map((mapping) => {
    const containerPort = number(mapping, 'containerPort');
    const hostPort = number(mapping, 'hostPort');
    if (task.awsvpc && hostPort !== undefined && hostPort !== containerPort) {
      throw client('When networkMode=awsvpc, the host ports and container ports in port mappings must match.');
    }
    return present({ ...mapping, hostPort: hostPort ?? (task.awsvpc ? containerPort : 0), protocol: text(mapping, 'protocol') ?? 'tcp' });
  });
  return present({
    ...Object.fromEntries(Object.entries(input).map(([key, value]) => [key, value ?? undefined])),
    cpu: number(input, 'cpu') ?? 0,
    essential: flag(input, 'essential') ?? true,
    portMappings,
    environment: records(input, 'environment') ?? [],
    mountPoints: records(input, 'mountPoints') ?? [],
    volumesFrom: records(input, 'volumesFrom') ?? [],
    systemControls: records(input, 'systemControls') ?? [],
  });
};
