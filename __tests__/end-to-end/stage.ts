/**
 * Ring 4: the committed dist/ as a child process, as a runner starts it, against the emulator. What a user sees is the snapshot: the log, the
 * outputs, the requests; what differs from run to run is replaced first.
 */
import { expect } from '@jest/globals';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import { Job, type JobOptions, type StepOptions, type StepResult } from '../../emulator/runner.ts';
import {
  accounts,
  cluster,
  developmentOu,
  organizationId,
  region,
  repositoryName,
  roles,
  service,
  startScenario,
  type Scenario,
  type ScenarioOptions,
} from '../../emulator/scenario.ts';

export const inputs = {
  common: { 'aws-region': region },
  registry: { 'registry-role': roles.registry },
  repository: { repository: repositoryName },
  sharing: { 'organization-id': organizationId, 'target-ous': developmentOu },
  deploying: { 'deploy-role': roles.deploy(accounts.devA), cluster, service },
} as const;

export interface Stage {
  readonly scenario: Scenario;
  readonly job: Job;
  /** Runs a step; the requests that it made are `requests()`. */
  step(options: StepOptions): Promise<StepResult>;
  /** The requests of the last step, in order; those that ran at the same time are sorted. */
  requests(): readonly string[];
  /** Text without what differs from run to run. */
  plain(text: string): string;
  /** The host of the shared registry. */
  readonly host: string;
}

export interface StageOptions extends ScenarioOptions {
  readonly job?: Partial<JobOptions>;
}

/** Sets the stage, plays, and clears it: a surprise of the emulator or a failing post step fails the test. */
export async function onStage({ job: jobOptions, ...options }: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  const scenario = await startScenario({ speed: 1_000_000, ...options });
  const { emulator } = scenario;
  const { environment, ...others } = jobOptions ?? {};
  const job = new Job({ ...others, environment: emulator.environment(environment) });
  const host = await emulator.registryHost(accounts.registry);
  try {
    await play({
      scenario,
      job,
      host,
      step: async (step) => {
        emulator.requests.clear();
        return job.step(step);
      },
      requests: () => emulator.requests.names(),
      plain: (text) => plain(text, job),
    });
    for (const post of await job.finish()) expect(post).toMatchObject({ exitCode: 0 });
    expect(emulator.violations).toEqual([]);
  } finally {
    job.remove();
    await emulator.close();
  }
}

/** An OCI layout in the checkout, for `image: oci:image`; gives its digest. */
export function layout(job: Job, text = 'hello'): string {
  return writeOciLayout(`${job.workspace}/image`, { files: { 'index.html': text } });
}

function plain(text: string, job: Job): string {
  return text
    .replaceAll(job.workspace, '<workspace>')
    .replaceAll(job.folder, '<job>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
    .replaceAll(/until \d\d:\d\d UTC/g, 'until <time> UTC')
    .replaceAll(/(EcrOrgDeploy[A-Z][A-Za-z]+)x[0-9a-z]{16,}/g, '$1x<marker>')
    .replaceAll(/d\\?-[A-Z0-9]{9}/g, 'd-<id>')
    .replaceAll(/request [0-9a-f-]{36}/g, 'request <id>');
}

/** Log, outputs, summary and the kinds of requests of a step, as one snapshot. */
export function transcript(stage: Stage, result: StepResult): string {
  const clean = (text: string): string => stage.plain(text);
  const requests = stage.requests();
  const section = (title: string, lines: readonly string[]): string => [`## ${title}`, ...lines].join('\n');
  return [
    section(`exit code ${String(result.exitCode)}`, []),
    section('log', inOrder(result.log.map(clean))),
    section(
      'outputs',
      Object.entries(result.outputs).map(([name, value]) => `${name}=${clean(value)}`),
    ),
    section('summary', clean(result.summary).split('\n')),
    section('requests', [...new Set(requests)].toSorted()),
  ].join('\n\n');
}

/** Both sides say who they are as soon as they know, in either order. */
function inOrder(log: readonly string[]): readonly string[] {
  const isIdentity = (line: string): boolean => /^(registry|deploy|organization): arn:/.test(line);
  return [...log.filter(isIdentity).toSorted(), ...log.filter((line) => !isIdentity(line))];
}

/** Operations that change something, in AWS or in a registry. */
export function writes(stage: Stage): readonly string[] {
  return stage
    .requests()
    .filter((name) => /:(Put|Set|Create|Register|Update|Delete|Stop|Continue|Initiate|Upload|Complete|Tag|Start)/.test(name));
}
