import { describe, expect, test } from '@jest/globals';
import { InputError } from '../../src/errors.ts';
import type { SideRequest } from '../../src/ports/credentials.ts';
import { cancelDeployment, finishDeployment, type UnfinishedDeployment } from '../../src/steps/finish-deployment.ts';
import { account, failureOf, region, reopening, Setting, someInputs } from './deployment-setting.ts';

const unfinished: UnfinishedDeployment = {
  how: 'codedeploy',
  nonce: 'abc123',
  taskDefinition: 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:43',
  account,
  region,
  application: 'AppECS-dev-web',
  group: 'DgpECS-dev-web',
  cluster: 'dev',
  service: 'web',
  onCancel: 'rollback',
  access: someInputs,
};
const ours = '[acme.shop:Release/1000/1/release#abc123]';

describe('the post step', () => {
  test('stops our deployment, in the account that main was in', async () => {
    const setting = new Setting();
    const opened: SideRequest[] = [];
    setting.codedeploy.add({ id: 'd-1', description: ours });
    await finishDeployment({ unfinished, ports: reopening(setting, opened) });
    expect(setting.writes).toEqual(['codedeploy:StopDeployment d-1 with rollback']);
    expect(setting.journal.indexOf('sts:GetCallerIdentity')).toBeLessThan(setting.journal.length - 1);
    expect(opened).toMatchObject([{ side: 'deploy', expectedAccount: account, region }]);
    expect(setting.log.lines.at(-1)).toMatch(/^notice: Deployment d-1 was stopped with a rollback/);
  });

  test('touches nothing in another account', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-1', description: ours });
    setting.identity = async () => {
      throw new InputError([{ input: 'deploy-account-id', problem: 'is another one' }]);
    };
    expect((await failureOf(finishDeployment({ unfinished, ports: reopening(setting) }))).message).toMatch(/is another one/);
    expect(setting.writes).toEqual([]);
  });

  test.each([
    ['a stranger’s', { id: 'd-1', description: '[acme.shop:Release/1000/1/release#other]' }, /was never made/],
    ['one that has ended', { id: 'd-1', description: ours, status: 'Succeeded' }, /had ended already: Succeeded/],
    [
      'one whose traffic has shifted whole',
      { id: 'd-1', description: ours, terminationWaitStarted: true },
      /goes on: its traffic has shifted whole/,
    ],
  ])('leaves %s alone', async (_name, deployment, said) => {
    const setting = new Setting();
    setting.codedeploy.add(deployment);
    await finishDeployment({ unfinished, ports: reopening(setting) });
    expect(setting.writes).toEqual([]);
    expect(setting.log.lines.at(-1)).toMatch(said);
  });

  test('leaves it running where on-cancel says so', async () => {
    const setting = new Setting();
    setting.codedeploy.add({ id: 'd-1', description: ours });
    await finishDeployment({ unfinished: { ...unfinished, onCancel: 'leave' }, ports: reopening(setting) });
    expect(setting.writes).toEqual([]);
  });
});

test('a deployment that ends in the same moment is no failure', async () => {
  const setting = new Setting();
  setting.codedeploy.add({ id: 'd-1' });
  setting.codedeploy.stopAnswer = 'ended';
  const { deployer } = await setting.prepare();
  expect(await cancelDeployment({ deployments: deployer, id: 'd-1', onCancel: 'rollback' })).toMatch(/ended before it could be stopped/);
});
