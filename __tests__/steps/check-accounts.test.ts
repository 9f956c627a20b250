import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountId, RoleArn } from '../../src/domain/account.ts';
import { accountInWords } from '../../src/domain/findings.ts';
import { parseImageWishes } from '../../src/domain/image-wish.ts';
import type { OrganizationId } from '../../src/domain/organization.ts';
import { AwsError, InputError } from '../../src/errors.ts';
import type { GroupAnswer } from '../../src/ports/codedeploy.ts';
import type { Session } from '../../src/ports/credentials.ts';
import type { Ports } from '../../src/ports/index.ts';
import { checkAccounts } from '../../src/steps/check-accounts.ts';
import type { CheckInputs } from '../../src/steps/check-account.ts';
import type { TargetAccount } from '../../src/steps/deploy-accounts.ts';
import { someGroup } from '../fakes/codedeploy.ts';
import { FakeEcr, digestOf } from '../fakes/ecr.ts';
import { ownService, someDefinition, someService } from '../fakes/ecs.ts';
import { FakeOrganizations } from '../fakes/organizations.ts';
import { account, awsError, Setting, someInputs } from './deployment-setting.ts';

const registryRole = 'arn:aws:iam::111111111111:role/ecr-read' as RoleArn;
const organizationRole = 'arn:aws:iam::999999999999:role/organization-read' as RoleArn;
const wishes = parseImageWishes('shop/web:v1');
if (!wishes.ok) throw new Error(wishes.problem);
const inputs: CheckInputs & { 'organization-role': RoleArn | undefined } = {
  ...someInputs,
  'registry-id': undefined,
  'registry-role': registryRole,
  'organization-id': undefined,
  'organization-role': organizationRole,
  image: wishes.value,
};
const listed = (id: string) => ({ id: id as AccountId, name: 'x', state: 'ACTIVE' });
const other = '333333333333' as AccountId;
const sharing = {
  Effect: 'Allow',
  Principal: '*',
  Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/*/ou-ab12-11111111/*' } },
};

let setting: Setting;
let ecr: FakeEcr;
let organizations: FakeOrganizations;
/** Whether the credentials are always those of the account that is expected. */
let asExpected: boolean;

beforeEach(() => {
  asExpected = false;
  setting = new Setting();
  ecr = new FakeEcr();
  ecr.hold({ digest: digestOf('v1'), tags: ['v1'] });
  ecr.policy = JSON.stringify({ Version: '2012-10-17', Statement: [sharing] });
  organizations = new FakeOrganizations({
    id: 'r-ab12',
    name: 'Root',
    children: [{ id: 'ou-ab12-11111111', name: 'Dev', accounts: [listed(account), listed(other)] }],
    accounts: [listed('444444444444')],
  });
  setting.ecs.definition = { ...someDefinition, executionRoleArn: `arn:aws:iam::${account}:role/web-execution` };
});

/** Of the side that was asked for; the registry's and the organization's are as good as the one that is deployed to. */
function ports(): Ports {
  const open: Ports['credentials']['open'] = ({ side, role, expectedAccount }) => {
    const owner = side === 'deploy' ? expectedAccount : ('111111111111' as AccountId);
    const isGiven = owner !== undefined && (asExpected || side !== 'deploy');
    return isGiven ? { ...setting.session, side, role, identity: async () => ({ account: owner, arn: 'arn' }) } : setting.session;
  };
  const all: Partial<Ports> = {
    ...setting.ports,
    credentials: { open, available: async () => true },
    ecr: () => ecr,
    ecs: () => setting.ecs,
    codedeploy: () => setting.codedeploy,
    organizations: () => organizations,
  };
  return all as Ports;
}

/** `severity subject: reason`, and with `isWithAdvice` ` → advice`, of what is not in order unless `all` is asked for; several accounts are named before it. */
async function check(
  given: Partial<typeof inputs> = {},
  { targets = [], all = false, isWithAdvice = false }: { targets?: readonly TargetAccount[]; all?: boolean; isWithAdvice?: boolean } = {},
) {
  const mine = { ...inputs, ...given };
  const found = await checkAccounts({
    inputs: mine,
    targets,
    inputsOf: (target) => ({ ...mine, 'deploy-account-id': target?.account ?? mine['deploy-account-id'] }),
    ports: ports(),
  });
  expect(setting.writes).toEqual([]);
  return found
    .flat()
    .filter(({ severity }) => all || severity !== 'ok')
    .map(
      ({ account: of, severity, subject, reason, advice }) =>
        `${targets.length > 0 ? `${accountInWords(of)} ` : ''}${severity} ${subject}: ${reason}${isWithAdvice && advice !== undefined ? ` → ${advice}` : ''}`,
    );
}

const unknowns = (subjects: readonly string[], since: string) => subjects.map((subject) => `info ${subject}: not known, since ${since}`);

describe('one account', () => {
  test('in which all is in order: every subject is told', async () => {
    const told = await check({}, { all: true });
    expect(told.map((line) => line.replace(/:.*$/s, ''))).toEqual(
      [
        ...['repository', 'image', 'registry policy'],
        ...['image', 'platform', 'account path', 'repository policy', 'credentials', 'service', 'task definition', 'container'],
        ...['execution role', 'AppSpec', 'deployment group', 'active deployment', 'wait'],
      ].map((subject) => `ok ${subject}`),
    );
  });

  test('no service: what depends on it is not known, all else is told', async () => {
    setting.ecs.answer = { found: 'nothing', missing: 'service' };
    ecr.web.tags.clear();
    expect(await check()).toEqual([
      'error image: there is no image shop/web:v1 in 111111111111 (eu-west-1)',
      'error image: there is no image shop/web:v1 in 111111111111',
      'error service: there is no service web in the cluster dev',
      'info platform: not known, since the task definition is not known',
      'info task definition: not known, since what the service runs is not known',
      ...unknowns(['container', 'execution role'], 'the task definition is not known'),
      ...unknowns(['AppSpec', 'deployment group', 'active deployment', 'wait'], 'the service is not known'),
    ]);
  });

  test('a read that fails is an error of its own, with what AWS says', async () => {
    setting.codedeploy.failures.set('ListDeployments', [
      new AwsError('codedeploy:ListDeployments failed: AccessDeniedException', {
        service: 'codedeploy',
        operation: 'ListDeployments',
        code: 'AccessDeniedException',
      }),
    ]);
    expect(await check()).toEqual(['error active deployment: codedeploy:ListDeployments failed: AccessDeniedException']);
  });

  test('a failing DescribeServices', async () => {
    const facts = { service: 'ecs', operation: 'DescribeServices', code: 'ServerException' };
    setting.ecs.failures.set('DescribeServices', new AwsError('ecs:DescribeServices failed: ServerException', facts));
    expect(await check()).toEqual([
      'error service: ecs:DescribeServices failed: ServerException',
      'info platform: not known, since the task definition is not known',
      'info task definition: not known, since what the service runs is not known',
      ...unknowns(['container', 'execution role'], 'the task definition is not known'),
      ...unknowns(['AppSpec', 'deployment group', 'active deployment', 'wait'], 'the service is not known'),
    ]);
  });

  test('a trouble of AWS that passes: not known, and no error', async () => {
    const passing = (operation: string) => {
      const { cause } = awsError('ServerException', { httpStatusCode: 500 });
      return new AwsError(`${operation} failed: ServerException`, { service: 'codedeploy', operation, code: 'ServerException', cause });
    };
    for (const operation of ['GetDeploymentGroup', 'ListDeployments']) setting.codedeploy.failures.set(operation, [passing(operation)]);
    expect(await check({}, { isWithAdvice: true })).toEqual([
      'warning deployment group: could not be asked: GetDeploymentGroup failed: ServerException → Run the check again.',
      'warning active deployment: could not be asked: ListDeployments failed: ServerException → Run the check again.',
      'info wait: not known, since the deployment group is not known',
    ]);
    setting.ecs.failures.set('DescribeServices', passing('DescribeServices'));
    const told = await check({}, { isWithAdvice: true });
    expect(told.filter((line) => /^(error|warning)|service:/.test(line))).toEqual([
      'warning service: could not be asked: DescribeServices failed: ServerException → Run the check again.',
    ]);
  });

  test.each<[string, GroupAnswer]>([
    ['is not there', { found: 'nothing', missing: 'group' }],
    ['has no application', { found: 'nothing', missing: 'application' }],
    ['deploys other services', { found: 'group', group: { ...someGroup, services: [] } }],
  ])('a deployment group that %s: nothing is told of its deployments', async (_, answer) => {
    setting.codedeploy.groupAnswer = answer;
    expect(await check()).toEqual([
      expect.stringMatching(/^error deployment group: /),
      'info active deployment: not known, since the service has no such deployment group',
      'info wait: not known, since the deployment group is not known',
    ]);
  });

  test('an AppSpec for a service that ECS itself deploys is to be left out, whatever is in it', async () => {
    setting.ecs.answer = { found: 'service', service: ownService };
    const refused =
      'error AppSpec: codedeploy-appspec is for CodeDeploy, and web is deployed by ECS itself (BLUE_GREEN): its hooks would not run; leave it out, and give the service lifecycle hooks instead';
    expect(await check({ 'codedeploy-appspec': 'missing.yaml' }, { isWithAdvice: true })).toEqual([refused]);
    setting.files.texts.set('appspec.yaml', 'version: 0.0\nResources: []\n');
    expect(await check({ 'codedeploy-appspec': 'appspec.yaml' }, { isWithAdvice: true })).toEqual([refused]);
  });

  test('an AppSpec that is needed is asked for', async () => {
    setting.ecs.answer = { found: 'service', service: { ...someService, loadBalancers: [], primary: undefined } };
    expect(await check({}, { isWithAdvice: true })).toContainEqual(
      expect.stringMatching(/^error AppSpec: codedeploy-appspec is needed: .* → Give codedeploy-appspec\.$/),
    );
  });

  test('credentials of another account: one error, and what other sides know', async () => {
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-account-id', problem: 'is 2, but the credentials are for 3' }], {
        hint: 'Give the right one.',
      });
    };
    const told = await check({}, { all: true });
    expect(told.filter((line) => !line.startsWith('ok'))).toEqual([
      'error credentials: deploy-account-id: is 2, but the credentials are for 3',
      'info service: not known, since there are no credentials for this account; no more is known of all else in it',
    ]);
    expect(told).toContainEqual(expect.stringMatching(/^ok repository policy: lets the account pull/));
  });

  test('nobody says whose account it is', async () => {
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-role', problem: 'there are no AWS credentials for the deploy side' }]);
    };
    expect(await check({ 'deploy-account-id': undefined })).toContain(
      'info account path: not known, since nobody says whose account it is',
    );
  });

  test('a fault of our own is no finding', async () => {
    setting.identity = async () => {
      throw new TypeError('ours');
    };
    await expect(check()).rejects.toThrow(TypeError);
  });

  test('files that are wrong: nothing is concluded from them, and all else is told', async () => {
    setting.files.texts.set('td.json', '{"family": "web", "containerDefinitions": []}');
    setting.files.texts.set('appspec.yaml', 'version: 0.0\nResources: []\n');
    setting.codedeploy.groupAnswer = { found: 'nothing', missing: 'group' };
    expect(await check({ 'task-definition': 'td.json', 'codedeploy-appspec': 'appspec.yaml' })).toEqual([
      'error task definition: td.json:1:43: $.containerDefinitions must be a list of at least one container',
      'error AppSpec: appspec.yaml:2:12: $.Resources is empty: it must hold one TargetService',
      'error deployment group: the application AppECS-dev-web has no deployment group DgpECS-dev-web',
      'info platform: not known, since the task definition is not known',
      ...unknowns(['container', 'execution role'], 'the task definition is not known'),
      'info active deployment: not known, since the service has no such deployment group',
      'info wait: not known, since the deployment group is not known',
    ]);
  });

  test('a member that nobody knows is a warning', async () => {
    setting.files.texts.set(
      'td.yaml',
      'family: web\nexecutionRoleArn: x\ncontainerDefinitions:\n  - { name: web, enviroment: [], portMappings: [{ containerPort: 80 }] }\n',
    );
    expect(await check({ 'task-definition': 'td.yaml' })).toEqual([
      expect.stringMatching(/^warning task definition: td\.yaml:4:\d+: .*enviroment is not known here/),
    ]);
  });

  test.each<[CheckInputs['on-active-deployment'], string]>([
    ['wait', 'warning active deployment: d-1 is under way (InProgress), and would be waited for'],
    ['stop', 'warning active deployment: d-1 is under way (InProgress), and would be stopped with a rollback'],
    [
      'fail',
      'error active deployment: on-active-deployment is fail, and d-1 (InProgress) is under way in deployment group DgpECS-dev-web of AppECS-dev-web: https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-1?region=eu-west-1',
    ],
  ])('a deployment under way: %s', async (choice, expected) => {
    setting.codedeploy.add({ id: 'd-1' });
    expect(await check({ 'on-active-deployment': choice })).toEqual([expected]);
  });

  test('credentials that the wait may outlive, and a step that does not wait', async () => {
    const ending: Session['ending'] = () => ({ why: 'environment', left: 60_000, at: Date.parse('2026-11-22T14:05:00Z') });
    setting.ending = ending;
    expect(await check()).toEqual([
      "warning wait: The wait may take 35 min, but the credentials come from the environment and can't be renewed (they last until 14:05 UTC).",
    ]);
    expect(await check({ 'wait-until': 'started' })).toEqual([]);
    expect(await check({ 'wait-for-minutes': 1 })).toEqual([]);
  });

  test('an image of another platform', async () => {
    setting.ecs.definition = { ...setting.ecs.definition, runtimePlatform: { cpuArchitecture: 'ARM64' } };
    expect(await check()).toEqual([
      'error platform: the image is for linux/amd64, and the tasks of web run on linux/arm64 (runtimePlatform); build it for that platform',
    ]);
  });

  test('a controller of ECS: the group is not asked about', async () => {
    setting.ecs.answer = { found: 'service', service: { ...someService, controller: 'ECS' } };
    expect(await check()).toEqual([
      expect.stringMatching(/^error service: web has rolling updates /),
      ...unknowns(
        ['AppSpec', 'deployment group', 'active deployment', 'wait'],
        'web is not deployed by deployment group DgpECS-dev-web of AppECS-dev-web',
      ),
    ]);
  });
});

describe('the registry', () => {
  test('has no such repository', async () => {
    ecr.repositories.clear();
    expect(await check()).toEqual([
      'error repository: there is no repository shop/web in 111111111111 (eu-west-1)',
      'error image: there is no image shop/web:v1 in 111111111111',
      'info platform: not known, since the image could not be read',
    ]);
  });

  test('has a policy that nobody can read', async () => {
    ecr.policy = '{';
    ecr.ownPolicy = { text: '[]', scope: 'V2' };
    expect(await check()).toEqual([
      expect.stringMatching(
        /^warning repository policy: what it says is not known, since the repository policy can't be read: \$ is not JSON/,
      ),
      "warning registry policy: whether it says anything of pulls is not known, since the registry policy can't be read: $ is not a JSON object",
    ]);
  });

  test.each([
    ['V2', [expect.stringMatching(/^error registry policy: statement 1 denies the execution role web-execution/)]],
    ['V1', []],
  ] as const)('has a policy of the scope %s', async (scope, expected) => {
    const statement = { Effect: 'Deny', Principal: '*', Action: 'ecr:*', Resource: '*' };
    ecr.ownPolicy = { text: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }), scope };
    expect(await check()).toEqual(expected);
  });

  test.each([
    [registryRole, `the registry of registry-role is 111111111111.dkr.ecr.eu-west-1.amazonaws.com; give an image of that one`],
    [undefined, 'which is no ECR registry; give an image of one (mode: publish copies it there), registry-role if'],
  ])('is another one: that is told once, and its names are not looked for in ours (registry-role: %s)', async (role, expected) => {
    const foreign = parseImageWishes('public.ecr.aws/nginx/nginx:stable');
    if (!foreign.ok) throw new Error(foreign.problem);
    const given = { image: foreign.value, 'registry-role': role, 'registry-id': '111111111111' as AccountId };
    const told = await check(given, { isWithAdvice: true });
    expect(told).toEqual([
      expect.stringMatching(/^error image: is in public\.ecr\.aws, /),
      'info platform: not known, since the image could not be read',
    ]);
    expect(told[0]).toContain(expected);
    expect(told[0]).not.toContain('→');
  });

  test('of nobody that is known is not asked', async () => {
    const foreign = parseImageWishes('registry.example/shop/web@' + digestOf('v1'));
    if (!foreign.ok) throw new Error(foreign.problem);
    expect(await check({ image: foreign.value, 'registry-role': undefined })).toEqual([
      expect.stringMatching(/^warning image: Whether registry\.example lets the tasks pull can't be told/),
      expect.stringMatching(/^warning platform: not known, since the image does not tell/),
    ]);
  });
});

describe('the organization', () => {
  test('without a role: the path is not known, and nothing is asked', async () => {
    expect(await check({ 'organization-role': undefined })).toEqual([
      'info account path: is not known, since no organization-role is given',
      expect.stringMatching(/^info repository policy: whether it lets the execution role web-execution pull is not known/),
    ]);
    expect(organizations.journal).toEqual([]);
  });

  test('whose role is refused: the advice is about that role', async () => {
    organizations.failures.set(
      'organization',
      new AwsError('sts:AssumeRole failed: AccessDenied', {
        service: 'sts',
        operation: 'AssumeRole',
        code: 'AccessDenied',
        hint: 'Trust.',
      }),
    );
    expect(await check({}, { isWithAdvice: true })).toEqual([
      'warning account path: is not known, since sts:AssumeRole failed: AccessDenied → Trust.',
      expect.stringMatching(/^info repository policy: whether it lets the execution role web-execution pull is not known: (?!.*→)/),
    ]);
  });

  test('is another one', async () => {
    expect(await check({ 'organization-id': 'o-zzzzzzzzzz' as OrganizationId })).toContain(
      'warning account path: is not known, since organization-id: is o-zzzzzzzzzz, but organization-role is in o-a1b2c3d4e5',
    );
  });

  test('is asked once for an OU, however many accounts it has', async () => {
    asExpected = true;
    const target = (id: string): TargetAccount => ({ account: id as AccountId, name: '', ouPath: '' });
    const told = await check({}, { targets: [target(account), target(other), target('444444444444'), target('555555555555')], all: true });
    expect(organizations.journal.filter((call) => /organization|pathOf/.test(call))).toEqual(['organization', 'pathOf ou-ab12-11111111']);
    expect(told.filter((line) => line.includes('account path'))).toEqual([
      '222222222222 ok account path: o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/',
      '333333333333 ok account path: o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/',
      '444444444444 ok account path: o-a1b2c3d4e5/r-ab12/',
      '555555555555 warning account path: the account is not in the organization of organization-role: no OU stands for it',
    ]);
  });

  test('has a root that holds the account, or no such account', async () => {
    setting.identity = async () => ({ account: '444444444444' as AccountId, arn: 'x' });
    expect(await check({}, { all: true })).toContain('ok account path: o-a1b2c3d4e5/r-ab12/');
    setting.identity = async () => ({ account: '555555555555' as AccountId, arn: 'x' });
    expect(await check()).toContain(
      'warning account path: the account is not in the organization of organization-role: no OU stands for it',
    );
  });

  test('has told the path already', async () => {
    const ouPath = 'o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/';
    const told = await check({}, { targets: [{ account, name: 'dev-a', ouPath }] });
    expect(organizations.journal).toEqual([]);
    expect(told).toEqual([
      expect.stringMatching(/^dev-a 222222222222 error repository policy: does not let the execution role web-execution pull/),
    ]);
  });
});
