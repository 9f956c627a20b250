/** The workflows of examples/ as they stand: a real runner (act), engine and registry, AWS on localhost. */
import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CodeDeployClient, GetDeploymentCommand, ListDeploymentsCommand } from '@aws-sdk/client-codedeploy';
import { accounts, cluster, developmentOu, region, repositoryName, service, sharedPolicy, type Scenario } from '../../emulator/scenario.ts';
import { publicAlias } from '../../emulator/ecr-public.ts';
import { policyOf } from '../../emulator/repository.ts';
import { runWorkflow, workflowFolder, type Event, type Workflow } from './act.ts';
import { describeReal, digestInRegistry, host, overRegistry, registryHost, tagsInRegistry } from './parts.ts';

interface Case extends Workflow {
  /** What GitHub's token says of the job: the only subject that the roles trust. */
  readonly subject: string;
  /** Every role that is assumed. */
  readonly roles: readonly string[];
  readonly repository: string;
  /** The image's tags, by the commit. */
  readonly tags: (sha12: string) => readonly string[];
  /** Whether the repository is shared before. */
  readonly shared: boolean;
  /** The accounts that are deployed to; no other is. */
  readonly deployed: readonly string[];
  /** What there must be besides. */
  readonly prepare?: (scenario: Scenario) => void;
  /** What else must be true afterwards, of the image's digest. */
  readonly check?: (digest: string, log: string) => Promise<void>;
  /** Whether each account's deployment begins when the one before it has ended, as in waves of one account. */
  readonly oneByOne?: boolean;
}

const repository = { full_name: 'acme/shop', default_branch: 'main' } as const;
const push: Event = { name: 'push', payload: (sha) => ({ ref: 'refs/heads/main', after: sha, deleted: false, repository }) };
/** From the repository of this name. */
const pullRequest = (from: string): Event => ({
  name: 'pull_request',
  payload: (sha) => ({
    action: 'synchronize',
    number: 7,
    pull_request: { number: 7, head: { ref: 'green', sha, repo: { full_name: from } }, base: { ref: 'main', repo: repository } },
    repository,
  }),
});
const ofMain = (sha12: string): readonly string[] => ['main', `sha-${sha12}`];
const role = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const { registry, devA, devB, outside, management } = accounts;
const archive = `${repositoryName}-archive`;
/** There is one real registry: what is in another Region, or public, is under the host name of another account. */
const registryHosts = (account: string, inRegion: string): string => registryHost(inRegion === region ? account : accounts.devA, region);

const cases: readonly Case[] = [
  {
    file: 'matrix.yml',
    event: push,
    subject: 'repo:acme/shop:ref:refs/heads/main',
    roles: [role(registry, 'ecr-publish'), role(registry, 'ecr-share'), role(devA, 'web-deploy'), role(devB, 'web-deploy')],
    repository: repositoryName,
    tags: ofMain,
    shared: false,
    deployed: [devA, devB],
  },
  {
    file: 'discover.yml',
    event: push,
    subject: 'repo:acme/shop:ref:refs/heads/main',
    roles: [
      role(registry, 'ecr-publish'),
      role(registry, 'ecr-share'),
      role(devA, 'web-deploy'),
      role(devB, 'web-deploy'),
      role(management, 'org-read'),
    ],
    repository: repositoryName,
    tags: ofMain,
    shared: true,
    deployed: [devA, devB],
  },
  {
    file: 'release.yml',
    event: push,
    subject: 'repo:acme/shop:environment:dev',
    roles: [role(registry, 'ecr-release'), role(devA, 'web-deploy')],
    repository: repositoryName,
    tags: ofMain,
    shared: true,
    deployed: [devA],
  },
  {
    file: 'pull-request.yml',
    event: pullRequest(repository.full_name),
    subject: 'repo:acme/shop:pull_request',
    roles: [role(registry, 'ecr-publish-pr'), role(devA, 'web-deploy-pr')],
    repository: 'pr/shop/web',
    tags: (sha12) => ['pr-7', `pr-7-${sha12}`],
    shared: true,
    deployed: [devA],
  },
  {
    file: 'publish.yml',
    event: push,
    subject: 'repo:acme/shop:ref:refs/heads/main',
    roles: [role(registry, 'ecr-publish'), role(registry, 'ecr-read'), role(registry, 'ecr-publish-public')],
    repository: repositoryName,
    tags: ofMain,
    shared: true,
    deployed: [],
    prepare: ({ emulator: { world } }) => {
      const repository = { account: registry, region };
      Object.assign(world.findRepository({ ...repository, name: repositoryName }) ?? {}, { scanOnPush: true });
      world.repository({ ...repository, name: archive });
      world.repository({ ...repository, region: 'public', name: 'web' });
      const destinations = [{ region: 'eu-central-1', registryId: registry }];
      world.account(registry).replication.set(region, { rules: [{ destinations }], since: world.clock.now() });
    },
    check: async (digest, log) => {
      expect(await digestInRegistry(archive, 'main')).toBe(digest);
      expect(await digestInRegistry(`${publicAlias(registry)}/web`, 'latest')).toBe(digest);
      expect(log).toMatch(new RegExp(`Digest: ${digest}`));
      expect(log).toMatch(/copies? .*eu-central-1|eu-central-1.*(copied|there)/i);
    },
  },
  {
    file: 'waves.yml',
    event: push,
    subject: 'repo:acme/shop:ref:refs/heads/main',
    roles: [role(registry, 'ecr-release'), role(devA, 'web-deploy'), role(devB, 'web-deploy'), role(management, 'org-read')],
    repository: repositoryName,
    tags: ofMain,
    shared: true,
    deployed: [devA, devB],
    oneByOne: true,
  },
];

/** The roles trust the job of this workflow and nobody else. */
function prepare(scenario: Scenario, { subject, roles, repository: name, shared, prepare: more }: Case): void {
  const { world, github } = scenario.emulator;
  for (const each of new Set([...roles, ...[devA, devB, outside].map((account) => role(account, 'web-deploy'))]))
    world.role(each, { trust: { oidcSubjects: roles.includes(each) ? [subject] : [] } });
  world.repository({ account: registry, region, name, ...(shared && { policy: sharedPolicy }) });
  github.identity.subject = subject;
  more?.(scenario);
}

/** The statuses of an account's deployments of the service. */
async function deploymentStatuses({ emulator: { world, url } }: Scenario, account: string): Promise<readonly (string | undefined)[]> {
  const codedeploy = new CodeDeployClient({
    region,
    endpoint: url,
    credentials: world.session(world.role(role(account, 'auditor'))),
  });
  const group = { applicationName: `AppECS-${cluster}-${service}`, deploymentGroupName: `DgpECS-${cluster}-${service}` };
  const { deployments = [] } = await codedeploy.send(new ListDeploymentsCommand(group));
  const found = await Promise.all(deployments.map(async (deploymentId) => codedeploy.send(new GetDeploymentCommand({ deploymentId }))));
  codedeploy.destroy();
  return found.map(({ deploymentInfo }) => deploymentInfo?.status);
}

/** The images that an account's task definitions were registered with. */
function registeredImages({ emulator }: Scenario, account: string): readonly string[] {
  return emulator.requests
    .of('ecs', 'RegisterTaskDefinition')
    .filter((request) => request.account === account)
    .flatMap(({ input }) => (input['containerDefinitions'] as readonly { image: string }[]).map(({ image }) => image));
}

/** The accounts whose deployments were begun or looked at, in order; one that comes again shows that two ran at the same time. */
function followedAccounts({ emulator }: Scenario): readonly string[] {
  const calls = emulator.requests.of('codedeploy').filter(({ operation }) => ['CreateDeployment', 'GetDeployment'].includes(operation));
  return calls.map(({ account }) => account).filter((account, at, all) => account !== all[at - 1]);
}

for (const each of cases) {
  describeReal(`examples/workflows/${each.file}`, { needs: ['engine', 'buildx', 'registry', 'act'] }, () => {
    let scenario: Scenario;
    // AWS's clock runs fast, so that a canary of minutes takes seconds.
    overRegistry((started) => (scenario = started), { speed: 1000, registryHosts });

    test('runs as it stands', async () => {
      prepare(scenario, each);
      const { exitCode, log, sha } = await runWorkflow(each, scenario);
      const text = log.join('\n');
      expect(exitCode === 0 ? 'it ends well' : text).toBe('it ends well');
      if (each.oneByOne) expect(followedAccounts(scenario)).toEqual(each.deployed);

      const tags = each.tags(sha.slice(0, 12));
      const digest = await digestInRegistry(each.repository, tags.at(-1) ?? '');
      expect(digest).toBeDefined();
      expect(await tagsInRegistry(each.repository)).toEqual(expect.arrayContaining([...tags]));
      const image = `${host}/${each.repository}@${digest ?? ''}`;
      expect(text).toContain(`| Pushed ${image}`);

      const { requests } = scenario.emulator;
      const policies = requests.of('ecr', 'SetRepositoryPolicy').map(({ input }) => String(input['policyText']));
      expect(policies).toEqual(each.shared ? [] : [expect.stringContaining(`/*/${developmentOu}/*`)]);

      for (const account of [devA, devB, outside]) {
        const isDeployed = each.deployed.includes(account);
        expect([account, registeredImages(scenario, account)]).toEqual([account, isDeployed ? [image] : []]);
        expect([account, await deploymentStatuses(scenario, account)]).toEqual([account, isDeployed ? ['Succeeded'] : []]);
      }
      const assumed = requests.of('sts', 'AssumeRoleWithWebIdentity').map(({ input }) => String(input['RoleArn']));
      expect([...new Set(assumed)].toSorted()).toEqual(each.roles.toSorted());
      expect(requests.of('sts', 'AssumeRole')).toEqual([]);
      await each.check?.(digest ?? '', text);
    });
  });
}

describeReal('examples/workflows/share.yml', { needs: ['registry', 'act'] }, () => {
  let scenario: Scenario;
  overRegistry((started) => (scenario = started));

  test('runs as it stands, and lets in whom it names', async () => {
    const { emulator } = scenario;
    const { world, github } = emulator;
    const foreign = { Sid: 'theirs', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${devB}:root` }, Action: 'ecr:DescribeImages' };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [foreign] });
    const subject = 'repo:acme/shop:ref:refs/heads/main';
    world.role(role(registry, 'ecr-share'), { trust: { oidcSubjects: [subject] } });
    world.role(role(devB, 'ecs-task-role'));
    for (const name of [repositoryName, 'shop/jobs']) world.repository({ account: registry, region, name, policy });
    github.identity.subject = subject;

    const { exitCode, log } = await runWorkflow({ file: 'share.yml', event: push }, scenario);
    expect(exitCode === 0 ? 'it ends well' : log.join('\n')).toBe('it ends well');
    const grants = (name: string): readonly string[] => {
      const repository = world.findRepository({ account: registry, region, name });
      const { Statement } = JSON.parse((repository && policyOf(repository)) ?? '{}') as {
        Statement: { Sid: string; Principal: unknown; Action: string | string[] }[];
      };
      return Statement.map(
        ({ Sid, Principal, Action }) => `${Sid.replace(/x[0-9a-z]+$/, '')} ${JSON.stringify(Principal)} ${[Action].flat().length}`,
      );
    };
    const theirs = `theirs {"AWS":"arn:aws:iam::${devB}:root"} 1`;
    const ou = 'EcrOrgDeployOrgPaths "*" 3';
    const one = `EcrOrgDeployRoles {"AWS":["arn:aws:iam::${devB}:role/ecs-task-role"]} 3`;
    expect(grants(repositoryName)).toEqual([theirs, ou, one, `EcrOrgDeployAccounts {"AWS":["arn:aws:iam::${outside}:root"]} 5`]);
    expect(grants('shop/jobs')).toEqual([
      theirs,
      ou,
      one,
      `EcrOrgDeployAccounts {"AWS":["arn:aws:iam::${devA}:root"]} 3`,
      'EcrOrgDeployLambda {"Service":"lambda.amazonaws.com"} 3',
    ]);
    // Again: nothing is written.
    emulator.requests.clear();
    await runWorkflow({ file: 'share.yml', event: push }, scenario);
    expect(emulator.requests.of('ecr', 'SetRepositoryPolicy')).toEqual([]);
  });
});

describeReal('examples/workflows/pull-request.yml, from a fork', { needs: ['engine', 'buildx', 'registry', 'act'] }, () => {
  let scenario: Scenario;
  overRegistry((started) => (scenario = started));

  test('has no credentials: it is a plan, and the run is green', async () => {
    const run = { file: 'pull-request.yml', event: pullRequest('stranger/shop') } as const;
    const none = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '', AWS_EC2_METADATA_DISABLED: 'true' };
    const { exitCode, log } = await runWorkflow(run, scenario, none);
    const text = log.join('\n');
    expect(exitCode === 0 ? 'it ends well' : text).toBe('it ends well');
    expect(text).toContain('::notice::This run has no AWS credentials, as runs of pull requests from forks and of Dependabot have none');
    expect(scenario.emulator.requests.names()).toEqual([]);
  });
});

test('every workflow of examples/ is run', () => {
  expect([...cases.map(({ file }) => file), 'share.yml'].toSorted()).toEqual(readdirSync(workflowFolder).toSorted());
});
