/** A service that ECS itself deploys: what is read and refused, how a deployment is started once, and how it is followed and undone. */
import { describe, expect, test } from '@jest/globals';
import { parseMarker, descriptionOfTags, tagsOf, type Marker } from '../../src/domain/deployment-marker.ts';
import { formatImage } from '../../src/domain/image.ts';
import type { LiveService, OwnDeployments } from '../../src/domain/live-service.ts';
import type { Tag } from '../../src/domain/task-definition.ts';
import { CancelledError, DeploymentError, DocumentError, InputError } from '../../src/errors.ts';
import type { Ports } from '../../src/ports/index.ts';
import { deployService, type Deployed, type StartedDeployment } from '../../src/steps/deploy-service.ts';
import { finishDeployment, type UnfinishedDeployment } from '../../src/steps/finish-deployment.ts';
import { followDeployment, type Followed } from '../../src/steps/follow-deployment.ts';
import { planDeployment } from '../../src/steps/plan-deployment.ts';
import type { DeploymentInputs } from '../../src/steps/prepare-deployment.ts';
import { ownService, someDefinition, tasksOf, type OwnMoment } from '../fakes/ecs.ts';
import { account, awsError, failureOf, image, region, Setting, someInputs } from './deployment-setting.ts';

/** A setting in which ECS itself deploys the service. */
function settingOf({ service = {}, own = {} }: { service?: Partial<LiveService>; own?: Partial<OwnDeployments> } = {}): Setting {
  const setting = new Setting();
  setting.ecs.answer = { found: 'service', service: { ...ownService, own: { ...ownService.own, ...own }, ...service } };
  return setting;
}

async function deploy(setting: Setting, inputs: Partial<DeploymentInputs> = {}): Promise<Deployed> {
  const prepared = await setting.prepare(inputs);
  setting.journal.length = 0;
  return deployService(prepared, setting.request);
}

const ownArn = (id: string): string => `arn:aws:ecs:eu-west-1:222222222222:service-deployment/dev/web/${id}`;

/** The tag that a run of the same workflow gives its task definition. */
function markOf(run: number, given: Partial<Marker> = {}): Tag {
  const marker = { workflow: 'acme.shop:Release', run, attempt: 1, job: 'release', pullRequest: undefined, nonce: 'n', ...given };
  const [tag] = tagsOf({ marker });
  if (!tag) throw new Error('a mark without a tag');
  return tag;
}

describe('what is read', () => {
  test('ECS is asked for what runs and for its deployments, beside one another, once the service is known', async () => {
    const setting = settingOf();
    const prepared = await setting.prepare();
    expect(setting.journal).toEqual([
      'codedeploy:GetDeploymentGroup',
      'codedeploy:ListDeployments',
      'ecs:DescribeServices',
      'sts:GetCallerIdentity',
      'ecs:ListServiceDeployments active',
      'ecs:ListServiceDeployments',
      'ecs:DescribeTaskDefinition web:42',
      'ecs:DescribeServiceRevisions 42',
    ]);
    expect(prepared.running.arn).toMatch(/web:42$/);
    expect(prepared.deployer.where).toEqual({ how: 'ecs', region, account, cluster: 'dev', service: 'web' });
    expect(await prepared.deployer.budget()).toEqual({
      minutes: 35,
      explanation: '30 min for tasks and hooks, 5 min before the old tasks end',
    });
  });

  test('that CodeDeploy may not be read does not matter', async () => {
    const setting = settingOf();
    const denied = awsError('AccessDeniedException');
    setting.codedeploy.failures.set('GetDeploymentGroup', [denied]);
    setting.codedeploy.failures.set('ListDeployments', [denied]);
    await expect(setting.prepare()).resolves.toBeDefined();
  });

  test('that ECS’s deployments may not be read does', async () => {
    const setting = settingOf();
    setting.ecs.failures.set('ListServiceDeployments', awsError('AccessDeniedException'));
    expect((await failureOf(setting.prepare())).message).toMatch(/AccessDeniedException/);
  });

  test('what was asked for last and rolled back does not run', async () => {
    const setting = settingOf({ service: { taskDefinition: 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:43' } });
    setting.ecs.add({ status: 'ROLLBACK_SUCCESSFUL', target: tasksOf(43), sources: [tasksOf(42)] });
    expect((await setting.prepare()).running.arn).toMatch(/web:42$/);
  });

  test('while a deployment is under way, what has the traffic runs', async () => {
    const setting = settingOf({ service: { revisions: [tasksOf(43).arn, tasksOf(42).arn] } });
    setting.ecs.add({ target: tasksOf(43, { traffic: 10 }), sources: [tasksOf(42, { traffic: 90 })] });
    const prepared = await setting.prepare();
    expect(prepared.running.arn).toMatch(/web:42$/);
    expect(prepared.active).toMatchObject({ id: 'One', status: 'InProgress' });
  });

  test('a service that says nothing of its revisions runs what it names', async () => {
    const setting = settingOf({ service: { revisions: [] } });
    expect((await setting.prepare()).running.arn).toMatch(/web:42$/);
  });
});

describe('what is refused before anything is written', () => {
  const cases: readonly { name: string; inputs?: Partial<DeploymentInputs>; change?: (setting: Setting) => void; message: RegExp }[] = [
    {
      name: 'an AppSpec, whose hooks would not run',
      inputs: { 'codedeploy-appspec': 'appspec.yaml' },
      change: ({ files }) =>
        files.texts.set(
          'appspec.yaml',
          'version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: x\n        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}\n',
        ),
      message:
        /^codedeploy-appspec: is for CodeDeploy, and web is deployed by ECS itself \(BLUE_GREEN\): its hooks would not run; leave it out/,
    },
    {
      name: 'a wish about rollbacks, which the service alone decides',
      inputs: { 'auto-rollback': 'none' },
      message: /^auto-rollback: is none, and web is deployed by ECS itself \(BLUE_GREEN\), which rolls back as the service's/,
    },
    {
      name: 'a deployment under way that must not be, with who began it',
      inputs: { 'on-active-deployment': 'fail' },
      change: ({ ecs }) => {
        ecs.add({ target: tasksOf(43), sources: [tasksOf(42)] });
        ecs.tagsOf.set('web:43', [markOf(7)]);
      },
      message:
        /^on-active-deployment: is fail, and One \(InProgress by run 7 of acme\.shop:Release\) is under way in ECS's own BLUE_GREEN deployments: https:/,
    },
    {
      name: 'a container that the task definition lacks',
      change: ({ ecs }) => (ecs.definition = { ...someDefinition, containerDefinitions: [{ name: 'app', image: 'x' }] }),
      message:
        /^the load balancer of the service web: names the container web, which the task definition web lacks: its containers are app$/,
    },
    {
      name: 'a port that it does not map',
      change: ({ ecs }) =>
        (ecs.definition = { ...someDefinition, containerDefinitions: [{ name: 'web', portMappings: [{ containerPort: 8080 }] }] }),
      message: /^the load balancer of the service web: is for port 80 of the container web, which does not map it/,
    },
  ];
  test.each(cases)('$name', async ({ inputs, change, message }) => {
    const setting = settingOf();
    change?.(setting);
    const error = await failureOf(setting.prepare(inputs));
    expect([InputError, DocumentError].some((kind) => error instanceof kind)).toBe(true);
    expect(error.message).toMatch(message);
    expect(setting.writes).toEqual([]);
  });
});

describe('what has no meaning here is said, once', () => {
  test.each<[string, Partial<DeploymentInputs>, Partial<OwnDeployments>, string[]]>([
    ['nothing', {}, {}, []],
    [
      'names and settings of CodeDeploy',
      { 'codedeploy-application': 'App', 'codedeploy-deployment-config': 'CodeDeployDefault.ECSAllAtOnce' },
      {},
      [
        'warning: codedeploy-application is ignored: web is deployed by ECS itself (BLUE_GREEN).',
        'warning: codedeploy-deployment-config is ignored: web is deployed by ECS itself (BLUE_GREEN).',
      ],
    ],
    [
      'a wait for a pause that there is not',
      { 'wait-until': 'ready' },
      { pauses: [{ stage: 'POST_PRODUCTION_TRAFFIC_SHIFT', minutes: 5 }] },
      ['warning: wait-until is ready, and web has no pause hook before its traffic shifts: the step ends when the traffic has shifted.'],
    ],
    ['a wait for a pause', { 'wait-until': 'ready' }, { pauses: [{ stage: 'POST_SCALE_UP', minutes: 5 }] }, []],
  ])('%s', async (_name, inputs, own, warnings) => {
    const setting = settingOf({ own });
    const prepared = await setting.prepare(inputs);
    await prepared.again();
    expect(setting.log.lines).toEqual(warnings);
  });
});

describe('a change', () => {
  test('is registered with its mark, remembered, and given to the service alone', async () => {
    const setting = settingOf();
    setting.ecs.tags = [{ key: 'team', value: 'shop' }, markOf(1)];
    const deployed = await deploy(setting);
    expect(setting.journal).toEqual([
      'ecs:RegisterTaskDefinition',
      'remember',
      'ecs:ListServiceDeployments active',
      'ecs:UpdateService web:43',
      'ecs:ListServiceDeployments',
      'ecs:DescribeServiceRevisions 43',
    ]);
    expect(deployed).toMatchObject({ result: 'started', id: 'New43', taskDefinition: expect.stringMatching(/web:43$/) });
    expect(Object.fromEntries(setting.outputs)).toMatchObject({
      'deployment-id': 'New43',
      'deployment-url': 'https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/dev/services/web/deployments?region=eu-west-1',
      changed: 'true',
    });
    const tags = setting.ecs.registered[0]?.['tags'] as unknown as Tag[];
    expect(tags[0]).toEqual({ key: 'team', value: 'shop' });
    expect(parseMarker(descriptionOfTags(tags))).toMatchObject({ workflow: 'acme.shop:Release', run: 1000 });
    expect(tags).toHaveLength(2);
    expect(setting.remembered).toMatchObject([
      {
        kind: 'deployment',
        how: 'ecs',
        account,
        cluster: 'dev',
        service: 'web',
        taskDefinition: deployed.taskDefinition,
        onCancel: 'rollback',
      },
    ]);
  });

  const same = {
    ...someDefinition,
    containerDefinitions: [{ name: 'web', image: formatImage(image), portMappings: [{ containerPort: 80 }] }],
  };
  test('that is none is neither registered nor deployed', async () => {
    const setting = settingOf();
    setting.ecs.definition = same;
    expect(await deploy(setting)).toMatchObject({ result: 'unchanged', taskDefinition: expect.stringMatching(/web:42$/) });
    expect(setting.writes).toEqual([]);
  });
  test('that is none, forced, has a task definition of its own, by which it is known', async () => {
    const setting = settingOf();
    setting.ecs.definition = same;
    expect(await deploy(setting, { 'force-new-deployment': true })).toMatchObject({ result: 'started', id: 'New43' });
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService web:43']);
  });

  test('is deployed by whoever may not tag too, and that is said', async () => {
    const setting = settingOf();
    setting.ecs.failures.set('RegisterTaskDefinition', [awsError('AccessDeniedException')]);
    expect(await deploy(setting)).toMatchObject({ result: 'started' });
    expect(setting.ecs.registered.map((definition) => definition['tags'])).toEqual([undefined]);
    expect(setting.log.lines.join('\n')).toMatch(
      /warning: The task definition could not be tagged \(ecr-org-deploy\).*Allow ecs:TagResource\./,
    );
  });
  test('is refused where nothing may be registered', async () => {
    const setting = settingOf();
    setting.ecs.failures.set('RegisterTaskDefinition', awsError('AccessDeniedException'));
    expect((await failureOf(deploy(setting))).message).toMatch(/AccessDeniedException/);
    expect(setting.ecs.registered).toEqual([]);
    expect(setting.remembered).toEqual([]);
  });
});

describe('a deployment is made once', () => {
  test('though the reply is lost', async () => {
    const setting = settingOf();
    setting.ecs.updates.push('made but lost');
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'New43' });
    expect(setting.journal.filter((call) => call.startsWith('ecs:UpdateService'))).toHaveLength(1);
    expect(setting.log.lines.join('\n')).toMatch(
      /UpdateService was not answered \(socket hang up\): looking whether the deployment was made/,
    );
  });
  test('though the reply is lost and the list lags behind', async () => {
    const setting = settingOf();
    setting.ecs.updates.push('made but lost');
    setting.ecs.lag = 3;
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'New43' });
    // Asked again, ECS has nothing to do.
    expect(setting.journal.filter((call) => call.startsWith('ecs:UpdateService'))).toHaveLength(2);
    expect(await setting.ecs.newestDeployments()).toHaveLength(1);
  });
  test('though the request is lost', async () => {
    const setting = settingOf();
    setting.ecs.updates.push({ answer: 'unknown', error: new Error('ECONNRESET') });
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'New43' });
    expect(setting.journal.filter((call) => call.startsWith('ecs:UpdateService'))).toHaveLength(2);
  });
  test('and found quietly where the list lags behind', async () => {
    const setting = settingOf();
    setting.ecs.lag = 3;
    expect(await deploy(setting)).toMatchObject({ result: 'started', id: 'New43' });
    expect(setting.log.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
  });
  test('or not at all: three times without an answer', async () => {
    const setting = settingOf();
    setting.ecs.updates.push(...Array.from({ length: 3 }, () => ({ answer: 'unknown' as const, error: new Error('ECONNRESET') })));
    expect((await failureOf(deploy(setting))).message).toMatch(
      /^ecs:UpdateService for ECS's own BLUE_GREEN deployments was not answered three times: ECONNRESET/,
    );
    expect(setting.remembered).toHaveLength(1);
  });
  test('or refused, and forgotten', async () => {
    const setting = settingOf();
    setting.ecs.updates.push(awsError('InvalidParameterException'));
    expect((await failureOf(deploy(setting))).message).toMatch(/^InvalidParameterException/);
    expect(setting.remembered).toEqual([]);
  });
});

describe('another deployment', () => {
  const other: OwnMoment[] = [{ after: 60, status: 'SUCCESSFUL' }];

  test('is never replaced unasked: one that came in between is waited for', async () => {
    const setting = settingOf();
    const prepared = await setting.prepare();
    setting.ecs.add({ arn: ownArn('Other'), target: tasksOf(7), sources: [tasksOf(42)] }, other);
    expect(await deployService(prepared, setting.request)).toMatchObject({ result: 'started', id: 'New43' });
    expect(setting.log.lines.join('\n')).toMatch(/was taken meanwhile: Other is under way\./);
    expect(setting.journal.indexOf('ecs:UpdateService web:43')).toBeGreaterThan(
      setting.journal.lastIndexOf('ecs:DescribeServiceDeployments Other'),
    );
    // The revision that is registered already serves.
    expect(setting.ecs.registered).toHaveLength(1);
  });

  test('under way is waited for with its progress', async () => {
    const setting = settingOf();
    setting.ecs.add({ arn: ownArn('Other'), target: tasksOf(7), sources: [tasksOf(42)], stage: 'SCALE_UP' }, other);
    expect(await deploy(setting)).toMatchObject({ result: 'started' });
    expect(setting.log.lines).toContain('Other  SCALE_UP …');
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService web:43']);
  });

  test.each<[string, Partial<OwnMoment>, boolean]>([
    ['is stopped with a rollback where that is asked', { stage: 'SCALE_UP' }, true],
    ['whose traffic has shifted is waited for', { stage: 'BAKE_TIME' }, false],
    ['that is rolled back is waited for', { status: 'ROLLBACK_IN_PROGRESS' }, false],
  ])('%s', async (_name, moment, isStopped) => {
    const setting = settingOf();
    setting.ecs.add({ arn: ownArn('Other'), target: tasksOf(7), sources: [tasksOf(42)], ...moment }, other);
    await deploy(setting, { 'on-active-deployment': 'stop' });
    expect(setting.writes.includes('ecs:StopServiceDeployment Other')).toBe(isStopped);
    expect(setting.writes).toContain('ecs:UpdateService web:43');
  });

  test.each([
    ['a newer run’s', 2000, 'SUCCESSFUL', 'yielded'],
    ['a newer run’s that failed', 2000, 'ROLLBACK_SUCCESSFUL', 'started'],
    ['an older run’s', 7, 'SUCCESSFUL', 'started'],
  ])('%s', async (_name, run, status, result) => {
    const setting = settingOf();
    setting.ecs.add({ arn: ownArn('Other'), target: tasksOf(41), sources: [tasksOf(42)], status });
    setting.ecs.tagsOf.set('web:41', [markOf(run)]);
    expect(await deploy(setting)).toMatchObject({ result });
    if (result === 'yielded') expect(setting.writes).toEqual([]);
  });
});

describe('a plan', () => {
  const plan = async (setting: Setting, inputs: Partial<DeploymentInputs> = {}) => {
    const prepared = await setting.prepare(inputs);
    setting.journal.length = 0;
    return planDeployment(prepared, { images: [image], ports: setting.ports, output: setting.request.output });
  };
  test('shows the update as it would be sent', async () => {
    const setting = settingOf();
    const { writes, deployment } = await plan(setting);
    expect(writes).toEqual([
      { service: 'ecs', action: 'RegisterTaskDefinition', resource: '*' },
      { service: 'ecs', action: 'UpdateService', resource: 'arn:aws:ecs:eu-west-1:222222222222:service/dev/web' },
    ]);
    expect(JSON.parse(deployment?.updateService ?? '')).toEqual({
      cluster: 'dev',
      service: 'web',
      taskDefinition: 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:<new revision>',
    });
    expect(deployment?.appSpec).toBeUndefined();
    expect(setting.journal).toEqual([]);
  });
  test.each<[string, Partial<OwnMoment>, RegExp, string[]]>([
    ['stopped', {}, /would be stopped with a rollback$/, ['StopServiceDeployment']],
    ['waited for', { stage: 'BAKE_TIME' }, /would be waited for: its traffic has shifted$/, []],
    ['waited for', { status: 'ROLLBACK_IN_PROGRESS' }, /would be waited for$/, []],
  ])('says of one under way that it would be %s: %j', async (_name, moment, before, calls) => {
    const setting = settingOf();
    setting.ecs.add({ arn: ownArn('Other'), target: tasksOf(7), sources: [tasksOf(42)], ...moment });
    const { writes, deployment } = await plan(setting, { 'on-active-deployment': 'stop' });
    expect(deployment?.before).toMatch(before);
    expect(writes.map(({ action }) => action)).toEqual([...calls, 'RegisterTaskDefinition', 'UpdateService']);
  });
});

/** Tasks and traffic of the new revision, and of the old one. */
const shifted = (traffic: number, running = 2) => ({
  target: tasksOf(43, { running, traffic }),
  sources: [tasksOf(42, { traffic: 100 - traffic })],
});

async function started(setting: Setting, inputs: Partial<DeploymentInputs> = {}): Promise<StartedDeployment> {
  const deployed = await deploy(setting, inputs);
  if (deployed.result !== 'started') throw new Error('it did not start');
  setting.log.lines.length = 0;
  setting.journal.length = 0;
  return deployed;
}

async function follow(setting: Setting, inputs: Partial<DeploymentInputs> = {}): Promise<Followed> {
  return followDeployment({ ...setting.request, ...(await started(setting, inputs)) });
}

function living(life: readonly OwnMoment[], own: Partial<OwnDeployments> = {}): Setting {
  const setting = settingOf({ own });
  setting.ecs.life = life;
  return setting;
}

const pause = {
  id: 'ecs-pause-1',
  kind: 'PAUSE',
  target: undefined,
  status: 'AWAITING_ACTION',
  expiresAt: Date.parse('2026-11-21T13:00:00Z'),
  onTimeout: 'ROLLBACK',
};
const life: readonly OwnMoment[] = [
  { after: 0, status: 'PENDING' },
  { after: 5, stage: 'PRE_SCALE_UP', ...shifted(0, 0) },
  { after: 10, stage: 'SCALE_UP', ...shifted(0, 1) },
  { after: 100, stage: 'PRODUCTION_TRAFFIC_SHIFT', ...shifted(10) },
  { after: 400, stage: 'BAKE_TIME', ...shifted(100) },
  { after: 700, stage: 'CLEAN_UP', ...shifted(100) },
  { after: 710, stage: 'CLEAN_UP', status: 'SUCCESSFUL', ...shifted(100) },
];

describe('a deployment that succeeds', () => {
  test('is told by what is new, a line each', async () => {
    const setting = living(life, { strategy: 'CANARY', routing: { kind: 'canary', percentage: 10, minutes: 5 } });
    expect(await follow(setting)).toMatchObject({
      status: 'Succeeded',
      events: [{ name: 'PRE_SCALE_UP' }, {}, {}, {}, { name: 'CLEAN_UP' }],
    });
    expect(setting.log.lines).toEqual([
      '▼ New43  following until succeeded, for at most 40 min (30 min for tasks and hooks, 5 min canary traffic shift, 5 min before the old tasks end)',
      'New43  Created',
      'New43  PRE_SCALE_UP …',
      'New43  green tasks: 0 of 2 running',
      'New43  PRE_SCALE_UP ✓ (5 s)',
      'New43  SCALE_UP …',
      'New43  green tasks: 1 of 2 running',
      'New43  SCALE_UP ✓ (1 min 30 s)',
      'New43  PRODUCTION_TRAFFIC_SHIFT …',
      'New43  green tasks: 2 of 2 running',
      'New43  green traffic: 0 % → 10 %',
      'New43  PRODUCTION_TRAFFIC_SHIFT ✓ (5 min)',
      'New43  BAKE_TIME …',
      'New43  green traffic: 10 % → 100 %',
      'New43  the traffic has shifted whole; the old tasks are kept for a while',
      'New43  BAKE_TIME ✓ (5 min)',
      'New43  CLEAN_UP …',
      'New43  CLEAN_UP ✓ (10 s)',
      'New43  Succeeded',
      expect.stringMatching(/^New43 {2}Succeeded: PRE_SCALE_UP ✓ \(5 s\) .* CLEAN_UP ✓/),
    ]);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
    expect(setting.remembered).toEqual([]);
    expect(setting.writes).toEqual([]);
    expect(new Set(setting.journal)).toEqual(new Set(['ecs:DescribeServiceDeployments New43', 'forget']));
  });

  test.each([
    ['started', 'Created', 0],
    ['traffic-shifted', 'InProgress', 400],
    ['succeeded', 'Succeeded', 710],
  ] as const)('until %s', async (until, status, seconds) => {
    const setting = living(life);
    const begin = setting.clock.now();
    expect((await follow(setting, { 'wait-until': until })).status).toBe(status);
    const took = (setting.clock.now() - begin) / 1_000;
    expect(took).toBeGreaterThanOrEqual(seconds);
    expect(took).toBeLessThanOrEqual(seconds + 20);
  });

  test('until ready: where a pause hook holds it', async () => {
    const setting = living([{ after: 0 }, { after: 90, stage: 'POST_SCALE_UP', hooks: [pause] }], {
      pauses: [{ stage: 'POST_SCALE_UP', minutes: 60 }],
    });
    expect((await follow(setting, { 'wait-until': 'ready' })).status).toBe('Ready');
    expect(setting.log.lines).toContain(
      'New43  Ready: a pause hook holds it at POST_SCALE_UP, until 2026-11-21 13:00 UTC; then ECS rolls back (mode: continue, or the console)',
    );
  });
});

describe('a deployment that fails', () => {
  const back: OwnMoment[] = [
    { after: 60, status: 'ROLLBACK_IN_PROGRESS', rollback: { reason: 'it was no good.' }, ...shifted(10) },
    { after: 90, status: 'ROLLBACK_SUCCESSFUL', rollback: { reason: 'it was no good.' }, ...shifted(0, 0) },
  ];
  const hook = { ...pause, id: 'h', kind: 'AWS_LAMBDA', target: 'arn:aws:lambda:eu-west-1:222222222222:function:smoke', status: 'FAILED' };

  test('is followed to the end of its rollback, and explained', async () => {
    const setting = living([
      { after: 0, stage: 'POST_SCALE_UP', ...shifted(0) },
      ...back.map((moment) => ({ ...moment, hooks: [hook], stage: 'POST_SCALE_UP' })),
    ]);
    const at = setting.clock.now();
    const deployed = await started(setting);
    setting.ecs.answer = {
      found: 'service',
      service: { ...ownService, events: [{ at: at + 9_000, message: '(service web) deployment failed' }] },
    };
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed }));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toBe(
      [
        'Deployment New43 failed: ROLLBACK_SUCCESSFUL: it was no good.',
        '  POST_SCALE_UP (the new tasks run, without traffic) failed after 1 min: FAILED: arn:aws:lambda:eu-west-1:222222222222:function:smoke',
        '  the lifecycle hook arn:aws:lambda:eu-west-1:222222222222:function:smoke at POST_SCALE_UP failed',
        '  service event: deployment failed',
        'The new tasks had up to 10 % of the production traffic.',
        'ECS rolled it back: the old tasks have the whole traffic again.',
      ].join('\n'),
    );
    expect(error.hint).toMatch(/^A lifecycle hook’s Lambda function failed .* https:\/\/eu-west-1\.console/);
    expect(setting.log.lines).toEqual(
      expect.arrayContaining(['New43  RollingBack: it was no good.', 'New43  POST_SCALE_UP ✗ (1 min)', 'New43  Failed']),
    );
    expect(Object.fromEntries(setting.outputs)).toMatchObject({ 'deployment-status': 'Failed' });
    expect(setting.outputs.has('rollback-deployment-id')).toBe(false);
    expect(setting.remembered).toEqual([]);
    expect(setting.writes).toEqual([]);
  });

  test.each<[string, OwnMoment[], RegExp]>([
    [
      'whose rollback fails',
      [{ after: 30, status: 'ROLLBACK_FAILED', rollback: { reason: 'a hook' }, reason: 'tasks did not start' }],
      /^Deployment New43 failed: ROLLBACK_FAILED: a hook tasks did not start\n {2}SCALE_UP \(the new tasks are started, and must become healthy\) failed after 30 s\nThe new tasks were never seen with production traffic\.\nIts rollback failed: see which tasks have the traffic, https:/,
    ],
    [
      'that somebody else stops',
      [
        { after: 30, status: 'ROLLBACK_REQUESTED', reason: 'a user requested it' },
        { after: 60, status: 'ROLLBACK_SUCCESSFUL', reason: 'a user requested it' },
      ],
      /^Deployment New43 failed: ROLLBACK_SUCCESSFUL: a user requested it\n {2}SCALE_UP \(the new tasks are started, and must become healthy\) failed after 30 s\nThe new tasks were never seen with production traffic\.\nECS rolled it back/,
    ],
    [
      'whose place another takes',
      [
        { after: 30, status: 'STOP_REQUESTED' },
        { after: 60, status: 'STOPPED', reason: 'a new one began' },
      ],
      /^Deployment New43 was stopped: STOPPED: a new one began\n {2}SCALE_UP \(the new tasks are started, and must become healthy\) failed after 30 s\nThe new tasks were never seen with production traffic\.\nECS did not roll it back: see which tasks have the traffic, https:/,
    ],
    [
      'by an alarm',
      [...back.map((moment) => ({ ...moment, alarms: ['web-5xx'] }))],
      /\n {2}the CloudWatch alarm web-5xx went off\nThe new tasks had up to 10 % of the production traffic\.\nECS rolled it back/,
    ],
    [
      'by the circuit breaker',
      [...back.map((moment) => ({ ...moment, circuitBreaker: { status: 'TRIGGERED', failures: 3, threshold: 3 } }))],
      /\n {2}the deployment circuit breaker tripped: 3 tasks failed, and 3 are its threshold\n/,
    ],
  ])('%s', async (_name, moments, message) => {
    const setting = living([{ after: 0, stage: 'SCALE_UP' }, ...moments]);
    expect((await failureOf(follow(setting))).message).toMatch(message);
    expect(setting.writes).toEqual([]);
  });
});

describe('faults', () => {
  test('throttling, 5xx and lost connections are survived', async () => {
    const setting = living(life);
    const deployed = await started(setting);
    setting.ecs.failures.set('DescribeServiceDeployments', [
      awsError('ThrottlingException'),
      awsError('ServerException', { httpStatusCode: 500 }),
      Object.assign(new Error('socket'), { code: 'ECONNRESET' }),
    ]);
    expect((await followDeployment({ ...setting.request, ...deployed })).status).toBe('Succeeded');
  });

  test.each([
    ['AccessDeniedException', /^https:/],
    ['ExpiredTokenException', /^See whether the role’s sessions were revoked.* https:/],
  ])('%s ends the wait at once, and the deployment goes on', async (code, hint) => {
    const setting = living(life);
    const deployed = await started(setting);
    setting.ecs.failures.set('DescribeServiceDeployments', awsError(code));
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed }));
    expect(error.message).toMatch(/^Deployment New43 is still running, but can't be followed: /);
    expect(error.hint).toMatch(hint);
    expect(setting.clock.slept).toEqual([]);
    expect(setting.writes).toEqual([]);
  });
});

describe('when the time is over', () => {
  const late = { 'wait-for-minutes': 3 } as const;
  test('it goes on, unless the author says otherwise', async () => {
    const setting = living([{ after: 0, stage: 'SCALE_UP' }]);
    expect((await failureOf(follow(setting, late))).message).toMatch(
      /^Deployment New43 did not come to succeeded within 3 min \(wait-for-minutes\)\. It was InProgress, in SCALE_UP\. It goes on, as on-timeout says\.$/,
    );
    expect(setting.writes).toEqual([]);
  });
  test.each<[string, OwnMoment, readonly string[], RegExp]>([
    [
      'it is stopped, and its rollback followed',
      { after: 0, stage: 'SCALE_UP' },
      ['ecs:StopServiceDeployment New43'],
      /It was stopped with a rollback, as on-timeout says\.\nECS rolled it back: the old tasks have the whole traffic again\.$/,
    ],
    ['its traffic has shifted: it goes on', { after: 0, stage: 'BAKE_TIME' }, [], /It goes on: its traffic has shifted whole/],
  ])('on-timeout: rollback: %s', async (_name, moment, written, message) => {
    const setting = living([moment]);
    expect((await failureOf(follow(setting, { ...late, 'on-timeout': 'rollback' }))).message).toMatch(message);
    expect(setting.writes).toEqual(written);
    expect(setting.remembered).toEqual([]);
  });
});

describe('a cancel', () => {
  const cancelled = async (moments: readonly OwnMoment[], inputs: Partial<DeploymentInputs> = {}) => {
    const setting = living(moments);
    const deployed = await started(setting, inputs);
    setting.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
    const error = await failureOf(followDeployment({ ...setting.request, ...deployed }));
    return { setting, error };
  };
  test.each<[string, OwnMoment, Partial<DeploymentInputs>, string[], RegExp]>([
    [
      'stops it with a rollback',
      { after: 0, stage: 'SCALE_UP' },
      {},
      ['ecs:StopServiceDeployment New43'],
      /New43 was stopped with a rollback: the traffic goes back/,
    ],
    ['leaves it where that is asked', { after: 0 }, { 'on-cancel': 'leave' }, [], /New43 goes on/],
    ['leaves one whose traffic has shifted', { after: 0, stage: 'BAKE_TIME' }, {}, [], /its traffic has shifted whole/],
    [
      'stops one whose shift is still being checked',
      { after: 0, stage: 'POST_PRODUCTION_TRAFFIC_SHIFT' },
      {},
      ['ecs:StopServiceDeployment New43'],
      /was stopped/,
    ],
    ['adds nothing to a rollback', { after: 0, status: 'ROLLBACK_IN_PROGRESS' }, {}, [], /is rolled back already/],
    ['comes too late', { after: 0, status: 'SUCCESSFUL' }, {}, [], /had ended already: Succeeded/],
  ])('%s', async (_name, moment, inputs, writes, message) => {
    const { setting, error } = await cancelled([moment], inputs);
    expect(error).toBeInstanceOf(CancelledError);
    expect(error.message).toMatch(message);
    expect(setting.writes).toEqual(writes);
    expect(setting.remembered).toEqual([]);
  });

  test.each<[string, OwnMoment, RegExp, number]>([
    ['that has ended meanwhile is no failure', { after: 0, status: 'SUCCESSFUL' }, /ended before it could be stopped/, 0],
    ['that runs on is left to the post step', { after: 0, stage: 'SCALE_UP' }, /could not be stopped: ConflictException/, 1],
  ])('of one %s', async (_name, after, message, remembered) => {
    const setting = living([{ after: 0, stage: 'SCALE_UP' }]);
    const deployed = await started(setting);
    // Between the look and the stop it becomes what it is after.
    const refuse = setting.ecs.stopServiceDeployment;
    setting.ecs.failures.set('StopServiceDeployment', awsError('ConflictException'));
    setting.ecs.stopServiceDeployment = async (arn) => {
      const { after: _seconds, ...moment } = after;
      setting.ecs.become('New43', moment);
      return refuse(arn);
    };
    setting.abort.abort(new CancelledError('now'));
    expect((await failureOf(followDeployment({ ...setting.request, ...deployed }))).message).toMatch(message);
    expect(setting.remembered).toHaveLength(remembered);
  });
});

describe('the post step', () => {
  const taskDefinition = 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:43';
  const unfinished: UnfinishedDeployment = {
    how: 'ecs',
    nonce: 'abc123',
    taskDefinition,
    account,
    region,
    cluster: 'dev',
    service: 'web',
    onCancel: 'rollback',
    access: someInputs,
  };
  const finish = async (setting: Setting): Promise<void> => {
    const ports: Partial<Ports> = {
      ...setting.ports,
      credentials: { open: () => setting.session, available: async () => true },
      ecs: () => setting.ecs,
      codedeploy: () => setting.codedeploy,
    };
    await finishDeployment({ unfinished, ports: ports as Ports });
  };

  test.each<[string, readonly Tag[], readonly string[], RegExp]>([
    ['ours, by its mark', [markOf(1000, { nonce: 'abc123' })], ['ecs:StopServiceDeployment One'], /One was stopped with a rollback/],
    ['ours, by its task definition alone', [], ['ecs:StopServiceDeployment One'], /One was stopped with a rollback/],
    ['a stranger’s', [markOf(1000, { nonce: 'other' })], [], /was never made/],
  ])('%s', async (_name, tags, writes, said) => {
    const setting = settingOf();
    setting.ecs.add({ target: tasksOf(43), sources: [tasksOf(42)] });
    setting.ecs.tagsOf.set('web:43', tags);
    await finish(setting);
    expect(setting.writes).toEqual(writes);
    expect(setting.log.lines.at(-1)).toMatch(said);
    expect(setting.journal.indexOf('sts:GetCallerIdentity')).toBeGreaterThanOrEqual(0);
  });

  test('none was made', async () => {
    const setting = settingOf();
    setting.ecs.add({ target: tasksOf(42), sources: [tasksOf(41)], status: 'SUCCESSFUL' });
    await finish(setting);
    expect(setting.writes).toEqual([]);
    expect(setting.log.lines.at(-1)).toMatch(/was never made/);
  });

  test('touches nothing in another account', async () => {
    const setting = settingOf();
    setting.ecs.add({ target: tasksOf(43) });
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-account-id', problem: 'is another one' }]);
    };
    expect((await failureOf(finish(setting))).message).toMatch(/is another one/);
    expect(setting.writes).toEqual([]);
  });
});
