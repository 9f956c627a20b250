import { expect, test } from '@jest/globals';
import { continuationOf, type Continuation } from '../../src/domain/deployment-continuation.ts';
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
  readonly hasReadyWait: boolean;
  readonly what: Continuation['what'];
}

const cases: readonly Case[] = [
  { name: 'Ready', now: { status: 'Ready' }, hasReadyWait: true, what: 'end-ready-wait' },
  { name: 'Ready, though the group has no such wait any more', now: { status: 'Ready' }, hasReadyWait: false, what: 'end-ready-wait' },
  { name: 'the wait before the old tasks end', now: shifted, hasReadyWait: false, what: 'end-termination-wait' },
  {
    name: 'that wait, where only the shift was wanted: a late approval ends no tasks',
    now: shifted,
    until: 'traffic-shifted',
    hasReadyWait: true,
    what: 'follow',
  },
  { name: 'not started yet', now: { status: 'Created' }, seen: undefined, hasReadyWait: true, what: 'await-ready' },
  { name: 'before Ready', now: {}, hasReadyWait: true, what: 'await-ready' },
  { name: 'continued already', now: {}, seen: shifting, hasReadyWait: true, what: 'follow' },
  { name: 'no wait in Ready', now: {}, hasReadyWait: false, what: 'nothing' },
  { name: 'shifting by itself', now: {}, seen: shifting, hasReadyWait: false, what: 'nothing' },
  { name: 'succeeded', now: { status: 'Succeeded' }, hasReadyWait: true, what: 'follow' },
  { name: 'failed', now: { status: 'Failed' }, hasReadyWait: true, what: 'follow' },
  { name: 'stopped in the wait', now: { status: 'Stopped', ...shifted }, hasReadyWait: true, what: 'follow' },
];

test.each(cases)('$name: $what', ({ now, until = 'succeeded', hasReadyWait, what, ...more }) => {
  const seen = 'seen' in more ? more.seen : before;
  const snapshot = { deployment: { ...someDeployment, ...now }, target: seen };
  expect(continuationOf({ snapshot, until, hasReadyWait }).what).toBe(what);
});
