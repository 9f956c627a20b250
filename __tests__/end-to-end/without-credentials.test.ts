/** Runs of pull requests from forks and of Dependabot: no credentials, no call, the plan that can be made without, green. */
import { describe, expect, test } from '@jest/globals';
import { keyEnvironment } from '../../emulator/identity.ts';
import type { JobOptions } from '../../emulator/runner.ts';
import { accounts } from '../../emulator/scenario.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, layout, onStage, transcript } from './stage.ts';

const { common, registry, repository, sharing, deploying } = inputs;
const publish = { ...common, ...registry, ...repository, mode: 'publish', image: 'oci:image' };
const deploy = { ...common, ...registry, ...deploying, mode: 'deploy', image: 'shop/web:pr-7' };
const release = { ...publish, ...sharing, ...deploying, mode: 'release' };

/** As GitHub starts the run of a fork: no secrets, no ID token. */
const nothing = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '', AWS_EC2_METADATA_DISABLED: 'true' };
const payload = { pull_request: { number: 7, head: { sha: 'abcdef0123456789abcdef0123456789abcdef01', repo: { full_name: 'jo/shop' } } } };
const pullRequest = { name: 'pull_request', ref: 'refs/pull/7/merge', payload };
const fork: Partial<JobOptions> = { environment: nothing, event: pullRequest };
const dependabot: Partial<JobOptions> = {
  environment: { ...nothing, GITHUB_ACTOR: 'dependabot[bot]' },
  event: { name: 'push', ref: 'refs/heads/dependabot/npm' },
};

const notice = 'Notice: This run has no AWS credentials, as runs of pull requests from forks and of Dependabot have none';

const cases: readonly (readonly [mode: string, given: Record<string, string>])[] = [
  ['login', { ...common, ...registry, mode: 'login' }],
  ['publish', { ...publish, 'fail-on-severity': 'high', 'wait-for-replication': 'eu-central-1, 222222222222/eu-west-1' }],
  ['share', { ...common, ...registry, ...repository, ...sharing, mode: 'share' }],
  ['deploy', deploy],
  ['check', { ...deploy, mode: 'check' }],
  ['release', release],
  ['discover', { ...common, mode: 'discover', 'target-ous': sharing['target-ous'] }],
];

describe.each(cases)('%s', (mode, given) => {
  test('of a fork: the plan that can be made without, green, nothing called', async () => {
    await onStage({ job: fork }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: given });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(0);
      expect(stage.requests()).toEqual([]);
      expect(JSON.parse(result.outputs['plan'] ?? '')).toMatchObject({ mode, writes: [] });
    });
  });

  test('of Dependabot, on any event', async () => {
    await onStage({ job: dependabot }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: given });
      expect(result.log[0]).toContain(notice);
      expect(result.exitCode).toBe(0);
      expect(stage.requests()).toEqual([]);
    });
  });
});

test('the image that publish names can be planned to be deployed', async () => {
  await onStage({ job: fork }, async (stage) => {
    const docker = fakeDocker(stage.job);
    stage.job.write('Dockerfile', 'FROM scratch\n');
    const { image: _, ...building } = publish;
    const published = await stage.step({ with: building, environment: { PATH: docker.path } });
    expect(published.outputs).toMatchObject({ image: 'shop/web:pr-7', pushed: 'false' });
    expect(docker.calls().filter((call) => /docker (build|buildx build|login|push) /.test(call))).toEqual([]);
    const result = await stage.step({ with: { ...deploy, image: published.outputs['image'] ?? '' } });
    expect(result.exitCode).toBe(0);
  });
});

test.each([
  ['a push', { ...fork, event: { name: 'push', ref: 'refs/heads/main' } }],
  [
    'pull_request_target, which has what the base repository has',
    { ...fork, event: { name: 'pull_request_target', ref: 'refs/heads/main', payload } },
  ],
])('on any other event they are missed: %s', async (_, job) => {
  await onStage({ job }, async (stage) => {
    const result = await stage.step({ with: { ...common, ...registry, mode: 'login' } });
    expect(result.exitCode).toBe(1);
    expect(result.log.join('\n')).toContain(
      "registry-role: can't assume arn:aws:iam::111111111111:role/ecr-release: the job has neither an ID token nor credentials of its own",
    );
    expect(result.log.join('\n')).toContain('Add "permissions: id-token: write" to the job');
    expect(stage.requests()).toEqual([]);
  });
});

test.each(['an ID token', 'keys'])('a pull request that has %s is an ordinary run', async (what) => {
  await onStage({ job: what === 'keys' ? fork : { event: pullRequest } }, async (stage) => {
    const environment = what === 'keys' ? keyEnvironment(stage.scenario.emulator.world.user(accounts.registry, 'ci')) : {};
    const docker = fakeDocker(stage.job);
    const result = await stage.step({
      with: { ...common, ...registry, mode: 'login' },
      environment: { PATH: docker.path, ...environment },
    });
    expect(result).toMatchObject({ exitCode: 0, outputs: { registry: stage.host } });
    expect(result.log.join('\n')).not.toContain(notice);
  });
});

test('what is wrong with the inputs or the files is an error all the same', async () => {
  await onStage({ job: fork }, async (stage) => {
    const result = await stage.step({ with: { ...deploy, 'task-definition': 'task.json' } });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain('Error: task.json: is not there');
    expect((await stage.step({ with: { ...deploy, service: '' } })).log).toEqual(['Error: service: is required']);
  });
});

test.each(['deploy', 'release'])('%s in a matrix with fail-fast is warned of', async (mode) => {
  await onStage({ job: fork }, async (stage) => {
    layout(stage.job);
    const given = mode === 'deploy' ? deploy : release;
    const step = async (failFast: boolean, jobs: number) =>
      (await stage.step({ with: { ...given, strategy: JSON.stringify({ 'fail-fast': failFast, 'job-index': 0, 'job-total': jobs }) } }))
        .log;
    expect((await step(true, 3))[0]).toBe(
      'Warning: strategy.fail-fast is true and the matrix has 3 jobs: when one fails, GitHub cancels the others, and on-cancel undoes their deployments. Set fail-fast: false.',
    );
    for (const log of [await step(false, 3), await step(true, 1)]) expect(log.join('\n')).not.toContain('fail-fast');
  });
});
