/** Tags of clusters, services and task definitions, by their ARN. */
import { text } from '../coral.ts';
import { invalid } from './checks.ts';
import { scopeOf } from './scope.ts';
import type { EcsState } from './state.ts';
import { tagsOf } from './tag.ts';
import type { Tag } from './tag.ts';
import type { Call, Json, Service } from '../service.ts';

export const tagOperations = (state: EcsState): Service['operations'] => {
  const tagged = (input: Json, call: Call): { tags: Tag[] } => {
    const arn = text(input, 'resourceArn') ?? '';
    const scope = scopeOf(call);
    const found = [...state.services(scope), ...state.clusters(scope), ...state.taskDefinitions(scope)].find((each) => each.arn === arn);
    if (!found) throw invalid('The specified resource is not found.');
    return found;
  };

  return {
    TagResource(input, call) {
      const resource = tagged(input, call);
      const added = tagsOf(input) ?? [];
      resource.tags = [...resource.tags.filter(({ key }) => !added.some((tag) => tag.key === key)), ...added];
      if (resource.tags.length > 50) throw invalid('Tags cannot have more than 50 elements.');
      return {};
    },

    ListTagsForResource: (input, call) => ({ tags: tagged(input, call).tags }),
  };
};
