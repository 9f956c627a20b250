import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Region } from '../../src/domain/account.ts';
import { explainFailure } from '../../src/domain/deployment-failure.ts';
import { predefinedRouting, type TrafficRouting } from '../../src/domain/deployment-group.ts';
import {
  describe as describeDeployment,
  isStale,
  longestDescription,
  makeNonce,
  markerOf,
  parseMarker,
} from '../../src/domain/deployment-marker.ts';
import { formatDuration, nextDelay, progressBetween } from '../../src/domain/deployment-progress.ts';
import { summariseDeployment } from '../../src/domain/deployment-summary.ts';
import { deploymentUrl, hasReached, isTerminal, waits } from '../../src/domain/deployment.ts';
import { waitBudget } from '../../src/domain/wait-budget.ts';
import { event, someDeployment, target } from '../fakes/codedeploy.ts';

const run = { repository: 'acme/shop', workflow: 'Release', runId: '77', runAttempt: '2', job: 'deploy' };

describe('the mark in the description', () => {
  test('reads as it was written', () => {
    const marker = markerOf(run, { nonce: 'abc1', pullRequest: 7 });
    const text = describeDeployment({ text: 'Release 1.2', marker });
    expect(text).toBe('Release 1.2 [acme.shop:Release/77/2/deploy/pr-7#abc1]');
    expect(parseMarker(text)).toEqual({ workflow: 'acme.shop:Release', run: 77, attempt: 2, job: 'deploy', pullRequest: 7, nonce: 'abc1' });
  });

  test('fits whatever the names and the author’s text are, and reads back', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 120 });
    fc.assert(
      fc.property(
        name,
        name,
        name,
        fc.option(fc.string({ unit: 'grapheme', maxLength: 400 }), { nil: undefined }),
        fc.option(fc.nat(), { nil: undefined }),
        (repository, workflow, job, text, pullRequest) => {
          const marker = markerOf({ ...run, repository, workflow, job }, { nonce: 'abc1', pullRequest });
          const description = describeDeployment({ text, marker });
          expect(description.length).toBeLessThanOrEqual(longestDescription);
          expect(description.isWellFormed()).toBe(true);
          expect(parseMarker(description)).toEqual(marker);
        },
      ),
    );
  });

  test.each(['', 'Release 1.2', '[not/a/mark]', '[a.b:c/1/1/job#n] and more'])('is not in %j', (description) => {
    expect(parseMarker(description)).toBeUndefined();
  });

  test('names that are cut stay different', () => {
    const long = 'x'.repeat(50);
    const [one, other] = [`${long}1`, `${long}2`].map(
      (workflow) => markerOf({ ...run, workflow }, { nonce: 'n', pullRequest: undefined }).workflow,
    );
    expect(one).not.toBe(other);
  });

  test('a nonce is letters and digits', () => {
    expect(makeNonce({ now: 1_795_000_000_000, random: () => 0.99 })).toMatch(/^[a-z0-9]{12,24}$/);
  });

  test.each([
    ['an earlier run', { run: 76 }, {}, true],
    ['an earlier attempt', { attempt: 1 }, {}, true],
    ['the same run', {}, {}, false],
    ['a later run', { run: 78 }, {}, false],
    ['another workflow', { run: 1 }, { workflow: 'acme.shop:Other' }, false],
  ])('stale: %s', (_name, mine, newest, expected) => {
    const marker = markerOf(run, { nonce: 'n', pullRequest: undefined });
    expect(isStale({ mine: { ...marker, ...mine }, newest: { ...marker, ...newest } })).toBe(expected);
  });
  test('nobody’s mark makes nobody stale', () => {
    expect(isStale({ mine: markerOf(run, { nonce: 'n', pullRequest: undefined }), newest: undefined })).toBe(false);
  });
});

describe('how long it may take', () => {
  const group = { readyWait: { onTimeout: 'STOP_DEPLOYMENT', minutes: 10 }, terminationWaitMinutes: 60 };
  test.each<[string, TrafficRouting]>([
    ['CodeDeployDefault.ECSAllAtOnce', { kind: 'all-at-once' }],
    ['CodeDeployDefault.ECSLinear10PercentEvery3Minutes', { kind: 'linear', percentage: 10, minutes: 3 }],
    ['CodeDeployDefault.ECSCanary10Percent15Minutes', { kind: 'canary', percentage: 10, minutes: 15 }],
  ])('%s is known by its name', (name, routing) => {
    expect(predefinedRouting(name)).toEqual(routing);
  });
  test('any other is not', () => expect(predefinedRouting('Mine')).toBeUndefined());
  test.each([
    [{ kind: 'all-at-once' }, 'succeeded', 100],
    [{ kind: 'canary', percentage: 10, minutes: 15 }, 'succeeded', 115],
    [{ kind: 'linear', percentage: 10, minutes: 3 }, 'succeeded', 127],
    [{ kind: 'linear', percentage: 30, minutes: 3 }, 'succeeded', 109],
    [{ kind: 'linear', percentage: 10, minutes: 3 }, 'traffic-shifted', 67],
    [{ kind: 'linear', percentage: 10, minutes: 3 }, 'ready', 30],
  ] as const)('%j until %s: %d min', (routing, until, minutes) => {
    expect(waitBudget({ routing, group, until }).minutes).toBe(minutes);
  });
});

describe('statuses', () => {
  test.each(['Succeeded', 'Failed', 'Stopped'])('%s is an end', (status) => expect(isTerminal(status)).toBe(true));
  test.each(['Created', 'Queued', 'InProgress', 'Baking', 'Ready', 'SomethingNew'])('%s is none', (status) =>
    expect(isTerminal(status)).toBe(false),
  );
  test('Succeeded meets every wish', () => {
    for (const until of waits) expect(hasReached({ deployment: { ...someDeployment, status: 'Succeeded' }, until })).toBe(true);
  });
  test('pain 6: InProgress meets only “started”', () => {
    expect(waits.filter((until) => hasReached({ deployment: someDeployment, until }))).toEqual(['started']);
  });
});

describe('progress', () => {
  const snapshot = { deployment: someDeployment, target: target([event('Install', 'Succeeded', 3)], { running: 2, traffic: 10 }) };
  test('is only what is new', () => {
    expect(progressBetween(undefined, snapshot)).toEqual(['Install ✓ (3 s)', 'green tasks: 2 of 2 running', 'green traffic: 0 % → 10 %']);
    expect(progressBetween(snapshot, snapshot)).toEqual([]);
  });
  test('Ready says what it waits for', () => {
    expect(progressBetween(snapshot, { ...snapshot, deployment: { ...someDeployment, status: 'Ready' } })[0]).toMatch(
      /^Ready: .*mode: continue/,
    );
  });
  test.each([
    [0, '0 s'],
    [59_499, '59 s'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [3_840_000, '1 h 4 min'],
  ])('%d ms is %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));
  test('looks often while things move, seldom in long waits, never more than every two seconds', () => {
    const waiting = { ...snapshot, deployment: { ...someDeployment, terminationWaitStarted: true } };
    expect(nextDelay({ snapshot, sinceMove: 0 })).toBe(2_000);
    expect(nextDelay({ snapshot, sinceMove: 3_600_000 })).toBe(4_000);
    expect(nextDelay({ snapshot: waiting, sinceMove: 0 })).toBe(2_000);
    expect(nextDelay({ snapshot: waiting, sinceMove: 3_600_000 })).toBe(20_000);
  });
  test.each([
    ['the wait before the old tasks end', { terminationWaitStarted: true, waits: { ready: undefined, termination: 60 } }],
    ['Ready', { status: 'Ready', waits: { ready: 60, termination: 5 } }],
  ])('looks often again around the end of %s, where that is known', (_name, now) => {
    const waiting = { ...snapshot, deployment: { ...someDeployment, ...now } };
    const at = (minutes: number): number => nextDelay({ snapshot: waiting, sinceMove: minutes * 60_000 });
    expect([30, 58.5, 59.9, 60, 60.1, 61.5, 90].map(at)).toEqual([20_000, 9_000, 2_000, 2_000, 2_000, 9_000, 20_000]);
  });
});

describe('failure', () => {
  const task = (reason: string) => ({ id: 't', taskDefinition: 'web:43', stoppedAt: 1, stopCode: undefined, reason, containers: [] });
  test.each([
    ['CannotPullContainerError: pull access denied, 403 Forbidden', /execution role may not pull/],
    ['CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout', /NAT gateway/],
    ["CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'", /no build for the platform/],
    ['Task failed ELB health checks in (target-group x)', /health check/],
    ['OutOfMemoryError: Container killed due to memory usage', /memory/],
    ['ResourceInitializationError: unable to pull secrets', /secrets/],
    ['Essential container in task exited', /its own log/],
  ])('%s', (reason, advice) => {
    const failure = explainFailure({
      snapshot: { deployment: someDeployment, target: undefined },
      circumstances: { serviceEvents: [], stoppedTasks: [task(reason), task(reason)] },
    });
    expect(failure.advice).toMatch(advice);
    expect(failure.details).toHaveLength(1);
  });
  test.each([
    [undefined, 'The new tasks had no production traffic: the users saw nothing of it.'],
    [{ running: 2, traffic: 0 }, 'The new tasks had no production traffic: the users saw nothing of it.'],
    [{ running: 2, traffic: 10 }, 'The new tasks had 10 % of the production traffic then.'],
  ])('says who saw it: %j', (green, impact) => {
    const snapshot = { deployment: someDeployment, target: target([event('Install', 'Failed', 3)], green) };
    expect(explainFailure({ snapshot, circumstances: { serviceEvents: [], stoppedTasks: [] } }).impact).toBe(impact);
  });
  test('pain 7: what ECS says of any deployment explains nothing, and does not push out what does', () => {
    const messages = [
      '(service web, taskSet ecs-svc/1) has stopped 2 running tasks: (task 1) (task 2).',
      '(service web, taskSet ecs-svc/1) has reached a steady state.',
      '(service web, taskSet ecs-svc/1) was unable to place a task. Reason: no capacity.',
    ];
    const serviceEvents = messages.map((message) => ({ at: 1, message }));
    const scaling = task('Scaling activity initiated by (deployment ecs-svc/1)');
    const snapshot = { deployment: someDeployment, target: undefined };
    expect(explainFailure({ snapshot, circumstances: { serviceEvents, stoppedTasks: [scaling] } })).toMatchObject({
      details: ['service event: was unable to place a task. Reason: no capacity.'],
      background: ['service event: has stopped 2 running tasks: (task 1) (task 2).', 'service event: has reached a steady state.'],
      advice: expect.stringMatching(/can’t place the new tasks/),
    });
  });
  test.each([
    ['The deployment timed out while waiting for a notification to continue.', /mode: continue/],
    ['The deployment timed out while waiting for a status callback.', /PutLifecycleEventHookExecutionStatus/],
    ['The deployment timed out while waiting for the replacement task set to become healthy.', /did not become healthy/],
  ])('TIMEOUT is told by what was waited for: %s', (message, advice) => {
    const deployment = { ...someDeployment, error: { code: 'TIMEOUT', message } };
    const failure = explainFailure({ snapshot: { deployment, target: undefined }, circumstances: { serviceEvents: [], stoppedTasks: [] } });
    expect(failure.advice).toMatch(advice);
  });
  test('by its code where nothing else is known', () => {
    const deployment = { ...someDeployment, error: { code: 'ALARM_ACTIVE', message: 'an alarm' } };
    expect(explainFailure({ snapshot: { deployment, target: undefined }, circumstances: { serviceEvents: [], stoppedTasks: [] } })).toEqual(
      {
        reason: 'ALARM_ACTIVE: an alarm',
        impact: undefined,
        details: [],
        background: [],
        advice: 'An alarm of the deployment group was active: see CloudWatch.',
      },
    );
  });
});

test.each([
  ['eu-west-1', 'https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-1?region=eu-west-1'],
  ['cn-north-1', 'https://cn-north-1.console.amazonaws.cn/codesuite/codedeploy/deployments/d-1?region=cn-north-1'],
  ['us-gov-west-1', 'https://us-gov-west-1.console.amazonaws-us-gov.com/codesuite/codedeploy/deployments/d-1?region=us-gov-west-1'],
])('the console of %s', (region, url) => {
  expect(deploymentUrl({ id: 'd-1', region: region as Region })).toBe(url);
});

test('foreign text in the summary is no markup', () => {
  const summary = summariseDeployment({
    service: 'web',
    cluster: 'dev',
    images: [
      { container: 'web', uri: 'x' },
      { container: 'proxy', uri: 'y' },
    ],
    taskDefinition: 'arn/web:2',
    previousTaskDefinition: 'arn/web:1',
    deployment: undefined,
    outcome: '<b>|failed|</b>',
    events: [],
    failure: 'hook said ```\n<script>',
    advice: 'See *it*.',
    rollback: { id: 'd-2', status: 'Succeeded', url: 'https://c/d-2' },
  });
  expect(summary).toContain('| Rollback | [d\\-2](https://c/d-2): Succeeded |');
  expect(summary).toContain('**What to do**: See \\*it\\*.');
  expect(summary).toContain('`web:1` → `web:2`');
  expect(summary).toContain('| Image of `web` | `x` |\n| Image of `proxy` | `y` |');
  expect(summary).toContain('&lt;b>\\|failed\\|&lt;/b>');
  expect(summary).toContain('````\nhook said ```\n<script>\n````');
});
