/** Docker, through its command line: the one wrapper of that program. What its arguments are is in domain/docker-arguments.ts. */
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  buildxArguments,
  classicBuildArguments,
  digestInMetadata,
  digestInPush,
  loginArguments,
  pushArguments,
  type BuildRequest,
} from '../domain/docker-arguments.ts';
import { isolatedDockerConfig } from '../domain/docker-config.ts';
import type { Digest } from '../domain/image.ts';
import type { Parsed } from '../domain/parsed.ts';
import { CommandError, DocumentError } from '../errors.ts';
import type { RegistryLogin } from './ecr.ts';
import type { Log } from './log.ts';
import { childProcesses, type Command, type Environment, type Processes } from './process.ts';

export interface DockerFacts {
  /** The engine's version; undefined where none answers. */
  readonly engine: string | undefined;
  /** Why none answers, in Docker's words. */
  readonly problem: string | undefined;
  /** buildx's version; undefined where it is not installed. */
  readonly buildx: string | undefined;
}

/** The environment that makes Docker use a configuration; empty text is as good as unset. */
export interface DockerVariables {
  readonly DOCKER_CONFIG: string;
  /** Where buildx keeps its builders: they stay those of the former configuration. */
  readonly BUILDX_CONFIG: string;
}

/** A Docker configuration in a folder of its own. */
export interface DockerConfig {
  readonly folder: string;
  readonly variables: DockerVariables;
}

export interface BuildOptions {
  readonly config: DockerConfig;
  readonly facts: DockerFacts;
  readonly signal: AbortSignal;
}

export interface Docker {
  /** What the variables are now. */
  readonly variables: DockerVariables;
  /** What there is to build with. Never throws. */
  probe(): Promise<DockerFacts>;
  /**
   * Fills an empty folder with a configuration that keeps what works for other hosts (RULES 5.13).
   * @throws DocumentError where the configuration in force can't be read
   */
  isolate(request: { readonly folder: string; readonly hosts: readonly string[] }): Promise<DockerConfig>;
  /** Logs in to a registry host; the password goes by stdin. */
  login(request: { readonly config: DockerConfig; readonly host: string; readonly login: RegistryLogin }): Promise<void>;
  /**
   * Builds an image and pushes it under each of its references; with buildx where that is, else with the classic builder.
   * @returns the digest that was pushed, in the builder's words
   * @throws CommandError when the build or the push fails; the signal's reason when it is aborted, after the child has ended
   */
  buildAndPush(request: BuildRequest, options: BuildOptions): Promise<Digest>;
}

export function dockerCli({ log, environment }: { log: Log; environment: Environment }): Docker {
  const processes = childProcesses({ log, environment });
  const variables = { DOCKER_CONFIG: environment['DOCKER_CONFIG'] ?? '', BUILDX_CONFIG: environment['BUILDX_CONFIG'] ?? '' };
  const folderInForce = variables.DOCKER_CONFIG || join(environment['HOME'] ?? homedir(), '.docker');
  return {
    variables,

    probe: async () => {
      const [engine, buildx] = await Promise.all([
        said(processes, ['version', '--format', '{{.Server.Version}}']),
        said(processes, ['buildx', 'version']),
      ]);
      return { engine: engine.text, problem: engine.problem, buildx: buildx.text };
    },

    isolate: async ({ folder, hosts }) => {
      const file = join(folderInForce, 'config.json');
      const existing = await readFile(file, 'utf8').catch(absent);
      const config = isolatedDockerConfig({ existing, folder: folderInForce, hosts });
      if (!config.ok)
        throw new DocumentError([{ file, problem: config.problem }], { hint: 'Docker can’t read it either; mend or remove it.' });
      await writeFile(join(folder, 'config.json'), config.value, { mode: 0o600 });
      // Contexts are found beside the configuration only; a link is removed with the folder, what it points to is not.
      const contexts = join(folderInForce, 'contexts');
      if (await stat(contexts).catch(absent)) await symlink(contexts, join(folder, 'contexts'));
      const builders = variables.BUILDX_CONFIG || join(folderInForce, 'buildx');
      return { folder, variables: { DOCKER_CONFIG: folder, BUILDX_CONFIG: builders } };
    },

    login: async ({ config, host, login }) => {
      await processes.run({ ...docker(loginArguments({ host, username: login.username }), config), input: login.password });
    },

    buildAndPush: async (request, options) =>
      options.facts.buildx === undefined ? classicBuild({ processes, request, options }) : buildxBuild({ processes, request, options }),
  };
}

interface Build {
  readonly processes: Processes;
  readonly request: BuildRequest;
  readonly options: BuildOptions;
}

async function buildxBuild({ processes, request, options: { config, signal } }: Build): Promise<Digest> {
  const metadataFile = join(config.folder, 'build-metadata.json');
  await processes.follow(docker(buildxArguments(request, { metadataFile }), config), { signal });
  return sure(digestInMetadata(await readFile(metadataFile, 'utf8')), 'docker buildx build');
}

/** The builder that engines without buildx have. */
async function classicBuild({ processes, request, options: { config, signal } }: Build): Promise<Digest> {
  const build = docker(classicBuildArguments(request), config);
  await processes.follow({ ...build, variables: { ...build.variables, DOCKER_BUILDKIT: '0' } }, { signal });
  const digests = new Set<Digest>();
  for (const reference of request.references) {
    const { stdout } = await processes.follow(docker(pushArguments(reference), config), { signal });
    digests.add(sure(digestInPush(stdout), `docker push ${reference}`));
  }
  const [digest, ...others] = digests;
  if (digest === undefined || others.length > 0) {
    const command = 'docker push';
    throw new CommandError(`${command} pushed one image under ${digests.size} digests: ${[...digests].join(', ')}`, {
      command,
      exitCode: 0,
    });
  }
  return digest;
}

function docker(args: readonly string[], { variables }: DockerConfig): Command {
  return { program: 'docker', arguments: args, variables: { ...variables } };
}

async function said(processes: Processes, args: readonly string[]): Promise<{ text: string | undefined; problem: string | undefined }> {
  try {
    const { stdout } = await processes.run({ program: 'docker', arguments: args });
    const text = stdout.trim();
    return text === '' ? { text: undefined, problem: `docker ${args.join(' ')} answered nothing` } : { text, problem: undefined };
  } catch (error) {
    if (error instanceof CommandError) return { text: undefined, problem: error.message };
    throw error;
  }
}

function sure(digest: Parsed<Digest>, command: string): Digest {
  if (!digest.ok) throw new CommandError(`${command} ended well, but the digest is unknown: ${digest.problem}`, { command, exitCode: 0 });
  return digest.value;
}

function absent(error: unknown): undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
