/** Builds an image and pushes it: what can be checked on this machine first, then the build with a Docker configuration of its own. */
import type { Cleanup, Memory } from '../cleanup.ts';
import { defaultContext, fillDefaultContext, isRemoteContext } from '../domain/build-context.ts';
import { attestation, beyondEngine, cacheType, isPlatform, lacksEmulator, lostWithoutBuildx, type BuildWishes } from '../domain/builder.ts';
import type { Assignment, BuildRequest, BuildSecret } from '../domain/docker-arguments.ts';
import type { Digest } from '../domain/image.ts';
import { CommandError, InputError, toError, type InputProblem } from '../errors.ts';
import type { DockerConfig, DockerFacts } from '../ports/docker.ts';
import type { RegistryLogin } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';

/** The rows of `publishing` in modes/shared-inputs.ts that a build is made from, and the job's token. */
export interface BuildInputs extends BuildWishes {
  readonly context: string;
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly 'build-args': readonly Assignment[];
  readonly 'build-contexts': readonly Assignment[];
  readonly secrets: readonly Assignment[];
  readonly 'secret-envs': readonly Assignment[];
  readonly 'secret-files': readonly Assignment[];
  readonly ssh: readonly string[];
  readonly labels: readonly Assignment[];
  readonly 'no-cache': boolean;
  readonly pull: boolean;
  readonly builder: string | undefined;
  readonly 'github-token': string | undefined;
}

export type BuildPorts = Pick<Ports, 'docker' | 'files' | 'github' | 'log'>;

/** A build that can begin. */
export interface PreparedBuild {
  readonly facts: DockerFacts;
  /** As it was written, with `{{defaultContext}}` filled in. */
  readonly context: string;
  /** In a remote context, the path there. */
  readonly file: string | undefined;
  readonly buildContexts: readonly Assignment[];
  /** The inputs for which the engine's own builder will not do; then one is made for this build. */
  readonly needsBuilder: readonly string[];
}

/** The local paths that go into a build. */
export function buildPaths(inputs: BuildInputs): { readonly folder: string | undefined; readonly otherPaths: readonly string[] } {
  const isLocal = (context: string): boolean => !isRemoteContext(context) && !/^[a-z-]+:\/\/|\{\{/.test(context);
  return {
    folder: isLocal(inputs.context) ? inputs.context : undefined,
    otherPaths: [
      ...(inputs.file === undefined ? [] : [inputs.file]),
      ...inputs['build-contexts'].flatMap(([, path]) => (isLocal(path) ? [path] : [])),
    ],
  };
}

/** What the inputs show to be wrong without a look around. */
export function checkBuild({ platforms, 'secret-envs': variables, ...inputs }: BuildInputs): readonly InputProblem[] {
  const ids = [...inputs.secrets, ...variables, ...inputs['secret-files']].map(([id]) => id);
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  return [
    ...platforms
      .filter((platform) => !isPlatform(platform))
      .map((platform) => ({ input: 'platforms', problem: `"${platform}" is not a platform such as linux/amd64 or linux/arm64/v8` })),
    ...twice.map((id) => ({ input: 'secrets', problem: `the secret ${id} is given twice` })),
    // It would let the build take on every role that the job may.
    ...variables
      .filter(([, variable]) => variable.startsWith('ACTIONS_ID_TOKEN_'))
      .map(([id]) => ({ input: 'secret-envs', problem: `${id} would hand the job’s ID token to the build` })),
  ];
}

/**
 * Looks at the checkout, the engine and the builder; no call is made.
 * @throws InputError with all that the inputs have wrong; CommandError where nothing can build
 */
export async function prepareBuild({ inputs, ports }: { inputs: BuildInputs; ports: BuildPorts }): Promise<PreparedBuild> {
  const { docker, github } = ports;
  const here = defaultContext(github.run);
  const context = fillDefaultContext(inputs.context, here);
  const [paths, files, facts] = await Promise.all([
    isRemoteContext(context) ? [] : missingPaths(inputs, ports),
    missingSecrets(inputs, ports),
    docker.probe({ builder: inputs.builder }),
  ]);
  const builder = builderFor(inputs, facts);
  const problems = [...paths, ...files, ...builder.problems];
  if (problems.length > 0) throw new InputError(problems);
  if (facts.engine === undefined && (facts.builder === undefined || facts.builder.driver.startsWith('docker'))) throw noEngine(facts);
  return {
    facts,
    context,
    file: isRemoteContext(context) ? inputs.file : dockerfileOf(inputs),
    buildContexts: inputs['build-contexts'].map(([name, path]) => [name, fillDefaultContext(path, here)]),
    needsBuilder: builder.needs,
  };
}

async function missingPaths(inputs: BuildInputs, { files }: BuildPorts): Promise<readonly InputProblem[]> {
  const [context, dockerfile] = await Promise.all([files.kind(inputs.context), files.kind(dockerfileOf(inputs))]);
  if (context !== 'folder') return [{ input: 'context', problem: `there is no folder ${inputs.context}; check out the repository first` }];
  return dockerfile === 'file' ? [] : [{ input: 'file', problem: `there is no Dockerfile ${dockerfileOf(inputs)}` }];
}

async function missingSecrets(inputs: BuildInputs, { docker, files }: BuildPorts): Promise<readonly InputProblem[]> {
  const kinds = await Promise.all(inputs['secret-files'].map(async ([id, path]) => ({ id, path, kind: await files.kind(path) })));
  return [
    ...kinds.flatMap(({ id, path, kind }) =>
      kind === 'file' ? [] : [{ input: 'secret-files', problem: `${id}: there is no file ${path}` }],
    ),
    ...inputs['secret-envs'].flatMap(([id, variable]) =>
      docker.variable(variable) === undefined ? [{ input: 'secret-envs', problem: `${id}: the variable ${variable} is not set` }] : [],
    ),
  ];
}

interface BuilderAnswer {
  readonly problems: readonly InputProblem[];
  readonly needs: readonly string[];
}

function builderFor(inputs: BuildInputs, { buildx, builder, builderProblem, hasContainerdStore }: DockerFacts): BuilderAnswer {
  if (buildx === undefined) {
    const problem = 'needs buildx, which is not installed; run docker/setup-buildx-action first';
    return { needs: [], problems: onlyBuildx(inputs).map((input) => ({ input, problem })) };
  }
  if (inputs.builder !== undefined && builder === undefined)
    return { needs: [], problems: [{ input: 'builder', problem: `there is no builder ${inputs.builder}: ${builderProblem ?? ''}` }] };
  const needs = builder?.driver === 'docker' && !hasContainerdStore ? beyondEngine(inputs) : [];
  const problem = `can't be had of the builder ${inputs.builder ?? ''}: its driver is docker; leave builder out, or make one with docker/setup-buildx-action`;
  return inputs.builder === undefined ? { needs, problems: [] } : { needs: [], problems: needs.map((input) => ({ input, problem })) };
}

/** What a build can't do without, and `docker build` can't do. */
function onlyBuildx(inputs: BuildInputs): readonly string[] {
  const lists = ['build-contexts', 'secrets', 'secret-envs', 'secret-files', 'ssh'] as const;
  return [
    ...(inputs.platforms.length > 1 ? ['platforms'] : []),
    ...lists.filter((input) => inputs[input].length > 0),
    ...(inputs.builder === undefined ? [] : ['builder']),
  ];
}

function noEngine({ problem }: DockerFacts): CommandError {
  return new CommandError(`No Docker engine to build with: ${problem ?? 'it did not answer'}`, {
    command: 'docker version',
    exitCode: 1,
    hint: 'Use a runner with Docker (ubuntu-latest has it), or give an image that is built already: image: oci:PATH.',
  });
}

/** As `docker build` looks for it. */
function dockerfileOf({ context, file }: BuildInputs): string {
  return file ?? `${context.replace(/\/$/, '')}/Dockerfile`;
}

export interface BuildOrder {
  readonly inputs: BuildInputs;
  readonly build: PreparedBuild;
  readonly labels: readonly Assignment[];
  /** `host/repository:tag`, each pushed. */
  readonly references: readonly string[];
  readonly host: string;
  readonly login: RegistryLogin;
  readonly ports: BuildPorts;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/**
 * @returns the digest that was pushed, in the builder's words
 * @throws CommandError for a failed build or push, at the line of the Dockerfile where the builder tells it
 */
export async function buildImage(order: BuildOrder): Promise<Digest> {
  const { inputs, build, host, references, ports, memory, signal } = order;
  const { docker, log } = ports;
  const lost = build.facts.buildx === undefined ? lostWithoutBuildx(inputs) : [];
  if (lost.length > 0)
    log.warning(`buildx is not installed, so docker build is used, without ${lost.join(', ')}; docker/setup-buildx-action installs it.`);
  return inPrivateDocker({ ...order, hosts: [host] }, async (config) => {
    const secrets = await writeSecrets(order, config.folder);
    const builder = build.facts.buildx === undefined ? 'docker build' : 'docker buildx build';
    const repositories = [...new Set(references.map((reference) => reference.slice(0, reference.lastIndexOf(':'))))];
    return log.group(`Build and push ${repositories.join(', ')} with ${builder}`, async () =>
      withBuilder({ build, config, ports, memory, signal }, async (own) => {
        const request = requestOf(order, { secrets, builder: own ?? inputs.builder });
        return docker
          .buildAndPush(request, { config, facts: build.facts, passed: passedVariables(inputs), signal })
          .catch(missingEmulator(inputs));
      }),
    );
  });
}

export interface PrivateDocker {
  readonly hosts: readonly string[];
  readonly login: RegistryLogin;
  readonly ports: Pick<Ports, 'docker' | 'files'>;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/** Works with a Docker configuration of this step's own, which goes with it (RULES 5.13). */
export async function inPrivateDocker<T>(
  { hosts, login, ports: { docker, files }, memory, signal }: PrivateDocker,
  work: (config: DockerConfig) => Promise<T>,
): Promise<T> {
  const folder = await files.temporaryFolder('ecr-org-deploy-build-');
  const undo: Cleanup = { kind: 'remove-folder', path: folder };
  memory.remember(undo);
  try {
    const config = await docker.isolate({ folder, hosts });
    for (const host of hosts) await docker.login({ config, host, login, signal });
    signal.throwIfAborted();
    return await work(config);
  } finally {
    await files.remove(folder);
    memory.forget(undo);
  }
}

interface BuilderRequest {
  readonly build: PreparedBuild;
  readonly config: DockerConfig;
  readonly ports: BuildPorts;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/** With a builder of this step's own where the engine's will not do; it goes with the build, at the latest in the post step. */
async function withBuilder<T>(
  { build, config, ports: { docker, log }, memory, signal }: BuilderRequest,
  work: (own: string | undefined) => Promise<T>,
): Promise<T> {
  if (build.needsBuilder.length === 0) return work(undefined);
  const own = { name: config.folder.slice(config.folder.lastIndexOf('/') + 1), buildxConfig: config.variables.BUILDX_CONFIG };
  const undo: Cleanup = { kind: 'docker-builder', ...own };
  log.info(
    `The engine's own builder does not have ${build.needsBuilder.join(', ')}: the builder ${own.name} (docker-container) is made for this build.`,
  );
  memory.remember(undo);
  try {
    await docker.createBuilder(own.name, { config, signal });
    return await work(own.name);
  } finally {
    await docker.removeBuilder(own).then(
      () => memory.forget(undo),
      (error: unknown) => log.warning(`The builder ${own.name} could not be removed yet: ${toError(error).message}`),
    );
  }
}

function requestOf(
  { inputs, build, labels, references, ports: { files, github } }: BuildOrder,
  { secrets, builder }: { secrets: readonly BuildSecret[]; builder: string | undefined },
): BuildRequest {
  const isRemote = isRemoteContext(build.context);
  const { serverUrl, repository, runId, runAttempt } = github.run;
  const builderId = `${serverUrl}/${repository}/actions/runs/${runId}/attempts/${runAttempt}`;
  return {
    context: isRemote ? build.context : files.resolve(build.context),
    file: build.file === undefined || isRemote ? build.file : files.resolve(build.file),
    target: inputs.target,
    platforms: inputs.platforms,
    buildArgs: inputs['build-args'],
    buildContexts: build.buildContexts,
    secrets,
    ssh: inputs.ssh,
    labels,
    annotations: inputs.annotations,
    cacheFrom: inputs['cache-from'],
    cacheTo: inputs['cache-to'],
    noCache: inputs['no-cache'],
    pull: inputs.pull,
    attestations: [...attestation('provenance', inputs.provenance, { builderId }), ...attestation('sbom', inputs.sbom, { builderId })],
    builder,
    references,
  };
}

/** Values go into files of the private folder: no argument and no variable has them. */
async function writeSecrets(order: BuildOrder, folder: string): Promise<readonly BuildSecret[]> {
  const { inputs, build, ports } = order;
  const { docker, files, github } = ports;
  const values = [...inputs.secrets, ...gitToken(inputs, { build, serverUrl: github.run.serverUrl, here: defaultContext(github.run) })];
  const written = values.map(async ([id, value], index) => {
    github.mask(value);
    const file = `${folder}/secret-${index}`;
    await files.writeSecret(file, value);
    return { id, file };
  });
  for (const [, variable] of inputs['secret-envs']) github.mask(docker.variable(variable) ?? '');
  return [
    ...(await Promise.all(written)),
    ...inputs['secret-envs'].map(([id, variable]) => ({ id, variable })),
    ...inputs['secret-files'].map(([id, path]) => ({ id, file: files.resolve(path) })),
  ];
}

/** The secret by which BuildKit fetches this very repository, as docker/build-push-action gives it; the author's own comes first. */
function gitToken(
  { secrets, 'github-token': token }: BuildInputs,
  { build, serverUrl, here }: { build: PreparedBuild; serverUrl: string; here: string },
): readonly Assignment[] {
  const isOwn = secrets.some(([id]) => id.startsWith('GIT_AUTH_TOKEN'));
  if (token === undefined || isOwn || !build.context.startsWith(here)) return [];
  return [[`GIT_AUTH_TOKEN.${serverUrl.replace(/^https?:\/\//, '')}`, token]];
}

const githubCacheVariables = ['ACTIONS_CACHE_URL', 'ACTIONS_RESULTS_URL', 'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_CACHE_SERVICE_V2'];

/** The variables of ours that this build gets beside what every child gets (RULES 6.23). */
function passedVariables(inputs: BuildInputs): readonly string[] {
  const usesGithubCache = [...inputs['cache-from'], ...inputs['cache-to']].some((cache) => cacheType(cache) === 'gha');
  return [...inputs['secret-envs'].map(([, variable]) => variable), ...(usesGithubCache ? githubCacheVariables : [])];
}

/** A step that ran on a foreign processor, without an emulator: the workflow lacks a line. */
function missingEmulator({ platforms }: BuildInputs): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof CommandError) || platforms.length === 0 || !lacksEmulator(error.output)) throw error;
    throw new InputError(
      [{ input: 'platforms', problem: `the builder has no emulator for one of ${platforms.join(', ')}: ${error.message}` }],
      {
        hint: 'Add this step before: "- uses: docker/setup-qemu-action@v3". Nothing was pushed.',
        cause: error,
      },
    );
  };
}
