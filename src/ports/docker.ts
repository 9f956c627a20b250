/** Docker, through its command line: the one wrapper of that program. What its arguments are is in domain/docker-arguments.ts. */
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { lineOfStep, parseBuildFailure } from '../domain/build-failure.ts';
import { parseBuilder, type Builder } from '../domain/builder.ts';
import {
  buildxArguments,
  classicBuildArguments,
  createBuilderArguments,
  digestInMetadata,
  digestInPush,
  loginArguments,
  pushArguments,
  removeBuilderArguments,
  tagArguments,
  untagArguments,
  type BuildRequest,
} from '../domain/docker-arguments.ts';
import { isolatedDockerConfig, storedLogin } from '../domain/docker-config.ts';
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
  /** The builder that is asked for, or the one in force; undefined where there is none. */
  readonly builder: Builder | undefined;
  /** Why there is none, in buildx's words. */
  readonly builderProblem: string | undefined;
  /** Whether the engine keeps its images in containerd's store, which holds more than one platform and attestations. */
  readonly hasContainerdStore: boolean;
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

export interface LoginRequest {
  readonly config: DockerConfig;
  readonly host: string;
  readonly login: RegistryLogin;
  readonly signal?: AbortSignal | undefined;
}

export interface PushOptions {
  readonly config: DockerConfig;
  readonly signal: AbortSignal;
}

export interface BuildOptions extends PushOptions {
  readonly facts: DockerFacts;
  /** Variables of our own environment that this build gets beside what every child gets (RULES 6.23). */
  readonly passed?: readonly string[];
}

/** A builder of this step's own, as the post step finds it again. */
export interface OwnBuilder {
  readonly name: string;
  /** Where buildx keeps its builders; empty text is where it does so by itself. */
  readonly buildxConfig: string;
}

export interface Docker {
  /** What the variables are now. */
  readonly variables: DockerVariables;
  /** A variable of our own environment, which `secret-envs` may name. */
  variable(name: string): string | undefined;
  /** Whether there is a docker command at all; a login needs no more. */
  isInstalled(): Promise<boolean>;
  /** What there is to build with; without a name the builder in force is looked at. Never throws. */
  probe(request?: { readonly builder: string | undefined }): Promise<DockerFacts>;
  /** Whether the engine has an image of this name or ID. */
  hasImage(reference: string): Promise<boolean>;
  /**
   * Fills an empty folder with a configuration that keeps what works for other hosts (RULES 5.13).
   * @throws DocumentError where the configuration in force can't be read
   */
  isolate(request: { readonly folder: string; readonly hosts: readonly string[] }): Promise<DockerConfig>;
  /** The login that the configuration in force has for another registry's host; undefined where it has none. */
  loginFor(host: string): Promise<RegistryLogin | undefined>;
  /**
   * Logs in to a registry host; the password goes by stdin.
   * @throws CommandError where Docker or the registry refuses; the signal's reason when it is aborted, after the child has ended
   */
  login(request: LoginRequest): Promise<void>;
  /**
   * Builds an image and pushes it under each of its references; with buildx where that is, else with the classic builder.
   * @returns the digest that was pushed, in the builder's words
   * @throws CommandError when the build or the push fails, with the step that failed as far as the builder tells it; the signal's
   * reason when it is aborted, after the child has ended
   */
  buildAndPush(request: BuildRequest, options: BuildOptions): Promise<Digest>;
  /**
   * Pushes an image of the engine under each reference; the names that this takes are taken off again.
   * @returns the digest that was pushed, in Docker's words
   */
  push(request: { readonly image: string; readonly references: readonly string[] }, options: PushOptions): Promise<Digest>;
  /** Makes a builder with the driver docker-container, and starts it. */
  createBuilder(name: string, options: PushOptions): Promise<void>;
  /** Removes it, with its container; one that is not there any more is as good. */
  removeBuilder(builder: OwnBuilder): Promise<void>;
}

export function dockerCli({ log, environment }: { log: Log; environment: Environment }): Docker {
  const processes = childProcesses({ log, environment });
  const variables = { DOCKER_CONFIG: environment['DOCKER_CONFIG'] ?? '', BUILDX_CONFIG: environment['BUILDX_CONFIG'] ?? '' };
  const folderInForce = variables.DOCKER_CONFIG || join(environment['HOME'] ?? homedir(), '.docker');
  return {
    variables,

    variable: (name) => environment[name],

    isInstalled: async () =>
      processes.find('docker').then(
        () => true,
        () => false,
      ),

    probe: async ({ builder } = { builder: undefined }) => {
      const [engine, store, buildx, inspected] = await Promise.all([
        said(processes, ['version', '--format', '{{.Server.Version}}']),
        said(processes, ['info', '--format', '{{json .DriverStatus}}']),
        said(processes, ['buildx', 'version']),
        said(processes, ['buildx', 'inspect', ...(builder === undefined ? [] : [builder])]),
      ]);
      return {
        engine: engine.text,
        problem: engine.problem,
        buildx: buildx.text,
        builder: parseBuilder(inspected.text ?? ''),
        builderProblem: inspected.problem,
        hasContainerdStore: store.text?.includes('io.containerd.snapshotter') ?? false,
      };
    },

    hasImage: async (reference) => {
      const { text } = await said(processes, ['image', 'inspect', '--format', '{{.Id}}', reference]);
      return text !== undefined;
    },

    isolate: async ({ folder, hosts }) => {
      const file = join(folderInForce, 'config.json');
      const existing = await readFile(file, 'utf8').catch(absent);
      const config = isolatedDockerConfig({ existing, folder: folderInForce, hosts });
      if (!config.ok)
        throw new DocumentError([{ file, problem: config.problem }], { hint: 'Docker can’t read it either; mend or remove it.' });
      await writeFile(join(folder, 'config.json'), config.value, { mode: 0o600 });
      await linkNeighbours({ from: folderInForce, to: folder });
      const builders = variables.BUILDX_CONFIG || join(folderInForce, 'buildx');
      return { folder, variables: { DOCKER_CONFIG: folder, BUILDX_CONFIG: builders } };
    },

    loginFor: async (host) => {
      const stored = storedLogin(await readFile(join(folderInForce, 'config.json'), 'utf8').catch(absent), host);
      if (stored === undefined || 'username' in stored) return stored;
      const helper = { program: `docker-credential-${stored.helper}`, arguments: ['get'], input: stored.server };
      const { stdout } = await processes.run(helper).catch((error: unknown) => {
        // A helper says in this way that it has nothing, too.
        if (error instanceof CommandError) return { stdout: '{}' };
        throw error;
      });
      return loginIn(stdout);
    },

    login: async ({ config, host, login, signal }) => {
      const command = docker(loginArguments({ host, username: login.username }), config);
      await processes.run({ ...command, name: `docker login ${host}`, input: login.password }, { signal });
    },

    buildAndPush: async (request, options) =>
      options.facts.buildx === undefined
        ? classicBuild({ processes, request, options })
        : buildxBuild({ processes, request, options, environment }),

    push: async ({ image, references }, options) => {
      try {
        for (const reference of references) await processes.run(docker(tagArguments({ image, reference }), options.config));
        return await pushAll({ processes, references, options });
      } finally {
        // Names that were never given are no failure.
        for (const reference of references) await said(processes, untagArguments(reference));
      }
    },

    createBuilder: async (name, { config, signal }) => {
      await processes.follow(docker(createBuilderArguments(name), config), { signal });
    },

    removeBuilder: async ({ name, buildxConfig }) => {
      const known = buildxConfig === '' ? {} : { BUILDX_CONFIG: buildxConfig };
      const removing = processes.run({ program: 'docker', arguments: removeBuilderArguments(name), variables: known });
      await removing.catch((error: unknown) => {
        if (!(error instanceof CommandError) || !/no builder .* found/.test(error.output)) throw error;
      });
    },
  };
}

interface Build {
  readonly processes: Processes;
  readonly request: BuildRequest;
  readonly options: BuildOptions;
}

async function buildxBuild({
  processes,
  request,
  options: { config, signal, passed = [] },
  environment,
}: Build & { environment: Environment }): Promise<Digest> {
  const metadataFile = join(config.folder, 'build-metadata.json');
  const { variables, ...command } = docker(buildxArguments(request, { metadataFile }), config);
  const asked = Object.fromEntries(passed.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])));
  await processes.follow({ ...command, variables: { ...asked, ...variables } }, { signal }).catch(explainFailure(request));
  return sure(digestInMetadata(await readFile(metadataFile, 'utf8')), 'docker buildx build');
}

/** The builder that engines without buildx have. */
async function classicBuild({ processes, request, options }: Build): Promise<Digest> {
  const build = docker(classicBuildArguments(request), options.config);
  await processes
    .follow({ ...build, variables: { ...build.variables, DOCKER_BUILDKIT: '0' } }, { signal: options.signal })
    .catch(explainFailure(request));
  return pushAll({ processes, references: request.references, options });
}

interface Push {
  readonly processes: Processes;
  readonly references: readonly string[];
  readonly options: PushOptions;
}

async function pushAll({ processes, references, options: { config, signal } }: Push): Promise<Digest> {
  const digests = new Set<Digest>();
  for (const reference of references) {
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

/** Tells the step that failed, where the builder does. */
function explainFailure({ file }: BuildRequest): (error: unknown) => Promise<never> {
  return async (error) => {
    const failure = error instanceof CommandError ? parseBuildFailure(error.output) : undefined;
    if (!(error instanceof CommandError) || failure?.step === undefined) throw error;
    const { reason, step, place } = failure;
    const { command, exitCode, output } = error;
    // The builder names the file without its folder; a remote one is not in the checkout.
    const local = file !== undefined && isAbsolute(file) ? file : undefined;
    const line = place?.line ?? (local === undefined ? undefined : lineOfStep(await readFile(local, 'utf8').catch(() => ''), step));
    const where = place ? `${place.file}:${place.line}` : line === undefined ? 'a step' : `${basename(local ?? '')}:${line}`;
    throw new CommandError(`${command} failed at ${where}, ${step}: ${reason}`, {
      ...{ command, exitCode, output, cause: error },
      place: local === undefined || (place && place.file !== basename(local)) ? undefined : { file: local, line },
    });
  };
}

/** Folders that Docker and buildx find by other ways: `cliPluginsExtraDirs` and BUILDX_CONFIG, also where they are not there yet. */
const foundElsewhere = ['cli-plugins', 'buildx'];

/**
 * What lies beside the configuration – contexts, trust keys, what plugins keep – is found there only. A link is removed with the
 * folder, what it points to is not.
 */
async function linkNeighbours({ from, to }: { from: string; to: string }): Promise<void> {
  const entries = (await readdir(from, { withFileTypes: true }).catch(absent)) ?? [];
  const folders = entries.filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !foundElsewhere.includes(entry.name));
  for (const { name } of folders) if (name !== 'config.json') await symlink(join(from, name), join(to, name));
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

/** What a credential helper answers (docker/docker-credential-helpers). */
function loginIn(answer: string): RegistryLogin | undefined {
  try {
    const { Username, Secret } = JSON.parse(answer) as { Username?: unknown; Secret?: unknown };
    return typeof Username === 'string' && typeof Secret === 'string' ? { username: Username, password: Secret } : undefined;
  } catch {
    return undefined;
  }
}

function absent(error: unknown): undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
