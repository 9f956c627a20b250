import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { accounts, region, roles, sharedPolicy } from '../../emulator/scenario.ts';
import { writeLayout } from '../oci-layout.ts';
import { inputs, layout, onStage, transcript, writes, type Stage } from './stage.ts';

const release = {
  ...inputs.common,
  ...inputs.registry,
  ...inputs.repository,
  ...inputs.sharing,
  ...inputs.deploying,
  image: 'oci:image',
  tags: 'v1',
};

describe('release', () => {
  describe('to several repositories', () => {
    const several = { ...release, repository: 'shop/web\nshop/mirror' };
    const mirror = ({ scenario }: Stage, policy?: object) =>
      scenario.emulator.world.repository({ account: accounts.registry, region, name: 'shop/mirror', ...(policy && { policy }) });

    test('the same image, each is shared, the first is deployed', async () => {
      await onStage({ policy: sharedPolicy }, async (stage) => {
        const other = mirror(stage, sharedPolicy);
        const { digest } = await writeLayout(`${stage.job.workspace}/image`, { platforms: ['linux/amd64', 'unknown/unknown'] });
        const result = await stage.step({ with: several });
        expect(result).toMatchObject({ exitCode: 0, outputs: { 'image-digest': digest, 'policy-changed': 'false', changed: 'true' } });
        expect(other.tags.get('v1')).toBe(digest);
        expect(result.log).toContain('It is an index: linux/amd64.');
        expect(stage.scenario.emulator.requests.of('ecs', 'RegisterTaskDefinition')[0]?.input).toMatchObject({
          containerDefinitions: [expect.objectContaining({ image: `${stage.host}/shop/web@${digest}` })],
        });
        expect(result.summary).toMatch(
          /shop\/web`[^]*shop\/mirror`[^]*### Repository policy[^]*shop\/web[^]*### Repository policy[^]*shop\/mirror/,
        );
      });
    });

    test('one whose policy lacks something is told by name, and nothing is deployed', async () => {
      await onStage({ policy: sharedPolicy }, async (stage) => {
        mirror(stage);
        layout(stage.job);
        const result = await stage.step({ with: { ...several, 'policy-mode': 'verify' } });
        expect(result.exitCode).toBe(1);
        expect(result.log.at(-1)).toMatch(/shop\/mirror/);
        expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
      });
    });

    test('pain 33: that Lambda is to run from: an index is none for it', async () => {
      await onStage({ policy: sharedPolicy }, async (stage) => {
        mirror(stage, sharedPolicy);
        await writeLayout(`${stage.job.workspace}/image`, { platforms: ['linux/amd64', 'unknown/unknown'] });
        const lambda = { 'target-services': 'lambda', 'target-accounts': accounts.devA, 'dry-run': 'true' };
        const result = await stage.step({ with: { ...several, ...lambda } });
        expect(result.log).toContainEqual(expect.stringMatching(/^Warning: Lambda can't run .*shop\/web@sha256.*: it is an index/));
        expect(JSON.parse(result.outputs['plan'] ?? '{}')).toMatchObject({ images: [{ exists: false }, { exists: false }] });
      });
    });
  });

  test('publishes, shares and deploys', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: release });
      expect(transcript(stage, result)).toMatchSnapshot();
    });
  });

  test('again: no push, no write, no deployment, and the log says so', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      await stage.step({ with: release });
      const again = await stage.step({ with: release });
      expect(transcript(stage, again)).toMatchSnapshot();
      expect(again.outputs).toMatchObject({ pushed: 'false', 'policy-changed': 'false', changed: 'false' });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('with create-repository a missing repository is created, filled and shared', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const creating = { ...release, repository: 'shop/new', 'container-name': 'web', 'create-repository': 'true' };
      const nowhere = await stage.step({ with: { ...creating, service: 'nothing' } });
      expect(nowhere.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);

      const verify = await stage.step({ with: { ...creating, 'policy-mode': 'verify' } });
      expect(verify.log.at(-1)).toMatch(/^Error: create-repository: is not for policy-mode: verify.*no policy that could cover anybody/);
      expect(stage.requests()).toEqual([]);

      const result = await stage.step({ with: creating });
      expect(result).toMatchObject({
        exitCode: 0,
        outputs: { pushed: 'true', 'policy-changed': 'true', 'deployment-status': 'Succeeded' },
      });
      expect(writes(stage)[0]).toBe('ecr:CreateRepository');
      expect(writes(stage)).toContain('ecr:SetRepositoryPolicy');
    });
  }, 60_000);

  test('without targets says that sharing was skipped; an account that may not pull is refused before anything is written there', async () => {
    await onStage({}, async (stage) => {
      layout(stage.job);
      const { 'target-ous': _, ...unshared } = release;
      const result = await stage.step({ with: unshared });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
      expect(stage.requests()).not.toContain('codedeploy:CreateDeployment');
    });
  });

  test('a policy that may not be written: verified instead, and nothing is deployed while something is missing', async () => {
    await onStage({}, async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', times: 9 }, accessDenied());
      layout(stage.job);
      const result = await stage.step({ with: release });
      expect(result.exitCode).toBe(1);
      expect(result.log.join('\n')).toMatch(
        /Warning: The policy of shop\/web: falling back to policy-mode verify, because .*SetRepositoryPolicy/,
      );
      expect(result.log.at(-1)).toMatch(
        /it lacks o-a1b2c3d4e5\/\*\/ou-ab12-11111111\/\*, and this role may not write it\s+Add this statement:.*"Sid": "EcrOrgDeployOrgPaths".*Terraform:/s,
      );
      expect(stage.requests().filter((name) => name === 'ecr:SetRepositoryPolicy')).toHaveLength(1);
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
      expect(stage.requests()).not.toContain('codedeploy:CreateDeployment');
    });
  });

  test('a policy that may not be written, and that covers all of it: a warning, and it goes on', async () => {
    const [shared] = sharedPolicy.Statement;
    const policy = {
      ...sharedPolicy,
      Statement: [
        { ...shared, Sid: 'ShopOrgPaths' },
        { Sid: 'ShopAccounts', Effect: 'Allow', Principal: { AWS: [`arn:aws:iam::${accounts.outside}:root`] }, Action: shared.Action },
      ],
    };
    await onStage({ policy }, async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', times: 9 }, accessDenied());
      layout(stage.job);
      const result = await stage.step({ with: { ...release, 'policy-sid': 'Shop', 'policy-mode': 'reconcile' } });
      expect(result.log.join('\n')).toContain('falling back to policy-mode verify');
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'policy-changed': 'false', 'deployment-status': 'Succeeded' } });
    });
  });

  test('every problem of both sides is reported before the first write', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...release, repository: 'shop/nothing', service: 'nothing' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a task definition that would be too large with its environment is found before the push', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...release, 'environment-variables': `BIG=${'x'.repeat(66_000)}` } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(
        /^Error: the live service's task definition web:1: \$ has \d+ bytes as JSON with environment-variables and images in it, and ECS takes 65536 at most/,
      );
      expect(writes(stage)).toEqual([]);
    });
  });

  test('the wrong account is refused before the first effect', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const result = await stage.step({ with: { ...release, 'deploy-account-id': accounts.devB } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain(
        `Error: deploy-account-id: is ${accounts.devB}, but deploy-role is a role of ${accounts.devA} (${roles.deploy(accounts.devA)})`,
      );
      expect(stage.requests()).toEqual([]);
    });
  });

  test('both sides refused: each is told by its own input, and nothing is done', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      stage.scenario.emulator.github.identity.subject = 'repo:acme@12/shop@34:ref:refs/heads/main';
      const result = await stage.step({ with: release });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(
        /^Error: 2 inputs need attention:\n {2}- registry-role: STS refused arn:aws:iam::111111111111:role\/ecr-release for sub "repo:acme@12\/shop@34:ref:refs\/heads\/main".*\n {2}- deploy-role: STS refused arn:aws:iam::222222222222:role\/web-deploy for sub /s,
      );
      expect(new Set(stage.requests())).toEqual(new Set(['github:GET /oidc/token', 'sts:AssumeRoleWithWebIdentity']));
    });
  });

  test('an image for another platform than the tasks’ is refused before anything is written there', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      layout(stage.job);
      const definition = {
        ...stage.scenario.taskDefinition(accounts.devA),
        runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      };
      stage.job.write('task.json', JSON.stringify(definition));
      const result = await stage.step({ with: { ...release, 'task-definition': 'task.json' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('is for linux/amd64, and the tasks of web run on linux/arm64 (runtimePlatform)');
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
    });
  });

  test('a matrix without an image is refused', async () => {
    await onStage({}, async (stage) => {
      const { image: _, ...building } = release;
      const result = await stage.step({
        with: { ...building, strategy: '{"fail-fast":false,"job-index":0,"job-total":3,"max-parallel":3}' },
      });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toBe(
        'Error: mode: release in a matrix would build an image of its own in every job; publish once, then deploy in the matrix',
      );
      expect(stage.requests()).toEqual([]);
    });
  });
});
