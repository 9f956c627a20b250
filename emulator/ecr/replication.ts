/**
 * Replication (AWS-FACTS 2.5): images pushed after the rules were set reach their destinations half a minute of AWS time later;
 * policies don't travel with them. Another account's registry policy must allow ecr:ReplicateImage.
 */
import { factsOf } from '../access.ts';
import { requireImage } from './images.ts';
import { type Ecr, type EcrOperations, principalOf, repositoryOf } from './target.ts';
import { record, records, text } from '../json.ts';
import { evaluate } from '../policy-evaluator.ts';
import type { Repository, StoredImage } from '../repository.ts';
import { AwsFault, type Json } from '../service.ts';

const duration = 30_000;

export function replicationOperations(ecr: Ecr): EcrOperations {
  const { world } = ecr;
  return {
    DescribeRegistry: (_input, call) => {
      const rules = world.accounts.get(call.caller.account)?.replication.get(call.region)?.rules ?? [];
      return { registryId: call.caller.account, replicationConfiguration: { rules } };
    },

    PutReplicationConfiguration: (input, call) => {
      const configuration = record(input, 'replicationConfiguration') ?? {};
      const rules = records(configuration, 'rules');
      if (rules.length > 10) throw new AwsFault('ValidationException', 'A replication configuration has 10 rules at most');
      const own = rules.flatMap(destinations).some(({ account, region }) => account === call.caller.account && region === call.region);
      if (own) throw new AwsFault('InvalidParameterException', 'Invalid parameter: a registry can not replicate to itself');
      world.account(call.caller.account).replication.set(call.region, { rules, since: world.clock.now() });
      return { replicationConfiguration: { rules } };
    },

    DescribeImageReplicationStatus: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'DescribeImageReplicationStatus' });
      const image = await requireImage(ecr, { repository, id: record(input, 'imageId') ?? {} });
      const caller = principalOf(ecr, call);
      const replicationStatuses = replicas(ecr, { repository, image }).map(({ account, region }) => {
        const resource = `arn:aws:ecr:${region}:${account}:repository/${repository.name}`;
        const policy = world.accounts.get(account)?.registryPolicies.get(region);
        const isAllowed =
          account === repository.account ||
          (policy !== undefined &&
            evaluate({ policy, action: 'ecr:ReplicateImage', resource, principal: factsOf(world, caller) }).decision === 'allow');
        if (!isAllowed) return { region, registryId: account, status: 'FAILED', failureCode: 'AccessDenied' };
        return { region, registryId: account, status: world.clock.now() >= image.pushedAt + duration ? 'COMPLETE' : 'IN_PROGRESS' };
      });
      return { repositoryName: repository.name, imageId: { imageDigest: image.digest }, replicationStatuses };
    },
  };
}

/** Carries out what is due: called before each request that could see the result. */
export async function replicate(ecr: Ecr): Promise<void> {
  const { world } = ecr;
  for (const account of [...world.accounts.values()].filter(({ replication }) => replication.size > 0)) {
    for (const repository of [...account.repositories.values()]) {
      for (const image of await ecr.images.list(repository)) {
        if (world.clock.now() < image.pushedAt + duration) continue;
        for (const { account: registry, region } of replicas(ecr, { repository, image })) {
          const to =
            world.findRepository({ account: registry, region, name: repository.name }) ??
            world.repository({ account: registry, region, name: repository.name });
          await ecr.images.copy(image.digest, { from: repository, to });
        }
      }
    }
  }
}

function replicas(
  ecr: Ecr,
  { repository, image }: { repository: Repository; image: StoredImage },
): readonly { account: string; region: string }[] {
  const configuration = ecr.world.accounts.get(repository.account)?.replication.get(repository.region);
  if (!configuration || image.pushedAt < configuration.since) return [];
  return configuration.rules
    .filter((rule) => {
      const filters = records(rule, 'repositoryFilters');
      return filters.length === 0 || filters.some((filter) => repository.name.startsWith(text(filter, 'filter')));
    })
    .flatMap(destinations);
}

function destinations(rule: Json): readonly { account: string; region: string }[] {
  return records(rule, 'destinations').map((destination) => ({
    account: text(destination, 'registryId'),
    region: text(destination, 'region'),
  }));
}
