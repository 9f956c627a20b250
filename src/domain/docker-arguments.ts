/**
 * The arguments of Docker's commands, and what their output says. Nothing secret is ever among them: passwords go by stdin.
 *
 *   buildx    docker buildx build --push --tag … --metadata-file F CONTEXT      F holds `containerimage.digest`
 *   classic   docker build --tag … CONTEXT, then docker push REFERENCE for each; its last line is `TAG: digest: sha256:… size: N`
 */
import { parseDigest, type Digest } from './image.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export interface BuildRequest {
  /** An absolute path. */
  readonly context: string;
  /** The Dockerfile, an absolute path; undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  readonly buildArgs: readonly Assignment[];
  readonly labels: readonly Assignment[];
  /** `host/repository:tag`, each pushed. */
  readonly references: readonly string[];
}

export type Assignment = readonly [name: string, value: string];

export function buildxArguments(request: BuildRequest, { metadataFile }: { readonly metadataFile: string }): readonly string[] {
  return ['buildx', 'build', '--progress', 'plain', '--push', '--metadata-file', metadataFile, ...common(request)];
}

export function classicBuildArguments(request: BuildRequest): readonly string[] {
  return ['build', ...common(request)];
}

export function pushArguments(reference: string): readonly string[] {
  return ['push', reference];
}

export function loginArguments({ host, username }: { readonly host: string; readonly username: string }): readonly string[] {
  return ['login', '--username', username, '--password-stdin', host];
}

function common({ context, file, target, platforms, buildArgs, labels, references }: BuildRequest): readonly string[] {
  return [
    ...option('--file', file === undefined ? [] : [file]),
    ...option('--target', target === undefined ? [] : [target]),
    ...option('--platform', platforms.length === 0 ? [] : [platforms.join(',')]),
    ...option('--build-arg', buildArgs.map(assigned)),
    ...option('--label', labels.map(assigned)),
    ...option('--tag', references),
    context,
  ];
}

function option(name: string, values: readonly string[]): readonly string[] {
  return values.flatMap((value) => [name, value]);
}

function assigned([name, value]: Assignment): string {
  return `${name}=${value}`;
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
