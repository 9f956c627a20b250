/**
 * After the push: waits until ECR has copied the image to other Regions and accounts, and compares. The rule must be there before
 * anything is built, since ECR copies only what is pushed afterwards.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
 */
import type { AccountId, Region } from '../domain/account.ts';
import type { RepositoryName } from '../domain/image.ts';
import { code, escapeMarkdown, table } from '../domain/markdown.ts';
import {
  formatDestination,
  isCopied,
  isSameDestination,
  replicationConfiguration,
  type Destination,
  type ReplicaPlace,
} from '../domain/replica.ts';
import { AwsError, InputError, type InputProblem } from '../errors.ts';
import { isDenial } from '../ports/aws.ts';
import type { Session } from '../ports/credentials.ts';
import type { Ecr, Replication } from '../ports/ecr.ts';
import type { Ports } from '../ports/index.ts';
import type { PushedImage } from './scan-image.ts';

const input = 'wait-for-replication';

export interface ReplicationInputs {
  readonly 'aws-region': Region;
  readonly 'wait-for-replication': readonly ReplicaPlace[];
}

/** For a mode's `check`: what the inputs alone show to be wrong. */
export function checkReplication(inputs: ReplicationInputs): readonly InputProblem[] {
  return inputs[input].flatMap(({ account, region }) =>
    account === undefined && region === inputs['aws-region']
      ? [{ input, problem: `${region} is the registry’s own Region (aws-region), not a replica’s` }]
      : [],
  );
}

export interface ReplicationRequest {
  readonly inputs: ReplicationInputs;
  readonly repositories: readonly RepositoryName[];
  /** Undefined: the registry of the caller's own account. */
  readonly registryId: AccountId | undefined;
  readonly session: Session;
  readonly ecr: Ecr;
}

/**
 * Where the image will be copied to, each place once. Reads only.
 * @throws InputError where no rule of the registry copies a repository there, with what to add
 */
export async function prepareReplication(request: ReplicationRequest): Promise<readonly Destination[]> {
  const { inputs, repositories, registryId, session, ecr } = request;
  if (inputs[input].length === 0) return [];
  const { account: caller } = await session.identity();
  const own = registryId ?? caller;
  if (own !== caller) {
    throw new InputError(
      [{ input, problem: `the replication rules of ${own} are told to its own roles only, and this is one of ${caller}` }],
      {
        hint: `Nothing was built or pushed. Give registry-role, a role in ${own}.`,
      },
    );
  }
  const all = inputs[input].map(({ account = own, region }) => ({ account, region }));
  const destinations = all.filter((one, index) => all.findIndex((other) => isSameDestination(one, other)) === index);
  const rules = await ecr.replicationRules();
  const missing = repositories.flatMap((repository) =>
    destinations.filter((destination) => !isCopied({ repository, destination }, rules)).map((destination) => ({ repository, destination })),
  );
  if (missing.length === 0) return destinations;
  const lacking = destinations.filter((each) => missing.some(({ destination }) => destination === each));
  const prefixes = [...new Set(missing.map(({ repository }) => repository))];
  const configuration = replicationConfiguration([...rules, { destinations: lacking, prefixes }]);
  const others = [...new Set(lacking.map(({ account }) => account))].filter((account) => account !== own);
  throw new InputError(
    missing.map(({ repository, destination }) => ({
      input,
      problem: `no replication rule of ${own} in ${inputs['aws-region']} copies ${repository} to ${formatDestination(destination, own)}`,
    })),
    {
      hint: [
        `Nothing was built or pushed. Add the rule, beside those that are there: aws ecr put-replication-configuration --region ${inputs['aws-region']} --replication-configuration '${configuration}'`,
        ...others.map((account) => `The registry policy of ${account} must allow ${own} ecr:CreateRepository and ecr:ReplicateImage.`),
      ].join('\n'),
    },
  );
}

export interface WaitRequest {
  /** What `prepareReplication` found. */
  readonly destinations: readonly Destination[];
  readonly image: PushedImage;
  readonly session: Session;
  readonly ecr: Ecr;
  readonly ports: Pick<Ports, 'clock' | 'ecr' | 'github' | 'log'>;
  readonly signal: AbortSignal;
}

/** Between two looks, in milliseconds. */
const pause = 10_000;
/** How long ECR may take to know that it will copy an image: [U]. */
const patience = 2 * 60_000;
/** "Most images replicate in less than 30 minutes, but in rare cases the replication might take longer." */
const budget = 60 * 60_000;

/** What became of one copy. */
interface Copy {
  readonly destination: Destination;
  readonly name: string;
  readonly status: string;
  readonly problem: string | undefined;
}

/** @throws InputError where a copy failed, will not come or did not come in time, or is another image */
export async function waitForReplication(request: WaitRequest): Promise<void> {
  const { destinations, image, ports, signal } = request;
  if (destinations.length === 0) return;
  const { clock, github, log } = ports;
  const begun = clock.monotonic();
  const done = new Set<string>();
  const names = destinations.map((destination) => formatDestination(destination, image.registryId));
  log.info(`Waiting for the copies of ${image.repository} in ${names.join(', ')}.`);
  let copies: readonly Copy[];
  for (;;) {
    const replications = await request.ecr.replications(image, image.digest);
    const waited = clock.monotonic() - begun;
    copies = destinations.map((destination) => copyOf({ destination, replications, waited, own: image.registryId }));
    for (const { name, status } of copies) {
      if (status !== 'COMPLETE' || done.has(name)) continue;
      done.add(name);
      log.info(`The copy of ${image.repository} in ${name} is complete.`);
    }
    if (copies.some(({ problem }) => problem !== undefined) || copies.every(({ status }) => status === 'COMPLETE')) break;
    await clock.sleep(pause, signal);
  }
  const compared = await Promise.all(copies.map(async (copy) => (copy.status === 'COMPLETE' ? compare(copy, request) : copy)));
  await github.summarise(replicationMarkdown(image, compared));
  const problems = compared.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ input, problem: `${image.repository} in ${name}: ${problem}` }],
  );
  if (problems.length > 0)
    throw new InputError(problems, {
      hint: `The image is pushed as ${image.digest}, with the tags ${image.tags.join(', ')}; nothing was shared or deployed.`,
    });
}

function copyOf({
  destination,
  replications,
  waited,
  own,
}: {
  destination: Destination;
  replications: readonly Replication[];
  waited: number;
  own: AccountId;
}): Copy {
  const found = replications.find((one) => isSameDestination(one, destination));
  const copy = { destination, name: formatDestination(destination, own), status: found?.status ?? 'none', problem: undefined };
  if (found?.status === 'COMPLETE') return copy;
  if (found?.status === 'FAILED') return { ...copy, problem: failed({ found, own }) };
  if (found === undefined && waited >= patience)
    return { ...copy, problem: 'ECR does not copy this image there: it copies what is pushed after the rule was set; publish a new image' };
  return waited >= budget ? { ...copy, problem: `the copy did not come within ${budget / 60_000} minutes; it is ${copy.status}` } : copy;
}

function failed({ found, own }: { found: Replication; own: AccountId }): string {
  const why = `the replication failed: ${found.failure ?? 'ECR does not say why'}`;
  return found.account === own
    ? why
    : `${why}. The registry policy of ${found.account} in ${found.region} must allow ${own} ecr:ReplicateImage, and ecr:CreateRepository where the repository is not there yet`;
}

/** Reads the copy where this side may. */
async function compare(copy: Copy, { image, session, ports }: WaitRequest): Promise<Copy> {
  const { account, region } = copy.destination;
  const place = { repository: image.repository, registryId: account };
  try {
    const found = await ports.ecr({ ...session, region }).image(place, { digest: image.digest });
    if (!found) return { ...copy, problem: `ECR says that the copy is complete, but ${image.digest} is not there` };
    const missing = image.tags.filter((tag) => !found.tags.includes(tag));
    if (missing.length > 0)
      ports.log.warning(
        `The copy of ${image.repository} in ${copy.name} lacks the tags ${missing.join(', ')}: tags of the repository there may be immutable.`,
      );
    return copy;
  } catch (error) {
    if (!isDenial(error) || !(error instanceof AwsError)) throw error;
    ports.log.notice(`The copy of ${image.repository} in ${copy.name} can’t be read from here, so it is not compared. ${error.message}`);
    return copy;
  }
}

function replicationMarkdown({ repository }: PushedImage, copies: readonly Copy[]): string {
  const rows = copies.map(({ name, status, problem }) => [
    code(name),
    problem === undefined ? status.toLowerCase().replaceAll('_', ' ') : `**${escapeMarkdown(problem)}**`,
  ]);
  return `### Replication of ${code(repository)}\n\n${table(['Where', 'Copy'], rows)}\n\n`;
}
