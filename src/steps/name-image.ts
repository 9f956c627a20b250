/** The names of an image: its tags by the author's entries or the event, and its labels. Everything is found on this machine. */
import type { Assignment } from '../domain/docker-arguments.ts';
import { imageLabels } from '../domain/image-labels.ts';
import { parseTagEntries, tagsOfEvent, wantsTree, type EventTags, type TagEntry } from '../domain/tag-entries.ts';
import type { TagEvent } from '../domain/tags.ts';
import { InputError } from '../errors.ts';
import type { Ports } from '../ports/index.ts';

export interface NamingInputs {
  /** A path in the checkout; undefined where the image is built from elsewhere, or not built at all. */
  readonly folder: string | undefined;
  /** Local paths that go into the build beside the folder. */
  readonly otherPaths: readonly string[];
  readonly tags: readonly string[];
  readonly labels: readonly Assignment[];
}

export interface ImageNames extends EventTags {
  readonly labels: readonly Assignment[];
}

export type NamingPorts = Pick<Ports, 'clock' | 'files' | 'git' | 'github'>;

/** @throws InputError for tags that can't be made */
export async function nameImage({ inputs, ports }: { inputs: NamingInputs; ports: NamingPorts }): Promise<ImageNames> {
  const entries = parseTagEntries(inputs.tags);
  if (!entries.ok) throw new InputError([{ input: 'tags', problem: entries.problem }]);
  const { repository, ...event } = await sourceEvent({ inputs, entries: entries.value, ports });
  const named = tagsOfEvent(entries.value, event);
  if (!named.ok) throw new InputError([{ input: 'tags', problem: named.problem }]);
  const version = named.value.tags[0]?.tag ?? '';
  return { ...named.value, labels: imageLabels({ ...event, repository, version }, inputs.labels) };
}

interface EventRequest {
  readonly inputs: NamingInputs;
  readonly entries: readonly TagEntry[];
  readonly ports: NamingPorts;
}

type SourceFacts = TagEvent & Pick<Awaited<ReturnType<NamingPorts['github']['sourceEvent']>>, 'repository'>;

async function sourceEvent({ inputs, entries, ports }: EventRequest): Promise<SourceFacts> {
  const { clock, files, git, github } = ports;
  const { eventName, ref, sha } = github.run;
  const [source, pullRequest, tree] = await Promise.all([
    github.sourceEvent(),
    github.pullRequest(),
    wantsTree(entries) ? treeOf(inputs, ports) : undefined,
  ]);
  return {
    ...source,
    ...{ eventName, sha, pullRequest, tree },
    defaultBranch: source.repository.defaultBranch,
    // That event runs on the base branch, and is about the pull request all the same.
    ref: eventName === 'pull_request_target' && pullRequest ? `refs/pull/${pullRequest.number}/merge` : ref,
    now: clock.now(),
    commitTime: source.commitTime ?? (await git.commitTime(files.resolve('.'), source.revision)),
  };
}

/** The tree of the context, if it tells all that the checkout has in the build. */
async function treeOf({ folder, otherPaths }: NamingInputs, { files, git }: NamingPorts): Promise<string> {
  const refused = (problem: string, hint: string): InputError =>
    new InputError([{ input: 'tags', problem: `type=tree: ${problem}` }], { hint });
  if (folder === undefined)
    throw refused('there is no context in the checkout whose tree could be told', 'Use type=sha,format=long, which names the commit.');
  const strangers = otherPaths.filter((path) => !files.isInside(path, folder));
  if (strangers.length > 0)
    throw refused(
      `${strangers.join(', ')} ${strangers.length === 1 ? 'lies' : 'lie'} outside of the context ${folder}, whose tree tells nothing of it`,
      'Take a context that holds them, or use type=sha,format=long, which names the commit.',
    );
  const tree = await git.tree(files.resolve(folder));
  switch (tree.answer) {
    case 'tree':
      return tree.id;
    case 'dirty':
      throw refused(
        `the context ${folder} is not what is committed: ${shownPaths(tree.paths)}`,
        'Commit these files or have Git ignore them: the tree would not tell what is built.',
      );
    case 'none':
      throw refused(`Git knows no tree of the context ${folder}: ${tree.reason}`, 'Check out the repository first (actions/checkout).');
  }
}

const shownMost = 5;

function shownPaths(paths: readonly string[]): string {
  const more = paths.length - shownMost;
  return `${paths.slice(0, shownMost).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
