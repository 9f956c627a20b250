/** Checks that run at the same time, and fail together: an author reads every problem at once. */
import { DocumentError, InputError } from '../errors.ts';
import { report } from './preflight-report.ts';

/** A check, and the input whose side it belongs to: a call that fails is told by it, since AWS's words name no input. */
export type Check = readonly [input: string, check: Promise<unknown>];

type Results<T extends readonly Check[]> = { -readonly [Index in keyof T]: Awaited<T[Index][1]> };

/**
 * Waits for all of them, also when one has failed.
 * @throws the one error there is, or an InputError with the problems of all
 */
export async function together<const T extends readonly Check[]>(...checks: T): Promise<Results<T>> {
  const settled = await Promise.allSettled(checks.map(async ([, check]) => check));
  const failures = settled.flatMap((one, index) =>
    one.status === 'rejected' ? [{ input: checks[index]?.[0] ?? '', error: one.reason as unknown }] : [],
  );
  const errors = failures.map(({ error }) => error);
  if (errors.length === 1) throw errors[0];
  try {
    report({
      inputs: errors.flatMap((error) => (error instanceof InputError ? error.problems : [])),
      documents: errors.flatMap((error) => (error instanceof DocumentError ? error.problems : [])),
      failures: failures.filter(({ error }) => !(error instanceof InputError || error instanceof DocumentError)),
    });
  } catch (error) {
    throw error instanceof InputError ? withHints(error, errors) : error;
  }
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as Results<T>;
}

/** What to do next, of all of them; calls that wait for the same thing fail with the same words, which are said once. */
function withHints({ problems, hint, cause }: InputError, errors: readonly unknown[]): InputError {
  const seen = new Map(problems.map((problem) => [`${problem.input}: ${problem.problem}`, problem]));
  const hints = errors.flatMap((error) => (error instanceof InputError && error.hint !== undefined ? [error.hint] : []));
  const all = [...new Set([...hints, ...(hint === undefined ? [] : [hint])])];
  return new InputError([...seen.values()], { cause, ...(all.length > 0 && { hint: all.join('\n') }) });
}
