import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accessDenied, expiredCredentials, failure, lostReply, lostRequest, serverError, throttling } from '../../emulator/faults.ts';
import { keyEnvironment } from '../../emulator/identity.ts';
import { accounts, roles, startScenario, type Scenario } from '../../emulator/scenario.ts';
import type { Account } from '../../emulator/world.ts';
import type { AccountId, Region, RoleArn } from '../../src/domain/account.ts';
import type { RepositoryName } from '../../src/domain/image.ts';
import { clientSettings } from '../../src/ports/aws.ts';
import { stsCredentials, type SideRequest } from '../../src/ports/credentials.ts';
import { awsEcr } from '../../src/ports/ecr.ts';
import { callerIdentity } from '../../src/ports/sts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';
import { failureOf } from '../steps/deployment-setting.ts';

let scenario: Scenario;
let github: FakeGitHub;
let log: RecordingLog;
let clock: FakeClock;
const before = { ...process.env };

beforeEach(async () => {
  scenario = await startScenario();
  const { emulator } = scenario;
  Object.assign(process.env, { AWS_ENDPOINT_URL: emulator.url, AWS_EC2_METADATA_DISABLED: 'true' });
  github = new FakeGitHub();
  github.idTokens = async (audience) => emulator.github.identity.token(audience);
  log = new RecordingLog();
  clock = new FakeClock(Date.now());
});

afterEach(async () => {
  const { violations } = scenario.emulator;
  await scenario.emulator.close();
  process.env = { ...before };
  expect(violations).toEqual([]);
});

const request = (given: Partial<SideRequest> = {}): SideRequest => ({
  side: 'deploy',
  region: 'eu-west-1' as Region,
  role: roles.deploy(accounts.devA) as RoleArn,
  audience: 'sts.amazonaws.com',
  sessionName: 'ecr-org-deploy-1000-1',
  chaining: 'auto',
  ...given,
});

const open = (given: Partial<SideRequest> = {}, environment: Record<string, string> = {}) =>
  stsCredentials({ github, clock, log, environment }).open(request(given));
const calls = () => scenario.emulator.requests.names().filter((name) => name.startsWith('sts:'));
/** The session of a role of an account, as configure-aws-credentials leaves it in the environment. */
const hub = (account: string) => {
  const { world } = scenario.emulator;
  return keyEnvironment(world.session(world.role(`arn:aws:iam::${account}:role/hub`)));
};
const registryKeys = () => keyEnvironment(scenario.emulator.world.user(accounts.registry, 'ci'));

describe('by OIDC', () => {
  test('assumes the role directly and says who acts, where, until when', async () => {
    const session = open();
    expect(calls()).toEqual([]);
    await expect(session.identity()).resolves.toEqual({
      account: accounts.devA,
      arn: `arn:aws:sts::${accounts.devA}:assumed-role/web-deploy/ecr-org-deploy-1000-1`,
    });
    expect(calls()).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^deploy: arn:aws:iam::222222222222:role\/web-deploy in 222222222222 by OIDC \(ref:refs\/heads\/main\), until \d\d:\d\d UTC$/,
      ),
    ]);
  });

  test('masks what it got', async () => {
    const credentials = await open().credentials();
    expect(github.masks).toEqual([credentials.secretAccessKey, credentials.sessionToken]);
  });

  test('two sides that open together share one ID token', async () => {
    let asked = 0;
    github.idTokens = async (audience) => {
      asked += 1;
      return scenario.emulator.github.identity.token(audience);
    };
    const credentials = stsCredentials({ github, clock, log, environment: {} });
    await Promise.all([
      credentials.open(request()).identity(),
      credentials.open(request({ side: 'registry', role: roles.registry as RoleArn })).identity(),
    ]);
    expect(asked).toBe(1);
  });

  test('pain 41: is renewed with a fresh ID token, and guarded again, when less than ten minutes are left', async () => {
    const session = open();
    await session.identity();
    const first = await session.credentials();
    clock.advance(49 * 60_000);
    expect(await session.credentials()).toEqual(first);
    clock.advance(2 * 60_000);
    const second = await session.credentials();
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(calls()).toEqual([
      'sts:AssumeRoleWithWebIdentity',
      'sts:GetCallerIdentity',
      'sts:AssumeRoleWithWebIdentity',
      'sts:GetCallerIdentity',
    ]);
  });

  test('pain 43: a refusal names what was sent, in both forms of the sub, never the token', async () => {
    const { identity } = scenario.emulator.github;
    identity.subject = 'repo:acme@12/shop@34:environment:dev';
    let token = '';
    github.idTokens = async (audience) => (token = identity.token(audience));
    const refusal = await open()
      .identity()
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      name: 'AwsError',
      operation: 'AssumeRoleWithWebIdentity',
      message: `STS refused ${roles.deploy(accounts.devA)} for sub "repo:acme@12/shop@34:environment:dev" (aud sts.amazonaws.com).`,
      hint: [
        'Its trust policy must allow this audience and exactly this sub (docs/iam.md); STS says the same where there is no such role.',
        '  "token.actions.githubusercontent.com:aud": "sts.amazonaws.com"',
        '  "token.actions.githubusercontent.com:sub": "repo:acme@12/shop@34:environment:dev"',
        'Repositories made, renamed or moved after 2026-07-15 have the form repo:OWNER@ID/REPO@ID:…, older ones the form without IDs.',
        'The other form of this sub: "repo:acme/shop:environment:dev"; list both while you are not sure.',
        'The token also says: repository acme/shop, ref refs/heads/main.',
      ].join('\n'),
    });
    expect(token).not.toBe('');
    expect(JSON.stringify([refusal, log.lines])).not.toContain(token.split('.')[1]);
  });

  test.each<[string, Partial<Account>, Partial<SideRequest>, string, RegExp]>([
    [
      'an audience that the provider does not know',
      {},
      { audience: 'https://acme.example' },
      'InvalidIdentityToken: Incorrect token audience',
      /^The token is for the audience "https:\/\/acme\.example": add it to the OIDC provider token\.actions\.githubusercontent\.com of 222222222222 and to the role's trust policy, or set the input audience/,
    ],
    [
      'an account without the provider',
      { oidcProvider: false },
      {},
      'No OpenIDConnect provider found in your account',
      /^Make the OIDC provider token\.actions\.githubusercontent\.com of 222222222222 in IAM \(docs\/iam\.md\), with the audience "sts\.amazonaws\.com"/,
    ],
    [
      'more seconds than the role allows',
      {},
      { durationSeconds: 7200 },
      'exceeds the MaxSessionDuration',
      /^role-duration-seconds \(7200\) is more than arn:aws:iam::222222222222:role\/web-deploy allows/,
    ],
    ['an account that was suspended', { state: 'SUSPENDED' }, {}, 'STS refused', /STS says the same where there is no such role/],
  ])('%s is explained', async (_, account, given, message, hint) => {
    scenario.emulator.world.account(accounts.devA, account);
    const refusal = await failureOf(open(given).identity());
    expect(refusal.message.replace('InvalidIdentityTokenException', 'InvalidIdentityToken')).toContain(message);
    expect(refusal.hint).toMatch(hint);
  });

  test('another audience serves where the provider knows it', async () => {
    scenario.emulator.world.account(accounts.devA, { oidcAudiences: ['https://acme.example'] });
    await expect(open({ audience: 'https://acme.example' }).identity()).resolves.toMatchObject({ account: accounts.devA });
  });

  test('session tags are refused before any call, and an external ID is ignored with one warning', () => {
    expect(() => open({ tags: [{ key: 'team', value: 'shop' }] })).toThrow(
      "role-session-tags: can't be sent: deploy-role is assumed by OIDC, which takes the claims of the ID token instead",
    );
    const credentials = stsCredentials({ github, clock, log, environment: {} });
    for (const side of ['deploy', 'registry'] as const) credentials.open(request({ side, externalId: 'x-1' }));
    expect(log.lines).toEqual(['warning: Input "role-external-id" is ignored: a role that is assumed by OIDC is not asked for one.']);
    expect(calls()).toEqual([]);
  });

  test('a job without an ID token is told what to add, before any call', async () => {
    github.hasIdToken = false;
    await expect(open({ chaining: 'false' }).identity()).rejects.toMatchObject({
      name: 'InputError',
      message: `deploy-role: can't assume ${roles.deploy(accounts.devA)}: the job has no ID token`,
      hint: expect.stringContaining('id-token: write'),
    });
    expect(calls()).toEqual([]);
  });

  test('an ID token that fails twice is asked for again; three times, it says so', async () => {
    let left = 2;
    github.idTokens = async (audience) => {
      left -= 1;
      if (left >= 0) throw new Error('Failed to get ID Token.');
      return scenario.emulator.github.identity.token(audience);
    };
    await expect(open().identity()).resolves.toMatchObject({ account: accounts.devA });
    left = 3;
    await expect(open().identity()).rejects.toMatchObject({
      name: 'AwsError',
      message: 'GitHub gave the job no ID token: Failed to get ID Token.',
    });
    expect(calls()).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
  });

  test.each([
    ['throttled', throttling()],
    ['cut off', lostRequest()],
    ['GitHub out of reach for STS', failure('IDPCommunicationError', 'Could not reach the identity provider', 400)],
  ])('%s twice: goes on', async (_, fault) => {
    scenario.emulator.faults.inject({ service: 'sts', operation: 'AssumeRoleWithWebIdentity', times: 2 }, fault);
    await expect(open().identity()).resolves.toMatchObject({ account: accounts.devA });
  });
});

describe('by sts:AssumeRole', () => {
  test('keys in the environment come before OIDC', async () => {
    await expect(open({}, registryKeys()).identity()).resolves.toMatchObject({ account: accounts.devA });
    expect(calls()).toEqual(['sts:AssumeRole', 'sts:GetCallerIdentity']);
  });

  test('role-chaining: false forces OIDC all the same', async () => {
    await open({ chaining: 'false' }, registryKeys()).identity();
    expect(calls()).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
  });

  test('a refusal names both sides to check, and who asked', async () => {
    const stranger = keyEnvironment(scenario.emulator.world.user(accounts.outside, 'ci'));
    await expect(open({}, stranger).identity()).rejects.toMatchObject({
      name: 'AwsError',
      code: 'AccessDenied',
      message: expect.stringMatching(
        /^AssumeRole of deploy-role arn:aws:iam::222222222222:role\/web-deploy was refused for arn:aws:iam::444444444444:user\/ci: sts:AssumeRole for .* failed: AccessDenied: User: .*\(request [0-9a-f-]+\)$/,
      ),
      hint: `arn:aws:iam::${accounts.outside}:user/ci needs sts:AssumeRole on the role in its own IAM policy, AND the role's trust policy must name arn:aws:iam::${accounts.outside}:user/ci. No external ID was sent (role-external-id).`,
    });
  });

  test('of a session the role is named, which a trust policy would name', async () => {
    const { hint } = await failureOf(open({ externalId: 'x-1', tags: [{ key: 'team', value: 'shop' }] }, hub(accounts.outside)).identity());
    expect(hint).toBe(
      `arn:aws:iam::${accounts.outside}:role/hub needs sts:AssumeRole on the role in its own IAM policy, AND the role's trust policy must name arn:aws:iam::${accounts.outside}:role/hub. The external ID that was sent must be the one that it asks for. For the role-session-tags both must allow sts:TagSession too.`,
    );
  });

  test('sends external ID, tags and session name', async () => {
    scenario.emulator.world.role(roles.deploy(accounts.devA), { trust: { principals: [accounts.registry], externalId: 'x-1' } });
    const given = { externalId: 'x-1', sessionName: 'run-7', tags: [{ key: 'team', value: 'shop' }] };
    await expect(open(given, registryKeys()).identity()).resolves.toMatchObject({
      arn: expect.stringMatching(/assumed-role\/web-deploy\/run-7$/),
    });
    expect(scenario.emulator.requests.of('sts', 'AssumeRole')[0]?.input).toMatchObject({
      ExternalId: 'x-1',
      RoleSessionName: 'run-7',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'shop',
    });
  });

  test('more than the hour of role chaining is refused before the call', async () => {
    await expect(open({ durationSeconds: 7200 }, hub(accounts.registry)).identity()).rejects.toMatchObject({
      name: 'InputError',
      message: `role-duration-seconds: is 7200, but arn:aws:sts::${accounts.registry}:assumed-role/hub/session assumes deploy-role ${roles.deploy(accounts.devA)} by role chaining, which ends after 3600 seconds`,
      hint: expect.stringContaining('Leave it out: the session is renewed by itself.'),
    });
    expect(calls()).toEqual(['sts:GetCallerIdentity']);
  });

  test('a user may have more, as far as the role allows', async () => {
    scenario.emulator.world.role(roles.deploy(accounts.devA), { trust: { principals: [accounts.registry] }, maxSessionSeconds: 7200 });
    await expect(open({ durationSeconds: 7200 }, registryKeys()).identity()).resolves.toMatchObject({ account: accounts.devA });
  });

  test('keys in the environment that have expired are told as what they are', async () => {
    const environment = hub(accounts.registry);
    scenario.emulator.clock.advance(61 * 60_000);
    await expect(open({}, environment).identity()).rejects.toMatchObject({
      code: 'ExpiredToken',
      hint: expect.stringMatching(
        /^deploy-role is assumed from the job's own credentials, and those have expired\. .*role-chaining: false/,
      ),
    });
  });

  test('neither keys nor an ID token nor a default chain', async () => {
    github.hasIdToken = false;
    await expect(open().identity()).rejects.toMatchObject({
      name: 'InputError',
      message: `deploy-role: can't assume ${roles.deploy(accounts.devA)}: the job has neither an ID token nor credentials of its own`,
      hint: expect.stringContaining('id-token: write'),
    });
    await expect(open({ role: undefined }).identity()).rejects.toMatchObject({
      message: 'deploy-role: there are no AWS credentials for the deploy side',
    });
    expect(calls()).toEqual([]);
  });
});

describe('sessions end, and clocks are wrong', () => {
  /** The emulator's time and ours pass together. */
  const pass = (minutes: number): void => {
    scenario.emulator.clock.advance(minutes * 60_000);
    clock.advance(minutes * 60_000);
  };

  test.each([
    ['20 minutes behind', 20],
    ['20 minutes ahead', -20],
    ['two hours ahead', -120],
    ['two hours behind', 120],
  ])('a clock that is %s: signed by AWS’s own time, and renewed in time', async (_, minutes) => {
    scenario.emulator.world.clockOffset = minutes * 60_000;
    const session = open();
    await session.identity();
    const first = await session.credentials();
    for (let asked = 0; asked < 5; asked++) {
      pass(8);
      expect(await session.credentials()).toEqual(first);
    }
    pass(15);
    const second = await session.credentials();
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(calls().filter((name) => name === 'sts:AssumeRoleWithWebIdentity')).toHaveLength(2);
    const until = new Date(Date.now() + 60 * 60_000 + minutes * 60_000).toISOString().slice(11, 14);
    expect(log.lines[0]).toContain(`until ${until}`);
  });

  test('a runner that slept assumes the role again before it calls', async () => {
    const session = open();
    await session.identity();
    // The clock that never jumps stood still.
    const monotonic = clock.monotonic();
    clock.monotonic = () => monotonic;
    pass(90);
    await expect(callerIdentity({ region: session.region, credentials: session.credentials })).resolves.toMatchObject({
      account: accounts.devA,
    });
  });

  test('a renewal that fails leaves the old keys while they last, and is tried again', async () => {
    const session = open();
    await session.identity();
    const first = await session.credentials();
    pass(51);
    scenario.emulator.faults.inject({ service: 'sts', operation: 'AssumeRoleWithWebIdentity' }, accessDenied());
    expect(await session.credentials()).toEqual(first);
    expect(log.lines.at(-1)).toMatch(
      /^warning: deploy: the credentials could not be renewed yet; those at hand last until \d\d:\d\d UTC\. STS refused/,
    );
    expect(await session.credentials()).toEqual(first);
    const asked = calls().length;
    pass(1);
    expect((await session.credentials()).accessKeyId).not.toBe(first.accessKeyId);
    expect(calls().slice(asked)).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
  });

  test('a renewal that fails after they have ended is an error', async () => {
    const session = open();
    await session.identity();
    pass(61);
    scenario.emulator.faults.inject({ service: 'sts', operation: 'AssumeRoleWithWebIdentity' }, accessDenied());
    await expect(session.credentials()).rejects.toMatchObject({ operation: 'AssumeRoleWithWebIdentity' });
  });

  test('an ID token that is too old when it arrives is asked for anew', async () => {
    const stale = scenario.emulator.github.identity.token('sts.amazonaws.com');
    let asked = 0;
    github.idTokens = async (audience) => (asked++ === 0 ? stale : scenario.emulator.github.identity.token(audience));
    pass(6);
    await expect(open().identity()).resolves.toMatchObject({ account: accounts.devA });
    expect(asked).toBe(2);
  });

  test('a session of ours that was revoked is told as such, with the role', async () => {
    const session = open();
    scenario.emulator.faults.inject({ service: 'ecr', operation: 'DescribeRepositories' }, expiredCredentials());
    const refusal = await failureOf(awsEcr(session).repository({ repository: 'shop/web' as RepositoryName, registryId: undefined }));
    expect(refusal.message).toContain('ExpiredTokenException');
    expect(refusal.hint).toBe(
      `The action renews the sessions of ${roles.deploy(accounts.devA)} before they end: this one was revoked, or the runner slept meanwhile. Run the step again.`,
    );
  });

  test('keys of the environment are not asked for again, and say when they end', async () => {
    const until = clock.now() + 30 * 60_000;
    const session = open({ role: undefined }, { ...hub(accounts.devA), AWS_CREDENTIAL_EXPIRATION: new Date(until).toISOString() });
    await session.identity();
    expect(session.ending()).toEqual({ why: 'environment', at: until, left: 30 * 60_000 });
    pass(25);
    await Promise.all([session.credentials(), session.credentials()]);
    expect(session.ending()).toMatchObject({ left: 5 * 60_000 });
    expect(calls()).toEqual(['sts:GetCallerIdentity']);
  });

  test('what ends for good: sessions in the environment, and roles assumed from them', async () => {
    const chained = open({}, hub(accounts.registry));
    expect(chained.ending()).toEqual({ why: 'role-chaining', at: undefined, left: undefined });
    await chained.identity();
    expect(chained.ending()).toMatchObject({ why: 'role-chaining', left: 60 * 60_000 });
    expect(open({ role: undefined }, registryKeys()).ending()).toBeUndefined();
    expect(open({}, registryKeys()).ending()).toBeUndefined();
    expect(open().ending()).toBeUndefined();
  });
});

test.each([
  ['throttled', throttling()],
  ['failing', serverError()],
  ['cut off', lostReply()],
])('STS %s once at every call: goes on', async (_, fault) => {
  for (const operation of ['AssumeRole', 'GetCallerIdentity']) scenario.emulator.faults.inject({ service: 'sts', operation }, fault);
  await expect(open({}, registryKeys()).identity()).resolves.toMatchObject({ account: accounts.devA });
});

describe('whether there are any', () => {
  const available = async (environment: Record<string, string> = {}) => stsCredentials({ github, clock, log, environment }).available();

  test('an ID token, or keys', async () => {
    expect(await available()).toBe(true);
    github.hasIdToken = false;
    expect(await available(registryKeys())).toBe(true);
  });

  test('the default chain is asked too', async () => {
    github.hasIdToken = false;
    expect(await available()).toBe(false);
    Object.assign(process.env, registryKeys());
    expect(await available()).toBe(true);
  });
});

test.each([
  ['eu-west-1', 'sts.eu-west-1.amazonaws.com'],
  ['us-east-1', 'sts.us-east-1.amazonaws.com'],
  ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
  ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
])('STS of %s is %s', async (region, host) => {
  delete process.env['AWS_ENDPOINT_URL'];
  const { STSClient } = await import('@aws-sdk/client-sts');
  const { config } = new STSClient(clientSettings({ region: region as Region, credentials: open().credentials }));
  expect(config.useGlobalEndpoint).toBe(false);
  expect(config.endpointProvider({ Region: await config.region(), UseGlobalEndpoint: false }).url.host).toBe(host);
});

describe('the account guard', () => {
  test('the account is compared before anything else is done', async () => {
    await expect(open({ expectedAccount: accounts.devB as AccountId }).identity()).rejects.toThrow(
      `deploy-account-id: is ${accounts.devB}, but the deploy side's credentials are for ${accounts.devA} (arn:aws:sts::${accounts.devA}:assumed-role/web-deploy/ecr-org-deploy-1000-1)`,
    );
    expect(calls()).toEqual(['sts:AssumeRoleWithWebIdentity', 'sts:GetCallerIdentity']);
  });

  test('keys of another account are refused', async () => {
    const { role: _, ...ambient } = request({ expectedAccount: accounts.devA as AccountId });
    const session = stsCredentials({ github, clock, log, environment: registryKeys() }).open(ambient);
    await expect(session.identity()).rejects.toMatchObject({
      name: 'InputError',
      message: `deploy-account-id: is ${accounts.devA}, but the deploy side's credentials are for ${accounts.registry} (arn:aws:iam::${accounts.registry}:user/ci)`,
      hint: expect.stringContaining('Nothing was changed.'),
    });
  });
});
