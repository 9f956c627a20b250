/**
 * What ECR refuses in SetRepositoryPolicy (AWS-FACTS 2.1): not only broken JSON, but also unknown operators, principals that
 * don't exist, ecr:GetAuthorizationToken, and a policy that would lock its writer out.
 */
import { factsOf } from './access.ts';
import type { Principal } from './identity.ts';
import { isRecord, listOf } from './json.ts';
import { isOperator } from './policy-conditions.ts';
import { evaluate } from './policy-evaluator.ts';
import type { Repository } from './repository.ts';
import { AwsFault, type Json } from './service.ts';
import type { World } from './world.ts';

const maximumLength = 10_240;

function invalid(constraint: string): AwsFault {
  return new AwsFault('InvalidParameterException', `Invalid parameter at 'PolicyText' failed to satisfy constraint: '${constraint}'`);
}

export function validatePolicy(
  world: World,
  { text, force, principal, repository }: { text: string; force: boolean; principal: Principal; repository: Repository },
): void {
  if (text.length > maximumLength) throw invalid(`Member must have length less than or equal to ${maximumLength}`);
  const policy = parse(text);
  const statements = listOf(policy?.Statement);
  const isVersionKnown = policy?.Version === undefined || policy.Version === '2012-10-17' || policy.Version === '2008-10-17';
  if (!policy || !isVersionKnown || statements.length === 0 || !statements.every(isValidStatement))
    throw invalid('Invalid repository policy provided');
  if (!statements.every((statement) => isRecord(statement) && principalsOf(statement).every((name) => exists(world, name))))
    throw invalid('Principal not found');
  if (force) return;
  const { decision } = evaluate({
    policy,
    action: 'ecr:SetRepositoryPolicy',
    resource: repository.arn,
    principal: factsOf(world, principal),
  });
  if (decision === 'deny') throw invalid('The policy would prevent you from setting another policy in the future; use force to set it');
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const elements = new Set(['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']);

function isValidStatement(statement: unknown): boolean {
  if (!isRecord(statement) || !Object.keys(statement).every((element) => elements.has(element))) return false;
  const { Effect: effect, Condition: condition } = statement;
  const exactlyOne = (one: string, other: string) => (statement[one] === undefined) !== (statement[other] === undefined);
  const actions = listOf(statement.Action ?? statement.NotAction);
  return (
    (effect === 'Allow' || effect === 'Deny') &&
    exactlyOne('Principal', 'NotPrincipal') &&
    isValidPrincipal(statement.Principal ?? statement.NotPrincipal) &&
    exactlyOne('Action', 'NotAction') &&
    actions.length > 0 &&
    actions.every(
      (action) =>
        typeof action === 'string' &&
        (action === '*' || /^ecr:[\w*?]+$/i.test(action)) &&
        action.toLowerCase() !== 'ecr:getauthorizationtoken',
    ) &&
    isValidCondition(condition)
  );
}

function isValidPrincipal(principal: unknown): boolean {
  if (principal === '*') return true;
  if (!isRecord(principal) || Object.keys(principal).length === 0) return false;
  return Object.entries(principal).every(
    ([kind, values]) =>
      ['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(kind) &&
      listOf(values).length > 0 &&
      listOf(values).every((value) => typeof value === 'string' && (value === '*' ? kind === 'AWS' : !value.includes('*'))),
  );
}

function isValidCondition(condition: unknown): boolean {
  if (condition === undefined) return true;
  if (!isRecord(condition)) return false;
  const isScalar = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
  return Object.entries(condition).every(
    ([operator, clauses]) =>
      isOperator(operator) &&
      isRecord(clauses) &&
      Object.values(clauses).every((values) => listOf(values).length > 0 && listOf(values).every(isScalar)),
  );
}

function principalsOf(statement: Json): readonly string[] {
  const principal = statement.Principal ?? statement.NotPrincipal;
  return isRecord(principal)
    ? (listOf(principal.AWS).filter((value) => typeof value === 'string' && value !== '*') as readonly string[])
    : [];
}

/** Accounts, their root ARNs, roles, users, sessions of roles, and the unique IDs of roles and users that still exist. */
function exists(world: World, name: string): boolean {
  if (/^\d{12}$/.test(name)) return world.accounts.has(name);
  if (/^A(ROA|IDA)[A-Z0-9]+$/.test(name)) {
    return [...world.accounts.values()].some((account) =>
      [...account.roles.values(), ...account.users.values()].some(({ uniqueId }) => uniqueId === name),
    );
  }
  const [, , service, , id = '', resource = ''] = name.split(':');
  const account = world.accounts.get(id);
  if (!account) return false;
  if (resource === 'root') return true;
  if (service === 'sts') return [...account.roles.values()].some((role) => role.name === resource.split('/')[1]);
  return account.roles.has(name) || [...account.users.values()].some((user) => user.arn === name);
}
