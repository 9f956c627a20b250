/** `publish` with a real engine, both builders, and a real registry under the host name of ECR. */
import { expect, test } from '@jest/globals';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import type { Job, StepResult } from '../../emulator/runner.ts';
import { accounts, region, roles, type Scenario } from '../../emulator/scenario.ts';
import {
  describeReal,
  digestInRegistry,
  filesBelow,
  helloWorld,
  host,
  newJob,
  newRepository,
  recordingDocker,
  registryInputs,
  overRegistry,
  story,
  tagsInRegistry,
  writeDockerConfig,
} from './parts.ts';

let scenario: Scenario;

/** What ECR says that an image has as tags. */
async function describedTags(repository: string, digest: string): Promise<readonly string[]> {
  const { world, url } = scenario.emulator;
  const role = world.findRole(roles.registry);
  if (!role) throw new Error('the scenario has no registry role');
  const ecr = new ECRClient({ region, endpoint: url, credentials: world.session(role) });
  const { imageDetails = [] } = await ecr.send(
    new DescribeImagesCommand({ registryId: accounts.registry, repositoryName: repository, imageIds: [{ imageDigest: digest }] }),
  );
  ecr.destroy();
  return (imageDetails[0]?.imageTags ?? []).sort();
}

/** The output, the registry and the ECR API name the same image under every tag. */
async function expectPublished({
  step,
  repository,
  tags,
}: {
  step: StepResult;
  repository: string;
  tags: readonly string[];
}): Promise<string> {
  expect(story(step)).toBe('exit code 0');
  const digest = step.outputs['image-digest'] ?? '';
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await tagsInRegistry(repository)).toEqual(tags);
  for (const reference of [...tags, digest]) expect(await digestInRegistry(repository, reference)).toBe(digest);
  expect(await describedTags(repository, digest)).toEqual(tags);
  expect(step.outputs).toMatchObject({
    'image-uri': `${host}/${repository}@${digest}`,
    image: `${repository}@${digest}`,
    'image-name': `${host}/${repository}`,
    'image-tags': JSON.stringify(tags.map((tag) => `${host}/${repository}:${tag}`)),
    registry: host,
  });
  return digest;
}

const inputs = (repository: string) => ({
  ...registryInputs,
  mode: 'publish',
  repository,
  'build-args': 'BASE=scratch\nCOLOUR=green',
  tags: 'one\ntwo',
});

interface Checkout {
  readonly job: Job;
  readonly dockerConfig: string;
  /** How `docker` was called by the steps so far. */
  readonly commands: () => readonly string[];
  readonly remove: () => void;
}

function checkOut({ buildx }: { buildx: boolean }): Checkout {
  const recorder = recordingDocker();
  const job = newJob(scenario, { environment: { PATH: recorder.path } });
  cpSync(helloWorld, job.workspace, { recursive: true });
  return {
    job,
    dockerConfig: writeDockerConfig(join(job.folder, '.docker'), { buildx }),
    commands: () =>
      recorder.calls().map((call) => {
        const firstOption = call.arguments.findIndex((argument) => argument.startsWith('-'));
        return call.arguments.slice(0, firstOption < 0 ? 2 : firstOption).join(' ');
      }),
    remove: () => {
      job.remove();
      recorder.remove();
    },
  };
}

describeReal('publish builds and pushes with buildx', { needs: ['engine', 'buildx', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  test('two tags, one digest, and a second run pushes nothing new', async () => {
    const { job, dockerConfig, commands, remove } = checkOut({ buildx: true });
    const before = filesBelow(join(dockerConfig, '..')).get('config.json');
    const repository = newRepository(scenario);

    const first = await job.step({ with: inputs(repository) });
    const digest = await expectPublished({ step: first, repository, tags: ['one', 'two'] });
    expect(first.outputs['pushed']).toBe('true');
    expect(commands()).toContain('buildx build');

    const second = await job.step({ with: inputs(repository) });
    expect(await expectPublished({ step: second, repository, tags: ['one', 'two'] })).toBe(digest);
    expect(second.outputs['pushed']).toBe('false');

    for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
    expect(filesBelow(join(dockerConfig, '..')).get('config.json')).toBe(before);
    expect([...filesBelow(job.temp).keys()]).toEqual([]);
    remove();
  });

  test('where tags can’t move, the commit’s own image is taken again, and nothing is built', async () => {
    const { job, commands, remove } = checkOut({ buildx: true });
    const repository = newRepository(scenario, { mutability: 'IMMUTABLE' });
    const { tags: _tags, ...byDefault } = inputs(repository);

    const first = await job.step({ with: byDefault });
    const digest = await expectPublished({ step: first, repository, tags: ['main', 'sha-0123456789ab'] });
    const calls = commands().filter((command) => command === 'buildx build').length;

    const second = await job.step({ with: byDefault });
    expect(story(second)).toBe('exit code 0');
    expect(second.outputs).toMatchObject({ 'image-digest': digest, pushed: 'false' });
    expect(commands().filter((command) => command === 'buildx build')).toHaveLength(calls);
    expect(await tagsInRegistry(repository)).toEqual(['main', 'sha-0123456789ab']);
    await job.finish();
    remove();
  });
});

describeReal('publish builds and pushes without buildx', { needs: ['engine', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  test('two tags, one digest, and a second run pushes nothing new', async () => {
    const { job, dockerConfig, commands, remove } = checkOut({ buildx: false });
    const before = filesBelow(join(dockerConfig, '..'));
    const repository = newRepository(scenario);

    const first = await job.step({ with: inputs(repository) });
    const digest = await expectPublished({ step: first, repository, tags: ['one', 'two'] });
    expect(first.outputs['pushed']).toBe('true');
    expect(commands().filter((command) => /^(buildx )?build$/.test(command))).toEqual(['build']);
    expect(commands().filter((command) => command.startsWith('push'))).toHaveLength(2);

    const second = await job.step({ with: inputs(repository) });
    expect(await expectPublished({ step: second, repository, tags: ['one', 'two'] })).toBe(digest);
    expect(second.outputs['pushed']).toBe('false');

    for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
    expect(filesBelow(join(dockerConfig, '..'))).toEqual(before);
    expect([...filesBelow(job.temp).keys()]).toEqual([]);
    remove();
  });
});

describeReal('publish pushes an OCI layout', { needs: ['registry'] }, () => {
  overRegistry((started) => (scenario = started));
  test('without Docker: two tags, the layout’s own digest, and a second run pushes nothing', async () => {
    // No docker on PATH, and no engine.
    const job = newJob(scenario, { environment: { PATH: '/nowhere', DOCKER_HOST: 'unix:///nowhere' } });
    const expected = writeOciLayout(join(job.workspace, 'image'), { files: { 'index.html': `made by test ${process.pid}` } });
    const repository = newRepository(scenario);
    const pushed = { ...registryInputs, mode: 'publish', repository, image: 'oci:image', tags: 'one\ntwo' };

    const first = await job.step({ with: pushed });
    expect(await expectPublished({ step: first, repository, tags: ['one', 'two'] })).toBe(expected);
    expect(first.outputs['pushed']).toBe('true');

    scenario.emulator.requests.clear();
    const second = await job.step({ with: pushed });
    expect(await expectPublished({ step: second, repository, tags: ['one', 'two'] })).toBe(expected);
    expect(second.outputs['pushed']).toBe('false');
    // Without a login nothing can have been pushed.
    expect(scenario.emulator.requests.of('ecr', 'GetAuthorizationToken')).toEqual([]);
    await job.finish();
    job.remove();
  });

  test('two runs of one commit at once: both end well, with the same image', async () => {
    const repository = newRepository(scenario, { mutability: 'IMMUTABLE' });
    const text = `made by test ${process.pid}`;
    const jobs = [0, 1].map(() => newJob(scenario, { environment: { PATH: '/nowhere', DOCKER_HOST: 'unix:///nowhere' } }));
    const [expected] = jobs.map((job) => writeOciLayout(join(job.workspace, 'image'), { files: { 'index.html': text } }));
    const steps = await Promise.all(
      jobs.map(async (job) => job.step({ with: { ...registryInputs, mode: 'publish', repository, image: 'oci:image' } })),
    );
    for (const step of steps) expect(await expectPublished({ step, repository, tags: ['main', 'sha-0123456789ab'] })).toBe(expected);
    for (const job of jobs) {
      await job.finish();
      job.remove();
    }
  });

  test('a push that is ended in the middle leaves no tag, and the next one completes it', async () => {
    const repository = newRepository(scenario);
    const job = newJob(scenario, { environment: { PATH: '/nowhere', DOCKER_HOST: 'unix:///nowhere' } });
    const digest = writeOciLayout(join(job.workspace, 'image'), { files: { 'index.html': 'x'.repeat(50_000_000) } });
    const pushed = { ...registryInputs, mode: 'publish', repository, image: 'oci:image', tags: 'one' };
    const killed = await job.step({
      with: pushed,
      onLine: (line, child) => {
        if (line.startsWith('Pushing')) setTimeout(() => child.kill('SIGTERM'), 20);
      },
    });
    expect(killed.exitCode).toBe(1);
    expect(await digestInRegistry(repository, 'one')).toBeUndefined();
    expect((await job.step({ with: pushed })).outputs).toMatchObject({ 'image-digest': digest, pushed: 'true' });
    expect(await digestInRegistry(repository, 'one')).toBe(digest);
    await job.finish();
    job.remove();
  });
});
