/** Where secrets may be: in memory, on stdin, in a private file while it is needed, and on the line that masks them. Nowhere else. */
import { expect, test } from '@jest/globals';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { StepResult } from '../../emulator/runner.ts';
import type { Scenario } from '../../emulator/scenario.ts';
import {
  describeReal,
  filesWith,
  helloWorld,
  newJob,
  newRepository,
  recordingDocker,
  registryInputs,
  overRegistry,
  story,
  variable,
  watchCommandLines,
  writeDockerConfig,
} from './parts.ts';

let scenario: Scenario;

/** Every secret that was about: the registry's password in both forms, the keys of every session, the ID tokens. */
function secrets(): readonly string[] {
  const { world, requests, github } = scenario.emulator;
  const password = variable('REGISTRY_PASSWORD');
  const sessions = [...world.accessKeys.values()].flatMap((key) => [
    key.secretAccessKey,
    ...('sessionToken' in key ? [key.sessionToken] : []),
  ]);
  const tokens = requests.of('sts', 'AssumeRoleWithWebIdentity').map(({ input }) => String(input['WebIdentityToken']));
  return [...new Set([password, Buffer.from(`AWS:${password}`).toString('base64'), github.identity.requestToken, ...sessions, ...tokens])];
}

/** What a step let out, by where; lines that tell the runner a mask are for the runner's ears only. */
function told({ log, raw, outputs, state, summary }: StepResult): Readonly<Record<string, string>> {
  return {
    log: log.join('\n'),
    raw: raw
      .split('\n')
      .filter((line) => !line.startsWith('::add-mask::'))
      .join('\n'),
    outputs: JSON.stringify(outputs),
    state: JSON.stringify(state),
    summary,
  };
}

const holding = (texts: Iterable<string>, among: readonly string[]): readonly string[] =>
  [...texts].filter((text) => among.some((secret) => text.includes(secret)));

describeReal('secrets', { needs: ['engine', 'buildx', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  test.each([
    ['login', true],
    ['publish with buildx', true],
    ['publish without buildx', false],
  ] as const)('%s keeps them out of argv, environments, outputs, state and log', async (mode, buildx) => {
    const recorder = recordingDocker();
    // The runner's debug log is on: what it shows must be as clean.
    const job = newJob(scenario, { environment: { PATH: recorder.path, RUNNER_DEBUG: '1' } });
    cpSync(helloWorld, job.workspace, { recursive: true });
    writeDockerConfig(join(job.folder, '.docker'), { buildx });
    const [name = ''] = mode.split(' ');
    const publishing = { repository: newRepository(scenario), 'build-args': 'BASE=scratch', tags: 'one\ntwo' };

    const seen = watchCommandLines();
    const step = await job.step({ with: { ...registryInputs, mode: name, ...(name === 'publish' && publishing) } });
    const steps = [step, ...(await job.finish())];
    const lines = seen();
    for (const each of steps) expect(story(each)).toBe('exit code 0');

    const all = secrets();
    expect(all.length).toBeGreaterThanOrEqual(6);
    // The runner was told what to mask.
    expect(step.raw.split('\n')).toContain(`::add-mask::${variable('REGISTRY_PASSWORD')}`);
    for (const each of steps) expect(Object.entries(told(each)).filter(([, text]) => holding([text], all).length > 0)).toEqual([]);
    expect(holding(Object.values(job.exported), all)).toEqual([]);
    expect(filesWith(job.folder, all)).toEqual([]);

    const calls = recorder.calls();
    expect(calls.some((call) => call.arguments.includes('--password-stdin'))).toBe(true);
    expect(
      holding(
        calls.map((call) => call.arguments.join(' ')),
        all,
      ),
    ).toEqual([]);
    expect(
      holding(
        calls.flatMap((call) => Object.values(call.environment)),
        all,
      ),
    ).toEqual([]);
    // Nothing of AWS, the inputs or GitHub's tokens is handed to Docker at all (RULES 6.23).
    expect(
      calls.flatMap((call) => Object.keys(call.environment)).filter((variable) => /^(AWS_|ACTIONS_|INPUT_|GITHUB_)/.test(variable)),
    ).toEqual([]);
    // The watch saw Docker at work, and it saw nothing that it shouldn't.
    expect([...lines].some((line) => line.includes('docker'))).toBe(true);
    expect(holding(lines, all)).toEqual([]);
    job.remove();
    recorder.remove();
  });
});
