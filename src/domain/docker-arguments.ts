/**
 * The arguments of Docker's commands, and what their output says. Nothing secret is ever among them: passwords go by stdin, secrets of a
 * build by file or by the name of an environment variable.
 *
 *   buildx    docker buildx build --push --tag … --metadata-file F CONTEXT      F holds `containerimage.digest`
 *   classic   docker build --tag … CONTEXT, then docker push REFERENCE for each; its last line is `TAG: digest: sha256:… size: N`
 */
import { classicCacheSource } from './builder.ts';
import { csvField } from './csv.ts';
import { parseDigest, type Digest } from './image.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export interface BuildRequest {
  /** An absolute path, or a remote context. */
  readonly context: string;
  /** The Dockerfile: an absolute path, or one in a remote context; undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly buildArgs: readonly Assignment[];
  /** Name → path or remote context. */
  readonly buildContexts: readonly Assignment[];
  readonly secrets: readonly BuildSecret[];
  /** `default`, `id=path`. */
  readonly ssh: readonly string[];
  readonly labels: readonly Assignment[];
  /** `[type:]name=value`. */
  readonly annotations: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  /** Values of `--attest`. */
  readonly attestations: readonly string[];
  /** Undefined: the one in force. */
  readonly builder: string | undefined;
  /** `host/repository:tag`, each pushed. */
  readonly references: readonly string[];
}

export type Assignment = readonly [name: string, value: string];

/** A secret of a build: in a file, or in a variable of the builder's client. */
export type BuildSecret = { readonly id: string } & ({ readonly file: string } | { readonly variable: string });

export function buildxArguments(request: BuildRequest, { metadataFile }: { readonly metadataFile: string }): readonly string[] {
  const { buildContexts, secrets, ssh, annotations, cacheFrom, cacheTo, attestations, builder, context } = request;
  return [
    ...['buildx', 'build', '--progress', 'plain', '--push', '--metadata-file', metadataFile],
    ...option('--builder', builder === undefined ? [] : [builder]),
    ...common(request),
    ...option('--build-context', buildContexts.map(assigned)),
    ...option('--secret', secrets.map(secretValue)),
    ...option('--ssh', ssh),
    ...option('--annotation', annotations),
    ...option('--cache-from', cacheFrom),
    ...option('--cache-to', cacheTo),
    ...option('--attest', attestations),
    context,
  ];
}

/** Without what only buildx has. */
export function classicBuildArguments(request: BuildRequest): readonly string[] {
  const sources = request.cacheFrom.flatMap((cache) => classicCacheSource(cache) ?? []);
  return ['build', ...common(request), ...option('--cache-from', sources), request.context];
}

export function tagArguments({ image, reference }: { readonly image: string; readonly reference: string }): readonly string[] {
  return ['tag', image, reference];
}

export function pushArguments(reference: string): readonly string[] {
  return ['push', reference];
}

/** Takes a name off an image of the engine; the image stays as long as it has another. */
export function untagArguments(reference: string): readonly string[] {
  return ['rmi', '--no-prune', reference];
}

export function loginArguments({ host, username }: { readonly host: string; readonly username: string }): readonly string[] {
  return ['login', '--username', username, '--password-stdin', host];
}

export function createBuilderArguments(name: string): readonly string[] {
  return ['buildx', 'create', '--name', name, '--driver', 'docker-container', '--bootstrap'];
}

export function removeBuilderArguments(name: string): readonly string[] {
  return ['buildx', 'rm', '--force', name];
}

function common({ file, target, platforms, buildArgs, labels, noCache, pull, references }: BuildRequest): readonly string[] {
  return [
    ...option('--file', file === undefined ? [] : [file]),
    ...option('--target', target === undefined ? [] : [target]),
    ...option('--platform', platforms.length === 0 ? [] : [platforms.join(',')]),
    ...option('--build-arg', buildArgs.map(assigned)),
    ...option('--label', labels.map(assigned)),
    ...(noCache ? ['--no-cache'] : []),
    ...(pull ? ['--pull'] : []),
    ...option('--tag', references),
  ];
}

function option(name: string, values: readonly string[]): readonly string[] {
  return values.flatMap((value) => [name, value]);
}

function assigned([name, value]: Assignment): string {
  return `${name}=${value}`;
}

/** buildx reads it as comma-separated values. */
function secretValue(secret: BuildSecret): string {
  return [`id=${secret.id}`, 'file' in secret ? `src=${secret.file}` : `env=${secret.variable}`].map(csvField).join(',');
}

/** The digest in a buildx metadata file. */
export function digestInMetadata(text: string): Parsed<Digest> {
  try {
    const metadata = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const digest = metadata?.['containerimage.digest'];
    return typeof digest === 'string' ? parseDigest(digest) : bad('the build’s metadata has no containerimage.digest');
  } catch (error) {
    return bad(`the build’s metadata is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The digest in the output of `docker push`. */
export function digestInPush(output: string): Parsed<Digest> {
  const match = /^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+\s*$/m.exec(output);
  return match ? ok(match[1] as Digest) : bad('docker push did not say a digest');
}
