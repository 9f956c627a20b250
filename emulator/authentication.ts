/**
 * Finds the caller by the access key of the request's signature (SigV4). Signatures themselves are not verified: what a test
 * wants to see is which account a request acts in, not whether HMAC works.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { matchesGlob } from './glob.ts';
import type { AccessKey } from './identity.ts';
import { expired, skewed } from './faults.ts';
import { AwsFault } from './service.ts';
import type { World } from './world.ts';

/** `Credential=<access key>/<date>/<region>/<service>/aws4_request`. */
const credential = /Credential=([^/,\s]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;

export function regionOf(headers: IncomingHttpHeaders): string | undefined {
  return credential.exec(headers.authorization ?? '')?.[2];
}

/** A signature is good for five minutes. */
const signatureLife = 5 * 60_000;

/** `X-Amz-Date: 20261121T120000Z`, in milliseconds since the epoch. */
function signedAt(headers: IncomingHttpHeaders): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The key that signed, or the fault that the service would answer. */
export function authenticate({ world, headers, service }: { world: World; headers: IncomingHttpHeaders; service: string }): AccessKey {
  const isQuery = service === 'sts';
  const match = credential.exec(headers.authorization ?? '');
  if (!match) {
    throw new AwsFault(
      isQuery ? 'MissingAuthenticationToken' : 'MissingAuthenticationTokenException',
      'Request is missing Authentication Token',
      isQuery ? 403 : 400,
    );
  }
  if (Math.abs(signedAt(headers) - world.wallTime()) > signatureLife)
    throw skewed({ service, at: world.wallTime(), signed: signedAt(headers) });
  const key = world.accessKeys.get(match[1] ?? '');
  const token = headers['x-amz-security-token'];
  if (!key || ('sessionToken' in key ? key.sessionToken !== token : token !== undefined)) {
    const message = 'The security token included in the request is invalid.';
    throw isQuery ? new AwsFault('InvalidClientTokenId', message, 403) : new AwsFault('UnrecognizedClientException', message);
  }
  if ('expiresAt' in key && key.expiresAt <= world.sessionTime()) throw expired(service);
  return key;
}

/** Whether an action is on a deny list; `*` and `?` as in IAM, case-insensitive. */
export function lacksPermission(identity: { readonly deny: readonly string[] }, action: string): boolean {
  return identity.deny.some((pattern) => matchesGlob(pattern.toLowerCase(), action.toLowerCase()));
}
