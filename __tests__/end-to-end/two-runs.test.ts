/** Two runs of one workflow at the same deployment group, at the same time: two processes, one AWS. */
import { expect, test } from '@jest/globals';
import { Job, type StepResult } from '../../emulator/runner.ts';
import { sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, type Stage } from './stage.ts';

const deploy = { mode: 'deploy', ...inputs.common, ...inputs.registry, ...inputs.deploying, image: 'shop/web:v1' };
const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };

/** As soon as the first run has started its deployment, the second one begins. */
async function both({ first, second }: { first: Job; second: Job }): Promise<readonly [StepResult, StepResult]> {
  const begun = Promise.withResolvers<string>();
  const one = first.step({
    with: { ...deploy, 'environment-variables': 'RUN=first' },
    onLine: (line) => line.includes('  started in ') && begun.resolve(line),
  });
  await Promise.race([begun.promise, one]);
  const other = await second.step({ with: { ...deploy, 'environment-variables': 'RUN=second' } });
  return [await one, other];
}

async function onStageOfTwo(
  [firstRun, secondRun]: readonly [string, string],
  play: (stage: Stage, jobs: { first: Job; second: Job }) => Promise<void>,
): Promise<void> {
  await onStage({ policy: sharedPolicy, speed: 200 }, async (stage) => {
    layout(stage.job);
    await stage.step({ with: publish });
    stage.scenario.emulator.requests.clear();
    const environment = stage.scenario.emulator.environment();
    const [first, second] = [new Job({ runId: firstRun, environment }), new Job({ runId: secondRun, environment })];
    try {
      await play(stage, { first, second });
    } finally {
      for (const job of [first, second]) job.remove();
    }
  });
}

const creations = (stage: Stage) => stage.scenario.emulator.requests.of('codedeploy', 'CreateDeployment');

test('pain 9: the newer run waits for the older one’s deployment, then deploys', async () => {
  await onStageOfTwo(['1000', '1001'], async (stage, jobs) => {
    const [first, second] = await both(jobs);
    expect([first, second]).toMatchObject([
      { exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } },
      { exitCode: 0, outputs: { 'deployment-status': 'Succeeded', changed: 'true' } },
    ]);
    expect(second.log.join('\n')).toContain(`${first.outputs['deployment-id'] ?? ''} is under way in deployment group DgpECS-dev-web`);
    expect(creations(stage)).toHaveLength(2);
    expect(stage.requests()).not.toContain('codedeploy:StopDeployment');
  });
});

test('the older run yields to the newer one’s deployment', async () => {
  await onStageOfTwo(['1001', '1000'], async (stage, jobs) => {
    const [newer, older] = await both(jobs);
    expect(newer).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
    expect(older).toMatchObject({ exitCode: 0, outputs: { changed: 'false' } });
    expect(older.log.join('\n')).toContain(
      `Warning: Nothing was deployed: run 1001 of this workflow is newer than this one and has deployed already (${newer.outputs['deployment-id'] ?? ''})`,
    );
    expect(creations(stage)).toHaveLength(1);
  });
});
