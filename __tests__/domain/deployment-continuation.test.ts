import { describe, expect, test } from '@jest/globals';
import { continuationOf, hasBegunToShift, type Continuation, type PauseAhead } from '../../src/domain/deployment-continuation.ts';
import type { Deployment, WaitUntil } from '../../src/domain/deployment.ts';
import { event, someDeployment, target } from '../fakes/codedeploy.ts';

const before = target([event('Install', 'Succeeded', 3), event('AllowTraffic', 'Pending')], { running: 2, traffic: 0 });
const shifting = target([event('AllowTraffic', 'InProgress')], { running: 2, traffic: 10 });
const shifted = { terminationWaitStarted: true } as const;

interface Case {
  readonly name: string;
  readonly now: Partial<Deployment>;
  readonly seen?: typeof before | undefined;
  readonly until?: WaitUntil;
  readonly pauseAhead: PauseAhead;
  readonly what: Continuation['what'];
}

const cases: readonly Case[] = [
  { name: 'Ready', now: { status: 'Ready' }, pauseAhead: 'ahead', what: 'end-ready-wait' },
  { name: 'Ready, though the group has no such wait any more', now: { status: 'Ready' }, pauseAhead: 'none', what: 'end-ready-wait' },
  { name: 'the wait before the old tasks end', now: shifted, pauseAhead: 'none', what: 'end-termination-wait' },
  {
    name: 'that wait, where only the shift was wanted: a late approval ends no tasks',
    now: shifted,
    until: 'traffic-shifted',
    pauseAhead: 'ahead',
    what: 'follow',
  },
  { name: 'not started yet', now: { status: 'Created' }, seen: undefined, pauseAhead: 'ahead', what: 'await-ready' },
  { name: 'before Ready', now: {}, pauseAhead: 'ahead', what: 'await-ready' },
  { name: 'continued already', now: {}, seen: shifting, pauseAhead: 'past', what: 'follow' },
  { name: 'no wait in Ready', now: {}, pauseAhead: 'none', what: 'nothing' },
  { name: 'shifting by itself', now: {}, seen: shifting, pauseAhead: 'none', what: 'nothing' },
  { name: 'succeeded', now: { status: 'Succeeded' }, pauseAhead: 'ahead', what: 'follow' },
  { name: 'failed', now: { status: 'Failed' }, pauseAhead: 'ahead', what: 'follow' },
  { name: 'stopped in the wait', now: { status: 'Stopped', ...shifted }, pauseAhead: 'ahead', what: 'follow' },
];

test.each(cases)('$name: $what', ({ now, until = 'succeeded', pauseAhead, what, ...more }) => {
  const seen = 'seen' in more ? more.seen : before;
  const snapshot = { deployment: { ...someDeployment, ...now }, target: seen };
  expect(continuationOf({ snapshot, until, pauseAhead, canEndTerminationWait: true }).what).toBe(what);
});

test('CodeDeploy has left Ready when the traffic shifts', () => {
  const left = [undefined, before, shifting].map((seen) => hasBegunToShift({ deployment: someDeployment, target: seen }));
  expect(left).toEqual([false, false, true]);
});

describe('where ECS itself deploys', () => {
  const held = (isAfterShift: boolean) => ({ status: 'Ready', pause: { said: 'a pause hook holds it at A_STAGE', isAfterShift } });
  const rollingBack = { by: undefined, of: undefined, message: undefined, within: 'running' } as const;
  const own: readonly (Case & { readonly why?: RegExp })[] = [
    { name: 'held before the shift', now: held(false), until: 'traffic-shifted', pauseAhead: 'past', what: 'end-ready-wait' },
    { name: 'held after the shift', now: held(true), pauseAhead: 'past', what: 'end-ready-wait' },
    {
      name: 'held after the shift, where only the shift was wanted: a late approval approves nothing else',
      now: held(true),
      until: 'traffic-shifted',
      pauseAhead: 'past',
      what: 'nothing',
      why: /a pause hook holds it at A_STAGE\. .*wait-until: succeeded$/,
    },
    { name: 'the bake time', now: shifted, pauseAhead: 'past', what: 'nothing', why: /bake time, which ends by itself.*mode: follow$/ },
    { name: 'no pause hook', now: {}, pauseAhead: 'none', what: 'nothing', why: /no pause hook.*targetType: PAUSE.*mode: follow$/ },
    { name: 'a pause to come', now: {}, pauseAhead: 'ahead', what: 'await-ready' },
    { name: 'rolled back', now: { status: 'RollingBack', rollback: rollingBack }, pauseAhead: 'ahead', what: 'follow', why: /rolled back/ },
  ];

  test.each(own)('$name: $what', ({ now, until = 'succeeded', pauseAhead, what, why = /^/ }) => {
    const snapshot = { deployment: { ...someDeployment, ...now }, target: before };
    const continuation = continuationOf({ snapshot, until, pauseAhead, canEndTerminationWait: false });
    expect(continuation.what).toBe(what);
    expect('why' in continuation ? continuation.why : '').toMatch(why);
  });
});
