/**
 * A world for the real ensurePolicy: virtual time, a network that delays, loses and answers stale, a policy that is replaced as a
 * whole. Everything follows from a seed, so that a loss can be played again. The assumptions of docs/policy-protocol.md hold in it:
 * a write takes effect within T of being sent or never, a read shows a state that was current within the last δ.
 */
import { ensurePolicy, protocol } from '../../src/steps/ensure-policy.ts';
import { pullActions } from '../../src/domain/policy/grant.ts';
import { defaultPolicySid, parsePolicySid, type PolicySid } from '../../src/domain/policy/sid.ts';
import type { OrganizationId, OuId } from '../../src/domain/organization.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { PolicyStore, PolicyWritten } from '../../src/ports/policy-store.ts';

export interface Scenario {
  readonly seed: number;
  readonly writers: number;
  /** The share of requests that take long, up to the deadline. */
  readonly slow?: number;
  /** The share of requests or replies that get lost. */
  readonly lost?: number;
  /** The share of writers that are killed at some moment. */
  readonly crashing?: number;
  /** The share of writers that want what another one wants. */
  readonly sharing?: number;
  /** The share of writers that come minutes later. */
  readonly late?: number;
  /** Writers that read, add a statement and write without a marker, once. */
  readonly foreign?: number;
  /** Overrides of the network, to show that a broken assumption is noticed. Milliseconds. */
  readonly staleness?: number;
  readonly effectWithin?: number;
}

export interface WriterResult {
  readonly writes: number;
  readonly reads: number;
  /** Milliseconds from its start until it was sure. */
  readonly settledAfter: number;
}

export interface Outcome {
  readonly settled: readonly WriterResult[];
  /** Cooperating writers that gave up, by their error. */
  readonly failed: readonly string[];
  /** Grants that were missing in some state after they had been reported settled. */
  readonly lost: readonly string[];
  /** Foreign statements that were there at the start and are not in some later state, in their order. */
  readonly foreignTouched: number;
  readonly crashed: number;
  readonly longestPolicy: number;
}

const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };
const organization = 'o-a1b2c3d4e5' as OrganizationId;
const epoch = Date.UTC(2026, 10, 21);
const foreignAtStart = [
  {
    Sid: 'Team pull',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::222222222222:root' },
    Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  },
  { Effect: 'Deny', Principal: '*', Action: 'ecr:PutImage', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
];
const otherSid = parsePolicySid('Platform');

export async function simulate(scenario: Scenario): Promise<Outcome> {
  const { seed, writers, slow = 0.05, lost = 0, crashing = 0, sharing = 0, late = 0, foreign = 0 } = scenario;
  const { staleness = protocol.staleness, effectWithin = protocol.writeDeadline } = scenario;
  const chance = dice(seed);
  const time = new VirtualTime();
  const policy = new StoredPolicy(JSON.stringify({ Version: '2008-10-17', Id: 'kept', Statement: foreignAtStart }), time);
  const grants = new Map<string, string>();
  const settled: WriterResult[] = [];
  const failed: string[] = [];
  let crashed = 0;

  const latency = () => (chance() < slow ? chance() * protocol.writeDeadline : 20 + chance() * 180);
  const storeOf = (isAlive: () => boolean): PolicyStore => ({
    read: async () =>
      new Promise((reply) => {
        time.in(latency(), () => {
          const text = policy.at(time.now - (chance() < 0.5 ? 0 : chance() * staleness));
          time.in(latency(), () => {
            if (isAlive()) reply(text);
          });
        });
      }),
    write: async (text) =>
      new Promise((reply) => {
        const sentAt = time.now;
        const effect = chance() < slow ? chance() * effectWithin : Math.min(latency(), effectWithin);
        const [requestLost, replyLost] = [chance() < lost, chance() < lost];
        let answered = false;
        const answer = (what: PolicyWritten) => {
          if (answered || !isAlive()) return;
          answered = true;
          reply(what);
        };
        if (!requestLost) {
          time.in(effect, () => {
            policy.replace(text);
            if (!replyLost)
              time.in(latency(), () => {
                if (time.now - sentAt < protocol.writeDeadline) answer('written');
              });
          });
        }
        time.in(protocol.writeDeadline, () => answer({ unanswered: new Error('timed out') }));
      }),
  });
  const clockOf = (isAlive: () => boolean): Clock => {
    // A6: clocks agree within 60 s.
    const skew = (chance() - 0.5) * 50_000;
    const own = dice(Math.floor(chance() * 2 ** 32));
    return {
      now: () => epoch + time.now + skew,
      monotonic: () => time.now,
      random: own,
      sleep: async (milliseconds) =>
        new Promise((wake) => {
          time.in(milliseconds, () => {
            if (isAlive()) wake();
          });
        }),
    };
  };

  for (let number = 0; number < writers; number += 1) {
    const wanted = chance() < sharing ? Math.floor(chance() * writers) : number;
    const ou = `ou-ab12-${String(wanted).padStart(8, '0')}` as OuId;
    const policySid: PolicySid = number % 4 === 3 && otherSid.ok ? otherSid.value : defaultPolicySid;
    const start = chance() < late ? chance() * 400_000 : chance() * 4_000;
    const killedAt = chance() < crashing ? start + chance() * 40_000 : Infinity;
    if (killedAt !== Infinity) crashed += 1;
    const isAlive = () => time.now < killedAt;
    const clock = clockOf(isAlive);
    const store = storeOf(isAlive);
    time.in(start, () => {
      const wants = [{ target: { kind: 'ou' as const, organization, ou }, actions: pullActions }];
      ensurePolicy({ store, clock, wanted: wants, facts, policySid, mode: 'merge', jobTotal: writers, log: () => undefined })
        .then(async (ensured) => ensured.settled)
        .then(({ reads, writes }) => {
          settled.push({ reads, writes, settledAfter: time.now - start });
          grants.set(`writer ${number}`, `/${ou}/`);
          policy.mustHold(`writer ${number}`, `/${ou}/`);
        })
        .catch((error: unknown) => failed.push(error instanceof Error ? error.message : String(error)));
    });
  }
  for (let number = 0; number < foreign; number += 1) {
    const store = storeOf(() => true);
    time.in(chance() * 30_000, () => {
      void store.read().then((text) => {
        const { Statement, ...rest } = JSON.parse(text ?? '{}') as { Statement: unknown[] };
        const added = { Sid: `Foreign${number}`, Effect: 'Allow', Principal: { AWS: '333333333333' }, Action: 'ecr:DescribeImages' };
        // It keeps to A1 (read to write within A) and adds only, but it knows nothing of markers.
        if (time.now - policy.readAt < protocol.baseAge) void store.write(JSON.stringify({ ...rest, Statement: [...Statement, added] }));
      });
    });
  }
  await time.run();
  return { settled, failed, lost: [...policy.lost], foreignTouched: policy.foreignTouched, crashed, longestPolicy: policy.longest };
}

/** The stored text, its history for stale reads, and what must be in every state from now on. */
class StoredPolicy {
  readonly lost = new Set<string>();
  foreignTouched = 0;
  longest = 0;
  readAt = 0;
  readonly #time: VirtualTime;
  readonly #history: { readonly from: number; readonly text: string }[];
  readonly #held = new Map<string, string>();

  constructor(text: string, time: VirtualTime) {
    this.#time = time;
    this.#history = [{ from: -Infinity, text }];
  }

  get current(): string {
    return this.#history.at(-1)?.text ?? '';
  }

  at(moment: number): string {
    this.readAt = this.#time.now;
    return this.#history.findLast(({ from }) => from <= moment)?.text ?? '';
  }

  replace(text: string): void {
    this.#history.push({ from: this.#time.now, text });
    this.longest = Math.max(this.longest, text.length);
    if (!text.startsWith(`{"Version":"2008-10-17","Id":"kept","Statement":${JSON.stringify(foreignAtStart).slice(0, -1)}`))
      this.foreignTouched += 1;
    for (const [who, value] of this.#held) if (!text.includes(value)) this.lost.add(who);
  }

  mustHold(who: string, value: string): void {
    this.#held.set(who, value);
    if (!this.current.includes(value)) this.lost.add(who);
  }
}

/** Events in the order of their time; after each, whatever it set going in promises runs to its end. */
class VirtualTime {
  now = 0;
  #count = 0;
  readonly #heap: { readonly at: number; readonly order: number; readonly fire: () => void }[] = [];

  in(milliseconds: number, fire: () => void): void {
    const heap = this.#heap;
    const event = { at: this.now + milliseconds, order: (this.#count += 1), fire };
    let place = heap.push(event) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && this.#earlier(event, heap[parent]); parent = (place - 1) >> 1) {
      heap[place] = heap[parent] ?? event;
      heap[parent] = event;
      place = parent;
    }
  }

  async run(): Promise<void> {
    for (let event = this.#next(); event; event = this.#next()) {
      this.now = event.at;
      event.fire();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #earlier(a: { at: number; order: number }, b: { at: number; order: number } | undefined): boolean {
    return b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }

  #next() {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const child = b && a && this.#earlier(b, a) ? left + 1 : left;
      const smaller = heap[child];
      if (!smaller || !this.#earlier(smaller, last)) break;
      heap[place] = smaller;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

/** mulberry32: numbers in [0, 1) from a seed. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The scenarios of the test and the bench: every kind of trouble in turn. */
export function scenarioOf(seed: number, writers: number): Scenario {
  const kind = seed % 5;
  return {
    seed,
    writers,
    slow: [0.05, 0.05, 0.3, 0.05, 0.1][kind] ?? 0.05,
    lost: kind === 1 || kind === 4 ? 0.05 : 0,
    crashing: kind === 3 || kind === 4 ? 0.2 : 0,
    sharing: kind === 4 ? 0.2 : 0,
    late: kind === 4 ? 0.3 : 0,
    foreign: kind === 2 || kind === 4 ? 3 : 0,
  };
}
