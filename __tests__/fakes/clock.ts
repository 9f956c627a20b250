import type { Clock } from '../../src/ports/clock.ts';

/** Time that passes only by sleeping, at once. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #now: number;

  constructor(now = Date.parse('2026-11-21T12:00:00Z')) {
    this.#now = now;
  }

  now = () => this.#now;
  monotonic = () => this.#now;
  random = () => 0.5;

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(milliseconds);
    this.#now += milliseconds;
    // Let whatever else is ready run, as a real sleep would.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}
