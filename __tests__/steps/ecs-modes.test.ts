/** `follow`, `continue` and `rollback` of a service that ECS itself deploys: Two upon One, web:42 upon web:41. */
import { describe, expect, test } from '@jest/globals';
import { markerOf, tagsOf } from '../../src/domain/deployment-marker.ts';
import type { DeploymentId } from '../../src/domain/deployment.ts';
import type { LiveService, OwnDeployments } from '../../src/domain/live-service.ts';
import type { LifecycleHook, ServiceDeployment } from '../../src/domain/service-deployment.ts';
import type { Tag } from '../../src/domain/task-definition.ts';
import { CancelledError, DeploymentError, InputError } from '../../src/errors.ts';
import { continuer } from '../../src/steps/continue-deployment.ts';
import { serviceDeploymentProblems } from '../../src/steps/ecs-place.ts';
import { planContinuation } from '../../src/steps/plan-course.ts';
import { planRollback } from '../../src/steps/plan-rollback.ts';
import { prepareRollback } from '../../src/steps/prepare-rollback.ts';
import { resumeDeployment, type ResumeInputs } from '../../src/steps/resume-deployment.ts';
import { rollBack, type RollbackRequest } from '../../src/steps/roll-back.ts';
import { ownService, someService, tasksOf, type OwnMoment } from '../fakes/ecs.ts';
import { awsError, failureOf } from './deployment-setting.ts';
import { arn, ExistingSetting, wish } from './existing-deployment.ts';

const one = 'One-0000000000000001';
const two = 'Two-0000000000000002';
const ownArn = (id: string, service = 'web'): string => `arn:aws:ecs:eu-west-1:222222222222:service-deployment/dev/${service}/${id}`;
const idOf = (text: string): DeploymentId => text as DeploymentId;

function marksOf(run: number, { undoes }: { undoes?: string } = {}): readonly Tag[] {
  const of = { repository: 'acme/shop', workflow: 'Release', runId: String(run), runAttempt: '1', job: 'release' };
  return tagsOf({ marker: markerOf(of, { nonce: 'abc123', pullRequest: undefined }), undoes });
}

interface Given extends Partial<OwnDeployments> {
  readonly service?: Partial<LiveService>;
  readonly base?: Partial<ServiceDeployment>;
  readonly tags?: readonly Tag[];
}

/** A setting in which Two has begun. */
function living(moments: readonly OwnMoment[], { service, base, tags = [], ...own }: Given = {}): ExistingSetting {
  const setting = new ExistingSetting();
  const { ecs } = setting;
  ecs.answer = { found: 'service', service: { ...ownService, own: { ...ownService.own, ...own }, ...service } };
  ecs.tagsOf.set('web:42', tags);
  ecs.add({ arn: ownArn(one), target: tasksOf(41), status: 'SUCCESSFUL', createdAt: 0 });
  ecs.add({ arn: ownArn(two), target: tasksOf(42), sources: [tasksOf(41)], ...base }, moments);
  return setting;
}

async function follow(setting: ExistingSetting, inputs: Partial<ResumeInputs> = {}, { continuing = false } = {}): Promise<void> {
  const all = { ...wish, ...inputs };
  const found = await setting.find(all);
  const { log, abort, ports, memory, output, side } = setting;
  const seen = continuer({ deployer: found.deployer, until: all['wait-until'], log, signal: abort.signal });
  setting.journal.length = 0;
  await resumeDeployment({ found, inputs: all, side, ports, memory, signal: abort.signal, output, ...(continuing && { seen }) });
}

const shifted: readonly OwnMoment[] = [
  { after: 0, stage: 'SCALE_UP' },
  { after: 60, stage: 'BAKE_TIME', target: tasksOf(42, { traffic: 100 }) },
  { after: 360, status: 'SUCCESSFUL' },
];

describe('what is meant', () => {
  test('the service says who deploys it; its deployment under way is taken', async () => {
    const setting = living(shifted);
    const { deployer, deployment } = await setting.find(wish);
    expect(deployment.id).toBe(two);
    expect(deployer.where).toEqual({ how: 'ecs', region: 'eu-west-1', account: '222222222222', cluster: 'dev', service: 'web' });
    expect(setting.journal.filter((call) => call.startsWith('codedeploy:'))).toEqual([]);
  });

  test.each([two, ownArn(two)])('%s is one of ECS’s own', async (id) => {
    const setting = living(shifted, { tags: marksOf(999) });
    const { deployment } = await setting.find({ ...wish, 'deployment-id': idOf(id) });
    expect(deployment).toMatchObject({ id: two, description: expect.stringContaining('/999/1/release#abc123') });
  });

  test('an ARN says what service it is of', async () => {
    const setting = living(shifted);
    const { deployment } = await setting.find({ ...wish, cluster: undefined, service: undefined, 'deployment-id': idOf(ownArn(two)) });
    expect(deployment.id).toBe(two);
  });

  test('both names of CodeDeploy’s mean CodeDeploy, and nothing is asked of the service', async () => {
    const setting = living(shifted);
    setting.codedeploy.add({ id: 'd-1' });
    const names = { 'codedeploy-application': 'AppECS-dev-web', 'codedeploy-deployment-group': 'DgpECS-dev-web' };
    expect((await setting.find({ ...wish, ...names })).deployment.id).toBe('d-1');
    expect(setting.journal).not.toContain('ecs:DescribeServices');
  });

  test('nothing under way: the newest is named', async () => {
    const message = (await failureOf(living([{ after: 0, status: 'SUCCESSFUL' }]).find(wish))).message;
    expect(message).toBe(
      `deployment-id: is needed: nothing is under way in ECS's own BLUE_GREEN deployments; the newest deployment there, ${two}, ended as Succeeded`,
    );
  });

  test('one that is not there', async () => {
    const setting = living(shifted);
    setting.ecs.failures.set('DescribeServiceDeployments', awsError('MISSING'));
    const error = await failureOf(setting.find({ ...wish, 'deployment-id': idOf(two) }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(new RegExp(`^deployment-id: there is no deployment ${two} in eu-west-1 of 222222222222`));
  });

  test.each<[string, LiveService, RegExp]>([
    [
      'rolling updates',
      { ...ownService, own: { ...ownService.own, strategy: 'ROLLING' } },
      /^service: web has rolling updates .*BLUE_GREEN/,
    ],
    ['EXTERNAL', { ...ownService, controller: 'EXTERNAL' }, /^service: web has the deployment controller EXTERNAL/],
  ])('%s are refused by name', async (_, service, message) => {
    const setting = living([], { service });
    expect((await failureOf(setting.find(wish))).message).toMatch(message);
  });

  test('its ID, of a service that CodeDeploy deploys', async () => {
    const setting = living([], { service: someService });
    const error = await failureOf(setting.find({ ...wish, 'deployment-id': idOf(two) }));
    expect(error.message).toBe(`deployment-id: ${two} is of ECS’s own deployments, and web is deployed by CodeDeploy (d-…)`);
  });

  test('inputs that are not used are said', async () => {
    const setting = living(shifted);
    await setting.find({ ...wish, 'codedeploy-application': 'AppECS-dev-web' });
    expect(setting.log.lines).toEqual(['warning: codedeploy-application is ignored: web is deployed by ECS itself (BLUE_GREEN).']);
  });

  test.each<[string, Partial<ResumeInputs>, readonly string[]]>([
    ['an ID without its service', { cluster: undefined, service: undefined, 'deployment-id': idOf(two) }, ['cluster', 'service']],
    ['an ARN of another service', { 'deployment-id': idOf(ownArn(two, 'api')) }, ['is of the service api, not of web']],
    ['an ARN of another cluster', { cluster: 'prod', 'deployment-id': idOf(ownArn(two)) }, ['is of the cluster dev, not of prod']],
    [
      'an ARN of another Region',
      { 'deployment-id': idOf(ownArn(two).replace('eu-west-1', 'us-east-1')) },
      ['is in us-east-1, and the Region is eu-west-1 (deploy-region)'],
    ],
    ['an ID with its service', { 'deployment-id': idOf(two) }, []],
    ['CodeDeploy’s', { 'deployment-id': idOf('d-9XKQ2T7LM') }, []],
    ['none', {}, []],
  ])('%s, before any call', (_, inputs, said) => {
    const problems = serviceDeploymentProblems({ ...wish, ...inputs });
    expect(problems.map(({ input, problem }) => (input === 'deployment-id' ? problem : input))).toEqual(said);
  });
});

describe('follow', () => {
  test('tells what is followed, and how it ends', async () => {
    const setting = living(shifted);
    await follow(setting);
    expect(setting.log.lines[0]).toBe(
      `${two}  is under way (InProgress): a deployment of web:42 to web in cluster dev, in ECS's own BLUE_GREEN deployments: https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/dev/services/web/deployments?region=eu-west-1`,
    );
    expect(setting.log.lines).toContain(`${two}  the traffic has shifted whole; the old tasks are kept for a while`);
    expect(Object.fromEntries(setting.outputs)).toEqual({
      'deployment-id': two,
      'deployment-url': expect.stringContaining('/services/web/deployments'),
      'deployment-status': 'Succeeded',
      'task-definition-arn': arn(42),
    });
    expect(setting.writes).toEqual([]);
  });

  test('one that ECS rolled back fails the step, with the reason', async () => {
    const setting = living([{ after: 0, status: 'ROLLBACK_SUCCESSFUL', rollback: { reason: 'the smoke test said no' } }]);
    const error = await failureOf(follow(setting, { 'deployment-id': idOf(two) }));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toMatch(/failed: ROLLBACK_SUCCESSFUL: the smoke test said no[^]*ECS rolled it back: the old tasks have/);
    expect(setting.outputs.has('rollback-deployment-id')).toBe(false);
  });

  test.each<[string, readonly Tag[], number]>([
    ['ours, by its mark and its task definition', marksOf(999), 1],
    ['a stranger’s: the post step could not know it again', [], 0],
  ])('on-cancel: rollback of %s', async (_, tags, remembered) => {
    const setting = living(shifted, { tags });
    setting.memory.forget = () => undefined;
    setting.abort.abort(new CancelledError('now'));
    await failureOf(follow(setting, { 'on-cancel': 'rollback' }));
    expect(setting.writes).toEqual([`ecs:StopServiceDeployment ${two}`]);
    expect(setting.remembered).toHaveLength(remembered);
    if (remembered > 0) expect(setting.remembered).toMatchObject([{ how: 'ecs', nonce: 'abc123', taskDefinition: arn(42) }]);
  });
});

const hook: LifecycleHook = {
  id: 'pause-1',
  kind: 'PAUSE',
  target: undefined,
  status: 'AWAITING_ACTION',
  expiresAt: undefined,
  onTimeout: 'ROLLBACK',
};
const beforeShift = { pauses: [{ stage: 'POST_SCALE_UP', minutes: 60 }] } as const;
const held: OwnMoment = { after: 0, stage: 'POST_SCALE_UP', hooks: [hook] };

describe('continue', () => {
  const go = async (setting: ExistingSetting, inputs: Partial<ResumeInputs> = {}) => follow(setting, inputs, { continuing: true });

  test('ends the pause that holds it, by its hook, and follows it', async () => {
    const setting = living([held], beforeShift);
    await go(setting);
    expect(setting.writes).toEqual([`ecs:ContinueServiceDeployment ${two} pause-1`]);
    expect(setting.log.lines).toContain(`${two}  continued: ECS goes on from the pause hook`);
    expect(setting.outputs.get('deployment-status')).toBe('Succeeded');
  });

  test('one that is not held yet is continued as soon as it is', async () => {
    const setting = living(
      [
        { after: 0, stage: 'SCALE_UP' },
        { ...held, after: 60 },
      ],
      beforeShift,
    );
    await go(setting);
    expect(setting.log.lines.filter((line) => line.includes('continued'))).toEqual([
      `${two}  has not come to Ready yet: it is continued as soon as it has`,
      `${two}  continued: ECS goes on from the pause hook`,
    ]);
    expect(setting.writes).toHaveLength(1);
  });

  test('ends one pause only: who looks at the next one approves that', async () => {
    const setting = living([held], { pauses: [...beforeShift.pauses, { stage: 'PRE_PRODUCTION_TRAFFIC_SHIFT', minutes: 60 }] });
    setting.ecs.continued = { stage: 'PRE_PRODUCTION_TRAFFIC_SHIFT', hooks: [{ ...hook, id: 'pause-2' }] };
    const error = await failureOf(go(setting, { 'wait-for-minutes': 5 }));
    expect(error.message).toMatch(/did not come to succeeded within 5 min .*It was Ready/);
    expect(error.hint).toMatch(/^It waits for someone to continue it: let mode: continue/);
    expect(setting.writes).toHaveLength(1);
  });

  test.each<[string, OwnMoment, Given, Partial<ResumeInputs>, RegExp]>([
    ['the bake time', { after: 0, stage: 'BAKE_TIME' }, beforeShift, {}, /is in its bake time, which ends by itself: .*mode: follow$/],
    ['without a pause hook', { after: 0, stage: 'SCALE_UP' }, {}, {}, /no pause hook of its service will hold it\. Give the service one/],
    [
      'held after the shift, where only that was wanted',
      { ...held, stage: 'POST_PRODUCTION_TRAFFIC_SHIFT' },
      { pauses: [{ stage: 'POST_PRODUCTION_TRAFFIC_SHIFT', minutes: 60 }] },
      { 'wait-until': 'traffic-shifted' },
      /a pause hook holds it at POST_PRODUCTION_TRAFFIC_SHIFT.*wait-until: succeeded$/,
    ],
  ])('%s: nothing to continue', async (_, moment, given, inputs, message) => {
    const setting = living([moment], given);
    const error = await failureOf(go(setting, inputs));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(setting.writes).toEqual([]);
  });

  test.each<[string, OwnMoment, RegExp]>([
    ['has gone on meanwhile: it is followed', { after: 0, stage: 'BAKE_TIME', hooks: [], status: 'SUCCESSFUL' }, /^$/],
    ['waits there still: what AWS says is told', held, /InvalidParameterException/],
  ])('one that is refused, and %s', async (_, { after: _seconds, ...moment }, message) => {
    const setting = living([held], beforeShift);
    const refuse = setting.ecs.continueServiceDeployment;
    setting.ecs.failures.set('ContinueServiceDeployment', awsError('InvalidParameterException'));
    setting.ecs.continueServiceDeployment = async (of) => {
      setting.ecs.become(two, moment);
      return refuse(of);
    };
    const said = await go(setting).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(said).toMatch(message);
    if (said === '') expect(setting.log.lines).toContain(`${two}  not continued: it waits there no more, and is followed`);
  });

  test('a dry run names the call and only looks', async () => {
    const setting = living([held], beforeShift);
    const found = await setting.find(wish);
    const plan = await planContinuation({ found, inputs: wish, ports: setting.ports, output: setting.output });
    expect(plan.writes).toEqual([{ service: 'ecs', action: 'ContinueServiceDeployment', resource: ownArn('*') }]);
    expect(setting.writes).toEqual([]);
  });
});

function requestOf(of: ExistingSetting, inputs: Partial<RollbackRequest['inputs']> = {}): RollbackRequest {
  const { side, ports, memory, output, abort } = of;
  return { inputs: { ...wish, ...inputs }, side, ports, memory, output, signal: abort.signal };
}

describe('rollback', () => {
  const done: OwnMoment = { after: 0, status: 'SUCCESSFUL' };
  const run = async (of: ExistingSetting, inputs: Partial<RollbackRequest['inputs']> = {}) => rollBack(requestOf(of, inputs));

  test('deploys what ran before once more, with a task definition that is known as a rollback', async () => {
    const setting = living([done]);
    await run(setting);
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService web:43']);
    expect(setting.ecs.registered[0]).toMatchObject({
      family: 'web',
      tags: [
        { key: 'ecr-org-deploy', value: expect.stringMatching(/^acme\.shop:Release\/1000\/1\/release@/) },
        { key: 'ecr-org-deploy-rollback-of', value: two },
      ],
    });
    expect(setting.ecs.registered[0]?.['containerDefinitions']).toEqual(setting.ecs.definitions.get('web:41')?.['containerDefinitions']);
    expect(Object.fromEntries(setting.outputs)).toEqual({
      changed: 'true',
      'deployment-id': 'New43',
      'deployment-url': expect.anything(),
      'deployment-status': 'Succeeded',
      'rollback-deployment-id': 'New43',
      'task-definition-arn': arn(43),
    });
    expect(setting.log.lines).toContain('task definition web:41 registered once more for this deployment: web:43');
    expect(setting.log.lines.at(-1)).toBe(`${two} is rolled back: web runs web:41 again.`);
    expect(setting.remembered).toEqual([]);
  });

  test('a second one has nothing to do', async () => {
    const setting = living([done]);
    await run(setting);
    setting.journal.length = 0;
    await run(setting);
    expect(setting.writes).toEqual([]);
    expect(setting.log.lines.at(-1)).toMatch(new RegExp(`Nothing is left to roll back: ${two} was rolled back by New43\\.$`));
  });

  test('one step further, for who names what runs again', async () => {
    const setting = living([done]);
    const { ecs } = setting;
    ecs.become(one, { sources: [tasksOf(40)] });
    ecs.definitions.set('web:40', { ...ecs.definitions.get('web:41'), revision: 40 });
    await run(setting);
    await run(setting, { 'deployment-id': idOf(one) });
    expect(setting.writes.at(-1)).toBe('ecs:UpdateService web:44');
    expect(setting.log.lines.at(-1)).toBe(`${one} is rolled back: web runs web:40 again.`);
    const back = await failureOf(run(setting, { 'deployment-id': idOf(two) }));
    expect(back.message).toMatch(/there is nothing to roll back to: Two-0000000000000002 \(Succeeded\) is not what would be rolled back/);
  });

  test('a rollback that is under way is joined', async () => {
    const setting = living([done]);
    setting.ecs.life = [
      { after: 0, stage: 'SCALE_UP' },
      { after: 90, status: 'SUCCESSFUL' },
    ];
    setting.ecs.tagsOf.set('web:43', marksOf(999, { undoes: two }));
    await setting.ecs.updateService({ taskDefinition: arn(43) });
    setting.journal.length = 0;
    await run(setting);
    expect(setting.writes).toEqual([]);
    expect(setting.log.lines).toContain(`New43  rolls back ${two} already: following it`);
    expect(setting.outputs.get('rollback-deployment-id')).toBe('New43');
  });

  test.each(['SCALE_UP', 'BAKE_TIME'])('what is under way (%s) is stopped, and ECS’s rollback within it awaited', async (stage) => {
    const setting = living([{ after: 0, stage }]);
    await run(setting);
    expect(setting.writes).toEqual([`ecs:StopServiceDeployment ${two}`]);
    expect(Object.fromEntries(setting.outputs)).toMatchObject({ changed: 'true', 'deployment-id': two, 'deployment-status': 'Failed' });
    expect(setting.outputs.has('rollback-deployment-id')).toBe(false);
    expect(setting.log.lines.at(-1)).toBe(`${two} was rolled back by ECS: the old tasks have the whole traffic.`);
  });

  test.each<[string, readonly OwnMoment[]]>([
    ['is over', [{ after: 0, status: 'ROLLBACK_SUCCESSFUL' }]],
    [
      'is under way: it is awaited',
      [
        { after: 0, status: 'ROLLBACK_IN_PROGRESS' },
        { after: 60, status: 'ROLLBACK_SUCCESSFUL' },
      ],
    ],
  ])('ECS’s own rollback %s; nothing is done twice', async (_, moments) => {
    const setting = living(moments);
    await run(setting);
    expect(setting.writes).toEqual([]);
    expect(setting.outputs.get('changed')).toBe('false');
    expect(setting.log.lines.at(-1)).toMatch(new RegExp(`Nothing is left to roll back: ${two} was rolled back by ECS\\.$`));
  });

  test('a rollback of ECS’s that failed is mended by a deployment', async () => {
    const setting = living([{ after: 0, status: 'ROLLBACK_FAILED' }]);
    await run(setting);
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService web:43']);
  });

  test('one that fails fails the step, and names the goal', async () => {
    const setting = living([done]);
    setting.ecs.life = [{ after: 0, status: 'ROLLBACK_SUCCESSFUL', rollback: { reason: 'no' } }];
    const error = await failureOf(run(setting));
    expect(error).toBeInstanceOf(DeploymentError);
    expect(error.message).toMatch(new RegExp(`^Rolling back ${two} to web:41: Deployment New43 failed`));
  });

  test('a lost reply makes no second deployment', async () => {
    const setting = living([done]);
    setting.ecs.updates.push('made but lost');
    await run(setting);
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition', 'ecs:UpdateService web:43']);
  });

  test('a cancel leaves it running', async () => {
    const setting = living([done]);
    setting.ecs.life = [{ after: 0, stage: 'SCALE_UP' }];
    const update = setting.ecs.updateService;
    setting.ecs.updateService = async (of) => {
      const answer = await update(of);
      setting.abort.abort(new CancelledError('now'));
      return answer;
    };
    const error = await failureOf(run(setting));
    expect(error).toBeInstanceOf(CancelledError);
    expect(error.message).toMatch(/New43 goes on without being followed/);
    expect(setting.writes).not.toContain('ecs:StopServiceDeployment New43');
  });

  test.each<[string, (setting: ExistingSetting) => void, RegExp]>([
    ['the service revision is gone', ({ ecs }) => (ecs.serviceRevisions = async () => []), /AWS knows no more what ran before/],
    [
      'the task definition is INACTIVE',
      ({ ecs }) => ecs.definitions.set('web:41', { ...ecs.definitions.get('web:41'), status: 'INACTIVE' }),
      /can't be rolled back to web:41: it is INACTIVE/,
    ],
    ['the image is gone', ({ ecr }) => ecr.web.images.clear(), /can't be rolled back to web:41: /],
  ])('%s: refused before anything is written', async (_, change, message) => {
    const setting = living([done]);
    change(setting);
    const error = await failureOf(run(setting));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(setting.writes).toEqual([]);
  });

  test('a denial to tag is no deployment without a mark: the next rollback would undo it', async () => {
    const setting = living([done]);
    setting.ecs.failures.set('RegisterTaskDefinition', awsError('AccessDeniedException'));
    expect((await failureOf(run(setting))).message).toMatch(/AccessDeniedException/);
    expect(setting.writes).toEqual(['ecs:RegisterTaskDefinition']);
    expect(setting.remembered).toEqual([]);
  });

  test('a dry run shows the registration and the update', async () => {
    const setting = living([done]);
    const request = requestOf(setting);
    const plan = await planRollback(await prepareRollback(request), request);
    expect(plan.writes.map(({ action }) => action)).toEqual(['RegisterTaskDefinition', 'UpdateService']);
    expect(plan.deployment).toMatchObject({
      place: "ECS's own BLUE_GREEN deployments",
      taskDefinition: { running: arn(42), planned: expect.stringMatching(/task-definition\/web:<new revision>$/) },
      updateService: expect.stringContaining('web:<new revision>'),
    });
    expect(setting.writes).toEqual([]);
  });
});
