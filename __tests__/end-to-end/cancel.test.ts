import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { sharedPolicy } from '../../emulator/scenario.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, layout, onStage, type Stage } from './stage.ts';

const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository };
const deploy = { mode: 'deploy', ...inputs.common, ...inputs.registry, ...inputs.deploying, image: 'shop/web:v1' };

/** A deployment as slow as on AWS. */
async function onSlowStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onStage({ policy: sharedPolicy, speed: 1 }, async (stage) => {
    layout(stage.job);
    await stage.step({ with: { ...publish, image: 'oci:image', tags: 'v1' } });
    await play(stage);
  });
}

const statuses = (stage: Stage) =>
  stage.scenario.codedeploy.deployments({ account: '222222222222', region: 'eu-west-1' }).map(({ id }) => id);

describe('a cancelled run', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('pain 14: %s while a deployment runs: it is stopped and rolled back', async (signal) => {
    await onSlowStage(async (stage) => {
      const result = await stage.step({ with: deploy, onLine: (line, child) => line.includes('BeforeInstall') && child.kill(signal) });
      expect(result.exitCode).toBe(1);
      expect(result.log).toContain(`${signal} received: stopping.`);
      expect(stage.scenario.emulator.requests.of('codedeploy', 'StopDeployment').map(({ input }) => input)).toEqual([
        { deploymentId: result.outputs['deployment-id'], autoRollbackEnabled: true },
      ]);
    });
  });

  test('on-cancel: leave leaves it running, and says so', async () => {
    await onSlowStage(async (stage) => {
      const result = await stage.step({
        with: { ...deploy, 'on-cancel': 'leave' },
        onLine: (line, child) => line.includes('BeforeInstall') && child.kill('SIGINT'),
      });
      expect(result.exitCode).toBe(1);
      expect(stage.requests()).not.toContain('codedeploy:StopDeployment');
      expect(result.log.join('\n')).toContain(result.outputs['deployment-id']);
    });
  });

  test('pain 15: killed outright: the post step stops the deployment, after it has checked account and nonce', async () => {
    await onSlowStage(async (stage) => {
      const result = await stage.step({ with: deploy, onLine: (line, child) => line.includes('BeforeInstall') && child.kill('SIGKILL') });
      expect(result.signal).toBe('SIGKILL');
      expect(stage.requests()).not.toContain('codedeploy:StopDeployment');
      const [post] = await stage.job.finish();
      expect(post?.exitCode).toBe(0);
      const names = stage.requests();
      expect(names).toContain('codedeploy:StopDeployment');
      expect(names.lastIndexOf('sts:GetCallerIdentity')).toBeLessThan(names.indexOf('codedeploy:StopDeployment'));
      expect(statuses(stage).length).toBeGreaterThan(0);
    });
  });

  test('during a build: the build ends with all its children, and nothing is left', async () => {
    await onStage({}, async (stage) => {
      const pidFile = join(stage.job.folder, 'pid');
      const docker = fakeDocker(stage.job, { build: `trap '' INT TERM; sleep 300 & echo $! > '${pidFile}'; echo building; wait` });
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const result = await stage.step({
        with: { ...publish, tags: 'v1' },
        environment: { PATH: docker.path },
        onLine: (line, child) => line.includes('building') && child.kill('SIGINT'),
      });
      expect(result.exitCode).toBe(1);
      const pid = readFileSync(pidFile, 'utf8').trim();
      expect(existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBeFalsy();
      expect(readdirSync(stage.job.temp)).toEqual([]);
      expect(result.outputs).toEqual({});
    });
  });
});
