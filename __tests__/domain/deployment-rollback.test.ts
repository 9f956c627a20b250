import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rollbackText, undoneBy } from '../../src/domain/deployment-marker.ts';
import { decideRollback, type History, type RollbackDecision } from '../../src/domain/deployment-rollback.ts';
import type { Deployment } from '../../src/domain/deployment.ts';
import { someDeployment } from '../fakes/codedeploy.ts';

const mark = '[acme.shop:Rollback/7/1/back#abc]';
const undo = (id: string): string => `${rollbackText(id)} ${mark}`;
const none = { by: undefined, of: undefined, message: undefined };

/** d-1 deployed r1, d-2 r2 upon it, and so on. */
function deployment(number: number, more: Partial<Deployment> = {}): Deployment {
  const previousRevision = number > 1 ? `r${number - 1}` : undefined;
  return { ...someDeployment, id: `d-${number}`, status: 'Succeeded', revision: `r${number}`, previousRevision, ...more };
}

const ended = (last: Deployment, { rollback, hadTraffic = true }: { rollback?: Deployment; hadTraffic?: boolean } = {}): History => ({
  active: undefined,
  last: { deployment: last, rollback, hadTraffic },
  named: undefined,
});
const under = (active: Deployment): History => ({ active, last: undefined, named: undefined });

const awsRollback = (of: string, status: string): Deployment =>
  deployment(9, { id: 'd-BACK', status, creator: 'codeDeployRollback', rollback: { ...none, of } });
/** d-3 of ours brings back r1, which d-2 replaced. */
const ourRollback = (status: string): Deployment =>
  deployment(3, { description: undo('d-2'), revision: 'r1', previousRevision: 'r2', status });

describe('where ECS itself deploys, and rolls back within the deployment', () => {
  const within = (how: NonNullable<Deployment['rollback']['within']>, status: string): Deployment =>
    deployment(2, { status, rollback: { ...none, within: how } });
  const cases: readonly (readonly [name: string, history: History, decision: Partial<RollbackDecision>])[] = [
    ['its rollback is under way', under(within('running', 'RollingBack')), { what: 'await' }],
    ['it was rolled back', ended(within('succeeded', 'Failed')), { what: 'done', undone: 'd-2', why: 'was rolled back by ECS' }],
    ['its rollback failed', ended(within('failed', 'Failed'), { hadTraffic: false }), { what: 'redeploy', undoes: 'd-2', revision: 'r1' }],
    ['it was stopped without one', ended(within('none', 'Stopped')), { what: 'redeploy', undoes: 'd-2', revision: 'r1' }],
    ['it was stopped before any traffic', ended(within('none', 'Stopped'), { hadTraffic: false }), { what: 'done', undone: 'd-2' }],
  ];
  test.each(cases)('%s', (_name, history, decision) => expect(decideRollback(history)).toMatchObject(decision));
});

describe('without a deployment-id', () => {
  const cases: readonly (readonly [name: string, history: History, decision: Partial<RollbackDecision>])[] = [
    ['nothing was ever deployed', { active: undefined, last: undefined, named: undefined }, { what: 'nothing' }],
    ['one is under way', under(deployment(2, { status: 'InProgress' })), { what: 'stop' }],
    ['one waits in Ready', under(deployment(2, { status: 'Ready' })), { what: 'stop' }],
    [
      'one whose traffic has shifted whole: here it is asked for',
      under(deployment(2, { status: 'InProgress', terminationWaitStarted: true })),
      { what: 'stop' },
    ],
    ['a rollback of AWS’s is under way', under(awsRollback('d-2', 'InProgress')), { what: 'await' }],
    ['a rollback of ours is under way', under(ourRollback('InProgress')), { what: 'join', undoes: 'd-2' }],
    ['the newest succeeded', ended(deployment(2)), { what: 'redeploy', undoes: 'd-2', revision: 'r1' }],
    ['the first that there was succeeded', ended(deployment(1)), { what: 'nothing', why: 'nothing is known that ran before d-1' }],
    [
      'it deployed what ran already',
      ended(deployment(2, { previousRevision: 'r2' })),
      { what: 'nothing', why: 'd-2 deployed exactly what ran before it' },
    ],
    [
      'it failed and AWS rolled it back',
      ended(deployment(2, { status: 'Failed' }), { rollback: awsRollback('d-2', 'Succeeded') }),
      { what: 'done', undone: 'd-2', why: 'was rolled back by d-BACK' },
    ],
    [
      'it failed and AWS’s rollback, which the list does not show yet, is under way',
      ended(deployment(2, { status: 'Failed' }), { rollback: awsRollback('d-2', 'InProgress') }),
      { what: 'await' },
    ],
    [
      'it failed and AWS’s rollback failed too',
      ended(deployment(2, { status: 'Failed' }), { rollback: awsRollback('d-2', 'Failed') }),
      { what: 'redeploy', undoes: 'd-2', revision: 'r1' },
    ],
    [
      'it was stopped in the midst of the shift, without a rollback',
      ended(deployment(2, { status: 'Stopped' })),
      { what: 'redeploy', undoes: 'd-2', revision: 'r1' },
    ],
    [
      'it failed before it had any traffic',
      ended(deployment(2, { status: 'Failed' }), { hadTraffic: false }),
      { what: 'done', undone: 'd-2', why: 'ended as Failed before its tasks had any traffic' },
    ],
    ['our rollback succeeded: no second step back, and never forth', ended(ourRollback('Succeeded')), { what: 'done', undone: 'd-2' }],
    ['our rollback failed', ended(ourRollback('Failed')), { what: 'redeploy', undoes: 'd-2', revision: 'r1' }],
    [
      'our rollback failed, and AWS brought back what was unwanted',
      ended(ourRollback('Failed'), { rollback: awsRollback('d-3', 'Succeeded') }),
      { what: 'redeploy', undoes: 'd-2', revision: 'r1' },
    ],
  ];
  test.each(cases)('%s', (_name, history, decision) => expect(decideRollback(history)).toMatchObject(decision));
});

describe('with a deployment-id', () => {
  const cases: readonly (readonly [name: string, history: History, named: Deployment, decision: Partial<RollbackDecision>])[] = [
    ['the newest', ended(deployment(2)), deployment(2), { what: 'redeploy', undoes: 'd-2', revision: 'r1' }],
    ['one that was rolled back', ended(ourRollback('Succeeded')), deployment(2), { what: 'done', undone: 'd-2' }],
    [
      'one that a newer one replaced',
      ended(deployment(3)),
      deployment(2),
      { what: 'nothing', why: 'd-2 (Succeeded) is not what would be rolled back: d-3 (Succeeded) came after it' },
    ],
    [
      'one that a newer one is replacing',
      under(deployment(3, { status: 'InProgress' })),
      deployment(2),
      { what: 'nothing', why: 'd-2 (Succeeded) is not what would be rolled back: d-3 (InProgress) came after it' },
    ],
    [
      'the one that runs again since ours was rolled back: one step further',
      ended({ ...ourRollback('Succeeded'), revision: 'r5', previousRevision: 'r6', description: undo('d-6') }),
      deployment(5),
      { what: 'redeploy', undoes: 'd-5', revision: 'r4' },
    ],
    [
      'the one that runs again since AWS rolled one back',
      ended(deployment(6, { status: 'Failed' }), { rollback: awsRollback('d-6', 'Succeeded') }),
      deployment(5),
      { what: 'redeploy', undoes: 'd-5', revision: 'r4' },
    ],
    [
      'one before the one that runs again',
      ended(deployment(6, { status: 'Failed' }), { rollback: awsRollback('d-6', 'Succeeded') }),
      deployment(4),
      { what: 'nothing' },
    ],
    [
      'the rollback itself: rollbacks are never undone',
      ended(ourRollback('Succeeded')),
      ourRollback('Succeeded'),
      { what: 'nothing', why: 'd-3 (Succeeded) is not what would be rolled back' },
    ],
    [
      'the one that runs again under another name: one step further',
      {
        ...ended(ourRollback('Succeeded')),
        last: { deployment: ourRollback('Succeeded'), rollback: undefined, hadTraffic: true, restores: 'r8' },
      },
      deployment(8),
      { what: 'redeploy', undoes: 'd-8', revision: 'r7' },
    ],
    ['the rollback that is under way', under(ourRollback('InProgress')), deployment(2), { what: 'join' }],
    [
      'AWS’s rollback is under way: what is to be done shows later',
      under(awsRollback('d-3', 'InProgress')),
      deployment(2),
      { what: 'await' },
    ],
  ];
  test.each(cases)('%s', (_name, history, named, decision) => expect(decideRollback({ ...history, named })).toMatchObject(decision));
});

test('what was undone is never deployed again', () => {
  const status = fc.constantFrom('Succeeded', 'Failed', 'Stopped');
  fc.assert(
    fc.property(status, fc.option(status, { nil: undefined }), fc.boolean(), fc.boolean(), (last, back, hadTraffic, ours) => {
      const history = ended(ours ? ourRollback(last) : deployment(2, { status: last }), {
        hadTraffic,
        ...(back !== undefined && last !== 'Succeeded' && { rollback: awsRollback(ours ? 'd-3' : 'd-2', back) }),
      });
      const decision = decideRollback(history);
      if (decision.what === 'redeploy') expect(decision).toMatchObject({ undoes: 'd-2', revision: 'r1' });
    }),
  );
});

test.each([
  [undo('d-2'), 'd-2'],
  [mark, undefined],
  [`Release 2 ${mark}`, undefined],
  [`Rollback of d-2, and more ${mark}`, undefined],
  ['Rollback of d-2', undefined],
  ['', undefined],
])('the deployment that %j undoes', (description, id) => expect(undoneBy(description)).toBe(id));
