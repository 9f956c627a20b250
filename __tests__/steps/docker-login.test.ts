import { beforeEach, describe, expect, test } from '@jest/globals';
import { cleanupMemory } from '../../src/cleanup.ts';
import { CommandError } from '../../src/errors.ts';
import { loginDocker, restoreDockerLogin } from '../../src/steps/docker-login.ts';
import { FakeDocker } from '../fakes/docker.ts';
import { FakeFiles } from '../fakes/files.ts';
import { FakeGitHub } from '../fakes/github.ts';
import type { Journal } from '../fakes/journal.ts';

let journal: Journal;
let docker: FakeDocker;
let files: FakeFiles;
let github: FakeGitHub;
const folder = '/temp/ecr-org-deploy-docker-1';
const login = async () =>
  loginDocker({
    hosts: ['one', 'two'],
    login: { username: 'AWS', password: 'p4ssw0rd' },
    ports: { docker, files, github },
    memory: cleanupMemory(github),
  });

beforeEach(() => {
  journal = [];
  docker = new FakeDocker(journal);
  files = new FakeFiles(journal);
  github = new FakeGitHub();
});

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
    expect(github.exported.size).toBe(0);
    expect(files.folders.size).toBe(0);
    expect(github.saved.get('cleanup')).toBe('[]');
  });
});

test('afterwards the former configuration is back, twice is no harm', async () => {
  const made = await login();
  await restoreDockerLogin({ login: made, ports: { files, github } });
  await restoreDockerLogin({ login: made, ports: { files, github } });
  expect([...github.exported]).toEqual([
    ['DOCKER_CONFIG', ''],
    ['BUILDX_CONFIG', ''],
  ]);
  expect(files.folders.size).toBe(0);
});
