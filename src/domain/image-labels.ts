/**
 * The labels that `docker/metadata-action` puts on an image (image-spec: annotations.md), with one difference: `created` is when the
 * commit was made, not when it was built, so that the same sources can make the same image; where nobody knows, it is left out.
 *
 * Labels without a value are set all the same: a base image's would stand there instead.
 */
import type { Assignment } from './docker-arguments.ts';

export interface LabelFacts {
  readonly repository: { readonly name: string; readonly description: string; readonly url: string; readonly license: string };
  readonly revision: string;
  /** Milliseconds since the epoch. */
  readonly commitTime: number | undefined;
  /** The first tag. */
  readonly version: string;
}

/** In the order of their names; the author's own win. */
export function imageLabels({ repository, revision, commitTime, version }: LabelFacts, own: readonly Assignment[]): readonly Assignment[] {
  const standard: readonly Assignment[] = [
    ...(commitTime === undefined ? [] : [['created', new Date(commitTime).toISOString()] as const]),
    ['description', repository.description],
    ['licenses', repository.license],
    ['revision', revision],
    ['source', repository.url],
    ['title', repository.name],
    ['url', repository.url],
    ['version', version],
  ];
  const labels = new Map([...standard.map(([name, value]): Assignment => [`org.opencontainers.image.${name}`, value]), ...own]);
  return [...labels].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
