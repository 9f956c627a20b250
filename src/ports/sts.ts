/**
 * AWS STS: roles are assumed, and callers asked who they are, at the endpoint of the Region, which the SDK finds
 * (`sts.<region>.amazonaws.com`, in China `.amazonaws.com.cn`). What STS refuses is told with the values that were sent: it says itself
 * neither which subject it saw nor whether the role exists.
 */
import { accountOf, parseAccountId, partitionOf, type AccountId, type Region, type RoleArn } from '../domain/account.ts';
import { otherForm, type Claims } from '../domain/id-token.ts';
import type { SessionTag } from '../domain/session-tags.ts';
import { AwsError, InputError } from '../errors.ts';
import {
  ask,
  clientSettings,
  emptyAnswer,
  isDenial,
  isExpiry,
  lazy,
  type Asked,
  type AwsCredentials,
  type CredentialProvider,
} from './aws.ts';
import { claimsOf } from './id-token.ts';

export interface Identity {
  readonly account: AccountId;
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>`. */
  readonly arn: string;
}

export interface RoleWish {
  readonly region: Region;
  readonly role: RoleArn;
  /** The input that names the role: `deploy-role`. */
  readonly input: string;
  readonly sessionName: string;
  /** STS gives an hour where nothing is wished. */
  readonly durationSeconds: number | undefined;
}

export interface WebIdentityWish extends RoleWish {
  readonly token: string;
}

export interface AssumeRoleWish extends RoleWish {
  readonly source: CredentialProvider;
  readonly externalId: string | undefined;
  readonly tags: readonly SessionTag[];
}

const sdk = lazy(async () => import('@aws-sdk/client-sts'));

/** Role chaining ends a session after an hour, whatever the role allows. */
export const chainedSeconds = 3600;

/** Loads the SDK, while something else is waited for. */
export async function preloadSts(): Promise<void> {
  await sdk();
}

/** Works for any caller, whatever is denied to it. */
export async function callerIdentity({
  region,
  credentials,
}: {
  readonly region: Region;
  readonly credentials: CredentialProvider;
}): Promise<Identity> {
  const { STSClient, GetCallerIdentityCommand } = await sdk();
  const sts = new STSClient(clientSettings({ region, credentials }));
  const asked = { service: 'sts', operation: 'GetCallerIdentity' };
  const { Account = '', Arn = '' } = await ask(asked, async () => sts.send(new GetCallerIdentityCommand({})));
  const account = parseAccountId(Account);
  if (!account.ok) throw emptyAnswer(asked, 'an account');
  return { account: account.value, arn: Arn };
}

/** The request is not signed: the token is the proof, and its claims stand where tags would. */
export async function assumeRoleWithWebIdentity(wish: WebIdentityWish): Promise<AwsCredentials> {
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await sdk();
  const sts = new STSClient(clientSettings({ region: wish.region, credentials: unsigned }));
  const asked = { service: 'sts', operation: 'AssumeRoleWithWebIdentity', of: `${wish.input} ${wish.role}` };
  const request = new AssumeRoleWithWebIdentityCommand({
    RoleArn: wish.role,
    RoleSessionName: wish.sessionName,
    WebIdentityToken: wish.token,
    DurationSeconds: wish.durationSeconds,
  });
  try {
    const { Credentials } = await ask(asked, async () => sts.send(request));
    return assumed(Credentials, asked);
  } catch (error) {
    throw error instanceof AwsError ? webIdentityRefused({ wish, claims: claimsOf(wish.token), error }) : error;
  }
}

/** @throws InputError where an assumed role wishes for more than the hour of role chaining, before the call */
export async function assumeRole(wish: AssumeRoleWish): Promise<AwsCredentials> {
  const { STSClient, AssumeRoleCommand } = await sdk();
  await refuseLongChain(wish);
  const sts = new STSClient(clientSettings({ region: wish.region, credentials: wish.source }));
  const asked = { service: 'sts', operation: 'AssumeRole', of: `${wish.input} ${wish.role}` };
  const request = new AssumeRoleCommand({
    RoleArn: wish.role,
    RoleSessionName: wish.sessionName,
    DurationSeconds: wish.durationSeconds,
    ExternalId: wish.externalId,
    ...(wish.tags.length > 0 && { Tags: wish.tags.map(({ key, value }) => ({ Key: key, Value: value })) }),
  });
  try {
    const { Credentials } = await ask(asked, async () => sts.send(request));
    return assumed(Credentials, asked);
  } catch (error) {
    throw error instanceof AwsError ? await assumeRoleRefused({ wish, error }) : error;
  }
}

async function refuseLongChain({ region, role, input, durationSeconds = chainedSeconds, source }: AssumeRoleWish): Promise<void> {
  if (durationSeconds <= chainedSeconds) return;
  const { arn } = await callerIdentity({ region, credentials: source });
  if (!isAssumedRole(arn)) return;
  throw new InputError(
    [
      {
        input: 'role-duration-seconds',
        problem: `is ${durationSeconds}, but ${arn} assumes ${input} ${role} by role chaining, which ends after ${chainedSeconds} seconds`,
      },
    ],
    { hint: `Leave it out: the session is renewed by itself. ${byOidc}` },
  );
}

/** How role chaining is avoided. */
export const byOidc = 'To avoid that, let the job assume the role by OIDC: role-chaining: false, with "permissions: id-token: write".';

export function isAssumedRole(arn: string): boolean {
  return arn.includes(':assumed-role/');
}

/** AssumeRoleWithWebIdentity is not signed; the SDK never asks for these. */
const unsigned: CredentialProvider = async () => ({ accessKeyId: '', secretAccessKey: '' });

interface StsCredentials {
  readonly AccessKeyId?: string | undefined;
  readonly SecretAccessKey?: string | undefined;
  readonly SessionToken?: string | undefined;
  readonly Expiration?: Date | undefined;
}

function assumed(credentials: StsCredentials | undefined, { service, operation }: Asked): AwsCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw emptyAnswer({ service, operation }, 'credentials');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration && { expiration: Expiration }),
  };
}

/** The same failure in better words; what it was stays as its cause. */
function refused(error: AwsError, { message = error.message, hint }: { message?: string; hint: string }): AwsError {
  const { service, operation, code, requestId } = error;
  return new AwsError(message, { service, operation, code, requestId, cause: error, hint });
}

function webIdentityRefused({ wish, claims, error }: { wish: WebIdentityWish; claims: Claims; error: AwsError }): AwsError {
  const { role, region } = wish;
  const provider = `the OIDC provider ${claims.issuer} of ${accountOf(role)}`;
  if (isDenial(error) || error.code.startsWith('IDPRejectedClaim')) {
    return refused(error, {
      message: `STS refused ${role} for sub "${claims.sub}" (aud ${claims.aud}).`,
      hint: trustHint(claims),
    });
  }
  if (error.code.startsWith('InvalidIdentityToken')) {
    const audienceOfChina = partitionOf(region) === 'aws-cn' ? ' (in China often sts.amazonaws.com.cn)' : '';
    return refused(error, {
      hint: /provider/i.test(error.message)
        ? `Make ${provider} in IAM (docs/iam.md), with the audience "${claims.aud}".`
        : `The token is for the audience "${claims.aud}": add it to ${provider} and to the role's trust policy, or set the input audience to what they have${audienceOfChina}.`,
    });
  }
  return commonlyRefused({ wish, error });
}

/** Told for copying: the keys and values of the trust policy's condition. */
function trustHint(claims: Claims): string {
  const { sub, aud, issuer } = claims;
  const other = otherForm(claims);
  return [
    'Its trust policy must allow this audience and exactly this sub (docs/iam.md); STS says the same where there is no such role.',
    `  "${issuer}:aud": ${JSON.stringify(aud)}`,
    `  "${issuer}:sub": ${JSON.stringify(sub)}`,
    'Repositories made, renamed or moved after 2026-07-15 have the form repo:OWNER@ID/REPO@ID:…, older ones the form without IDs.',
    ...(other === undefined ? [] : [`The other form of this sub: ${JSON.stringify(other)}; list both while you are not sure.`]),
    ...(claims.others.length === 0 ? [] : [`The token also says: ${claims.others.map(([name, value]) => `${name} ${value}`).join(', ')}.`]),
  ].join('\n');
}

async function assumeRoleRefused({ wish, error }: { wish: AssumeRoleWish; error: AwsError }): Promise<AwsError> {
  const { role, input, region, source, externalId, tags } = wish;
  if (isExpiry(error))
    return refused(error, { hint: `${input} is assumed from the job's own credentials, and those have expired. ${byOidc}` });
  if (!isDenial(error)) return commonlyRefused({ wish, error });
  // AWS's own words name the caller most of the time; this answer can't be denied.
  const caller = await callerIdentity({ region, credentials: source }).catch(() => undefined);
  const who = caller === undefined ? 'the caller' : principalOf(caller.arn);
  const external =
    externalId === undefined
      ? 'No external ID was sent (role-external-id).'
      : 'The external ID that was sent must be the one that it asks for.';
  const tagging = tags.length > 0 ? ' For the role-session-tags both must allow sts:TagSession too.' : '';
  return refused(error, {
    message: `AssumeRole of ${input} ${role} was refused for ${caller?.arn ?? 'the caller'}: ${error.message}`,
    hint: `${who} needs sts:AssumeRole on the role in its own IAM policy, AND the role's trust policy must name ${who}. ${external}${tagging}`,
  });
}

/** Whom a policy names: the role of a session (`arn:…:role/hub`, its path is not known), else the caller itself. */
function principalOf(arn: string): string {
  return arn.replace(/^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:$1:iam::$2:role/$3');
}

function commonlyRefused({ wish, error }: { wish: RoleWish; error: AwsError }): AwsError {
  const { role, region, durationSeconds = chainedSeconds } = wish;
  const account = accountOf(role);
  if (/MaxSessionDuration/.test(error.message))
    return refused(error, {
      hint: `role-duration-seconds (${durationSeconds}) is more than ${role} allows: leave it out, the session is renewed by itself, or raise the role's maximum session duration.`,
    });
  if (error.code.startsWith('RegionDisabled'))
    return refused(error, { hint: `Activate STS in ${region} in the account settings of IAM in ${account}, or choose another Region.` });
  if (error.code.startsWith('PackedPolicyTooLarge')) return refused(error, { hint: 'Give fewer or shorter role-session-tags.' });
  return error;
}
