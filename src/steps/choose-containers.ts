/** Which containers of a task definition get the images, and which one the environment. */
import type { RepositoryName } from '../domain/image.ts';
import { chooseContainer, containerNames, type TaskDefinition } from '../domain/task-definition.ts';
import type { InputProblem } from '../errors.ts';

/** What is known of an image before it is found, or built. */
export interface ExpectedImage {
  readonly repository: RepositoryName;
  /** The container that its line names; undefined where it stands alone. */
  readonly container?: string | undefined;
}

export interface Containers {
  /** Those that get the images, in the order of the images. */
  readonly images: readonly string[];
  /** The one that gets the environment. */
  readonly environment: string;
}

export interface Choice {
  readonly containers: Containers | undefined;
  readonly problems: readonly InputProblem[];
}

export interface ChoiceRequest {
  readonly definition: TaskDefinition;
  readonly images: readonly ExpectedImage[];
  /** `container-name`. Beside lines that name their containers it says which one gets the environment; by default the first. */
  readonly wanted: string | undefined;
}

export function chooseContainers({ definition, images, wanted }: ChoiceRequest): Choice {
  const named = images.flatMap(({ container }) => container ?? []);
  const [environment = ''] = named;
  const alone = images.find(({ container }) => container === undefined);
  const chosen =
    alone === undefined && wanted === undefined
      ? { ok: true as const, value: environment }
      : chooseContainer({ definition, repository: alone?.repository, wanted });
  const names = containerNames(definition);
  const problems = [
    ...named
      .filter((name) => !names.includes(name))
      .map((name) => ({
        input: 'image',
        problem: `"${name}" is not in the task definition ${definition.family}: its containers are ${names.join(', ')}`,
      })),
    ...(chosen.ok ? [] : [{ input: 'container-name', problem: chosen.problem }]),
  ];
  if (problems.length > 0 || !chosen.ok) return { containers: undefined, problems };
  return { containers: { images: alone === undefined ? named : [chosen.value], environment: chosen.value }, problems };
}
