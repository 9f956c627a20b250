/**
 * Logs Docker in to registries for the steps that follow, in a configuration of this step's own, so that two jobs on one machine
 * don't log each other out and nothing is left behind (DESIGN 6.8, RULES 5.13).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import type { DockerVariables } from '../ports/docker.ts';
import type { RegistryLogin } from '../ports/ecr.ts';
import type { GitHub } from '../ports/github.ts';
import type { Ports } from '../ports/index.ts';

/** What the post step needs to put the former configuration back; no secret. */
export interface DockerLogin {
  /** The configuration that holds the logins. */
  readonly folder: string;
  readonly previous: DockerVariables;
}

export interface LoginRequest {
  readonly hosts: readonly string[];
  /** One token serves every registry of the Region that the caller may use. */
  readonly login: RegistryLogin;
  readonly ports: Pick<Ports, 'docker' | 'files' | 'github'>;
  readonly memory: Memory;
}

/** @throws CommandError where Docker or the registry refuses; then the configuration is as it was */
export async function loginDocker({ hosts, login, ports, memory }: LoginRequest): Promise<DockerLogin> {
  const { docker, files, github } = ports;
  const folder = await files.temporaryFolder('ecr-org-deploy-docker-');
  const made: DockerLogin = { folder, previous: docker.variables };
  const undo: Cleanup = { kind: 'docker-login', ...made };
  memory.remember(undo);
  try {
    const config = await docker.isolate({ folder, hosts });
    for (const host of hosts) await docker.login({ config, host, login });
    exportVariables(config.variables, github);
    return made;
  } catch (error) {
    await files.remove(folder);
    memory.forget(undo);
    throw error;
  }
}

/** Puts the former configuration back. Doing it twice changes nothing. */
export async function restoreDockerLogin({ login, ports }: { login: DockerLogin; ports: Pick<Ports, 'files' | 'github'> }): Promise<void> {
  exportVariables(login.previous, ports.github);
  await ports.files.remove(login.folder);
}

function exportVariables(variables: DockerVariables, github: GitHub): void {
  for (const [name, value] of Object.entries(variables)) github.exportVariable(name, value as string);
}
