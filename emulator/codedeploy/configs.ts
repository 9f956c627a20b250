/** The operation on deployment configurations. */
import { routingOf } from './config.ts';
import { codedeployFinders } from './finders.ts';
import type { CodeDeployState } from './state.ts';
import { present, text } from '../coral.ts';
import { uuidOf } from '../ecs/ids.ts';
import { scopeOf } from '../ecs/scope.ts';
import { timestamp } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Service } from '../service.ts';

export const configOperations = (state: CodeDeployState): Service['operations'] => {
  const { configOf } = codedeployFinders(state);
  return {
    GetDeploymentConfig(input, call) {
      const name = text(input, 'deploymentConfigName');
      if (name === undefined) throw new AwsFault('DeploymentConfigNameRequiredException', 'Deployment configuration name is required.');
      const config = configOf(name, scopeOf(call));
      return {
        deploymentConfigInfo: present({
          deploymentConfigId: uuidOf(name),
          deploymentConfigName: name,
          createTime: timestamp(Date.UTC(2018, 10, 27)),
          computePlatform: config.computePlatform,
          trafficRoutingConfig: config.routing && routingOf(config.routing),
          minimumHealthyHosts: config.computePlatform === 'Server' ? { type: 'HOST_COUNT', value: 1 } : undefined,
        }),
      };
    },
  };
};
