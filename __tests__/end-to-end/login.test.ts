import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { keyEnvironment } from '../../emulator/identity.ts';
import { accounts } from '../../emulator/scenario.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, onStage, transcript } from './stage.ts';

const login = { mode: 'login', ...inputs.common, ...inputs.registry };

test('login exports a configuration for later steps; the post step takes it back', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job);
    const result = await stage.step({ with: login, environment: { PATH: docker.path } });
    expect(transcript(stage, result)).toMatchSnapshot();
    const config = stage.job.exported['DOCKER_CONFIG'] ?? '';
    const { auths } = JSON.parse(readFileSync(join(config, 'config.json'), 'utf8')) as { auths: Record<string, { auth: string }> };
    const password = Buffer.from(auths[stage.host]?.auth ?? '', 'base64')
      .toString()
      .replace('AWS:', '');
    expect(docker.calls()).toEqual([`docker login --username AWS --password-stdin ${stage.host}`, `stdin: ${password.length} bytes`]);
    // Nothing secret in what is kept, and nothing unmasked in the log.
    expect(JSON.stringify(result.state) + JSON.stringify(result.outputs) + result.log.join('\n')).not.toContain(password);

    const [post] = await stage.job.finish();
    expect(post?.exitCode).toBe(0);
    expect(existsSync(config)).toBe(false);
    expect(stage.job.exported['DOCKER_CONFIG']).toBe('');
    expect(readdirSync(stage.job.temp)).toEqual([]);
  });
});

test('a refused login leaves nothing behind and fails', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job);
    const result = await stage.step({
      with: { ...login, 'registry-role': `arn:aws:iam::${accounts.registry}:role/unknown` },
      environment: { PATH: docker.path },
    });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain(
      `STS refused arn:aws:iam::${accounts.registry}:role/unknown for sub "repo:acme/shop:ref:refs/heads/main" (aud sts.amazonaws.com).`,
    );
    expect(docker.calls()).toEqual([]);
    expect(stage.job.exported).toEqual({});
  });
});

test('credentials from the environment serve as they are', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job);
    const key = keyEnvironment(stage.scenario.emulator.world.user(accounts.registry, 'ci'));
    const { 'registry-role': _, ...ambient } = login;
    const result = await stage.step({ with: ambient, environment: { PATH: docker.path, ...key } });
    expect(result.log[0]).toBe(
      `registry: arn:aws:iam::${accounts.registry}:user/ci in ${accounts.registry} by the keys in the environment`,
    );
    expect(result.outputs).toEqual({ registry: stage.host });
  });
});
