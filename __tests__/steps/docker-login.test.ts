import { beforeEach, describe, expect, test } from '@jest/globals';
import { cleanupMemory } from '../../src/cleanup.ts';
import { CancelledError, CommandError } from '../../src/errors.ts';
import { loginDocker, requireDocker, restoreDockerLogin } from '../../src/steps/docker-login.ts';
import { FakeDocker } from '../fakes/docker.ts';
import { FakeFiles } from '../fakes/files.ts';
import { FakeGitHub } from '../fakes/github.ts';
import type { Journal } from '../fakes/journal.ts';

let journal: Journal;
let docker: FakeDocker;
let files: FakeFiles;
let github: FakeGitHub;
const folder = '/temp/ecr-org-deploy-docker-1';
const login = async (signal = new AbortController().signal) =>
  loginDocker({
    hosts: ['one', 'two'],
    login: { username: 'AWS', password: 'p4ssw0rd' },
    ports: { docker, files, github },
    memory: cleanupMemory(github),
    signal,
  });

beforeEach(() => {
  journal = [];
  docker = new FakeDocker(journal);
  files = new FakeFiles(journal);
  github = new FakeGitHub();
});

const nothingLeft = () => {
  expect(github.exported.size).toBe(0);
  expect(files.folders.size).toBe(0);
  expect(github.saved.get('cleanup')).toBe('[]');
};

describe('login', () => {
  test('logs in to each host in a configuration of its own, which later steps then use', async () => {
    await expect(login()).resolves.toEqual({ folder, previous: { DOCKER_CONFIG: '', BUILDX_CONFIG: '' } });
    expect(journal).toEqual([
      `docker isolate ${folder} for one, two`,
      `docker login one as AWS in ${folder}`,
      `docker login two as AWS in ${folder}`,
    ]);
    expect([...github.exported]).toEqual([
      ['DOCKER_CONFIG', folder],
      ['BUILDX_CONFIG', '/home/ci/.docker/buildx'],
    ]);
    expect(JSON.parse(github.saved.get('cleanup') ?? '')).toEqual([
      { kind: 'docker-login', folder, previous: { DOCKER_CONFIG: '', BUILDX_CONFIG: '' } },
    ]);
  });

  test('a refusal leaves everything as it was', async () => {
    docker.loginFailure = new CommandError('docker login failed', { command: 'docker login', exitCode: 1 });
    await expect(login()).rejects.toThrow('docker login failed');
    nothingLeft();
  });

  test('so does a cancelled run, also one that is cancelled after the last login', async () => {
    const cancel = new AbortController();
    docker.login = async () => cancel.abort(new CancelledError('cancelled'));
    await expect(login(cancel.signal)).rejects.toThrow(CancelledError);
    nothingLeft();
  });

  test('without a docker command there is nothing to log in', async () => {
    await requireDocker(docker);
    docker.installed = false;
    await expect(requireDocker(docker)).rejects.toMatchObject({
      name: 'CommandError',
      message: 'There is no docker command on PATH, and a login is for Docker',
      hint: expect.stringContaining('image: oci:PATH needs neither Docker nor this login'),
    });
  });
});

describe('afterwards', () => {
  const restored = [
    ['DOCKER_CONFIG', ''],
    ['BUILDX_CONFIG', ''],
  ];

  test.each([
    ['our own configuration in force', folder],
    ['the former one, of the step’s own env', ''],
  ])('with %s the former is back, twice is no harm', async (_, current) => {
    const made = await login();
    docker.variables = { ...docker.variables, DOCKER_CONFIG: current };
    await restoreDockerLogin({ login: made, ports: { docker, files, github } });
    await restoreDockerLogin({ login: made, ports: { docker, files, github } });
    expect([...github.exported]).toEqual(restored);
    expect(files.folders.size).toBe(0);
  });

  test('a configuration that another step has put in its place stays', async () => {
    const made = await login();
    github.exported.clear();
    docker.variables = { ...docker.variables, DOCKER_CONFIG: '/of/another/step' };
    await restoreDockerLogin({ login: made, ports: { docker, files, github } });
    expect(github.exported.size).toBe(0);
    expect(files.folders.size).toBe(0);
  });
});
