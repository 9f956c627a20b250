import { expect, test } from '@jest/globals';
import { failure, lostReply, serverError, throttling } from '../../emulator/faults.ts';
import { accounts, region, repositoryName } from '../../emulator/scenario.ts';
import { Job } from '../../emulator/runner.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, layout, onStage, transcript, writes } from './stage.ts';

const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image' };

test('pain 35: a pull request: its tags, by the head commit', async () => {
  const headSha = 'feedfacefeedfacefeedfacefeedfacefeedface';
  const event = {
    name: 'pull_request',
    ref: 'refs/pull/7/merge',
    payload: { pull_request: { number: 7, head: { sha: headSha, repo: { full_name: 'acme/shop' } } } },
  };
  await onStage({ job: { event } }, async (stage) => {
    const digest = layout(stage.job);
    const result = await stage.step({ with: publish });
    expect(transcript(stage, result)).toMatchSnapshot();
    expect(result.outputs).toMatchObject({
      'image-digest': digest,
      'image-tags': JSON.stringify([`${stage.host}/shop/web:pr-7`, `${stage.host}/shop/web:pr-7-feedfacefeed`]),
    });
  });
});

test.each([
  ['a branch', { name: 'push', ref: 'refs/heads/Feature/Größe_1', sha: 'a'.repeat(40) }, ['Feature-Gr-e_1', 'sha-aaaaaaaaaaaa']],
  ['a version tag', { name: 'push', ref: 'refs/tags/v1.2.3', sha: 'a'.repeat(40) }, ['1.2.3', '1.2', '1']],
])('%s: the tags that suit it', async (_, event, tags) => {
  await onStage({ job: { event } }, async (stage) => {
    layout(stage.job);
    const result = await stage.step({ with: publish });
    expect(JSON.parse(result.outputs['image-tags'] ?? '')).toEqual(tags.map((tag) => `${stage.host}/shop/web:${tag}`));
  });
});

test('a failing registry is tried again, and what is pushed is whole', async () => {
  await onStage({}, async (stage) => {
    const { faults } = stage.scenario.emulator;
    faults.inject({ service: 'registry', operation: 'InitiateLayerUpload' }, serverError());
    faults.inject({ service: 'registry', operation: 'UploadLayerPart' }, lostReply());
    faults.inject({ service: 'registry', operation: 'PutImage' }, throttling());
    const digest = layout(stage.job);
    const result = await stage.step({ with: { ...publish, tags: 'v1' } });
    expect(result).toMatchObject({ exitCode: 0, outputs: { 'image-digest': digest, pushed: 'true' } });
  });
});

test('a denial names the action, the caller and what to check', async () => {
  await onStage({}, async (stage) => {
    layout(stage.job);
    stage.scenario.emulator.faults.inject(
      { service: 'ecr', operation: 'DescribeRepositories' },
      failure(
        'AccessDeniedException',
        'User: arn:aws:sts::111111111111:assumed-role/x/y is not authorized to perform: ecr:DescribeRepositories',
      ),
    );
    const result = await stage.step({ with: { ...publish, tags: 'v1' } });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain('ecr:DescribeRepositories for repository shop/web');
    expect(result.log.at(-1)).toContain("Allow ecr:DescribeRepositories in the caller's IAM policy");
    expect(writes(stage)).toEqual([]);
  });
});

test('a tag that can’t move is refused before anything is pushed, with both digests', async () => {
  await onStage({}, async (stage) => {
    const repository = stage.scenario.emulator.world.findRepository({ account: accounts.registry, region, name: repositoryName });
    if (repository) repository.mutability = 'IMMUTABLE';
    const first = layout(stage.job, 'first');
    await stage.step({ with: { ...publish, tags: 'candidate' } });
    const second = layout(stage.job, 'second');
    const result = await stage.step({ with: { ...publish, tags: 'candidate' } });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain(first);
    expect(result.log.at(-1)).toContain(second);
    expect(writes(stage)).toEqual([]);
  });
});

test('a build that fails: its last words, its exit code, no output', async () => {
  await onStage({}, async (stage) => {
    const docker = fakeDocker(stage.job, {
      build: 'echo "::set-output name=image-uri::evil"; echo "COPY failed: no such file" >&2; exit 7',
    });
    stage.job.write('Dockerfile', 'FROM scratch\n');
    const { image: _, ...building } = publish;
    const result = await stage.step({ with: { ...building, tags: 'v1' }, environment: { PATH: docker.path } });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain('COPY failed: no such file');
    // What a build prints can't drive the step.
    expect(result.raw).not.toMatch(/^::set-output/m);
    expect(result.outputs).toEqual({});
  });
});

test('pain 34: with create-repository two runs at once push to one new repository', async () => {
  await onStage({}, async (stage) => {
    layout(stage.job);
    const other = new Job({ environment: stage.scenario.emulator.environment() });
    try {
      layout(other);
      const creating = { ...publish, repository: 'shop/new', 'create-repository': 'true', 'image-tag-mutability': 'IMMUTABLE', tags: 'v1' };
      const missing = await stage.step({ with: { ...creating, 'create-repository': 'false' } });
      expect(missing.log.at(-1)).toMatch(/shop\/new does not exist.*Give create-repository: true/s);
      expect(writes(stage)).toEqual([]);

      const results = await Promise.all([stage.step({ with: creating }), other.step({ with: creating })]);
      expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(new Set(results.map(({ outputs }) => outputs['image-uri'])).size).toBe(1);
      const made = stage.scenario.emulator.world.findRepository({ account: accounts.registry, region, name: 'shop/new' });
      expect(made).toMatchObject({ mutability: 'IMMUTABLE' });
    } finally {
      other.remove();
    }
  });
});
