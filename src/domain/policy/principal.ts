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

/** The principals of a statement, asked about a target's requests. */
export type PrincipalJudge = (requests: Requests) => PrincipalJudgement;

const everybody: PrincipalJudgement = { answer: 'all', because: 'Principal is everybody' };

export function preparePrincipals({ effect, principals: { not, byType } }: Pick<Statement, 'effect' | 'principals'>): PrincipalJudge {
  if (not) return () => ({ answer: 'unknown', because: 'NotPrincipal proves nothing about who is meant' });
  const services = new Set(byType['Service']);
  const names = byType['AWS'] ?? [];
  const anybody = names.includes('*');
  const ofIam = anybody ? () => everybody : namedPrincipals(names);
  return (requests) => {
    const { service } = requests;
    if (service === undefined) return ofIam(requests);
    if (effect === 'Deny' && anybody) return everybody;
    return services.has(service)
      ? { answer: 'all', because: `Principal names ${service}` }
      : { answer: 'none', because: `Principal doesn't name the service ${service}` };
  };
}

function namedPrincipals(names: readonly string[]): PrincipalJudge {
  const named = new Set(names);
  const accounts = new Set(names.map(accountPrincipal));
  const partOf = new Map(names.map((name) => [/::(\d{12}):/.exec(name)?.[1], name] as const).reverse());
  const anyAccount = names.find((name) => /\d{12}/.test(name));
  const unique = names.find((name) => /^A(?:ROA|IDA)[A-Z0-9]+$/.test(name));
  return ({ account, role }) => {
    if (account !== undefined && accounts.has(account)) return { answer: 'all', because: `Principal is account ${account}` };
    if (role !== undefined && named.has(role)) return { answer: 'all', because: `Principal is ${role}` };
    const within = account === undefined ? anyAccount : partOf.get(account);
    if (within !== undefined && role === undefined)
      return { answer: account === undefined ? 'varies' : 'part', because: `Principal ${within} is only part of it` };
    if (unique !== undefined) return { answer: 'varies', because: `Principal ${unique} is the ID of a role or user that may be deleted` };
    return { answer: 'none', because: "Principal doesn't name them" };
  };
}
