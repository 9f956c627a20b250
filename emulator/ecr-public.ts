/**
 * Amazon ECR Public: one registry an account, in us-east-1 only, which everyone may read (AWS-FACTS 2.2). Its repositories are
 * those of the Region `public` in the world, and its URI is `host/alias`, as in `public.ecr.aws/a1b2c3d4`; the host is on loopback, so
 * DescribeRegistries and DescribeRepositories have to be asked.
 */
import { registryPassword, type Ecr } from './ecr.ts';
import { imageOperations } from './ecr/images.ts';
import { repositoryNotFound } from './ecr/target.ts';
import { optionalText, text, texts, timestamp } from './json.ts';
import { AwsFault, type Call, type Json, type Service } from './service.ts';
import type { Repository } from './repository.ts';

const region = 'public';

/** What AWS gives to a registry that has not asked for a name of its own. */
export function publicAlias(account: string): string {
  return `p${account.slice(0, 7)}`;
}

/** Below which path of its host a registry's repositories are. */
export function registryRoot({ account, region }: { readonly account: string; readonly region: string }): string {
  return region === 'public' ? `/v2/${publicAlias(account)}` : '/v2';
}

export function ecrPublicService(ecr: Ecr): Service {
  const { world, hosts } = ecr;
  const images = imageOperations(ecr);
  const here = (call: Call): Call => ({ ...call, region });
  const registryUri = async (account: string) =>
    `${(await hosts.endpoint(account, region)).replace(/^https?:\/\//, '')}/${publicAlias(account)}`;
  const find = (input: Json, call: Call) => {
    const key = { account: optionalText(input, 'registryId') ?? call.caller.account, region, name: text(input, 'repositoryName') };
    const repository = world.findRepository(key);
    if (!repository) throw repositoryNotFound(key);
    return repository;
  };
  const shown = async ({ account, name, createdAt }: Repository) => ({
    repositoryArn: `arn:aws:ecr-public::${account}:repository/${name}`,
    registryId: account,
    repositoryName: name,
    repositoryUri: `${await registryUri(account)}/${name}`,
    createdAt: timestamp(createdAt),
  });
  const operations: Service['operations'] = {
    GetAuthorizationToken: (_input, call) => {
      const { password, expiresAt } = registryPassword(world, { accessKeyId: call.caller.accessKeyId, region });
      return {
        authorizationData: {
          authorizationToken: Buffer.from(`AWS:${hosts.password ?? password}`).toString('base64'),
          expiresAt: timestamp(expiresAt),
        },
      };
    },
    DescribeRegistries: async (_input, { caller: { account } }) => ({
      registries: [
        {
          registryId: account,
          registryArn: `arn:aws:ecr-public::${account}:registry/${account}`,
          registryUri: await registryUri(account),
          verified: false,
          aliases: [{ name: publicAlias(account), status: 'ACTIVE', primaryRegistryAlias: true, defaultRegistryAlias: true }],
        },
      ],
    }),
    DescribeRepositories: async (input, call) => {
      const names = texts(input, 'repositoryNames');
      const own = [...(world.accounts.get(call.caller.account)?.repositories.values() ?? [])].filter((each) => each.region === region);
      const selected = names.length > 0 ? names.map((repositoryName) => find({ ...input, repositoryName }, call)) : own;
      return { repositories: await Promise.all(selected.map(shown)) };
    },
    CreateRepository: async (input, call) => {
      const key = { account: call.caller.account, region, name: text(input, 'repositoryName') };
      if (world.findRepository(key))
        throw new AwsFault(
          'RepositoryAlreadyExistsException',
          `The repository with name '${key.name}' already exists in the registry with id '${key.account}'`,
        );
      return { repository: await shown(world.repository(key)) };
    },
    DescribeImages: async (input, call) => images['DescribeImages']?.(input, here(call)),
    PutImage: async (input, call) => images['PutImage']?.(input, here(call)),
  };
  return {
    target: 'SpencerFrontendService',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, run]) => [
        name,
        (input: Json, call: Call) => {
          if (call.region !== 'us-east-1') throw new AwsFault('UnsupportedCommandException', 'ECR Public is served in us-east-1 only');
          return run(input, call);
        },
      ]),
    ),
  };
}
