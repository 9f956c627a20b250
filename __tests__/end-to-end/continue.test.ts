import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { base, deploy, error, keepOldTasks, onFastStage, onSlowStage, onWaitingStage, waitInReady } from './deployed.ts';
import { transcript, writes, type Stage } from './stage.ts';

const go = { ...base, mode: 'continue' } as const;

const waits = (stage: Stage): unknown[] =>
  stage.scenario.emulator.requests.of('codedeploy', 'ContinueDeployment').map(({ input }) => input['deploymentWaitType']);

describe('continue', () => {
  test('in Ready: the traffic shifts, and is followed; a dry run only tells the call', async () => {
    await onWaitingStage(async (stage) => {
      waitInReady(stage);
      keepOldTasks(stage);
      const { log, outputs } = await deploy(stage, 1, { 'wait-until': 'ready' });
      expect(outputs['deployment-status']).toBe('Ready');
      expect(log.join('\n')).toContain('the traffic waits to be shifted (mode: continue, or the console)');
      const planned = await stage.step({ with: { ...go, 'dry-run': 'true' } });
      expect(transcript(stage, planned)).toMatchSnapshot();
      expect(planned.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
      const result = await stage.step({ with: { ...go, 'wait-until': 'traffic-shifted' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(0);
      expect(waits(stage)).toEqual(['READY_WAIT']);
    });
  });

  test('before Ready: it waits for it', async () => {
    await onSlowStage(async (stage) => {
      waitInReady(stage);
      const { clock } = stage.scenario.emulator;
      await deploy(stage, 1, { 'wait-until': 'started' });
      const result = await stage.step({
        with: { ...go, 'wait-until': 'traffic-shifted' },
        onLine: (line) => {
          if (line.includes('has not come to Ready yet')) clock.advance(100_000);
          if (line.includes('continued: the traffic shifts now')) clock.advance(400_000);
        },
      });
      expect(result.exitCode).toBe(0);
      expect(waits(stage)).toEqual(['READY_WAIT']);
    });
  });

  test('in the wait before the old tasks end: they end now, unless only the shift is wanted', async () => {
    await onWaitingStage(async (stage) => {
      keepOldTasks(stage);
      await deploy(stage, 1, { 'wait-until': 'traffic-shifted' });
      const late = await stage.step({ with: { ...go, 'wait-until': 'traffic-shifted' } });
      expect(late.exitCode).toBe(0);
      expect(stage.plain(late.log.join('\n'))).toContain('d-<id>  not continued: its traffic has shifted whole already');
      expect(writes(stage)).toEqual([]);
      const result = await stage.step({ with: go });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
      expect(waits(stage)).toEqual(['TERMINATION_WAIT']);
    });
  });

  test('one that waits for nothing', async () => {
    await onSlowStage(async (stage) => {
      await deploy(stage, 1, { 'wait-until': 'started' });
      for (const given of [go, { ...go, 'dry-run': 'true' }]) {
        const result = await stage.step({ with: given });
        expect(error(stage, result)).toMatch(/^Error: mode: there is nothing to continue: d-<id> is \w+, and waits for nothing: its group/);
        expect(writes(stage)).toEqual([]);
      }
    });
  });

  test('one that has succeeded is said so', async () => {
    await onFastStage(async (stage) => {
      const { outputs } = await deploy(stage, 1);
      const result = await stage.step({ with: { ...go, 'deployment-id': outputs['deployment-id'] ?? '' } });
      expect(result.exitCode).toBe(0);
      expect(stage.plain(result.log.join('\n'))).toContain('d-<id>  not continued: it has ended already: Succeeded');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('without the permission nothing is continued; a cancel leaves what was', async () => {
    await onWaitingStage(async (stage) => {
      waitInReady(stage);
      keepOldTasks(stage);
      await deploy(stage, 1, { 'wait-until': 'ready' });
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'ContinueDeployment' }, accessDenied());
      const denied = await stage.step({ with: go });
      expect(error(stage, denied)).toMatch(
        /codedeploy:ContinueDeployment for deployment d-<id> failed: AccessDenied.*\nAllow codedeploy:ContinueDeployment/,
      );
      expect(denied.outputs['deployment-id']).toMatch(/^d-/);
      const result = await stage.step({
        with: go,
        onLine: (line, child) => line.includes('the traffic has shifted whole') && child.kill('SIGTERM'),
      });
      expect(error(stage, result)).toContain('The run was cancelled. Deployment d-<id> goes on without being followed');
      expect(writes(stage)).toEqual(['codedeploy:ContinueDeployment']);
    });
  });
});
