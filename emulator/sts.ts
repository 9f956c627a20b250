/** AWS STS over the Query protocol (AWS-FACTS 6): identities, role sessions by trust, and web identity by our own OIDC tokens. */
import type { GithubIdentity } from './oidc.ts';
import { trusts, trustsSubject } from './trust.ts';
import type { AccessKey, Role, SessionKey } from './identity.ts';
import { optionalNumber, optionalText, text } from './json.ts';
import { AwsFault, type Call, type Json, type Service } from './service.ts';
import type { World } from './world.ts';

export function stsService({ world, identity }: { world: World; identity: GithubIdentity }): Service {
  return {
    target: 'AWSSecurityTokenServiceV20110615',
    operations: {
      GetCallerIdentity: (_input, { caller }) => {
        const { account, arn, userId } = keyOf(world, caller.accessKeyId).principal;
        return { Arn: arn, UserId: userId, Account: account };
      },
      AssumeRole: (input, call) => assumeRole(world, { input, call }),
      AssumeRoleWithWebIdentity: (input) => assumeRoleWithWebIdentity(world, { input, identity }),
    },
  };
}

function keyOf(world: World, id: string): AccessKey {
  const key = world.accessKeys.get(id);
  if (!key) throw new AwsFault('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  return key;
}

function assumeRole(world: World, { input, call }: { input: Json; call: Call }): Json {
  const key = keyOf(world, call.caller.accessKeyId);
  const { arn, name, seconds } = requested(input);
  const tags = tagsOf(input);
  const role = world.findRole(arn);
  const denied = (action: string) =>
    new AwsFault('AccessDenied', `User: ${call.caller.arn} is not authorized to perform: ${action} on resource: ${arn}`, 403);
  if (!role || !isOpen(world, role) || !trusts(role.trust, { principal: key.principal, externalId: optionalText(input, 'ExternalId') }))
    throw denied('sts:AssumeRole');
  if (Object.keys(tags).length > 0 && role.trust.tagSession === false) throw denied('sts:TagSession');
  if (key.principal.isSession && seconds > 3600) {
    throw new AwsFault(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  checkMaximum(role, seconds);
  return sessionOutput(world.session(role, { name, seconds, tags }));
}

/** Unsigned: the token is the proof. It has to be ours, unexpired, for STS, and of a subject that the role's trust names. */
function assumeRoleWithWebIdentity(world: World, { input, identity }: { input: Json; identity: GithubIdentity }): Json {
  const { arn, name, seconds } = requested(input);
  const token = text(input, 'WebIdentityToken', 'ValidationError');
  const claims = identity.verify(token);
  if (!claims)
    throw new AwsFault(
      'InvalidIdentityToken',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  const now = Math.floor(world.sessionTime() / 1000);
  if (claims.exp <= now) {
    throw new AwsFault(
      'ExpiredTokenException',
      `Token expired: current date/time ${now} must be before the expiration date/time ${claims.exp}`,
    );
  }
  const account = world.accounts.get(arn.split(':')[4] ?? '');
  if (account && !account.oidcProvider) {
    throw new AwsFault('InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${claims.iss}`);
  }
  const role = world.findRole(arn);
  if (account && !account.oidcAudiences.includes(claims.aud)) throw new AwsFault('InvalidIdentityToken', 'Incorrect token audience');
  if (!role || !isOpen(world, role) || !trustsSubject(role.trust, claims.sub))
    throw new AwsFault('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403);
  checkMaximum(role, seconds);
  return {
    ...sessionOutput(world.session(role, { name, seconds })),
    SubjectFromWebIdentityToken: claims.sub,
    Audience: claims.aud,
    Provider: `arn:aws:iam::${role.account}:oidc-provider/token.actions.githubusercontent.com`,
  };
}

/** [U] A suspended or closed account's roles are refused like unknown ones. */
function isOpen(world: World, role: Role): boolean {
  return world.account(role.account).state === 'ACTIVE';
}

function requested(input: Json): { arn: string; name: string; seconds: number } {
  const arn = text(input, 'RoleArn', 'ValidationError');
  const name = text(input, 'RoleSessionName', 'ValidationError');
  const seconds = optionalNumber(input, 'DurationSeconds') ?? 3600;
  const invalid = (value: string | number, member: string, constraint: string) =>
    new AwsFault(
      'ValidationError',
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must ${constraint}`,
    );
  if (!/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(arn)) throw new AwsFault('ValidationError', `${arn} is invalid`);
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) throw invalid(name, 'roleSessionName', 'satisfy regular expression pattern: [\\w+=,.@-]*');
  if (seconds < 900) throw invalid(seconds, 'durationSeconds', 'have value greater than or equal to 900');
  if (seconds > 43_200) throw invalid(seconds, 'durationSeconds', 'have value less than or equal to 43200');
  return { arn, name, seconds };
}

/** `Tags.member.1.Key=…&Tags.member.1.Value=…`, 50 at most. */
function tagsOf(input: Json): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 1; typeof input[`Tags.member.${index}.Key`] === 'string'; index++) {
    if (index > 50)
      throw new AwsFault(
        'ValidationError',
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
      );
    tags[text(input, `Tags.member.${index}.Key`)] = text(input, `Tags.member.${index}.Value`);
  }
  return tags;
}

function checkMaximum(role: Role, seconds: number): void {
  if (seconds > role.maxSessionSeconds)
    throw new AwsFault('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
}

function sessionOutput(key: SessionKey): Json {
  return {
    AssumedRoleUser: { AssumedRoleId: key.principal.userId, Arn: key.principal.arn },
    Credentials: {
      AccessKeyId: key.accessKeyId,
      SecretAccessKey: key.secretAccessKey,
      SessionToken: key.sessionToken,
      Expiration: new Date(key.expiresAt).toISOString(),
    },
    PackedPolicySize: Object.keys(key.principal.tags).length || undefined,
  };
}
