/** Many accounts in one step, as a runner sees it. */
import { describe, expect, test } from '@jest/globals';
import { accessDenied, throttling } from '../../emulator/faults.ts';
import type { StepResult } from '../../emulator/runner.ts';
import { accounts, cluster, developmentOu, roles, service, sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes, type Stage } from './stage.ts';

const role = 'arn:aws:iam::{account-id}:role/web-deploy';
const { devA, devB } = accounts;
const [third, fourth] = ['555555555555', '666666666666'];
const both = [devA, devB].join(',');
const four = [devA, devB, third, fourth].join(',');
const side = { ...inputs.common, ...inputs.registry, 'deploy-role': role, cluster, service };
const deploy = { mode: 'deploy', ...side, image: 'shop/web:v1' };
const discover = { 'deploy-accounts': 'discover', 'target-ous': developmentOu, 'organization-role': roles.organization };
const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };
/** Not over within a test. */
const endless = { durations: { install: 1e12 } };

/** Four accounts in the OU, and the image is there. */
async function onWideStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await onStage({ policy: sharedPolicy }, async (stage) => {
    stage.scenario.addAccount(third, { name: 'dev-c', ou: 'Workloads/Development' });
    stage.scenario.addAccount(fourth, { name: '::error::d|*x*', ou: 'Workloads/Development' });
    layout(stage.job);
    expect((await stage.step({ with: publish })).exitCode).toBe(0);
    await play(stage);
  });
}

/** `222222222222 1 succeeded`. */
function fates({ outputs }: StepResult): readonly string[] {
  const all = JSON.parse(outputs['deployments'] ?? '[]') as readonly Readonly<Record<string, string>>[];
  return all.map((one) => `${one['account-id'] ?? ''} ${one['wave'] ?? ''} ${one['status'] ?? ''}`);
}

const stops = ({ scenario: { emulator } }: Stage) => emulator.requests.of('codedeploy', 'StopDeployment').map(({ account }) => account);
const begun = ({ scenario: { emulator } }: Stage) => emulator.requests.of('codedeploy', 'CreateDeployment').map(({ account }) => account);

describe('deploy', () => {
  test('in waves, to the accounts of an OU; one fails, and the rest is not started', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({ account: devB, outcome: { tasks: 'cannotPull' } });
      const result = await stage.step({ with: { ...deploy, ...discover, waves: '1, 50%' } });
      expect(transcript(stage, result).replaceAll(/ after \d+ s$/gm, ' after <time>')).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
      expect(begun(stage)).toEqual([devA, devB]);
    });
  });

  test('the second run deploys only what does not run the image yet', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({ account: devB, outcome: { failAt: 'AllowTraffic' } });
      const given = { ...deploy, 'deploy-accounts': four, waves: '2', 'max-parallel': '1' };
      const first = await stage.step({ with: given });
      expect(first.exitCode).toBe(1);
      expect(fates(first)).toEqual([`${devA} 1 succeeded`, `${devB} 1 rolled-back`, `${third} 2 not-started`, `${fourth} 2 not-started`]);
      const second = await stage.step({ with: given });
      expect(second.exitCode).toBe(0);
      expect(fates(second)).toEqual([`${devA} 1 unchanged`, `${devB} 1 succeeded`, `${third} 2 succeeded`, `${fourth} 2 succeeded`]);
      expect(begun(stage)).toEqual([devB, third, fourth]);
      const last = await stage.step({ with: given });
      expect([last.exitCode, last.outputs['changed'], writes(stage)]).toEqual([0, 'false', []]);
    });
  });

  test('an account that joins while the step runs is in the next one, which deploys to it alone', async () => {
    await onWideStage(async (stage) => {
      const joining = '777777777777';
      const given = { ...deploy, ...discover, waves: '1' };
      const first = await stage.step({
        with: given,
        onLine: (line) =>
          line.startsWith('wave 1 of 2: ') && stage.scenario.addAccount(joining, { name: 'dev-d', ou: 'Workloads/Development' }),
      });
      expect([first.exitCode, begun(stage)]).toEqual([0, [devA, devB, third, fourth]]);
      const second = await stage.step({ with: given });
      expect([second.exitCode, begun(stage)]).toEqual([0, [joining]]);
      expect(fates(second)).toEqual([
        `${devA} 1 unchanged`,
        ...[devB, third, fourth].map((account) => `${account} 2 unchanged`),
        `${joining} 2 succeeded`,
      ]);
    });
  });

  test('with max-failures the step ends well, with a warning for each that failed', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({ account: devA, outcome: { failAt: 'AllowTraffic' } });
      const result = await stage.step({ with: { ...deploy, 'deploy-accounts': both, waves: '1', 'max-failures': '1' } });
      expect(result.exitCode).toBe(0);
      expect(fates(result)).toEqual([`${devA} 1 rolled-back`, `${devB} 2 succeeded`]);
      expect(result.log.filter((line) => line.startsWith('Warning:')).map((line) => stage.plain(line))).toEqual([
        expect.stringContaining(`Warning: ${devA}: rolled-back. Deployment d-<id> failed: `),
      ]);
    });
  });

  test('one role may not be assumed, one account was suspended: all is told before the first write', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.emulator.world.role(roles.deploy(devB), { trust: { oidcSubjects: ['repo:acme/other:*'] } });
      stage.scenario.emulator.world.account(third, { state: 'SUSPENDED' });
      const result = await stage.step({ with: { ...deploy, 'deploy-accounts': four } });
      expect(result.exitCode).toBe(1);
      expect(writes(stage)).toEqual([]);
      expect(result.outputs).toEqual({});
      const message = result.log.at(-1) ?? '';
      expect(message).toMatch(/^Error: 2 inputs need attention:\n/);
      for (const account of [devB, third])
        expect(message).toContain(`  - deploy-role: in ${account}: STS refused ${roles.deploy(account)}`);
      expect(message).toContain(`Nothing was changed. To go on without these accounts: exclude-accounts: ${devB},${third}`);
      const without = await stage.step({ with: { ...deploy, 'deploy-accounts': four, 'exclude-accounts': `${devB},${third}` } });
      expect(fates(without)).toEqual([`${devA} 1 succeeded`, `${fourth} 1 succeeded`]);
    });
  });

  test('one account: its outputs are the step’s', async () => {
    await onWideStage(async (stage) => {
      const result = await stage.step({ with: { ...deploy, 'deploy-accounts': `["${devA}"]` } });
      expect(Object.keys(result.outputs).toSorted()).toEqual([
        'changed',
        'deployment-id',
        'deployment-status',
        'deployment-url',
        'deployments',
        'image-uri',
        'task-definition-arn',
      ]);
      expect(result.outputs['deployment-status']).toBe('Succeeded');
    });
  });

  test('throttled at STS and CodeDeploy, it is slower', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'sts', times: 4 }, throttling());
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'GetDeployment', times: 3 }, throttling());
      const result = await stage.step({ with: { ...deploy, 'deploy-accounts': both } });
      expect(result.exitCode).toBe(0);
      expect(fates(result)).toEqual([`${devA} 1 succeeded`, `${devB} 1 succeeded`]);
    });
  });

  test('who is in no organization can’t discover', async () => {
    await onWideStage(async (stage) => {
      stage.scenario.emulator.world.move(accounts.registry, undefined);
      const result = await stage.step({ with: { ...deploy, ...discover, 'organization-role': roles.registry } });
      expect(result.log.at(-1)).toMatch(/^Error: Account 111111111111 \(.*\) is in no organization\./);
      expect([result.exitCode, writes(stage)]).toEqual([1, []]);
    });
  });

  test('bad input: all at once, before any call', async () => {
    await onWideStage(async (stage) => {
      const given = { 'deploy-accounts': both, 'deploy-role': roles.deploy(devA), waves: '50%, 10%', 'max-parallel': '0' };
      const parsed = await stage.step({ with: { ...deploy, ...given, cluster: '{acount-id}' } });
      expect(parsed.log.at(-1)).toContain('3 inputs need attention:');
      expect(parsed.log.at(-1)).toContain(
        'cluster: {acount-id} is not one of {account-id}, {account-name}, {region} (did you mean "{account-id}"?)',
      );
      const checked = await stage.step({ with: { ...deploy, ...given, waves: '', 'max-parallel': '' } });
      expect(checked.log.at(-1)).toContain(`deploy-role: ${roles.deploy(devA)} is one role and can't be in 2 accounts`);
      expect(stage.requests()).toEqual([]);
    });
  });

  test('inputs that have no effect without deploy-accounts are warned of', async () => {
    await onWideStage(async (stage) => {
      const given = {
        'deploy-role': roles.deploy(devA),
        'target-ous': developmentOu,
        'exclude-accounts': devB,
        waves: '1',
        'wait-until': 'started',
      };
      const { log, exitCode } = await stage.step({ with: { ...deploy, ...given } });
      expect([exitCode, ...log.slice(0, 3)]).toEqual([
        0,
        'Warning: Input "exclude-accounts" is ignored: it is for deploy-accounts, which is not given, so one account is deployed to.',
        'Warning: Input "waves" is ignored: it is for deploy-accounts, which is not given, so one account is deployed to.',
        'Warning: Input "target-ous" is ignored: it is for deploy-accounts: discover.',
      ]);
    });
  });

  test('an account whose name does not fit is named, with how to go on', async () => {
    await onWideStage(async (stage) => {
      const { log, exitCode } = await stage.step({ with: { ...deploy, ...discover, service: 'web-{account-name}' } });
      expect(exitCode).toBe(1);
      expect(log.at(-1)).toMatch(
        /service: in .*666666666666: "web-.*" is not .*\nNothing was changed\. To go on without them: exclude-accounts: 666666666666$/,
      );
      expect(writes(stage)).toEqual([]);
    });
  });

  test('dry-run: the plan of all accounts, by wave', async () => {
    await onWideStage(async (stage) => {
      await stage.step({ with: { ...deploy, 'deploy-accounts': devA } });
      const result = await stage.step({ with: { ...deploy, ...discover, waves: '1', 'exclude-accounts': third, 'dry-run': 'true' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect([result.exitCode, writes(stage)]).toEqual([0, []]);
    });
  });
});

describe('a cancel in the second wave', () => {
  const given = { ...deploy, 'deploy-accounts': four, waves: '1, 3' };
  const isUnderWay = (line: string): boolean => line.startsWith(third) && line.includes('following');

  test('stops both deployments with a rollback, leaves the first wave, and starts nothing new', async () => {
    await onWideStage(async (stage) => {
      for (const account of [devB, third]) stage.scenario.codedeploy.nextDeployment({ account, ...endless });
      const result = await stage.step({ with: given, onLine: (line, child) => isUnderWay(line) && child.kill('SIGINT') });
      expect(result.exitCode).toBe(1);
      expect(fates(result)).toEqual([`${devA} 1 succeeded`, `${devB} 2 cancelled`, `${third} 2 cancelled`, `${fourth} 3 not-started`]);
      expect(stops(stage).toSorted()).toEqual([devB, third]);
      expect(result.log.at(-1)).toMatch(
        /^Error: The run was cancelled: 2 cancelled, 1 succeeded, 1 not-started\.\n {2}- 333333333333: Deployment/,
      );
    });
  });

  test('killed outright: the post step stops both, each with the role of its account', async () => {
    await onWideStage(async (stage) => {
      for (const account of [devB, third]) stage.scenario.codedeploy.nextDeployment({ account, ...endless });
      const result = await stage.step({ with: given, onLine: (line, child) => isUnderWay(line) && child.kill('SIGKILL') });
      expect([result.signal, stops(stage)]).toEqual(['SIGKILL', []]);
      for (const post of await stage.job.finish()) expect(post.exitCode).toBe(0);
      expect(stops(stage).toSorted()).toEqual([devB, third]);
    });
  });

  test('killed outright with more to undo than one state may hold: the post step knows of all', async () => {
    await onWideStage(async (stage) => {
      for (const account of [devB, third]) stage.scenario.codedeploy.nextDeployment({ account, ...endless });
      const { accessKeyId, secretAccessKey } = stage.scenario.emulator.world.user(accounts.registry, 'ci');
      const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const tags = Array.from({ length: 50 }, (_, index) => `tag-${'x'.repeat(100)}-${index}=${'x'.repeat(256)}`).join('\n');
      const result = await stage.step({
        with: { ...given, 'role-chaining': 'true', 'role-session-tags': tags },
        environment,
        onLine: (line, child) => isUnderWay(line) && child.kill('SIGKILL'),
      });
      expect(Object.keys(result.state)).toEqual(expect.arrayContaining(['cleanup', 'cleanup-1']));
      expect(Math.max(...Object.values(result.state).map((value) => Buffer.byteLength(value)))).toBeLessThan(30_000);
      for (const post of await stage.job.finish()) expect(post.exitCode).toBe(0);
      expect(stops(stage).toSorted()).toEqual([devB, third]);
    });
  });

  test('that one account refuses is left to the post step, and carried out in the other', async () => {
    await onWideStage(async (stage) => {
      for (const account of [devB, third]) stage.scenario.codedeploy.nextDeployment({ account, ...endless });
      stage.scenario.emulator.faults.inject({ operation: 'StopDeployment', account: devB }, accessDenied());
      const result = await stage.step({ with: given, onLine: (line, child) => isUnderWay(line) && child.kill('SIGTERM') });
      expect(result.log.at(-1)).toMatch(/- 333333333333: deployment d-\w+ could not be stopped/);
      for (const post of await stage.job.finish()) expect(post.exitCode).toBe(0);
      expect(stops(stage).toSorted()).toEqual([devB, devB, third]);
    });
  });
});

describe('release', () => {
  const release = { mode: 'release', ...side, ...inputs.repository, image: 'oci:image', tags: 'v1', ...inputs.sharing };

  test('publishes and shares once, and deploys to every account of the OU', async () => {
    await onWideStage(async (stage) => {
      layout(stage.job, 'new');
      const result = await stage.step({ with: { ...release, ...discover } });
      expect(result.exitCode).toBe(0);
      expect(fates(result)).toHaveLength(4);
      expect(stage.scenario.emulator.requests.of('ecr', 'GetRepositoryPolicy')).toHaveLength(1);
      expect(begun(stage).toSorted()).toEqual([devA, devB, third, fourth]);
    });
  });

  test('checks every account before the build, and names those that can’t be deployed to', async () => {
    await onWideStage(async (stage) => {
      layout(stage.job, 'new');
      const result = await stage.step({ with: { ...release, 'deploy-accounts': `${both},777777777777` } });
      expect(result.log.at(-1)).toContain('deploy-role: in 777777777777: STS refused');
      expect([result.exitCode, writes(stage)]).toEqual([1, []]);
    });
  });

  test('an account that may not pull stops all of them, after the push and before any write there', async () => {
    await onWideStage(async (stage) => {
      layout(stage.job, 'new');
      const result = await stage.step({ with: { ...release, 'deploy-accounts': `${devA},${accounts.outside}` } });
      expect(result.log.at(-1)).toMatch(/^Error: target-ous: in 444444444444: the account that is deployed to may not pull/);
      expect(result.log.at(-1)).toContain('The image is pushed; nothing was changed in the accounts that are deployed to.');
      expect(begun(stage)).toEqual([]);
    });
  });
});

describe('without credentials', () => {
  const nothing = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '', AWS_EC2_METADATA_DISABLED: 'true' };
  const job = { environment: nothing, event: { name: 'pull_request', ref: 'refs/pull/7/merge', payload: {} } };

  test.each([
    ['accounts that are named', { 'deploy-accounts': four, waves: '1' }],
    ['accounts of an OU', discover],
  ])('the plan names %s', async (_, given) => {
    await onStage({ job }, async (stage) => {
      const result = await stage.step({ with: { ...deploy, ...given } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect([result.exitCode, stage.requests()]).toEqual([0, []]);
    });
  });
});
