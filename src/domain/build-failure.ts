/**
 * Where a build failed, from what the builder printed.
 *
 *   buildx    Dockerfile:12                                         the file's name and line, then an excerpt between lines of dashes
 *             --------------------
 *               11 |
 *               12 | >>> RUN make
 *             --------------------
 *             ERROR: failed to build: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
 *   classic   Step 3/5 : RUN make
 *             The command '/bin/sh -c make' returned a non-zero code: 2
 */
export interface BuildFailure {
  /** Why, in the builder's words. */
  readonly reason: string;
  /** The instruction: `RUN make`. */
  readonly step: string | undefined;
  /** The Dockerfile's name without its folder, and the line (from 1). */
  readonly place: { readonly file: string; readonly line: number } | undefined;
}

/** Undefined where the output does not tell more than its last lines do. */
export function parseBuildFailure(output: string): BuildFailure | undefined {
  const reason = /^ERROR: (?:failed to build: )?(?:failed to solve: )?(.+)$/m.exec(lastPart(output))?.[1];
  const excerpt = [...output.matchAll(/^(\S[^\n]*):(\d+)\n-{20}\n([^]*?)\n-{20}$/gm)].at(-1);
  if (reason === undefined && excerpt === undefined) return classicFailure(output);
  const [, file = '', line = '', lines = ''] = excerpt ?? [];
  return {
    reason: reason ?? 'it did not say why',
    step: /^\s*\d+ \| >>> (.*)$/m.exec(lines)?.[1]?.trim(),
    place: excerpt && { file, line: Number(line) },
  };
}

/** The digest that a build was about to push, from the progress of buildx; undefined where it did not come that far. */
export function pushedDigest(output: string): string | undefined {
  return /pushing manifest for \S+@(sha256:[0-9a-f]{64})/.exec(output)?.[1];
}

/** The line of an instruction in a Dockerfile; undefined where none or several are like it. */
export function lineOfStep(dockerfile: string, step: string): number | undefined {
  const same = dockerfile.split('\n').flatMap((line, index) => (line.trim() === step ? [index + 1] : []));
  return same.length === 1 ? same[0] : undefined;
}

function classicFailure(output: string): BuildFailure | undefined {
  const step = [...output.matchAll(/^Step \d+\/\d+ : (.*)$/gm)].at(-1)?.[1]?.trim();
  const reason = output.trimEnd().split('\n').at(-1);
  return step === undefined || reason === undefined ? undefined : { reason, step, place: undefined };
}

/** Steps may print `ERROR:` themselves: the builder's own comes last. */
function lastPart(output: string): string {
  return output.slice(Math.max(0, output.lastIndexOf('\nERROR: ')));
}
