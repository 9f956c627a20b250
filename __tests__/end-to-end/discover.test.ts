import { describe, expect, test } from '@jest/globals';
import { keyEnvironment } from '../../emulator/identity.ts';
import { accounts, developmentOu, organizationId, roles } from '../../emulator/scenario.ts';
import { inputs, onStage, transcript, writes, type Stage } from './stage.ts';

const discover = { ...inputs.common, mode: 'discover', 'organization-role': roles.organization, 'target-ous': developmentOu };

interface Matrix {
  readonly include: readonly Readonly<Record<string, string>>[];
}
const matrixOf = (outputs: Readonly<Record<string, string>>) => JSON.parse(outputs['matrix'] ?? '') as Matrix;
const world = (stage: Stage) => stage.scenario.emulator.world;

/** The names of the tree's other OUs are random. */
function withFixedIds(stage: Stage, text: string): string {
  const units = world(stage).organizations[0]?.root.children ?? [];
  return units.reduce((plain, { id, name }) => plain.replaceAll(id, `ou-<${name}>`), text);
}

describe('discover', () => {
  test('gives the matrix of an OU’s active accounts', async () => {
    await onStage({}, async (stage) => {
      world(stage).account('555555555555', { name: 'old', state: 'SUSPENDED', ou: world(stage).ou('Workloads/Development') });
      world(stage).account('666666666666', {
        name: 'inner',
        ou: world(stage).ou('Workloads/Development/Inner', { id: 'ou-ab12-22222222' }),
      });
      const result = await stage.step({ with: { ...discover, 'exclude-accounts': `${accounts.devB}, 777777777777` } });
      expect(withFixedIds(stage, transcript(stage, result))).toMatchSnapshot();
      expect(result.exitCode).toBe(0);
    });
  });

  test.each([
    ['by names', 'Workloads/Development', [accounts.devA, accounts.devB]],
    ['of the root, with the management account', 'r-ab12', Object.values(accounts)],
    ['of the organization', organizationId, Object.values(accounts)],
  ])('the accounts %s', async (_, ous, expected) => {
    await onStage({}, async (stage) => {
      const { outputs } = await stage.step({ with: { ...discover, 'target-ous': ous } });
      expect((JSON.parse(outputs['accounts'] ?? '') as string[]).toSorted()).toEqual(expected.toSorted());
      expect(outputs['account-count']).toBe(String(expected.length));
      expect(matrixOf(outputs).include).toHaveLength(expected.length);
      expect(writes(stage)).toEqual([]);
    });
  });

  test('by keys of a delegated administrator in the environment', async () => {
    await onStage({}, async (stage) => {
      world(stage).organizations[0]?.delegatedAdministrators.add(accounts.registry);
      const { 'organization-role': _, ...ambient } = discover;
      const environment = keyEnvironment(world(stage).user(accounts.registry, 'ci'));
      const { outputs, log } = await stage.step({ with: ambient, environment });
      expect(outputs['account-count']).toBe('2');
      expect(log[0]).toBe(`organization: arn:aws:iam::${accounts.registry}:user/ci in ${accounts.registry} by the keys in the environment`);
    });
  });

  test('a member that may not: who it is, and who may', async () => {
    await onStage({}, async (stage) => {
      const result = await stage.step({ with: { ...discover, 'organization-role': roles.registry } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatch(
        /^Error: arn:aws:sts::111111111111:assumed-role\/ecr-release\/ecr-org-deploy-1000-1 may not read the organization's tree: organizations:DescribeOrganizationalUnit for ou-ab12-11111111 failed: AccessDeniedException: .*\nOnly the management account of o-a1b2c3d4e5 \(999999999999\) and delegated administrators may\. Give organization-role/,
      );
      expect(result.outputs).toEqual({});
    });
  });

  test('an account in no organization', async () => {
    await onStage({}, async (stage) => {
      world(stage).move(accounts.registry, undefined);
      const result = await stage.step({ with: { ...discover, 'organization-role': roles.registry } });
      expect(result.log.at(-1)).toMatch(
        /^Error: Account 111111111111 \(.*\) is in no organization\.\nAsk with credentials of the management account/,
      );
      expect(result.exitCode).toBe(1);
    });
  });

  test('no active account: a count of 0, an empty matrix and a warning', async () => {
    await onStage({}, async (stage) => {
      for (const id of [accounts.devA, accounts.devB]) world(stage).account(id, { state: 'PENDING_CLOSURE' });
      const result = await stage.step({ with: discover });
      expect(result).toMatchObject({ exitCode: 0, outputs: { 'account-count': '0', matrix: '{"include":[]}', accounts: '[]' } });
      expect(result.log).toContain(
        'Warning: No active account was found. An empty matrix fails a job: give the job that uses it an if: account-count is not 0.',
      );
    });
  });

  test('an account that is suspended in between is left out the next time, and refuses to be deployed to', async () => {
    await onStage({}, async (stage) => {
      expect((await stage.step({ with: discover })).outputs['account-count']).toBe('2');
      world(stage).account(accounts.devB, { state: 'SUSPENDED' });
      const deploying = { ...inputs.common, ...inputs.registry, ...inputs.deploying, mode: 'deploy', image: 'shop/web:v1' };
      const deployed = await stage.step({ with: { ...deploying, 'deploy-role': roles.deploy(accounts.devB) } });
      expect(deployed.log.at(-1)).toContain(`STS refused ${roles.deploy(accounts.devB)}`);
      expect(writes(stage)).toEqual([]);
      expect((await stage.step({ with: discover })).outputs['accounts']).toBe(JSON.stringify([accounts.devA]));
    });
  });

  test('more than 256 accounts are grouped; names of others are no commands and no Markdown', async () => {
    await onStage({ organizations: { emptyPages: false } }, async (stage) => {
      const ou = world(stage).ou('Workloads/Development');
      for (let index = 0; index < 300; index++) world(stage).account(String(600_000_000_000 + index), { name: '::error::<b>|*x*', ou });
      const result = await stage.step({ with: discover });
      expect(result.exitCode).toBe(0);
      expect(result.outputs['account-count']).toBe('302');
      const { include } = matrixOf(result.outputs);
      expect(include).toHaveLength(151);
      expect(include[1]).toMatchObject({
        'account-ids': '600000000000,600000000001',
        'account-name': '::error::<b>|*x*',
        'ou-id': developmentOu,
      });
      expect(include[0]).toMatchObject({ 'account-ids': `${accounts.devA},${accounts.devB}`, 'account-name': '' });
      expect(result.log.filter((line) => line.startsWith('Error'))).toEqual([]);
      expect(result.log.at(-1)).toContain('and 202 more');
      expect(result.summary).toContain('| `600000000299` | ::error::&lt;b>\\|\\*x\\* | `ou-ab12-11111111` |');
    });
  });

  test('with dry-run: the same, for it only reads', async () => {
    await onStage({}, async (stage) => {
      const result = await stage.step({ with: { ...discover, 'dry-run': 'true' } });
      expect(result.outputs).toMatchObject({ 'account-count': '2', plan: '{"mode":"discover","writes":[]}' });
      expect(result.log.join('\n')).toContain('Calls that would write: none');
    });
  });

  test('what is wrong with the inputs is told before any call', async () => {
    await onStage({}, async (stage) => {
      const wrong = { ...discover, 'target-ous': 'ou-1', 'exclude-accounts': '123', 'organization-role': 'x' };
      expect((await stage.step({ with: wrong })).log).toEqual([
        expect.stringMatching(
          /^Error: 3 inputs need attention:\n {2}- organization-role: .*\n {2}- target-ous: "ou-1" is not an OU ID.*\n {2}- exclude-accounts: "123" is not/s,
        ),
      ]);
      const foreign = { ...discover, 'organization-id': organizationId, 'target-ous': 'o-zzzzzzzzzz' };
      expect((await stage.step({ with: foreign })).log).toEqual([
        `Error: target-ous: o-zzzzzzzzzz is not the organization-id ${organizationId}`,
      ]);
      expect(stage.requests()).toEqual([]);
    });
  });
});
