/** `registry-type: public`: Amazon ECR Public, whose images everybody may pull. */
import { expect, test } from '@jest/globals';
import { publicAlias } from '../../emulator/ecr-public.ts';
import { accounts } from '../../emulator/scenario.ts';
import { inputs, layout, onStage, transcript, writes, type Stage } from './stage.ts';

const given = { ...inputs.common, ...inputs.registry, repository: 'hello', 'registry-type': 'public' };
const publish = { ...given, mode: 'publish', image: 'oci:image', tags: 'v1' };
const path = `${publicAlias(accounts.registry)}/hello`;

async function onPublicStage(play: (stage: Stage & { publicHost: string }) => Promise<void>): Promise<void> {
  await onStage({}, async (stage) => {
    const { emulator } = stage.scenario;
    emulator.world.repository({ account: accounts.registry, region: 'public', name: 'hello' });
    await play({ ...stage, publicHost: await emulator.registryHost(accounts.registry, 'public') });
  });
}

test('publish pushes, verifies by the API, and knows the image again', async () => {
  await onPublicStage(async (stage) => {
    const digest = layout(stage.job);
    const result = await stage.step({ with: publish });
    expect(transcript(stage, result)).toMatchSnapshot();
    expect(result.outputs).toMatchObject({
      'image-uri': `${stage.publicHost}/${path}@${digest}`,
      image: `${path}@${digest}`,
      'image-name': `${stage.publicHost}/${path}`,
      pushed: 'true',
    });
    const again = await stage.step({ with: { ...publish, tags: 'v1\nstable' } });
    expect(again.outputs).toMatchObject({ 'image-digest': digest, pushed: 'true' });
    const once = await stage.step({ with: publish });
    expect(once.outputs).toMatchObject({ 'image-digest': digest, pushed: 'false' });
    expect(writes(stage)).toEqual([]);
  });
});

test('an image of it goes to a second repository by its path, and to a private one', async () => {
  await onPublicStage(async (stage) => {
    const digest = layout(stage.job);
    await stage.step({ with: publish });
    stage.scenario.emulator.world.repository({ account: accounts.registry, region: 'public', name: 'again/hello' });
    const image = `${stage.publicHost}/${path}@${digest}`;
    const second = await stage.step({ with: { ...publish, repository: 'again/hello', image } });
    expect(second).toMatchObject({
      exitCode: 0,
      outputs: { image: `${publicAlias(accounts.registry)}/again/hello@${digest}`, pushed: 'true' },
    });
    const copied = await stage.step({ with: { ...publish, ...inputs.repository, 'registry-type': 'private', image } });
    expect(copied).toMatchObject({ exitCode: 0, outputs: { image: `shop/web@${digest}`, pushed: 'true' } });
  });
});

test('a repository that is not there: how to create it', async () => {
  await onPublicStage(async (stage) => {
    layout(stage.job);
    const result = await stage.step({ with: { ...publish, repository: 'none' } });
    expect(result.exitCode).toBe(1);
    expect(result.log.at(-1)).toContain('repository: none does not exist in the public registry of 111111111111');
    expect(result.log.at(-1)).toContain('aws ecr-public create-repository --region us-east-1 --repository-name none');
    expect(writes(stage)).toEqual([]);
  });
});

test('release deploys it without asking whether the account may pull', async () => {
  await onPublicStage(async (stage) => {
    const digest = layout(stage.job);
    const result = await stage.step({ with: { ...publish, ...inputs.deploying, mode: 'release' } });
    expect(result).toMatchObject({ exitCode: 0, outputs: { 'deployment-status': 'Succeeded', 'policy-changed': 'false' } });
    const [registered] = stage.scenario.emulator.requests.of('ecs', 'RegisterTaskDefinition');
    expect(JSON.stringify(registered?.input)).toContain(`"image":"${stage.publicHost}/${path}@${digest}"`);
    expect(stage.requests().filter((name) => /^ecr:/.test(name))).toEqual([]);
    expect(result.log.join('\n')).not.toContain('sharing was skipped');
  });
});

test('what is for private registries is refused, all at once', async () => {
  await onPublicStage(async (stage) => {
    const result = await stage.step({
      with: {
        ...publish,
        ...inputs.sharing,
        ...inputs.deploying,
        mode: 'release',
        'fail-on-severity': 'low',
        'wait-for-replication': 'us-east-1',
      },
    });
    expect(result.exitCode).toBe(1);
    for (const name of ['fail-on-severity', 'wait-for-replication', 'target-ous'])
      expect(result.log.at(-1)).toContain(`- ${name}: is for private registries`);
    const shared = await stage.step({ with: { ...given, ...inputs.sharing, mode: 'share' } });
    expect(shared.log.at(-1)).toBe('Error: registry-type: public has nothing to share: everybody may pull its images');
    expect(stage.requests()).toEqual([]);
  });
});
