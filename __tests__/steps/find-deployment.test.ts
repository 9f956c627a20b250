import { describe, expect, test } from '@jest/globals';
import { InputError } from '../../src/errors.ts';
import { placeProblems } from '../../src/steps/codedeploy-place.ts';
import { someGroup } from '../fakes/codedeploy.ts';
import { awsError, failureOf } from './deployment-setting.ts';
import { byId, ExistingSetting, wish } from './existing-deployment.ts';

describe('by its ID', () => {
  test('cluster and service are the group’s own', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1' });
    const { deployer, deployment } = await setting.find(byId('d-1'));
    expect(deployment.id).toBe('d-1');
    expect(deployer.where).toMatchObject({ how: 'codedeploy', cluster: 'dev', service: 'web', group: 'DgpECS-dev-web' });
    expect(setting.journal).toEqual(['codedeploy:GetDeployment d-1', 'sts:GetCallerIdentity', 'codedeploy:GetDeploymentGroup']);
  });

  test.each(['DeploymentDoesNotExistException', 'InvalidDeploymentIdException'])('that AWS does not know (%s)', async (code) => {
    const setting = new ExistingSetting();
    setting.codedeploy.failures.set('GetDeployment', [awsError(code)]);
    const error = await failureOf(setting.find(byId('d-9')));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe(
      'deployment-id: there is no deployment d-9 in eu-west-1 of 222222222222; deploy-role and deploy-region say where it is looked for',
    );
  });

  test('a denial stays one', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.failures.set('GetDeployment', [awsError('AccessDeniedException')]);
    expect((await failureOf(setting.find(byId('d-1')))).message).toBe('AccessDeniedException: the test says so');
  });

  test('in the wrong account nothing else is said', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.failures.set('GetDeployment', [awsError('DeploymentDoesNotExistException')]);
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-account-id', problem: 'is another one' }]);
    };
    expect((await failureOf(setting.find(byId('d-1')))).message).toBe('deploy-account-id: is another one');
  });

  test.each([
    [
      'service',
      { ...byId('d-1'), service: 'api' },
      'd-1 is of DgpECS-dev-web of AppECS-dev-web: DgpECS-dev-web deploys web of cluster dev, not api of cluster dev',
    ],
    [
      'group',
      { ...byId('d-1'), 'codedeploy-deployment-group': 'Other' },
      'd-1 is of DgpECS-dev-web of AppECS-dev-web: Other of AppECS-dev-web is asked for',
    ],
  ])('of another %s than is given', async (_name, inputs, problem) => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1' });
    expect((await failureOf(setting.find(inputs))).message).toBe(`deployment-id: ${problem}`);
  });

  test('of a group that is for something else than ECS', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1' });
    setting.codedeploy.groupAnswer = { found: 'group', group: { ...someGroup, computePlatform: 'Lambda' } };
    expect((await failureOf(setting.find(byId('d-1')))).message).toMatch(/d-1 is of .*: DgpECS-dev-web is for the compute platform Lambda/);
  });
});

describe('by its service', () => {
  test('the one that is under way', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1', status: 'Ready' });
    expect((await setting.find()).deployment).toMatchObject({ id: 'd-1', status: 'Ready' });
  });

  test.each([
    ['none is', () => undefined, 'there was none yet'],
    [
      'none is any more',
      (setting: ExistingSetting) => setting.codedeploy.add({ id: 'd-1', status: 'Failed' }),
      'the newest deployment there, d-1, ended as Failed',
    ],
  ])('%s', async (_name, arrange, said) => {
    const setting = new ExistingSetting();
    arrange(setting);
    expect((await failureOf(setting.find())).message).toBe(
      `deployment-id: is needed: nothing is under way in deployment group DgpECS-dev-web of AppECS-dev-web; ${said}`,
    );
  });

  test('there is no such group', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.groupAnswer = { found: 'nothing', missing: 'group' };
    expect((await failureOf(setting.find())).message).toBe(
      'codedeploy-deployment-group: the application AppECS-dev-web has no deployment group DgpECS-dev-web',
    );
  });

  test('a group by its own name needs no cluster and no service', async () => {
    const setting = new ExistingSetting();
    setting.codedeploy.add({ id: 'd-1' });
    const names = { 'codedeploy-application': 'AppECS-dev-web', 'codedeploy-deployment-group': 'DgpECS-dev-web' };
    const { deployer } = await setting.find({ ...names, cluster: undefined, service: undefined });
    expect(deployer.where).toMatchObject({ cluster: 'dev', service: 'web' });
  });
});

test.each([
  [{ 'deployment-id': 'd-1' }, true],
  [{ cluster: 'dev', service: 'web' }, true],
  [{ 'codedeploy-application': 'A', 'codedeploy-deployment-group': 'G' }, true],
  [{}, false],
  [{ cluster: 'dev' }, false],
  [{ cluster: 'dev', 'codedeploy-deployment-group': 'G' }, false],
])('%j leads somewhere: %s', (given, leads) => {
  const nothing = { ...wish, cluster: undefined, service: undefined };
  expect(placeProblems({ ...nothing, ...given })).toHaveLength(leads ? 0 : 1);
});
