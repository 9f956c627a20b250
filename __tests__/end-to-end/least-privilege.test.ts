/** Every call that a mode makes is allowed by the policy that docs/iam.md gives for it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { accounts, ownService, region, repositoryName, roles as scenarioRoles, sharedPolicy } from '../../emulator/scenario.ts';
import {
  base,
  deploy as deployVersion,
  deployOwn,
  here,
  onFastStage,
  onSlowStage,
  onWaitingStage,
  pauseOwn,
  waitInReady,
} from './deployed.ts';
import { fakeDocker } from './fake-docker.ts';
import { inputs, layout, onStage, type Stage } from './stage.ts';

/** The actions in the JSON blocks below a heading of docs/iam.md. */
function allowed(heading: string): ReadonlySet<string> {
  const page = readFileSync(new URL('../../docs/iam.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split(new RegExp(`^## ${heading}$`, 'm'));
  const [body = ''] = section.split(/^## /m);
  const policies = [...body.matchAll(/```json\n([^]*?)```/g)].map(
    ([, json = '']) => JSON.parse(json) as { Statement: { Action: string | string[] }[] },
  );
  return new Set(policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action)));
}

const { common, registry, repository, sharing, deploying } = inputs;
const publish = { ...common, ...registry, ...repository, image: 'oci:image', tags: 'v1' };
const deploy = { ...common, ...registry, ...deploying, image: 'shop/web:v1' };
const organization = { 'organization-role': scenarioRoles.organization };
const roles = { registry: ['publish', 'share'], deploy: ['deploy'] } as const;
const onlyReading = { registry: ['read'], deploy: ['deploy'] } as const;

const cases: readonly (readonly [
  mode: string,
  given: Record<string, string>,
  documented: { readonly registry?: readonly string[]; readonly deploy?: readonly string[]; readonly organization?: readonly string[] },
  /** What the deploy role lacks; it is asked for all the same, and does no harm. */
  denied?: readonly string[],
])[] = [
  ['login', { ...common, ...registry, mode: 'login' }, { registry: ['login'], deploy: [] }],
  ['publish', { ...publish, mode: 'publish', tags: 'v2' }, { registry: ['publish'], deploy: [] }],
  ['publish', { ...publish, mode: 'publish', repository: 'shop/new', 'create-repository': 'true' }, { registry: ['publish'], deploy: [] }],
  [
    'share',
    { ...common, ...registry, ...repository, 'target-ous': sharing['target-ous'], mode: 'share' },
    { registry: ['share'], deploy: [] },
  ],
  [
    'share',
    {
      ...common,
      ...registry,
      ...sharing,
      mode: 'share',
      repository: `${repository.repository}\nshop/new`,
      'create-repository': 'true',
      'wait-for-replication': 'eu-central-1',
    },
    { registry: ['share'], deploy: [] },
  ],
  ['share, only verifying,', { ...common, ...registry, ...repository, ...sharing, mode: 'share', 'policy-mode': 'verify' }, onlyReading],
  ['deploy', { ...deploy, mode: 'deploy' }, onlyReading],
  ['check', { ...deploy, ...organization, mode: 'check' }, { registry: ['check'], deploy: ['check'], organization: ['check'] }],
  ['login to ECR Public', { ...common, ...registry, mode: 'login', 'registry-type': 'public' }, { registry: ['login'] }],
  [
    'publish, with what comes after the push,',
    { ...publish, mode: 'publish', tags: 'v2', 'fail-on-severity': 'critical', 'wait-for-replication': 'us-east-1' },
    { registry: ['publish'] },
  ],
  ['publish to ECR Public', { ...publish, mode: 'publish', repository: 'hello', 'registry-type': 'public' }, { registry: ['publish'] }],
  ['release', { ...publish, ...sharing, ...deploying, tags: 'v3' }, roles],
  ...['ou-ab12-11111111', 'Workloads/Development', 'r-ab12', 'o-a1b2c3d4e5'].map(
    (ous) =>
      [`discover ${ous}`, { ...common, mode: 'discover', ...organization, 'target-ous': ous }, { organization: ['discover'] }] as const,
  ),
  ['a dry run', { ...publish, ...sharing, ...deploying, tags: 'v3', 'dry-run': 'true' }, onlyReading],
  [
    'deploy, where ECS itself deploys,',
    { ...deploy, service: ownService, mode: 'deploy' },
    { ...onlyReading, deploy: ['deploy, where ECS itself deploys'] },
    ['codedeploy:*'],
  ],
];

/** Heading of docs/iam.md → what the cases called by it. */
const used = new Map<string, Set<string>>();
const played = new Set<object>();

test.each(cases)('%s calls nothing that docs/iam.md does not allow', async (_, given, documented, denied = []) => {
  await onStage({ policy: sharedPolicy }, async (stage) => {
    layout(stage.job);
    const { world } = stage.scenario.emulator;
    world.repository({ account: accounts.registry, region: 'public', name: 'hello' });
    Object.assign(world.findRepository({ account: accounts.registry, region, name: repositoryName }) ?? {}, { scanOnPush: true });
    const destinations = [{ region: 'us-east-1', registryId: accounts.registry }];
    world.account(accounts.registry).replication.set(region, { rules: [{ destinations }], since: world.clock.now() });
    await stage.step({ with: { ...publish, mode: 'publish' } });
    world.findRole(scenarioRoles.deploy(accounts.devA))?.deny.push(...denied);
    const result = await stage.step({ with: given, environment: { PATH: fakeDocker(stage.job).path } });
    expect(result.exitCode).toBe(0);
    const sides: Readonly<Record<string, readonly string[]>> = {
      [accounts.registry]: documented.registry ?? [],
      [accounts.devA]: documented.deploy ?? [],
      [accounts.management]: documented.organization ?? [],
    };
    const made = calls(stage).map(({ account, action }) => ({
      account,
      action,
      by: (sides[account] ?? []).filter((mode) => allowed(mode).has(action)),
    }));
    expect(made.filter(({ by }) => by.length === 0)).toEqual([]);
    for (const { action, by } of made) for (const mode of by) used.set(mode, (used.get(mode) ?? new Set()).add(action));
    played.add(given);
  });
});

/** What is allowed and not called in any case, and what it is for. */
const unused: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  login: { 'sts:GetServiceBearerToken': 'ecr-public:GetAuthorizationToken asks for it' },
  publish: {
    'sts:GetServiceBearerToken': 'ecr-public:GetAuthorizationToken asks for it',
    'ecr:GetDownloadUrlForLayer': 'the platform of an image that is there already and is no index',
    'ecr:StartImageScan': 'fail-on-severity where no scan begins with the push',
    'inspector2:ListCoverage': 'ECR reads enhanced findings on the role’s behalf',
    'inspector2:ListFindings': 'ECR reads enhanced findings on the role’s behalf',
  },
  share: {
    'organizations:ListOrganizationalUnitsForParent': 'OUs by name',
    'organizations:ListRoots': 'OUs by name',
  },
  read: {
    'ecr:BatchGetImage': 'a tag in a dry run, or that this account may not read',
    'ecr:GetDownloadUrlForLayer': 'the platform of an image in a dry run',
  },
  deploy: {
    'codedeploy:ContinueDeployment': 'on-active-deployment: stop, in the wait before the old tasks end',
    'codedeploy:GetDeploymentConfig': 'the wait of a config of one’s own; CreateDeployment asks for it too',
    'codedeploy:RegisterApplicationRevision': 'CreateDeployment asks for it',
    'codedeploy:StopDeployment': 'on-cancel, on-timeout and on-active-deployment',
    'ecr:GetAuthorizationToken': 'the host of an image without one, where registry-role is not given',
    'ecs:DescribeTasks': 'explains a failure',
    'ecs:ListTasks': 'explains a failure',
    'ecs:TagResource': 'RegisterTaskDefinition asks for it where there are tags',
    'iam:PassRole': 'RegisterTaskDefinition asks for it',
  },
  'deploy, where ECS itself deploys': {
    'ecr:GetAuthorizationToken': 'the host of an image without one, where registry-role is not given',
    'ecs:DescribeTasks': 'explains a failure',
    'ecs:ListTasks': 'explains a failure',
    'ecs:StopServiceDeployment': 'on-cancel, on-timeout and on-active-deployment',
    'ecs:TagResource': 'RegisterTaskDefinition asks for it',
    'iam:PassRole': 'RegisterTaskDefinition asks for it',
  },
  discover: { 'organizations:ListParents': 'the path of an OU that AWS does not tell' },
};

test.each(Object.entries(unused))('%s: whatever docs/iam.md allows beyond has a reason', (mode, reasons) => {
  // Of a selection of the cases nothing can be told.
  if (played.size < cases.length) return;
  expect([...allowed(mode)].filter((action) => !used.get(mode)?.has(action)).toSorted()).toEqual(Object.keys(reasons).toSorted());
});

/** The calls of the last step that IAM decides on. */
function calls(stage: Stage): { account: string; action: string }[] {
  return stage.scenario.emulator.requests.entries
    .filter(
      ({ service, operation, account, error }) =>
        error !== 'AccessDeniedException' &&
        account !== '' &&
        operation !== 'GetCallerIdentity' &&
        !(service === 'registry' && operation === 'Ping'),
    )
    .map(({ service, operation, account, region: where }) => ({
      account,
      action: `${service !== 'registry' ? service : where === 'public' ? 'ecr-public' : 'ecr'}:${operation}`,
    }));
}

describe('a deployment that is there already', () => {
  const image = `${accounts.registry}.dkr.ecr.${region}.amazonaws.com/shop/web:v1`;
  const custom = { 'codedeploy-deployment-config': 'Custom' };

  /** What a mode calls in the steps of a play. */
  async function called(
    mode: string,
    play: (run: (stage: Stage, more?: Record<string, string>) => Promise<void>) => Promise<void>,
  ): Promise<ReadonlySet<string>> {
    const found: string[] = [];
    await play(async (stage, more = {}) => {
      await stage.step({ with: { ...base, mode, ...more } });
      found.push(...calls(stage).map(({ account, action }) => (account === accounts.devA ? action : `${action} in ${account}`)));
    });
    return new Set(found);
  }

  const enough = (mode: string) => ({ 'wait-until': mode === 'follow' ? 'ready' : 'traffic-shifted' });

  /** For a deployment that waits, for one that failed, and for two that succeeded. */
  const calledOfCodedeploy = async (mode: string): Promise<ReadonlySet<string>> =>
    called(mode, async (run) => {
      await onWaitingStage(async (stage) => {
        waitInReady(stage);
        stage.scenario.codedeploy.deploymentConfig({ ...here, name: 'Custom', routing: { type: 'AllAtOnce' } });
        await deployVersion(stage, 1, { ...custom, 'wait-until': 'ready' });
        await run(stage, enough(mode));
      });
      await onFastStage(async (stage) => {
        stage.scenario.codedeploy.nextDeployment({ outcome: { tasks: 'cannotPull' } });
        const { outputs } = await deployVersion(stage, 1);
        await run(stage, { 'deployment-id': outputs['deployment-id'] ?? '' });
        await deployVersion(stage, 2, { image });
        await deployVersion(stage, 3, { image });
        if (mode === 'rollback') await run(stage);
      });
    });

  /** The same of a service that ECS itself deploys. */
  const calledOfEcs = async (mode: string): Promise<ReadonlySet<string>> =>
    called(mode, async (run) => {
      const own = { service: ownService };
      await onWaitingStage(async (stage) => {
        pauseOwn(stage, 'POST_SCALE_UP');
        await deployOwn(stage, 1, { 'wait-until': 'ready' });
        await run(stage, { ...own, ...enough(mode) });
      });
      await onFastStage(async (stage) => {
        stage.scenario.ecs.nextDeployment({ outcome: { failAt: 'POST_TEST_TRAFFIC_SHIFT' } });
        const { outputs } = await deployOwn(stage, 1);
        await run(stage, { ...own, 'deployment-id': outputs['deployment-id'] ?? '' });
        await deployOwn(stage, 2, { image });
        await deployOwn(stage, 3, { image });
        if (mode === 'rollback') await run(stage, own);
      });
    });

  /** What is allowed and not called here, and what it is for. */
  const following = { 'codedeploy:StopDeployment': 'on-cancel: rollback', 'ecs:DescribeTasks': 'tasks that stopped within the last hour' };
  const beyond: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    follow: following,
    continue: following,
    rollback: {
      'codedeploy:RegisterApplicationRevision': 'CreateDeployment asks for it',
      'ecs:ListTasks': 'explains a rollback that fails',
      'ecs:DescribeTasks': 'explains a rollback that fails',
    },
  };

  const followingEcs = {
    'ecs:StopServiceDeployment': 'on-cancel: rollback',
    'ecs:DescribeTasks': 'tasks that stopped within the last hour',
  };
  const beyondOfEcs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    follow: followingEcs,
    continue: followingEcs,
    rollback: {
      'ecs:TagResource': 'RegisterTaskDefinition asks for it',
      'iam:PassRole': 'RegisterTaskDefinition asks for it',
      'ecs:ListTasks': 'explains a rollback that fails',
      'ecs:DescribeTasks': 'explains a rollback that fails',
    },
  };

  test.each(Object.entries(beyondOfEcs))(
    '%s, where ECS itself deploys, needs what docs/iam.md allows, and nothing else',
    async (mode, reasons) => {
      const needed = [...(await calledOfEcs(mode)), ...Object.keys(reasons)];
      expect(needed.toSorted()).toEqual([...allowed(`${mode}, where ECS itself deploys`)].toSorted());
    },
    90_000,
  );

  test.each(Object.entries(beyond))(
    '%s needs what docs/iam.md allows, and nothing else',
    async (mode, reasons) => {
      expect([...(await calledOfCodedeploy(mode)), ...Object.keys(reasons)].toSorted()).toEqual([...allowed(mode)].toSorted());
      // Eight steps and more.
    },
    90_000,
  );
});

test('check needs what docs/iam.md allows, and nothing else', async () => {
  await onSlowStage(async (stage) => {
    const { emulator, codedeploy } = stage.scenario;
    emulator.world.account(accounts.registry).registryPolicies.set(region, JSON.stringify(sharedPolicy));
    codedeploy.deploymentConfig({ ...here, name: 'Custom', routing: { type: 'AllAtOnce' } });
    await deployVersion(stage, 1, { 'wait-until': 'started' });
    const check = { ...deploy, ...organization, mode: 'check', 'codedeploy-deployment-config': 'Custom' };
    const { 'registry-role': _, ...alone } = check;
    const found = new Set<string>();
    for (const given of [check, { ...check, 'codedeploy-deployment-group': 'None' }, { ...alone, 'registry-id': accounts.registry }]) {
      await stage.step({ with: given, environment: { AWS_EC2_METADATA_DISABLED: 'true' } });
      for (const { action } of calls(stage)) found.add(action);
    }
    expect([...found].toSorted()).toEqual([...allowed('check')].toSorted());
  });
});
