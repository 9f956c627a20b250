/** The task definition as it will be registered: its images by digest, its environment merged. */
import { formatImage, type Digest } from '../domain/image.ts';
import { formatPath, type Finding } from '../domain/json.ts';
import {
  registrationFindings,
  withEnvironment,
  withImages,
  type ContainerImage,
  type PinnedImage,
  type TaskDefinition,
} from '../domain/task-definition.ts';
import { DocumentError } from '../errors.ts';
import type { Containers, ExpectedImage } from './choose-containers.ts';

export interface Rendering {
  /** What will be registered, but for the images and the environment. */
  readonly definition: TaskDefinition;
  readonly containers: Containers;
  readonly inputs: { readonly 'environment-variables': readonly (readonly [name: string, value: string])[] };
}

/**
 * @param images in the order of the containers that get them
 * @throws DocumentError where ECS would not take it
 */
export function renderDefinition(rendering: Rendering, images: readonly PinnedImage[]): TaskDefinition {
  const rendered = filledIn(rendering, images);
  const findings = registrationFindings(rendered);
  if (findings.length === 0) return rendered;
  const file = `the task definition ${rendered.family}`;
  throw new DocumentError(findings.map(({ path, problem }) => ({ file, problem, ...(path.length > 0 && { path: formatPath(path) }) })));
}

/** What ECS would not take, found before the images themselves are known (DESIGN 6.5). */
export function rehearse(rendering: Rendering, images: readonly ExpectedImage[]): readonly Finding[] {
  return registrationFindings(filledIn(rendering, images.map(placeholder)));
}

/** Each image with its container. */
function containerImages({ images: names }: Containers, images: readonly PinnedImage[]): readonly ContainerImage[] {
  if (names.length !== images.length) throw new Error(`${images.length} images for ${names.length} containers`);
  return images.map((image, index) => ({ container: names[index] ?? '', image }));
}

/** The same as a reader knows them: `host/repository@sha256:…`. */
export function containerUris(containers: Containers, images: readonly PinnedImage[]): readonly { container: string; uri: string }[] {
  return containerImages(containers, images).map(({ container, image }) => ({ container, uri: formatImage(image) }));
}

function filledIn({ definition, containers, inputs }: Rendering, images: readonly PinnedImage[]): TaskDefinition {
  const variables = inputs['environment-variables'];
  return withEnvironment(withImages(definition, containerImages(containers, images)), { container: containers.environment, variables });
}

/** As long as an image's name is. */
function placeholder({ repository }: ExpectedImage): PinnedImage {
  return { host: '000000000000.dkr.ecr.eu-west-1.amazonaws.com', repository, digest: `sha256:${'0'.repeat(64)}` as Digest };
}
