import { DocumentError } from '../../src/errors.ts';
import type { OciImage } from '../../src/ports/oci-image.ts';
import type { OciRegistry, PushRequest, ReadRequest } from '../../src/ports/oci-registry.ts';
import { digestOf, type FakeEcr } from './ecr.ts';
import type { Journal } from './journal.ts';

/** A registry whose pushes a FakeEcr then holds, and other registries that can be read. */
export class FakeOciRegistry implements OciRegistry {
  readonly journal: Journal;
  readonly #ecr: FakeEcr;
  readonly layouts = new Map<string, OciImage>();
  /** `host/repository:tag` or `host/repository@digest` → image. */
  readonly remote = new Map<string, OciImage>();
  pushFailure: Error | undefined;

  constructor({ ecr, journal = [] }: { ecr: FakeEcr; journal?: Journal }) {
    this.#ecr = ecr;
    this.journal = journal;
  }

  /** A layout at a path, whose digest is that of a word. */
  hold(path: string, word: string): void {
    this.layouts.set(path, imageOf(path, word));
  }

  layout = async (path: string) => {
    const layout = this.layouts.get(path);
    if (!layout) throw new DocumentError([{ file: path, problem: 'is not an OCI layout: it has no file oci-layout' }]);
    return layout;
  };

  read = async ({ host, repository, reference, login }: ReadRequest) => {
    const name = `${host}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
    this.journal.push(`registry read ${name} as ${login?.username ?? 'anybody'}`);
    const held = this.#ecr.of(repository);
    return (
      this.remote.get(name) ??
      (host === this.#ecr.host && held?.images.has(reference as never) ? imageOf(name, undefined, reference) : undefined)
    );
  };

  push = async ({ host, repository, tags, image, mountFrom }: PushRequest) => {
    const from = mountFrom === undefined ? '' : ` from ${mountFrom}`;
    this.journal.push(`registry push ${host}/${repository} ${tags.join(' ')}${from}`);
    if (this.pushFailure) throw this.pushFailure;
    this.#ecr.hold({ in: repository, digest: image.digest, tags });
  };
}

/** An image for arm64, told by a word or a digest. */
export function imageOf(name: string, word?: string, digest: string = digestOf(word ?? name)): OciImage {
  return { name, digest: digest as OciImage['digest'], platforms: [{ os: 'linux', architecture: 'arm64' }], manifests: [], blobs: [] };
}
