import { describe, expect, test } from '@jest/globals';
import { AwsError, CancelledError, FanOutError, InputError } from '../../src/errors.ts';
import { someDefinition } from '../fakes/ecs.ts';
import { readDocuments } from '../../src/steps/prepare-deployment.ts';
import { failedLife, Fleet, type Member } from './fleet.ts';
import { awsError, failureOf, image } from './deployment-setting.ts';

const count = (size: number) => ({ count: size });
const creations = (fleet: Fleet): readonly string[] =>
  fleet.writes.filter((call) => call.includes('CreateDeployment')).map((call) => call[0] ?? '');

/** The service runs the image already. */
function upToDate({ ecs }: Member): void {
  const [container] = someDefinition['containerDefinitions'] as readonly Record<string, string>[];
  const uri = `${image.host}/${image.repository}@${image.digest}`;
  ecs.definition = { ...someDefinition, containerDefinitions: [{ ...container, image: uri }] };
}

describe('before the first write', () => {
  test('one of ten roles may not be assumed: the step names the account, and nothing is written anywhere', async () => {
    const fleet = new Fleet('1234567890');
    fleet.member('7').refusal = awsError('AccessDenied');
    const failure = await failureOf(fleet.fanOut());
    expect(failure).toBeInstanceOf(InputError);
    expect(failure.message).toBe('deploy-role: in dev-7 777777777777: AccessDenied: the test says so');
    expect(failure.hint).toBe('Nothing was changed. To go on without this account: exclude-accounts: 777777777777');
    expect(fleet.writes).toEqual([]);
    expect(fleet.remembered).toEqual([]);
    expect(fleet.outputs.size).toBe(0);
  });

  test('the problems of all accounts come at once, and what is so in several is said once', async () => {
    const fleet = new Fleet('12345');
    for (const digit of '1234') fleet.member(digit).ecs.answer = { found: 'nothing', missing: 'service' };
    fleet.member('5').codedeploy.groupAnswer = { found: 'nothing', missing: 'group' };
    const failure = await failureOf(fleet.fanOut());
    expect(failure.message).toBe(
      [
        '2 inputs need attention:',
        '  - service: in 111111111111, 222222222222, 333333333333, 444444444444: there is no service web in the cluster dev',
        '  - codedeploy-deployment-group: in dev-5 555555555555: the application AppECS-dev-web has no deployment group DgpECS-dev-web',
      ].join('\n'),
    );
    expect(fleet.writes).toEqual([]);
  });

  test.each([
    ['12', 'Nothing was changed. To go on without these accounts: exclude-accounts: 111111111111,222222222222'],
    ['123', 'Nothing was changed.'],
  ])('of three accounts %s fail: to go on without them is offered where any is left', async (failing, hint) => {
    const fleet = new Fleet('123');
    for (const digit of failing) fleet.member(digit).refusal = awsError('AccessDenied');
    expect((await failureOf(fleet.fanOut())).hint).toBe(hint);
  });

  test('placeholders in the author’s files are filled in for each account; of a name nobody knows it is told', async () => {
    const fleet = new Fleet('12');
    const file = { ...someDefinition, executionRoleArn: 'arn:aws:iam::{account-id}:role/{account-name}-{region}' };
    fleet.files.texts.set('td.json', JSON.stringify(file));
    await fleet.fanOut({}, { 'task-definition': 'td.json' });
    expect(fleet.members.map(({ ecs }) => ecs.registered[0]?.['executionRoleArn'])).toEqual([
      'arn:aws:iam::111111111111:role/dev-1-eu-west-1',
      'arn:aws:iam::222222222222:role/dev-2-eu-west-1',
    ]);
    const [target] = fleet.targets({ 'task-definition': 'td.json' });
    if (!target?.member) throw new Error('there is no target');
    const nameless = { ...target, images: [image], member: { ...target.member, name: '' } };
    expect((await failureOf(readDocuments(nameless))).message).toMatch(
      /^td\.json:1:\d+: holds \{account-name\}, which is known with deploy-accounts: discover only$/,
    );
  });

  test('a fault of our own is told as one', async () => {
    const fleet = new Fleet('12');
    fleet.member('2').refusal = new TypeError('undefined is not a function');
    expect(await failureOf(fleet.fanOut())).toBeInstanceOf(TypeError);
  });

  test('a cancelled run checks no further account', async () => {
    const fleet = new Fleet('12');
    fleet.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
    expect(await failureOf(fleet.fanOut())).toBeInstanceOf(CancelledError);
    expect(fleet.journal).toEqual([]);
  });

  test('waves that take longer than a job are warned of', async () => {
    const fleet = new Fleet('1234');
    await fleet.fanOut({ waves: [count(1), count(2), count(3)] }, { 'wait-for-minutes': 100 });
    expect(fleet.log.lines.filter((line) => line.startsWith('warning:'))).toEqual([
      'warning: The waves may take 6 h 40 min together by their deployments’ own waits, and a hosted job ends after 6 h. Raise max-parallel, cut fewer waves, or let an earlier wait-until end each of them.',
    ]);
  });

  test('of accounts that have nothing to do nobody waits', async () => {
    const fleet = new Fleet('12');
    fleet.members.forEach(upToDate);
    await fleet.fanOut({ waves: [count(1)] }, { 'wait-for-minutes': 300 });
    expect(fleet.log.lines.join('\n')).not.toContain('warning');
  });
});

describe('the waves', () => {
  test('follow each other when all of one has come to wait-until; the outputs tell of each', async () => {
    const fleet = new Fleet('12345');
    await fleet.fanOut({ waves: [count(1), { percent: 50 }], 'max-parallel': 2 });
    expect(fleet.fates).toEqual([
      '1 wave 1 succeeded',
      '2 wave 2 succeeded',
      '3 wave 2 succeeded',
      '4 wave 3 succeeded',
      '5 wave 3 succeeded',
    ]);
    const events = fleet.log.lines
      .filter((line) => /^(dev.* started in|▼ dev|wave)/.test(line))
      .map((line) => line.replace(/(:| {2}d-NEW).*/, ''));
    expect(events.filter((line) => line.startsWith('wave'))).toEqual([
      'wave 1 of 3',
      'wave 1 of 3 has ended; of all',
      'wave 2 of 3',
      'wave 2 of 3 has ended; of all',
      'wave 3 of 3',
      'wave 3 of 3 has ended; of all',
    ]);
    expect(events.slice(0, 4)).toEqual(['wave 1 of 3', 'dev-1 111111111111', '▼ dev-1 111111111111', 'wave 1 of 3 has ended; of all']);
    expect(fleet.fleetOutputs).toEqual(['deployments', 'deployments', 'changed', 'deployments']);
    expect(fleet.outputs.get('changed')).toBe('true');
  });

  test('at most max-parallel are under way at once', async () => {
    const fleet = new Fleet('123456');
    const underWay = async (): Promise<number> => {
      const active = await Promise.all(fleet.members.map(async ({ codedeploy }) => codedeploy.activeDeployments()));
      return active.flat().length;
    };
    const seen: number[] = [];
    for (const { codedeploy } of fleet.members) {
      const create = codedeploy.createDeployment;
      codedeploy.createDeployment = async (wanted) => {
        const answer = await create(wanted);
        seen.push(await underWay());
        return answer;
      };
    }
    await fleet.fanOut({ 'max-parallel': 3 });
    expect(seen).toHaveLength(6);
    expect(Math.max(...seen)).toBe(3);
  });

  test('an account that waits for its turn is looked at again', async () => {
    const fleet = new Fleet('12');
    const preparing = fleet.fanOut({ waves: [count(1)] });
    await preparing;
    const reads = (digit: string) => fleet.journal.filter((call) => call === `${digit} ecs:DescribeServices`).length;
    expect([reads('1'), reads('2')]).toEqual([1, 2]);
  });

  test('an account that left meanwhile fails by itself', async () => {
    const fleet = new Fleet('12');
    const leave = fleet.member('2');
    const { codedeploy } = fleet.member('1');
    const create = codedeploy.createDeployment;
    codedeploy.createDeployment = async (wanted) => {
      leave.refusal = awsError('AccessDenied');
      return create(wanted);
    };
    const failure = await failureOf(fleet.fanOut({ waves: [count(1)] }));
    expect(failure.message).toBe(
      '1 of 2 accounts failed, and max-failures is 0:\n  - dev-2 222222222222: denied. AccessDenied: the test says so',
    );
    expect(creations(fleet)).toEqual(['1']);
  });

  test('what runs the image already, or was deployed to by a newer run, counts as well', async () => {
    const fleet = new Fleet('123');
    upToDate(fleet.member('1'));
    fleet.member('2').codedeploy.add({ id: 'd-OTHER', status: 'Succeeded', description: '[acme.shop:Release/2000/1/release#x]' });
    await fleet.fanOut();
    expect(fleet.fates).toEqual(['1 wave 1 unchanged', '2 wave 1 yielded', '3 wave 1 succeeded']);
    expect(creations(fleet)).toEqual(['3']);
    expect(fleet.deployments[1]?.['reason']).toBe('d-OTHER of a newer run');
  });

  test('the second run deploys only what does not run the image yet', async () => {
    const fleet = new Fleet('12');
    fleet.member('2').codedeploy.life = failedLife;
    await failureOf(fleet.fanOut());
    expect(creations(fleet)).toEqual(['1', '2']);
    upToDate(fleet.member('1'));
    fleet.member('2').codedeploy.life = [{ after: 0, status: 'Succeeded' }];
    fleet.journal.length = 0;
    await fleet.fanOut();
    expect(fleet.fates).toEqual(['1 wave 1 unchanged', '2 wave 1 succeeded']);
    expect(fleet.writes).toEqual(['2 ecs:RegisterTaskDefinition', '2 codedeploy:CreateDeployment']);
  });
});

describe('failures', () => {
  test('more than max-failures start nothing new: what is under way ends, earlier waves stay', async () => {
    const fleet = new Fleet('12345');
    fleet.member('2').codedeploy.life = failedLife;
    const failure = await failureOf(fleet.fanOut({ waves: [count(1), count(3)] }));
    expect(failure).toBeInstanceOf(FanOutError);
    expect(failure.message).toBe(
      [
        '1 of 5 accounts failed, and max-failures is 0:',
        '  - dev-2 222222222222: failed. Deployment d-NEW1 failed: HEALTH_CONSTRAINTS: no healthy task',
        'Nothing was started in 2 further accounts.',
      ].join('\n'),
    );
    expect(failure.hint).toBe('Run the step again when that is mended: only what does not run this image yet is deployed.');
    expect(fleet.fates).toEqual([
      '1 wave 1 succeeded',
      '2 wave 2 failed',
      '3 wave 2 succeeded',
      '4 wave 3 not-started',
      '5 wave 3 not-started',
    ]);
    expect(fleet.writes.filter((call) => call.includes('Stop'))).toEqual([]);
    expect(fleet.remembered).toEqual([]);
  });

  test('within a wave, too', async () => {
    const fleet = new Fleet('123');
    fleet.member('1').codedeploy.life = failedLife;
    await failureOf(fleet.fanOut({ 'max-parallel': 1 }));
    expect(fleet.fates).toEqual(['1 wave 1 failed', '2 wave 1 not-started', '3 wave 1 not-started']);
  });

  test('no more than max-failures: the step ends well, with a warning for each', async () => {
    const fleet = new Fleet('123');
    fleet.member('2').codedeploy.life = failedLife;
    await fleet.fanOut({ 'max-failures': 1, 'max-parallel': 1 });
    expect(fleet.fates).toEqual(['1 wave 1 succeeded', '2 wave 1 failed', '3 wave 1 succeeded']);
    expect(fleet.log.lines.filter((line) => line.startsWith('warning:'))).toEqual([
      'warning: dev-2 222222222222: failed. Deployment d-NEW1 failed: HEALTH_CONSTRAINTS: no healthy task',
    ]);
  });

  test.each<[string, (member: Member) => void, string]>([
    [
      'timed-out',
      ({ codedeploy }) => (codedeploy.life = [{ after: 0, status: 'InProgress' }]),
      'Deployment d-NEW1 did not come to succeeded within 5 min (wait-for-minutes). It was InProgress. It goes on, as on-timeout says.',
    ],
    [
      'rolled-back',
      ({ codedeploy }) => {
        codedeploy.add({ id: 'd-BACK', status: 'Succeeded' });
        codedeploy.life = [{ after: 0, status: 'Failed', rollback: { by: 'd-BACK', of: undefined, message: undefined } }];
      },
      'Deployment d-NEW1 failed: ',
    ],
    ['denied', ({ codedeploy }) => codedeploy.failures.set('CreateDeployment', [awsError('AccessDeniedException')]), 'AccessDenied'],
    [
      'denied',
      ({ codedeploy }) => codedeploy.failures.set('GetDeployment', [awsError('AccessDeniedException')]),
      "Deployment d-NEW1 is still running, but can't be followed",
    ],
    ['failed', ({ codedeploy }) => codedeploy.failures.set('CreateDeployment', [awsError('InvalidRoleException')]), 'InvalidRoleException'],
  ])('%s is told with its reason', async (status, arrange, reason) => {
    const fleet = new Fleet('12');
    arrange(fleet.member('2'));
    await failureOf(fleet.fanOut({}, { 'wait-for-minutes': 5 }));
    const [well, failed] = fleet.deployments;
    expect([well?.['status'], failed?.['status']]).toEqual(['succeeded', status]);
    expect(failed?.['reason']).toContain(reason);
    expect(failed?.['reason']?.length).toBeLessThanOrEqual(200);
  });

  describe('a long reason, as AWS has them', () => {
    const message =
      'ecs:RegisterTaskDefinition for web failed: AccessDeniedException: User: arn:aws:sts::222222222222:assumed-role/web-deploy/release is not authorized to perform: ecs:RegisterTaskDefinition on resource: arn:aws:ecs:eu-west-1:222222222222:task-definition/web:* because no identity-based policy allows it (request 8d1)';
    const hint = "Allow ecs:RegisterTaskDefinition in the caller's IAM policy.";
    const denied = () => {
      const fleet = new Fleet('12');
      const facts = { service: 'ecs', operation: 'RegisterTaskDefinition', code: 'AccessDeniedException', hint };
      fleet.member('2').ecs.failures.set('RegisterTaskDefinition', new AwsError(message, facts));
      return fleet;
    };

    test('is told whole but in the output, and what to do in the account’s log', async () => {
      const fleet = denied();
      const failure = await failureOf(fleet.fanOut());
      expect(failure.message).toContain(`  - dev-2 222222222222: denied. ${message}`);
      expect(fleet.github.summary).toContain('(request 8d1)'.replaceAll(/[()]/g, String.raw`\$&`));
      expect(fleet.deployments[1]?.['reason']).toMatch(/ is not authorized to perform: \S+ on resource:…$/);
      const group = fleet.log.lines.slice(fleet.log.lines.indexOf('▼ dev-2 222222222222: denied after 0 s'));
      expect(group).toEqual(expect.arrayContaining([message, `What to do: ${hint}`]));
    });

    test('is told whole in the warning, too', async () => {
      const fleet = denied();
      await fleet.fanOut({ 'max-failures': 1 });
      expect(fleet.log.lines).toContain(`warning: dev-2 222222222222: denied. ${message}`);
    });
  });

  test('a fault of our own in one account does not touch the others, and is told as one', async () => {
    const fleet = new Fleet('12');
    fleet.member('1').codedeploy.failures.set('CreateDeployment', [new TypeError('a bug')]);
    const failure = await failureOf(fleet.fanOut());
    expect(failure).toBeInstanceOf(TypeError);
    expect(fleet.fates).toEqual(['1 wave 1 failed', '2 wave 1 succeeded']);
  });
});

describe('a cancel', () => {
  /** In the second wave, when its deployments are under way. */
  async function cancelled(onCancel: 'rollback' | 'leave') {
    const fleet = new Fleet('1234');
    for (const digit of '23') fleet.member(digit).codedeploy.rollbackLife = [{ after: 0, status: 'Succeeded' }];
    const { codedeploy } = fleet.member('3');
    const look = codedeploy.target;
    codedeploy.target = async (of) => {
      fleet.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
      return look(of);
    };
    return { fleet, failure: await failureOf(fleet.fanOut({ waves: [count(1), count(3)] }, { 'on-cancel': onCancel })) };
  }

  test('stops all that is under way, starts nothing new and leaves what is done', async () => {
    const { fleet, failure } = await cancelled('rollback');
    expect(failure).toBeInstanceOf(CancelledError);
    expect(failure.message).toMatch(
      /^The run was cancelled: 2 cancelled, 1 succeeded, 1 not-started\.\n {2}- dev-2 2+: Deployment d-NEW1 was stopped with a rollback.*\n {2}- dev-3 3+: Deployment d-NEW1 was stopped/,
    );
    expect(fleet.fates).toEqual(['1 wave 1 succeeded', '2 wave 2 cancelled', '3 wave 2 cancelled', '4 wave 3 not-started']);
    expect(fleet.writes.filter((call) => call.includes('Stop')).toSorted()).toEqual([
      '2 codedeploy:StopDeployment d-NEW1 with rollback',
      '3 codedeploy:StopDeployment d-NEW1 with rollback',
    ]);
    expect(fleet.remembered).toEqual([]);
  });

  test('with on-cancel: leave stops none', async () => {
    const { fleet, failure } = await cancelled('leave');
    expect(failure.message).toContain('Deployment d-NEW1 goes on without being followed');
    expect(fleet.writes.filter((call) => call.includes('Stop'))).toEqual([]);
  });

  test('that can’t be carried out in one account is left to the post step, and carried out in the other', async () => {
    const fleet = new Fleet('12');
    fleet.member('1').codedeploy.failures.set('StopDeployment', [awsError('AccessDeniedException')]);
    const { codedeploy } = fleet.member('2');
    const look = codedeploy.target;
    codedeploy.target = async (of) => {
      fleet.abort.abort(new CancelledError('The run was cancelled (SIGINT).'));
      return look(of);
    };
    const failure = await failureOf(fleet.fanOut());
    expect(failure.message).toContain('dev-1 111111111111: deployment d-NEW1 could not be stopped: AccessDenied');
    expect(fleet.fates).toEqual(['1 wave 1 cancelled', '2 wave 1 cancelled']);
    expect(fleet.remembered).toMatchObject([{ kind: 'deployment', account: '111111111111' }]);
  });
});

test('the single outputs are those of the one account, where there is one', async () => {
  const [one, two] = [new Fleet('1'), new Fleet('12')];
  await one.fanOut();
  await two.fanOut();
  expect([...one.outputs.keys()].toSorted()).toEqual([
    'changed',
    'deployment-id',
    'deployment-status',
    'deployment-url',
    'deployments',
    'task-definition-arn',
  ]);
  expect([...two.outputs.keys()].toSorted()).toEqual(['changed', 'deployments']);
});

test('each deployment is looked at every ten seconds, more than fifty at once every fifteen', async () => {
  const fleet = new Fleet('12');
  await fleet.fanOut();
  expect(new Set(fleet.clock.slept)).toEqual(new Set([10_000]));
});

test('the summary is one table', async () => {
  const fleet = new Fleet('12');
  fleet.member('2').codedeploy.life = failedLife;
  await fleet.fanOut({ 'max-failures': 1 });
  expect(fleet.github.summary).toMatchInlineSnapshot(`
    "### Deployments

    \`web\` in cluster \`dev\` of 2 accounts: 1 succeeded, 1 failed.

    \`111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:4be14be14be14be14be14be14be14be14be14be14be14be14be14be14be14be1\`

    | Account | Name | Wave | Status | Deployment | Reason |
    | --- | --- | --- | --- | --- | --- |
    | \`111111111111\` | dev\\-1 | 1 | succeeded | [d\\-NEW1](https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-NEW1?region=eu-west-1) |  |
    | \`222222222222\` | dev\\-2 | 1 | failed | [d\\-NEW1](https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-NEW1?region=eu-west-1) | Deployment d\\-NEW1 failed: HEALTH\\_CONSTRAINTS: no healthy task |
    "
  `);
});
