/**
 * Credentials of one side of the release: the registry's account, or the account that is deployed to (RULES 3).
 *
 *   no role                      the job's own credentials (environment, profile, container or instance)
 *   role, keys in environment    sts:AssumeRole from them
 *   role, ID token to be had     sts:AssumeRoleWithWebIdentity directly, so role chaining's one hour does not apply
 *   role, neither                sts:AssumeRole from the default chain
 *
 * There is no silent fallback from one to another. Clients hold provider functions, never values: a role is assumed again, with a
 * fresh ID token, when less than ten minutes are left.
 */
import { accountOf, parseAccountId, type AccountId, type Region, type RoleArn } from '../domain/account.ts';
import { AwsError, InputError, toError } from '../errors.ts';
import { ask, clientSettings, isDenial, type AwsCredentials, type CredentialProvider } from './aws.ts';
import type { Clock } from './clock.ts';
import type { GitHub } from './github.ts';
import type { Log } from './log.ts';

export type Side = 'registry' | 'deploy' | 'organization';
export type How = 'environment' | 'oidc' | 'assume-role' | 'default-chain';
export const roleChainings = ['auto', 'true', 'false'] as const;

export interface SideRequest {
  readonly side: Side;
  readonly region: Region;
  readonly role?: RoleArn | undefined;
  /** Any other account is refused before the first effect. */
  readonly expectedAccount?: AccountId | undefined;
  readonly audience: string;
  readonly sessionName: string;
  readonly chaining: (typeof roleChainings)[number];
  readonly durationSeconds?: number | undefined;
  readonly externalId?: string | undefined;
}

export interface Identity {
  readonly account: AccountId;
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>`. */
  readonly arn: string;
}

export interface Session {
  readonly side: Side;
  readonly region: Region;
  /** How the credentials are had; `oidc` and `assume-role` can be renewed. */
  readonly how: How;
  readonly credentials: CredentialProvider;
  /**
   * Who this side is, guarded: the account is the expected one. Asked once and again after every renewal; await it before the
   * first write, and start reads beside it.
   * @throws InputError where the account is another one
   */
  identity(): Promise<Identity>;
  /** When the credentials at hand expire, in milliseconds since the epoch; undefined where nobody says. */
  expiresAt(): number | undefined;
}

export interface Credentials {
  /** Opens a side without a call: the role is assumed when its credentials are first asked for. */
  open(request: SideRequest): Session;
}

const renewBefore = 10 * 60_000;
/** The SDK asks its provider again five minutes before the expiry that it was told. */
const sdkRenewsBefore = 5 * 60_000;
const idTokenReuse = 60_000;

interface World {
  readonly github: GitHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function stsCredentials(world: World): Credentials {
  const idToken = reusedIdToken(world);
  return { open: (request) => openSession({ ...world, request, idToken }) };
}

type IdTokens = (audience: string) => Promise<string>;

/** ID tokens live five minutes; one that is younger than a minute serves the sides that are opened together. */
function reusedIdToken({ github, clock }: World): IdTokens {
  const held = new Map<string, { readonly at: number; readonly token: Promise<string> }>();
  return async (audience) => {
    const last = held.get(audience);
    if (last && clock.monotonic() - last.at < idTokenReuse) return last.token;
    const token = askForIdToken({ github, clock, audience });
    held.set(audience, { at: clock.monotonic(), token });
    token.catch(() => held.delete(audience));
    return token;
  };
}

/** GitHub's token service fails now and then; three tries, half a second and then a second apart. */
async function askForIdToken({ github, clock, audience }: Pick<World, 'github' | 'clock'> & { audience: string }): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await github.idToken(audience);
    } catch (error) {
      if (attempt === 3) {
        const why = toError(error).message.replaceAll(/\s+/g, ' ');
        throw new AwsError(`GitHub gave the job no ID token: ${why}`, {
          service: 'github',
          operation: 'GetIdToken',
          code: 'NoIdToken',
          cause: error,
          hint: 'Nothing was changed. Run the job again; https://www.githubstatus.com tells whether GitHub has a problem.',
        });
      }
      await clock.sleep(500 * attempt);
    }
  }
}

function openSession(world: World & { request: SideRequest; idToken: IdTokens }): Session {
  const { request, clock, log, github } = world;
  const { side, region, expectedAccount, role } = request;
  const how = chooseHow(world);
  let current: { readonly credentials: AwsCredentials; readonly until: number | undefined } | undefined;
  let renewing: Promise<AwsCredentials> | undefined;
  let guard: Promise<Identity> | undefined;

  const identify = async (): Promise<Identity> => {
    const identity = await callerIdentity({ region, credentials });
    refuseOtherAccount({ request, identity });
    const until = current?.until === undefined ? '' : `, until ${new Date(current.until).toISOString().slice(11, 16)} UTC`;
    log.info(`${side}: ${identity.arn} in ${identity.account} ${sentence(how)}${until}`);
    return identity;
  };
  const obtain = async (): Promise<AwsCredentials> => {
    const credentials = await obtainers[how](world);
    for (const secret of [credentials.secretAccessKey, credentials.sessionToken]) if (secret !== undefined) github.mask(secret);
    const renewed = current !== undefined;
    current = { credentials, until: credentials.expiration?.getTime() };
    if (renewed) {
      // The same guard again, before anyone uses what came.
      guard = identify();
      await guard;
    }
    return forSdk(credentials);
  };
  const credentials: CredentialProvider = async () => {
    if (current && (current.until === undefined || current.until - clock.now() > renewBefore)) return forSdk(current.credentials);
    if (current && renewing) return forSdk(current.credentials);
    renewing ??= obtain().finally(() => (renewing = undefined));
    return renewing;
  };
  const session: Session = {
    side,
    region,
    how,
    credentials,
    identity: async () => (guard ??= identify()),
    expiresAt: () => current?.until,
  };
  // Role ARNs name their account: a contradiction needs no call.
  if (role !== undefined && expectedAccount !== undefined && accountOf(role) !== expectedAccount)
    throw wrongAccount({ request, account: accountOf(role), arn: role });
  return session;
}

/** Tells the SDK an expiry that makes it ask again when less than ten minutes are left. */
function forSdk(credentials: AwsCredentials): AwsCredentials {
  if (!credentials.expiration) return credentials;
  return { ...credentials, expiration: new Date(credentials.expiration.getTime() - (renewBefore - sdkRenewsBefore)) };
}

function chooseHow({ request, github, environment }: World & { request: SideRequest }): How {
  const hasKeys = (environment['AWS_ACCESS_KEY_ID'] ?? '') !== '';
  if (request.role === undefined) return hasKeys ? 'environment' : 'default-chain';
  if (request.chaining === 'true') return 'assume-role';
  if (request.chaining === 'false') return 'oidc';
  if (hasKeys) return 'assume-role';
  return github.hasIdToken ? 'oidc' : 'assume-role';
}

type Obtainer = (world: World & { request: SideRequest; idToken: IdTokens }) => Promise<AwsCredentials>;

const obtainers: Readonly<Record<How, Obtainer>> = {
  environment: async ({ environment }) => environmentKeys(environment),
  'default-chain': defaultChain,
  oidc: assumeByOidc,
  'assume-role': assumeFromOwn,
};

function environmentKeys(environment: World['environment']): AwsCredentials {
  const sessionToken = environment['AWS_SESSION_TOKEN'] ?? '';
  const expiration = environment['AWS_CREDENTIAL_EXPIRATION'] ?? '';
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(sessionToken !== '' && { sessionToken }),
    ...(!Number.isNaN(Date.parse(expiration)) && { expiration: new Date(expiration) }),
  };
}

const noCredentials = (side: Side): InputError =>
  new InputError([{ input: `${side}-role`, problem: `there are no AWS credentials for the ${side} side` }], {
    hint: `Give ${side}-role and add "permissions: id-token: write" to the job, or run configure-aws-credentials first. (A pull request from a fork or from Dependabot can't have credentials.)`,
  });

async function defaultChain({ request }: { request: SideRequest }): Promise<AwsCredentials> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  try {
    return await defaultProvider({ clientConfig: { region: request.region } })();
  } catch (error) {
    if (error instanceof Error && error.name === 'CredentialsProviderError')
      throw Object.assign(noCredentials(request.side), { cause: error });
    throw error;
  }
}

async function assumeByOidc(world: World & { request: SideRequest; idToken: IdTokens }): Promise<AwsCredentials> {
  const { request, github, idToken } = world;
  const role = roleOf(request);
  if (!github.hasIdToken) {
    throw new InputError([{ input: `${request.side}-role`, problem: `can't assume ${role}: the job has no ID token` }], {
      hint: 'Add "permissions: id-token: write" to the job, or run configure-aws-credentials first. (A pull request from a fork or from Dependabot can\'t have one.)',
    });
  }
  // The SDK is loaded while GitHub answers.
  const [token, { STSClient, AssumeRoleWithWebIdentityCommand }] = await Promise.all([
    idToken(request.audience),
    import('@aws-sdk/client-sts'),
  ]);
  const sts = new STSClient({ ...clientSettings({ region: request.region, credentials: unsigned }) });
  const asked = { service: 'sts', operation: 'AssumeRoleWithWebIdentity', of: `${request.side}-role ${role}` };
  try {
    const reply = await ask(asked, async () =>
      sts.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: role,
          RoleSessionName: request.sessionName,
          WebIdentityToken: token,
          DurationSeconds: request.durationSeconds,
        }),
      ),
    );
    return assumed(reply.Credentials, asked);
  } catch (error) {
    throw isDenial(error) ? refusedByTrust({ role, token, error }) : error;
  }
}

async function assumeFromOwn(world: World & { request: SideRequest }): Promise<AwsCredentials> {
  const { request, environment } = world;
  const role = roleOf(request);
  const own = environmentKeys(environment);
  const source: CredentialProvider = own.accessKeyId === '' ? async () => defaultChain(world) : async () => own;
  const { STSClient, AssumeRoleCommand } = await import('@aws-sdk/client-sts');
  const sts = new STSClient(clientSettings({ region: request.region, credentials: source }));
  const asked = {
    service: 'sts',
    operation: 'AssumeRole',
    of: `${request.side}-role ${role}`,
    alsoCheck: `the trust policy of ${role}, which must name the caller${request.externalId === undefined ? '' : ' and this external ID'}`,
  };
  const reply = await ask(asked, async () =>
    sts.send(
      new AssumeRoleCommand({
        RoleArn: role,
        RoleSessionName: request.sessionName,
        DurationSeconds: request.durationSeconds,
        ExternalId: request.externalId,
      }),
    ),
  );
  return assumed(reply.Credentials, asked);
}

function roleOf({ role, side }: SideRequest): RoleArn {
  if (role === undefined) throw new Error(`the ${side} side has no role to assume`);
  return role;
}

/** AssumeRoleWithWebIdentity is not signed; the SDK never asks for these. */
const unsigned: CredentialProvider = async () => ({ accessKeyId: '', secretAccessKey: '' });

function assumed(
  credentials:
    | {
        AccessKeyId?: string | undefined;
        SecretAccessKey?: string | undefined;
        SessionToken?: string | undefined;
        Expiration?: Date | undefined;
      }
    | undefined,
  { service, operation }: { service: string; operation: string },
): AwsCredentials {
  if (!credentials?.AccessKeyId || !credentials.SecretAccessKey || !credentials.SessionToken) {
    throw new AwsError(`${service}:${operation} answered without credentials`, { service, operation, code: 'EmptyAnswer' });
  }
  return {
    accessKeyId: credentials.AccessKeyId,
    secretAccessKey: credentials.SecretAccessKey,
    sessionToken: credentials.SessionToken,
    ...(credentials.Expiration && { expiration: credentials.Expiration }),
  };
}

/** What STS will not say: which claims it saw. Decoded from the token, which itself is never printed. */
function refusedByTrust({ role, token, error }: { role: RoleArn; token: string; error: unknown }): AwsError {
  const { sub, aud } = claims(token);
  return new AwsError(`STS refused ${role} for sub "${sub}" (aud ${aud}).`, {
    service: 'sts',
    operation: 'AssumeRoleWithWebIdentity',
    code: error instanceof AwsError ? error.code : 'AccessDenied',
    requestId: error instanceof AwsError ? error.requestId : undefined,
    cause: error,
    hint: 'Its trust policy must allow exactly this sub and audience; repositories made, renamed or moved after 2026-07-15 have the form repo:OWNER@ID/REPO@ID:…',
  });
}

function claims(token: string): { sub: string; aud: string } {
  const unknown = { sub: 'unknown', aud: 'unknown' };
  try {
    const decoded: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    if (typeof decoded !== 'object' || decoded === null) return unknown;
    const { sub, aud } = { ...unknown, ...decoded };
    return { sub, aud };
  } catch {
    return unknown;
  }
}

async function callerIdentity({ region, credentials }: { region: Region; credentials: CredentialProvider }): Promise<Identity> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const sts = new STSClient(clientSettings({ region, credentials }));
  const asked = { service: 'sts', operation: 'GetCallerIdentity' };
  const { Account = '', Arn = '' } = await ask(asked, async () => sts.send(new GetCallerIdentityCommand({})));
  const account = parseAccountId(Account);
  if (!account.ok) throw new AwsError(`sts:GetCallerIdentity answered without an account`, { ...asked, code: 'EmptyAnswer' });
  return { account: account.value, arn: Arn };
}

function refuseOtherAccount({ request, identity }: { request: SideRequest; identity: Identity }): void {
  const expected = request.expectedAccount ?? (request.role === undefined ? undefined : accountOf(request.role));
  if (expected !== undefined && identity.account !== expected)
    throw wrongAccount({ request, account: identity.account, arn: identity.arn });
}

function wrongAccount({ request, account, arn }: { request: SideRequest; account: string; arn: string }): InputError {
  const input = inputOfAccount[request.side];
  return new InputError(
    [
      {
        input,
        problem: `is ${request.expectedAccount ?? account}, but the ${request.side} side's credentials are for ${account} (${arn})`,
      },
    ],
    {
      hint: 'Nothing was changed. Give the role of the right account, or correct the account ID.',
    },
  );
}

/** Which input says whose account a side must be. */
const inputOfAccount = {
  registry: 'registry-id',
  deploy: 'deploy-account-id',
  organization: 'organization-role',
} as const satisfies Record<Side, string>;

function sentence(how: How): string {
  switch (how) {
    case 'environment':
      return 'by the keys in the environment';
    case 'oidc':
      return 'by OIDC';
    case 'assume-role':
      return 'by sts:AssumeRole';
    case 'default-chain':
      return 'by the default credential chain';
  }
}
