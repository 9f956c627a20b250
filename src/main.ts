/** The step: reads its inputs, runs one mode, and has the action's only catch. */
import { cleanupMemory } from './cleanup.ts';
import { ActionError, CancelledError, CommandError, InputError, toError } from './errors.ts';
import { didYouMean } from './inputs.ts';
import { inputNames, modes } from './modes/index.ts';
import { stepOutputs } from './outputs.ts';
import type { Ports } from './ports/index.ts';
import { realPorts } from './ports/real.ts';
import { isWithoutCredentials, withoutCredentials } from './steps/without-credentials.ts';

/** The runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that; a cancelled step must have answered by then. */
const answerWithin = 4_500;

const defaultMode = 'release';

async function runStep({ ports, signal }: { ports: Ports; signal: AbortSignal }): Promise<void> {
  const given = givenInputs(ports);
  const name = given.get('mode') ?? defaultMode;
  given.delete('mode');
  const mode = modes.find((one) => one.name === name);
  if (mode === undefined) {
    const names = modes.map((one) => one.name);
    throw new InputError([{ input: 'mode', problem: `"${name}" is not one of ${names.join(', ')}${didYouMean(name, names)}` }]);
  }
  const { warnings, run, planBlindly } = mode.prepare(given, inputNames);
  for (const warning of warnings) ports.log.warning(warning);
  const outputs = stepOutputs(ports);
  const context = { ports, signal, memory: cleanupMemory(ports.github), output: outputs.set };
  if (await isWithoutCredentials(ports)) {
    ports.log.notice(withoutCredentials);
    await planBlindly(context);
  } else await run(context);
  await outputs.warnOfDropped();
}

/** What arrived; the Region may also come from the environment (RULES 6.13). */
function givenInputs({ github }: Ports): Map<string, string> {
  const region = process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || '';
  return new Map([...(region === '' ? [] : [['aws-region', region] as const]), ...github.inputs()]);
}

/** One message for the log and the annotation: what failed, why, and what to do. */
function explain(thrown: unknown): string {
  const error = toError(thrown);
  if (error instanceof ActionError) return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  return `This is a bug in ecr-org-deploy, please report it with this text: ${error.stack ?? error.message}`;
}

const ports = realPorts(process.env);
const cancelled = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    ports.log.info(`${signal} received: stopping.`);
    cancelled.abort(new CancelledError(`The run was cancelled (${signal}).`));
    setTimeout(() => {
      ports.github.setFailed('The run was cancelled; what was under way did not stop in time. The post step looks after the rest.');
      process.exit(1);
    }, answerWithin).unref();
  });
}

try {
  await runStep({ ports, signal: cancelled.signal });
} catch (error) {
  ports.github.setFailed(explain(error), error instanceof CommandError ? error.place : undefined);
}
