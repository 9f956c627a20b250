/**
 * The real ensurePolicy in 300 worlds of 2 to 100 writers with different OUs: slow, stale and lost replies, killed writers, late
 * ones, foreign ones without markers. 20,000 more: `node bench/policy-writers.ts`.
 */
import { expect, test } from '@jest/globals';
import { scenarioOf, simulate, type Outcome } from './policy-world.ts';

/** Many small worlds and some large ones. */
const crowd = (seed: number) => (seed % 30 === 0 ? 100 : seed % 10 === 5 ? 30 : ([2, 3, 5, 8, 10][seed % 5] ?? 2));

test('pain 37: no settled grant is ever lost, foreign statements survive, everybody ends', async () => {
  const troubles: string[] = [];
  let settled = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const writers = crowd(seed);
    const outcome = await simulate(scenarioOf(seed, writers));
    settled += outcome.settled.length;
    for (const problem of problemsOf(outcome, writers)) troubles.push(`seed ${seed}, ${writers} writers: ${problem}`);
  }
  expect(troubles).toEqual([]);
  expect(settled).toBeGreaterThan(2_000);
}, 300_000);

function problemsOf({ lost, failed, foreignTouched, settled, crashed }: Outcome, writers: number): string[] {
  return [
    ...lost.map((who) => `the grant of ${who} was lost`),
    ...failed.map((error) => `failed: ${error}`),
    ...(foreignTouched > 0 ? [`foreign statements were touched in ${foreignTouched} states`] : []),
    ...(settled.length < writers - crashed ? [`only ${settled.length} of ${writers} settled, ${crashed} killed`] : []),
  ];
}

test('the same seed plays the same world again', async () => {
  const scenario = scenarioOf(4, 20);
  expect(await simulate(scenario)).toEqual(await simulate(scenario));
});

test('the simulation notices when an assumption is broken: writes that take effect long after they were given up', async () => {
  let lost = 0;
  for (let seed = 1; seed <= 20; seed += 1) lost += (await simulate({ seed, writers: 10, slow: 0.3, effectWithin: 40_000 })).lost.length;
  expect(lost).toBeGreaterThan(0);
});

test('a writer alone writes once and is sure after one settling time', async () => {
  const { settled } = await simulate({ seed: 7, writers: 1, slow: 0 });
  expect(settled).toEqual([{ writes: 1, reads: 2, settledAfter: expect.any(Number) }]);
  expect(settled[0]?.settledAfter).toBeLessThan(13_000);
});
