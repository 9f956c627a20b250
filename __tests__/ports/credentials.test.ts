import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { failure, lostRequest, throttling } from '../../emulator/faults.ts';
import { keyEnvironment } from '../../emulator/identity.ts';
import { accounts, roles, startScenario, type Scenario } from '../../emulator/scenario.ts';
import type { AccountId, Region, RoleArn } from '../../src/domain/account.ts';
import { stsCredentials, type SideRequest } from '../../src/ports/credentials.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';

let scenario: Scenario;
let github: FakeGitHub;
let log: RecordingLog;
let clock: FakeClock;
const before = { ...process.env };

beforeEach(async () => {
  scenario = await startScenario();
  const { emulator } = scenario;
  process.env['AWS_ENDPOINT_URL'] = emulator.url;
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
        /^deploy: arn:aws:sts::222222222222:assumed-role\/web-deploy\/ecr-org-deploy-1000-1 in 222222222222 by OIDC, until \d\d:\d\d UTC$/,
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

  test('is renewed with a fresh ID token, and guarded again, when less than ten minutes are left', async () => {
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

  test('a refusal names the sub and the audience that were sent, never the token', async () => {
    scenario.emulator.github.identity.subject = 'repo:acme@12/shop@34:environment:dev';
    await expect(open().identity()).rejects.toMatchObject({
      name: 'AwsError',
      operation: 'AssumeRoleWithWebIdentity',
      message: `STS refused ${roles.deploy(accounts.devA)} for sub "repo:acme@12/shop@34:environment:dev" (aud sts.amazonaws.com).`,
      hint: expect.stringContaining('must allow exactly this sub'),
    });
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

  test('a refusal names both sides to check', async () => {
    const stranger = keyEnvironment(scenario.emulator.world.user(accounts.outside, 'ci'));
    await expect(open({}, stranger).identity()).rejects.toMatchObject({
      name: 'AwsError',
      code: 'AccessDenied',
      message: expect.stringContaining(
        `sts:AssumeRole for deploy-role ${roles.deploy(accounts.devA)} failed: AccessDenied: User: arn:aws:iam::${accounts.outside}:user/ci`,
      ),
      hint: `Allow sts:AssumeRole in the caller's IAM policy, and the trust policy of ${roles.deploy(accounts.devA)}, which must name the caller; a service control policy can deny it too.`,
    });
  });
});

describe('the account guard', () => {
  test('a role of another account than the expected one is refused without a call', () => {
    expect(() => open({ expectedAccount: accounts.devB as AccountId })).toThrow(
      `deploy-account-id: is ${accounts.devB}, but the deploy side's credentials are for ${accounts.devA} (${roles.deploy(accounts.devA)})`,
    );
    expect(calls()).toEqual([]);
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
