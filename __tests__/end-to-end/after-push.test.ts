/** What an image must stand after its push, before it is shared or deployed: the scan's gate and its copies. */
import { describe, expect, test } from '@jest/globals';
import { accessDenied } from '../../emulator/faults.ts';
import type { Repository } from '../../emulator/repository.ts';
import { accounts, region, repositoryName, sharedPolicy } from '../../emulator/scenario.ts';
import { writeLayout } from '../oci-layout.ts';
import { inputs, layout, onStage, transcript, writes, type Stage } from './stage.ts';

const publish = { mode: 'publish', ...inputs.common, ...inputs.registry, ...inputs.repository, image: 'oci:image', tags: 'v1' };
const release = { ...publish, ...inputs.sharing, ...inputs.deploying, mode: 'release' };

function repositoryOf({ scenario }: Stage): Repository {
  const found = scenario.emulator.world.findRepository({ account: accounts.registry, region, name: repositoryName });
  if (!found) throw new Error('the scenario has no repository');
  return found;
}

/** Copies everything that is pushed from now on. */
function replicate({ scenario }: Stage, destinations: readonly { region: string; registryId: string }[]): void {
  const { world } = scenario.emulator;
  world.account(accounts.registry).replication.set(region, { rules: [{ destinations }], since: world.clock.now() });
}

describe('the scan', () => {
  test('of each platform: a table, and what the gate lets through goes on', async () => {
    await onStage({}, async (stage) => {
      Object.assign(repositoryOf(stage), { scanOnPush: true, findings: { MEDIUM: 1, LOW: 2 } });
      await writeLayout(`${stage.job.workspace}/image`, { platforms: ['linux/amd64', 'linux/arm64', 'unknown/unknown'] });
      const result = await stage.step({ with: { ...publish, 'fail-on-severity': 'high' } });
      expect(transcript(stage, result)).toMatchSnapshot();
    });
  });

  test('in a release: what the gate stops is pushed, and neither shared nor deployed', async () => {
    await onStage({}, async (stage) => {
      Object.assign(repositoryOf(stage), { scanning: 'enhanced', findings: { CRITICAL: 1, HIGH: 4 } });
      const digest = layout(stage.job);
      const result = await stage.step({ with: { ...release, 'fail-on-severity': 'critical' } });
      expect(result).toMatchObject({ exitCode: 1, outputs: { 'image-digest': digest, pushed: 'true' } });
      expect(result.log.at(-1)).toBe(
        `Error: fail-on-severity: shop/web: 1 critical finding: CVE-2026-1000-CRITICAL in openssl 3.0.1, fixed in 3.0.2\nThe image is pushed as ${digest}, with the tags v1; nothing was shared or deployed. Mend it and publish again; fail-on-severity: none lets an image through unseen.`,
      );
      expect(writes(stage).filter((name) => !name.startsWith('registry:'))).toEqual([]);
      expect(result.summary).toContain('CVE\\-2026\\-1000\\-HIGH');
    });
  });

  test('that ECR can’t make does not pass', async () => {
    await onStage({}, async (stage) => {
      Object.assign(repositoryOf(stage), { scanOnPush: true, scanEnd: 'UNSUPPORTED_IMAGE' });
      layout(stage.job);
      const result = await stage.step({ with: { ...publish, 'fail-on-severity': 'low' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain('fail-on-severity: shop/web: ECR can’t scan this image');
    });
  });

  test('without the right to read it says which', async () => {
    await onStage({}, async (stage) => {
      stage.scenario.emulator.faults.inject({ operation: 'DescribeImageScanFindings' }, accessDenied());
      layout(stage.job);
      const result = await stage.step({ with: { ...publish, 'fail-on-severity': 'low' } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain("Allow ecr:DescribeImageScanFindings in the caller's IAM policy");
    });
  });
});

describe('replication', () => {
  const places = `us-east-1, ${accounts.devB}/${region}`;
  const wait = { 'wait-for-replication': places };

  test('is waited for; a copy in another account that may not be read is not compared', async () => {
    await onStage({}, async (stage) => {
      replicate(stage, [
        { region: 'us-east-1', registryId: accounts.registry },
        { region, registryId: accounts.devB },
      ]);
      const allow = { Effect: 'Allow', Principal: { AWS: accounts.registry }, Action: 'ecr:ReplicateImage', Resource: '*' };
      stage.scenario.emulator.world.account(accounts.devB).registryPolicies.set(region, JSON.stringify({ Statement: [allow] }));
      layout(stage.job);
      const result = await stage.step({ with: { ...publish, ...wait } });
      expect(transcript(stage, result)).toMatchSnapshot();
      expect(result.log.join('\n')).toContain(`The copy of shop/web in ${accounts.devB}/${region} can’t be read from here`);
    });
  });

  test('without the rule nothing is built or pushed, and the log has what to add', async () => {
    await onStage({}, async (stage) => {
      replicate(stage, [{ region: 'us-east-1', registryId: accounts.registry }]);
      layout(stage.job);
      const result = await stage.step({ with: { ...publish, ...wait } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toMatchSnapshot();
      expect(writes(stage)).toEqual([]);
      expect(result.outputs).toEqual({});
    });
  });

  test('of several repositories: each needs its rule, and each is waited for', async () => {
    await onStage({}, async (stage) => {
      const { world } = stage.scenario.emulator;
      world.repository({ account: accounts.registry, region, name: 'shop/api' });
      const destinations = [{ region: 'us-east-1', registryId: accounts.registry }];
      const copying = (filter: string) =>
        world.account(accounts.registry).replication.set(region, {
          rules: [{ destinations, repositoryFilters: [{ filter, filterType: 'PREFIX_MATCH' }] }],
          since: world.clock.now(),
        });
      const several = { ...publish, repository: 'shop/web\nshop/api', 'wait-for-replication': 'us-east-1', 'fail-on-severity': 'low' };
      Object.assign(repositoryOf(stage), { scanOnPush: true });
      layout(stage.job);
      copying('shop/web');
      const refused = await stage.step({ with: several });
      expect(refused.log.at(-1)).toContain('no replication rule of 111111111111 in eu-west-1 copies shop/api to us-east-1');
      expect(writes(stage)).toEqual([]);
      copying('shop/');
      const result = await stage.step({ with: several });
      expect(result.exitCode).toBe(0);
      for (const name of ['shop/web', 'shop/api']) expect(result.log).toContain(`The copy of ${name} in us-east-1 is complete.`);
      // It is one image: one scan tells all.
      const scanned = stage.scenario.emulator.requests.of('ecr', 'DescribeImageScanFindings').map(({ input }) => input['repositoryName']);
      expect([...new Set(scanned)]).toEqual(['shop/web']);
    });
  });

  test('that fails ends a release before it shares or deploys', async () => {
    await onStage({ policy: sharedPolicy }, async (stage) => {
      replicate(stage, [{ region, registryId: accounts.devB }]);
      layout(stage.job);
      const result = await stage.step({ with: { ...release, 'wait-for-replication': `${accounts.devB}/${region}` } });
      expect(result.exitCode).toBe(1);
      expect(result.log.at(-1)).toContain(
        `wait-for-replication: shop/web in ${accounts.devB}/${region}: the replication failed: AccessDenied`,
      );
      expect(stage.requests()).not.toContain('ecs:RegisterTaskDefinition');
      expect(stage.requests()).not.toContain('ecr:GetRepositoryPolicy');
    });
  });
});

test('a dry run tells both, and waits for neither', async () => {
  await onStage({}, async (stage) => {
    replicate(stage, [{ region: 'us-east-1', registryId: accounts.registry }]);
    layout(stage.job);
    const given = { 'fail-on-severity': 'high', 'wait-for-replication': 'us-east-1', 'dry-run': 'true' };
    const result = await stage.step({ with: { ...publish, ...given } });
    expect(result.exitCode).toBe(0);
    expect(result.log).toContain(
      'After the push: the scan would be waited for, and findings of severity high or above would fail; the copies in us-east-1 would be waited for',
    );
    expect(result.log.at(-1)).toContain('ecr:StartImageScan on arn:aws:ecr');
    expect(writes(stage)).toEqual([]);
  });
});
