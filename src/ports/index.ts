/** Every port, as a mode is given them. AWS ports are made for a session: each side has its own clients. */
import type { Clock } from './clock.ts';
import type { Codedeploy } from './codedeploy.ts';
import type { Credentials, Session } from './credentials.ts';
import type { Docker } from './docker.ts';
import type { Ecr, ImageRegistry } from './ecr.ts';
import type { Ecs } from './ecs.ts';
import type { Files } from './files.ts';
import type { Git } from './git.ts';
import type { GitHub } from './github.ts';
import type { Log } from './log.ts';
import type { OciRegistry } from './oci-registry.ts';
import type { Organizations } from './organizations.ts';

export interface Ports {
  readonly clock: Clock;
  readonly log: Log;
  readonly github: GitHub;
  readonly files: Files;
  readonly git: Git;
  readonly credentials: Credentials;
  readonly docker: Docker;
  readonly ociRegistry: OciRegistry;
  readonly ecr: (session: Session) => Ecr;
  readonly ecrPublic: (session: Session) => ImageRegistry;
  readonly ecs: (session: Session) => Ecs;
  readonly codedeploy: (session: Session) => Codedeploy;
  readonly organizations: (session: Session) => Organizations;
}
