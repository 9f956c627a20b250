/** The pull of a task's images, as Fargate finds out about it when it starts the task. */

/** May a task of this account pull this image with this execution role? The reason if not. True for registries that aren't ours. */
export type CanPull = (image: string, account: string, executionRoleArn: string | undefined) => true | string;

/** Why the first of the images that can't be pulled can't be; undefined if all can. */
export const refusedImage = (given: {
  readonly canPull: CanPull;
  readonly images: readonly string[];
  readonly account: string;
  readonly role: string | undefined;
}): string | undefined => {
  const { canPull, images, account, role } = given;
  const refusal = images.map((image) => canPull(image, account, role)).find((answer) => answer !== true);
  return refusal === undefined || refusal.startsWith('CannotPull') ? refusal : `CannotPullContainerError: ${refusal}`;
};
