import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { Tag } from '../../src/domain/image.ts';
import type { Destination, ReplicaPlace } from '../../src/domain/replica.ts';
import { AwsError, CancelledError, InputError } from '../../src/errors.ts';
import type { Session } from '../../src/ports/credentials.ts';
import type { Ecr, Replication } from '../../src/ports/ecr.ts';
import { checkReplication, prepareReplication, waitForReplication } from '../../src/steps/wait-for-replication.ts';
import { FakeClock } from '../fakes/clock.ts';
import { digestOf, FakeEcr } from '../fakes/ecr.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';

const account = (id: string) => id as AccountId;
const at = (region: string, of?: string): ReplicaPlace => ({
  region: region as Region,
  account: of === undefined ? undefined : account(of),
});
const to = (region: string, of = '111111111111'): Destination => ({ region: region as Region, account: account(of) });

let home: FakeEcr;
let away: FakeEcr;
let clock: FakeClock;
let github: FakeGitHub;
let log: RecordingLog;
const digest = digestOf('image');
const session = {
  side: 'registry',
  region: 'eu-west-1' as Region,
  how: 'oidc',
  credentials: async () => ({ accessKeyId: '', secretAccessKey: '' }),
  identity: async () => ({ account: account('111111111111'), arn: '' }),
  expiresAt: () => undefined,
  ending: () => undefined,
} satisfies Session;

beforeEach(() => {
  home = new FakeEcr();
  away = new FakeEcr();
  clock = new FakeClock();
  github = new FakeGitHub();
  log = new RecordingLog();
  home.hold({ digest, tags: ['v1'] });
  away.hold({ digest, tags: ['v1'] });
});

const inputs = (...places: ReplicaPlace[]) => ({ 'aws-region': 'eu-west-1' as Region, 'wait-for-replication': places });

test('the registry’s own Region is no replica’s', () => {
  expect(checkReplication(inputs(at('eu-west-1'), at('eu-west-1', '222222222222'), at('us-east-1')))).toEqual([
    { input: 'wait-for-replication', problem: 'eu-west-1 is the registry’s own Region (aws-region), not a replica’s' },
  ]);
});

describe('before the push', () => {
  const prepare = async (places: ReplicaPlace[], registryId?: string) =>
    prepareReplication({
      inputs: inputs(...places),
      repositories: [home.name],
      registryId: registryId === undefined ? undefined : account(registryId),
      session,
      ecr: home,
    });

  test('each place once, as the rules have it', async () => {
    home.rules = [
      { destinations: [to('us-east-1')], prefixes: ['other/', 'shop/'] },
      { destinations: [to('eu-west-1', '222222222222')], prefixes: [] },
    ];
    await expect(prepare([at('us-east-1'), at('eu-west-1', '222222222222'), at('us-east-1', '111111111111')])).resolves.toEqual([
      to('us-east-1'),
      to('eu-west-1', '222222222222'),
    ]);
  });

  test('nothing wanted, nothing asked', async () => {
    home.replicationRules = async () => Promise.reject(new Error('asked'));
    await expect(prepare([])).resolves.toEqual([]);
  });

  test('a missing rule: which, and the whole configuration to put, which keeps the others', async () => {
    home.rules = [{ destinations: [to('us-east-1')], prefixes: ['other/'] }];
    const failing = prepare([at('us-east-1'), at('eu-central-1', '222222222222')]);
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toMatchObject({
      problems: [
        { problem: 'no replication rule of 111111111111 in eu-west-1 copies shop/web to us-east-1' },
        { problem: 'no replication rule of 111111111111 in eu-west-1 copies shop/web to 222222222222/eu-central-1' },
      ],
      hint: expect.stringContaining(
        'The registry policy of 222222222222 must allow 111111111111 ecr:CreateRepository and ecr:ReplicateImage.',
      ),
    });
    const { hint = '' } = (await failing.catch((error: unknown) => error)) as InputError;
    const [, json = ''] = /--replication-configuration '(.*)'/.exec(hint) ?? [];
    expect(JSON.parse(json)).toEqual({
      rules: [
        {
          destinations: [{ region: 'us-east-1', registryId: '111111111111' }],
          repositoryFilters: [{ filter: 'other/', filterType: 'PREFIX_MATCH' }],
        },
        {
          destinations: [
            { region: 'us-east-1', registryId: '111111111111' },
            { region: 'eu-central-1', registryId: '222222222222' },
          ],
          repositoryFilters: [{ filter: 'shop/web', filterType: 'PREFIX_MATCH' }],
        },
      ],
    });
  });

  test('the rules of another account can’t be read', async () => {
    await expect(prepare([at('us-east-1')], '333333333333')).rejects.toMatchObject({
      message: expect.stringContaining('the replication rules of 333333333333 are told to its own roles only'),
      hint: expect.stringContaining('Give registry-role, a role in 333333333333.'),
    });
  });
});

describe('after the push', () => {
  const asked: string[] = [];
  const wait = async (destinations: Destination[], signal = new AbortController().signal) =>
    waitForReplication({
      destinations,
      image: { repository: home.name, registryId: home.account, digest, tags: ['v1'] as Tag[] },
      session,
      ecr: home,
      ports: {
        clock,
        github,
        log,
        ecr: ({ region }): Ecr => {
          asked.push(region);
          return away;
        },
      },
      signal,
    });
  const copy = (status: string, where = to('us-east-1'), failure?: string): Replication => ({ ...where, status, failure });
  beforeEach(() => void asked.splice(0));

  test('each copy is waited for, told and compared', async () => {
    const other = to('eu-west-1', '222222222222');
    home.copies.push(
      [],
      [copy('IN_PROGRESS'), copy('IN_PROGRESS', other)],
      [copy('COMPLETE'), copy('IN_PROGRESS', other)],
      [copy('COMPLETE'), copy('COMPLETE', other)],
    );
    await wait([to('us-east-1'), other]);
    expect(clock.slept).toEqual([10_000, 10_000, 10_000]);
    expect(log.lines).toEqual([
      'Waiting for the copies of shop/web in us-east-1, 222222222222/eu-west-1.',
      'The copy of shop/web in us-east-1 is complete.',
      'The copy of shop/web in 222222222222/eu-west-1 is complete.',
    ]);
    expect(asked).toEqual(['us-east-1', 'eu-west-1']);
    expect(github.summary).toContain('| `222222222222/eu-west-1` | complete |');
  });

  test('a failed copy ends the wait with ECR’s reason', async () => {
    const other = to('eu-west-1', '222222222222');
    home.copies.push([copy('IN_PROGRESS'), copy('FAILED', other, 'AccessDenied')]);
    await expect(wait([to('us-east-1'), other])).rejects.toMatchObject({
      message:
        'wait-for-replication: shop/web in 222222222222/eu-west-1: the replication failed: AccessDenied. The registry policy of 222222222222 in eu-west-1 must allow 111111111111 ecr:ReplicateImage, and ecr:CreateRepository where the repository is not there yet',
      hint: `The image is pushed as ${digest}, with the tags v1; nothing was shared or deployed.`,
    });
    expect(clock.slept).toEqual([]);
    expect(github.summary).toContain('| `us-east-1` | in progress |');
  });

  test('an image that ECR does not copy: after two minutes, since it may not know yet', async () => {
    home.copies.push([]);
    await expect(wait([to('us-east-1')])).rejects.toThrow(
      'ECR does not copy this image there: it copies what is pushed after the rule was set',
    );
    expect(clock.slept).toHaveLength(12);
  });

  test('a copy that never comes: after an hour', async () => {
    home.copies.push([copy('IN_PROGRESS')]);
    await expect(wait([to('us-east-1')])).rejects.toThrow('us-east-1: the copy did not come within 60 minutes; it is IN_PROGRESS');
  });

  test('a copy that is said to be complete and is not there is an error', async () => {
    home.copies.push([copy('COMPLETE')]);
    away.web.images.clear();
    await expect(wait([to('us-east-1')])).rejects.toThrow(`ECR says that the copy is complete, but ${digest} is not there`);
  });

  test('a copy without the tags is the same image: a warning', async () => {
    home.copies.push([copy('COMPLETE')]);
    away.web.tags.set('v1', digestOf('another'));
    await wait([to('us-east-1')]);
    expect(log.lines.at(-1)).toBe(
      'warning: The copy of shop/web in us-east-1 lacks the tags v1: tags of the repository there may be immutable.',
    );
  });

  test('a copy that may not be read is believed', async () => {
    home.copies.push([copy('COMPLETE')]);
    away.image = async () =>
      Promise.reject(new AwsError('not you', { service: 'ecr', operation: 'DescribeImages', code: 'AccessDeniedException' }));
    await wait([to('us-east-1')]);
    expect(log.lines.at(-1)).toBe('notice: The copy of shop/web in us-east-1 can’t be read from here, so it is not compared. not you');
  });

  test('without a place nothing is asked; a cancelled run stops waiting', async () => {
    await wait([]);
    expect(github.summary).toBe('');
    const cancel = new AbortController();
    home.replications = async () => {
      cancel.abort(new CancelledError('cancelled'));
      return [];
    };
    await expect(wait([to('us-east-1')], cancel.signal)).rejects.toThrow(CancelledError);
  });
});
