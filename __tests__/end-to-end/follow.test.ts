import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { accounts, roles } from '../../emulator/scenario.ts';
import { base, deploy, error, keepOldTasks, onFastStage, onSlowStage, onWaitingStage, role, waitInReady } from './deployed.ts';
import { transcript, writes, type Stage } from './stage.ts';

const follow = { ...role, mode: 'follow' } as const;

async function started(stage: Stage, until = 'started'): Promise<string> {
  return (await deploy(stage, 1, { 'wait-until': until })).outputs['deployment-id'] ?? '';
}

describe('follow', () => {
  test('by the ID alone, to the end', async () => {
    await onSlowStage(async (stage) => {
      const id = await started(stage);
      const result = await stage.step({
        with: { ...follow, 'deployment-id': id },
        onLine: (line) => {
          if (line.includes('following until')) stage.scenario.emulator.clock.advance(20 * 60_000);
        },
      });
      expect(result).toMatchObject({
        exitCode: 0,
        outputs: {
          'deployment-id': id,
          'deployment-url': expect.stringContaining(id),
          'deployment-status': 'Succeeded',
          'task-definition-arn': expect.stringMatching(/task-definition\/web:2$/),
        },
      });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('what is under way for the service, as far as is wanted; a dry run only looks', async () => {
    await onWaitingStage(async (stage) => {
      keepOldTasks(stage);
      await started(stage, 'traffic-shifted');
      for (const given of [{ 'dry-run': 'true' }, { 'wait-until': 'traffic-shifted' }]) {
        const result = await stage.step({ with: { ...base, mode: 'follow', ...given } });
        expect(transcript(stage, result)).toMatchSnapshot();
        expect(result.exitCode).toBe(0);
        expect(writes(stage)).toEqual([]);
      }
    });
  });

  test('one that failed long ago is explained, and fails the step', async () => {
    await onFastStage(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({ outcome: { failAt: 'AllowTraffic' } });
      const id = await started(stage);
      const result = await stage.step({ with: { ...follow, 'deployment-id': id } });
      expect(error(stage, result)).toContain('It was rolled back by d-<id>: the old tasks have the whole traffic again.');
      expect(result.outputs).toMatchObject({ 'deployment-status': 'Failed', 'rollback-deployment-id': expect.stringMatching(/^d-/) });
      expect(result.log.join('\n')).toContain('has ended already (Failed)');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('what leads nowhere is refused', async () => {
    await onFastStage(async (stage) => {
      const id = await started(stage, 'succeeded');
      const cases: readonly (readonly [given: Record<string, string>, message: string])[] = [
        [follow, 'is needed, or cluster and service, or codedeploy-application and codedeploy-deployment-group'],
        [
          { ...follow, 'deployment-id': '9XKQ2T7LM' },
          '"9XKQ2T7LM" is not a CodeDeploy deployment ID such as d-<id>, or the ID or the ARN of an ECS service deployment',
        ],
        [
          { ...follow, 'deployment-id': 'd-AAAAAAAAA' },
          'there is no deployment d-<id> in eu-west-1 of 222222222222; deploy-role and deploy-region say where it is looked for',
        ],
        [
          { ...follow, 'deployment-id': id, 'deploy-role': roles.deploy(accounts.devB) },
          'there is no deployment d-<id> in eu-west-1 of 333333333333; deploy-role and deploy-region say where it is looked for',
        ],
        [
          { ...follow, 'deployment-id': id, service: 'api', cluster: 'dev' },
          'd-<id> is of DgpECS-dev-web of AppECS-dev-web: DgpECS-dev-web deploys web of cluster dev, not api of cluster dev',
        ],
        [
          { ...base, mode: 'follow' },
          'is needed: nothing is under way in deployment group DgpECS-dev-web of AppECS-dev-web; the newest deployment there, d-<id>, ended as Succeeded',
        ],
      ];
      for (const [given, problem] of cases) {
        const result = await stage.step({ with: given });
        expect(error(stage, result)).toBe(`Error: deployment-id: ${problem}`);
        expect(result.outputs).toEqual({});
        expect(writes(stage)).toEqual([]);
      }
    });
  });

  test('denied while following: at once, with the ID and "still running"', async () => {
    await onWaitingStage(async (stage) => {
      keepOldTasks(stage);
      const id = await started(stage);
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'GetDeploymentTarget', times: 99 }, accessDenied());
      const result = await stage.step({ with: { ...follow, 'deployment-id': id } });
      expect(error(stage, result)).toContain("is still running, but can't be followed");
      expect(result.outputs['deployment-id']).toBe(id);
    });
  });

  test('a cancel leaves the deployment running', async () => {
    await onWaitingStage(async (stage) => {
      keepOldTasks(stage);
      const id = await started(stage);
      const result = await stage.step({
        with: { ...follow, 'deployment-id': id },
        onLine: (line, child) => line.includes('following until') && child.kill('SIGINT'),
      });
      expect(error(stage, result)).toContain('The run was cancelled. Deployment d-<id> goes on without being followed');
      expect(result.state).toEqual({});
      expect(writes(stage)).toEqual([]);
    });
  });

  test('killed outright with on-cancel: rollback, the post step stops it', async () => {
    await onWaitingStage(async (stage) => {
      waitInReady(stage);
      const id = await started(stage);
      const result = await stage.step({
        with: { ...follow, 'deployment-id': id, 'on-cancel': 'rollback' },
        onLine: (line, child) => line.includes('following until') && child.kill('SIGKILL'),
      });
      expect(result.signal).toBe('SIGKILL');
      await stage.job.finish();
      const [stop] = stage.scenario.emulator.requests.of('codedeploy', 'StopDeployment');
      expect(stop?.input).toEqual({ deploymentId: id, autoRollbackEnabled: true });
    });
  });
});
