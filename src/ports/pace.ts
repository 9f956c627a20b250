/**
 * Keeps calls below an API's published rates, attempt by attempt: a token bucket for each operation, on this side of the wire. Others in
 * the account share the same rates, so a call may be throttled all the same; then it is repeated later, at this pace.
 */
import type { Clock } from './clock.ts';

export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a rest. */
  readonly burst: number;
}

/** Waits for the turn of an attempt; turns of one operation come in the order in which they were asked for. */
export function pace({ clock, rates }: { readonly clock: Clock; readonly rates: Readonly<Record<string, Rate>> }) {
  const turns = new Map<string, () => Promise<void>>();
  return async (operation: string): Promise<void> => {
    const rate = rates[operation];
    if (rate === undefined) return;
    const turn = turns.get(operation) ?? bucket({ clock, ...rate });
    turns.set(operation, turn);
    await turn();
  };
}

function bucket({ clock, perSecond, burst }: Rate & { readonly clock: Clock }): () => Promise<void> {
  let [tokens, at] = [burst, clock.monotonic()];
  let last = Promise.resolve();
  const refill = (): void => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - at) / 1_000) * perSecond);
    at = now;
  };
  const take = async (): Promise<void> => {
    refill();
    // A timer may fire a little early.
    while (tokens < 1) {
      await clock.sleep(Math.max(1, ((1 - tokens) / perSecond) * 1_000));
      refill();
    }
    tokens -= 1;
  };
  return async () => {
    last = last.then(take);
    await last;
  };
}
