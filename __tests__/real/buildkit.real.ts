/** `publish` with a BuildKit daemon behind buildx's `remote` driver: what the engine's own builder does not have. */
import { beforeEach, expect, test } from '@jest/globals';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomSha, type Job, type StepResult } from '../../emulator/runner.ts';
import type { Scenario } from '../../emulator/scenario.ts';
import {
  busybox,
  describeReal,
  digestInRegistry,
  docker,
  filesWith,
  host,
  manifestInRegistry,
  newJob,
  newRepository,
  overRegistry,
  recordingDocker,
  registryInputs,
  story,
  tagsInRegistry,
  unique,
  variable,
  watchCommandLines,
  writeDockerConfig,
} from './parts.ts';

let scenario: Scenario;

interface Child {
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A job with a builder of the name `far`, as an earlier step would have left it. */
async function jobWithBuilder(): Promise<{ job: Job; calls: () => readonly string[]; remove: () => void }> {
  const recorder = recordingDocker();
  const job = newJob(scenario, {
    environment: { PATH: recorder.path, DOCKER_HOST: 'unix:///nowhere' },
    event: { name: 'push', ref: 'refs/heads/main', sha: randomSha() },
  });
  const config = join(writeDockerConfig(join(job.folder, '.docker'), { buildx: true }), '..');
  await docker(['buildx', 'create', '--name', 'far', '--driver', 'remote', variable('BUILDKITD_ADDR')], { DOCKER_CONFIG: config });
  const calls = (): readonly string[] => recorder.calls().map((call) => call.arguments.join(' '));
  const remove = (): void => {
    job.remove();
    recorder.remove();
  };
  return { job, calls, remove };
}

const inputs = (repository: string) => ({ ...registryInputs, mode: 'publish', repository, builder: 'far' });
const told = ({ log, raw, outputs, state, summary }: StepResult): string =>
  [
    ...log,
    ...raw.split('\n').filter((line) => !line.startsWith('::add-mask::')),
    JSON.stringify(outputs),
    JSON.stringify(state),
    summary,
  ].join('\n');

describeReal('publish with a BuildKit daemon, and no engine', { needs: ['buildkitd', 'buildx', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  let repositories: readonly string[] = [];
  beforeEach(() => {
    repositories = [newRepository(scenario), newRepository(scenario)];
  });

  test('builds for two platforms with provenance, into two repositories: one index, the same everywhere', async () => {
    const { job, calls, remove } = await jobWithBuilder();
    const [first = '', second = ''] = repositories;
    job.write('Dockerfile', 'FROM scratch\nARG TARGETPLATFORM\nCOPY page /page\nLABEL platform=$TARGETPLATFORM\n');
    job.write('page', unique());
    const given = { ...inputs(repositories.join('\n')), platforms: 'linux/amd64,linux/arm64', provenance: 'mode=max', tags: 'one' };
    const step = await job.step({ with: given });
    expect(story(step)).toBe('exit code 0');
    const digest = step.outputs['image-digest'] ?? '';
    expect(await Promise.all([first, second].map(async (name) => digestInRegistry(name, 'one')))).toEqual([digest, digest]);
    expect(step.log).toContain('It is an index: linux/amd64, linux/arm64.');

    const { manifests = [] } = (await manifestInRegistry(first, 'one')) as { manifests?: Child[] };
    expect(manifests.map(({ platform }) => `${platform?.os ?? ''}/${platform?.architecture ?? ''}`).sort()).toEqual([
      'linux/amd64',
      'linux/arm64',
      'unknown/unknown',
      'unknown/unknown',
    ]);
    expect(calls().some((call) => call.startsWith('buildx create') || call.startsWith('buildx rm'))).toBe(false);

    // Promoted by its digest, the attestations stay; no Docker is asked.
    const before = calls().length;
    const promoted = await job.step({
      with: { ...registryInputs, mode: 'publish', repository: first, image: `${first}@${digest}`, tags: 'two' },
    });
    expect(promoted.outputs).toMatchObject({ 'image-digest': digest, pushed: 'true' });
    expect(await digestInRegistry(first, 'two')).toBe(digest);
    expect(calls()).toHaveLength(before);
    for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
    remove();
  });

  test('keeps its cache in the registry, and takes it from there', async () => {
    const [repository = ''] = repositories;
    const cache = `type=registry,ref=${host}/${repository}:cache`;
    const page = unique();
    const logs: string[] = [];
    for (const tag of ['one', 'two']) {
      const { job, remove } = await jobWithBuilder();
      job.write('Dockerfile', 'FROM scratch\nCOPY page /page\n');
      job.write('page', page);
      const step = await job.step({
        with: { ...inputs(repository), tags: tag, 'cache-from': cache, 'cache-to': `${cache},mode=max`, 'no-cache': 'false' },
      });
      expect(story(step)).toBe('exit code 0');
      logs.push(step.log.join('\n'));
      await job.finish();
      remove();
    }
    expect(await tagsInRegistry(repository)).toEqual(['cache', 'one', 'two']);
    expect(logs[0]).toMatch(/exporting cache to registry/);
    expect(logs[1]).toMatch(/importing cache manifest from/);
    expect(logs[1]).toMatch(/COPY page \/page\n#\d+ CACHED/);
  });

  test('gives secrets to the build by file and variable, and to nobody else', async () => {
    const { job, calls, remove } = await jobWithBuilder();
    const [repository = ''] = repositories;
    const [typed, fromVariable] = [`typed-${unique()}`, `variable-${unique()}`];
    copyFileSync(busybox, join(job.workspace, 'busybox'));
    const mounts = '--mount=type=secret,id=typed --mount=type=secret,id=variable';
    job.write(
      'Dockerfile',
      `FROM scratch\nCOPY busybox /bin/sh\nRUN ${mounts} test "$(wc -c < /run/secrets/typed)" = ${typed.length} && test "$(wc -c < /run/secrets/variable)" = ${fromVariable.length}\n`,
    );
    const seen = watchCommandLines();
    const step = await job.step({
      with: { ...inputs(repository), tags: 'one', secrets: `typed=${typed}`, 'secret-envs': 'variable=BUILD_SECRET' },
      environment: { BUILD_SECRET: fromVariable },
    });
    const lines = [...seen(), ...calls()];
    expect(story(step)).toBe('exit code 0');
    for (const secret of [typed, fromVariable]) {
      expect(lines.filter((line) => line.includes(secret))).toEqual([]);
      expect(told(step)).not.toContain(secret);
    }
    await job.finish();
    expect(filesWith(job.temp, [typed, fromVariable])).toEqual([]);
    expect(readFileSync(join(job.workspace, 'Dockerfile'), 'utf8')).not.toContain(typed);
    remove();
  });

  test('tells a failed step at its line', async () => {
    const { job, remove } = await jobWithBuilder();
    const [repository = ''] = repositories;
    copyFileSync(busybox, join(job.workspace, 'busybox'));
    job.write('docker/Dockerfile.prod', 'FROM scratch\nCOPY busybox /bin/sh\nRUN exit 3\n');
    const step = await job.step({ with: { ...inputs(repository), tags: 'one', file: 'docker/Dockerfile.prod' } });
    expect(step.exitCode).toBe(1);
    expect(step.raw).toMatch(
      /^::error file=docker\/Dockerfile\.prod,line=3::docker buildx build failed at Dockerfile\.prod:3, RUN exit 3: process .*exit code: 3/m,
    );
    await job.finish();
    remove();
  });
});
