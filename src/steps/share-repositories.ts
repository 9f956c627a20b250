/**
 * Shares repositories side by side: each is read, written and settled on its own, one that fails does not stop the others, and what
 * failed is told in one report.
 */
import type { AccountId, Region } from '../domain/account.ts';
import type { RepositoryName } from '../domain/image.ts';
import type { Want } from '../domain/policy/grant.ts';
import type { PlanPart } from '../domain/plan.ts';
import type { ReplicaPlace } from '../domain/replica.ts';
import { ActionError, InputError, type InputProblem } from '../errors.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import type { Log } from '../ports/log.ts';
import { createRepository, nameMissing, plannedCreation } from './create-repository.ts';
import type { EnsuredPolicy } from './ensure-policy.ts';
import { planShare } from './plan-share.ts';
import { resolveTargets, shareRepository, type SharableRepository, type ShareInputs } from './share-repository.ts';
import { organizationInput } from './sessions.ts';
import { together } from './together.ts';

/** What of one repository is known by now; told as soon as it is, and again when it has settled. */
export interface SharedRepository {
  readonly uri: string;
  readonly changed: boolean;
  readonly ensured: EnsuredPolicy;
  readonly policyText: string | undefined;
}

export interface ShareAllInputs extends ShareInputs {
  readonly 'aws-region': Region;
  readonly 'wait-for-replication': readonly ReplicaPlace[];
}

export interface ShareAllRequest {
  readonly inputs: ShareAllInputs;
  readonly repositories: readonly RepositoryName[];
  /** Undefined: the registry of the caller's own account. */
  readonly registryId: AccountId | undefined;
  readonly session: Session;
  readonly ecr: Ecr;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  readonly tell: (name: string, shared: SharedRepository) => void;
  /** With `dry-run`: gets what would be done of each, and nothing is written. */
  readonly plan?: ((part: PlanPart) => void) | undefined;
}

/** One repository to share. */
interface Unit {
  readonly name: string;
  readonly session: Session;
  readonly ecr: Ecr;
  readonly log: Log;
  /** Undefined where it is not there yet, which was said. */
  readonly repository: () => Promise<SharableRepository | undefined>;
}

/**
 * @throws before any write where the targets can't be resolved or the account is the wrong one; else, after all have ended, the one
 * error of a single repository, or an InputError with those of several
 */
export async function shareRepositories(request: ShareAllRequest): Promise<void> {
  const { inputs, repositories, registryId, session, ecr, ports } = request;
  const general = [
    [organizationInput(inputs), resolveTargets({ inputs, session, ports })],
    ['registry-role', session.identity()],
  ] as const;
  const found = repositories.map(async (repository) => ecr.repository({ repository, registryId }));
  await Promise.allSettled(found);
  // Without targets or the right account nothing is done; what is wrong with the repositories is told along.
  const stops = (await Promise.allSettled(general.map(async ([, check]) => check))).some(({ status }) => status === 'rejected');
  const [wanted] = await together(...general, ...(stops ? found.map((check) => ['registry-role', check] as const) : []));
  const replicas = await replicaRegions(request);
  const several = repositories.length * (1 + replicas.length) > 1;
  const homes = repositories.map((repository, index): Unit => {
    const log = several ? prefixed(ports.log, repository) : ports.log;
    return {
      name: repository,
      session,
      ecr,
      log,
      repository: async () => {
        const there = await found[index];
        if (there) return there;
        const place = { repository, registryId };
        const named = await nameMissing({ place, inputs, session, service: ecr.service, undone: 'It was not shared.' });
        if (!request.plan) return createRepository({ place, inputs, ecr, log });
        log.info(`${repository} does not exist: it would be created (${inputs['image-tag-mutability']}).`);
        request.plan({ writes: [plannedCreation(named)] });
        return { ...named, uri: repository };
      },
    };
  });
  const units = [...homes, ...repositories.flatMap((repository) => replicas.map((region) => replicaUnit({ repository, region }, request)))];
  const outcomes = await Promise.allSettled(units.map(async (unit) => shareUnit(unit, wanted, request)));
  request.signal.throwIfAborted();
  reportAll(units.map(({ name }, index) => ({ name, outcome: outcomes[index] })));
}

/** The Regions of the registry's own account; what is said of other accounts is said once. */
async function replicaRegions({ inputs, registryId, session, ports }: ShareAllRequest): Promise<readonly Region[]> {
  const own = registryId ?? (await session.identity()).account;
  const others = inputs['wait-for-replication'].filter(({ account = own }) => account !== own);
  for (const { account, region } of others)
    ports.log.notice(`Replicas in ${account ?? own}/${region} are not shared from here: a policy is written in its own account only.`);
  const regions = inputs['wait-for-replication'].filter((place) => !others.includes(place)).map(({ region }) => region);
  return [...new Set(regions)].filter((region) => region !== inputs['aws-region']);
}

/** A replica's policy is its own: ECR copies images, not policies. ECR creates the repository with the first image. */
function replicaUnit(
  { repository, region }: { repository: RepositoryName; region: Region },
  { registryId, session: home, ports }: ShareAllRequest,
): Unit {
  const session = { ...home, region };
  const ecr = ports.ecr(session);
  const name = `${repository} in ${region}`;
  const log = prefixed(ports.log, name);
  return {
    name,
    session,
    ecr,
    log,
    repository: async () => {
      const there = await ecr.repository({ repository, registryId });
      if (!there) log.warning('it does not exist there yet, so it is not shared there; share again after the first replication.');
      return there;
    },
  };
}

async function shareUnit(unit: Unit, wanted: readonly Want[], { inputs, ports, signal, tell, plan }: ShareAllRequest): Promise<void> {
  const { name, session, ecr, log } = unit;
  const repository = await unit.repository();
  if (repository === undefined) return;
  const { uri } = repository;
  const wish = { inputs, wanted, session, ecr, repository, ports: { ...ports, log }, signal };
  if (plan) {
    plan(await planShare(wish));
    return;
  }
  const ensured = await shareRepository(wish);
  tell(name, { uri, ensured, changed: ensured.changed, policyText: ensured.policyText });
  const { policyText, writes } = await ensured.settled;
  tell(name, { uri, ensured, changed: writes > 0, policyText });
  log.info(writes > 0 ? 'The policy is written and confirmed.' : 'The policy covers all of this already: nothing written.');
}

/** What failed of several repositories, by name; nothing where all ended well. */
export function reportAll(
  results: readonly { readonly name: string; readonly outcome: PromiseSettledResult<unknown> | undefined }[],
): void {
  const failed = results.flatMap(({ name, outcome }) =>
    outcome?.status === 'rejected' ? [{ name, error: outcome.reason as unknown }] : [],
  );
  const [first] = failed;
  if (first === undefined) return;
  if (results.length === 1) throw first.error;
  const bug = failed.find(({ error }) => !(error instanceof ActionError));
  if (bug) throw bug.error;
  const ended = results.filter(({ outcome }) => outcome?.status === 'fulfilled').map(({ name }) => name);
  throw new InputError(
    failed.flatMap(({ name, error }) => problemsOf(name, error)),
    { hint: ended.length === 0 ? 'No repository was shared.' : `Done all the same: ${ended.join(', ')}.`, cause: first.error },
  );
}

function problemsOf(name: string, error: unknown): readonly InputProblem[] {
  if (!(error instanceof ActionError)) return [];
  const hint = error.hint === undefined ? '' : `\n${error.hint}`;
  return [{ input: 'repository', problem: `${name}: ${error.message}${hint}` }];
}

function prefixed(log: Log, name: string): Log {
  const tagged = (text: string): string => `${name}: ${text}`;
  return {
    ...log,
    info: (text) => log.info(tagged(text)),
    notice: (text, annotation) => log.notice(tagged(text), annotation),
    warning: (text, annotation) => log.warning(tagged(text), annotation),
  };
}
