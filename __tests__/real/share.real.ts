/** `share` against moto, a third party's ECR: it stores a policy's text as it was written. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { Job, type StepResult } from '../../emulator/runner.ts';
import { developmentOu, organizationId, region } from '../../emulator/scenario.ts';
import { describeReal, motoKeyEnvironment, motoKeys, startProxy, story, unique, variable, type Proxy } from './parts.ts';

const foreign = {
  Version: '2012-10-17',
  Id: 'written by Terraform',
  Statement: [
    {
      Sid: 'LambdaPull',
      Effect: 'Allow',
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: ['ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      Condition: { StringLike: { 'aws:sourceArn': `arn:aws:lambda:${region}:222222222222:function:*` } },
    },
    { Sid: 'NoPlainHttp', Effect: 'Deny', Principal: '*', Action: 'ecr:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  ],
};

describeReal('share against moto', { needs: ['moto'] }, () => {
  let ecr: ECRClient;
  let proxy: Proxy;
  let job: Job;
  let repositoryName: string;
  beforeEach(async () => {
    repositoryName = `real/${unique()}`;
    ecr = new ECRClient({ region, endpoint: variable('MOTO_URL'), credentials: motoKeys });
    await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    proxy = await startProxy(variable('MOTO_URL'));
    job = new Job({ environment: { AWS_ENDPOINT_URL: proxy.url, ...motoKeyEnvironment } });
  });
  afterEach(async () => {
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    ecr.destroy();
    await proxy.close();
    job.remove();
  });

  const share = async (inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> =>
    job.step({
      with: {
        mode: 'share',
        'aws-region': region,
        repository: repositoryName,
        'organization-id': organizationId,
        'target-ous': developmentOu,
        ...inputs,
      },
    });
  const policy = async (): Promise<string> => (await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText ?? '';
  const writes = (): number => proxy.operations.filter((operation) => operation === 'SetRepositoryPolicy').length;

  test('writes once, then nothing; what others wrote keeps its meaning and its order', async () => {
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(foreign, undefined, 4) }));

    const first = await share();
    expect(story(first)).toBe('exit code 0');
    expect(first.outputs['policy-changed']).toBe('true');
    expect(writes()).toBe(1);
    const text = await policy();
    expect(first.outputs['policy']).toBe(text);
    const written = JSON.parse(text) as typeof foreign;
    expect({ ...written, Statement: written.Statement.slice(0, foreign.Statement.length) }).toEqual(foreign);
    expect(written.Statement.slice(foreign.Statement.length)).toEqual([
      {
        Sid: expect.stringMatching(/^EcrOrgDeploy[0-9A-Za-z]+$/),
        Effect: 'Allow',
        Principal: '*',
        Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': [`${organizationId}/*/${developmentOu}/*`] } },
      },
    ]);

    const second = await share();
    expect(story(second)).toBe('exit code 0');
    expect(second.outputs['policy-changed']).toBe('false');
    expect(writes()).toBe(1);
    expect(await policy()).toBe(text);
    expect(second.outputs['policy']).toBe(text);
  });

  test('makes the first policy of a repository that has none', async () => {
    const step = await share();
    expect(story(step)).toBe('exit code 0');
    expect(JSON.parse(await policy())).toMatchObject({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*' }] });
    expect(writes()).toBe(1);
  });

  test('with policy-mode verify it only reads, and fails with what to add', async () => {
    const step = await share({ 'policy-mode': 'verify' });
    expect(step.exitCode).toBe(1);
    expect(step.log.join('\n')).toContain(`${organizationId}/*/${developmentOu}/*`);
    expect(writes()).toBe(0);
    await expect(policy()).rejects.toThrow(/policy does not exist/i);
  });

  test('says that a repository does not exist', async () => {
    const step = await share({ repository: 'real/no-such' });
    expect(step.exitCode).toBe(1);
    expect(step.log.join('\n')).toContain('real/no-such does not exist');
    expect(writes()).toBe(0);
  });
});
