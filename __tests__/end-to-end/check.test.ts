import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import { keyEnvironment } from '../../emulator/identity.ts';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import type { StepResult } from '../../emulator/runner.ts';
import {
  accounts,
  cluster,
  developmentOu,
  ownService,
  region,
  repositoryName,
  roles,
  service,
  sharedPolicy,
} from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes, type Stage, type StageOptions } from './stage.ts';

const organization = { 'organization-role': roles.organization };
const check = { mode: 'check', ...inputs.common, ...inputs.registry, ...organization, ...inputs.deploying, image: 'shop/web:v1' };
const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };
const anywhere = { 'deploy-role': 'arn:aws:iam::{account-id}:role/web-deploy' };

interface Found {
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Readonly<Record<'severity' | 'account-id' | 'account-name' | 'subject' | 'reason' | 'advice', string>>[];
}

/** An image is there. */
async function onPublished(play: (stage: Stage) => Promise<void>, options: StageOptions = {}): Promise<void> {
  await onStage({ policy: sharedPolicy, ...options }, async (stage) => {
    layout(stage.job);
    expect((await stage.step({ with: publish })).exitCode).toBe(0);
    await play(stage);
  });
}

/** `warning account path: …`, of what is not in order. */
function open(outputs: Readonly<Record<string, string>>): readonly string[] {
  const { findings } = JSON.parse(outputs['findings'] ?? '') as Found;
  return findings.filter(({ severity }) => severity !== 'ok').map(({ severity, subject, reason }) => `${severity} ${subject}: ${reason}`);
}

/** The job summary as it shows: what is escaped in it would hide what differs from run to run. */
function summaryOf(stage: Stage, { summary }: StepResult): string {
  return withFixedIds(stage, stage.plain(summary.replaceAll('\\-', '-')));
}

/** The IDs of the tree's other OUs are random. */
function withFixedIds(stage: Stage, text: string): string {
  const units = stage.scenario.emulator.world.organizations[0]?.root.children ?? [];
  return units.reduce((plain, { id, name }) => plain.replaceAll(new RegExp(id.replaceAll('-', '\\\\?-'), 'g'), `ou-<${name}>`), text);
}

describe('one account', () => {
  test('in which everything is in order', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: check });
      expect(withFixedIds(stage, transcript(stage, result))).toMatchSnapshot();
      expect(result.exitCode).toBe(0);
      expect(JSON.parse(result.outputs['findings'] ?? '')).toMatchObject({ errors: 0, warnings: 0 });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('whose service ECS itself deploys: nothing of CodeDeploy is told', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: { ...check, service: ownService, 'codedeploy-deployment-config': 'Custom' } });
      expect(open(result.outputs)).toEqual([
        'warning service: codedeploy-deployment-config is ignored: api is deployed by ECS itself (CANARY).',
      ]);
      expect(result.log.join('\n')).toMatch(/ok +service: api of cluster dev is ACTIVE, with the controller ECS \(CANARY\)/);
      expect(result.summary).not.toMatch(/AppSpec|deployment group/);
      expect(result.exitCode).toBe(0);
    });
  });

  test('a dry run is the same, with a plan that writes nothing', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: { ...check, image: 'shop/web:v2', 'dry-run': 'true' } });
      expect(result.exitCode).toBe(1);
      expect(open(result.outputs)).toContain('error image: there is no image shop/web:v2 in 111111111111 (eu-west-1)');
      expect(JSON.parse(result.outputs['plan'] ?? '')).toEqual({ mode: 'check', writes: [] });
      expect(writes(stage)).toEqual([]);
    });
  });

  test('without registry-role and organization-role: what may not be read is said to be unknown', async () => {
    await onPublished(async (stage) => {
      const { 'registry-role': _, 'organization-role': __, ...alone } = check;
      const result = await stage.step({
        with: { ...alone, image: `${accounts.registry}.dkr.ecr.${region}.amazonaws.com/${repositoryName}:v1` },
        environment: { AWS_EC2_METADATA_DISABLED: 'true' },
      });
      expect(result.exitCode).toBe(0);
      const since = 'is not known, since registry-role: there are no AWS credentials for the registry side';
      expect(open(result.outputs)).toEqual([
        expect.stringContaining(`info repository: whether shop/web is there in 111111111111 (eu-west-1) ${since}`),
        expect.stringContaining(`info image: whether`),
        'info account path: is not known, since no organization-role is given',
        `info repository policy: what it says ${since}`,
        `info registry policy: whether it says anything of pulls ${since}`,
      ]);
    });
  });

  test('a registry-role that may not read them', async () => {
    await onPublished(async (stage) => {
      for (const operation of ['DescribeRepositories', 'GetRepositoryPolicy', 'GetRegistryPolicy'])
        stage.scenario.emulator.faults.inject({ service: 'ecr', operation, times: 9 }, accessDenied());
      const result = await stage.step({ with: check });
      expect(result.exitCode).toBe(0);
      expect(open(result.outputs)).toEqual([
        expect.stringMatching(/^warning repository: whether shop\/web is there .* is not known, since ecr:DescribeRepositories/),
        expect.stringMatching(/^warning repository policy: what it says is not known, since ecr:GetRepositoryPolicy/),
        expect.stringMatching(/^warning registry policy: whether it says anything of pulls is not known, since ecr:GetRegistryPolicy/),
      ]);
    });
  });

  test('an organization that is not in use: the path is not known, and the policy is judged without it', async () => {
    await onPublished(async (stage) => {
      const { world } = stage.scenario.emulator;
      world.move(accounts.management, undefined);
      const result = await stage.step({ with: check });
      expect(result.exitCode).toBe(0);
      expect(open(result.outputs)).toEqual([
        expect.stringMatching(
          /^warning account path: is not known, since organizations:DescribeOrganization failed: AWSOrganizationsNotInUse/,
        ),
        expect.stringMatching(/^info repository policy: whether it lets the execution role web-execution pull is not known/),
      ]);
    });
  });

  test('a registry policy of the whole scope denies, one of the first scope says nothing of pulls', async () => {
    await onPublished(async (stage) => {
      const { registryPolicies, registryPolicyScopes } = stage.scenario.emulator.world.account(accounts.registry);
      const resource = `arn:aws:ecr:${region}:${accounts.registry}:repository/*`;
      const deny = { Sid: 'NoPulls', Effect: 'Deny', Principal: '*', Action: 'ecr:BatchGetImage', Resource: resource };
      registryPolicies.set(region, JSON.stringify({ Version: '2012-10-17', Statement: [deny] }));
      const denied = await stage.step({ with: check });
      expect(open(denied.outputs)).toContain(
        'error registry policy: "NoPulls" denies the execution role web-execution ecr:BatchGetImage: Principal is everybody',
      );
      registryPolicyScopes.set(region, 'V1');
      const result = await stage.step({ with: check });
      expect(result).toMatchObject({ exitCode: 0 });
      expect(open(result.outputs)).toEqual([]);
    });
  });
});

describe('many accounts', () => {
  test('ten, one of which may not be assumed', async () => {
    await onPublished(async (stage) => {
      const others = Array.from({ length: 8 }, (_, index) => `55555555555${index}`);
      for (const id of others) stage.scenario.addAccount(id, { name: `team-${id.slice(-1)}`, ou: 'Workloads/Development' });
      const { world, requests } = stage.scenario.emulator;
      world.role(roles.deploy('555555555553'), { trust: { oidcSubjects: ['repo:acme/other:*'], principals: [] } });
      const result = await stage.step({
        with: { ...check, ...anywhere, 'deploy-accounts': 'discover', 'target-ous': developmentOu },
      });
      expect(result.exitCode).toBe(1);
      expect(stage.plain(result.log.at(-1) ?? '')).toMatch(/^Error: A deployment would fail: 1 error, in team-3 555555555553\.\n/);
      expect(summaryOf(stage, result)).toMatchSnapshot();
      // What all share is asked once.
      expect(requests.of('ecr', 'GetRepositoryPolicy')).toHaveLength(1);
      expect(requests.of('ecr', 'GetRegistryPolicy')).toHaveLength(1);
      expect(requests.of('ecr', 'GetAuthorizationToken')).toHaveLength(1);
      expect(requests.of('organizations', 'ListParents')).toEqual([]);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('everything is wrong at once', async () => {
    const statement = {
      Sid: 'NotYou',
      Effect: 'Deny',
      Principal: { AWS: `arn:aws:iam::${accounts.devB}:root` },
      Action: 'ecr:*',
    };
    const policy = { ...sharedPolicy, Statement: [...sharedPolicy.Statement, statement] };
    await onStage({ policy, speed: 1 }, async (stage) => {
      const { scenario, job } = stage;
      const { world, clock } = scenario.emulator;
      writeOciLayout(`${job.workspace}/image`, { files: { 'index.html': 'hello' } });
      await stage.step({ with: publish });
      await stage.step({ with: { ...check, mode: 'deploy', 'wait-until': 'started' } });
      // It is past Created and Queued, and canary for minutes to come.
      clock.advance(60_000);
      writeOciLayout(`${job.workspace}/arm`, { files: { 'index.html': 'hello' }, architecture: 'arm64' });
      await stage.step({ with: { ...publish, image: 'oci:arm', tags: 'arm' } });
      // One account has a group for no service of ours, one a service that ECS deploys itself.
      const scope = { account: '666666666666', region } as const;
      world.account(scope.account, { name: 'bare', ou: world.ou('Workloads/Development') });
      world.role(roles.deploy(scope.account), { trust: { principals: [accounts.registry] } });
      scenario.ecs.cluster({ ...scope, name: cluster });
      scenario.ecs.service({
        ...scope,
        cluster,
        name: service,
        controller: 'CODE_DEPLOY',
        taskDefinition: scenario.taskDefinition(accounts.devA),
      });
      Object.assign(scenario.ecs.findService({ account: accounts.outside, region }, cluster, service) ?? {}, { controller: 'ECS' });
      for (const account of [accounts.devA, accounts.devB])
        scenario.codedeploy.deploymentConfig({
          account,
          region,
          name: 'Slow',
          routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 13 },
        });
      const definition = scenario.taskDefinition(accounts.devA) as { containerDefinitions: object[] };
      const proxy = { name: 'proxy', image: 'nginx', essential: true };
      job.write(
        'task.json',
        JSON.stringify({ ...definition, containerDefinitions: [...definition.containerDefinitions, proxy], taskRoleArn: 7 }),
      );
      job.write('good.json', JSON.stringify({ ...definition, containerDefinitions: [...definition.containerDefinitions, proxy] }));
      const hub = world.session(world.role(`arn:aws:iam::${accounts.registry}:role/hub`));

      const given = {
        ...check,
        ...anywhere,
        image: `web=${repositoryName}:arm\nproxy=${repositoryName}:none`,
        'deploy-accounts': [accounts.devA, accounts.devB, accounts.outside, scope.account].join(),
        'task-definition': 'good.json',
        'codedeploy-deployment-config': 'Slow',
        'on-active-deployment': 'fail',
      };
      const environment = keyEnvironment(hub);
      const result = await stage.step({ with: given, environment });
      expect(result.exitCode).toBe(1);
      // Who is who comes in any order.
      const told = result.log.filter((line) => !/^(registry|deploy|organization): arn:/.test(line));
      expect(withFixedIds(stage, stage.plain(told.join('\n')))).toMatchSnapshot();
      expect(summaryOf(stage, result)).toMatchSnapshot();
      expect(writes(stage)).toEqual([]);

      const broken = await stage.step({ with: { ...given, 'task-definition': 'task.json' }, environment });
      expect(open(broken.outputs)).toContainEqual(
        expect.stringMatching(/^error task definition: task\.json:1:\d+: \$\.taskRoleArn must be text/),
      );
      expect(open(broken.outputs)).toContain('info container: not known, since the task definition is not known');
      clock.advance(100_000_000);
    });
  });
});
