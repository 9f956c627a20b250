/** The ports on a runner: the only place where they are put together. */
import { endpointChoice } from './aws.ts';
import { systemClock } from './clock.ts';
import { awsCodedeploy } from './codedeploy.ts';
import { stsCredentials } from './credentials.ts';
import { dockerCli } from './docker.ts';
import { awsEcrPublic } from './ecr-public.ts';
import { awsEcr } from './ecr.ts';
import { awsEcs } from './ecs.ts';
import { workspaceFiles } from './files.ts';
import { gitCli } from './git.ts';
import { actionsGitHub } from './github.ts';
import type { Ports } from './index.ts';
import { actionsLog } from './log.ts';
import { httpOciRegistry } from './oci-registry.ts';
import { awsOrganizations } from './organizations.ts';

export function realPorts(environment: Readonly<Record<string, string | undefined>>): Ports {
  const clock = systemClock;
  const log = actionsLog;
  const github = actionsGitHub(environment);
  const ociRegistry = httpOciRegistry({ clock });
  const endpoint = endpointChoice(environment);
  return {
    clock,
    log,
    github,
    files: workspaceFiles(github.run),
    git: gitCli({ log, environment }),
    credentials: stsCredentials({ github, clock, log, environment }),
    docker: dockerCli({ log, environment }),
    ociRegistry,
    ecr: (session) => awsEcr(session, { endpoint }),
    ecrPublic: (session) => awsEcrPublic(session, { endpoint, ociRegistry }),
    ecs: awsEcs,
    codedeploy: awsCodedeploy,
    organizations: (session) => awsOrganizations(session, { clock }),
  };
}
