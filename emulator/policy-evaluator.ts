/**
 * IAM's evaluation of one resource-based policy (AWS-FACTS 1, RULES 2): written apart from the action on purpose, so that the
 * action's own coverage logic can be checked against it. An explicit Deny beats any Allow; nothing that matches is an implicit deny.
 *
 * Deliberately strict where IAM leaves a meaning open: a plain operator on a multivalued key, an unknown operator and a partial
 * wildcard in a principal ARN match nothing.
 */
import { conditionHolds, type Context } from './policy-conditions.ts';
import { globTokens, literalTokens, matchesTokens, type GlobToken } from './glob.ts';
import { isRecord, listOf } from './json.ts';
import type { Json } from './service.ts';

export type { Context } from './policy-conditions.ts';

/** Who asks. */
export type PrincipalFacts =
  | {
      readonly type: 'AWS';
      readonly account: string;
      /** The session's or user's ARN; `arn:aws:iam::<account>:root` for the root user. */
      readonly arn: string;
      /** `aws:PrincipalArn`: of an assumed role's session the role's ARN. Default: `arn`. */
      readonly principalArn?: string;
      /** `AROA…:session` or `AIDA…`. */
      readonly userId?: string;
      readonly organizationId?: string;
      /** As in `aws:PrincipalOrgPaths`: `o-…/r-…/ou-…/`. */
      readonly organizationPath?: string;
      readonly tags?: Readonly<Record<string, string>>;
    }
  /** A service itself, on behalf of a resource. */
  | {
      readonly type: 'Service';
      readonly service: string;
      readonly sourceArn?: string;
      readonly sourceAccount?: string;
      readonly sourceOrganizationId?: string;
      readonly sourceOrganizationPath?: string;
    }
  | { readonly type: 'Anonymous' };

export interface PolicyRequest {
  /** JSON text or the parsed document. */
  readonly policy: unknown;
  /** `ecr:BatchGetImage` */
  readonly action: string;
  /** The ARN of the resource that the policy hangs on. */
  readonly resource: string;
  readonly principal: PrincipalFacts;
  /** Further request keys, or other values of those that follow from the principal. */
  readonly context?: Context;
}

export interface PolicyDecision {
  readonly decision: 'allow' | 'deny' | 'implicit-deny';
  /** The first statement that decided. */
  readonly statement?: { readonly index: number; readonly sid?: string };
}

/** Evaluates one resource policy for one request. Throws a SyntaxError on a text that is no JSON. */
export function evaluate(request: PolicyRequest): PolicyDecision {
  const policy: unknown = typeof request.policy === 'string' ? JSON.parse(request.policy) : request.policy;
  if (!isRecord(policy)) return { decision: 'implicit-deny' };
  const context = new Map(
    Object.entries({ ...principalContext(request.principal), ...request.context }).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const evaluation: Evaluation = { request, context, hasVariables: policy.Version === '2012-10-17' };

  const statements = listOf(policy.Statement).map((statement, index) => ({ statement, index }));
  for (const [effect, decision] of [
    ['Deny', 'deny'],
    ['Allow', 'allow'],
  ] as const) {
    const found = statements.find(({ statement }) => isRecord(statement) && statement.Effect === effect && applies(statement, evaluation));
    if (found && isRecord(found.statement)) {
      const { Sid: sid } = found.statement;
      return { decision, statement: { index: found.index, ...(typeof sid === 'string' ? { sid } : {}) } };
    }
  }
  return { decision: 'implicit-deny' };
}

interface Evaluation {
  readonly request: PolicyRequest;
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  readonly hasVariables: boolean;
}

function applies(statement: Json, evaluation: Evaluation): boolean {
  const { request, context, hasVariables } = evaluation;
  return (
    principalMatches(statement, request.principal) &&
    actionMatches(statement, request.action) &&
    resourceMatches(statement, evaluation) &&
    conditionHolds(statement.Condition, { context, resolve: (value) => resolveVariables(value, { context, hasVariables }) })
  );
}

/** The request keys that follow from who asks (AWS-FACTS 1.2, 1.5). */
export function principalContext(principal: PrincipalFacts): Record<string, string | readonly string[]> {
  const optional = (key: string, value: string | readonly string[] | undefined) => (value === undefined ? {} : { [key]: value });
  const common = { 'aws:SecureTransport': 'true', 'aws:ViaAWSService': 'false' };
  switch (principal.type) {
    case 'AWS': {
      const { account, arn, principalArn = arn, userId, organizationId, organizationPath, tags = {} } = principal;
      const isRole = principalArn.includes(':role/');
      return {
        ...common,
        'aws:PrincipalIsAWSService': 'false',
        'aws:PrincipalAccount': account,
        'aws:PrincipalArn': principalArn,
        'aws:PrincipalType': isRole ? 'AssumedRole' : principalArn.endsWith(':root') ? 'Account' : 'User',
        ...optional('aws:userid', userId),
        ...optional('aws:username', principalArn.includes(':user/') ? principalArn.split('/').at(-1) : undefined),
        ...optional('aws:PrincipalOrgID', organizationId),
        ...optional('aws:PrincipalOrgPaths', organizationPath === undefined ? undefined : [organizationPath]),
        ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
      };
    }
    case 'Service':
      return {
        ...common,
        'aws:PrincipalIsAWSService': 'true',
        'aws:PrincipalServiceName': principal.service,
        'aws:PrincipalServiceNamesList': [principal.service],
        ...optional('aws:SourceArn', principal.sourceArn),
        ...optional('aws:SourceAccount', principal.sourceAccount),
        ...optional('aws:SourceOrgID', principal.sourceOrganizationId),
        ...optional('aws:SourceOrgPaths', principal.sourceOrganizationPath === undefined ? undefined : [principal.sourceOrganizationPath]),
      };
    case 'Anonymous':
      return { ...common, 'aws:PrincipalType': 'Anonymous', 'aws:PrincipalIsAWSService': 'false' };
  }
}

function principalMatches(statement: Json, principal: PrincipalFacts): boolean {
  if (statement.Principal !== undefined) return names(statement.Principal, principal).some((match) => match);
  if (statement.NotPrincipal === undefined) return false;
  // A Deny with NotPrincipal spares only who is listed in full: account, role and session. An Allow admits only who isn't listed at all.
  if (statement.Effect === 'Deny') {
    const listed = new Set(identifiers(statement.NotPrincipal, principal.type));
    return !(listed.has('*') || identities(principal).every((spellings) => spellings.some((spelling) => listed.has(spelling))));
  }
  return !names(statement.NotPrincipal, principal).some((match) => match);
}

/** For each identifier in a Principal element: does it name this principal? */
function names(element: unknown, principal: PrincipalFacts): readonly boolean[] {
  const spellings = new Set(identities(principal).flat());
  return identifiers(element, principal.type).map((identifier) => identifier === '*' || spellings.has(identifier));
}

/** The identifiers of an element that speak of this kind of principal. `"*"` and `{"AWS":"*"}` are the same and mean everyone. */
function identifiers(element: unknown, type: PrincipalFacts['type']): readonly string[] {
  if (typeof element === 'string') return element === '*' ? ['*'] : [];
  if (!isRecord(element)) return [];
  const all = (key: string) => listOf(element[key]).filter((value) => typeof value === 'string');
  const everyone = all('AWS').filter((value) => value === '*');
  return type === 'AWS' ? all('AWS') : type === 'Service' ? [...everyone, ...all('Service')] : everyone;
}

/** The layers of a principal, each with its spellings: account; user or role; session. */
function identities(principal: PrincipalFacts): readonly (readonly string[])[] {
  switch (principal.type) {
    case 'AWS': {
      const { account, arn, principalArn = arn, userId } = principal;
      const partition = arn.split(':')[1] ?? 'aws';
      const uniqueId = userId?.split(':')[0];
      return [
        [account, `arn:${partition}:iam::${account}:root`],
        [principalArn, ...(uniqueId === undefined ? [] : [uniqueId])],
        ...(arn === principalArn ? [] : [[arn]]),
      ];
    }
    case 'Service':
      return [[principal.service]];
    case 'Anonymous':
      return [];
  }
}

function actionMatches(statement: Json, action: string): boolean {
  const covers = (patterns: unknown) =>
    listOf(patterns).some(
      (pattern) => typeof pattern === 'string' && matchesTokens(globTokens(pattern.toLowerCase()), action.toLowerCase()),
    );
  if (statement.Action !== undefined) return covers(statement.Action);
  return statement.NotAction !== undefined && !covers(statement.NotAction);
}

/** Without Resource a resource policy speaks of the resource that it hangs on. */
function resourceMatches(statement: Json, { request, context, hasVariables }: Evaluation): boolean {
  const covers = (patterns: unknown) =>
    listOf(patterns).some((pattern) => {
      const tokens = typeof pattern === 'string' ? resolveVariables(pattern, { context, hasVariables }) : undefined;
      return tokens !== undefined && matchesTokens(tokens, request.resource);
    });
  if (statement.Resource !== undefined) return covers(statement.Resource);
  return statement.NotResource === undefined || !covers(statement.NotResource);
}

/**
 * A policy text as tokens. In Version 2012-10-17 `${*}`, `${?}` and `${$}` are those characters, `${key}` and `${key, 'default'}` the
 * request's value, whose own wildcards are plain text; older policies know no variables (AWS-FACTS 1.4). A variable without a
 * value, or with several, makes the text unmatchable: undefined.
 */
function resolveVariables(
  text: string,
  { context, hasVariables }: Pick<Evaluation, 'context' | 'hasVariables'>,
): readonly GlobToken[] | undefined {
  if (!hasVariables) return globTokens(text);
  const tokens: GlobToken[] = [];
  for (const part of text.split(/(\$\{[^}]*\})/)) {
    const variable = /^\$\{([^}]*)\}$/.exec(part)?.[1];
    if (variable === undefined) {
      tokens.push(...globTokens(part));
    } else if (variable === '*' || variable === '?' || variable === '$') {
      tokens.push({ literal: variable });
    } else {
      const [, key = '', fallback] = /^\s*([^,]*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(variable) ?? [];
      const value = context.get(key.toLowerCase()) ?? fallback;
      if (typeof value !== 'string') return undefined;
      tokens.push(...literalTokens(value));
    }
  }
  return tokens;
}
