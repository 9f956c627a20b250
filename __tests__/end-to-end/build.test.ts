/** Builds as a workflow's author meets them, with a Docker that only notes how it is called and pushes what it is told. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { accounts, region, repositoryName } from '../../emulator/scenario.ts';
import { fakeDocker, pushes } from './fake-docker.ts';
import { inputs, onStage, transcript, writes, type Stage } from './stage.ts';

const build = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository };
const builds = (calls: readonly string[]) => calls.filter((call) => /docker (buildx )?build /.test(call));
const web = (stage: Stage, name: string = repositoryName) =>
  stage.scenario.emulator.world.findRepository({ account: accounts.registry, region, name });

/** Makes the checkout a Git repository. */
function commit({ job }: Stage): void {
  for (const args of [
    ['init', '--quiet'],
    ['add', '.'],
    ['-c', 'user.name=x', '-c', 'user.email=x', 'commit', '--quiet', '--message', 'x'],
  ])
    execFileSync('git', args, { cwd: job.workspace });
}

describe('a build', () => {
  test('pushes to several repositories, each is read back; again, nothing is built', async () => {
    await onStage({}, async (stage) => {
      stage.scenario.emulator.world.repository({ account: accounts.registry, region, name: 'shop/mirror' });
      const docker = fakeDocker(stage.job, { buildx: 'docker', build: pushes });
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const given = { ...build, repository: 'shop/web\nshop/mirror', 'build-args': '"NAME=a ""b"""\nEMPTY=' };
      const environment = { PATH: docker.path };
      const result = await stage.step({ with: given, environment });
      expect(transcript(stage, result)).toMatchSnapshot();
      const [call = ''] = builds(docker.calls());
      expect(call).toContain('--build-arg NAME=a "b" --build-arg EMPTY=');
      expect(call).toContain('--label org.opencontainers.image.revision=0123456789abcdef0123456789abcdef01234567');
      expect(web(stage, 'shop/mirror')?.tags).toEqual(web(stage)?.tags);

      const again = await stage.step({ with: { ...given, tags: 'type=sha,format=long\nsha-0123456789ab\nlatest' }, environment });
      expect(transcript(stage, again)).toMatchSnapshot();
      expect(again.outputs).toMatchObject({ 'image-digest': result.outputs['image-digest'], pushed: 'true' });
      expect(builds(docker.calls())).toHaveLength(1);
      // Further tags need neither Docker nor a login.
      expect(writes(stage)).toEqual(['ecr:PutImage', 'ecr:PutImage', 'ecr:PutImage', 'ecr:PutImage']);
    });
  });

  test('of a tree that is there already is none, also for another commit', async () => {
    await onStage({}, async (stage) => {
      const docker = fakeDocker(stage.job, { buildx: 'docker', build: pushes });
      stage.job.write('cart/Dockerfile', 'FROM scratch\n');
      commit(stage);
      const given = { ...build, context: 'cart', tags: 'type=tree\nlatest' };
      const environment = { PATH: docker.path };
      const first = await stage.step({ with: given, environment });
      expect(first.exitCode).toBe(0);
      stage.job.write('README.md', 'elsewhere');
      commit(stage);
      const second = await stage.step({ with: given, environment });
      expect(second.outputs).toMatchObject({ 'image-digest': first.outputs['image-digest'], pushed: 'false' });
      expect(builds(docker.calls())).toHaveLength(1);

      stage.job.write('cart/Dockerfile', 'FROM scratch\nLABEL a=b\n');
      const dirty = await stage.step({ with: given, environment });
      expect(dirty.exitCode).toBe(1);
      expect(dirty.log.at(-1)).toMatch(/^Error: tags: type=tree: the context cart is not what is committed: cart\/Dockerfile/);
      expect(stage.requests()).toEqual([]);
    });
  });

  test('has its secrets by file and variable: in no argument, log, output or state, and nothing is left', async () => {
    await onStage({}, async (stage) => {
      const docker = fakeDocker(stage.job, { buildx: 'docker', build: `env > "$HOME/environment"; ${pushes}` });
      stage.job.write('Dockerfile', 'FROM scratch\n');
      stage.job.write('npmrc', 'in-a-file');
      const secrets = { key: 'first line of it\nsecond line of it', npm: 'in-the-environment', npmrc: 'in-a-file' };
      const result = await stage.step({
        with: {
          ...build,
          tags: 'v1',
          secrets: `"key=${secrets.key}"`,
          'secret-envs': 'npm=NPM_TOKEN',
          'secret-files': 'npmrc=npmrc',
          'cache-from': 'type=registry,ref=host/web:cache',
        },
        environment: { PATH: docker.path, NPM_TOKEN: secrets.npm, OTHER_TOKEN: 'not for the build', ACTIONS_RUNTIME_TOKEN: 'cache only' },
      });
      expect(result.exitCode).toBe(0);
      const seen = Object.fromEntries(
        readFileSync(`${stage.job.folder}/secrets`, 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => line.split(' ')),
      ) as Record<string, string>;
      for (const [id, value] of Object.entries(secrets)) expect(seen[`id=${id}`]).toBe(createHash('sha256').update(value).digest('hex'));
      const told = [...docker.calls(), ...result.log, JSON.stringify(result.outputs), JSON.stringify(result.state), result.summary].join(
        '\n',
      );
      for (const part of [...secrets.key.split('\n'), secrets.npm, secrets.npmrc]) expect(told).not.toContain(part);
      const variables = readFileSync(`${stage.job.folder}/environment`, 'utf8');
      expect(variables).not.toMatch(/not for the build|cache only|AWS_|INPUT_|GITHUB_/);
      expect(execFileSync('ls', ['-A', stage.job.temp], { encoding: 'utf8' })).toBe('');
    });
  });

  test('that needs more than the engine’s builder gets one of its own, which is removed', async () => {
    await onStage({}, async (stage) => {
      const docker = fakeDocker(stage.job, { buildx: 'docker', build: pushes });
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const result = await stage.step({
        with: { ...build, tags: 'v1', platforms: 'linux/amd64,linux/arm64', provenance: 'mode=max', 'cache-to': 'type=gha,mode=max' },
        environment: { PATH: docker.path, ACTIONS_RUNTIME_TOKEN: 'cache' },
      });
      expect(result.exitCode).toBe(0);
      const calls = docker.calls().filter((call) => /buildx (create|build|rm)/.test(call));
      const [, name = ''] = /--name (\S+)/.exec(calls[0] ?? '') ?? [];
      expect(calls).toEqual([
        `docker buildx create --name ${name} --driver docker-container --bootstrap`,
        expect.stringContaining(`--builder ${name} `),
        `docker buildx rm --force ${name}`,
      ]);
      expect(calls[1]).toContain('--platform linux/amd64,linux/arm64');
      expect(calls[1]).toContain(
        '--cache-to type=gha,mode=max --attest type=provenance,mode=max,builder-id=https://github.com/acme/shop/actions/runs/1000/attempts/1',
      );
    });
  });

  test('that fails is annotated at its line, and leaves nothing', async () => {
    await onStage({}, async (stage) => {
      const output = [
        'Dockerfile.prod:2',
        '--------------------',
        '   2 | >>> RUN make',
        '--------------------',
        'ERROR: failed to build: failed to solve: exit code: 2',
      ];
      const docker = fakeDocker(stage.job, {
        buildx: 'docker',
        build: `printf '%s\\n' ${output.map((line) => `'${line}'`).join(' ')} >&2; exit 1`,
      });
      stage.job.write('docker/Dockerfile.prod', 'FROM scratch\nRUN make\n');
      const result = await stage.step({
        with: { ...build, tags: 'v1', file: 'docker/Dockerfile.prod' },
        environment: { PATH: docker.path },
      });
      expect(result.exitCode).toBe(1);
      expect(result.raw).toContain(
        '::error file=docker/Dockerfile.prod,line=2::docker buildx build failed at Dockerfile.prod:2, RUN make: exit code: 2',
      );
      expect(writes(stage)).toEqual([]);
      expect(result.outputs).toEqual({});
      expect(execFileSync('ls', ['-A', stage.job.temp], { encoding: 'utf8' })).toBe('');
    });
  });

  test('whose tag another run takes in the same moment: the commit’s image of the faster one', async () => {
    await onStage({}, async (stage) => {
      const repository = web(stage);
      if (repository) repository.mutability = 'IMMUTABLE';
      // The faster run is a build of another layer, begun by the slower one's own.
      const faster = `sed 's/built from/faster/' '${new URL('fake-buildx.mjs', import.meta.url).pathname}' > "$HOME/faster.mjs"; '${process.execPath}' "$HOME/faster.mjs" "$@"`;
      const docker = fakeDocker(stage.job, { buildx: 'docker', build: `${faster}; ${pushes}` });
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const result = await stage.step({ with: { ...build, tags: 'sha-0123456789ab' }, environment: { PATH: docker.path } });
      expect(result.log.filter((line) => !line.startsWith('    at '))).toContain(
        'Another run took a tag meanwhile that can’t move: looking again.',
      );
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'image-digest': repository?.tags.get('sha-0123456789ab') } });
    });
  });
});

test('promoting by digest: no Docker, no pull, the digest stays', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job, { buildx: 'docker', build: pushes });
    stage.job.write('Dockerfile', 'FROM scratch\n');
    const built = await stage.step({ with: { ...build, tags: 'candidate' }, environment: { PATH: docker.path } });
    const promoted = await stage.step({
      with: { ...build, image: built.outputs['image'] ?? '', tags: 'production' },
      environment: { PATH: '/nowhere' },
    });
    expect(promoted.outputs['image-digest']).toBe(built.outputs['image-digest']);
    expect(writes(stage)).toEqual(['ecr:PutImage']);
    expect(stage.requests()).not.toContain('ecr:GetAuthorizationToken');
    expect(web(stage)?.tags.get('production')).toBe(built.outputs['image-digest']);
  });
});

test('an image of another repository of the registry is copied without Docker', async () => {
  await onStage({}, async (stage) => {
    stage.scenario.emulator.world.repository({ account: accounts.registry, region, name: 'dev/web' });
    const docker = fakeDocker(stage.job, { buildx: 'docker', build: pushes });
    stage.job.write('Dockerfile', 'FROM scratch\n');
    const built = await stage.step({ with: { ...build, repository: 'dev/web', tags: 'candidate' }, environment: { PATH: docker.path } });
    const copied = await stage.step({
      with: { ...build, image: `${stage.host}/dev/web:candidate`, tags: 'v1' },
      environment: { PATH: '/nowhere' },
    });
    expect(copied).toMatchObject({ exitCode: 0, outputs: { 'image-digest': built.outputs['image-digest'] } });
    expect(stage.requests()).not.toContain('registry:UploadLayerPart');
    expect(web(stage)?.tags.get('v1')).toBe(built.outputs['image-digest']);
  });
});
