/** Several repositories at once: what becomes of one is no other's trouble, and the report names each that failed. */
import { beforeEach, expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { RepositoryName } from '../../src/domain/image.ts';
import type { OrganizationId, OuId } from '../../src/domain/organization.ts';
import { pullActions } from '../../src/domain/policy/grant.ts';
import { defaultPolicySid } from '../../src/domain/policy/sid.ts';
import type { PlanPart } from '../../src/domain/plan.ts';
import { AwsError } from '../../src/errors.ts';
import type { Session } from '../../src/ports/credentials.ts';
import type { Ports } from '../../src/ports/index.ts';
import { shareRepositories, type ShareAllInputs, type ShareAllRequest } from '../../src/steps/share-repositories.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeEcr } from '../fakes/ecr.ts';
import type { Journal } from '../fakes/journal.ts';
import { RecordingLog } from '../fakes/log.ts';
import { FakeOrganizations } from '../fakes/organizations.ts';

const denial = new AwsError('ecr:SetRepositoryPolicy for repository shop/odd failed: AccessDeniedException: no', {
  service: 'ecr',
  operation: 'SetRepositoryPolicy',
  code: 'AccessDeniedException',
});
const grant = 'o-a1b2c3d4e5/*/ou-ab12-11111111/*';
const somebodyElses = JSON.stringify({ Version: '2012-10-17', Statement: [] });

let journal: Journal;
let log: RecordingLog;
let ecr: FakeEcr;
/** What each repository's policy says. */
let policies: Map<string, string>;
/** What becomes of a write to a repository, instead of success. */
let troubles: Map<string, () => void>;

beforeEach(() => {
  journal = [];
  log = new RecordingLog();
  policies = new Map();
  troubles = new Map();
  ecr = new FakeEcr(journal);
  for (const name of ['shop/api', 'shop/odd', 'shop/busy']) ecr.add(name);
  Object.assign(ecr, {
    readPolicy: async ({ repository }: { repository: string }) => policies.get(repository),
    writePolicy: async ({ repository }: { repository: string }, text: string) => {
      journal.push(`write ${repository}`);
      policies.set(repository, text);
      troubles.get(repository)?.();
      return 'written';
    },
  });
});

const inputs: ShareAllInputs = {
  'aws-region': 'eu-west-1' as Region,
  audience: '',
  'role-session-name': undefined,
  'role-session-tags': [],
  'role-chaining': 'auto',
  'role-duration-seconds': undefined,
  'role-external-id': undefined,
  'registry-id': undefined,
  'registry-role': undefined,
  'organization-role': undefined,
  strategy: { jobTotal: 1 },
  'organization-id': 'o-a1b2c3d4e5' as OrganizationId,
  'target-ous': [{ kind: 'ou', ou: 'ou-ab12-11111111' as OuId }],
  'target-accounts': [],
  'target-roles': [],
  'target-services': [],
  'share-actions': pullActions,
  'policy-sid': defaultPolicySid,
  'policy-mode': 'merge',
  'wait-for-replication': [],
  'create-repository': false,
  'image-tag-mutability': 'MUTABLE',
};

async function share(repositories: readonly string[], given: Partial<ShareAllRequest> = {}): Promise<Readonly<Record<string, boolean>>> {
  const session = { region: inputs['aws-region'], identity: async () => ({ account: ecr.account }) } as Session;
  const organizations = () => new FakeOrganizations();
  const ports = { clock: new FakeClock(), log, ecr: () => ecr, organizations } as Partial<Ports> as Ports;
  const changed: Record<string, boolean> = {};
  await shareRepositories({
    inputs,
    repositories: repositories as RepositoryName[],
    registryId: '111111111111' as AccountId,
    session,
    ecr,
    ports,
    signal: new AbortController().signal,
    tell: (name, shared) => void (changed[name] = shared.changed),
    ...given,
  });
  return changed;
}

test('pain 36: a pull policy per repository is one step for all of them', async () => {
  await expect(share(['shop/web', 'shop/api'])).resolves.toEqual({ 'shop/web': true, 'shop/api': true });
  for (const name of ['shop/web', 'shop/api']) expect(policies.get(name)).toContain(grant);
  expect(journal).toEqual(['write shop/web', 'write shop/api']);
});

test('one is denied and one contended: the others are written and confirmed, and the report names both', async () => {
  troubles.set('shop/odd', () => {
    policies.delete('shop/odd');
    throw denial;
  });
  troubles.set('shop/busy', () => void policies.set('shop/busy', somebodyElses));
  await expect(share(['shop/web', 'shop/odd', 'shop/busy', 'shop/api'])).rejects.toMatchObject({
    name: 'InputError',
    problems: [
      { input: 'repository', problem: expect.stringMatching(/^shop\/odd: .*AccessDeniedException[^]*Or have this statement added/) },
      { input: 'repository', problem: expect.stringMatching(/^shop\/busy: .*policy contended: for 10 minutes other writers[^]*Add this/) },
    ],
    hint: 'Done all the same: shop/web, shop/api.',
  });
  for (const name of ['shop/web', 'shop/api']) expect(policies.get(name)).toContain(grant);
  expect([policies.get('shop/odd'), policies.get('shop/busy')]).toEqual([undefined, somebodyElses]);
  expect(journal.filter((entry) => entry === 'write shop/odd')).toHaveLength(1);
  expect(log.lines).toContain('shop/api: The policy is written and confirmed.');
});

test('a missing repository is a problem of its own, unless it is to be created', async () => {
  await expect(share(['shop/new', 'shop/web'])).rejects.toMatchObject({
    message: expect.stringContaining(
      'shop/new does not exist in the registry of 111111111111\nIt was not shared. Give create-repository: true',
    ),
    hint: 'Done all the same: shop/web.',
  });
  await expect(share(['shop/new'], { inputs: { ...inputs, 'create-repository': true } })).resolves.toEqual({ 'shop/new': true });
  expect(journal).toEqual(['write shop/web', 'ecr create repository', 'write shop/new']);
});

test('a plan has the creation and the whole policy of one that is not there yet, and writes nothing', async () => {
  const parts: PlanPart[] = [];
  await share(['shop/new'], { inputs: { ...inputs, 'create-repository': true }, plan: (part) => void parts.push(part) });
  const resource = 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/new';
  expect(parts.flatMap(({ writes }) => writes)).toEqual([
    { service: 'ecr', action: 'CreateRepository', resource },
    { service: 'ecr', action: 'SetRepositoryPolicy', resource },
  ]);
  expect(parts.at(-1)?.policies).toMatchObject([
    { repository: 'shop/new', changed: true, diff: expect.arrayContaining(['+ EcrOrgDeployOrgPaths']) },
  ]);
  expect(journal).toEqual([]);
});
