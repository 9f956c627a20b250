/** The operations on clusters. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html */
import { texts } from '../coral.ts';
import { invalid } from './checks.ts';
import { clusterName } from './finders.ts';
import { ecsArn, scopeOf } from './scope.ts';
import type { EcsState } from './state.ts';
import { tasksOf } from './task.ts';
import type { Json, Service } from '../service.ts';

export const clusterOperations = (state: EcsState): Service['operations'] => ({
  DescribeClusters(input, call) {
    const names = texts(input, 'clusters') ?? ['default'];
    if (names.length > 100) throw invalid('Clusters cannot have more than 100 elements.');
    const withTags = texts(input, 'include')?.includes('TAGS') ?? false;
    const clusters: Json[] = [];
    const failures: Json[] = [];
    for (const given of names) {
      const name = clusterName({ cluster: given }, scopeOf(call));
      const found = state.findCluster(scopeOf(call), name);
      if (!found) failures.push({ arn: ecsArn(scopeOf(call), `cluster/${name}`), reason: 'MISSING' });
      else {
        const services = state.services(scopeOf(call)).filter(({ cluster }) => cluster === found);
        const statuses = services.flatMap((each) => tasksOf(state, each, call.clock.now())).map(({ lastStatus }) => lastStatus);
        clusters.push({
          clusterArn: found.arn,
          clusterName: found.name,
          status: found.status,
          registeredContainerInstancesCount: 0,
          runningTasksCount: statuses.filter((each) => each === 'RUNNING').length,
          pendingTasksCount: statuses.filter((each) => each === 'PENDING').length,
          activeServicesCount: services.filter(({ status }) => status === 'ACTIVE').length,
          statistics: [],
          settings: [],
          capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
          defaultCapacityProviderStrategy: [],
          tags: withTags ? found.tags : [],
        });
      }
    }
    return { clusters, failures };
  },
});
