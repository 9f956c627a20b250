/**
 * 20,000 simulated worlds of the real ensurePolicy, over as many processes as there are cores: losses, writes and time to settle for
 * 1, 2, 10, 30 and 100 writers. Run with `node bench/policy-writers.ts [worlds | --small]`; a world's seed is printed when it loses a grant.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { scenarioOf, simulate } from '../__tests__/simulation/policy-world.ts';

interface Tally {
  readonly worlds: number;
  readonly lost: readonly string[];
  readonly failed: number;
  readonly foreignTouched: number;
  readonly unsettled: number;
  readonly writes: readonly number[];
  readonly settledAfter: readonly number[];
}

/** How the worlds are shared out: the large ones cost the most. */
const share = { 1: 0.25, 2: 0.35, 10: 0.3, 30: 0.09, 100: 0.01 } as const;
type Crowd = keyof typeof share;
const crowds = [1, 2, 10, 30, 100] as const satisfies readonly Crowd[];

async function tally({ writers, from, worlds, step }: { writers: number; from: number; worlds: number; step: number }): Promise<Tally> {
  const lost: string[] = [];
  const writes: number[] = [];
  const settledAfter: number[] = [];
  let [failed, foreignTouched, unsettled, count] = [0, 0, 0, 0];
  for (let seed = from; seed < worlds; seed += step) {
    const outcome = await simulate(scenarioOf(seed + 1_000, writers));
    count += 1;
    failed += outcome.failed.length;
    foreignTouched += outcome.foreignTouched;
    unsettled += Math.max(0, writers - outcome.crashed - outcome.settled.length);
    lost.push(...outcome.lost.map((who) => `seed ${seed + 1_000}, ${writers} writers: ${who}`));
    for (const one of outcome.settled) {
      writes.push(one.writes);
      settledAfter.push(one.settledAfter);
    }
  }
  return { worlds: count, lost, failed, foreignTouched, unsettled, writes, settledAfter };
}

const [, , first, from, step] = process.argv;
const worlds = first === '--small' ? 60 : Number(first ?? 20_000);

if (process.send && from !== undefined && step !== undefined) {
  const results: Record<string, Tally> = {};
  for (const writers of crowds)
    results[writers] = await tally({ writers, from: Number(from), worlds: worlds * share[writers], step: Number(step) });
  process.send(results);
} else {
  const started = performance.now();
  const workers = availableParallelism();
  const all = await Promise.all(
    Array.from(
      { length: workers },
      async (_, worker) =>
        new Promise<Record<string, Tally>>((resolve, reject) => {
          const child = fork(fileURLToPath(import.meta.url), [String(worlds), String(worker), String(workers)]);
          child.on('message', (message) => resolve(message as Record<string, Tally>));
          child.on('error', reject);
          child.on('exit', (code) => {
            if (code !== 0) reject(new Error(`a worker ended with ${code}`));
          });
        }),
    ),
  );
  const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);
  const at = (numbers: readonly number[], part: number) => numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * part))] ?? NaN;
  console.log('writers  worlds  settled  lost  failed  unsettled  foreign touched  writes p50/max  settle p50/p99');
  let losses = 0;
  for (const writers of crowds) {
    const parts = all.flatMap((results) => results[writers] ?? []);
    const sum = (pick: (one: Tally) => number) => parts.reduce((total, one) => total + pick(one), 0);
    const lost = parts.flatMap((one) => one.lost);
    losses += lost.length;
    const writes = sorted(parts.flatMap((one) => one.writes));
    const times = sorted(parts.flatMap((one) => one.settledAfter)).map((milliseconds) => milliseconds / 1_000);
    const cells = [
      writers,
      sum((one) => one.worlds),
      times.length,
      lost.length,
      sum((one) => one.failed),
      sum((one) => one.unsettled),
      sum((one) => one.foreignTouched),
    ];
    const widths = [7, 6, 7, 4, 6, 9, 15];
    const figures = [
      `${at(writes, 0.5)}/${at(writes, 1)}`.padStart(14),
      `${at(times, 0.5).toFixed(0)}/${at(times, 0.99).toFixed(0)} s`.padStart(14),
    ];
    console.log([...cells.map((cell, index) => String(cell).padStart(widths[index] ?? 8)), ...figures].join('  '));
    for (const loss of lost.slice(0, 5)) console.log(`  ${loss}`);
  }
  console.log(`${((performance.now() - started) / 1_000).toFixed(0)} s on ${workers} processes`);
  if (losses > 0) process.exitCode = 1;
}
