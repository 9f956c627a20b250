/**
 * The emulator's clock: AWS time. It starts at the real time and runs `speed` times as fast, so that an hour's canary can be
 * watched in a second; `advance` jumps. Nothing in the emulator keeps a timer: what is due is worked out when somebody looks.
 */
export class EmulatorClock {
  readonly #startedAt = Date.now();
  readonly #real = performance.now();
  readonly speed: number;
  #skipped = 0;

  constructor(speed = 1) {
    this.speed = speed;
  }

  /** AWS time, in milliseconds since the epoch. */
  now(): number {
    return this.#startedAt + (performance.now() - this.#real) * this.speed + this.#skipped;
  }

  /** Jumps ahead by so many AWS milliseconds. */
  advance(milliseconds: number): void {
    this.#skipped += milliseconds;
  }
}
