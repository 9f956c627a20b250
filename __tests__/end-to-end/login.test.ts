import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { keyEnvironment } from '../../emulator/identity.ts';
import { startProxy } from '../../emulator/proxy.ts';
import { accounts, region } from '../../emulator/scenario.ts';
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

const ecrHosts = { registryHosts: (account: string, inRegion: string) => `${account}.dkr.ecr.${inRegion}.amazonaws.com` };

test('pain 28: further registries are logged in to with the same token', async () => {
  await onStage(ecrHosts, async (stage) => {
    const docker = fakeDocker(stage.job);
    const result = await stage.step({
      with: { ...login, registries: `${accounts.devA},${accounts.registry}\n${accounts.devB}` },
      environment: { PATH: docker.path },
    });
    expect(result.exitCode).toBe(0);
    expect(result.outputs).toEqual({ registry: stage.host });
    const hosts = [stage.host, ...[accounts.devA, accounts.devB].map((account) => ecrHosts.registryHosts(account, region))];
    expect(docker.calls().filter((call) => call.startsWith('docker'))).toEqual(
      hosts.map((host) => `docker login --username AWS --password-stdin ${host}`),
    );
    expect(stage.requests().filter((name) => name === 'ecr:GetAuthorizationToken')).toHaveLength(1);
    expect(result.summary).toContain(hosts.map((host) => `\`${host}\``).join(', '));
  });
});

test('an output that GitHub will drop on its way to another job is told', async () => {
  await onStage(ecrHosts, async (stage) => {
    const docker = fakeDocker(stage.job);
    stage.job.write(
      '.github/workflows/release.yml',
      `jobs:\n  release:\n    outputs: { host: '\${{ steps.login.outputs.registry }}' }\n    env: { ROLE: 'arn:aws:iam::\${{ secrets.HUB }}:role/x' }\n`,
    );
    const result = await stage.step({ with: login, environment: { PATH: docker.path } });
    expect(result.exitCode).toBe(0);
    expect(result.log.at(-1)).toMatch(/^Warning: GitHub will not give host to other jobs: its account ID is the secret HUB/);
  });
});

test('a registry whose host can’t be told is refused before Docker is asked', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job);
    const result = await stage.step({ with: { ...login, registries: accounts.devA }, environment: { PATH: docker.path } });
    expect(result.exitCode).toBe(1);
    expect(stage.plain(result.log.at(-1) ?? '')).toContain(
      `registries: the host of ${accounts.devA} can’t be told from <host>, the registry of ${accounts.registry}`,
    );
    expect(docker.calls()).toEqual([]);
    expect(stage.job.exported).toEqual({});
  });
});

test('ECR Public: one host, by us-east-1', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job);
    const result = await stage.step({ with: { ...login, 'registry-type': 'public' }, environment: { PATH: docker.path } });
    expect(transcript(stage, result)).toMatchSnapshot();
    expect(docker.calls()[0]).toBe('docker login --username AWS --password-stdin public.ecr.aws');
    expect(stage.scenario.emulator.requests.of('ecr-public').map((entry) => entry.region)).toEqual(['us-east-1']);
  });
});

test('what makes no sense with ECR Public is told at once', async () => {
  await onStage({}, async (stage) => {
    const result = await stage.step({
      with: { ...login, 'registry-type': 'public', registries: accounts.devA, 'aws-region': 'cn-north-1' },
    });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain('registry-type: public is of the partition aws only, and cn-north-1 is in aws-cn');
    expect(result.log.at(-1)).toContain('registries: is for private registries');
    expect(stage.requests()).toEqual([]);
  });
});

test('without a docker command the step says so, before it asks for credentials', async () => {
  await onStage({}, async (stage) => {
    const result = await stage.step({ with: login, environment: { PATH: stage.job.folder } });
    expect(result.exitCode).toBe(1);
    expect(result.log).toEqual([
      expect.stringMatching(/^Error: There is no docker command on PATH, and a login is for Docker\nUse a runner with Docker/),
    ]);
    expect(stage.requests()).toEqual([]);
  });
});

test('pain 30: keeps the user’s store, helpers, contexts and plugins; ours is in the file alone', async () => {
  await onStage({}, async (stage) => {
    const home = join(stage.job.folder, '.docker');
    mkdirSync(join(home, 'contexts/meta'), { recursive: true });
    const own = { credsStore: 'desktop', credHelpers: { 'gcr.io': 'gcloud' }, currentContext: 'far', auths: { 'ghcr.io': {} } };
    writeFileSync(join(home, 'config.json'), JSON.stringify(own));
    // This Docker leaves the file as the step has made it.
    const docker = fakeDocker(stage.job, { login: 'exit 0' });
    const result = await stage.step({ with: login, environment: { PATH: docker.path } });
    expect(result.exitCode).toBe(0);
    const config = stage.job.exported['DOCKER_CONFIG'] ?? '';
    expect(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8'))).toEqual({
      ...own,
      auths: { 'ghcr.io': {}, [stage.host]: {} },
      credHelpers: { 'gcr.io': 'gcloud', [stage.host]: '' },
      cliPluginsExtraDirs: [join(home, 'cli-plugins')],
    });
    expect(readdirSync(join(config, 'contexts'))).toEqual(['meta']);
    expect(stage.job.exported['BUILDX_CONFIG']).toBe(join(home, 'buildx'));
    await stage.job.finish();
    expect(JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))).toEqual(own);
    expect(readdirSync(join(home, 'contexts'))).toEqual(['meta']);
  });
});

test('two logins in one job: the later one keeps the earlier, and all is as before at the end', async () => {
  await onStage({}, async (stage) => {
    const keeps = `config="$DOCKER_CONFIG/config.json"; sed -i "s|\\"$host\\": {}|\\"$host\\": {\\"auth\\":\\"eA==\\"}|" "$config"; exit 0`;
    const docker = fakeDocker(stage.job, { login: keeps });
    for (const kind of ['private', 'public']) {
      const step = await stage.step({ with: { ...login, 'registry-type': kind }, environment: { PATH: docker.path } });
      expect(step.exitCode).toBe(0);
    }
    const config = stage.job.exported['DOCKER_CONFIG'] ?? '';
    expect(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8'))).toMatchObject({
      auths: { [stage.host]: { auth: 'eA==' }, 'public.ecr.aws': { auth: 'eA==' } },
    });
    await stage.job.finish();
    expect(stage.job.exported['DOCKER_CONFIG']).toBe('');
    expect(readdirSync(stage.job.temp)).toEqual([]);
  });
});

test.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of a login: nothing is left, and nothing was exported', async (signal) => {
  await onStage({}, async (stage) => {
    const waiting = join(stage.job.folder, 'waiting');
    const docker = fakeDocker(stage.job, { login: `echo $$ > '${waiting}.new'; mv '${waiting}.new' '${waiting}'; exec sleep 30` });
    const result = await stage.step({
      with: login,
      environment: { PATH: docker.path },
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(waiting)) return;
          clearInterval(timer);
          child.kill(signal);
        }, 5);
      },
    });
    expect(result.exitCode).toBe(signal === 'SIGINT' ? 1 : null);
    if (signal === 'SIGINT') expect(result.log.at(-1)).toBe('Error: The run was cancelled (SIGINT).');
    expect(stage.job.exported).toEqual({});
    for (const post of await stage.job.finish()) expect(post.exitCode).toBe(0);
    expect(readdirSync(stage.job.temp)).toEqual([]);
    expect(stage.job.exported['DOCKER_CONFIG'] ?? '').toBe('');
    if (signal === 'SIGKILL') process.kill(Number(readFileSync(waiting, 'utf8')), 'SIGKILL');
  });
});

test('pain 31: behind a proxy: AWS and GitHub through it, Docker told of it, loopback and NO_PROXY without', async () => {
  let port = 0;
  const proxy = await startProxy({ route: () => port });
  const environment = {
    AWS_ENDPOINT_URL: 'http://aws.example.test',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'http://github.example.test/oidc/token?api-version=2.0',
    http_proxy: proxy.url,
    NO_PROXY: 'other.example.test',
  };
  try {
    await onStage({ job: { environment } }, async (stage) => {
      port = Number(new URL(stage.scenario.emulator.url).port);
      const told = join(stage.job.folder, 'told');
      const docker = fakeDocker(stage.job, { login: `echo "$http_proxy $NO_PROXY" > '${told}'` });
      const result = await stage.step({ with: login, environment: { PATH: docker.path } });
      expect(result).toMatchObject({ exitCode: 0, outputs: { registry: stage.host } });
      expect([...new Set(proxy.tunnels)].toSorted()).toEqual(['aws.example.test:80', 'github.example.test:80']);
      expect(readFileSync(told, 'utf8')).toBe(`${proxy.url} other.example.test\n`);
    });
  } finally {
    await proxy.close();
  }
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
