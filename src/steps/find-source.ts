/** Where an image comes from: a build, or an image that exists already. */
import type { ImageReference } from '../domain/image.ts';
import type { ImageSource } from '../domain/image-source.ts';
import type { Digest, RepositoryName } from '../domain/image.ts';
import { CommandError, InputError } from '../errors.ts';
import type { RegistryLogin } from '../ports/ecr.ts';
import type { OciImage } from '../ports/oci-image.ts';
import { prepareBuild, type BuildInputs, type BuildPorts, type PreparedBuild } from './build-image.ts';
import type { Ports } from '../ports/index.ts';

/** As the inputs name it and this machine has it; nothing was asked of a registry. */
export type GivenSource =
  | { readonly kind: 'build'; readonly build: PreparedBuild }
  /** The Docker engine's. */
  | { readonly kind: 'local'; readonly reference: string }
  | { readonly kind: 'layout'; readonly image: OciImage }
  | { readonly kind: 'registry'; readonly reference: ImageReference };

/** What is published. */
export type Source =
  | Exclude<GivenSource, { readonly kind: 'registry' }>
  /** Another registry's. */
  | { readonly kind: 'copy'; readonly image: OciImage }
  /** In this registry already; `reuse`: found by a tag that says what it was made from, so that nothing is built (RULES 5.14). */
  | { readonly kind: 'registry' | 'reuse'; readonly repository: RepositoryName; readonly digest: Digest };

export interface SourceInputs extends BuildInputs {
  readonly image: ImageSource | undefined;
}

/** @throws InputError with all that the inputs have wrong; DocumentError for a broken layout; CommandError without an engine */
export async function findSource({
  inputs,
  ports,
}: {
  inputs: SourceInputs;
  ports: BuildPorts & Pick<Ports, 'ociRegistry'>;
}): Promise<GivenSource> {
  const { docker, files, ociRegistry } = ports;
  const { image } = inputs;
  switch (image?.kind) {
    case undefined:
      return { kind: 'build', build: await prepareBuild({ inputs, ports }) };
    case 'layout':
      return { kind: 'layout', image: await ociRegistry.layout(files.resolve(image.path)) };
    case 'registry':
      return image;
    case 'local':
      if (!(await docker.hasImage(image.reference))) throw await notLocal(image.reference, ports);
      return image;
  }
}

async function notLocal(reference: string, { docker }: BuildPorts): Promise<InputError | CommandError> {
  const { engine, problem = '' } = await docker.probe();
  if (engine === undefined)
    return new CommandError(`No Docker engine to take the image ${reference} from: ${problem}`, { command: 'docker version', exitCode: 1 });
  return new InputError([{ input: 'image', problem: `the Docker engine has no image ${reference}` }], {
    hint: 'A name that begins with a host (ghcr.io/acme/web:1) is looked for in that registry, repository@sha256:… in the shared one, oci:PATH on disk.',
  });
}

/** Undefined for what is made or pushed first: its digest is known after that. */
export function digestOf(source: Source): Digest | undefined {
  switch (source.kind) {
    case 'build':
    case 'local':
      return undefined;
    case 'layout':
    case 'copy':
      return source.image.digest;
    case 'registry':
    case 'reuse':
      return source.digest;
  }
}

export interface LoginRequest {
  readonly host: string;
  readonly ports: Pick<Ports, 'docker' | 'github'>;
}

/** The login that Docker has for a registry that is not ours; its password is masked. */
export async function foreignLogin({ host, ports: { docker, github } }: LoginRequest): Promise<RegistryLogin | undefined> {
  const login = await docker.loginFor(host);
  if (login) github.mask(login.password);
  return login;
}
