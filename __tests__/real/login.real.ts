/** `login` for the Docker commands of later steps, and what is left when the job is over: nothing. */
import { afterEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../emulator/runner.ts';
import { accounts, region, type Scenario } from '../../emulator/scenario.ts';
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
  registryHost,
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
async function pushLocalImage({
  job,
  home,
  repository,
  to = host,
  path,
}: {
  job: Job;
  home: string;
  repository: string;
  to?: string;
  path?: string;
}): Promise<string> {
  const reference = `${to}/${repository}:local`;
  const environment = { ...laterStep(job, home), ...(path !== undefined && { PATH: path }) };
  await docker(['build', '--build-arg', 'BASE=scratch', '--label', `made-for=${unique()}`, '--tag', reference, helloWorld], {
    ...environment,
    DOCKER_BUILDKIT: '0',
  });
  return docker(['push', reference], environment);
}

const login = { ...registryInputs, mode: 'login' };

describeReal('login', { needs: ['engine', 'buildx', 'registry'] }, () => {
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

  test('pain 29: keeps two jobs on one machine apart: the end of one does not log the other out', async () => {
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

  test('reaches further accounts with the same token', async () => {
    const home = newHome();
    const job = jobIn(home);
    const other = registryHost(accounts.devA, region);
    const name = `real/${unique()}`;
    scenario.emulator.world.repository({ account: accounts.devA, region, name });
    const step = await job.step({ with: { ...login, registries: accounts.devA } });
    expect(story(step)).toBe('exit code 0');
    expect(step.outputs).toEqual({ registry: host });
    await expect(pushLocalImage({ job, home, repository: name, to: other })).resolves.toContain('digest: sha256:');
    for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
    await expect(pushLocalImage({ job, home, repository: name, to: other })).rejects.toThrow(/no basic auth credentials|unauthorized/i);
  });

  /** A credential helper that keeps what it is given in a file, and notes what it is asked. */
  function helper(job: Job, name: string): { path: string; asked: () => string } {
    const folder = join(job.folder, 'helpers');
    const notes = join(folder, `${name}.notes`);
    mkdirSync(folder, { recursive: true });
    const get = `echo '{"ServerURL":"x","Username":"someone","Secret":"else"}'`;
    const script = `#!/bin/sh\necho "$1 $(cat)" >>'${notes}'\ncase "$1" in get) ${get} ;; list) echo '{}' ;; esac\n`;
    writeFileSync(join(folder, `docker-credential-${name}`), script, { mode: 0o755 });
    // Docker takes `pass` for installed when its own program is there too.
    writeFileSync(join(folder, 'pass'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    return {
      path: `${folder}:${process.env['PATH'] ?? ''}`,
      asked: () => (existsSync(notes) ? readFileSync(notes, 'utf8') : ''),
    };
  }

  test('leaves the machine’s credential store alone, and other hosts go on asking it', async () => {
    const home = newHome();
    const job = jobIn(home);
    const store = helper(job, 'desk');
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ credsStore: 'desk', auths: { 'registry.example.com': {} } }));
    const step = await job.step({ with: login, environment: { PATH: store.path } });
    expect(story(step)).toBe('exit code 0');
    expect(store.asked()).not.toContain(host);
    const later = { ...laterStep(job, home), PATH: store.path };
    await pushLocalImage({ job, home, repository: newRepository(scenario), path: store.path });
    expect(store.asked()).not.toContain(variable('REGISTRY_PASSWORD'));
    // Another login of a later step goes where it would have gone.
    await docker(['logout', 'registry.example.com'], later);
    expect(store.asked()).toContain('erase registry.example.com');
    await job.finish();
    expect(filesWith(home, [variable('REGISTRY_PASSWORD')])).toEqual([]);
  });

  test('does not fill a store that Docker finds by itself, where there was no configuration', async () => {
    const home = newHome();
    const job = jobIn(home);
    rmSync(join(home, '.docker'), { recursive: true });
    const store = helper(job, 'pass');
    const step = await job.step({ with: login, environment: { PATH: store.path } });
    expect(story(step)).toBe('exit code 0');
    expect(store.asked()).toBe('');
    await job.finish();
    expect(filesWith(job.folder, [variable('REGISTRY_PASSWORD')])).toEqual([]);
  });

  test('keeps contexts, builders and plugins', async () => {
    const home = newHome();
    const folder = join(home, '.docker');
    const environment = { HOME: home, DOCKER_HOST: process.env['DOCKER_HOST'] ?? '' };
    mkdirSync(join(folder, 'cli-plugins'));
    const metadata = '{"SchemaVersion":"0.1.0","Vendor":"us","Version":"1","ShortDescription":"ours"}';
    writeFileSync(
      join(folder, 'cli-plugins/docker-ours'),
      `#!/bin/sh\n[ "$1" = docker-cli-plugin-metadata ] && echo '${metadata}' || echo ours\n`,
      {
        mode: 0o755,
      },
    );
    writeDockerConfig(folder, { buildx: true });
    await docker(['context', 'create', 'far', '--docker', 'host=tcp://127.0.0.1:1'], environment);
    await docker(['buildx', 'create', '--name', 'kept', '--driver', 'remote', 'tcp://127.0.0.1:1'], environment);

    const job = jobIn(home);
    const step = await job.step({ with: login });
    expect(story(step)).toBe('exit code 0');
    const later = laterStep(job, home);
    expect(later['DOCKER_CONFIG']).not.toBe(folder);
    expect(await docker(['context', 'ls', '--format', '{{.Name}}'], later)).toContain('far');
    expect(await docker(['buildx', 'ls'], later)).toContain('kept');
    expect(await docker(['ours'], later)).toBe('ours\n');
    await job.finish();
    expect(await docker(['context', 'ls', '--format', '{{.Name}}'], environment)).toContain('far');
    expect(await docker(['buildx', 'ls'], environment)).toContain('kept');
  });

  test('leaves nothing when the run is cancelled after it, or killed in the middle', async () => {
    const home = newHome();
    const before = filesBelow(home);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const job = jobIn(home);
      const step = await job.step({ with: login, onLine: (line, child) => line.startsWith('registry: ') && child.kill(signal) });
      expect(step.exitCode).not.toBe(0);
      for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
      expect([...filesBelow(job.temp).keys()]).toEqual([]);
      expect(filesWith(job.folder, [variable('REGISTRY_PASSWORD')])).toEqual([]);
      expect(job.exported['DOCKER_CONFIG'] ?? '').toBe('');
    }
    expect(filesBelow(home)).toEqual(before);
  });
});
