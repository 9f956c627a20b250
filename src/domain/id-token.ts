/**
 * What GitHub's OIDC token says of a job, as a role's trust policy sees it. The `sub` has two forms
 * (https://docs.github.com/en/actions/reference/security/oidc):
 *
 *   repo:OWNER/REPO:<context>                        the older form, and GitHub Enterprise Server's
 *   repo:OWNER@OWNERID/REPO@REPOID:<context>         repositories made, renamed or moved after 2026-07-15
 *   <context> = environment:E | pull_request | ref:refs/…          a job's environment goes before all else
 *
 * An organization may have given its subjects another form still: those are told as they are.
 */
import { isObject, type Json } from './json.ts';

export interface Claims {
  readonly sub: string;
  readonly aud: string;
  /** The provider, without its `https://`: the prefix of the keys in a trust policy. */
  readonly issuer: string;
  /** Further facts by which a trust policy may decide, in the token's own words. */
  readonly others: readonly (readonly [name: string, value: string])[];
  readonly ids: { readonly owner: string; readonly repository: string } | undefined;
}

/** By these STS decides too (AWS-FACTS 6). */
const others = ['repository', 'ref', 'environment', 'event_name', 'job_workflow_ref', 'actor'] as const;

/** The payload of a token; whatever is not there is `unknown`. */
export function readClaims(payload: Json): Claims {
  const claims = isObject(payload) ? payload : {};
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [owner, repository] = [text('repository_owner_id'), text('repository_id')];
  return {
    sub: text('sub') ?? 'unknown',
    aud: text('aud') ?? 'unknown',
    issuer: (text('iss') ?? 'https://token.actions.githubusercontent.com').replace(/^https:\/\//, ''),
    others: others.flatMap((name) => {
      const value = text(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
    ids: owner === undefined || repository === undefined ? undefined : { owner, repository },
  };
}

const subject = /^repo:([^/@:]+)(@\d+)?\/([^/@:]+)(@\d+)?:(.+)$/;

/** `environment:dev`, `pull_request`, `ref:refs/heads/main`; the whole subject where it has another form. */
export function contextOf(sub: string): string {
  return subject.exec(sub)?.[5] ?? sub;
}

/** The same subject in its other form, for a trust policy that is to hold before and after the change; undefined where it can't be told. */
export function otherForm({ sub, ids }: Pick<Claims, 'sub' | 'ids'>): string | undefined {
  const [, owner, ownerId, repository, , context] = subject.exec(sub) ?? [];
  if (owner === undefined || repository === undefined || context === undefined) return undefined;
  if (ownerId !== undefined) return `repo:${owner}/${repository}:${context}`;
  return ids && `repo:${owner}@${ids.owner}/${repository}@${ids.repository}:${context}`;
}
