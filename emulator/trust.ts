/** A role's trust: who may become it. */
import { matchesGlob } from './glob.ts';
import type { Principal, Trust } from './identity.ts';

/** Whether a user or role may call sts:AssumeRole: named by ARN (a role's sessions by the role's) or by its account. */
export function trusts(trust: Trust, { principal, externalId }: { principal: Principal; externalId: string | undefined }): boolean {
  if (trust.externalId !== undefined && trust.externalId !== externalId) return false;
  return (trust.principals ?? []).some((named) =>
    [principal.arn, principal.principalArn, principal.account, `arn:aws:iam::${principal.account}:root`].includes(named),
  );
}

/** Whether the trust's `token.actions.githubusercontent.com:sub` condition admits a token's subject. */
export function trustsSubject(trust: Trust, subject: string): boolean {
  return (trust.oidcSubjects ?? []).some((pattern) => matchesGlob(pattern, subject));
}
