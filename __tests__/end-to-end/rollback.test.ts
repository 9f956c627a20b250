import { describe, expect, test } from '@jest/globals';
import { lostReply } from '../../emulator/faults.ts';
import { base, deploy, deploymentsOf, deployTwice, error, here, keepOldTasks, onFastStage, onWaitingStage, running } from './deployed.ts';
import { transcript, writes } from './stage.ts';

const back = { ...base, mode: 'rollback' } as const;
const dry = { ...back, 'dry-run': 'true' } as const;

describe('rollback', () => {
  test('deploys again what ran before, as the dry run says; a second one has nothing to do', async () => {
    await onFastStage(async (stage) => {
      const id = await deployTwice(stage);
      const planned = await stage.step({ with: dry });
      expect(transcript(stage, planned)).toMatchSnapshot();
      expect(planned.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
      const result = await stage.step({ with: { ...back, 'deployment-id': id } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'true' } });
      expect(running(stage)).toBe('web:2');
      for (const given of [back, { ...back, 'deployment-id': id }]) {
        const again = await stage.step({ with: given });
        expect(again).toMatchObject({ exitCode: 0, outputs: { changed: 'false', 'deployment-id': result.outputs['deployment-id'] } });
        expect(stage.plain(again.log.at(-1) ?? '')).toBe('Notice: Nothing is left to roll back: d-<id> was rolled back by d-<id>.');
        expect(writes(stage)).toEqual([]);
      }
    });
  });

  test('stops what is under way, also when its traffic has shifted whole', async () => {
    await onWaitingStage(async (stage) => {
      await deploy(stage, 1);
      keepOldTasks(stage);
      stage.scenario.codedeploy.nextDeployment({ durations: { stop: 0 } });
      await deploy(stage, 2, { 'wait-until': 'traffic-shifted' });
      const planned = await stage.step({ with: dry });
      expect(transcript(stage, planned)).toMatchSnapshot();
      expect(planned.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
      const result = await stage.step({ with: back });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'true', 'deployment-status': 'Succeeded' } });
      expect(writes(stage)).toEqual(['codedeploy:StopDeployment']);
      expect(running(stage)).toBe('web:2');
    });
  });

  test('after one that CodeDeploy rolled back by itself there is nothing to do', async () => {
    await onFastStage(async (stage) => {
      await deploy(stage, 1);
      stage.scenario.codedeploy.nextDeployment({ outcome: { failAt: 'AllowTraffic' } });
      expect((await deploy(stage, 2)).exitCode).toBe(1);
      const result = await stage.step({ with: back });
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'false' } });
      expect(writes(stage)).toEqual([]);
      expect(running(stage)).toBe('web:2');
    });
  });

  test('that fails fails the step', async () => {
    await onFastStage(async (stage) => {
      await deployTwice(stage);
      stage.scenario.codedeploy.nextDeployment({ outcome: { failAt: 'AllowTraffic' } });
      const result = await stage.step({ with: back });
      expect(error(stage, result)).toMatch(
        /^Error: Rolling back d-<id> to web:2: Deployment d-<id> failed: .*\nIt was rolled back by d-<id>/s,
      );
      expect(result.outputs['deployment-status']).toBe('Failed');
    });
  });

  test('nothing to go back to', async () => {
    await onFastStage(async (stage) => {
      const none = await stage.step({ with: back });
      expect(error(stage, none)).toBe(
        'Error: mode: there is nothing to roll back to: there is no deployment yet\nTo bring back an image that is not known here, deploy it: mode: deploy.',
      );
      expect(writes(stage)).toEqual([]);
      const { outputs } = await deploy(stage, 1);
      const first = await stage.step({ with: back });
      expect(error(stage, first)).toMatch(/there is nothing to roll back to: nothing is known that ran before d-<id>\n/);
      expect(writes(stage)).toEqual([]);
      await deploy(stage, 2);
      const old = await stage.step({ with: { ...back, 'deployment-id': outputs['deployment-id'] ?? '' } });
      expect(error(stage, old)).toMatch(/d-<id> \(Succeeded\) is not what would be rolled back: d-<id> \(Succeeded\) came after it\n/);
      expect(writes(stage)).toEqual([]);
      expect(old.outputs).toEqual({ changed: 'false' });
    });
  });

  test('a task definition that is INACTIVE is refused before any write, in a dry run too', async () => {
    await onFastStage(async (stage) => {
      await deployTwice(stage);
      const definition = stage.scenario.ecs.findTaskDefinition(here, 'web:2');
      if (!definition) throw new Error('web:2 is not there');
      definition.status = 'INACTIVE';
      for (const given of [back, dry]) {
        const result = await stage.step({ with: given });
        expect(error(stage, result)).toMatch(/^Error: mode: d-<id> can't be rolled back to web:2: it is INACTIVE/);
        expect(writes(stage)).toEqual([]);
      }
    });
  });

  test('two at once are one', async () => {
    await onWaitingStage(async (stage) => {
      await deployTwice(stage);
      keepOldTasks(stage);
      const wanted = { with: { ...back, 'wait-until': 'traffic-shifted' } };
      const results = await Promise.all([stage.job.step(wanted), stage.job.step(wanted)]);
      expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(deploymentsOf(stage)).toHaveLength(3);
      expect(running(stage)).toBe('web:2');
      expect(new Set(results.map(({ outputs }) => outputs['deployment-id'])).size).toBe(1);
    });
  });

  test('a lost reply to CreateDeployment: one deployment, and it is ours', async () => {
    await onFastStage(async (stage) => {
      await deployTwice(stage);
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'CreateDeployment' }, lostReply());
      const result = await stage.step({ with: back });
      expect(result.exitCode).toBe(0);
      expect(deploymentsOf(stage)).toHaveLength(3);
    });
  });

  test.each([
    ['cancelled', 'SIGINT'],
    ['killed outright', 'SIGKILL'],
  ] as const)('%s, it is left running, and main or the post step says so', async (_name, signal) => {
    await onWaitingStage(async (stage) => {
      await deployTwice(stage);
      keepOldTasks(stage);
      const result = await stage.step({ with: back, onLine: (line, child) => line.includes('following until') && child.kill(signal) });
      expect(writes(stage)).toEqual(['codedeploy:CreateDeployment']);
      const [post] = await stage.job.finish();
      const told = signal === 'SIGINT' ? result : post;
      expect(stage.plain(told?.log.at(-1) ?? '')).toContain('Deployment d-<id> goes on without being followed: https://');
      expect(writes(stage)).toEqual(['codedeploy:CreateDeployment']);
    });
  });
});
