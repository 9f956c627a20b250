import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { accounts, region, repositoryName, sharedPolicy, type Scenario } from '../../emulator/scenario.ts';
import { evaluate } from '../../emulator/policy-evaluator.ts';
import { policyOf } from '../../emulator/repository.ts';
import { Job } from '../../emulator/runner.ts';
import { inputs, onStage, transcript, writes } from './stage.ts';

const share = { mode: 'share', ...inputs.common, ...inputs.registry, ...inputs.repository, ...inputs.sharing };
const foreign = {
  Version: '2012-10-17',
  Id: 'theirs',
  Statement: [
    {
      Sid: 'sales and finance',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accounts.outside}:root` },
      Action: ['ecr:BatchGetImage', 'ecr:ListImages'],
    },
  ],
};

function stored({ emulator }: Scenario): { Id?: string; Statement: Record<string, unknown>[] } {
  const repository = emulator.world.findRepository({ account: accounts.registry, region, name: repositoryName });
  return JSON.parse((repository && policyOf(repository)) ?? '{}') as { Id?: string; Statement: Record<string, unknown>[] };
}

describe('share', () => {
  test('adds what is missing beside a foreign statement, confirms it, and writes nothing the second time', async () => {
    await onStage({ policy: foreign }, async (stage) => {
      const first = await stage.step({ with: share });
      expect(transcript(stage, first)).toMatchSnapshot();
      const { Id, Statement } = stored(stage.scenario);
      expect(Id).toBe('theirs');
      expect(Statement[0]).toEqual(foreign.Statement[0]);
      expect(Statement).toHaveLength(2);
      const second = await stage.step({ with: share });
      expect(second.outputs).toMatchObject({ 'policy-changed': 'false' });
      expect(writes(stage)).toEqual([]);
    });
  }, 60_000);

  test('SEEDS A8, B3, B5, C1: an OU, an account and a role, with further actions; who joins the OU later may pull, others may not', async () => {
    await onStage({ policy: foreign }, async (stage) => {
      const role = 'arn:aws:iam::555555555555:role/ecs-task-role';
      const { world } = stage.scenario.emulator;
      for (const id of ['555555555555', '666666666666']) world.account(id, { name: id });
      world.role(role);
      const result = await stage.step({
        with: {
          ...share,
          'target-accounts': '666666666666',
          'target-roles': role,
          'share-actions': 'ecr:BatchGetImage,ecr:GetDownloadUrlForLayer,ecr:BatchCheckLayerAvailability,ecr:DescribeImages,ecr:ListImages',
        },
      });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'policy-changed': 'true' } });
      const policy = stored(stage.scenario);
      expect(policy.Statement[0]).toEqual(foreign.Statement[0]);
      const mayList = (account: string, { name = 'root', path }: { name?: string; path?: string } = {}): string => {
        const arn = `arn:aws:iam::${account}:${name}`;
        const member = path === undefined ? {} : { organizationId: 'o-a1b2c3d4e5', organizationPath: path };
        const principal = { type: 'AWS' as const, account, arn, principalArn: arn, ...member };
        const resource = `arn:aws:ecr:${region}:${accounts.registry}:repository/${repositoryName}`;
        return evaluate({ policy, action: 'ecr:DescribeImages', resource, principal }).decision;
      };
      const development = 'o-a1b2c3d4e5/r-ab12/ou-ab12-aaaaaaaa/ou-ab12-11111111/';
      expect([
        mayList('777777777777', { path: development }),
        mayList('666666666666'),
        mayList('555555555555', { name: 'role/ecs-task-role' }),
        mayList('555555555555', { name: 'role/other' }),
        mayList('777777777777', { path: 'o-a1b2c3d4e5/r-ab12/' }),
      ]).toEqual(['allow', 'allow', 'allow', 'implicit-deny', 'implicit-deny']);
    });
  }, 60_000);

  test('steady state: one read, no write, no wait', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const result = await stage.step({ with: share });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(stage.requests().filter((name) => name === 'ecr:GetRepositoryPolicy')).toHaveLength(1);
    });
  });

  test('verify reads only, and fails with the statement to add', async () => {
    await onStage({ policy: foreign }, async (stage) => {
      const result = await stage.step({ with: { ...share, 'policy-mode': 'verify' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a Deny that hits the OU is an error that names it', async () => {
    const denied = {
      ...sharedPolicy,
      Statement: [
        ...sharedPolicy.Statement,
        {
          Sid: 'NoDevelopment',
          Effect: 'Deny',
          Principal: '*',
          Action: 'ecr:*',
          Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/*/ou-ab12-11111111/*' } },
        },
      ],
    };
    await onStage({ policy: denied }, async (stage) => {
      const result = await stage.step({ with: share });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(/ou-ab12-11111111.*NoDevelopment/s);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a policy that may not be written: the denial, with the statement to add', async () => {
    await onStage({ policy: foreign }, async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', times: 9 }, accessDenied());
      const result = await stage.step({ with: share });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(
        /ecr:SetRepositoryPolicy for repository shop\/web.*AccessDeniedException.*Allow ecr:SetRepositoryPolicy.*Or have this statement added.*"Sid": "EcrOrgDeployOrgPaths".*Terraform:/s,
      );
      expect(stored(stage.scenario)).toEqual(foreign);
    });
  });

  test('several repositories: each on its own, and one that fails does not stop the others', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const { world } = stage.scenario.emulator;
      world.repository({ account: accounts.registry, region, name: 'shop/api', policy: sharedPolicy });
      world.repository({ account: accounts.registry, region, name: 'shop/odd', policy: { Version: '2012-10-17', Statement: [{}] } });
      const good = await stage.step({ with: { ...share, repository: 'shop/web\nshop/api\nshop/web' } });
      expect(good).toMatchObject({ exitCode: 0, outputs: { 'policy-changed': 'false', policy: JSON.stringify(sharedPolicy) } });
      expect(good.log.join('\n')).toMatch(/^shop\/web: The policy covers all of this already/m);
      expect(good.log.join('\n')).toMatch(/^shop\/api: The policy covers all of this already/m);
      expect(good.summary.match(/### Repository policy/g)).toHaveLength(2);
      expect(stage.requests().filter((name) => name === 'ecr:GetRepositoryPolicy')).toHaveLength(2);
      expect(writes(stage)).toEqual([]);

      const bad = await stage.step({ with: { ...share, repository: 'shop/none\nshop/odd\nshop/api' } });
      expect(bad.exitCode).toBe(1);
      expect(bad.log.at(-1)).toMatch(
        /2 inputs need attention:.*shop\/none: .*does not exist.*shop\/odd: the repository policy: .*Done all the same: shop\/api\.$/s,
      );
      expect(bad.outputs).toEqual({ 'policy-changed': 'false' });
      expect(bad.summary.match(/### Repository policy/g)).toHaveLength(1);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a missing repository is an error that names create-repository; with it it is created and shared', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const missing = { ...share, repository: 'shop/new' };
      const without = await stage.step({ with: missing });
      expect(without.exitCode).toBe(1);
      expect(without.log.at(-1)).toMatch(/shop\/new does not exist.*create-repository: true/s);
      expect(writes(stage)).toEqual([]);

      const creating = { ...missing, 'create-repository': 'true', 'image-tag-mutability': 'IMMUTABLE' };
      const verify = await stage.step({ with: { ...creating, 'policy-mode': 'verify' } });
      expect(verify.log.at(-1)).toContain('Error: create-repository: is not for policy-mode: verify, which only reads');
      expect(stage.requests()).toEqual([]);

      const wrong = await stage.step({ with: { ...creating, 'target-ous': 'Workloads/Nowhere' } });
      expect(wrong.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);

      const result = await stage.step({ with: creating });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'policy-changed': 'true' } });
      expect(writes(stage)).toEqual(['ecr:CreateRepository', 'ecr:SetRepositoryPolicy']);
      const made = stage.scenario.emulator.world.findRepository({ account: accounts.registry, region, name: 'shop/new' });
      expect(made).toMatchObject({ mutability: 'IMMUTABLE' });
    });
  }, 60_000);

  test('pain 37: two runs at once with different OUs: both grants are in the policy, and the foreign statement is as it was', async () => {
    await onStage({ policy: foreign }, async (stage) => {
      const other = new Job({ environment: stage.scenario.emulator.environment() });
      try {
        const results = await Promise.all([
          stage.step({ with: share }),
          other.step({ with: { ...share, 'target-ous': 'ou-ab12-99999999' } }),
        ]);
        expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
        const { Statement } = stored(stage.scenario);
        expect(Statement[0]).toEqual(foreign.Statement[0]);
        for (const ou of [inputs.sharing['target-ous'], 'ou-ab12-99999999'])
          expect(JSON.stringify(Statement)).toContain(`o-a1b2c3d4e5/*/${ou}/*`);
        for (const { outputs } of results) expect(outputs['policy-changed']).toBe('true');
      } finally {
        other.remove();
      }
    });
  }, 180_000);

  test('two runs at once that both create the repository: it is made once, and both grants are there', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const other = new Job({ environment: stage.scenario.emulator.environment() });
      try {
        const creating = { ...share, repository: 'shop/new', 'create-repository': 'true' };
        const results = await Promise.all([
          stage.step({ with: creating }),
          other.step({ with: { ...creating, 'target-ous': '', 'target-accounts': accounts.outside } }),
        ]);
        expect(results.map(({ exitCode, outputs }) => [exitCode, outputs['policy-changed']])).toEqual([
          [0, 'true'],
          [0, 'true'],
        ]);
        const made = stage.scenario.emulator.world.findRepository({ account: accounts.registry, region, name: 'shop/new' });
        const policy = (made && policyOf(made)) ?? '';
        expect(policy).toContain(`o-a1b2c3d4e5/*/${inputs.sharing['target-ous']}/*`);
        expect(policy).toContain(`arn:aws:iam::${accounts.outside}:root`);
      } finally {
        other.remove();
      }
    });
  }, 180_000);

  test('several repositories, one of them denied: the others are written and confirmed, and the error names the one', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const { faults, world } = stage.scenario.emulator;
      const repository = (name: string) => world.repository({ account: accounts.registry, region, name, policy: foreign });
      const [api, odd] = [repository('shop/api'), repository('shop/odd')];
      const isOdd = ({ repositoryName: name }: { readonly [key: string]: unknown }) => name === 'shop/odd';
      faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', when: isOdd, times: 9 }, accessDenied());
      const result = await stage.step({ with: { ...share, repository: 'shop/web\nshop/odd\nshop/api' } });
      expect(result).toMatchObject({ exitCode: 1, outputs: { 'policy-changed': 'true' } });
      expect(result.log.at(-1)).toMatch(
        /shop\/odd: ecr:SetRepositoryPolicy.*AccessDeniedException.*Or have this statement added.*Done all the same: shop\/web, shop\/api\.$/s,
      );
      expect(policyOf(odd)).toBe(JSON.stringify(foreign));
      expect(policyOf(api)).toContain(inputs.sharing['target-ous']);
    });
  }, 60_000);

  test('replicas: the policy in each Region of the own account, a warning where there is none yet, other accounts untouched', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const { world } = stage.scenario.emulator;
      world.repository({ account: accounts.registry, region: 'eu-central-1', name: repositoryName });
      const places = `eu-central-1, ${accounts.registry}/eu-north-1\n${accounts.devA}/eu-west-1`;
      const verify = await stage.step({ with: { ...share, 'wait-for-replication': places, 'policy-mode': 'verify' } });
      expect(verify.exitCode).toBe(1);
      expect(verify.log.at(-1)).toMatch(/shop\/web in eu-central-1: the repository policy: it lacks.*Done all the same: shop\/web, /s);
      expect(writes(stage)).toEqual([]);

      const result = await stage.step({ with: { ...share, 'wait-for-replication': places } });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'policy-changed': 'true', policy: JSON.stringify(sharedPolicy) } });
      const log = result.log.join('\n');
      expect(log).toMatch(/Warning: shop\/web in eu-north-1: it does not exist there yet.*after the first replication/);
      expect(log).toMatch(/Replicas in 222222222222\/eu-west-1 are not shared from here/);
      expect(writes(stage)).toEqual(['ecr:SetRepositoryPolicy']);
      const replica = world.findRepository({ account: accounts.registry, region: 'eu-central-1', name: repositoryName });
      expect(replica && policyOf(replica)).toContain('ou-ab12-11111111');
    });
  }, 60_000);

  test('malformed replica places, and the own Region, are refused before any call', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      const malformed = await stage.step({
        with: { ...share, 'wait-for-replication': 'europe, 12/eu-central-1, 111111111111/eu-central-1/x' },
      });
      expect(malformed.log.at(-1)).toMatch(/"europe" is not a Region.*"12\/eu-central-1" is not.*\/x" is not/s);
      const own = await stage.step({ with: { ...share, 'wait-for-replication': region } });
      expect(own.log.at(-1)).toContain('wait-for-replication: eu-west-1 is the registry’s own Region');
      expect([malformed.exitCode, own.exitCode]).toEqual([1, 1]);
      expect(stage.requests()).toEqual([]);
    });
  });

  test('a malformed stored policy: a clear message, nothing written', async () => {
    await onStage({ policy: { Version: '2012-10-17', Statement: [{ Effect: 'Perhaps' }] } }, async (stage) => {
      const result = await stage.step({ with: share });
      expect(result.exitCode).toBe(1);
      expect(stage.plain(result.log.at(-1) ?? '')).toMatchSnapshot();
      expect(writes(stage)).toEqual([]);
    });
  });
});
