/** What all ECR operations need, and how each finds the repository that it is about. */
import { authorize } from '../access.ts';
import type { Faults } from '../faults.ts';
import type { Principal } from '../identity.ts';
import type { ImageStore } from '../image-store.ts';
import { optionalText, text } from '../json.ts';
import type { Repository } from '../repository.ts';
import { AwsFault, type Call, type Json } from '../service.ts';
import type { World } from '../world.ts';

/** Where registries are reached: the base URL of `proxyEndpoint`, without a slash at its end. */
export interface RegistryHosts {
  endpoint(account: string, region: string): Promise<string>;
  /** A real registry's password, which GetAuthorizationToken then gives to everyone. */
  readonly password?: string | undefined;
}

export interface Ecr {
  readonly world: World;
  readonly faults: Faults;
  readonly images: ImageStore;
  readonly hosts: RegistryHosts;
}

export type EcrOperation = (input: Json, call: Call) => unknown;
export type EcrOperations = Readonly<Record<string, EcrOperation>>;

export function principalOf(ecr: Pick<Ecr, 'world'>, call: Call): Principal {
  const key = ecr.world.accessKeys.get(call.caller.accessKeyId);
  if (!key) throw new AwsFault('UnrecognizedClientException', 'The security token included in the request is invalid.');
  return key.principal;
}

export function registryOf(input: Json, call: Call): string {
  return optionalText(input, 'registryId') ?? call.caller.account;
}

export function repositoryNotFound({ name, account }: { name: string; account: string }): AwsFault {
  return new AwsFault(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  );
}

/** The repository of a request, after its policy was asked whether the caller may do this. */
export function repositoryOf(
  ecr: Pick<Ecr, 'world'>,
  { input, call, operation }: { input: Json; call: Call; operation: string },
): Repository {
  const name = text(input, 'repositoryName');
  const account = registryOf(input, call);
  const repository = ecr.world.findRepository({ account, region: call.region, name });
  if (!repository) throw repositoryNotFound({ name, account });
  authorize(ecr.world, { principal: principalOf(ecr, call), operation, repository });
  return repository;
}
