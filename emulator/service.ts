/**
 * What a service of the emulator is: the `X-Amz-Target` prefix it answers to (AWS JSON 1.1) and its operations. Each takes the
 * request's JSON body and returns the reply's; an `AwsFault` becomes the error reply that the real service would send.
 */
import type { EmulatorClock } from './clock.ts';

/** Who calls: found by the access key of the request's signature. Accounts are kept apart by it. */
export interface Caller {
  readonly accessKeyId: string;
  readonly account: string;
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>` or `arn:aws:iam::<account>:user/<name>`. */
  readonly arn: string;
}

export interface Call {
  readonly caller: Caller;
  readonly region: string;
  readonly clock: EmulatorClock;
}

/** A request's or reply's JSON: what stands on the wire, not a type of ours. */
export type Json = Record<string, unknown>;

export interface Service {
  /** As in `X-Amz-Target: <target>.<Operation>`. */
  readonly target: string;
  readonly operations: Readonly<Record<string, (input: Json, call: Call) => unknown>>;
}

/** An error as AWS says it: `code` is the exception's name, `status` the HTTP status. */
export class AwsFault extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
