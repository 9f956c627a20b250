/** Repositories and their policies. */
import { authorize } from '../access.ts';
import { type Ecr, type EcrOperations, principalOf, registryOf, repositoryNotFound, repositoryOf } from './target.ts';
import { flag, optionalNumber, optionalText, page, record, records, text, texts, timestamp } from '../json.ts';
import { validatePolicy } from '../policy-validation.ts';
import { mutabilities, policyAt, policyOf, type Repository } from '../repository.ts';
import { AwsFault, type Json } from '../service.ts';

const nameGrammar =
  /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+|__[a-z0-9]+|-+[a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+|__[a-z0-9]+|-+[a-z0-9]+)*$/;

export function repositoryOperations(ecr: Ecr): EcrOperations {
  const { world } = ecr;
  return {
    DescribeRepositories: async (input, call) => {
      const account = registryOf(input, call);
      const principal = principalOf(ecr, call);
      const names = texts(input, 'repositoryNames');
      const all = [...(world.accounts.get(account)?.repositories.values() ?? [])].filter(({ region }) => region === call.region);
      if (names.length === 0 && account !== principal.account) {
        const resource = `arn:aws:ecr:${call.region}:${account}:repository/*`;
        throw new AwsFault(
          'AccessDeniedException',
          `User: ${principal.arn} is not authorized to perform: ecr:DescribeRepositories on resource: ${resource} because no resource-based policy allows the ecr:DescribeRepositories action`,
        );
      }
      const found = names.map((name) => {
        const repository = all.find((each) => each.name === name);
        if (!repository) throw repositoryNotFound({ name, account });
        return repository;
      });
      const selected = names.length > 0 ? found : all;
      for (const repository of found) authorize(world, { principal, operation: 'DescribeRepositories', repository });
      const { items, next } = page(selected, { token: optionalText(input, 'nextToken'), size: optionalNumber(input, 'maxResults') ?? 100 });
      return { repositories: await Promise.all(items.map((repository) => describe(ecr, repository))), nextToken: next };
    },

    CreateRepository: async (input, call) => {
      const name = text(input, 'repositoryName');
      const account = registryOf(input, call);
      if (!nameGrammar.test(name)) {
        throw new AwsFault(
          'InvalidParameterException',
          `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''`,
        );
      }
      if (world.findRepository({ account, region: call.region, name })) {
        throw new AwsFault(
          'RepositoryAlreadyExistsException',
          `The repository with name '${name}' already exists in the registry with id '${account}'`,
        );
      }
      const repository = world.repository({
        account,
        region: call.region,
        name,
        ...mutabilityOf(input),
        scanOnPush: flag(record(input, 'imageScanningConfiguration') ?? {}, 'scanOnPush'),
        resourceTags: records(input, 'tags'),
      });
      return { repository: await describe(ecr, repository) };
    },

    DeleteRepository: async (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'DeleteRepository' });
      if (!flag(input, 'force') && (await ecr.images.list(repository)).length > 0) {
        throw new AwsFault(
          'RepositoryNotEmptyException',
          `The repository with name '${repository.name}' in registry with id '${repository.account}' cannot be deleted because it still contains images`,
        );
      }
      world.accounts.get(repository.account)?.repositories.delete(`${repository.region}/${repository.name}`);
      return { repository: await describe(ecr, repository) };
    },

    PutImageTagMutability: (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'PutImageTagMutability' });
      const { mutability, exclusionFilters } = mutabilityOf(input);
      Object.assign(repository, { mutability, exclusionFilters });
      return {
        registryId: repository.account,
        repositoryName: repository.name,
        imageTagMutability: mutability,
        imageTagMutabilityExclusionFilters: filtersOf(repository),
      };
    },

    ListTagsForResource: (input) => {
      const arn = text(input, 'resourceArn');
      const repository = [...world.accounts.values()]
        .flatMap(({ repositories }) => [...repositories.values()])
        .find((each) => each.arn === arn);
      return { tags: repository?.resourceTags ?? [] };
    },

    GetRepositoryPolicy: (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'GetRepositoryPolicy' });
      const policyText = policyAt(repository, world.clock.now() - ecr.faults.age());
      if (policyText === undefined) throw policyNotFound(repository);
      return { registryId: repository.account, repositoryName: repository.name, policyText };
    },

    SetRepositoryPolicy: (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'SetRepositoryPolicy' });
      const policyText = text(input, 'policyText');
      validatePolicy(world, { text: policyText, force: flag(input, 'force'), principal: principalOf(ecr, call), repository });
      repository.policies.push({ at: world.clock.now(), text: policyText });
      return { registryId: repository.account, repositoryName: repository.name, policyText };
    },

    DeleteRepositoryPolicy: (input, call) => {
      const repository = repositoryOf(ecr, { input, call, operation: 'DeleteRepositoryPolicy' });
      const policyText = policyOf(repository);
      if (policyText === undefined) throw policyNotFound(repository);
      repository.policies.push({ at: world.clock.now(), text: undefined });
      return { registryId: repository.account, repositoryName: repository.name, policyText };
    },

    GetRegistryPolicy: (_input, call) => {
      const { account } = call.caller;
      const policyText = world.accounts.get(account)?.registryPolicies.get(call.region);
      if (policyText === undefined)
        throw new AwsFault('RegistryPolicyNotFoundException', `Registry policy does not exist in the registry with id '${account}'`);
      return { registryId: account, policyText };
    },

    GetAccountSetting: (input, call) => {
      const name = text(input, 'name');
      if (name !== 'REGISTRY_POLICY_SCOPE')
        throw new AwsFault('InvalidParameterException', `Invalid parameter at 'name' failed to satisfy constraint: '${name}'`);
      return { name, value: world.accounts.get(call.caller.account)?.registryPolicyScopes.get(call.region) ?? 'V2' };
    },

    PutRegistryPolicy: (input, call) => {
      const policyText = text(input, 'policyText');
      world.account(call.caller.account).registryPolicies.set(call.region, policyText);
      return { registryId: call.caller.account, policyText };
    },
  };
}

function policyNotFound({ name, account }: Repository): AwsFault {
  return new AwsFault(
    'RepositoryPolicyNotFoundException',
    `Repository policy does not exist for the repository with name '${name}' in the registry with id '${account}'`,
  );
}

function mutabilityOf(input: Json): Pick<Repository, 'mutability' | 'exclusionFilters'> {
  const given = optionalText(input, 'imageTagMutability') ?? 'MUTABLE';
  const mutability = mutabilities.find((known) => known === given);
  const exclusionFilters = records(input, 'imageTagMutabilityExclusionFilters').map((filter) => text(filter, 'filter'));
  const invalid = (reason: string) =>
    new AwsFault('InvalidParameterException', `Invalid parameter at 'imageTagMutability' failed to satisfy constraint: '${reason}'`);
  if (!mutability) throw invalid(`Member must satisfy enum value set: [${mutabilities.join(', ')}]`);
  if (mutability.endsWith('_WITH_EXCLUSION') !== exclusionFilters.length > 0)
    throw invalid('Exclusion filters go with IMMUTABLE_WITH_EXCLUSION and MUTABLE_WITH_EXCLUSION only');
  if (exclusionFilters.length > 5 || !exclusionFilters.every((filter) => /^[0-9a-zA-Z._*-]{1,128}$/.test(filter)))
    throw invalid('Invalid exclusion filter');
  return { mutability, exclusionFilters };
}

function filtersOf(repository: Repository): readonly Json[] | undefined {
  const { exclusionFilters } = repository;
  return exclusionFilters.length > 0 ? exclusionFilters.map((filter) => ({ filterType: 'WILDCARD', filter })) : undefined;
}

async function describe(ecr: Ecr, repository: Repository): Promise<Json> {
  const host = (await ecr.hosts.endpoint(repository.account, repository.region)).replace(/^https?:\/\//, '');
  return {
    repositoryArn: repository.arn,
    registryId: repository.account,
    repositoryName: repository.name,
    repositoryUri: `${host}/${repository.name}`,
    createdAt: timestamp(repository.createdAt),
    imageTagMutability: repository.mutability,
    imageTagMutabilityExclusionFilters: filtersOf(repository),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: { encryptionType: 'AES256' },
  };
}
