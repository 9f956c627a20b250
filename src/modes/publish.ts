/** Builds (or takes an image that exists), pushes every tag, verifies, and gives the digest. */
import { formatImage } from '../domain/image.ts';
import { formatPlatform } from '../domain/oci.ts';
import { defineMode, type OutputName } from '../mode.ts';
import { idleCreation } from '../steps/create-repository.ts';
import { afterPush, planAfterPush } from '../steps/after-push.ts';
import { planPublishBlindly } from '../steps/plan-blindly.ts';
import { planPublish, type PublishPlan } from '../steps/plan-publish.ts';
import { checkPublish, preparePublish, readWish } from '../steps/prepare-publish.ts';
import { checkRegistryType } from '../steps/public-registry.ts';
import { publishImage, type PublishedImage } from '../steps/publish-image.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { together } from '../steps/together.ts';
import { openRegistry, registryAccount, sideProblems } from '../steps/sessions.ts';
import { checkReplication, prepareReplication } from '../steps/wait-for-replication.ts';
import { checking, common, creating, imageToPublish, publishing, registryKind, registrySide, repositories } from './shared-inputs.ts';

/** The outputs that tell an image; `release` has them too. */
export const imageOutputs = ['image-uri', 'image', 'image-name', 'image-tags', 'image-digest', 'registry', 'pushed'] as const;

export const publish = defineMode({
  name: 'publish',
  summary:
    'Builds an image (or takes one that exists), pushes every tag to one or several repositories of the shared registry and verifies the digest.',
  inputs: { ...common, ...registrySide, ...registryKind, ...repositories, ...creating, ...publishing, ...imageToPublish, ...checking },
  outputs: [...imageOutputs, 'plan'],
  check: (inputs) => [...sideProblems(inputs), ...checkRegistryType(inputs), ...checkPublish(inputs), ...checkReplication(inputs)],
  warn: idleCreation,
  run: async ({ inputs, ports, output, memory, signal }) => {
    const wish = await readWish({ inputs, ports });
    const { session, ecr, imageRegistry } = openRegistry({ inputs, ports });
    const registryId = registryAccount(inputs);
    const [prepared, destinations] = await together(
      ['registry-role', preparePublish({ inputs, wish, registryId, ecr: imageRegistry, session, ports, signal })],
      ['wait-for-replication', prepareReplication({ inputs, repositories: inputs.repository, registryId, session, ecr })],
      // The account's guard, before the first write.
      ['registry-role', session.identity()],
    );
    if (inputs['dry-run']) {
      const planned = await planPublish(prepared, { ecr: imageRegistry });
      tellPlannedImage(planned, output);
      const after = planAfterPush({ inputs, destinations, repository: prepared.targets[0].repository });
      return tellPlan('publish', [planned.part, after], { ports, output });
    }
    const image = await publishImage(prepared, { ecr: imageRegistry, creator: ecr, ports, memory, signal });
    tellImage(image, output);
    await ports.github.summarise(imageSummary(image));
    await afterPush({ inputs, destinations, image, session, ecr, ports, signal });
  },
  planBlindly: async ({ inputs, ports, output }) => {
    const { image, ...blind } = await planPublishBlindly({ inputs, ports });
    output('image', image);
    output('pushed', 'false');
    return blind;
  },
});

/** Sets the outputs of an image. */
export function tellImage(image: PublishedImage, output: (name: (typeof imageOutputs)[number], value: string) => void): void {
  const { host, repository, digest, uri, pushed } = image;
  const values: Readonly<Record<(typeof imageOutputs)[number] & OutputName, string>> = {
    'image-uri': uri,
    image: formatImage({ repository, digest }),
    'image-name': `${host}/${repository}`,
    'image-tags': JSON.stringify(
      homesOf(image).flatMap(({ repository, tags }) => tags.map((tag) => formatImage({ host, repository, tag }))),
    ),
    'image-digest': digest,
    registry: host,
    pushed: String(pushed),
  };
  for (const name of imageOutputs) output(name, values[name]);
}

/** Those of an image that is there; nothing was pushed, in any case. */
export function tellPlannedImage({ image, exists }: PublishPlan, output: Parameters<typeof tellImage>[1]): void {
  if (exists) tellImage(image, output);
  else output('pushed', 'false');
}

/** The repositories that hold it, the deployed one first. */
function homesOf({ repository, tags, others }: PublishedImage): PublishedImage['others'] {
  return [{ repository, tags }, ...others];
}

/**
 * The image in the job summary. Nothing in it is foreign text: repository, tags, digest and platforms have grammars in which
 * Markdown and HTML have no room, and the host is AWS's own.
 */
export function imageSummary(image: PublishedImage): string {
  const { host, digest, pushed, isIndex, platforms = [] } = image;
  const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(' ');
  const rows = [
    ...homesOf(image).flatMap(({ repository, tags }) => [
      ['Repository', code([`${host}/${repository}`])],
      ['Tags', code(tags)],
    ]),
    ['Digest', `${code([digest])}${isIndex ? ' (an index)' : ''}`],
    ['Pushed', pushed ? 'yes' : 'no, all was there already'],
    ...(platforms.length === 0 ? [] : [['Platforms', code(platforms.map(formatPlatform))]]),
  ];
  return ['### Image', '', '| | |', '| --- | --- |', ...rows.map(([name = '', value = '']) => `| ${name} | ${value} |`), ''].join('\n');
}
