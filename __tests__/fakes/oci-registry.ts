import { DocumentError } from '../../src/errors.ts';
import type { OciLayout } from '../../src/ports/oci-layout.ts';
import type { OciRegistry, PushRequest } from '../../src/ports/oci-registry.ts';
import { digestOf, type FakeEcr } from './ecr.ts';
import type { Journal } from './journal.ts';

/** A registry whose pushes a FakeEcr then holds. */
export class FakeOciRegistry implements OciRegistry {
  readonly journal: Journal;
  readonly #ecr: FakeEcr;
  readonly layouts = new Map<string, OciLayout>();
  pushFailure: Error | undefined;

  constructor({ ecr, journal = [] }: { ecr: FakeEcr; journal?: Journal }) {
    this.#ecr = ecr;
    this.journal = journal;
  }

  /** A layout at a path, whose digest is that of a word. */
  hold(path: string, word: string): void {
    const platforms = [{ os: 'linux', architecture: 'arm64' }];
    this.layouts.set(path, { path, digest: digestOf(word), platforms, manifests: [], blobs: [] });
  }

  layout = async (path: string) => {
    const layout = this.layouts.get(path);
    if (!layout) throw new DocumentError([{ file: path, problem: 'is not an OCI layout: it has no file oci-layout' }]);
    return layout;
  };

  push = async ({ host, repository, tags, layout }: PushRequest) => {
    this.journal.push(`registry push ${host}/${repository} ${tags.join(' ')}`);
    if (this.pushFailure) throw this.pushFailure;
    this.#ecr.hold(layout.digest, ...tags);
  };

  headManifest = async () => undefined;
}
