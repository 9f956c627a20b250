/** Who may sign a request: users, roles and the sessions of roles, each with its access keys. */
import { randomBytes } from 'node:crypto';
import { randomId } from './organization.ts';

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Who may become a role. A role without any of these can't be assumed. */
export interface Trust {
  /** Subjects of the OIDC provider's tokens; `*` as in StringLike. */
  readonly oidcSubjects?: readonly string[];
  /** ARNs of roles and users, or account IDs. */
  readonly principals?: readonly string[];
  readonly externalId?: string;
  /** Whether the trust also names sts:TagSession. Default: true. */
  readonly tagSession?: boolean;
}

export interface Role {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  /** `AROA…`, what IAM shows in a policy once the role is gone. */
  readonly uniqueId: string;
  trust: Trust;
  /** 3600 (the default of IAM) to 43200. */
  maxSessionSeconds: number;
  /** Actions that this identity's policies lack; `*` and `?` as in IAM. Everything else is allowed. */
  deny: string[];
}

export interface User {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly uniqueId: string;
  deny: string[];
}

/** The facts of a caller, as policies see them. */
export interface Principal {
  readonly account: string;
  /** The session's ARN (`arn:aws:sts::…:assumed-role/…`) or the user's. */
  readonly arn: string;
  /** `aws:PrincipalArn`: the role's or the user's. */
  readonly principalArn: string;
  readonly userId: string;
  /** The user or role behind it; deny lists are read at each request. */
  readonly identity: { readonly deny: readonly string[] };
  readonly isSession: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly principal: Principal;
}

export interface SessionKey extends AccessKey {
  readonly sessionToken: string;
  /** Session time (World.sessionTime), milliseconds. */
  readonly expiresAt: number;
}

export function newRole(
  arn: string,
  { trust = {}, maxSessionSeconds = 3600, deny = [] }: Partial<Pick<Role, 'trust' | 'maxSessionSeconds'>> & { deny?: readonly string[] },
): Role {
  const [, , , , account = '', resource = ''] = arn.split(':');
  const name = resource.split('/').at(-1) ?? '';
  if (!/^\d{12}$/.test(account) || !resource.startsWith('role/') || !name) throw new Error(`Not a role ARN: ${arn}`);
  return { arn, account, name, uniqueId: `AROA${randomId(17, upper)}`, trust, maxSessionSeconds, deny: [...deny] };
}

export function newUser(account: string, { name, deny = [] }: { name: string; deny?: readonly string[] }): User {
  return { arn: `arn:aws:iam::${account}:user/${name}`, account, name, uniqueId: `AIDA${randomId(17, upper)}`, deny: [...deny] };
}

export function userKey(user: User): AccessKey {
  const { account, arn, uniqueId: userId } = user;
  const principal: Principal = { account, arn, principalArn: arn, userId, identity: user, isSession: false, tags: {} };
  return { accessKeyId: `AKIA${randomId(16, upper)}`, secretAccessKey: randomBytes(30).toString('base64'), principal };
}

/** What STS hands out for a role. */
export function sessionKey(
  role: Role,
  { name, expiresAt, tags = {} }: { name: string; expiresAt: number; tags?: Record<string, string> },
): SessionKey {
  const principal: Principal = {
    account: role.account,
    arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${name}`,
    principalArn: role.arn,
    userId: `${role.uniqueId}:${name}`,
    identity: role,
    isSession: true,
    tags,
  };
  const random = (bytes: number) => randomBytes(bytes).toString('base64');
  return {
    accessKeyId: `ASIA${randomId(16, upper)}`,
    secretAccessKey: random(30),
    sessionToken: `IQoJ${random(240)}`,
    expiresAt,
    principal,
  };
}

/** The variables by which every AWS SDK and CLI finds a key. */
export function keyEnvironment(key: AccessKey | SessionKey): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    ...('sessionToken' in key ? { AWS_SESSION_TOKEN: key.sessionToken } : {}),
  };
}
