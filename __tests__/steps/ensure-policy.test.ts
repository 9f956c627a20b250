import { describe, expect, test } from '@jest/globals';
import { pullActions, type Want } from '../../src/domain/policy/grant.ts';
import { defaultPolicySid, markerOf } from '../../src/domain/policy/sid.ts';
import { AwsError, DocumentError } from '../../src/errors.ts';
import { ensurePolicy, planPolicy, protocol, type PolicyMode } from '../../src/steps/ensure-policy.ts';
import type { PolicyStore, PolicyWritten } from '../../src/ports/policy-store.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Target } from '../../src/domain/policy/target.ts';

const facts = { repositoryArn: 'arn:aws:ecr:eu-west-1:999999999999:repository/shop/web' };
const start = Date.UTC(2026, 10, 21, 12);
const want = (ou: string): Want => ({ target: { kind: 'ou', organization: 'o-1', ou } as Target, actions: pullActions });
const statement = (ous: readonly string[], sid = 'EcrOrgDeployOrgPaths') => ({
  Sid: sid,
  Effect: 'Allow',
  Principal: '*',
  Action: pullActions,
  Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': ous.map((ou) => `o-1/*/${ou}/*`) } },
});
const text = (...statements: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const marked = (age: number) => `EcrOrgDeployOrgPathsx${markerOf({ now: start - age, random: 0.9 })}`;

/** A repository on a clock that only sleeping moves; the journal says what was asked, and when. */
class Repository implements PolicyStore, Clock {
  readonly journal: string[] = [];
  text: string | undefined;
  /** What happens to the policy at some moment, by somebody else. */
  readonly events: { readonly at: number; readonly then: () => void }[] = [];
  /** How the next writes end; "written" when there is no more. */
  readonly replies: ('written' | 'unknown, but written' | 'unknown' | Error)[] = [];
  readTakes = 0;
  #time = 0;

  constructor(policy?: string) {
    this.text = policy;
  }

  now = () => start + this.#time;
  monotonic = () => this.#time;
  random = () => 0.5;
  async sleep(milliseconds: number): Promise<void> {
    this.journal.push(`sleep ${milliseconds / 1_000}`);
    this.#pass(milliseconds);
    // Whatever is ready runs, as in a real sleep.
    await new Promise((resolve) => setImmediate(resolve));
  }
  async read(): Promise<string | undefined> {
    this.journal.push('read');
    const read = this.text;
    this.#pass(this.readTakes);
    return read;
  }
  async write(policy: string): Promise<PolicyWritten> {
    this.journal.push('write');
    const reply = this.replies.shift() ?? 'written';
    if (reply instanceof Error) throw reply;
    if (reply !== 'unknown') this.text = policy;
    return reply === 'written' ? reply : { unanswered: new Error('socket hang up') };
  }
  #pass(milliseconds: number): void {
    this.#time += milliseconds;
    for (const event of this.events.filter(({ at }) => at <= this.#time)) {
      event.then();
      this.events.splice(this.events.indexOf(event), 1);
    }
  }
}

const lines: string[] = [];
interface Asked {
  readonly ous?: readonly string[];
  readonly mode?: PolicyMode;
  readonly jobTotal?: number;
  readonly onDenial?: (warning: string) => void;
}
const ensure = async (repository: Repository, { ous = ['ou-a'], mode = 'merge', jobTotal = 1, onDenial }: Asked = {}) =>
  ensurePolicy({
    store: repository,
    clock: repository,
    wanted: ous.map(want),
    facts,
    policySid: defaultPolicySid,
    mode,
    jobTotal,
    log: (line) => void lines.push(line),
    ...(onDenial && { onDenial }),
  });

describe('nothing to write', () => {
  test('costs one read and no wait', async () => {
    const repository = new Repository(text(statement(['ou-a'])));
    const { changed, diff, settled } = await ensure(repository);
    await settled;
    expect({ changed, diff, journal: repository.journal }).toEqual({ changed: false, diff: [], journal: ['read'] });
  });

  test('an old marker makes no difference', async () => {
    const repository = new Repository(text(statement(['ou-a'], marked(protocol.freshness + 1))));
    await (
      await ensure(repository)
    ).settled;
    expect(repository.journal).toEqual(['read']);
  });

  test('a young marker costs one settling time and a second read', async () => {
    const repository = new Repository(text(statement(['ou-a'], marked(5_000))));
    await (
      await ensure(repository)
    ).settled;
    expect(repository.journal).toEqual(['read', 'sleep 12', 'read']);
  });

  test("another policy-sid's young marker counts too", async () => {
    const repository = new Repository(text(statement(['ou-a']), statement(['ou-z'], marked(5_000).replace('EcrOrgDeploy', 'Platform'))));
    await (
      await ensure(repository)
    ).settled;
    expect(repository.journal).toEqual(['read', 'sleep 12', 'read']);
  });
});

describe('something to write', () => {
  test('is written at once, and settled after one settling time', async () => {
    const repository = new Repository();
    const ensured = await ensure(repository);
    // The promise is fulfilled while the settling time runs: a deployment may start.
    expect(repository.journal).toEqual(['read', 'write', 'sleep 12']);
    expect(ensured).toMatchObject({ changed: true, policyText: repository.text, diff: expect.arrayContaining(['+ EcrOrgDeployOrgPaths']) });
    expect(await ensured.settled).toEqual({ policyText: repository.text, reads: 2, writes: 1 });
    expect(repository.journal).toEqual(['read', 'write', 'sleep 12', 'read']);
  });

  test('in a matrix the first write waits by chance, and looks again', async () => {
    const repository = new Repository();
    await (
      await ensure(repository, { jobTotal: 10 })
    ).settled;
    expect(repository.journal).toEqual(['read', 'sleep 1.5', 'read', 'write', 'sleep 12', 'read']);
  });

  test('a base that is too old is read again', async () => {
    const repository = new Repository();
    repository.readTakes = protocol.baseAge + 1;
    repository.events.push({ at: protocol.baseAge + 1, then: () => (repository.readTakes = 0) });
    await ensure(repository);
    expect(repository.journal.slice(0, 3)).toEqual(['read', 'read', 'write']);
  });

  test('a lost reply to a write that took effect', async () => {
    const repository = new Repository();
    repository.replies.push('unknown, but written');
    const { changed, settled } = await ensure(repository);
    await settled;
    expect([changed, repository.journal]).toEqual([true, ['read', 'write', 'sleep 12', 'read', 'sleep 12', 'read']]);
  });

  test('a write that never arrived is repeated, with another marker', async () => {
    const repository = new Repository();
    repository.replies.push('unknown');
    await (
      await ensure(repository)
    ).settled;
    expect(repository.journal).toEqual(['read', 'write', 'sleep 12', 'read', 'write', 'sleep 12', 'read']);
  });

  test('writes that are never answered end with what AWS said, not with "contended"', async () => {
    const repository = new Repository();
    repository.replies.push(...Array.from({ length: 9 }, () => 'unknown' as const));
    await expect(ensure(repository)).rejects.toMatchObject({
      name: 'AwsError',
      message: 'ecr:SetRepositoryPolicy was not answered 6 times in a row: socket hang up',
    });
    expect(repository.journal.filter((entry) => entry === 'write')).toHaveLength(6);
    expect(repository.text).toBeUndefined();
  });

  test('pain 38: a policy that ECR refuses without detail: who is named in it, statement by statement', async () => {
    const role = 'arn:aws:iam::222222222222:role/gone';
    const repository = new Repository(text({ Sid: 'Theirs', Effect: 'Allow', Principal: { AWS: role }, Action: 'ecr:BatchGetImage' }));
    const message = 'ecr:SetRepositoryPolicy failed: InvalidParameterException: Principal not found';
    repository.replies.push(new AwsError(message, { service: 'ecr', operation: 'SetRepositoryPolicy', code: 'InvalidParameterException' }));
    await expect(ensure(repository)).rejects.toMatchObject({
      message,
      hint: expect.stringMatching(/^Nothing was written\. .*The policy names arn:aws:iam::222222222222:role\/gone in "Theirs"\.$/),
    });
    expect(repository.journal).toEqual(['read', 'write']);
  });

  test('a read that AWS throttles to the end is told in AWS’s words, and nothing is written', async () => {
    const repository = new Repository();
    const throttled = new AwsError('ecr:GetRepositoryPolicy failed: ThrottlingException: Rate exceeded', {
      service: 'ecr',
      operation: 'GetRepositoryPolicy',
      code: 'ThrottlingException',
    });
    repository.read = async () => Promise.reject(throttled);
    await expect(ensure(repository)).rejects.toBe(throttled);
    expect(repository.journal).toEqual([]);
  });

  test('a refusal is passed on', async () => {
    const repository = new Repository();
    repository.replies.push(new Error('AccessDenied'));
    await expect(ensure(repository)).rejects.toThrow('AccessDenied');
    expect(repository.journal).toEqual(['read', 'write']);
  });
});

describe('other writers', () => {
  test('one that only adds makes us wait once more', async () => {
    const repository = new Repository();
    repository.events.push({ at: 6_000, then: () => (repository.text = text(statement(['ou-a', 'ou-b'], marked(-6_000)))) });
    await (
      await ensure(repository)
    ).settled;
    expect(repository.journal).toEqual(['read', 'write', 'sleep 12', 'read', 'sleep 12', 'read']);
  });

  test('one that overwrites us makes us back off and write again', async () => {
    const repository = new Repository();
    repository.events.push({ at: 6_000, then: () => (repository.text = text(statement(['ou-b'], marked(-6_000)))) });
    const { settled } = await ensure(repository);
    expect(await settled).toMatchObject({ writes: 2 });
    expect(repository.journal).toEqual(['read', 'write', 'sleep 12', 'read', 'sleep 2.5', 'read', 'write', 'sleep 12', 'read']);
    expect(repository.text).toContain('"o-1/*/ou-a/*","o-1/*/ou-b/*"');
    expect(lines).toContain('another writer overwrote the policy (o-1/*/ou-a/* missing): trying again in 2.5 s');
  });

  test('without end: after ten minutes the policy is contended, and what is missing is printed', async () => {
    const repository = new Repository();
    const write = repository.write.bind(repository);
    repository.write = async (policy) => {
      const reply = await write(policy);
      repository.text = text();
      return reply;
    };
    const { settled } = await ensure(repository);
    await expect(settled).rejects.toThrow(/policy contended: for 10 minutes other writers changed it/);
    await expect(settled).rejects.toMatchObject({ hint: expect.stringContaining('o-1/*/ou-a/*') });
  });

  test('reads that take too long: nothing is written, and the reason is another', async () => {
    const repository = new Repository();
    repository.readTakes = 2_000;
    await expect(ensure(repository)).rejects.toThrow(/no read of it came back within 1 s/);
    expect(repository.journal).not.toContain('write');
  });
});

describe('verify', () => {
  test('reads once when all is there', async () => {
    const repository = new Repository(text(statement(['ou-a'])));
    expect((await ensure(repository, { mode: 'verify' })).explanation[0]).toContain('covered by "EcrOrgDeployOrgPaths"');
    expect(repository.journal).toEqual(['read']);
  });

  test('fails with the statement to add in three languages, and writes nothing', async () => {
    const repository = new Repository(text(statement(['ou-a'])));
    const failure: unknown = await ensure(repository, { ous: ['ou-a', 'ou-b'], mode: 'verify' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DocumentError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('o-1/*/ou-b/*'),
      hint: expect.stringMatching(/"Sid"[^]*CloudFormation:[^]*Terraform:\nstatement/),
    });
    expect(repository.journal).toEqual(['read']);
  });
});

describe('a caller that may not write', () => {
  const denial = new AwsError('ecr:SetRepositoryPolicy failed: AccessDeniedException: no', {
    service: 'ecr',
    operation: 'SetRepositoryPolicy',
    code: 'AccessDeniedException',
    hint: 'Allow ecr:SetRepositoryPolicy.',
  });

  test('is told the statement to add', async () => {
    const repository = new Repository();
    repository.replies.push(denial);
    await expect(ensure(repository)).rejects.toMatchObject({
      name: 'AwsError',
      message: denial.message,
      hint: expect.stringMatching(/^Allow ecr:SetRepositoryPolicy\.\nOr have this statement added.*o-1\/\*\/ou-a.*Terraform:/s),
    });
    expect(repository.journal).toEqual(['read', 'write']);
  });

  test('that falls back to verify fails with the statement, unless somebody else has granted it meanwhile', async () => {
    const warnings: string[] = [];
    const onDenial = (warning: string): void => void warnings.push(warning);
    const repository = new Repository();
    repository.replies.push(denial);
    await expect(ensure(repository, { onDenial })).rejects.toMatchObject({
      name: 'DocumentError',
      message: 'the repository policy: it lacks o-1/*/ou-a/*, and this role may not write it',
      hint: expect.stringContaining('Add this statement:'),
    });
    expect(warnings).toEqual([expect.stringContaining('falling back to policy-mode verify')]);
    expect(repository.journal).toEqual(['read', 'write', 'read']);

    const granted = new Repository();
    granted.replies.push(denial);
    const write = granted.write.bind(granted);
    granted.write = async (policy) => {
      granted.text = text(statement(['ou-a']));
      return write(policy);
    };
    const { changed, settled } = await ensure(granted, { onDenial });
    expect({ changed, ...(await settled) }).toMatchObject({ changed: false, writes: 0 });
    expect(granted.journal).toEqual(['read', 'write', 'read']);
  });

  test('may leave a removal to others: all is covered', async () => {
    const warnings: string[] = [];
    const repository = new Repository(text(statement(['ou-a', 'ou-b'])));
    repository.replies.push(denial);
    const { changed } = await ensure(repository, { mode: 'reconcile', onDenial: (warning) => void warnings.push(warning) });
    expect({ changed, warnings }).toEqual({ changed: false, warnings: [expect.any(String)] });
  });
});

describe('stops before a write', () => {
  test.each([
    ['at a malformed policy', '{"Statement":[{"Effect":"x","Principal":"*","Action":"a"}]}', /\$\.Statement\[0\]\.Effect is neither/],
    ['at a Deny that hits the target', text({ Sid: 'No', Effect: 'Deny', Principal: '*', Action: 'ecr:*' }), /is denied .* by "No"/],
    [
      'at a policy that locks its editor out',
      text({ Sid: 'Shut', Effect: 'Deny', Principal: '*', Action: 'ecr:Set*' }),
      /"Shut" denies ecr:SetRepositoryPolicy/,
    ],
  ])('%s', async (_, policy, message) => {
    const repository = new Repository(policy);
    await expect(ensure(repository)).rejects.toThrow(message);
    expect(repository.journal).toEqual(['read']);
  });

  test('when nobody is named', async () => {
    await expect(ensure(new Repository(), { ous: [] })).rejects.toThrow(/name at least one target/);
  });
});

test('reconcile removes what is no longer listed', async () => {
  const repository = new Repository(text(statement(['ou-a', 'ou-b'])));
  const { diff, settled } = await ensure(repository, { mode: 'reconcile' });
  await settled;
  expect(diff).toEqual(['~ EcrOrgDeployOrgPaths', '-     ForAnyValue:StringLike aws:PrincipalOrgPaths o-1/*/ou-b/*']);
});

test('a plan reads once and shows what would be written', async () => {
  const repository = new Repository();
  const plan = await planPolicy({
    store: repository,
    clock: repository,
    wanted: [want('ou-a')],
    facts,
    policySid: defaultPolicySid,
    mode: 'merge',
    jobTotal: 1,
    log: () => undefined,
  });
  expect(plan).toMatchObject({ changed: false, diff: expect.arrayContaining(['+ EcrOrgDeployOrgPaths']) });
  expect(repository.journal).toEqual(['read']);
});

test('a foreign statement that is open to strangers is a finding, not an error', async () => {
  const repository = new Repository(text({ Sid: 'Public', Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' }));
  const { findings } = await ensure(repository);
  expect(findings).toEqual([
    '"Public" is open to strangers: it lets in everybody: no condition names an account, an organization or a source',
  ]);
});
