/** The operations on revisions. */
import { codedeployFinders } from './finders.ts';
import { contentOf, locationOf, register } from './revision.ts';
import type { CodeDeployState } from './state.ts';
import { when } from './time.ts';
import { present, record, text } from '../coral.ts';
import { timestamp } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Service } from '../service.ts';

export const revisionOperations = (state: CodeDeployState): Service['operations'] => {
  const { applicationOf } = codedeployFinders(state);
  return {
    RegisterApplicationRevision(input, call) {
      const application = applicationOf(input, call);
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      const description = text(input, 'description');
      const revision = register(application, location, call.clock.now());
      if (description !== undefined) revision.description = description;
      return {};
    },

    GetApplicationRevision(input, call) {
      const application = applicationOf(input, call);
      const location = record(input, 'revision');
      if (!location) throw new AwsFault('RevisionRequiredException', 'A revision is required.');
      const revision = application.revisions.get(contentOf(location).sha256 ?? '');
      if (!revision) throw new AwsFault('RevisionDoesNotExistException', 'The named revision does not exist with the user or AWS account.');
      return {
        applicationName: application.name,
        revision: locationOf(revision, true),
        revisionInfo: present({
          description: revision.description ?? 'Application revision registered by Deployment ID',
          deploymentGroups: [...revision.groups],
          firstUsedTime: when(revision.firstUsedAt),
          lastUsedTime: when(revision.lastUsedAt),
          registerTime: timestamp(revision.registeredAt),
        }),
      };
    },
  };
};
