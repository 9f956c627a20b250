/** A service that ECS itself deploys: what a user sees of a deployment, a failure, a cancel and a plan. */
import { describe, expect, test } from '@jest/globals';
import { accessDenied, expiredCredentials, lostReply, serverError, throttling } from '../../emulator/faults.ts';
import { accounts, ownService, region, sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes, type Stage, type StageOptions } from './stage.ts';

const deploying = { ...inputs.deploying, service: ownService };
const deploy = { mode: 'deploy', ...inputs.common, ...inputs.registry, ...deploying, image: 'shop/web:v1' };
const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };

/** An image is there and shared. */
async function onPublished(play: (stage: Stage) => Promise<void>, options: StageOptions = {}): Promise<void> {
  await onStage({ policy: sharedPolicy, ...options }, async (stage) => {
    layout(stage.job);
    await stage.step({ with: publish });
    await play(stage);
  });
}

const sent = (stage: Stage, operation: string) => stage.scenario.emulator.requests.of('ecs', operation).map(({ input }) => input);
const serviceOf = (stage: Stage) => stage.scenario.ecs.findService({ account: accounts.devA, region }, 'dev', ownService);

describe('deploy', () => {
  test('from the live service, a tag resolved to its digest', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: deploy });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(sent(stage, 'UpdateService')).toEqual([
        { cluster: 'dev', service: ownService, taskDefinition: result.outputs['task-definition-arn'] },
      ]);
      expect(stage.requests().filter((name) => name.startsWith('codedeploy:'))).toEqual([
        'codedeploy:GetDeploymentGroup',
        'codedeploy:ListDeployments',
      ]);
    });
  });

  test('again: nothing is registered, nothing deployed', async () => {
    await onPublished(async (stage) => {
      await stage.step({ with: deploy });
      const result = await stage.step({ with: deploy });
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'false' } });
      expect(result.log.join('\n')).toContain('api runs exactly this already (api:2): no registration, no deployment.');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('wait-until: started ends as soon as the deployment has an ID', async () => {
    await onPublished(
      async (stage) => {
        const result = await stage.step({ with: { ...deploy, 'wait-until': 'started' } });
        expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-id': expect.stringMatching(/^[\w-]{21}$/), changed: 'true' } });
        expect(stage.requests()).not.toContain('ecs:DescribeServiceDeployments');
      },
      { speed: 1 },
    );
  });

  test('a rolled-back deployment is a failed step, with the reason', async () => {
    await onPublished(async (stage) => {
      stage.scenario.ecs.nextDeployment({
        outcome: { failAt: 'POST_TEST_TRAFFIC_SHIFT', reason: 'the smoke test said no\n::error::x ##[set-output name=y]1' },
      });
      const result = await stage.step({ with: deploy });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
    });
  });

  test('tasks that can’t pull: the circuit breaker, with the likely cause', async () => {
    await onPublished(async (stage) => {
      stage.scenario.ecs.nextDeployment({ outcome: { tasks: 'cannotPull' } });
      const result = await stage.step({ with: deploy });
      expect(result.exitCode).toBe(1);
      const log = result.log.join('\n');
      expect(log).toContain('the deployment circuit breaker tripped: 3 tasks failed, and 3 are its threshold');
      expect(log).toContain('CannotPullContainerError');
      expect(log).toContain('The task execution role may not pull');
    });
  });

  test('what has no meaning here is refused or said', async () => {
    await onPublished(async (stage) => {
      const refused = await stage.step({ with: { ...deploy, 'auto-rollback': 'failure', 'container-name': 'nope' } });
      expect(refused.exitCode).toBe(1);
      expect(refused.log.at(-1)).toMatch(
        /2 inputs need attention:.*auto-rollback: is failure, and api is deployed by ECS itself \(CANARY\).*container-name/s,
      );
      expect(writes(stage)).toEqual([]);
      const warned = await stage.step({ with: { ...deploy, 'codedeploy-deployment-config': 'CodeDeployDefault.ECSAllAtOnce' } });
      expect(warned.exitCode).toBe(0);
      expect(warned.log.filter((line) => line.includes('codedeploy-deployment-config is ignored'))).toHaveLength(1);
    });
  });

  test('rolling updates are refused before anything is written', async () => {
    await onPublished(async (stage) => {
      const service = serviceOf(stage);
      if (service) service.deploymentConfiguration = { strategy: 'ROLLING' };
      const result = await stage.step({ with: deploy });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain(
        'service: api has rolling updates (the deployment controller ECS with the strategy ROLLING); give it',
      );
      expect(writes(stage)).toEqual([]);
    });
  });

  test('a lost reply to UpdateService: one deployment, and it is ours', async () => {
    await onPublished(async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'ecs', operation: 'UpdateService' }, lostReply());
      const result = await stage.step({ with: deploy });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
      expect(sent(stage, 'UpdateService')).toHaveLength(1);
    });
  });

  test.each([
    ['throttling', throttling()],
    ['5xx', serverError()],
  ])('%s while following is survived', async (_, fault) => {
    await onPublished(async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'ecs', operation: 'DescribeServiceDeployments', times: 2 }, fault);
      const result = await stage.step({ with: deploy });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
    });
  });

  test.each([
    ['denied', accessDenied()],
    ['expired', expiredCredentials()],
  ])('%s credentials while following end the wait at once, with the ID and "still running"', async (_, fault) => {
    await onPublished(
      async (stage) => {
        stage.scenario.emulator.faults.inject({ service: 'ecs', operation: 'DescribeServiceDeployments', times: 99 }, fault);
        const result = await stage.step({ with: { ...deploy, 'on-cancel': 'leave' } });
        expect(result.exitCode).toBe(1);
        expect(result.log.at(-1)).toContain(`Deployment ${result.outputs['deployment-id'] ?? ''} is still running`);
        stage.scenario.emulator.faults.clear();
      },
      { speed: 1 },
    );
  });
});

test('release: build once, share, deploy', async () => {
  await onStage({}, async (stage) => {
    layout(stage.job);
    const result = await stage.step({
      with: {
        mode: 'release',
        ...inputs.common,
        ...inputs.registry,
        ...inputs.repository,
        ...inputs.sharing,
        ...deploying,
        image: 'oci:image',
        tags: 'v1',
      },
    });
    expect(result).toMatchObject({
      exitCode: 0,
      outputs: { 'policy-changed': 'true', 'deployment-status': 'Succeeded', 'task-definition-arn': expect.stringMatching(/api:2$/) },
    });
  });
});

test('dry-run: the update as it would be sent, and no write', async () => {
  await onPublished(async (stage) => {
    const result = await stage.step({ with: { ...deploy, 'dry-run': 'true' } });
    expect(transcript(stage, result)).toMatchSnapshot();
    expect(writes(stage)).toEqual([]);
  });
});

describe('two runs of one workflow', () => {
  test('the older one yields to the newer one’s mark', async () => {
    await onPublished(async (stage) => {
      await stage.step({ with: deploy, environment: { GITHUB_RUN_ID: '2000' } });
      const result = await stage.step({ with: { ...deploy, 'environment-variables': 'STAGE=old' } });
      expect(result).toMatchObject({ exitCode: 0, outputs: { changed: 'false' } });
      expect(result.log.join('\n')).toContain('Nothing was deployed: run 2000 of this workflow is newer');
      expect(writes(stage)).toEqual([]);
    });
  });
});

/** A deployment as slow as on AWS. */
const slow = { speed: 1 } as const;

describe('a cancelled run', () => {
  const whenCreated = (signal: NodeJS.Signals) => ({
    onLine: (line: string, child: { kill: (signal: NodeJS.Signals) => unknown }) => line.endsWith('  Created') && child.kill(signal),
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s while a deployment runs: it is stopped and rolled back', async (signal) => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: deploy, ...whenCreated(signal) });
      expect(result.exitCode).toBe(1);
      expect(result.log).toContain(`${signal} received: stopping.`);
      expect(sent(stage, 'StopServiceDeployment')).toEqual([
        {
          serviceDeploymentArn: `arn:aws:ecs:${region}:${accounts.devA}:service-deployment/dev/api/${result.outputs['deployment-id'] ?? ''}`,
          stopType: 'ROLLBACK',
        },
      ]);
    }, slow);
  });

  test('on-cancel: leave leaves it running, and says so', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: { ...deploy, 'on-cancel': 'leave' }, ...whenCreated('SIGINT') });
      expect(result.exitCode).toBe(1);
      expect(sent(stage, 'StopServiceDeployment')).toEqual([]);
      expect(result.log.join('\n')).toContain(result.outputs['deployment-id']);
    }, slow);
  });

  test('killed outright: the post step stops the deployment, after it has checked the account and whose it is', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: deploy, ...whenCreated('SIGKILL') });
      expect(result.signal).toBe('SIGKILL');
      expect(sent(stage, 'StopServiceDeployment')).toEqual([]);
      const [post] = await stage.job.finish();
      expect(post?.exitCode).toBe(0);
      expect(post?.log.join('\n')).toContain('was stopped with a rollback');
      const names = stage.requests();
      expect(names.lastIndexOf('sts:GetCallerIdentity')).toBeLessThan(names.indexOf('ecs:StopServiceDeployment'));
    }, slow);
  });
});
