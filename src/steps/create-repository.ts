/**
 * Repositories that `create-repository` makes: what one would be, for the checks and the plan, and the making, which comes after every
 * other check. Two runs that make one at once end well: the slower one finds it.
 */
import { hostOfAccount, repositoryArn } from '../domain/image.ts';
import type { PlannedWrite } from '../domain/plan.ts';
import { InputError } from '../errors.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr, EcrRepository, ImageRegistry, NewRepository, RegistryService, RepositoryPlace } from '../ports/ecr.ts';
import type { Log } from '../ports/log.ts';

export interface CreatingInputs {
  readonly 'create-repository': boolean;
  readonly 'image-tag-mutability': NewRepository['mutability'];
}

/** For a mode's `warn`. */
export function idleCreation(inputs: CreatingInputs): readonly string[] {
  if (inputs['create-repository'] || inputs['image-tag-mutability'] === 'MUTABLE') return [];
  return ['Input "image-tag-mutability" is ignored: it is for a repository that create-repository makes.'];
}

/** What is known of a repository before it is there, without a call to ECR. */
export type NamedRepository = Pick<EcrRepository, 'name' | 'registryId' | 'arn'>;

interface Missing {
  readonly place: RepositoryPlace;
  readonly inputs: CreatingInputs;
  /** Of the registry's side. */
  readonly session: Session;
  /** ECR Public’s are not created. */
  readonly service: RegistryService;
  /** What was not done where it is not to be created: `Nothing was built or pushed.` */
  readonly undone: string;
}

/** @throws InputError where it is not to be created */
export async function nameMissing(missing: Missing): Promise<NamedRepository> {
  const { place, inputs, session, service } = missing;
  if (!inputs['create-repository'] || service !== 'ecr') throw missingRepository(missing);
  const registryId = place.registryId ?? (await session.identity()).account;
  const { region } = session;
  return {
    name: place.repository,
    registryId,
    arn: repositoryArn({ account: registryId, region, repository: place.repository }),
  };
}

/** The same with its host, which a login tells, and how its tags will be. */
export async function repositoryToBe({
  ecr,
  ...missing
}: Omit<Missing, 'service'> & { readonly ecr: ImageRegistry }): Promise<EcrRepository> {
  const { place, inputs, session } = missing;
  const named = await nameMissing({ ...missing, service: ecr.service });
  const { host: own } = await ecr.authorization();
  const isOwn = async () => place.registryId === undefined || (await session.identity()).account === place.registryId;
  const host = hostOfAccount(own, named.registryId) ?? ((await isOwn()) ? own : undefined);
  if (host === undefined) {
    const problem = `is needed to create ${named.name}: this registry’s host holds no account ID to replace by ${named.registryId}`;
    throw new InputError([{ input: 'registry-role', problem }]);
  }
  return { ...named, host, uri: `${host}/${named.name}`, mutability: inputs['image-tag-mutability'], exclusionFilters: [] };
}

/** Makes it, or finds that another run was faster. */
export async function createRepository({
  place,
  inputs,
  ecr,
  log,
}: Pick<Missing, 'place' | 'inputs'> & { readonly ecr: Pick<Ecr, 'createRepository'>; readonly log: Log }): Promise<EcrRepository> {
  const { repository, created } = await ecr.createRepository(place, { mutability: inputs['image-tag-mutability'] });
  log.info(
    created
      ? `Created ${repository.uri} (${repository.mutability}).`
      : `${repository.uri} exists by now (${repository.mutability}): another run made it, or the reply was lost.`,
  );
  return repository;
}

export function plannedCreation({ arn }: NamedRepository): PlannedWrite {
  return { service: 'ecr', action: 'CreateRepository', resource: arn };
}

function missingRepository({
  place: { repository, registryId },
  service,
  undone,
}: Pick<Missing, 'place' | 'service' | 'undone'>): InputError {
  const whose = registryId === undefined ? 'of these credentials' : `of ${registryId}`;
  const problem = `${repository} does not exist in the ${service === 'ecr' ? 'registry' : 'public registry'} ${whose}`;
  const toDo =
    service === 'ecr'
      ? 'Give create-repository: true to have it created, or correct repository, registry-id or aws-region.'
      : `Create it (aws ecr-public create-repository --region us-east-1 --repository-name ${repository}), or correct repository: its name without the registry’s alias.`;
  return new InputError([{ input: 'repository', problem }], { hint: `${undone} ${toDo}` });
}
