/**
 * What the registry's own side tells of the images that are to be deployed, read once for all accounts: repository, image, and the policies
 * that decide on pulls. What it may not read is said to be unknown and is no error: no deployment asks it.
 */
import type { AccountId, Region } from '../domain/account.ts';
import type { Fact, Subject } from '../domain/findings.ts';
import { formatImage, repositoryArn } from '../domain/image.ts';
import type { ImageWish } from '../domain/image-wish.ts';
import { memo } from '../domain/policy/memo.ts';
import { formatPlatforms, type Platform } from '../domain/oci.ts';
import { parsePolicy, type Policy } from '../domain/policy/document.ts';
import { ActionError } from '../errors.ts';
import { isPassing, lazy } from '../ports/aws.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr, RepositoryPlace } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import { foreignHost, homeOf, imageIdOf, type FindInputs, type RegistryReads } from './find-image.ts';
import { imagePlatforms } from './image-platforms.ts';
import { openRegistry } from './sessions.ts';

/** What a read gave, or why it gave nothing. */
export type Reading<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly since: string; readonly advice?: string | undefined; readonly isPassing?: boolean };

/** What is known of an image's repository. */
export interface ReadImage {
  readonly wish: ImageWish;
  readonly account: AccountId;
  readonly repositoryArn: string;
  /** About the registry's account. */
  readonly facts: readonly Fact[];
  /** Undefined where they can't be known. */
  readonly platforms: readonly Platform[] | undefined;
  readonly policy: Reading<Policy>;
  /** Undefined where there is none that decides on pulls. */
  readonly registryPolicy: Reading<Policy | undefined>;
}

interface Request {
  readonly inputs: FindInputs;
  readonly registry: RegistryReads;
  readonly ports: Ports;
}

/** In the order of the images; undefined for one whose registry is another one, or nobody's that is known. */
export async function readImages({ inputs, registry, ports }: Request): Promise<readonly (ReadImage | undefined)[]> {
  const side = lazy(() => openRegistry({ inputs, ports }));
  const ecrIn = (region: Region): Ecr => {
    const { session, ecr } = side();
    return region === session.region ? ecr : ports.ecr({ ...session, region });
  };
  const ownPolicyIn = memo(async (region: Region) => reading(async () => readRegistryPolicy(ecrIn(region))));
  const registryPolicyIn = async (region: Region, account: AccountId): Promise<Reading<Policy | undefined>> => {
    const own = await reading(async () => accountOfSession(side().session));
    if (!own.known) return own;
    if (own.value !== account)
      return { known: false, since: `${own.value} is not told the registry policy of ${account}; give registry-role` };
    return ownPolicyIn(region);
  };
  return Promise.all(
    inputs.image.map(async (wish) => {
      const { account, region } = homeOf(wish.image, inputs);
      if (account === undefined) return undefined;
      const foreign = await reading(async () => foreignHost(wish.image, { inputs, registry }));
      if (foreign.known && foreign.value !== undefined) return undefined;
      const { repository } = wish.image;
      return readImage({
        wish,
        place: { repository, registryId: account },
        home: { account, region },
        ecr: () => ecrIn(region),
        registryPolicy: async () => registryPolicyIn(region, account),
        hasRole: inputs['registry-role'] !== undefined,
      });
    }),
  );
}

async function accountOfSession(session: Session): Promise<AccountId> {
  return (await session.identity()).account;
}

interface ImageReading {
  readonly wish: ImageWish;
  readonly place: RepositoryPlace;
  readonly home: { readonly account: AccountId; readonly region: Region };
  readonly ecr: () => Ecr;
  readonly registryPolicy: () => Promise<Reading<Policy | undefined>>;
  readonly hasRole: boolean;
}

async function readImage({ wish, place, home, ecr, registryPolicy, hasRole }: ImageReading): Promise<ReadImage> {
  const { account, region } = home;
  const [found, image, policy, ofRegistry] = await Promise.all([
    reading(async () => ecr().repository(place)),
    reading(async () => lookFor(wish, { ecr: ecr(), place })),
    reading(async () => parsed('the repository policy', await ecr().readPolicy(place))),
    registryPolicy(),
  ]);
  const { repository } = place;
  const where = `in ${account} (${region})`;
  const isMissing = found.known && found.value === undefined;
  const name = formatImage(wish.image);
  const unknown = (subject: Subject, what: string, { since, advice }: Reading<unknown> & { known: false }): Fact => ({
    severity: hasRole ? 'warning' : 'info',
    subject,
    reason: `${what} is not known, since ${since}`,
    advice: hasRole ? advice : 'Give registry-role to have it read.',
  });
  const facts: readonly Fact[] = isMissing
    ? [
        {
          severity: 'error',
          subject: 'repository',
          reason: `there is no repository ${repository} ${where}`,
          advice: 'Correct image, or make the repository: mode: publish with create-repository.',
        },
      ]
    : [
        found.known
          ? { severity: 'ok', subject: 'repository', reason: `${repository} is there ${where}` }
          : unknown('repository', `whether ${repository} is there ${where}`, found),
        image.known ? imageFact(image.value, { name, where }) : unknown('image', `whether ${name} is there ${where}`, image),
        ...(policy.known ? [] : [unknown('repository policy', 'what it says', policy)]),
        ofRegistry.known ? registryFact(ofRegistry.value) : unknown('registry policy', 'whether it says anything of pulls', ofRegistry),
      ];
  return {
    wish,
    account,
    repositoryArn: repositoryArn({ account, region, repository }),
    facts,
    platforms: image.known ? image.value?.platforms : undefined,
    policy: isMissing ? { known: false, since: 'there is no such repository' } : policy,
    registryPolicy: ofRegistry,
  };
}

interface LookedFor {
  readonly digest: string;
  readonly platforms: readonly Platform[] | undefined;
}

async function lookFor(wish: ImageWish, { ecr, place }: { ecr: Ecr; place: RepositoryPlace }): Promise<LookedFor | undefined> {
  const answer = await ecr.manifest(place, imageIdOf(wish.image));
  if (answer.answer === 'denied') throw new Unreadable(answer.reason);
  if (answer.answer === 'missing') return undefined;
  return { digest: answer.digest, platforms: await imagePlatforms({ ecr, place, manifest: answer }) };
}

function imageFact(image: LookedFor | undefined, { name, where }: { name: string; where: string }): Fact {
  if (!image)
    return {
      severity: 'error',
      subject: 'image',
      reason: `there is no image ${name} ${where}`,
      advice: 'Correct image, or publish it first.',
    };
  const platforms = image.platforms === undefined ? '' : `, for ${formatPlatforms(image.platforms)}`;
  return { severity: 'ok', subject: 'image', reason: `${name} is ${image.digest}${platforms}` };
}

function registryFact(policy: Policy | undefined): Fact {
  const reason = policy === undefined ? 'there is none that decides on pulls' : 'there is one, and it was asked too';
  return { severity: 'ok', subject: 'registry policy', reason };
}

async function readRegistryPolicy(ecr: Ecr): Promise<Policy | undefined> {
  const policy = await ecr.registryPolicy();
  return policy === undefined || policy.scope === 'V1' ? undefined : parsed('the registry policy', policy.text);
}

function parsed(name: string, text: string | undefined): Policy {
  const policy = parsePolicy(text);
  if (policy.ok) return policy.policy;
  throw new Unreadable(`${name} can't be read: ${policy.problems.map(({ path, problem }) => `${path} ${problem}`).join('; ')}`);
}

/** An answer from which nothing can be concluded. */
class Unreadable extends Error {}

/** A read that may fail: a fault of our own still throws. */
export async function reading<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    if (error instanceof ActionError) return notKnown(error);
    if (error instanceof Unreadable) return { known: false, since: error.message };
    throw error;
  }
}

/** `isPassing`: the same read may give something later. */
export function notKnown(error: ActionError): Extract<Reading<never>, { known: false }> {
  const passes = isPassing(error);
  return { known: false, since: error.message, advice: error.hint ?? (passes ? 'Run the check again.' : undefined), isPassing: passes };
}
