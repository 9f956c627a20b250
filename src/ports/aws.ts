/**
 * What all AWS clients share: settings, and the translation of their errors.
 *
 * Clients are made at once and loaded late: the SDK's module is imported when the first call is made, and credentials are asked for
 * by the SDK itself, so that a mode can start its calls before its role is assumed. `AWS_ENDPOINT_URL`, `AWS_USE_FIPS_ENDPOINT` and
 * `AWS_USE_DUALSTACK_ENDPOINT` are read by the SDK; proxies are not, so it is given agents that know them.
 */
import { ActionError, AwsError } from '../errors.ts';
import type { Region, RoleArn } from '../domain/account.ts';
import type { EndpointChoice } from '../domain/image.ts';
import { proxyAgents } from './proxy.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type CredentialProvider = () => Promise<AwsCredentials>;

export interface AwsAccess {
  readonly region: Region;
  readonly credentials: CredentialProvider;
  /** The role that the action assumed for them, and whose sessions it renews. */
  readonly role?: RoleArn | undefined;
}

/**
 * Settings of an SDK client. Reads are repeated by the SDK (throttling, 5xx, resets; five attempts); a client for a call that is
 * not idempotent is made with `attempts: 1` (RULES 5.1).
 */
export function clientSettings({ region, credentials }: AwsAccess, { attempts = 5 }: { attempts?: number } = {}) {
  return {
    region,
    credentials,
    maxAttempts: attempts,
    requestHandler: requestHandler(),
  };
}

/** How the SDK's requests are sent. */
export function requestHandler() {
  return { connectionTimeout: 5_000, requestTimeout: 30_000, ...agents() };
}

/** What the SDK itself reads for its own calls, for the hosts that Docker talks to. */
export function endpointChoice(environment: Readonly<Record<string, string | undefined>>): EndpointChoice {
  return { dualStack: environment['AWS_USE_DUALSTACK_ENDPOINT'] === 'true', fips: environment['AWS_USE_FIPS_ENDPOINT'] === 'true' };
}

/** A value that is made when it is first asked for, once. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const agents = lazy(() => proxyAgents());

export interface Asked {
  /** As IAM spells it: `ecr`. */
  readonly service: string;
  /** As IAM spells it: `GetRepositoryPolicy`. */
  readonly operation: string;
  /** What it was asked of, as the author knows it: `repository shop/web`. */
  readonly of?: string;
  /** Where an AccessDenied can be mended, beside the caller's own IAM policy: `the repository policy of shop/web in 111111111111`. */
  readonly alsoCheck?: string;
  /** Whose session the call is made with, where the action assumed it. */
  readonly role?: RoleArn | undefined;
}

/**
 * Makes a call and translates its failure.
 * @throws AwsError with operation, code and request ID; for a denial the IAM action, the caller and the sides to check
 */
export async function ask<T>(asked: Asked, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toAwsError(asked, error);
  }
}

/** `ask` for the calls of one side. */
export function asker({ role }: AwsAccess): typeof ask {
  return async (asked, call) => ask({ ...asked, role }, call);
}

/** An answer without what only it could tell: nothing can be done with it. */
export function emptyAnswer({ service, operation, of }: Asked, missing: string): AwsError {
  const which = of === undefined ? '' : ` for ${of}`;
  return new AwsError(`${service}:${operation}${which} answered without ${missing}`, { service, operation, code: 'EmptyAnswer' });
}

/** The code of an AWS failure (`RepositoryNotFoundException`), also of one that was not translated yet; undefined for anything else. */
export function awsCode(error: unknown): string | undefined {
  if (error instanceof AwsError) return error.code;
  return isServiceException(error) ? error.name : undefined;
}

const denials = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedException', 'UnauthorizedOperation'];
const expiries = ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'];

/** Whether AWS refused the caller for good: another try with the same credentials can't help. */
export function isDenial(error: unknown): boolean {
  return denials.includes(awsCode(error) ?? '');
}

export function isExpiry(error: unknown): boolean {
  return expiries.includes(awsCode(error) ?? '');
}

function toAwsError(asked: Asked, error: unknown): unknown {
  if (error instanceof ActionError || !(error instanceof Error)) return error;
  const requestId = isServiceException(error) ? error.$metadata.requestId : undefined;
  const code = isServiceException(error) ? error.name : isUnreadable(error) ? 'UnreadableAnswer' : networkCode(error);
  const { service, operation, of } = asked;
  // What the SDK says of an answer that is none of AWS's – a proxy's page – is for its own developers.
  const why = isUnreadable(error) ? 'what came back is no answer of AWS; is a proxy in between?' : error.message;
  const what = `${service}:${operation}${of === undefined ? '' : ` for ${of}`} failed: ${code}: ${why}${requestId === undefined ? '' : ` (request ${requestId})`}`;
  return new AwsError(what, { service, operation, code, requestId, cause: error, ...hint(asked, code) });
}

function hint({ service, operation, alsoCheck, role }: Asked, code: string): { hint?: string } {
  if (denials.includes(code)) {
    const others = alsoCheck === undefined ? '' : `, and ${alsoCheck}`;
    return { hint: `Allow ${service}:${operation} in the caller's IAM policy${others}; a service control policy can deny it too.` };
  }
  if (!expiries.includes(code)) return {};
  return {
    hint:
      role === undefined
        ? 'The credentials have expired. Give a role (registry-role, deploy-role) to let the action renew them itself.'
        : `The action renews the sessions of ${role} before they end: this one was revoked, or the runner slept meanwhile. Run the step again.`,
  };
}

interface ServiceException extends Error {
  readonly $metadata: { readonly requestId?: string; readonly httpStatusCode?: number };
}

function isServiceException(error: unknown): error is ServiceException {
  return error instanceof Error && '$metadata' in error && '$fault' in error;
}

/** An answer that the SDK could not read: what the request did is not known. */
function isUnreadable(error: Error): boolean {
  return '$response' in error && !isServiceException(error);
}

const networkCodes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

function networkCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Whether the request may or may not have arrived: no answer came. */
export function isNetworkFault(error: unknown): boolean {
  if (error instanceof AwsError) return isNetworkFault(error.cause);
  return (
    error instanceof Error &&
    (isUnreadable(error) || networkCodes.includes(networkCode(error)) || ['TimeoutError', 'AbortError'].includes(error.name))
  );
}

/** Whether AWS itself failed (5xx) or throttled: the call may succeed later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof AwsError) return isPassing(error.cause);
  if (!isServiceException(error)) return isNetworkFault(error);
  const status = error.$metadata.httpStatusCode ?? 0;
  return status >= 500 || status === 429 || /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/.test(error.name);
}
