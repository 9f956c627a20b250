import { expect, test } from '@jest/globals';
import { atMost } from '../../src/ports/at-most.ts';

const pause = async () => new Promise((resolve) => setImmediate(resolve));

test('never more at once than said, and the results in order', async () => {
  let [running, most] = [0, 0];
  const results = await atMost(3, [5, 1, 4, 1, 3, 1, 2], async (ticks) => {
    most = Math.max(most, ++running);
    for (let tick = 0; tick < ticks; tick++) await pause();
    running -= 1;
    return ticks * 10;
  });
  expect(results).toEqual([50, 10, 40, 10, 30, 10, 20]);
  expect(most).toBe(3);
  expect(await atMost(3, [], async () => 1)).toEqual([]);
});

test('after a failure nothing new is begun', async () => {
  const begun: number[] = [];
  const failing = atMost(2, [1, 2, 3, 4, 5], async (thing) => {
    begun.push(thing);
    await pause();
    if (thing === 2) throw new Error('two');
  });
  await expect(failing).rejects.toThrow('two');
  for (let tick = 0; tick < 10; tick++) await pause();
  expect(begun).toEqual([1, 2, 3]);
});
