// The statements that we write, one for each kind of grant and set of actions, values sorted:
//
//   OrgPaths   Principal "*"                  ForAnyValue:StringLike aws:PrincipalOrgPaths  o-…/*/ou-…/*  (or o-…/r-…/ou-…/*, o-…/*)
//   Accounts   Principal AWS arn:…:iam::<account>:root
//   Roles      Principal AWS <role ARN>
//   Lambda     Principal Service lambda       ArnLike aws:SourceArn  arn:…:lambda:<region>:<account>:function:*
//   CodeBuild  Principal Service codebuild    ArnLike aws:SourceArn  arn:…:codebuild:<region>:<account>:project/*
//
// The path is closed by "/*", or `ou-t` would also take in `ou-t2`; the middle "*" survives a move of the OU. Never a Resource:
// ECR was seen to refuse it. Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html (a function's account needs both its own and the service's
// statement), https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html.
import { parseArn } from '../account.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { accountPrincipal } from './principal.ts';
import { readSid, type GrantKind, type OwnSid, type PolicySid } from './sid.ts';
import { repositoryFacts, type Facts, type PullService, type Target } from './target.ts';
import type { Statement } from './document.ts';

/** One value of one kind, and what it is to allow. */
export interface Grant {
  readonly kind: GrantKind;
  readonly value: string;
  readonly actions: readonly string[];
}

/** A statement of ours, as we would write it. */
export interface OwnStatement {
  readonly sid: OwnSid;
  readonly actions: readonly string[];
  readonly values: readonly string[];
}

/** What a target needs. */
export interface Want {
  readonly target: Target;
  /** As `ecr:BatchGetImage`. */
  readonly actions: readonly string[];
}

/** The three that a pull needs. */
export const pullActions = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'] as const;

interface Kind {
  /** Principal and Condition for these values. */
  readonly body: (values: readonly string[]) => { readonly principal: Json; readonly condition?: JsonObject };
  /** The values of a statement of this form, in canonical spelling; `undefined` if it has another form. */
  readonly read: (principal: Json | undefined, condition: Json | undefined) => readonly string[] | undefined;
}

const conditional = (principal: Json, operator: string, key: string): Kind => ({
  body: (values) => ({ principal, condition: { [operator]: { [key]: values } } }),
  read: (found, condition) => {
    if (JSON.stringify(normalPrincipal(found)) !== JSON.stringify(normalPrincipal(principal)) || !isObject(condition)) return undefined;
    const keys = only(condition, operator);
    const value = isObject(keys) ? only(keys, key) : undefined;
    return value === undefined ? undefined : texts(value);
  },
});

const principals = (canonical: (name: string) => string | undefined): Kind => ({
  body: (values) => ({ principal: { AWS: values } }),
  read: (found, condition) => {
    const names = condition === undefined && isObject(found) ? texts(only(found, 'AWS')) : undefined;
    const values = names?.map(canonical);
    return values?.every((value) => value !== undefined) ? values : undefined;
  },
});

const source = (service: PullService) => conditional({ Service: `${service}.amazonaws.com` }, 'ArnLike', 'aws:SourceArn');

const kinds: Readonly<Record<GrantKind, Kind>> = {
  OrgPaths: conditional('*', 'ForAnyValue:StringLike', 'aws:PrincipalOrgPaths'),
  Accounts: principals((name) => (accountPrincipal(name) === undefined || !name.startsWith('arn:') ? undefined : name)),
  Roles: principals((name) => (parseArn(name).ok && /:role\//.test(name) ? name : undefined)),
  Lambda: source('lambda'),
  CodeBuild: source('codebuild'),
};

/** The grant that covers a target. */
export function grantFor({ target, actions }: Want, facts: Facts): Grant {
  const { partition, region } = repositoryFacts(facts);
  switch (target.kind) {
    case 'organization':
    case 'root':
      return { kind: 'OrgPaths', value: `${target.organization}/*`, actions };
    case 'ou':
      return { kind: 'OrgPaths', value: `${target.organization}/*/${target.ou}/*`, actions };
    case 'path':
      return { kind: 'OrgPaths', value: `${target.path}*`, actions };
    case 'account':
      return { kind: 'Accounts', value: `arn:${partition}:iam::${target.account}:root`, actions };
    case 'role':
      return { kind: 'Roles', value: target.role, actions };
    case 'service': {
      const [kind, resource] = ({ lambda: ['Lambda', 'function:*'], codebuild: ['CodeBuild', 'project/*'] } as const)[target.service];
      return { kind, value: `arn:${partition}:${target.service}:${region}:${target.account}:${resource}`, actions };
    }
  }
}

/** A function's account pulls itself when the function is made or updated, and Lambda pulls later: both must be allowed. */
export function withConsumers(wants: readonly Want[]): Want[] {
  const named = new Set(wants.flatMap(({ target }) => (target.kind === 'account' ? [target.account] : [])));
  return wants.flatMap((want): Want[] => {
    const { target, actions } = want;
    if (target.kind !== 'service' || target.service !== 'lambda' || named.has(target.account)) return [want];
    return [{ target: { kind: 'account', account: target.account }, actions }, want];
  });
}

/** A statement of ours as JSON. */
export function statementJson({
  sid,
  actions,
  values,
}: Omit<OwnStatement, 'sid'> & { readonly sid: OwnSid & { readonly text: string } }): JsonObject {
  const { principal, condition } = kinds[sid.kind].body(sorted(values));
  return { Sid: sid.text, Effect: 'Allow', Principal: principal, Action: sorted(actions), ...(condition ? { Condition: condition } : {}) };
}

/** Reads a statement back as ours: our Sid and exactly our form. One that somebody changed is no longer ours to edit. */
export function readOwn({ sid, effect, json, actions }: Statement, policySid: PolicySid): OwnStatement | undefined {
  const own = readSid(sid, policySid);
  if (!own || effect !== 'Allow' || actions.not) return undefined;
  if (Object.keys(json).some((element) => !['Sid', 'Effect', 'Principal', 'Action', 'Condition'].includes(element))) return undefined;
  const values = kinds[own.kind].read(json['Principal'], json['Condition']);
  if (!values || actions.names.some((name) => /[*?]/.test(name))) return undefined;
  return { sid: own, actions: sorted(actions.names), values: sorted(values) };
}

/** Sorted, each once, by code unit: the same on every machine. */
export function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** Sets of actions are the same whatever their order and case. */
export function actionsKey(actions: readonly string[]): string {
  return sorted(actions.map((action) => action.toLowerCase())).join();
}

interface Acting {
  readonly actions: readonly string[];
}

/** Does `outer` allow all that `inner` does? */
export function actionsWithin(inner: Acting, outer: Acting): boolean {
  return inner.actions.every((action) => outer.actions.some((name) => name.toLowerCase() === action.toLowerCase()));
}

function normalPrincipal(principal: Json | undefined): Json {
  if (principal === undefined) return null;
  if (principal === '*') return { AWS: ['*'] };
  return isObject(principal)
    ? Object.fromEntries(Object.entries(principal).map(([type, names]) => [type, texts(names) ?? null]))
    : principal;
}

/** The value of the only key of an object, whatever its case. */
function only(object: JsonObject, key: string): Json | undefined {
  const [first, ...rest] = Object.entries(object);
  return first && rest.length === 0 && first[0].toLowerCase() === key.toLowerCase() ? first[1] : undefined;
}

function texts(json: Json | undefined): readonly string[] | undefined {
  if (json === undefined) return undefined;
  const list: readonly Json[] = Array.isArray(json) ? (json as readonly Json[]) : [json];
  return list.every((item) => typeof item === 'string') ? list : undefined;
}
