/** Credentials in the course of a whole deployment: one that outlives every session, and keys that expire at any call. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { expiredCredentials } from '../../emulator/faults.ts';
import { keyEnvironment } from '../../emulator/identity.ts';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import {
  accounts,
  cluster,
  region,
  repositoryName,
  roles,
  service,
  sharedPolicy,
  startScenario,
  type Scenario,
} from '../../emulator/scenario.ts';
import { ActionError } from '../../src/errors.ts';
import { deploy } from '../../src/modes/deploy.ts';
import { publish } from '../../src/modes/publish.ts';
import { failureOf } from '../steps/deployment-setting.ts';
import { InProcess } from './in-process.ts';

const common = { 'aws-region': region, 'registry-role': roles.registry };
const slow = { 'codedeploy-deployment-config': 'Linear10PercentEvery13Minutes' };
const deploying = { ...common, 'deploy-role': roles.deploy(accounts.devA), cluster, service, image: `${repositoryName}:v1` };

let scenario: Scenario;
let inProcess: InProcess;
/** Of the image that is deployed. */
let digest: string;

/** The image is pushed; what follows runs with this environment. */
async function start(environment: () => Record<string, string> = () => ({})): Promise<void> {
  const pushing = new InProcess(scenario);
  digest = writeOciLayout(`${pushing.workspace}/image`, { files: { 'index.html': 'hello' } });
  await pushing.run(publish, { ...common, repository: repositoryName, image: 'oci:image', tags: 'v1' });
  pushing.remove();
  inProcess = new InProcess(scenario, environment());
}

beforeEach(async () => {
  scenario = await startScenario({ policy: sharedPolicy });
  scenario.codedeploy.deploymentConfig({
    account: accounts.devA,
    region,
    name: slow['codedeploy-deployment-config'],
    routing: { type: 'TimeBasedLinear', percentage: 10, minutes: 13 },
  });
});

afterEach(async () => {
  inProcess.remove();
  const { violations } = scenario.emulator;
  await scenario.emulator.close();
  expect(violations).toEqual([]);
});

const calls = (operation: string) => scenario.emulator.requests.entries.filter((entry) => entry.operation === operation);

describe('a linear deployment of two hours', () => {
  test('ends: the session is renewed by itself, with a fresh ID token each time', async () => {
    await start();
    const [begin, tokens] = [inProcess.clock.now(), new Set<string>()];
    inProcess.github.idTokens = async (audience) => {
      const token = scenario.emulator.github.identity.token(audience);
      tokens.add(token);
      return token;
    };
    await inProcess.run(deploy, { ...deploying, ...slow });
    expect(inProcess.outputs.get('deployment-status')).toBe('Succeeded');
    expect(inProcess.clock.now() - begin).toBeGreaterThan(2 * 60 * 60_000);
    const assumed = calls('AssumeRoleWithWebIdentity').filter(({ input }) => input['RoleArn'] === deploying['deploy-role']);
    expect(assumed.length).toBeGreaterThanOrEqual(3);
    expect(new Set(assumed.map(({ input }) => input['WebIdentityToken']))).toEqual(tokens);
    expect(scenario.emulator.requests.entries.filter(({ error }) => error?.startsWith('Expired'))).toEqual([]);
    expect(inProcess.log.lines.filter((line) => line.startsWith('deploy: arn:'))).toHaveLength(tokens.size);
    expect(inProcess.log.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  test('by keys of the environment: the end is foreseen, and nobody polls on', async () => {
    await start(() => {
      const { world } = scenario.emulator;
      const session = world.session(world.role(`arn:aws:iam::${accounts.devA}:role/hub`));
      return { ...keyEnvironment(session), AWS_CREDENTIAL_EXPIRATION: new Date(session.expiresAt).toISOString() };
    });
    const { 'deploy-role': _, 'registry-role': __, ...own } = deploying;
    const image = `${await scenario.emulator.registryHost(accounts.registry)}/${repositoryName}@${digest}`;
    const failure = await failureOf(inProcess.run(deploy, { ...own, ...slow, image }));
    const id = inProcess.outputs.get('deployment-id') ?? '';
    expect(inProcess.log.lines.filter((line) => line.startsWith('warning: The wait'))).toEqual([
      expect.stringMatching(
        /^warning: The wait may take \d+ min, but the credentials come from the environment and can't be renewed \(they last until \d\d:\d\d UTC\)/,
      ),
    ]);
    const told = inProcess.log.lines.map((line) => /^warning: The wait|^task definition/.exec(line)?.[0]).filter(Boolean);
    expect(told).toEqual(['warning: The wait', 'task definition']);
    expect(failure.message).toMatch(
      new RegExp(
        `^Deployment ${id} is still running, but can't be followed: the credentials expired at \\d\\d:\\d\\d UTC and came from the environment`,
      ),
    );
    expect(failure.hint).toMatch(/^Give deploy-role to let the action renew the credentials itself\. https/);
    expect(calls('GetDeployment').filter(({ error }) => error !== undefined)).toHaveLength(1);
  });

  test('by a chained role: lasts as long as the session in the environment can renew it, which is foreseen', async () => {
    await start(() => {
      const { world } = scenario.emulator;
      return keyEnvironment(world.session(world.role(`arn:aws:iam::${accounts.registry}:role/hub`)));
    });
    const failure = await failureOf(inProcess.run(deploy, { ...deploying, ...slow }));
    const warnings = inProcess.log.lines.filter((line) => line.startsWith('warning'));
    expect(warnings[0]).toMatch(
      /^warning: The wait may take \d+ min, but arn:aws:iam::222222222222:role\/web-deploy was assumed by role chaining, which ends after an hour/,
    );
    expect(failure.message).toMatch(
      /is still running, but can't be followed: the credentials expired.*, and so did those in the environment/,
    );
    expect(failure.hint).toMatch(/role-chaining: false/);
  });
});

describe('credentials that expire', () => {
  test('at any call: one clear error, at most one deployment, and it is known', async () => {
    await start();
    // Every call before the deployment and at its start; while it is followed one is like the other.
    for (let [nth, known] = [2, 0]; known < 3; nth++) {
      scenario.emulator.faults.clear();
      // What the last round left running has ended.
      scenario.emulator.clock.advance(60 * 60_000);
      scenario.emulator.faults.inject({ nth, when: () => true }, expiredCredentials());
      const before = inProcess;
      inProcess = new InProcess(scenario);
      const outcome = await inProcess.run(deploy, { ...deploying, 'force-new-deployment': 'true' }).catch((error: unknown) => error);
      before.remove();
      const failed = scenario.emulator.requests.entries.find(({ error }) => error?.startsWith('Expired'));
      if (failed === undefined) throw new Error('it got through before it was followed');
      expect(calls('CreateDeployment').filter(({ error }) => error === undefined).length).toBeLessThanOrEqual(1);
      // A web identity token that STS calls expired is asked for anew; an image of an unknown platform is deployed.
      if (outcome === undefined) {
        expect(['AssumeRoleWithWebIdentity', 'GetDownloadUrlForLayer']).toContain(failed.operation);
        continue;
      }
      expect(outcome).toBeInstanceOf(ActionError);
      const { message, hint = '' } = outcome as ActionError;
      const id = inProcess.outputs.get('deployment-id');
      if (id === undefined) {
        expect(message).toContain('The security token included in the request is expired');
        expect(hint).toMatch(/The action renews the sessions of|The credentials have expired/);
      } else {
        expect(message).toContain(`${id} is still running`);
        expect(hint).toContain('https://eu-west-1.console.aws.amazon.com/');
        known += 1;
      }
    }
  });
});
