/** What examples/ gives away to be copied agrees with the action and with docs/iam.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse, type ScalarTag } from 'yaml';
import { cluster, developmentOu, organizationId, service } from '../emulator/scenario.ts';
import type { OrganizationId, OuId } from '../src/domain/organization.ts';
import { coverage } from '../src/domain/policy/coverage.ts';
import { parsePolicy } from '../src/domain/policy/document.ts';
import { exposures } from '../src/domain/policy/exposure.ts';
import { pullActions } from '../src/domain/policy/grant.ts';
import type { Target } from '../src/domain/policy/target.ts';
import { inputNames } from '../src/modes/index.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly strategy?: { readonly 'fail-fast'?: boolean }; readonly steps: readonly Step[] }>>;
}

describe.each(readdirSync(new URL('../examples/workflows', import.meta.url)))('examples/workflows/%s', (file) => {
  const text = read(`examples/workflows/${file}`);
  const { permissions, jobs } = parse(text) as Workflow;
  const ours = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses === 'OWNER/ecr-org-deploy@v1'));

  test('names only inputs that exist', () => {
    expect(ours.length).toBeGreaterThan(0);
    for (const step of ours) for (const name of Object.keys(step.with ?? {})) expect(['mode', ...inputNames]).toContain(name);
  });

  test('uses no other action but checkout', () => {
    const others = Object.values(jobs)
      .flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []))
      .filter((uses) => !/^(OWNER\/ecr-org-deploy@v1|actions\/checkout@v\d+)$/.test(uses));
    expect(others).toEqual([]);
  });

  test('stores no key, and one failed account stops no other', () => {
    expect(permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    expect(text).not.toMatch(/\$\{\{\s*secrets\.|access-key/);
    for (const { strategy } of Object.values(jobs)) if (strategy) expect(strategy['fail-fast']).toBe(false);
  });
});

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

interface Resource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: Json };
}

type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** A template's resources with its parameters put in. `!GetAtt` and what else only AWS knows stays as it is written. */
function resources(template: string, parameters: Parameters): Readonly<Record<string, Resource>> {
  const values: Parameters = { 'AWS::Partition': 'aws', 'AWS::Region': 'eu-west-1', ...parameters };
  const tags: ScalarTag[] = [
    { tag: '!Sub', resolve: (text) => text.replaceAll(/\$\{([\w:]+)\}/g, (whole, name: string) => String(values[name] ?? whole)) },
    { tag: '!Ref', resolve: (name) => values[name] ?? name },
    { tag: '!GetAtt', resolve: (name) => name },
  ];
  const functions = ['!Equals', '!Not', '!Join'].map((tag) => ({ tag, collection: 'seq' as const }));
  const { Resources } = parse(read(`examples/cloudformation/${template}`), { customTags: [...tags, ...functions] }) as {
    Resources: Record<string, Resource>;
  };
  return Resources;
}

/** The first JSON block below a heading of docs/iam.md: what everybody needs; those after it are for certain inputs. */
function documented(heading: string): Json {
  const [, section = ''] = read('docs/iam.md').split(new RegExp(`^## ${heading}$`, 'm'));
  const [, json = ''] = /```json\n([^]*?)```/.exec(section) ?? [];
  return JSON.parse(json) as Json;
}

describe('examples/cloudformation', () => {
  // The accounts, names and subjects of docs/iam.md.
  const registry = { 'AWS::AccountId': '111111111111', Repositories: 'shop/*' };
  const target = {
    'AWS::AccountId': '222222222222',
    RegistryAccount: '111111111111',
    Repositories: 'shop/*',
    Cluster: cluster,
    Service: service,
  };
  const subjects = ['repo:OWNER/REPO:ref:refs/heads/main', 'repo:OWNER@OWNERID/REPO@REPOID:ref:refs/heads/main'];

  test.each(['publish', 'share', 'read'])('the registry account’s policy for %s is that of docs/iam.md', (mode) => {
    const policy = resources('registry-account.yaml', registry)[`${mode.charAt(0).toUpperCase()}${mode.slice(1)}Policy`];
    expect(policy?.Properties['PolicyDocument']).toEqual(documented(mode));
  });

  test('each role of the registry account has the policies of its modes', () => {
    const roles = Object.values(resources('registry-account.yaml', registry)).filter(({ Type }) => Type === 'AWS::IAM::Role');
    expect(roles.map(({ Properties }) => [Properties['RoleName'], Properties['ManagedPolicyArns'], Properties['Policies']])).toEqual([
      ['ecr-publish', ['PublishPolicy'], undefined],
      ['ecr-share', ['SharePolicy'], undefined],
      ['ecr-read', ['ReadPolicy'], undefined],
      ['ecr-release', ['PublishPolicy', 'SharePolicy'], undefined],
    ]);
  });

  test('the deploy role’s policy is that of docs/iam.md', () => {
    const { DeployRole } = resources('target-account.yaml', target);
    expect(DeployRole?.Properties).toMatchObject({
      RoleName: 'web-deploy',
      Policies: [{ PolicyName: 'deploy', PolicyDocument: documented('deploy') }],
    });
  });

  test.each(['registry-account.yaml', 'target-account.yaml'])(
    'the roles of %s trust whom docs/iam.md says, and nobody else',
    (template) => {
      const given = ['Publish', 'Share', 'Read', 'Release', 'Deploy'].map((who): [string, readonly string[]] => [
        `${who}Subjects`,
        subjects,
      ]);
      const roles = Object.values(resources(template, { ...target, ...Object.fromEntries(given) })).filter(
        ({ Type }) => Type === 'AWS::IAM::Role',
      );
      expect(roles.length).toBeGreaterThan(0);
      for (const { Properties } of roles) expect(Properties['AssumeRolePolicyDocument']).toEqual(documented('Trust'));
    },
  );

  test('the repository’s policy lets the OU pull, and nobody else; its images are copied where wait-for-replication looks', () => {
    const given = {
      RepositoryName: 'shop/web',
      OrganizationId: organizationId,
      DevelopmentOuId: developmentOu,
      ReplicaRegion: 'eu-central-1',
    };
    const { Repository, Replication } = resources('repository.yaml', { 'AWS::AccountId': '111111111111', ...given });
    const parsed = parsePolicy(JSON.stringify(Repository?.Properties['RepositoryPolicyText']));
    if (!parsed.ok) throw new Error('the template’s policy is malformed');
    const target: Target = { kind: 'ou', organization: organizationId as OrganizationId, ou: developmentOu as OuId };
    const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/web' };
    const { actions, denies } = coverage({ policy: parsed.policy, target, actions: pullActions, facts });
    expect(actions.map(({ answer }) => answer)).toEqual(['yes', 'yes', 'yes']);
    expect(denies).toEqual([]);
    expect(exposures(parsed.policy)).toEqual([]);
    expect(Replication?.Properties['ReplicationConfiguration']).toEqual({
      Rules: [
        {
          Destinations: [{ Region: 'eu-central-1', RegistryId: '111111111111' }],
          RepositoryFilters: [{ Filter: 'shop/web', FilterType: 'PREFIX_MATCH' }],
        },
      ],
    });
  });

  test('the service has the names that deploy expects, and an execution role that may pull', () => {
    const { EcsService, Application, DeploymentGroup, ExecutionRole, TaskRole, TaskDefinition } = resources('service.yaml', target);
    expect(EcsService?.Properties).toMatchObject({
      ServiceName: service,
      DeploymentController: { Type: 'CODE_DEPLOY' },
      TaskDefinition: TaskDefinition?.Properties['Family'],
    });
    expect(Application?.Properties).toEqual({ ApplicationName: 'AppECS-dev-web', ComputePlatform: 'ECS' });
    expect(DeploymentGroup?.Properties['DeploymentGroupName']).toBe('DgpECS-dev-web');
    // Those that the deploy role may pass.
    expect([ExecutionRole, TaskRole].map((role) => role?.Properties['RoleName'])).toEqual(['web-execution', 'web-task']);
    expect(ExecutionRole?.Properties['Policies']).toContainEqual({
      PolicyName: 'pull',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
          { Effect: 'Allow', Action: [...pullActions], Resource: 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/*' },
        ],
      },
    });
  });
});
