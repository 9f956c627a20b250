import { beforeEach, describe, expect, test } from '@jest/globals';
import type { BuildRequest } from '../../src/domain/docker-arguments.ts';
import { CommandError } from '../../src/errors.ts';
import type { PublishInputs } from '../../src/steps/prepare-publish.ts';
import { folder, PublishSetting, uri } from './publish-setting.ts';

let setting: PublishSetting;

beforeEach(() => {
  setting = new PublishSetting();
});

/** The request that the builder gets. */
async function built(given: Partial<PublishInputs>): Promise<BuildRequest> {
  await setting.publish(given);
  const request = setting.docker.builds.at(-1)?.request;
  if (!request) throw new Error('nothing was built');
  return request;
}

describe('a build', () => {
  test('is asked for what the inputs say', async () => {
    setting.docker.facts = { ...setting.docker.facts, builder: { name: 'multi', driver: 'docker-container' } };
    const request = await built({
      target: 'final',
      platforms: ['linux/amd64', 'linux/arm64'],
      'build-args': [['BASE', 'scratch']],
      'build-contexts': [['assets', 'https://example.com/assets.git']],
      ssh: ['default'],
      annotations: ['index:team=red'],
      'cache-from': ['type=gha'],
      'cache-to': ['type=gha,mode=max'],
      'no-cache': true,
      pull: true,
      provenance: 'mode=max',
      sbom: 'true',
      builder: 'multi',
    });
    expect(request).toMatchObject({
      context: '/workspace',
      file: '/workspace/Dockerfile',
      target: 'final',
      platforms: ['linux/amd64', 'linux/arm64'],
      buildArgs: [['BASE', 'scratch']],
      buildContexts: [['assets', 'https://example.com/assets.git']],
      secrets: [],
      ssh: ['default'],
      annotations: ['index:team=red'],
      cacheFrom: ['type=gha'],
      cacheTo: ['type=gha,mode=max'],
      noCache: true,
      pull: true,
      attestations: ['type=provenance,mode=max,builder-id=https://github.com/acme/shop/actions/runs/1000/attempts/1', 'type=sbom'],
      builder: 'multi',
    });
    // Of our own environment only what GitHub's cache needs (RULES 6.23).
    expect(setting.docker.builds[0]?.options.passed).toEqual([
      'ACTIONS_CACHE_URL',
      'ACTIONS_RESULTS_URL',
      'ACTIONS_RUNTIME_TOKEN',
      'ACTIONS_CACHE_SERVICE_V2',
    ]);
  });

  test('has the labels of the event; the author’s win', async () => {
    const { labels } = await built({ tags: ['1.2.3'], labels: [['org.opencontainers.image.title', 'Web shop']] });
    expect(Object.fromEntries(labels)).toMatchObject({
      'org.opencontainers.image.title': 'Web shop',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': setting.github.run.sha,
      'org.opencontainers.image.created': '2026-11-20T08:30:00.000Z',
    });
  });

  test('from a remote context needs no checkout; the Dockerfile is there', async () => {
    setting.files.files.clear();
    await expect(built({ context: 'https://github.com/acme/shop.git#main', file: 'docker/Dockerfile' })).resolves.toMatchObject({
      context: 'https://github.com/acme/shop.git#main',
      file: 'docker/Dockerfile',
    });
  });

  test('from the default context has the job’s token for this repository, as a file', async () => {
    const context = `https://github.com/acme/shop.git#${setting.github.run.sha}:app`;
    const request = await built({ context: '{{defaultContext}}:app', 'github-token': 'ghs_token' });
    expect(request).toMatchObject({ context, secrets: [{ id: 'GIT_AUTH_TOKEN.github.com', file: `${folder}/secret-0` }] });
    expect(setting.github.masks).toEqual(['ghs_token']);
  });

  test.each<[string, Partial<PublishInputs>]>([
    ['another repository', { context: 'https://github.com/acme/other.git' }],
    ['the checkout', {}],
    ['a token of the author’s own', { context: '{{defaultContext}}', secrets: [['GIT_AUTH_TOKEN', 'own']] }],
  ])('from %s does not have it', async (_, given) => {
    const { secrets } = await built({ ...given, 'github-token': 'ghs_token' });
    expect(secrets.map(({ id }) => id)).not.toContain('GIT_AUTH_TOKEN.github.com');
  });
});

describe('secrets', () => {
  test('are files and variables: masked, and in no request', async () => {
    setting.docker.environment.set('NPM_TOKEN', 'from the environment');
    setting.files.files.set('/workspace/.npmrc', 'x');
    const written: string[] = [];
    setting.docker.build = async (...given) => {
      written.push(...[...setting.files.files].flatMap(([path, text]) => (path.startsWith(folder) ? [`${path}: ${text}`] : [])));
      return setting.pushes('built')(...given);
    };
    const request = await built({
      secrets: [['key', 'line one\nline two']],
      'secret-envs': [['npm', 'NPM_TOKEN']],
      'secret-files': [['npmrc', '.npmrc']],
    });
    expect(request.secrets).toEqual([
      { id: 'key', file: `${folder}/secret-0` },
      { id: 'npm', variable: 'NPM_TOKEN' },
      { id: 'npmrc', file: '/workspace/.npmrc' },
    ]);
    expect(written).toEqual([`${folder}/secret-0: line one\nline two`]);
    expect(setting.github.masks).toEqual(expect.arrayContaining(['line one\nline two', 'from the environment']));
    expect(setting.docker.builds[0]?.options.passed).toEqual(['NPM_TOKEN']);
    expect(JSON.stringify(request)).not.toMatch(/line one|from the environment/);
  });

  test('that are not there are told at once, before any call', async () => {
    await expect(setting.publish({ 'secret-envs': [['npm', 'NPM_TOKEN']], 'secret-files': [['npmrc', '.npmrc']] })).rejects.toThrow(
      '2 inputs need attention:\n  - secret-files: npmrc: there is no file .npmrc\n  - secret-envs: npm: the variable NPM_TOKEN is not set',
    );
    expect(setting.journal).toEqual([]);
  });
});

describe('the builder', () => {
  const own = `docker create builder ecr-org-deploy-build-1`;
  const removed = `docker remove builder ecr-org-deploy-build-1`;

  test.each<[string, Partial<PublishInputs>]>([
    ['several platforms', { platforms: ['linux/amd64', 'linux/arm64'] }],
    ['attestations', { provenance: 'mode=max' }],
    ['a cache elsewhere', { 'cache-to': ['type=registry,ref=host/web:cache'] }],
  ])('of the engine does not have %s: one is made for the build, and removed', async (_, given) => {
    await expect(built(given)).resolves.toMatchObject({ builder: 'ecr-org-deploy-build-1' });
    const build = setting.journal.findIndex((line) => line.startsWith('docker build'));
    expect(setting.journal.slice(build - 1)).toEqual([own, expect.any(String), removed, `files remove ${folder}`]);
    expect(setting.log.lines[1]).toMatch(
      /^The engine's own builder does not have .*: the builder ecr-org-deploy-build-1 \(docker-container\) is made/,
    );
    expect(setting.github.saved.get('cleanup')).toBe('[]');
  });

  test.each([
    ['with containerd’s image store', { hasContainerdStore: true }],
    ['of another driver', { builder: { name: 'multi', driver: 'docker-container' } }],
  ])('%s is used as it is', async (_, facts) => {
    setting.docker.facts = { ...setting.docker.facts, ...facts };
    await expect(built({ platforms: ['linux/amd64', 'linux/arm64'], sbom: 'true' })).resolves.toMatchObject({ builder: undefined });
    expect(setting.journal).not.toContain(own);
  });

  test('is remembered before it is made, and removed after a failed build', async () => {
    let saved: string | undefined;
    setting.docker.build = async () => {
      saved = setting.github.saved.get('cleanup');
      throw new CommandError('failed', { command: 'docker buildx build', exitCode: 1 });
    };
    await expect(setting.publish({ sbom: 'true' })).rejects.toThrow('failed');
    expect(JSON.parse(saved ?? '')).toContainEqual({
      kind: 'docker-builder',
      name: 'ecr-org-deploy-build-1',
      buildxConfig: '/home/ci/.docker/buildx',
    });
    expect(setting.journal).toContain(removed);
    expect(setting.github.saved.get('cleanup')).toBe('[]');
  });

  test('that can’t be removed is left to the post step', async () => {
    setting.docker.removeFailure = new Error('the engine is busy');
    await setting.publish({ sbom: 'true' });
    expect(setting.log.lines).toContain('warning: The builder ecr-org-deploy-build-1 could not be removed yet: the engine is busy');
    expect(setting.github.saved.get('cleanup')).toContain('docker-builder');
  });

  test('that is named must have what is asked of it', async () => {
    await expect(setting.publish({ builder: 'default', platforms: ['linux/amd64', 'linux/arm64'], sbom: 'true' })).rejects.toThrow(
      /platforms: can't be had of the builder default: its driver is docker; leave builder out[^]*sbom: can't be had/,
    );
    expect(setting.journal).toEqual([]);
  });

  test('that is named must be there', async () => {
    setting.docker.facts = { ...setting.docker.facts, builder: undefined, builderProblem: 'no builder "multi" found' };
    await expect(setting.publish({ builder: 'multi' })).rejects.toThrow('builder: there is no builder multi: no builder "multi" found');
  });

  test('elsewhere needs no engine here', async () => {
    setting.docker.facts = { ...setting.docker.facts, engine: undefined, problem: 'none', builder: { name: 'far', driver: 'remote' } };
    await expect(setting.publish()).resolves.toMatchObject({ pushed: true });
  });

  test('without an emulator for a step: the workflow’s missing line', async () => {
    setting.docker.build = async () => {
      throw new CommandError('docker buildx build failed at Dockerfile:2, RUN make: exit code: 255', {
        command: 'docker buildx build',
        exitCode: 1,
        output: 'exec /bin/sh: exec format error',
      });
    };
    await expect(setting.publish({ platforms: ['linux/arm64'] })).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(/^platforms: the builder has no emulator for one of linux\/arm64: .*Dockerfile:2/),
      hint: expect.stringContaining('uses: docker/setup-qemu-action@v3'),
    });
  });
});

describe('without buildx', () => {
  beforeEach(() => {
    setting.docker.facts = { ...setting.docker.facts, buildx: undefined, builder: undefined };
  });

  test('docker build does it, and what it leaves out is said in one line', async () => {
    await setting.publish({ 'cache-to': ['type=gha'], 'cache-from': ['host/web:cache'], provenance: 'true' });
    expect(setting.log.lines.slice(0, 2)).toEqual([
      'warning: buildx is not installed, so docker build is used, without cache-to, provenance; docker/setup-buildx-action installs it.',
      `▼ Build and push ${uri} with docker build`,
    ]);
  });

  test('nothing is said where nothing is lost', async () => {
    await setting.publish();
    expect(setting.log.lines[0]).toBe(`▼ Build and push ${uri} with docker build`);
  });

  test('what a build can’t do without is refused, all at once', async () => {
    await expect(
      setting.publish({ platforms: ['linux/amd64', 'linux/arm64'], secrets: [['a', 'b']], ssh: ['default'], builder: 'multi' }),
    ).rejects.toMatchObject({
      problems: ['platforms', 'secrets', 'ssh', 'builder'].map((input) => ({
        input,
        problem: 'needs buildx, which is not installed; run docker/setup-buildx-action first',
      })),
    });
    expect(setting.journal).toEqual([]);
  });
});

describe('before the build', () => {
  test.each<[string, Partial<PublishInputs>, string]>([
    ['no context', { context: 'app' }, 'context: there is no folder app; check out the repository first'],
    ['a context that is a file', { context: 'Dockerfile' }, 'context: there is no folder Dockerfile'],
    ['no Dockerfile in the context', { context: '/workspace/app' }, 'file: there is no Dockerfile /workspace/app/Dockerfile'],
    ['no such Dockerfile', { file: 'Dockerfile.prod' }, 'file: there is no Dockerfile Dockerfile.prod'],
  ])('%s', async (_, given, message) => {
    if (given.context === '/workspace/app') setting.files.folders.add('/workspace/app');
    await expect(setting.publish(given)).rejects.toThrow(message);
    expect(setting.journal).toEqual([]);
  });

  test('no engine: says why, and what else would do', async () => {
    setting.docker.facts = { ...setting.docker.facts, engine: undefined, problem: 'docker was not found on PATH', buildx: undefined };
    await expect(setting.publish()).rejects.toMatchObject({
      name: 'CommandError',
      message: 'No Docker engine to build with: docker was not found on PATH',
      hint: expect.stringContaining('image: oci:PATH'),
    });
    expect(setting.journal).toEqual([]);
  });
});
