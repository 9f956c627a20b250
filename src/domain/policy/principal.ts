/**
 * Principal (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html):
 *
 *   "*", { AWS: "*" }                       every IAM principal; a service only in a Deny
 *   111111111111, arn:…:iam::111…:root      every IAM principal of the account
 *   arn:…:role/x                            that role, and nobody else
 *   AROA…, AIDA…                            the unique ID of a deleted role or user: nobody any more
 *   { Service: … }                          that service
 *   { Federated: … }, { CanonicalUser: … }  nobody who pulls an image
 *
 * NotPrincipal in an Allow is never proof of anything; in a Deny it may hit anybody.
 */
import type { Answer } from './automaton.ts';
import type { Statement } from './document.ts';
import type { Requests } from './known.ts';

export interface PrincipalJudgement {
  readonly answer: Answer;
  readonly because: string;
}

/** The account that a principal stands for as a whole. */
export function accountPrincipal(name: string): string | undefined {
  return /^(?:arn:[a-z0-9-]+:iam::)?(\d{12})(?::root)?$/.exec(name)?.[1];
}

export function judgePrincipals(
  { effect, principals }: Pick<Statement, 'effect' | 'principals'>,
  { account, role, service }: Requests,
): PrincipalJudgement {
  if (principals.not) return { answer: 'unknown', because: 'NotPrincipal proves nothing about who is meant' };
  if (service !== undefined) {
    if (effect === 'Deny' && principals.byType['AWS']?.includes('*') === true) return { answer: 'all', because: 'Principal is everybody' };
    const named = principals.byType['Service']?.includes(service) === true;
    return {
      answer: named ? 'all' : 'none',
      because: named ? `Principal names ${service}` : `Principal doesn't name the service ${service}`,
    };
  }
  const names = principals.byType['AWS'] ?? [];
  if (names.includes('*')) return { answer: 'all', because: 'Principal is everybody' };
  if (account !== undefined && names.some((name) => accountPrincipal(name) === account))
    return { answer: 'all', because: `Principal is account ${account}` };
  if (role !== undefined && names.includes(role)) return { answer: 'all', because: `Principal is ${role}` };
  const within = names.find((name) => (account === undefined ? /\d{12}/.test(name) : name.includes(`::${account}:`)));
  if (within !== undefined && role === undefined)
    return { answer: account === undefined ? 'varies' : 'part', because: `Principal ${within} is only part of it` };
  const unique = names.find((name) => /^A(?:ROA|IDA)[A-Z0-9]+$/.test(name));
  if (unique !== undefined) return { answer: 'varies', because: `Principal ${unique} is the ID of a role or user that may be deleted` };
  return { answer: 'none', because: "Principal doesn't name them" };
}
