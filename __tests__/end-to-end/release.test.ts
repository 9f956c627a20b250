import { describe, expect, test } from '@jest/globals';
import { accounts, roles, sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes } from './stage.ts';

const release = {
  ...inputs.common,
  ...inputs.registry,
  ...inputs.repository,
  ...inputs.sharing,
  ...inputs.deploying,
  image: 'oci:image',
  tags: 'v1',
};

describe('release', () => {
  test('publishes, shares and deploys', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: release });
      expect(transcript(stage, result)).toMatchSnapshot();
    });
  });

  test('again: no push, no write, no deployment, and the log says so', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      await stage.step({ with: release });
      const again = await stage.step({ with: release });
      expect(transcript(stage, again)).toMatchSnapshot();
      expect(again.outputs).toMatchObject({ pushed: 'false', 'policy-changed': 'false', changed: 'false' });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('without targets says that sharing was skipped; an account that may not pull is refused before anything is written there', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { 'target-ous': _, ...unshared } = release;
      const result = await stage.step({ with: unshared });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
      expect(stage.requests()).not.toContain('codedeploy:CreateDeployment');
    });
  });

  test('every problem of both sides is reported before the first write', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...release, repository: 'shop/nothing', service: 'nothing' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('the wrong account is refused before the first effect', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...release, 'deploy-account-id': accounts.devB } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain(
        `Error: deploy-account-id: is ${accounts.devB}, but the deploy side's credentials are for ${accounts.devA} (${roles.deploy(accounts.devA)})`,
      );
      expect(stage.requests()).toEqual([]);
    });
  });

  test('an image for another platform than the tasks’ is refused before anything is written there', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const definition = {
        ...stage.scenario.taskDefinition(accounts.devA),
        runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      };
      stage.job.write('task.json', JSON.stringify(definition));
      const result = await stage.step({ with: { ...release, 'task-definition': 'task.json' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('is for linux/amd64, and the tasks of web run on linux/arm64 (runtimePlatform)');
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
    });
  });

  test('a matrix without an image is refused', async () => {
    await onStage({}, async (stage) => {
      const { image: _, ...building } = release;
      const result = await stage.step({
        with: { ...building, strategy: '{"fail-fast":false,"job-index":0,"job-total":3,"max-parallel":3}' },
      });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toBe(
        'Error: mode: release in a matrix would build an image of its own in every job; publish once, then deploy in the matrix',
      );
      expect(stage.requests()).toEqual([]);
    });
  });
});
