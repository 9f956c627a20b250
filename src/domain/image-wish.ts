/**
 * Which container is to run which image.
 *
 *   wishes  = reference | line+                one image alone, or a line for each of several containers
 *   line    = container "=" reference
 *
 * A reference has no "=" in it, so the first one ends the container's name.
 */
import { parseImageReference, type ImageReference } from './image.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export interface ImageWish {
  /** Undefined: the image stands alone, and its container is found by `container-name` or by its repository. */
  readonly container: string | undefined;
  readonly image: ImageReference;
}

/** The first is the one whose URI is the output. */
export type ImageWishes = readonly [ImageWish, ...ImageWish[]];

export function parseImageWishes(text: string): Parsed<ImageWishes> {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const read = lines.map(parseLine);
  const wishes = read.flatMap((line) => (line.ok ? [line.value] : []));
  const problems = [...read.flatMap((line) => (line.ok ? [] : [line.problem])), ...disagreements(wishes, lines)];
  const [first, ...others] = wishes;
  return problems.length > 0 || !first ? bad(problems.join('; ') || 'names no image') : ok([first, ...others]);
}

function parseLine(line: string): Parsed<ImageWish> {
  const at = line.indexOf('=');
  const image = parseImageReference(line.slice(at + 1).trim());
  if (!image.ok) return image;
  if (at < 0) return ok({ container: undefined, image: image.value });
  const container = line.slice(0, at).trim();
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(container)) return bad(`"${container}" is not a container name (letters, digits, "-" and "_")`);
  return ok({ container, image: image.value });
}

/** What only the lines together show to be wrong. */
function disagreements(wishes: readonly ImageWish[], lines: readonly string[]): string[] {
  const nameless = lines.length > 1 ? lines.filter((line) => !line.includes('=')) : [];
  const names = wishes.flatMap(({ container }) => container ?? []);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [
    ...nameless.map((line) => `"${line}" names no container, and there are several lines: write <container>=${line}`),
    ...[...twice].map((name) => `the container ${name} has several lines`),
  ];
}
