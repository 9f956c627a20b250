/**
 * Does a statement admit strangers: requests without organization keys, or from another organization? An Allow is closed when its
 * Principal names accounts, roles or users, or when one clause with a positive operator pins who asks to values without wildcards:
 *
 *   account, organization, VPC      aws:PrincipalAccount, PrincipalOrgID, SourceAccount, SourceOrgID, SourceVpc, SourceVpce, …
 *   organization path               literal up to the organization's slash: `o-…/…`
 *   ARN                             literal up to the account: `arn:aws:iam::111111111111:*`
 *   address                         no wider than /8 (IPv6: /32), which is where S3 begins to call a policy public
 *
 * ForAllValues and …IfExists are also met by a request without the key: they pin only together with Null "false" on it. A service
 * principal without a pinned source is open as well: anybody can own a function. "Non-public" follows the meaning in
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status.
 */
import { isSeveralValued } from './condition/clause.ts';
import { qualified } from './condition/operators.ts';
import { labelOf, type Clause, type Policy, type Statement } from './document.ts';
import { takesAction } from './names.ts';
import { parseGlob } from './pattern.ts';

export interface Exposure {
  readonly statement: string;
  readonly because: string;
}

/** Every statement that lets strangers in, unless a Deny shuts them out again. */
export function exposures(policy: Policy): Exposure[] {
  const shut = policy.statements.filter((statement) => statement.effect === 'Deny' && shutsOut(statement, policy.version));
  return policy.statements.flatMap((statement) => {
    const because = exposed(statement, policy.version);
    const closedBy = shut.find(
      (deny) =>
        deny.actions.names.includes('*') ||
        statement.actions.names.every((action) => !statement.actions.not && takesAction(deny.actions, action)),
    );
    return because === undefined || closedBy ? [] : [{ statement: labelOf(statement), because }];
  });
}

/** Why a statement admits strangers; `undefined` when it doesn't. */
export function exposed({ effect, principals, clauses }: Statement, version: string | undefined): string | undefined {
  if (effect === 'Deny') return undefined;
  const everybody = principals.not || principals.byType['AWS']?.includes('*') === true;
  const services = principals.byType['Service'] ?? [];
  if (!everybody && services.length === 0) return undefined;
  const present = new Set(
    clauses
      .filter(({ operator, values }) => operator === 'Null' && values.every((value) => value.toLowerCase() === 'false'))
      .map(({ key }) => key.toLowerCase()),
  );
  if (clauses.some((clause) => pins(clause, version) && (!metWithout(clause) || present.has(clause.key.toLowerCase())))) return undefined;
  const who = everybody
    ? principals.not
      ? 'everybody whom NotPrincipal leaves'
      : 'everybody'
    : `${services.join(', ')} on anybody's behalf`;
  const nearly = clauses.find((clause) => pins(clause, version));
  if (nearly) return `it lets in ${who}: ${nearly.operator} is also met by a request without ${nearly.key}`;
  const loose = clauses.find(({ key }) => key.toLowerCase() in pinnable);
  return loose
    ? `it lets in ${who}: ${loose.operator} ${loose.key} ${loose.values.join(', ')} doesn't name whom`
    : `it lets in ${who}: no condition names an account, an organization or a source`;
}

type Form = 'plain' | 'path' | 'arn' | 'address';

/** Keys that say who asks, in lower case, with the form of their values. */
const pinnable: Readonly<Record<string, Form>> = {
  'aws:principalaccount': 'plain',
  'aws:principalorgid': 'plain',
  'aws:principalorgpaths': 'path',
  'aws:principalarn': 'arn',
  'aws:userid': 'plain',
  'aws:sourceaccount': 'plain',
  'aws:sourceorgid': 'plain',
  'aws:sourceorgpaths': 'path',
  'aws:sourcearn': 'arn',
  'aws:sourcevpc': 'plain',
  'aws:sourcevpce': 'plain',
  'aws:vpceaccount': 'plain',
  'aws:vpceorgid': 'plain',
  'aws:vpceorgpaths': 'path',
  'aws:sourceip': 'address',
};

const positive = new Set(['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'ArnEquals', 'ArnLike', 'IpAddress']);

function pins({ operator, key, values }: Clause, version: string | undefined): boolean {
  const { name } = qualified(operator);
  const form = pinnable[key.toLowerCase()];
  return form !== undefined && positive.has(name) && values.every((value) => pinned({ form, name, value, version }));
}

function pinned({ form, name, value, version }: { form: Form; name: string; value: string; version: string | undefined }): boolean {
  if (form === 'address') return name === 'IpAddress' && narrow(value);
  const glob = parseGlob(value, { version, wild: !name.startsWith('StringEquals') });
  if (!glob) return false;
  if (glob.literal) return true;
  if (form === 'path') return /^[^/]+\//.test(glob.head);
  if (form === 'arn' && name.startsWith('Arn')) return /^\d{12}$/.test(value.split(':')[4] ?? '');
  return form === 'arn' && /^arn:[^:]+:[^:]+:[^:]*:\d{12}:/.test(glob.head);
}

function narrow(range: string): boolean {
  const bits = /\/(\d+)$/.exec(range)?.[1];
  return bits === undefined || Number(bits) >= (range.includes(':') ? 32 : 8);
}

/** Is the clause met by a request that lacks its key? */
function metWithout({ operator }: Clause): boolean {
  const { set, ifExists } = qualified(operator);
  return ifExists || set === 'all';
}

/** A Deny for everybody whose one condition is "not of ours": it also hits a request without the key. */
function shutsOut({ principals, resources, clauses, unknown }: Statement, version: string | undefined): boolean {
  const [clause] = clauses;
  if (
    principals.not ||
    !principals.byType['AWS']?.includes('*') ||
    resources?.not === true ||
    clauses.length !== 1 ||
    !clause ||
    unknown.length > 0
  )
    return false;
  if (resources && !resources.names.includes('*')) return false;
  const { name, set } = qualified(clause.operator);
  const opposite = name.replace('Not', '');
  const hitsAbsent = set === 'all' || (set === undefined && !isSeveralValued(clause.key));
  return name !== opposite && hitsAbsent && pins({ ...clause, operator: opposite }, version);
}
