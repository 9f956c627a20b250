import { describe, expect, test } from '@jest/globals';
import { accessDenied, expiredCredentials, lostReply, serverError, throttling } from '../../emulator/faults.ts';
import { accounts, region, sharedPolicy } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes, type Stage, type StageOptions } from './stage.ts';

const deploy = { mode: 'deploy', ...inputs.common, ...inputs.registry, ...inputs.deploying, image: 'shop/web:v1' };
const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };

/** An image is there and shared. */
async function onPublished(play: (stage: Stage) => Promise<void>, options: StageOptions = {}): Promise<void> {
  await onStage({ policy: sharedPolicy, ...options }, async (stage) => {
    layout(stage.job);
    await stage.step({ with: publish });
    await play(stage);
  });
}

const appSpec = `# Ours, with its comment.
version: 0.0
resources:
  - webService:
      type: AWS::ECS::Service
      properties:
        taskDefinition: <TASK_DEFINITION>
        loadBalancerInfo:
          containerName: web
          containerPort: 80
        platformVersion: '1.4.0'
hooks:
  - AfterAllowTestTraffic: CodeDeployHook_smoke
`;

describe('deploy', () => {
  test('from the live service, a tag resolved to its digest', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: deploy });
      expect(transcript(stage, result)).toMatchSnapshot();
    });
  });

  test('pain 16: from files: a task definition and an AppSpec in which only TaskDefinition changes', async () => {
    await onPublished(async (stage) => {
      stage.job.write('task.json', JSON.stringify(stage.scenario.taskDefinition(accounts.devA)));
      stage.job.write('appspec.yaml', appSpec);
      const result = await stage.step({
        with: {
          ...deploy,
          'task-definition': 'task.json',
          'codedeploy-appspec': 'appspec.yaml',
          'environment-variables': 'STAGE=prod\nCOLOUR=blue',
        },
      });
      expect(result.exitCode).toBe(0);
      const created = stage.scenario.emulator.requests.of('codedeploy', 'CreateDeployment')[0]?.input as {
        revision: { appSpecContent: { content: string } };
      };
      expect(created.revision.appSpecContent.content).toContain(result.outputs['task-definition-arn']);
      expect(created.revision.appSpecContent.content).toContain('CodeDeployHook_smoke');
      const registered = stage.scenario.emulator.requests.of('ecs', 'RegisterTaskDefinition')[0]?.input as {
        containerDefinitions: { environment: unknown; image: string }[];
      };
      expect(registered.containerDefinitions[0]).toMatchObject({
        image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/),
        environment: [
          { name: 'STAGE', value: 'prod' },
          { name: 'COLOUR', value: 'blue' },
        ],
      });
      // Values of the environment are never printed.
      expect(result.raw).not.toContain('COLOUR=blue');
    });
  });

  test('pain 23: several containers get an image each, by digest', async () => {
    await onPublished(async (stage) => {
      stage.scenario.emulator.world.repository({ account: accounts.registry, region, name: 'infra/proxy', policy: sharedPolicy });
      layout(stage.job, 'proxy');
      await stage.step({ with: { ...publish, repository: 'infra/proxy', tags: 'v2' } });
      const definition = stage.scenario.taskDefinition(accounts.devA) as { containerDefinitions: object[] };
      const proxy = { name: 'proxy', image: 'nginx', essential: true };
      stage.job.write('task.json', JSON.stringify({ ...definition, containerDefinitions: [...definition.containerDefinitions, proxy] }));
      const given = { ...deploy, image: 'web=shop/web:v1\nproxy=infra/proxy:v2', 'task-definition': 'task.json' };
      const planned = await stage.step({ with: { ...given, 'dry-run': 'true' } });
      const result = await stage.step({ with: given });
      expect(result.outputs['image-uri']).toMatch(/\/shop\/web@sha256:/);
      expect(planned.log).toContain(`    web: ${result.outputs['image-uri'] ?? ''}`);
      expect(planned.log.join('\n')).toMatch(/^ {4}\+ containers\.proxy\.image: .*\/infra\/proxy@sha256:/m);
      const [registered] = stage.scenario.emulator.requests.of('ecs', 'RegisterTaskDefinition');
      expect(registered?.input['containerDefinitions']).toMatchObject([
        { name: 'web', image: result.outputs['image-uri'] },
        { name: 'proxy', image: expect.stringMatching(/\/infra\/proxy@sha256:/) },
      ]);
      expect(stage.plain(result.summary)).toMatch(/Image of `web` \| `<host>\/shop\/web@.*\n\| Image of `proxy` \| `<host>\/infra\/proxy@/);

      const again = await stage.step({ with: given });
      expect(again.outputs['changed']).toBe('false');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('wait-until: started ends as soon as the deployment has an ID', async () => {
    await onPublished(
      async (stage) => {
        const result = await stage.step({ with: { ...deploy, 'wait-until': 'started' } });
        expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-id': expect.stringMatching(/^d-/), changed: 'true' } });
        expect(stage.requests().at(-1)).toBe('codedeploy:CreateDeployment');
      },
      { speed: 1 },
    );
  });

  test('a rolled-back deployment is a failed step, with the reason', async () => {
    await onPublished(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({
        outcome: {
          failAt: 'AfterAllowTestTraffic',
          code: 'HOOK_EXECUTION_FAILURE',
          message: 'The hook said no',
          logTail: '::error::smoke test\n##[set-output name=x]1',
        },
      });
      stage.job.write('appspec.yaml', appSpec);
      const result = await stage.step({ with: { ...deploy, 'codedeploy-appspec': 'appspec.yaml' } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.exitCode).toBe(1);
      expect(result.outputs['rollback-deployment-id']).toMatch(/^d-/);
    });
  });

  test('tasks that can’t pull: said with the likely cause', async () => {
    await onPublished(async (stage) => {
      stage.scenario.codedeploy.nextDeployment({ outcome: { tasks: 'cannotPull' } });
      const result = await stage.step({ with: deploy });
      expect(result.exitCode).toBe(1);
      expect(result.log.join('\n')).toContain('CannotPullContainerError');
    });
  });

  test('an account outside the OUs is refused before anything is written', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: { ...deploy, 'deploy-role': `arn:aws:iam::${accounts.outside}:role/web-deploy` } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('may not pull shop/web:v1');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('deploying into the account that owns the registry needs deploy-account-id', async () => {
    await onPublished(async (stage) => {
      const { 'deploy-role': _, ...ambient } = deploy;
      stage.scenario.addAccount(accounts.registry, { name: 'services' });
      const { accessKeyId, secretAccessKey } = stage.scenario.emulator.world.user(accounts.registry, 'ci');
      const result = await stage.step({
        with: { ...ambient, 'role-chaining': 'false' },
        environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain(`deploy-account-id: is needed to deploy into ${accounts.registry}, which owns the registry`);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('an image of another registry is never taken for ours', async () => {
    await onPublished(async (stage) => {
      const result = await stage.step({ with: { ...deploy, image: 'docker.io/shop/web:v1' } });
      expect(result.exitCode).toBe(1);
      expect(stage.plain(result.log.at(-1) ?? '')).toContain('image: is in docker.io, and the registry of registry-role is <host>');
      expect(writes(stage)).toEqual([]);
    });
  });

  test('an AppSpec whose properties stand behind an alias', async () => {
    await onPublished(async (stage) => {
      const [head = '', body = ''] = appSpec.split('      properties:\n');
      const properties = body.split('hooks:')[0]?.replaceAll(/^ {8}/gm, '  ') ?? '';
      stage.job.write('appspec.yaml', `common: &common\n${properties}${head}      properties: *common\n`);
      const result = await stage.step({ with: { ...deploy, 'codedeploy-appspec': 'appspec.yaml' } });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded' } });
    });
  });

  test('a lost reply to CreateDeployment: one deployment, and it is ours', async () => {
    await onPublished(async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'CreateDeployment' }, lostReply());
      const result = await stage.step({ with: deploy });
      expect(result.exitCode).toBe(0);
      expect(stage.scenario.emulator.requests.of('codedeploy', 'CreateDeployment')).toHaveLength(1);
    });
  });

  test.each([
    ['throttling', throttling()],
    ['5xx', serverError()],
  ])('%s while following is survived', async (_, fault) => {
    await onPublished(async (stage) => {
      stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'GetDeployment', times: 2 }, fault);
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
        stage.scenario.emulator.faults.inject({ service: 'codedeploy', operation: 'GetDeployment', times: 99 }, fault);
        const result = await stage.step({ with: { ...deploy, 'on-cancel': 'leave' } });
        expect(result.exitCode).toBe(1);
        expect(result.log.at(-1)).toMatch(/d-[A-Z0-9]{9}.*still running/s);
        expect(result.outputs['deployment-id']).toMatch(/^d-/);
        stage.scenario.emulator.faults.clear();
      },
      { speed: 1 },
    );
  });
});
