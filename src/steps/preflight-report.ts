/** Every problem that was found before the first write, in one report. */
import { ActionError, DocumentError, formatProblem, InputError, type DocumentProblem, type InputProblem } from '../errors.ts';

export interface Found {
  readonly inputs: readonly InputProblem[];
  readonly documents: readonly DocumentProblem[];
  /** Calls that failed, each with the input whose side it belongs to. */
  readonly failures: readonly { readonly input: string; readonly error: unknown }[];
}

/**
 * @throws the one error there is, or an InputError that holds all; nothing where nothing was found
 */
export function report({ inputs, documents, failures }: Found): void {
  const [failure, ...others] = distinct(failures);
  const ours = failures.find(({ error }) => !(error instanceof ActionError));
  // A fault of our own is no finding.
  if (ours) throw ours.error;
  if (failure && others.length === 0 && inputs.length === 0 && documents.length === 0) throw failure.error;
  if (!failure && documents.length === 0 && inputs.length > 0) throw new InputError(inputs);
  if (!failure && inputs.length === 0 && documents.length > 0) throw new DocumentError(documents);
  const problems = [
    ...inputs,
    ...documents.map((problem) => ({ input: 'documents', problem: formatProblem(problem) })),
    ...(failure ? [failure, ...others] : []).map(({ input, error }) => ({ input, problem: sentence(error) })),
  ];
  if (problems.length > 0) throw new InputError(problems, { hint: 'Nothing was changed.', cause: failure?.error });
}

/** What failed, and what to do next. */
export function sentence(error: unknown): string {
  if (!(error instanceof ActionError)) return String(error);
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}

/** Reads that wait for the same failing call fail with the same error. */
function distinct(failures: Found['failures']): Found['failures'] {
  const seen = new Set<string>();
  return failures.filter(({ error }) => {
    const text = sentence(error);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
