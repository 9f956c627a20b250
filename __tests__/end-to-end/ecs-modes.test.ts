/** `follow`, `continue` and `rollback` of a service that ECS itself deploys, as a user sees them. */
import { describe, expect, test } from '@jest/globals';
import { lostReply } from '../../emulator/faults.ts';
import { ownService } from '../../emulator/scenario.ts';
import { base, deployOwn, error, onFastStage, onWaitingStage, ownDeployment, pauseOwn } from './deployed.ts';
import { transcript, writes, type Stage } from './stage.ts';

const own = { ...base, service: ownService } as const;
const back = { ...own, mode: 'rollback' } as const;

const sent = (stage: Stage, operation: string) => stage.scenario.emulator.requests.of('ecs', operation).map(({ input }) => input);

describe('follow', () => {
  test('what is under way for the service, and what has ended, by its ID or its ARN', async () => {
    await onFastStage(async (stage) => {
      const { outputs } = await deployOwn(stage, 1, { 'wait-until': 'started' });
      const id = outputs['deployment-id'] ?? '';
      const result = await stage.step({ with: { ...own, mode: 'follow', 'deployment-id': id } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(0);
      const byArn = await stage.step({ with: { ...own, mode: 'follow', 'deployment-id': ownDeployment(id) } });
      expect(byArn).toMatchObject({ exitCode: 0, outputs: { 'deployment-id': id, 'deployment-status': 'Succeeded' } });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('one that ECS rolled back fails the step', async () => {
    await onFastStage(async (stage) => {
      stage.scenario.ecs.nextDeployment({ outcome: { failAt: 'POST_TEST_TRAFFIC_SHIFT', reason: 'the smoke test said no' } });
      const { outputs } = await deployOwn(stage, 1, { 'wait-until': 'started' });
      const result = await stage.step({ with: { ...own, mode: 'follow', 'deployment-id': outputs['deployment-id'] ?? '' } });
      expect(error(stage, result)).toMatch(/failed: ROLLBACK_SUCCESSFUL: the smoke test said no[^]*ECS rolled it back/);
    });
  });

  test('what leads nowhere is refused', async () => {
    await onFastStage(async (stage) => {
      const unknown = 'NCWGC2ZR-taawPAYrIaU5';
      const cases: readonly (readonly [given: Record<string, string>, said: string])[] = [
        [{ 'deployment-id': unknown }, `deployment-id: there is no deployment ${unknown} in eu-west-1 of 222222222222`],
        [{ 'deployment-id': ownDeployment(unknown).replace('/api/', '/web/') }, 'deployment-id: is of the service web, not of api'],
        [{ 'deployment-id': unknown, cluster: '', service: '' }, 'cluster: is needed:'],
      ];
      for (const [given, said] of cases) {
        const result = await stage.step({ with: { ...own, mode: 'follow', ...given } });
        expect(error(stage, result)).toContain(said);
        expect(writes(stage)).toEqual([]);
      }
    });
  });
});

describe('continue', () => {
  test('where a pause hook holds it: it goes on, and is followed; a dry run only tells the call', async () => {
    await onWaitingStage(async (stage) => {
      pauseOwn(stage, 'POST_SCALE_UP');
      const { outputs } = await deployOwn(stage, 1, { 'wait-until': 'ready' });
      expect(outputs['deployment-status']).toBe('Ready');
      const planned = await stage.step({ with: { ...own, mode: 'continue', 'dry-run': 'true' } });
      expect(transcript(stage, planned)).toMatchSnapshot();
      expect(planned.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
      const go = { ...own, mode: 'continue', 'deployment-id': outputs['deployment-id'] ?? '' };
      const result = await stage.step({ with: { ...go, 'wait-until': 'traffic-shifted' } });
      expect(result.exitCode).toBe(0);
      expect(result.log.join('\n')).toContain('continued: ECS goes on from the pause hook');
      expect(sent(stage, 'ContinueServiceDeployment')).toMatchObject([
        { action: 'CONTINUE', hookId: expect.stringMatching(/^ecs-pause-/) },
      ]);
      const late = await stage.step({ with: { ...go, 'wait-until': 'traffic-shifted' } });
      expect(late.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a lost reply: it is continued once', async () => {
    await onWaitingStage(async (stage) => {
      pauseOwn(stage, 'POST_SCALE_UP');
      await deployOwn(stage, 1, { 'wait-until': 'ready' });
      stage.scenario.emulator.faults.inject({ service: 'ecs', operation: 'ContinueServiceDeployment' }, lostReply());
      const result = await stage.step({ with: { ...own, mode: 'continue' } });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
      expect(sent(stage, 'ContinueServiceDeployment')).toHaveLength(1);
    });
  });

  test('without a pause hook there is nothing to continue', async () => {
    await onWaitingStage(async (stage) => {
      stage.scenario.ecs.nextDeployment({ durations: { install: 1_000_000 } });
      await deployOwn(stage, 1, { 'wait-until': 'started' });
      const result = await stage.step({ with: { ...own, mode: 'continue' } });
      expect(error(stage, result)).toMatch(/no pause hook of its service will hold it\. Give the service one/);
      expect(writes(stage)).toEqual([]);
    });
  });
});

describe('rollback', () => {
  test('deploys again what ran before, as the dry run says; a second one has nothing to do', async () => {
    await onFastStage(async (stage) => {
      await deployOwn(stage, 1);
      await deployOwn(stage, 2);
      const planned = await stage.step({ with: { ...back, 'dry-run': 'true' } });
      expect(transcript(stage, planned)).toMatchSnapshot();
      expect(writes(stage)).toEqual([]);
      const result = await stage.step({ with: back });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'true' } });
      expect(writes(stage)).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService']);
      const again = await stage.step({ with: back });
      expect(again).toMatchObject({ exitCode: 0, outputs: { changed: 'false', 'deployment-id': result.outputs['deployment-id'] } });
      expect(again.log.at(-1)).toMatch(/^Notice: Nothing is left to roll back: .* was rolled back by /);
      expect(writes(stage)).toEqual([]);
      const forth = await deployOwn(stage, 1);
      expect(forth.outputs).toMatchObject({ changed: 'false' });
    });
  });

  test('stops what is under way, and ECS rolls it back within the deployment', async () => {
    await onWaitingStage(async (stage) => {
      pauseOwn(stage, 'POST_SCALE_UP');
      await deployOwn(stage, 1, { 'wait-until': 'ready' });
      const result = await stage.step({ with: back });
      // Which looks see it on its way back differs.
      const log = result.log.filter((line) => !/ {2}(RollingBack:|green tasks:)/.test(line));
      expect(transcript(stage, { ...result, log })).toMatchSnapshot();
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'true', 'deployment-status': 'Failed' } });
      expect(writes(stage)).toEqual(['ecs:StopServiceDeployment']);
    });
  });

  test('after one that ECS rolled back by itself there is nothing to do', async () => {
    await onFastStage(async (stage) => {
      stage.scenario.ecs.nextDeployment({ outcome: { failAt: 'POST_TEST_TRAFFIC_SHIFT' } });
      expect((await deployOwn(stage, 1)).exitCode).toBe(1);
      const result = await stage.step({ with: back });
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'false' } });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('without a deployment there is nothing to roll back to', async () => {
    await onFastStage(async (stage) => {
      expect(error(stage, await stage.step({ with: back }))).toContain('there is nothing to roll back to: there is no deployment yet');
      expect(writes(stage)).toEqual([]);
    });
  });
});
