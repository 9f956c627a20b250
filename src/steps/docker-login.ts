/**
 * Logs Docker in to registries for the steps that follow, in a configuration of this step's own, so that two jobs on one machine
 * don't log each other out and nothing is left behind (DESIGN 6.8, RULES 5.13).
 */
import type { Cleanup, Memory } from '../cleanup.ts';
import { CommandError } from '../errors.ts';
import type { Docker, DockerVariables } from '../ports/docker.ts';
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
  readonly signal: AbortSignal;
}

/**
 * To be asked before any credentials are.
 * @throws CommandError where there is no docker command
 */
export async function requireDocker(docker: Docker): Promise<void> {
  if (await docker.isInstalled()) return;
  throw new CommandError('There is no docker command on PATH, and a login is for Docker', {
    command: 'docker',
    exitCode: 127,
    hint: 'Use a runner with Docker (ubuntu-latest has it), or install its command line in an earlier step; no engine is needed to log in. mode: publish with image: oci:PATH needs neither Docker nor this login.',
  });
}

/** @throws CommandError where Docker or the registry refuses; the signal's reason when aborted. Then the configuration is as it was */
export async function loginDocker({ hosts, login, ports, memory, signal }: LoginRequest): Promise<DockerLogin> {
  const { docker, files, github } = ports;
  const folder = await files.temporaryFolder('ecr-org-deploy-docker-');
  const made: DockerLogin = { folder, previous: docker.variables };
  const undo: Cleanup = { kind: 'docker-login', ...made };
  memory.remember(undo);
  try {
    const config = await docker.isolate({ folder, hosts });
    // One after the other: each login writes the file anew.
    for (const host of hosts) await docker.login({ config, host, login, signal });
    signal.throwIfAborted();
    exportVariables(config.variables, github);
    return made;
  } catch (error) {
    await files.remove(folder);
    memory.forget(undo);
    throw error;
  }
}

/** Puts the former configuration back, unless another step has put its own in our place. Doing it twice changes nothing. */
export async function restoreDockerLogin({
  login: { folder, previous },
  ports: { docker, files, github },
}: {
  login: DockerLogin;
  ports: Pick<Ports, 'docker' | 'files' | 'github'>;
}): Promise<void> {
  // The former one is seen by a step that has it in its own `env:`, which its post step has too.
  if ([folder, previous.DOCKER_CONFIG].includes(docker.variables.DOCKER_CONFIG)) exportVariables(previous, github);
  await files.remove(folder);
}

function exportVariables(variables: DockerVariables, github: GitHub): void {
  for (const [name, value] of Object.entries(variables)) github.exportVariable(name, value as string);
}
