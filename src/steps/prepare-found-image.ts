/** A deployment of an image that exists, prepared: the image is looked for beside the checks of the service, and told in one report. */
import { formatImage, parseEcrHost } from '../domain/image.ts';
import type { PinnedImage } from '../domain/task-definition.ts';
import type { InputProblem } from '../errors.ts';
import { lazy } from '../ports/aws.ts';
import { findImages, imageProblems, type FindInputs, type FindRequest } from './find-image.ts';
import { prepareDeployment, type DeploymentInputs, type Documents, type PreparedDeployment } from './prepare-deployment.ts';
import { registryAccount } from './sessions.ts';

export interface Deployable {
  readonly prepared: PreparedDeployment;
  /** By digest, in the order of the containers that get them. */
  readonly images: readonly PinnedImage[];
}

/** @throws as `prepareDeployment` does, also for what is wrong with the images */
export async function prepareFoundImage(
  request: FindRequest & { readonly documents?: Documents | undefined; readonly inputs: DeploymentInputs & FindInputs },
): Promise<Deployable> {
  const { inputs, side, ports, documents } = request;
  const finding = lazy(async () => findImages(request));
  const [first] = inputs.image;
  const prepared = await prepareDeployment({
    inputs,
    side,
    ports,
    documents,
    images: inputs.image.map(({ container, image }) => ({ container, repository: image.repository })),
    registryAccount: registryAccount(inputs) ?? parseEcrHost(first.image.host ?? '')?.account,
    beside: () => {
      finding().catch(() => undefined);
      return async (definition) => imageProblems(await finding(), definition);
    },
  });
  const found = await finding();
  for (const { warnings } of found) warnings.forEach((warning) => ports.log.warning(warning));
  for (const { notes } of found) notes.forEach((note) => ports.log.info(note));
  const images = found.map(({ image }) => {
    if (!image) throw new Error('an image that was not found passed the preflight');
    return image;
  });
  return { prepared, images };
}

/** Each account looks for the image itself; a tag that moved meanwhile would not be the same image everywhere. */
export function movedTags(deployables: readonly Deployable[]): readonly InputProblem[] {
  const found = [...new Set(deployables.map(({ images }) => images.map(formatImage).join(' ')))];
  if (found.length < 2) return [];
  return [
    { input: 'image', problem: `is not the same for all accounts, its tag moved meanwhile (${found.join(', ')}); give it by digest` },
  ];
}
