/** Rate limits as AWS keeps them: so many requests at once, refilled at so many a second. */
export class TokenBuckets {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  /** Milliseconds. */
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one token; false if there is none. */
  take(key: string, { rate, burst }: { rate: number; burst: number }): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    const isFree = tokens >= 1;
    this.#buckets.set(key, { tokens: isFree ? tokens - 1 : tokens, at: now });
    return isFree;
  }
}
