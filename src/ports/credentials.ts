/**
 * Credentials of one side of the release: the registry's account, the account that is deployed to, the organization's (RULES 3).
 *
 *   no role                      the job's own credentials (environment, profile, container or instance)
 *   role, keys in environment    sts:AssumeRole from them
 *   role, ID token to be had     sts:AssumeRoleWithWebIdentity directly, so role chaining's one hour does not apply
 *   role, neither                sts:AssumeRole from the default chain
 *
 * There is no silent fallback from one to another. Clients hold provider functions, never values: a role is assumed again, with a
 * fresh ID token, when less than ten minutes are left, so that a cancel always has live keys.
 *
 * How much is left is counted from the moment of asking, for STS tells how long a session lasts: this machine's clock may be wrong. (The
 * SDK signs with AWS's own time as soon as an answer's Date shows that it is.)
 */
import { accountOf, type AccountId, type Region, type RoleArn } from '../domain/account.ts';
import { contextOf } from '../domain/id-token.ts';
import type { SessionTag } from '../domain/session-tags.ts';
import { InputError, toError } from '../errors.ts';
import { isExpiry, requestHandler, type AwsCredentials, type CredentialProvider } from './aws.ts';
import type { Clock } from './clock.ts';
import type { GitHub } from './github.ts';
import { claimsOf, reusedIdTokens, type IdTokens } from './id-token.ts';
import type { Log } from './log.ts';
import { assumeRole, assumeRoleWithWebIdentity, callerIdentity, chainedSeconds, preloadSts, type Identity } from './sts.ts';

export type { Identity } from './sts.ts';
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
  readonly tags?: readonly SessionTag[] | undefined;
}

export interface Session {
  readonly side: Side;
  readonly region: Region;
  /** The role that was assumed for this side; undefined for the job's own credentials. */
  readonly role?: RoleArn | undefined;
  readonly how: How;
  readonly credentials: CredentialProvider;
  /**
   * Who this side is, guarded: the account is the expected one. Asked once and again after every renewal; await it before the
   * first write, and start reads beside it.
   * @throws InputError where the account is another one
   */
  identity(): Promise<Identity>;
  /** When the credentials at hand expire, in milliseconds since the epoch by AWS's clock; undefined where nobody says. */
  expiresAt(): number | undefined;
  /** Why and when they end for good; undefined where they never do, or are renewed. */
  ending(): Ending | undefined;
}

export interface Ending {
  /** How long they are sure to last from now, in milliseconds; undefined where nobody says. */
  readonly left: number | undefined;
  /** The same in milliseconds since the epoch by AWS's clock. */
  readonly at: number | undefined;
  readonly why: 'environment' | 'role-chaining';
}

export interface Credentials {
  /**
   * Opens a side without a call: the role is assumed when its credentials are first asked for.
   * @throws InputError for what the way of assuming does not take
   */
  open(request: SideRequest): Session;
  /** Whether there are any: keys in the environment, an ID token to be had, or a default chain that gives some. */
  available(): Promise<boolean>;
}

const renewBefore = 10 * 60_000;
/** After a renewal that failed, or did not help, the next one waits so long. */
const renewAgainAfter = 30_000;

interface World {
  readonly github: GitHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function stsCredentials(world: World): Credentials {
  const idTokens = reusedIdTokens(world);
  const warned = new Set<string>();
  const warn = (text: string): void => {
    if (!warned.has(text)) world.log.warning(text);
    warned.add(text);
  };
  return {
    open: (request) => openSession({ ...world, request, idTokens, warn }),
    available: async () => hasKeys(world) || world.github.hasIdToken || (await hasDefaultChain()),
  };
}

/** What `open` is done with. */
interface Opening extends World {
  readonly request: SideRequest;
  readonly idTokens: IdTokens;
  readonly warn: (text: string) => void;
}

interface Obtained {
  readonly credentials: AwsCredentials;
  /** How long they last from the moment of asking, where that was agreed on. */
  readonly seconds?: number;
  /** How they were had, for the log. */
  readonly by: string;
}

interface Held extends Obtained {
  readonly life: Life | undefined;
}

/** When credentials end: for the reader by AWS's clock, for us by both clocks of this machine, of which one may jump or stop. */
interface Life {
  readonly at: number;
  readonly wall: number;
  readonly monotonic: number;
}

function openSession(opening: Opening): Session {
  const { request, clock, log, github, environment } = opening;
  const { side, region, role } = request;
  const how = chooseHow(opening);
  refuseUnfit({ opening, how });
  let held: Held | undefined;
  let renewing: Promise<AwsCredentials> | undefined;
  let triedAt: number | undefined;
  let guard: Promise<Identity> | undefined;

  const identify = async ({ credentials, by, life }: Held): Promise<Identity> => {
    const identity = await callerIdentity({ region, credentials: async () => credentials });
    refuseOtherAccount({ request, identity });
    log.info(`${side}: ${role ?? identity.arn} in ${identity.account} by ${by}${life === undefined ? '' : `, until ${utc(life.at)}`}`);
    return identity;
  };
  const obtain = async (): Promise<AwsCredentials> => {
    const [wall, monotonic] = [clock.now(), clock.monotonic()];
    triedAt = monotonic;
    const obtained = await obtainers[how](opening);
    const { secretAccessKey, sessionToken } = obtained.credentials;
    for (const secret of [secretAccessKey, sessionToken]) if (secret !== undefined) github.mask(secret);
    const next = { ...obtained, life: lifeOf(obtained, { wall, monotonic }) };
    // The same guard again, before anyone uses what came.
    if (held) guard = Promise.resolve(await identify(next));
    held = next;
    return forSdk(next.credentials);
  };
  const renew = async (before: Held): Promise<AwsCredentials> => {
    try {
      return await obtain();
    } catch (error) {
      if (error instanceof InputError || leftOf(before.life, clock) <= 0) throw error;
      log.warning(
        `${side}: the credentials could not be renewed yet; those at hand last until ${utc(before.life?.at ?? clock.now())}. ${toError(error).message}`,
      );
      return forSdk(before.credentials);
    }
  };
  const credentials: CredentialProvider = async () => {
    if (held) {
      const left = how === 'environment' ? Infinity : leftOf(held.life, clock);
      const isTooSoon = triedAt !== undefined && clock.monotonic() - triedAt < renewAgainAfter;
      if (left > renewBefore || (left > 0 && (isTooSoon || renewing))) return forSdk(held.credentials);
    }
    const before = held;
    renewing ??= (before ? renew(before) : obtain()).finally(() => (renewing = undefined));
    return renewing;
  };
  return {
    side,
    region,
    role,
    how,
    credentials,
    identity: async () => {
      await credentials();
      if (held === undefined) throw new Error(`the ${side} side has no credentials after all`);
      return (guard ??= identify(held));
    },
    expiresAt: () => held?.life?.at,
    ending: () => endingOf({ how, life: held?.life, environment, clock }),
  };
}

/** What an input asks for and this way can't give. */
function refuseUnfit({ opening: { request, warn }, how }: { opening: Opening; how: How }): void {
  if (how !== 'oidc') return;
  const { side, tags = [], externalId } = request;
  if (tags.length > 0) {
    throw new InputError(
      [
        {
          input: 'role-session-tags',
          problem: `can't be sent: ${side}-role is assumed by OIDC, which takes the claims of the ID token instead`,
        },
      ],
      { hint: 'Leave them out, or assume the role from credentials at hand: role-chaining: true.' },
    );
  }
  if (externalId !== undefined) warn('Input "role-external-id" is ignored: a role that is assumed by OIDC is not asked for one.');
}

function lifeOf(
  { credentials: { expiration }, seconds }: Obtained,
  { wall, monotonic }: { wall: number; monotonic: number },
): Life | undefined {
  if (expiration === undefined) return undefined;
  const at = expiration.getTime();
  const span = seconds === undefined ? at - wall : seconds * 1_000;
  return { at, wall: wall + span, monotonic: monotonic + span };
}

function leftOf(life: Life | undefined, clock: Clock): number {
  return life === undefined ? Infinity : Math.min(life.wall - clock.now(), life.monotonic - clock.monotonic());
}

/** The SDK would keep them until shortly before their end by this machine's clock; it is told to ask each time. */
function forSdk(credentials: AwsCredentials): AwsCredentials {
  return { ...credentials, expiration: new Date(0) };
}

function endingOf({
  how,
  life,
  environment,
  clock,
}: {
  how: How;
  life: Life | undefined;
  environment: World['environment'];
  clock: Clock;
}): Ending | undefined {
  const { sessionToken, expiration } = environmentKeys(environment);
  // Keys of a user don't end, and a container's or instance's are renewed by whoever gives them.
  if (sessionToken === undefined || how === 'oidc' || how === 'default-chain') return undefined;
  const own = expiration?.getTime();
  const left = own === undefined ? undefined : own - clock.now();
  if (how === 'environment') return { why: 'environment', at: own, left };
  // While the session in the environment lives, the role can be assumed again; the last session outlives it.
  return {
    why: 'role-chaining',
    at: life === undefined ? own : Math.max(life.at, own ?? 0),
    left: life === undefined ? left : Math.max(leftOf(life, clock), left ?? 0),
  };
}

function hasKeys({ environment }: Pick<World, 'environment'>): boolean {
  return (environment['AWS_ACCESS_KEY_ID'] ?? '') !== '';
}

function chooseHow(world: World & { readonly request: SideRequest }): How {
  const { request, github } = world;
  if (request.role === undefined) return hasKeys(world) ? 'environment' : 'default-chain';
  if (request.chaining === 'true') return 'assume-role';
  if (request.chaining === 'false') return 'oidc';
  if (hasKeys(world)) return 'assume-role';
  return github.hasIdToken ? 'oidc' : 'assume-role';
}

const obtainers: Readonly<Record<How, (opening: Opening) => Promise<Obtained>>> = {
  environment: async ({ environment }) => ({ credentials: environmentKeys(environment), by: 'the keys in the environment' }),
  'default-chain': async (opening) => ({ credentials: await defaultChain(opening), by: 'the default credential chain' }),
  oidc: obtainByOidc,
  'assume-role': obtainFromOwn,
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

const idTokenHint =
  'Add "permissions: id-token: write" to the job, or run configure-aws-credentials first. (A pull request from a fork or from Dependabot can\'t have one.)';

async function defaultChain({ request: { side, region, role } }: Pick<Opening, 'request'>): Promise<AwsCredentials> {
  try {
    return await fromDefaultChain(region);
  } catch (error) {
    if (!isEmptyChain(error)) throw error;
    const input = `${side}-role`;
    if (role === undefined) {
      throw new InputError([{ input, problem: `there are no AWS credentials for the ${side} side` }], {
        cause: error,
        hint: `Give ${input} and add "permissions: id-token: write" to the job, or run configure-aws-credentials first. (A pull request from a fork or from Dependabot can't have credentials.)`,
      });
    }
    throw new InputError([{ input, problem: `can't assume ${role}: the job has neither an ID token nor credentials of its own` }], {
      cause: error,
      hint: idTokenHint,
    });
  }
}

async function fromDefaultChain(region?: Region): Promise<AwsCredentials> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider({ clientConfig: { requestHandler: requestHandler(), ...(region !== undefined && { region }) } })();
}

function isEmptyChain(error: unknown): boolean {
  return error instanceof Error && error.name === 'CredentialsProviderError';
}

/** A chain that is broken is there all the same: whoever uses it is told what is wrong with it. */
async function hasDefaultChain(): Promise<boolean> {
  try {
    await fromDefaultChain();
    return true;
  } catch (error) {
    return !isEmptyChain(error);
  }
}

async function obtainByOidc({ request, github, idTokens }: Opening): Promise<Obtained> {
  const { audience, durationSeconds } = request;
  const { role, input } = roleOf(request);
  if (!github.hasIdToken)
    throw new InputError([{ input, problem: `can't assume ${role}: the job has no ID token` }], { hint: idTokenHint });
  const assume = async (): Promise<Obtained> => {
    // The SDK is loaded while GitHub answers.
    const [token] = await Promise.all([idTokens.get(audience), preloadSts()]);
    const credentials = await assumeRoleWithWebIdentity({ ...request, role, input, token, durationSeconds });
    return { credentials, seconds: durationSeconds ?? chainedSeconds, by: `OIDC (${contextOf(claimsOf(token).sub)})` };
  };
  try {
    return await assume();
  } catch (error) {
    // The token was too old when it arrived, after retries on the way: one that is new.
    if (!isExpiry(error)) throw error;
    idTokens.forget(audience);
    return assume();
  }
}

async function obtainFromOwn(opening: Opening): Promise<Obtained> {
  const { request, environment } = opening;
  const { role, input } = roleOf(request);
  const { durationSeconds, externalId, tags = [] } = request;
  const isFromKeys = hasKeys(opening);
  const source: CredentialProvider = async () => (isFromKeys ? environmentKeys(environment) : defaultChain(opening));
  const credentials = await assumeRole({ ...request, role, input, source, durationSeconds, externalId, tags });
  const origin = isFromKeys ? 'the keys in the environment' : 'the default credential chain';
  return { credentials, seconds: durationSeconds ?? chainedSeconds, by: `sts:AssumeRole from ${origin}` };
}

function roleOf({ role, side }: SideRequest): { role: RoleArn; input: string } {
  if (role === undefined) throw new Error(`the ${side} side has no role to assume`);
  return { role, input: `${side}-role` };
}

function refuseOtherAccount({ request, identity }: { request: SideRequest; identity: Identity }): void {
  const { side, role, expectedAccount } = request;
  const [input, expected] =
    expectedAccount === undefined ? [`${side}-role`, role && accountOf(role)] : [inputOfAccount[side], expectedAccount];
  if (expected === undefined || identity.account === expected) return;
  throw new InputError(
    [{ input, problem: `is ${expected}, but the ${side} side's credentials are for ${identity.account} (${identity.arn})` }],
    { hint: 'Nothing was changed. Give the role of the right account, or correct the account ID.' },
  );
}

/** Which input says whose account a side must be. */
export const inputOfAccount = {
  registry: 'registry-id',
  deploy: 'deploy-account-id',
  organization: 'organization-role',
} as const satisfies Record<Side, string>;

/** `14:05 UTC`. */
export function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(11, 16)} UTC`;
}
