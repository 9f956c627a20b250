/** `dry-run: true` in every mode: what is checked is checked, what would be done is told, and nothing is done. */
import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { accounts, sharedPolicy } from '../../emulator/scenario.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, layout, onStage, transcript, writes, type Stage } from './stage.ts';

const { common, registry, repository, sharing, deploying } = inputs;
const dry = { ...common, ...registry, 'dry-run': 'true' };
const publish = { ...dry, ...repository, mode: 'publish', image: 'oci:image', tags: 'v1' };
const share = { ...dry, ...repository, ...sharing, mode: 'share' };
const deploy = { ...dry, ...deploying, mode: 'deploy', image: 'shop/web:v1' };
const release = { ...publish, ...sharing, ...deploying, mode: 'release' };

/** The image is pushed for real. */
async function pushed(stage: Stage): Promise<void> {
  layout(stage.job);
  const result = await stage.step({ with: { ...publish, 'dry-run': 'false' } });
  expect(result.exitCode).toBe(0);
}

interface Told {
  readonly mode: string;
  readonly writes: readonly { readonly service: string; readonly action: string; readonly resource: string }[];
  readonly deployment?: { readonly outcome: string; readonly before?: string };
}

/** A dry run that goes well: nothing is written, and `plan` is what the summary and the log say. */
async function planned(
  stage: Stage,
  given: Record<string, string>,
  environment?: Record<string, string>,
): Promise<Told & { calls: string[] }> {
  const result = await stage.step({ with: given, ...(environment && { environment }) });
  expect(transcript(stage, result)).toMatchSnapshot();
  expect(result.exitCode).toBe(0);
  expect(writes(stage)).toEqual([]);
  const plan = JSON.parse(result.outputs['plan'] ?? '') as Told;
  return { ...plan, calls: plan.writes.map(({ service, action }) => `${service}:${action}`) };
}

describe('login', () => {
  test('asks for the token, and leaves Docker alone', async () => {
    await onStage({}, async (stage) => {
      const docker = fakeDocker(stage.job);
      const { calls } = await planned(stage, { ...dry, mode: 'login' }, { PATH: docker.path });
      expect(calls).toEqual([]);
      expect(docker.calls()).toEqual([]);
      expect(stage.job.exported).toEqual({});
    });
  });
});

describe('publish', () => {
  test('a layout that is not there yet', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { calls } = await planned(stage, publish);
      expect(calls).toEqual(['ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage']);
    });
  });

  test('a further tag for an image that is there', async () => {
    await onStage({}, async (stage) => {
      await pushed(stage);
      const { calls } = await planned(stage, { ...publish, tags: 'v1\nv2' });
      expect(calls).toEqual(['ecr:PutImage']);
    });
  });

  test('a build is not started, and its build arguments are not told', async () => {
    await onStage({}, async (stage) => {
      const docker = fakeDocker(stage.job);
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const { image: _, ...building } = publish;
      await planned(stage, { ...building, 'build-args': 'TOKEN=hush-hush' }, { PATH: docker.path });
      expect(docker.calls().filter((call) => /docker (build|login|push)/.test(call) && !/buildx (version|inspect)/.test(call))).toEqual([]);
    });
  });

  test('a repository that is not there fails as ever', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...publish, repository: 'shop/nothing' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('shop/nothing does not exist in the registry of');
      expect(result.outputs).toEqual({});
    });
  });

  test('with create-repository it would be created first', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { calls, writes: told } = await planned(stage, { ...publish, repository: 'shop/new', 'create-repository': 'true' });
      expect(calls.slice(0, 2)).toEqual(['ecr:CreateRepository', 'ecr:InitiateLayerUpload']);
      expect(told[0]?.resource).toBe('arn:aws:ecr:eu-west-1:111111111111:repository/shop/new');
    });
  });

  test('so does a push that could not log in', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      stage.scenario.emulator.faults.inject({ service: 'ecr', operation: 'GetAuthorizationToken' }, accessDenied());
      const result = await stage.step({ with: publish });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('ecr:GetAuthorizationToken');
    });
  });
});

describe('share', () => {
  test('what is missing, statement by statement', async () => {
    await onStage({}, async (stage) => {
      const { calls } = await planned(stage, share);
      expect(calls).toEqual(['ecr:SetRepositoryPolicy']);
      expect(stage.requests().filter((name) => name === 'ecr:GetRepositoryPolicy')).toHaveLength(1);
    });
  });

  test('a repository that would be created, with the whole of its policy', async () => {
    await onStage({}, async (stage) => {
      const { calls } = await planned(stage, { ...share, repository: 'shop/new', 'create-repository': 'true' });
      expect(calls).toEqual(['ecr:CreateRepository', 'ecr:SetRepositoryPolicy']);
    });
  });

  test('a policy with foreign statements: only what is ours is in the diff, in the log as in the summary', async () => {
    const [ours] = sharedPolicy.Statement;
    const theirs = {
      Sid: 'Sales',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accounts.outside}:root` },
      Action: 'ecr:BatchGetImage',
    };
    const other = { ...ours, Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': ['o-a1b2c3d4e5/*/ou-ab12-99999999/*'] } } };
    await onStage({ policy: { ...sharedPolicy, Statement: [theirs, { ...other, Sid: 'EcrOrgDeployOrgPaths' }] } }, async (stage) => {
      const result = await stage.step({ with: share });
      const diff = ['~ EcrOrgDeployOrgPaths', '+     ForAnyValue:StringLike aws:PrincipalOrgPaths o-a1b2c3d4e5/*/ou-ab12-11111111/*'];
      expect(result.log.join('\n')).toContain(diff.map((line) => `    ${line}`).join('\n'));
      expect(result.summary).toContain(`\`\`\`diff\n${diff.join('\n')}\n\`\`\``);
      expect(result.summary).not.toContain('Sales');
      expect(writes(stage)).toEqual([]);
    });
  });

  test.each(['merge', 'verify'])('nothing is missing, policy-mode: %s', async (mode) => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const { calls } = await planned(stage, { ...share, 'policy-mode': mode });
      expect(calls).toEqual([]);
    });
  });

  test('verify fails with the statement to add', async () => {
    await onStage({}, async (stage) => {
      const [real, dryRun] = [
        await stage.step({ with: { ...share, 'dry-run': 'false', 'policy-mode': 'verify' } }),
        await stage.step({ with: { ...share, 'policy-mode': 'verify' } }),
      ];
      expect(dryRun.exitCode).toBe(1);
      expect(stage.plain(dryRun.log.at(-1) ?? '')).toBe(stage.plain(real.log.at(-1) ?? ''));
      expect(writes(stage)).toEqual([]);
    });
  });
});

describe('deploy', () => {
  test('what differs, without a value of the environment', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      await pushed(stage);
      const { calls } = await planned(stage, { ...deploy, 'environment-variables': 'STAGE=hush-hush\nCOLOUR=hush-hush' });
      expect(calls).toEqual(['ecs:RegisterTaskDefinition', 'codedeploy:CreateDeployment']);
    });
  });

  test('secrets and environment values are nowhere: log, outputs, summary', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      await pushed(stage);
      const result = await stage.step({ with: { ...deploy, 'environment-variables': 'STAGE=hush-hush' } });
      expect(result.outputs['plan']).toContain('environment.STAGE');
      expect([result.raw, result.summary, JSON.stringify(result.outputs), JSON.stringify(result.state)].join('\n')).not.toContain(
        'hush-hush',
      );
    });
  });

  test('the service runs this already', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      await pushed(stage);
      expect(await stage.step({ with: { ...deploy, 'dry-run': 'false' } })).toMatchObject({ exitCode: 0 });
      const { calls } = await planned(stage, deploy);
      expect(calls).toEqual([]);
      const forced = await stage.step({ with: { ...deploy, 'force-new-deployment': 'true' } });
      expect((JSON.parse(forced.outputs['plan'] ?? '') as Told).writes.map(({ action }) => action)).toEqual(['CreateDeployment']);
    });
  });

  test.each([
    ['wait', ['RegisterTaskDefinition', 'CreateDeployment'], /d-[A-Z0-9]{9} is under way .*would be waited for/],
    [
      'stop',
      ['StopDeployment', 'RegisterTaskDefinition', 'CreateDeployment'],
      /d-[A-Z0-9]{9} is under way .*would be stopped with a rollback/,
    ],
  ])('a deployment is under way, on-active-deployment: %s', async (choice, actions, fate) => {
    await onStage({ policy: sharedPolicy, speed: 1 }, async (stage) => {
      await pushed(stage);
      await stage.step({ with: { ...deploy, 'dry-run': 'false', 'wait-until': 'started' } });
      const result = await stage.step({ with: { ...deploy, 'on-active-deployment': choice } });
      expect(result.exitCode).toBe(0);
      expect(writes(stage)).toEqual([]);
      const plan = JSON.parse(result.outputs['plan'] ?? '') as Told;
      expect(plan.writes.map(({ action }) => action)).toEqual(actions);
      expect(plan.deployment?.before).toMatch(fate);
    });
  });

  test('an account that may not pull fails as ever', async () => {
    await onStage({}, async (stage) => {
      await pushed(stage);
      const result = await stage.step({ with: deploy });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('may not pull shop/web:v1');
      expect(writes(stage)).toEqual([]);
    });
  });
});

describe('release', () => {
  test('nothing is there yet: all three parts', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { calls } = await planned(stage, release);
      expect(calls).toEqual([
        'ecr:InitiateLayerUpload',
        'ecr:UploadLayerPart',
        'ecr:CompleteLayerUpload',
        'ecr:PutImage',
        'ecr:SetRepositoryPolicy',
        'ecs:RegisterTaskDefinition',
        'codedeploy:CreateDeployment',
      ]);
    });
  });

  test('a repository that would be created: it, the image, its policy, the deployment', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { calls } = await planned(stage, { ...release, repository: 'shop/new', 'container-name': 'web', 'create-repository': 'true' });
      expect(calls).toEqual([
        'ecr:CreateRepository',
        'ecr:InitiateLayerUpload',
        'ecr:UploadLayerPart',
        'ecr:CompleteLayerUpload',
        'ecr:PutImage',
        'ecr:SetRepositoryPolicy',
        'ecs:RegisterTaskDefinition',
        'codedeploy:CreateDeployment',
      ]);
    });
  });

  test('before a build its digest is not known', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const docker = fakeDocker(stage.job);
      stage.job.write('Dockerfile', 'FROM scratch\n');
      const { image: _, ...building } = release;
      await planned(stage, building, { PATH: docker.path });
    });
  });

  test('all is there', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      expect(await stage.step({ with: { ...release, 'dry-run': 'false' } })).toMatchObject({ exitCode: 0 });
      const { calls } = await planned(stage, release);
      expect(calls).toEqual([]);
    });
  });

  test('without targets: an image that is there and can’t be pulled fails, and says that nothing was changed', async () => {
    await onStage({}, async (stage) => {
      await pushed(stage);
      const { 'target-ous': _, ...unshared } = release;
      const result = await stage.step({ with: unshared });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(/target-ous: .*may not pull.*\nNothing was changed\./s);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('every problem of both sides, as ever', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const given = { ...release, repository: 'shop/nothing', service: 'nothing' };
      const real = await stage.step({ with: { ...given, 'dry-run': 'false' } });
      const dryRun = await stage.step({ with: given });
      expect(dryRun.exitCode).toBe(1);
      expect(dryRun.log.at(-1)).toBe(real.log.at(-1));
      expect(dryRun.summary).toBe('');
    });
  });

  test('an image for another platform is refused before there is a push', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const definition = {
        ...stage.scenario.taskDefinition(accounts.devA),
        runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      };
      stage.job.write('task.json', JSON.stringify(definition));
      const result = await stage.step({ with: { ...release, 'task-definition': 'task.json' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('is for linux/amd64, and the tasks of web run on linux/arm64');
      expect(writes(stage)).toEqual([]);
    });
  });
});
