/** Every request that reached the emulator, in order: what a least-privilege test and a call-count test read. */
import type { Json } from './service.ts';

export interface JournalEntry {
  /** `ecr`, `ecr-public`, `sts`, `organizations`, `ecs`, `codedeploy`, `registry` (the OCI side) or `github`. */
  readonly service: string;
  /** The API operation; for `registry` the IAM action that decides (`PutImage`, `BatchGetImage`, …). */
  readonly operation: string;
  /** The caller's account; empty for an unsigned request. */
  readonly account: string;
  readonly caller: string;
  readonly region: string;
  readonly input: Json;
  /** AWS time, milliseconds. */
  readonly at: number;
  /** The HTTP status; 0 while the request runs and where the connection was cut. */
  status: number;
  /** The error's code, if it failed. */
  error?: string;
}

export class Journal {
  readonly entries: JournalEntry[] = [];

  /** The requests of one service, or of one of its operations. */
  of(service: string, operation?: string): readonly JournalEntry[] {
    return this.entries.filter((entry) => entry.service === service && (operation === undefined || entry.operation === operation));
  }

  /** `service:Operation` of every request in order: short to compare in a test. */
  names(): readonly string[] {
    return this.entries.map((entry) => `${entry.service}:${entry.operation}`);
  }

  clear(): void {
    this.entries.length = 0;
  }

  [Symbol.iterator](): IterableIterator<JournalEntry> {
    return this.entries[Symbol.iterator]();
  }
}
