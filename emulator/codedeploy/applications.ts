/** The operations on applications. https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ApplicationInfo.html */
import { codedeployFinders } from './finders.ts';
import { paged } from './pages.ts';
import type { CodeDeployState } from './state.ts';
import { present } from '../coral.ts';
import { scopeOf } from '../ecs/scope.ts';
import { timestamp } from '../json.ts';
import type { Service } from '../service.ts';

export const applicationOperations = (state: CodeDeployState): Service['operations'] => {
  const { applicationOf } = codedeployFinders(state);
  return {
    GetApplication(input, call) {
      const { id, name, createdAt, computePlatform } = applicationOf(input, call);
      return {
        application: { applicationId: id, applicationName: name, createTime: timestamp(createdAt), linkedToGitHub: false, computePlatform },
      };
    },

    ListApplications(input, call) {
      const { items, next } = paged(
        state.applications(scopeOf(call)).map(({ name }) => name),
        input,
      );
      return present({ applications: items, nextToken: next });
    },
  };
};
