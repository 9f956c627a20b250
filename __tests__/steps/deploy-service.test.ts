import { describe, expect, test } from '@jest/globals';
import { parseMarker } from '../../src/domain/deployment-marker.ts';
import { formatImage, type RepositoryName } from '../../src/domain/image.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { deployService, type Deployed } from '../../src/steps/deploy-service.ts';
import type { DeploymentInputs } from '../../src/steps/prepare-deployment.ts';
import { someDefinition } from '../fakes/ecs.ts';
import { awsError, failureOf, image, Setting } from './deployment-setting.ts';

const text = formatImage(image);
const containers = someDefinition['containerDefinitions'] as JsonObject[];
const running = {
  ...someDefinition,
  containerDefinitions: [{ name: 'web', image: text, essential: true, portMappings: [{ containerPort: 80 }] }],
};

async function deploy(setting: Setting, inputs: Partial<DeploymentInputs> = {}): Promise<Deployed> {
  const prepared = await setting.prepare(inputs);
  setting.journal.length = 0;
  return deployService(prepared, setting.request);
}

const marked = (run: number, nonce = 'n'): string => `[acme.shop:Release/${run}/1/release#${nonce}]`;

describe('a change', () => {
  test('is registered, remembered and started, in this order', async () => {
    const setting = new Setting();
    const deployed = await deploy(setting, {
      'environment-variables': [
        ['STAGE', 'test'],
        ['NEW', 'a=b'],
      ],
    });
    expect(setting.journal).toEqual(['ecs:RegisterTaskDefinition', 'remember', 'codedeploy:CreateDeployment']);
    expect(deployed).toMatchObject({ result: 'started', id: 'd-NEW1', taskDefinition: expect.stringMatching(/web:43$/) });
    expect(Object.fromEntries(setting.outputs)).toMatchObject({
      'deployment-id': 'd-NEW1',
      changed: 'true',
      'task-definition-arn': expect.stringMatching(/web:43$/),
    });
    expect(setting.ecs.registered[0]?.['containerDefinitions']).toMatchObject([
      {
        image: text,
        environment: [
          { name: 'STAGE', value: 'test' },
          { name: 'NEW', value: 'a=b' },
        ],
      },
    ]);
    const [created] = setting.codedeploy.created;
    expect(created?.appSpec).toContain('"TaskDefinition": "arn:aws:ecs:eu-west-1:222222222222:task-definition/web:43"');
    expect(created?.appSpec).toContain('"version": 0.0,');
    expect(parseMarker(created?.description ?? '')).toMatchObject({ workflow: 'acme.shop:Release', run: 1000 });
    expect(setting.remembered).toMatchObject([
      { kind: 'deployment', how: 'codedeploy', group: 'DgpECS-dev-web', account: '222222222222', onCancel: 'rollback' },
    ]);
  });

  test('of several containers: an image each', async () => {
    const setting = new Setting();
    const proxy = { ...image, repository: 'infra/proxy' as RepositoryName };
    setting.ecs.definition = { ...someDefinition, containerDefinitions: [...containers, { name: 'proxy', image: 'nginx' }] };
    const images = [
      { container: 'web', repository: image.repository },
      { container: 'proxy', repository: proxy.repository },
    ];
    const prepared = await setting.prepare({}, { images });
    await deployService(prepared, { ...setting.request, images: [image, proxy] });
    expect(setting.ecs.registered[0]?.['containerDefinitions']).toMatchObject([
      { name: 'web', image: text },
      { name: 'proxy', image: formatImage(proxy) },
    ]);
  });

  test('is logged without the values of the environment', async () => {
    const setting = new Setting();
    await deploy(setting, { 'environment-variables': [['STAGE', 's3cret']] });
    expect(setting.log.lines).toContain('  ~ containers.web.environment.STAGE.value: changed');
    expect(setting.log.lines.join('\n')).not.toContain('s3cret');
  });

  test('of the AppSpec alone needs no new task definition', async () => {
    const setting = new Setting();
    setting.ecs.definition = running;
    setting.files.texts.set(
      'appspec.yaml',
      'version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}\n        PlatformVersion: 1.4.0\n',
    );
    const deployed = await deploy(setting, { 'codedeploy-appspec': 'appspec.yaml' });
    expect(setting.journal).toEqual(['remember', 'codedeploy:CreateDeployment']);
    expect(deployed).toMatchObject({ result: 'started', taskDefinition: expect.stringMatching(/web:42$/) });
  });
});

describe('no change', () => {
  test('pain 25: writes nothing', async () => {
    const setting = new Setting();
    setting.ecs.definition = running;
    expect(await deploy(setting)).toMatchObject({ result: 'unchanged', taskDefinition: expect.stringMatching(/web:42$/) });
    expect(setting.journal).toEqual([]);
    expect(setting.outputs.get('changed')).toBe('false');
  });

  test('is deployed all the same when forced, with the definition that is there', async () => {
    const setting = new Setting();
    setting.ecs.definition = running;
    expect(await deploy(setting, { 'force-new-deployment': true })).toMatchObject({ result: 'started' });
    expect(setting.writes).toEqual(['codedeploy:CreateDeployment']);
  });
});

describe('CreateDeployment is never sent blindly twice', () => {
  test('a lost reply is cleared up by the nonce', async () => {
    const setting = new Setting();
    setting.codedeploy.creations.push('made but lost');
    setting.codedeploy.life = [{ after: 0, status: 'Created' }];
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'codedeploy:CreateDeployment']);
    expect(setting.codedeploy.created).toHaveLength(1);
  });

  test('one that failed before anybody looked is found as the group’s newest', async () => {
    const setting = new Setting();
    setting.codedeploy.creations.push('made but lost');
    setting.codedeploy.life = [{ after: 0, status: 'Failed' }];
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.codedeploy.created).toHaveLength(1);
  });

  test('a request that never arrived is sent again', async () => {
    const setting = new Setting();
    setting.codedeploy.creations.push({ answer: 'unknown', error: new Error('ECONNRESET') });
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.writes.filter((call) => call.includes('Create'))).toHaveLength(2);
    expect(setting.codedeploy.created).toHaveLength(1);
  });

  test('after three requests without an answer it gives up, and the post step may look', async () => {
    const setting = new Setting();
    for (let time = 0; time < 3; time++) setting.codedeploy.creations.push({ answer: 'unknown', error: new Error('ECONNRESET') });
    const error = await failureOf(deploy(setting));
    expect(error.message).toMatch(/CreateDeployment for deployment group .* was not answered three times: ECONNRESET/);
    expect(setting.remembered).toHaveLength(1);
  });

  test('where it can’t be looked for either, nothing more is sent, and what is known is said', async () => {
    const setting = new Setting();
    setting.codedeploy.creations.push('made but lost');
    setting.codedeploy.life = [{ after: 0, status: 'InProgress' }];
    const prepared = await setting.prepare();
    setting.codedeploy.failures.set('ListDeployments', [awsError('AccessDeniedException')]);
    const error = await failureOf(deployService(prepared, setting.request));
    const [item] = setting.remembered;
    const nonce = item?.kind === 'deployment' ? item.nonce : 'none';
    expect(error.message).toBe(
      "Whether a deployment was started in deployment group DgpECS-dev-web of AppECS-dev-web is not known: CreateDeployment was not answered (socket hang up), and it can't be looked for: AccessDeniedException: the test says so",
    );
    expect(error.hint).toBe(
      `If it was made, its description ends in #${nonce}. The post step looks for it once more, and does what on-cancel says; then run the step again.`,
    );
    expect(setting.codedeploy.created).toHaveLength(1);
    expect(setting.codedeploy.created[0]?.description).toMatch(new RegExp(`#${nonce}\\]$`));
    expect(setting.outputs.has('deployment-id')).toBe(false);
  });

  test('a refusal made nothing, and leaves the post step nothing', async () => {
    const setting = new Setting();
    setting.codedeploy.creations.push(awsError('InvalidRevisionException'));
    expect((await failureOf(deploy(setting))).message).toMatch(/InvalidRevisionException/);
    expect(setting.remembered).toEqual([]);
    expect(setting.outputs.has('deployment-id')).toBe(false);
  });

  test('“busy” after a lost reply is our own deployment, not a stranger’s', async () => {
    const setting = new Setting();
    setting.codedeploy.life = [{ after: 0, status: 'InProgress' }];
    // The list lags: two looks don't see it.
    setting.codedeploy.creations.push({ answer: 'unknown', error: new Error('ECONNRESET') }, 'made but lost');
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.codedeploy.created).toHaveLength(1);
  });
});

describe('a deployment that is under way', () => {
  test('is waited for, then everything is looked at anew', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OTHER' }, [{ after: 20, status: 'Succeeded' }]);
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'codedeploy:CreateDeployment']);
    expect(setting.journal.filter((call) => call === 'ecs:DescribeServices')).toHaveLength(1);
    expect(setting.log.lines[0]).toMatch(
      /^d-OTHER is under way in deployment group DgpECS-dev-web of AppECS-dev-web \(InProgress\): https/,
    );
  });

  test('is stopped with a rollback where that is asked', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OTHER' });
    await deploy(setting, { 'on-active-deployment': 'stop' });
    expect(setting.writes[0]).toBe('codedeploy:StopDeployment d-OTHER with rollback');
  });

  test('pain 2: in the wait before its old tasks end, that wait is ended instead', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OTHER', terminationWaitStarted: true });
    await deploy(setting, { 'on-active-deployment': 'stop' });
    expect(setting.writes[0]).toBe('codedeploy:ContinueDeployment d-OTHER TERMINATION_WAIT');
  });

  test('a rollback is never stopped', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-BACK', rollback: { by: undefined, of: 'd-0', message: undefined } }, [
      { after: 30, status: 'Succeeded' },
    ]);
    await deploy(setting, { 'on-active-deployment': 'stop' });
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'codedeploy:CreateDeployment']);
  });

  test('that does not end in time fails the step, and nothing was written', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OTHER' });
    const error = await failureOf(deploy(setting, { 'wait-for-minutes': 1 }));
    expect(error.message).toBe(
      'Deployment d-OTHER of deployment group DgpECS-dev-web of AppECS-dev-web did not end within 1 min, and nothing was started.',
    );
    expect(setting.writes).toEqual([]);
  });

  test('that came in between is waited for, and the definition is registered once', async () => {
    const setting = new Setting();
    const prepared = await setting.prepare();
    setting.codedeploy.add({ id: 'd-OTHER' }, [{ after: 30, status: 'Succeeded' }]);
    setting.codedeploy.creations.push({ answer: 'busy', message: 'already has an active Deployment' });
    expect(await deployService(prepared, setting.request)).toMatchObject({ result: 'started', id: 'd-NEW1' });
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'codedeploy:CreateDeployment', 'codedeploy:CreateDeployment']);
  });

  test('a cancel ends the waiting, and nothing was written', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OTHER' });
    const prepared = await setting.prepare();
    setting.abort.abort(new Error('The run was cancelled'));
    expect((await failureOf(deployService(prepared, setting.request))).message).toBe('The run was cancelled');
    expect(setting.writes).toEqual([]);
  });
});

describe('a stale run', () => {
  test.each([
    ['a newer run deployed', 'Succeeded', 1001],
    ['a newer run is deploying', 'InProgress', 1001],
  ])('yields: %s', async (_name, status, run) => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-NEWER', status, description: marked(run) });
    expect(await deploy(setting)).toMatchObject({ result: 'yielded', to: { id: 'd-NEWER' } });
    expect(setting.writes).toEqual([]);
    expect(setting.outputs.get('changed')).toBe('false');
    expect(setting.log.lines.at(-1)).toMatch(/^warning: Nothing was deployed: run 1001 of this workflow is newer/);
  });

  test('an older run’s deployment is no reason', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-OLD', status: 'Succeeded', description: marked(999) });
    expect(await deploy(setting)).toMatchObject({ result: 'started' });
  });
});
