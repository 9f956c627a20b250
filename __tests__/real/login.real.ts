/** `login` for the Docker commands of later steps, and what is left when the job is over: nothing. */
import { afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../emulator/runner.ts';
import type { Scenario } from '../../emulator/scenario.ts';
import {
  describeReal,
  digestInRegistry,
  docker,
  filesBelow,
  filesWith,
  helloWorld,
  host,
  newJob,
  newRepository,
  registryInputs,
  overRegistry,
  story,
  unique,
  variable,
  writeDockerConfig,
} from './parts.ts';

let scenario: Scenario;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Jobs on one machine: the same home, each with its own RUNNER_TEMP. */
function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-home-'));
  folders.push(home);
  writeDockerConfig(join(home, '.docker'), { buildx: false });
  return home;
}

function jobIn(home: string): Job {
  const job = newJob(scenario, { environment: { HOME: home } });
  folders.push(job.folder);
  return job;
}

/** What a later step of the job sees. */
const laterStep = (job: Job, home: string): Record<string, string> => ({
  HOME: home,
  DOCKER_HOST: process.env['DOCKER_HOST'] ?? '',
  ...job.exported,
});

/** An image in the engine, named for the repository; pushes it as a later step would and gives what Docker said. */
async function pushLocalImage({ job, home, repository }: { job: Job; home: string; repository: string }): Promise<string> {
  const reference = `${host}/${repository}:local`;
  const environment = laterStep(job, home);
  await docker(['build', '--build-arg', 'BASE=scratch', '--label', `made-for=${unique()}`, '--tag', reference, helloWorld], {
    ...environment,
    DOCKER_BUILDKIT: '0',
  });
  return docker(['push', reference], environment);
}

const login = { ...registryInputs, mode: 'login' };

describeReal('login', { needs: ['engine', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  test('lets the job’s later steps push; afterwards the configuration is as before, and no login is left', async () => {
    const home = newHome();
    const before = filesBelow(home);
    const job = jobIn(home);
    const repository = newRepository(scenario);

    const step = await job.step({ with: login });
    expect(story(step)).toBe('exit code 0');
    expect(step.outputs).toEqual({ registry: host });
    const said = await pushLocalImage({ job, home, repository });
    expect(said).toContain(`digest: ${(await digestInRegistry(repository, 'local')) ?? 'none'} `);
    // The home's own configuration was not touched in the meantime either.
    expect(filesBelow(home)).toEqual(before);

    for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
    expect(filesBelow(home)).toEqual(before);
    expect([...filesBelow(job.temp).keys()]).toEqual([]);
    expect(filesWith(job.folder, [variable('REGISTRY_PASSWORD')])).toEqual([]);
    // The helper that the user had configured for this host, which does not exist, is asked again.
    await expect(pushLocalImage({ job, home, repository })).rejects.toThrow(/no-such-helper|no basic auth credentials|unauthorized/i);
  });

  test('keeps two jobs on one machine apart: the end of one does not log the other out', async () => {
    const home = newHome();
    const before = filesBelow(home);
    const jobs = [jobIn(home), jobIn(home)] as const;
    const [one, other] = jobs;
    const repository = newRepository(scenario);

    for (const step of await Promise.all(jobs.map(async (job) => job.step({ with: login })))) expect(story(step)).toBe('exit code 0');
    for (const post of await one.finish()) expect(story(post)).toBe('exit code 0');
    await pushLocalImage({ job: other, home, repository });
    await expect(pushLocalImage({ job: one, home, repository })).rejects.toThrow(/no-such-helper|no basic auth credentials|unauthorized/i);

    for (const post of await other.finish()) expect(story(post)).toBe('exit code 0');
    expect(filesBelow(home)).toEqual(before);
    for (const job of jobs) expect(filesWith(job.folder, [variable('REGISTRY_PASSWORD')])).toEqual([]);
  });

  test('takes a configuration that an earlier step made, and puts it back', async () => {
    const home = newHome();
    const job = jobIn(home);
    const earlier = join(job.folder, 'of-an-earlier-step');
    writeDockerConfig(earlier, { buildx: false });
    const before = filesBelow(earlier);

    const step = await job.step({ with: login, environment: { DOCKER_CONFIG: earlier } });
    expect(story(step)).toBe('exit code 0');
    expect(job.exported['DOCKER_CONFIG']).not.toBe(earlier);
    await pushLocalImage({ job, home, repository: newRepository(scenario) });

    await job.finish();
    expect(job.exported['DOCKER_CONFIG']).toBe(earlier);
    expect(filesBelow(earlier)).toEqual(before);
  });
});
