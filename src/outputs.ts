/** How a step's outputs leave: at once, within what GitHub takes of a job, and with a word where it will drop one. */
import { largeOutputLimit } from './domain/output-limit.ts';
import { accountMask, jobOutputsOf } from './domain/workflow-file.ts';
import { DocumentError } from './errors.ts';
import type { OutputName } from './mode.ts';
import { parseDocument } from './ports/documents.ts';
import type { Ports } from './ports/index.ts';

/** Those that can grow without a limit of their own. */
const largeOutputs: readonly OutputName[] = ['policy', 'plan', 'deployments', 'findings'];

export interface StepOutputs {
  readonly set: (name: OutputName, value: string) => void;
  /** At the step's end: warns of outputs that other jobs will not get. */
  warnOfDropped(): Promise<void>;
}

export function stepOutputs(ports: Pick<Ports, 'files' | 'github' | 'log'>): StepOutputs {
  const { github, log } = ports;
  const values = new Map<OutputName, string>();
  return {
    set: (name, value) => {
      const others = largeOutputs.filter((other) => other !== name).reduce((sum, other) => sum + (values.get(other)?.length ?? 0), 0);
      const isTooLarge = largeOutputs.includes(name) && others + value.length > largeOutputLimit;
      if (isTooLarge)
        log.warning(
          `Output ${name} has ${value.length} characters, more than GitHub takes with the others of a job, so it is only {"truncated":true}. The log and the job summary tell what is in it.`,
        );
      const given = isTooLarge ? JSON.stringify({ truncated: true }) : value;
      values.set(name, given);
      github.setOutput(name, given);
    },
    warnOfDropped: async () => warnOfDropped({ values, ports }),
  };
}

/**
 * A step is not told what is masked, so the workflow file is read for it, where it is checked out. Nothing of this may fail a step that
 * went well.
 */
async function warnOfDropped({
  values,
  ports: { files, github, log },
}: {
  values: ReadonlyMap<OutputName, string>;
  ports: Pick<Ports, 'files' | 'github' | 'log'>;
}): Promise<void> {
  const names = [...values].filter(([, value]) => /(?<!\d)\d{12}\.dkr[.-]ecr|:\d{12}:/.test(value)).map(([name]) => name);
  const { job, repository, workflowRef } = github.run;
  const file = workflowRef.replace(`${repository}/`, '').replace(/@.*$/, '');
  if (names.length === 0 || file === '') return;
  try {
    const text = (await files.readText(file)) ?? '';
    const mask = accountMask(text);
    const dropped = mask ? jobOutputsOf(parseDocument(file, text).value, { job, names }) : [];
    if (mask === undefined || dropped.length === 0) return;
    const why = mask.secret === undefined ? 'its account ID is masked' : `its account ID is the secret ${mask.secret}`;
    log.warning(
      `GitHub will not give ${dropped.join(', ')} to other jobs: ${why}, and an output that holds a masked value is dropped whole. Pass the output image instead, which holds none, and registry-id beside it.`,
      { file, line: mask.line },
    );
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
  }
}
