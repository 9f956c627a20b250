import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pace } from '../../src/ports/pace.ts';
import { FakeClock } from '../fakes/clock.ts';

test('in any span of time there are no more than the burst and what the rate adds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 60 }),
      async (perSecond, burst, pauses) => {
        const clock = new FakeClock();
        const turn = pace({ clock, rates: { List: { perSecond, burst } } });
        const at: number[] = [];
        for (const pause of pauses) {
          clock.advance(pause);
          await turn('List');
          at.push(clock.now());
        }
        for (let from = 0; from < at.length; from++)
          for (let to = from; to < at.length; to++) {
            const seconds = ((at[to] ?? 0) - (at[from] ?? 0)) / 1_000;
            expect(to - from + 1).toBeLessThanOrEqual(burst + seconds * perSecond + 1e-6);
          }
      },
    ),
    { numRuns: 50 },
  );
});

test('those that ask at the same time get their turns in order, and other operations don’t wait', async () => {
  const clock = new FakeClock();
  const turn = pace({ clock, rates: { List: { perSecond: 2, burst: 1 }, Describe: { perSecond: 1, burst: 1 } } });
  const order: string[] = [];
  await Promise.all(['a', 'b', 'c'].map(async (name) => turn('List').then(() => order.push(name))));
  expect(order).toEqual(['a', 'b', 'c']);
  expect(clock.slept).toEqual([500, 500]);
  await turn('Describe');
  await turn('Unlimited');
  expect(clock.slept).toHaveLength(2);
});
