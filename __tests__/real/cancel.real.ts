/** A run that is cancelled in the middle of a real build: answered within five seconds, and nothing goes on behind its back. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { copyFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, StepResult } from '../../emulator/runner.ts';
import type { Scenario } from '../../emulator/scenario.ts';
import {
  busybox,
  commandLines,
  describeReal,
  docker,
  filesBelow,
  filesWith,
  newJob,
  newRepository,
  recordingDocker,
  registryInputs,
  overRegistry,
  story,
  tagsInRegistry,
  variable,
  writeDockerConfig,
} from './parts.ts';

let scenario: Scenario;

const answerWithin = 5_000;

interface Cancelled {
  readonly step: StepResult;
  readonly milliseconds: number;
  readonly job: Job;
  readonly repository: string;
}

/** Runs `publish` until `reached` says that the build is under way, then sends the signal. */
async function cancelBuild({
  buildx,
  dockerfile,
  signal,
  reached,
  files = {},
}: {
  buildx: boolean;
  dockerfile: string;
  signal: 'SIGINT' | 'SIGTERM';
  reached: RegExp;
  /** Path in the context → file to copy. */
  files?: Readonly<Record<string, string>>;
}): Promise<Cancelled> {
  const recorder = recordingDocker();
  const job = newJob(scenario, { environment: { PATH: recorder.path } });
  writeDockerConfig(join(job.folder, '.docker'), { buildx });
  const home = filesBelow(join(job.folder, '.docker')).get('config.json');
  job.write('Dockerfile', dockerfile);
  for (const [path, from] of Object.entries(files)) copyFileSync(from, join(job.workspace, path));
  const repository = newRepository(scenario);

  let sentAt = 0;
  const step = await job.step({
    with: { ...registryInputs, mode: 'publish', repository, tags: 'never' },
    onLine: (line, child) => {
      if (sentAt > 0 || !reached.test(line)) return;
      sentAt = performance.now();
      child.kill(signal);
    },
  });
  const milliseconds = performance.now() - sentAt;
  expect({ reached: sentAt > 0, log: sentAt > 0 ? [] : step.log }).toEqual({ reached: true, log: [] });

  // Whatever of Docker the step started has ended with it, the plugin too.
  const ours = new Set(recorder.calls().map(({ pid }) => pid));
  recorder.remove();
  const left = [...commandLines()].filter(([pid, line]) => (ours.has(pid) && line.includes('docker')) || line.includes(job.folder));
  expect(left).toEqual([]);
  expect(filesBelow(join(job.folder, '.docker')).get('config.json')).toBe(home);
  expect([...filesBelow(job.temp).keys()]).toEqual([]);
  return { step, milliseconds, job, repository };
}

async function expectCancelled({ step, milliseconds, job, repository }: Cancelled): Promise<void> {
  expect(step.exitCode).toBe(1);
  expect(step.log.join('\n')).toMatch(/cancelled/);
  expect(step.outputs).toEqual({});
  expect(milliseconds).toBeLessThan(answerWithin);
  expect(await tagsInRegistry(repository)).toEqual([]);
  for (const post of await job.finish()) expect(story(post)).toBe('exit code 0');
  expect(filesWith(job.folder, [variable('REGISTRY_PASSWORD')])).toEqual([]);
  job.remove();
}

describeReal('a cancelled build with buildx', { needs: ['engine', 'buildx', 'registry'] }, () => {
  overRegistry((started) => (scenario = started));
  let slowRegistry: Server;
  beforeAll(async () => {
    // A registry that takes every question and never answers: a build FROM it lasts as long as one likes.
    slowRegistry = createServer(() => undefined);
    await new Promise<void>((listening) => slowRegistry.listen(0, '127.0.0.1', listening));
  });
  afterAll(() => {
    slowRegistry.closeAllConnections();
    slowRegistry.close();
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it', async (signal) => {
    const base = `127.0.0.1:${(slowRegistry.address() as AddressInfo).port}/base:1`;
    const cancelled = await cancelBuild({
      buildx: true,
      signal,
      dockerfile: `FROM ${base}\nCOPY Dockerfile /\n`,
      reached: /load metadata for/,
    });
    await expectCancelled(cancelled);
  });
});

describeReal('a cancelled build without buildx', { needs: ['engine', 'registry', 'busybox'] }, () => {
  overRegistry((started) => (scenario = started));
  test('SIGINT ends it, and the engine ends what ran in it', async () => {
    const before = await containers();
    const cancelled = await cancelBuild({
      buildx: false,
      signal: 'SIGINT',
      dockerfile: 'FROM scratch\nCOPY busybox /bin/sh\nRUN echo it runs && exec /bin/sh -c "sleep 300"\n',
      files: { busybox },
      reached: /^it runs$/,
    });
    await expectCancelled(cancelled);
    for (let tries = 0; tries < 100 && (await containers()) !== before; tries += 1) await sleep(100);
    expect(await containers()).toBe(before);
  });
});

async function containers(): Promise<string> {
  return docker(['ps', '--quiet'], { DOCKER_HOST: process.env['DOCKER_HOST'] ?? '' });
}
