/**
 * What can go wrong on purpose. A fault says what happens, a target which requests it happens to:
 *
 *     faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', nth: 2 }, lostReply());
 *     faults.inject({ service: 'codedeploy', times: 3 }, throttling());
 *     faults.staleReads(2_000);
 */
import { AwsFault, type Json } from './service.ts';

export interface FaultTarget {
  readonly service?: string;
  readonly operation?: string;
  /** The caller's account. */
  readonly account?: string;
  readonly when?: (input: Json) => boolean;
  /** The first matching request that fails, from 1. Default: 1. */
  readonly nth?: number;
  /** How many matching requests fail, from the nth on. Default: 1. */
  readonly times?: number;
}

export interface FaultedRequest {
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly caller: string;
  readonly resource: string;
  readonly input: Json;
}

export interface Fault {
  /** Real milliseconds before the request is looked at. */
  readonly delay?: number;
  /** Cuts the connection before the effect was carried out, or after it. */
  readonly lose?: 'request' | 'reply';
  readonly error?: (request: FaultedRequest) => AwsFault;
}

/** Each service's own spelling of "too fast" (AWS-FACTS 5 for Organizations). */
const throttles: Readonly<Record<string, readonly [code: string, message: string, status: number]>> = {
  organizations: ['TooManyRequestsException', 'You have exceeded the allowed request rate.', 400],
  sts: ['Throttling', 'Rate exceeded', 400],
  ecr: ['ThrottlingException', 'Rate exceeded', 400],
  registry: ['TOOMANYREQUESTS', 'Rate exceeded', 429],
  github: ['rate_limit', 'You have exceeded a secondary rate limit.', 403],
};

const failures: Readonly<Record<string, string>> = {
  ecr: 'ServerException',
  'ecr-public': 'ServerException',
  ecs: 'ServerException',
  organizations: 'ServiceException',
  registry: 'UNKNOWN',
};

export const throttling = (): Fault => ({
  error: ({ service }) => new AwsFault(...(throttles[service] ?? (['ThrottlingException', 'Rate exceeded', 400] as const))),
});
export const serverError = (): Fault => ({
  error: ({ service }) =>
    new AwsFault(failures[service] ?? 'InternalFailure', 'The request processing has failed because of an unknown error.', 500),
});
/** The connection breaks before the request was carried out. */
export const lostRequest = (): Fault => ({ lose: 'request' });
/** The request is carried out, its reply never arrives. */
export const lostReply = (): Fault => ({ lose: 'reply' });
export const slow = (milliseconds: number): Fault => ({ delay: milliseconds });
export const expiredCredentials = (): Fault => ({ error: ({ service }) => expired(service) });
export const accessDenied = (): Fault => ({ error: notAuthorized });
export const failure = (code: string, message: string, status = 400): Fault => ({ error: () => new AwsFault(code, message, status) });
/** The caller's clock is wrong by 15 minutes. */
export const clockSkew = (): Fault => ({ error: ({ service }) => skewed({ service, at: Date.now(), signed: Date.now() - 900_000 }) });

/** A session's end, as STS (Query) and the JSON services word it. */
export function expired(service: string): AwsFault {
  if (service === 'registry') return new AwsFault('DENIED', 'Your authorization token has expired. Reauthenticate and try again.', 403);
  const message = 'The security token included in the request is expired';
  return service === 'sts' ? new AwsFault('ExpiredToken', message, 403) : new AwsFault('ExpiredTokenException', message);
}

/** A missing identity permission, as the services word it. */
export function notAuthorized({
  service,
  operation,
  caller,
  resource,
}: Pick<FaultedRequest, 'service' | 'operation' | 'caller' | 'resource'>): AwsFault {
  const action = `${service === 'registry' ? 'ecr' : service}:${operation}`;
  const message = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  if (service === 'registry') return new AwsFault('DENIED', message, 403);
  return service === 'sts' ? new AwsFault('AccessDenied', message, 403) : new AwsFault('AccessDeniedException', message);
}

/** A request that was signed by a clock which is more than five minutes off. */
export function skewed({ service, at, signed }: { service: string; at: number; signed: number }): AwsFault {
  const stamp = (time: number) => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
  const message = `Signature expired: ${stamp(signed)} is now earlier than ${stamp(at - 300_000)} (${stamp(at)} - 5 min.)`;
  return service === 'sts' ? new AwsFault('SignatureDoesNotMatch', message, 403) : new AwsFault('InvalidSignatureException', message);
}

export class Faults {
  readonly #rules: { readonly target: FaultTarget; readonly fault: Fault; seen: number }[] = [];
  #staleness: { readonly upTo: number; readonly random: () => number } = { upTo: 0, random: () => 0 };

  /** Adds a fault; the function it gives back takes it away again. */
  inject(target: FaultTarget, fault: Fault): () => void {
    const rule = { target, fault, seen: 0 };
    this.#rules.push(rule);
    return () => {
      const index = this.#rules.indexOf(rule);
      if (index >= 0) this.#rules.splice(index, 1);
    };
  }

  /** GetRepositoryPolicy shows a state that was current within the last `upTo` AWS milliseconds (RULES 1, assumption A2). */
  staleReads(upTo: number, random: () => number = Math.random): void {
    this.#staleness = { upTo, random };
  }

  /** How old the next read of a repository policy is, in AWS milliseconds. */
  age(): number {
    return this.#staleness.upTo * this.#staleness.random();
  }

  clear(): void {
    this.#rules.length = 0;
    this.staleReads(0);
  }

  /** The fault of this request; counts it. Called once a request, by the servers. */
  take(request: FaultedRequest): Fault | undefined {
    let found: Fault | undefined;
    for (const rule of this.#rules) {
      if (!matches(rule.target, request)) continue;
      const { nth = 1, times = 1 } = rule.target;
      rule.seen += 1;
      if (rule.seen >= nth && rule.seen < nth + times) found ??= rule.fault;
    }
    return found;
  }
}

function matches(target: FaultTarget, request: FaultedRequest): boolean {
  return (
    (target.service === undefined || target.service === request.service) &&
    (target.operation === undefined || target.operation === request.operation) &&
    (target.account === undefined || target.account === request.account) &&
    (target.when === undefined || target.when(request.input))
  );
}
