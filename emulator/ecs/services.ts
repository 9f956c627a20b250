/** The operations on services. */
import { flag, number, record, records, text, texts } from '../coral.ts';
import { client, invalid } from './checks.ts';
import { ecsFinders, serviceName } from './finders.ts';
import { deploysItself, hooksOf } from './own-configuration.ts';
import { ecsArn, scopeOf } from './scope.ts';
import type { ServiceRecord } from './service.ts';
import { describedService } from './service-description.ts';
import type { EcsState } from './state.ts';
import { AwsFault } from '../service.ts';
import type { Json, Service } from '../service.ts';

/** What a service of CODE_DEPLOY may not have changed behind CodeDeploy's back, in ECS's words.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html */
const refusedByCodeDeploy = (input: Json): string | undefined => {
  const use = 'on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.';
  if (text(input, 'taskDefinition') !== undefined) return `Unable to update task definition ${use}`;
  if (record(input, 'networkConfiguration')) return `Unable to update network parameters ${use}`;
  if (text(input, 'platformVersion') !== undefined) return `Unable to update platform version ${use}`;
  if (records(input, 'capacityProviderStrategy')) return `Unable to update capacity provider strategy ${use}`;
  if (records(input, 'loadBalancers')) return `Unable to update load balancers ${use}`;
  if (flag(input, 'forceNewDeployment') === true) return `Cannot force a new deployment ${use}`;
  return undefined;
};

/** "This parameter triggers a new service deployment": of those that are kept here, where they say anything new. */
const changesRevision = (service: ServiceRecord, { input, definition }: { input: Json; definition: string | undefined }): boolean =>
  (definition !== undefined && definition !== service.taskDefinition) ||
  record(input, 'networkConfiguration') !== undefined ||
  (text(input, 'platformVersion') ?? service.platformVersion) !== service.platformVersion;

export const serviceOperations = (state: EcsState): Service['operations'] => {
  const { clusterOf, definitionOf, serviceOf } = ecsFinders(state);
  return {
    DescribeServices(input, call) {
      const cluster = clusterOf(input, call);
      const names = texts(input, 'services') ?? [];
      if (names.length === 0) throw invalid('Services cannot be empty.');
      if (names.length > 10) throw invalid('Services cannot have more than 10 elements.');
      const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
      const services: Json[] = [];
      const failures: Json[] = [];
      for (const given of names) {
        const name = serviceName(given, scopeOf(call), cluster.name);
        const found = name === undefined ? undefined : state.findService(scopeOf(call), cluster.name, name);
        if (!found)
          failures.push({
            arn: given.startsWith('arn:') ? given : ecsArn(scopeOf(call), `service/${cluster.name}/${given}`),
            reason: 'MISSING',
          });
        else services.push({ ...describedService(state, found, call.clock.now()), ...(withTags && { tags: found.tags }) });
      }
      return { services, failures };
    },

    UpdateService(input, call) {
      const service = serviceOf(input, call);
      if (service.status !== 'ACTIVE') throw new AwsFault('ServiceNotActiveException', 'Service was not ACTIVE.');
      if (service.controller === 'CODE_DEPLOY') {
        const refusal = refusedByCodeDeploy(input);
        if (refusal !== undefined) throw invalid(refusal);
      }
      const name = text(input, 'taskDefinition');
      const definition = name === undefined ? undefined : definitionOf(name, call, 'TaskDefinition not found.');
      if (definition && definition.status !== 'ACTIVE') throw client('TaskDefinition is inactive');
      const forced = flag(input, 'forceNewDeployment') === true;
      const deploys = forced || changesRevision(service, { input, definition: definition?.arn });
      const configuration = { ...service.deploymentConfiguration, ...record(input, 'deploymentConfiguration') };
      hooksOf(configuration);
      if (definition) service.taskDefinition = definition.arn;
      service.networkConfiguration = record(input, 'networkConfiguration') ?? service.networkConfiguration;
      service.platformVersion = text(input, 'platformVersion') ?? service.platformVersion;
      service.capacityProviderStrategy = records(input, 'capacityProviderStrategy') ?? service.capacityProviderStrategy;
      service.desiredCount = number(input, 'desiredCount') ?? service.desiredCount;
      service.healthCheckGracePeriodSeconds = number(input, 'healthCheckGracePeriodSeconds') ?? service.healthCheckGracePeriodSeconds;
      service.deploymentConfiguration = configuration;
      service.taskSets = service.taskSets.map((set) =>
        set.status === 'PRIMARY' ? { ...set, desired: service.desiredCount, running: service.desiredCount } : set,
      );
      if (definition || forced) service.updatedAt = call.clock.now();
      if (deploys && deploysItself(service)) state.own.begin(service, call.clock.now());
      return { service: describedService(state, service, call.clock.now()) };
    },
  };
};
