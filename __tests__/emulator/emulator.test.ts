/** STS, Organizations, GitHub, the wire and the faults; ECR has its own file. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { DescribeRepositoriesCommand, ECRClient, GetRepositoryPolicyCommand, SetRepositoryPolicyCommand } from '@aws-sdk/client-ecr';
import {
  DescribeAccountCommand,
  DescribeOrganizationalUnitCommand,
  DescribeOrganizationCommand,
  ListAccountsForParentCommand,
  ListChildrenCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListRootsCommand,
  paginateListAccounts,
} from '@aws-sdk/client-organizations';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  type AssumeRoleCommandInput,
  type AssumeRoleWithWebIdentityCommandInput,
} from '@aws-sdk/client-sts';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import {
  accessDenied,
  clockSkew,
  expiredCredentials,
  failure,
  lostReply,
  lostRequest,
  serverError,
  slow,
  throttling,
  type Fault,
} from '../../emulator/faults.ts';
import { World } from '../../emulator/world.ts';
import {
  devA,
  developmentOu,
  devB,
  errorOf,
  management,
  newWorld,
  organizationId,
  orgPathPolicy,
  outside,
  region,
  shared,
  start as startOne,
  type Started,
} from './start.ts';

const running: Started[] = [];
async function start(options?: EmulatorOptions): Promise<Started> {
  const started = await startOne(options);
  running.push(started);
  return started;
}
afterEach(async () => {
  for (const { emulator } of running.splice(0)) await emulator.close();
});

const deployArn = `arn:aws:iam::${devA}:role/deploy`;
const subject = 'repo:octo-org/octo-app:environment:dev';

describe('STS', () => {
  test('GetCallerIdentity works for users and sessions, whatever they are denied', async () => {
    const { world, sts, emulator } = await start();
    const role = world.role(deployArn, { deny: ['*'] });
    const reply = await sts(world.session(role, { name: 'run-1' })).send(new GetCallerIdentityCommand({}));
    expect(reply).toMatchObject({ Account: devA, Arn: `arn:aws:sts::${devA}:assumed-role/deploy/run-1`, UserId: `${role.uniqueId}:run-1` });
    expect(await sts(shared).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: `arn:aws:iam::${shared}:user/tester` });
    expect(emulator.requests.names()).toEqual(['sts:GetCallerIdentity', 'sts:GetCallerIdentity']);
    expect(emulator.violations).toEqual([]);
  });

  test.each<[string, Partial<AssumeRoleCommandInput>, string, string | RegExp]>([
    ['assumes', {}, 'none', ''],
    [
      'needs the external ID',
      { ExternalId: 'wrong' },
      'AccessDenied',
      /^User: arn:aws:iam::111111111111:user\/tester is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role\/deploy$/,
    ],
    ['an unknown role is a refusal', { RoleArn: `arn:aws:iam::${devA}:role/other` }, 'AccessDenied', /sts:AssumeRole/],
    ['the least duration', { DurationSeconds: 899 }, 'ValidationError', /greater than or equal to 900/],
    [
      "the role's own maximum",
      { DurationSeconds: 7201 },
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    ['the maximum of all', { DurationSeconds: 43_201 }, 'ValidationError', /less than or equal to 43200/],
    ['session names', { RoleSessionName: 'a/b' }, 'ValidationError', /roleSessionName/],
    ['tags', { Tags: [{ Key: 'team', Value: 'shop' }] }, 'none', ''],
  ])('AssumeRole: %s', async (_name, input, code, message) => {
    const { world, sts } = await start();
    world.role(deployArn, { trust: { principals: [shared], externalId: 'x-1' }, maxSessionSeconds: 7200 });
    const promise = sts(shared).send(new AssumeRoleCommand({ RoleArn: deployArn, RoleSessionName: 'run', ExternalId: 'x-1', ...input }));
    const error = await errorOf(promise);
    expect(error).toEqual({ name: code, message: typeof message === 'string' ? message : expect.stringMatching(message) });
  });

  test('chained sessions last an hour at most, and their keys work until they expire', async () => {
    const { world, sts, emulator } = await start();
    const hub = world.role(`arn:aws:iam::${shared}:role/hub`);
    world.role(deployArn, { trust: { principals: [hub.arn] }, maxSessionSeconds: 43_200 });
    const client = sts(world.session(hub));
    const command = (DurationSeconds: number) => new AssumeRoleCommand({ RoleArn: deployArn, RoleSessionName: 'run', DurationSeconds });
    expect(await errorOf(client.send(command(3601)))).toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining('role chaining'),
    });
    const { Credentials: keys } = await client.send(command(3600));
    const credentials = {
      accessKeyId: keys?.AccessKeyId ?? '',
      secretAccessKey: keys?.SecretAccessKey ?? '',
      sessionToken: keys?.SessionToken ?? '',
    };
    const renewed = new STSClient({ endpoint: emulator.url, region, credentials, maxAttempts: 1 });
    const ecr = new ECRClient({ endpoint: emulator.url, region, credentials, maxAttempts: 1 });
    expect((await renewed.send(new GetCallerIdentityCommand({}))).Account).toBe(devA);
    expect((keys?.Expiration?.getTime() ?? 0) - Date.now()).toBeGreaterThan(3_590_000);
    emulator.clock.advance(3_601_000);
    expect(await errorOf(renewed.send(new GetCallerIdentityCommand({})))).toMatchObject({ name: 'ExpiredToken' });
    expect(await errorOf(ecr.send(new DescribeRepositoriesCommand({})))).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    });
  });

  test.each<
    [
      string,
      {
        subject?: string;
        audience?: string;
        token?: string;
        wait?: number;
        input?: Partial<AssumeRoleWithWebIdentityCommandInput>;
        provider?: boolean;
      },
      string,
      string | RegExp,
    ]
  >([
    ['the subject that the trust names', {}, 'none', ''],
    ['a wildcard in the trust', { subject: 'repo:octo-org/lib:ref:refs/heads/main' }, 'none', ''],
    [
      'another subject',
      { subject: 'repo:octo-org/octo-app:pull_request' },
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ],
    ['an unknown role', { input: { RoleArn: `arn:aws:iam::${devB}:role/x` } }, 'AccessDenied', /Not authorized/],
    ['another audience', { audience: 'https://github.com/octo-org' }, 'InvalidIdentityTokenException', 'Incorrect token audience'],
    ['no provider', { provider: false }, 'InvalidIdentityTokenException', /No OpenIDConnect provider found/],
    ['no token', { token: 'abcd' }, 'InvalidIdentityTokenException', /not a valid JWT/],
    ['a token of six minutes ago', { wait: 360_000 }, 'ExpiredTokenException', /^Token expired: current date\/time \d+ must be before/],
    ['a long session', { input: { DurationSeconds: 7200 } }, 'ValidationError', /MaxSessionDuration/],
  ])('AssumeRoleWithWebIdentity: %s', async (_name, given, code, message) => {
    const { emulator, world } = await start();
    world.role(deployArn, { trust: { oidcSubjects: [subject, 'repo:octo-org/lib:*'] } });
    world.account(devA, { oidcProvider: given.provider ?? true });
    emulator.github.identity.subject = given.subject ?? subject;
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = '' } = emulator.environment();
    const reply = (await (
      await fetch(`${url}&audience=${encodeURIComponent(given.audience ?? 'sts.amazonaws.com')}`, {
        headers: { authorization: `Bearer ${bearer}` },
      })
    ).json()) as { value: string };
    emulator.clock.advance(given.wait ?? 0);
    const client = new STSClient({ endpoint: emulator.url, region, maxAttempts: 1 });
    const promise = client.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: deployArn,
        RoleSessionName: 'run',
        WebIdentityToken: given.token ?? reply.value,
        ...given.input,
      }),
    );
    expect(await errorOf(promise)).toEqual({ name: code, message: typeof message === 'string' ? message : expect.stringMatching(message) });
    if (code === 'none') {
      expect(await promise).toMatchObject({
        Audience: 'sts.amazonaws.com',
        SubjectFromWebIdentityToken: given.subject ?? subject,
        Provider: `arn:aws:iam::${devA}:oidc-provider/token.actions.githubusercontent.com`,
        AssumedRoleUser: { Arn: `arn:aws:sts::${devA}:assumed-role/deploy/run` },
      });
    }
  });

  test('a clock that is off: the answer’s Date tells, and the SDK signs by it', async () => {
    const { world, emulator, key } = await start();
    world.clockOffset = 20 * 60_000;
    const { accessKeyId, secretAccessKey } = key(shared);
    const client = new STSClient({ endpoint: emulator.url, region, credentials: { accessKeyId, secretAccessKey } });
    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe(shared);
    await client.send(new GetCallerIdentityCommand({}));
    expect(emulator.requests.entries.map(({ error }) => error)).toEqual(['SignatureDoesNotMatch', undefined, undefined]);
  });

  test('the roles of a suspended account are refused, and its provider knows its own audiences', async () => {
    const { world, sts, emulator } = await start();
    world.role(deployArn, { trust: { principals: [shared], oidcSubjects: [subject] } });
    emulator.github.identity.subject = subject;
    const token = emulator.github.identity.token('https://acme.example');
    const assume = async () => errorOf(sts(shared).send(new AssumeRoleCommand({ RoleArn: deployArn, RoleSessionName: 'run' })));
    const byToken = async () =>
      errorOf(
        new STSClient({ endpoint: emulator.url, region }).send(
          new AssumeRoleWithWebIdentityCommand({ RoleArn: deployArn, RoleSessionName: 'run', WebIdentityToken: token }),
        ),
      );
    expect([(await assume()).name, (await byToken()).name]).toEqual(['none', 'InvalidIdentityTokenException']);
    world.account(devA, { oidcAudiences: ['https://acme.example'] });
    expect((await byToken()).name).toBe('none');
    world.account(devA, { state: 'SUSPENDED' });
    expect([(await assume()).name, (await byToken()).name]).toEqual(['AccessDenied', 'AccessDenied']);
  });

  test('a fast clock does not eat the sessions', async () => {
    const { world, sts } = await start({ speed: 100_000 });
    const client = sts(world.session(world.role(deployArn)));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe(devA);
  });
});

describe('Organizations', () => {
  const path = `${organizationId}/r-ab12/`;

  test('shows the tree to the management account and delegated administrators', async () => {
    const { world, organizations } = await start();
    const client = organizations(management);
    const roots = await client.send(new ListRootsCommand({}));
    expect(roots.Roots).toMatchObject([{ Id: 'r-ab12' }]);
    const units = await client.send(new ListOrganizationalUnitsForParentCommand({ ParentId: 'r-ab12' }));
    expect(units.OrganizationalUnits?.map(({ Name }) => Name)).toEqual(['Services', 'Workloads']);
    const workloads = units.OrganizationalUnits?.[1]?.Id ?? '';
    const unit = await client.send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: developmentOu }));
    expect(unit.OrganizationalUnit).toMatchObject({ Name: 'Development', Path: `${path}${workloads}/${developmentOu}/` });
    const accounts = await client.send(new ListAccountsForParentCommand({ ParentId: developmentOu }));
    expect(accounts.Accounts).toMatchObject([
      { Id: devA, Name: 'dev-a', State: 'ACTIVE', Status: 'ACTIVE', Paths: [`${path}${workloads}/${developmentOu}/${devA}/`] },
      { Id: devB, Name: 'dev-b' },
    ]);
    expect((await client.send(new ListParentsCommand({ ChildId: developmentOu }))).Parents).toEqual([
      { Id: workloads, Type: 'ORGANIZATIONAL_UNIT' },
    ]);
    expect((await client.send(new ListChildrenCommand({ ParentId: 'r-ab12', ChildType: 'ACCOUNT' }))).Children).toEqual([
      { Id: management, Type: 'ACCOUNT' },
    ]);
    world.account(devB, { state: 'PENDING_CLOSURE' });
    world.organizations[0]?.delegatedAdministrators.add(shared);
    expect((await organizations(shared).send(new DescribeAccountCommand({ AccountId: devB }))).Account).toMatchObject({
      State: 'PENDING_CLOSURE',
    });
  });

  test('an empty page may still have a token', async () => {
    const { world, organizations } = await start({ organizations: { pageSize: 3 } });
    for (let index = 0; index < 4; index++) world.account(`50000000000${index}`, { ou: world.root });
    const sizes: number[] = [];
    const ids: string[] = [];
    for await (const { Accounts = [] } of paginateListAccounts({ client: organizations(management) }, {})) {
      sizes.push(Accounts.length);
      ids.push(...Accounts.map(({ Id = '' }) => Id));
    }
    expect(sizes).toEqual([3, 0, 3, 0, 2]);
    expect(ids).toHaveLength(8);
    expect(ids).not.toContain(outside);
  });

  test('refuses as AWS does', async () => {
    const { organizations } = await start();
    const roots = new ListRootsCommand({});
    const cases: readonly [string, Promise<unknown>, string][] = [
      ['a member', organizations(devA).send(roots), 'AccessDeniedException'],
      ['no member', organizations(outside).send(new DescribeOrganizationCommand({})), 'AWSOrganizationsNotInUseException'],
      [
        'an unknown parent',
        organizations(management).send(new ListAccountsForParentCommand({ ParentId: 'ou-ab12-99999999' })),
        'ParentNotFoundException',
      ],
      [
        'an unknown unit',
        organizations(management).send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: 'ou-ab12-99999999' })),
        'OrganizationalUnitNotFoundException',
      ],
      [
        'an unknown account',
        organizations(management).send(new DescribeAccountCommand({ AccountId: outside })),
        'AccountNotFoundException',
      ],
      [
        'too large a page',
        organizations(management).send(new ListAccountsForParentCommand({ ParentId: 'r-ab12', MaxResults: 21 })),
        'InvalidInputException',
      ],
    ];
    for (const [name, promise, code] of cases) expect([name, (await errorOf(promise)).name]).toEqual([name, code]);
    expect((await organizations(devA).send(new DescribeOrganizationCommand({}))).Organization).toMatchObject({
      Id: organizationId,
      MasterAccountId: management,
    });
  });

  test('throttles at its own rates on request', async () => {
    const { organizations } = await start({ organizations: { throttling: true } });
    const client = organizations(management);
    const names: string[] = [];
    for (let index = 0; index < 3; index++) names.push((await errorOf(client.send(new ListRootsCommand({})))).name);
    expect(names).toEqual(['none', 'none', 'TooManyRequestsException']);
  });
});

describe('the wire', () => {
  const command = new DescribeRepositoriesCommand({});

  test('tells accounts apart by their keys, and strangers off', async () => {
    const { ecr, sts, world } = await start();
    expect((await ecr(shared).send(command)).repositories).toHaveLength(1);
    expect((await ecr(devA).send(command)).repositories).toHaveLength(0);
    const stranger = { ...world.user(shared, 'x'), accessKeyId: 'AKIAUNKNOWN' };
    expect(await errorOf(ecr(stranger).send(command))).toMatchObject({ name: 'UnrecognizedClientException' });
    expect(await errorOf(sts(stranger).send(new GetCallerIdentityCommand({})))).toMatchObject({ name: 'InvalidClientTokenId' });
    const session = { ...world.session(world.role(deployArn)), sessionToken: 'other' };
    expect(await errorOf(ecr(session).send(command))).toMatchObject({ name: 'UnrecognizedClientException' });
  });

  test('a denied action names caller, action and resource', async () => {
    const { ecr, world, emulator } = await start();
    const role = world.role(`arn:aws:iam::${shared}:role/share`, { deny: ['ecr:Set*'] });
    const error = await errorOf(
      ecr(world.session(role)).send(new SetRepositoryPolicyCommand({ repositoryName: 'shop/web', policyText: orgPathPolicy })),
    );
    expect(error).toEqual({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::${shared}:assumed-role/share/session is not authorized to perform: ecr:SetRepositoryPolicy on resource: arn:aws:ecr:${region}:${shared}:repository/shop/web because no identity-based policy allows the ecr:SetRepositoryPolicy action`,
    });
    expect(emulator.requests.of('ecr')).toMatchObject([
      { operation: 'SetRepositoryPolicy', account: shared, status: 400, error: 'AccessDeniedException' },
    ]);
  });

  test('what it does not know is answered as AWS would, and is a violation', async () => {
    const { emulator, key } = await start();
    const authorization = `AWS4-HMAC-SHA256 Credential=${key(shared).accessKeyId}/20261121/${region}/ecr/aws4_request, SignedHeaders=host, Signature=0`;
    const unknown = await fetch(emulator.url, {
      method: 'POST',
      body: '{}',
      headers: { authorization, 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.NoSuch' },
    });
    expect([unknown.status, await unknown.json()]).toEqual([400, { __type: 'UnknownOperationException', message: expect.any(String) }]);
    expect((await fetch(`${emulator.url}/nowhere`)).status).toBe(404);
    expect(emulator.violations).toEqual(['ecr:NoSuch is not an operation of the emulator', 'GET /nowhere is not a path of the emulator']);
  });

  test('latency: each request, and the first of a connection', async () => {
    const { ecr } = await start({ latency: { perRequestMs: 20, firstOnConnectionMs: 60 } });
    const client = ecr(shared);
    const took = async () => {
      const from = performance.now();
      await client.send(command);
      return performance.now() - from;
    };
    expect(await took()).toBeGreaterThanOrEqual(79);
    expect(await took()).toBeLessThan(75);
  });
});

describe('faults', () => {
  const read = new GetRepositoryPolicyCommand({ repositoryName: 'shop/web' });
  const write = new SetRepositoryPolicyCommand({ repositoryName: 'shop/web', policyText: orgPathPolicy });

  test.each<[string, Fault, string]>([
    ['throttling', throttling(), 'ThrottlingException'],
    ['a server error', serverError(), 'ServerException'],
    ['expired credentials', expiredCredentials(), 'ExpiredTokenException'],
    ['a denial', accessDenied(), 'AccessDeniedException'],
    ['a wrong clock', clockSkew(), 'InvalidSignatureException'],
    ['any error', failure('LimitExceededException', 'too many'), 'LimitExceededException'],
  ])('%s', async (_name, fault, code) => {
    const { ecr, emulator } = await start();
    emulator.faults.inject({ service: 'ecr', operation: 'SetRepositoryPolicy', nth: 2, times: 1 }, fault);
    const names = [];
    for (let index = 0; index < 3; index++) names.push((await errorOf(ecr(shared).send(write))).name);
    expect(names).toEqual(['none', code, 'none']);
    expect(emulator.violations).toEqual([]);
  });

  test.each<[string, Fault, boolean]>([
    ['a lost request has no effect', lostRequest(), false],
    ['a lost reply has', lostReply(), true],
  ])('%s', async (_name, fault, isWritten) => {
    const { ecr, emulator } = await start();
    emulator.faults.inject({ operation: 'SetRepositoryPolicy', account: shared }, fault);
    expect((await errorOf(ecr(shared).send(write))).message).toMatch(/socket hang up|ECONNRESET|aborted/);
    expect((await errorOf(ecr(shared).send(read))).name).toBe(isWritten ? 'none' : 'RepositoryPolicyNotFoundException');
  });

  test('slow answers, other accounts, removal, each service in its own words', async () => {
    const { ecr, sts, organizations, emulator } = await start();
    const remove = emulator.faults.inject({ account: devA, times: Infinity }, slow(50));
    const took = async (account: string) => {
      const from = performance.now();
      await sts(account).send(new GetCallerIdentityCommand({}));
      return performance.now() - from;
    };
    expect(await took(devA)).toBeGreaterThanOrEqual(49);
    remove();
    emulator.faults.inject({ service: 'sts' }, throttling());
    emulator.faults.inject({ service: 'organizations' }, throttling());
    expect((await errorOf(sts(devA).send(new GetCallerIdentityCommand({})))).name).toBe('Throttling');
    expect((await errorOf(organizations(management).send(new ListRootsCommand({})))).name).toBe('TooManyRequestsException');
    expect((await errorOf(ecr(shared).send(read))).name).toBe('RepositoryPolicyNotFoundException');
  });

  test('stale reads show the state of up to δ ago', async () => {
    const { ecr, emulator } = await start();
    emulator.clock.advance(10_000);
    await ecr(shared).send(write);
    emulator.faults.staleReads(2_000, () => 1);
    expect((await errorOf(ecr(shared).send(read))).name).toBe('RepositoryPolicyNotFoundException');
    emulator.clock.advance(2_500);
    expect((await ecr(shared).send(read)).policyText).toBe(orgPathPolicy);
  });
});

describe('GitHub', () => {
  test('ID tokens for who has the bearer token', async () => {
    const { emulator } = await start();
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = '' } = emulator.environment();
    expect((await fetch(url)).status).toBe(401);
    const { value } = (await (await fetch(`${url}&audience=a`, { headers: { authorization: `Bearer ${bearer}` } })).json()) as {
      value: string;
    };
    const claims = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({
      aud: 'a',
      sub: 'repo:octo-org/octo-app:ref:refs/heads/main',
      iss: 'https://token.actions.githubusercontent.com',
      repository: 'octo-org/octo-app',
    });
  });

  test('comments, pull requests and the repository', async () => {
    const { emulator } = await start();
    const { GITHUB_API_URL: api = '' } = emulator.environment();
    const ask = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${api}/repos/octo/app${path}`, {
        method,
        headers: { authorization: 'token t' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return {
        status: response.status,
        link: response.headers.get('link'),
        body: response.status === 204 ? undefined : await response.json(),
      };
    };
    emulator.github.pulls.set('octo/app', [{ number: 7, state: 'open' }]);
    expect(await ask('POST', '/issues/7/comments', { body: 'one' })).toMatchObject({ status: 201, body: { id: 1001, body: 'one' } });
    await ask('POST', '/issues/7/comments', { body: 'two' });
    expect(await ask('PATCH', '/issues/comments/1001', { body: 'new' })).toMatchObject({ status: 200, body: { body: 'new' } });
    const first = await ask('GET', '/issues/7/comments?per_page=1');
    expect(first).toMatchObject({ body: [{ id: 1001, body: 'new' }], link: expect.stringContaining('page=2') });
    expect(await ask('DELETE', '/issues/comments/1001')).toMatchObject({ status: 204 });
    expect(await ask('GET', '/pulls/7')).toMatchObject({ body: { state: 'open' } });
    expect(await ask('GET', '')).toMatchObject({ body: { full_name: 'octo/app' } });
    expect((await fetch(`${api}/repos/octo/app`)).status).toBe(401);
    expect(emulator.violations).toEqual([]);
    expect((await ask('GET', '/stargazers')).status).toBe(501);
    expect(emulator.violations).toHaveLength(1);
  });
});

describe('worlds', () => {
  test('refuse what AWS could not hold', () => {
    const world = newWorld();
    expect(() => world.account('1')).toThrow('12 digits');
    expect(() => world.role('arn:aws:iam::1:role/x')).toThrow('Not a role ARN');
    expect(() => world.ou('1/2/3/4/5/6')).toThrow('5 levels');
    expect(() => new World().root).toThrow('no organization yet');
  });

  test('hold several organizations', async () => {
    const { world, organizations } = await start();
    const other = world.organization({ id: 'o-zzzzzzzzzz', rootId: 'r-zz99', management: '888888888888' });
    world.account(outside, { ou: world.ou('Prod', { organization: other }) });
    expect((await organizations(outside).send(new DescribeOrganizationCommand({}))).Organization?.Id).toBe('o-zzzzzzzzzz');
    expect(world.pathOf(outside)).toMatch(/^o-zzzzzzzzzz\/r-zz99\/ou-zz99-[a-z0-9]{8}\/$/);
  });
});

test('npm run emulator prints what a shell needs, and ends on SIGTERM', async () => {
  const child = spawn(process.execPath, [resolve('emulator/main.ts'), '--speed', '60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.includes('Ctrl-C')) break;
  }
  const url = /export AWS_ENDPOINT_URL='(.+)'/.exec(printed)?.[1] ?? '';
  const credentials = { accessKeyId: /AWS_ACCESS_KEY_ID='(.+)'/.exec(printed)?.[1] ?? '', secretAccessKey: 'any' };
  expect(await new STSClient({ endpoint: url, region, credentials }).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: shared,
  });
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
