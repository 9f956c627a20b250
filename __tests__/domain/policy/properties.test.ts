/**
 * What must hold for every policy, against an evaluator of IAM's rules that was written apart (emulator/policy-evaluator.ts).
 * Real requests are made up from a small tree: whatever the coverage proves must be so for every one of them.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { evaluate, type PrincipalFacts } from '../../../emulator/policy-evaluator.ts';
import { coverage, coverer, explain } from '../../../src/domain/policy/coverage.ts';
import { parsePolicy, type Policy } from '../../../src/domain/policy/document.ts';
import { edit, type Edited } from '../../../src/domain/policy/edit.ts';
import { exposures } from '../../../src/domain/policy/exposure.ts';
import { fold } from '../../../src/domain/policy/fold.ts';
import { pullActions, readOwn, type OwnStatement } from '../../../src/domain/policy/grant.ts';
import { contains, matches, parseGlob } from '../../../src/domain/policy/pattern.ts';
import { defaultPolicySid, markerOf } from '../../../src/domain/policy/sid.ts';
import { facts, identities, isOf, paths, policies, targets, wants, type Identity } from './arbitrary.ts';
import type { Target } from '../../../src/domain/policy/target.ts';

const runs = { numRuns: 10_000 };
const policySid = defaultPolicySid;
const marker = markerOf({ now: 1_795_000_000_000, random: 0.5 });

interface Sender {
  readonly principal: PrincipalFacts;
  readonly context?: Record<string, string>;
}

const asPrincipal = ({ account, arn, organization, path }: Identity): PrincipalFacts => ({
  type: 'AWS',
  account,
  arn: arn.includes(':role/') ? `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/session` : arn,
  principalArn: arn,
  ...(organization === undefined ? {} : { organizationId: organization }),
  ...(path === undefined ? {} : { organizationPath: path }),
});
const request = { 'aws:ResourceAccount': '999999999999', 'aws:RequestedRegion': 'eu-west-1' };
/** What one identity may carry besides: a tag, an endpoint, or nothing. */
const contexts = [
  {},
  { 'aws:PrincipalTag/team': 'x' },
  { 'aws:SourceVpce': 'vpce-1' },
  { 'aws:PrincipalTag/team': 'z', 'aws:SourceVpce': 'vpce-9' },
].map((context) => ({ ...request, ...context }));

function senders(target: Target): Sender[] {
  if (target.kind === 'service') {
    const { service, account } = target;
    const resources = service === 'lambda' ? ['function:one', 'function:two'] : ['project/one'];
    return resources.map((resource) => ({
      principal: {
        type: 'Service',
        service: `${service}.amazonaws.com`,
        sourceArn: `arn:aws:${service}:eu-west-1:${account}:${resource}`,
        ...(service === 'codebuild' ? { sourceAccount: account } : {}),
      },
      context: request,
    }));
  }
  return identities
    .filter((identity) => isOf(target, identity))
    .flatMap((identity) => contexts.map((context) => ({ principal: asPrincipal(identity), context })));
}

const decide = (policy: unknown, action: string, { principal, context }: Sender) =>
  evaluate({ policy, action, resource: facts.repositoryArn, principal, ...(context ? { context } : {}) }).decision;

/** Three of them, by chance: over thousands of runs everybody gets a turn. */
function pick<T>(all: readonly T[], chance: number): T[] {
  return [0, 1, 2].flatMap((step) => all[(chance + step * 7) % all.length] ?? []);
}

function parsed(policy: unknown): Policy {
  const result = parsePolicy(JSON.stringify(policy));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

test('a proven "yes" is true of every request, a certain Deny hits every one, no Deny is overlooked', () => {
  const seen = { yes: 0, no: 0, unknown: 0, certain: 0, partial: 0, possible: 0 };
  fc.assert(
    fc.property(policies(['Allow', 'Allow', 'Deny']), targets, fc.nat(), (policy, target, chance) => {
      const { actions, denies } = coverage({ policy: parsed(policy), target, actions: pullActions, facts });
      const all = pick(senders(target), chance);
      const grants = { ...policy, Statement: (policy['Statement'] as { Effect: string }[]).filter(({ Effect }) => Effect === 'Allow') };
      for (const { action, answer, because } of actions) {
        seen[answer] += 1;
        const hit = denies.filter((denial) => denial.actions.includes(action));
        for (const { extent } of hit) seen[extent] += 1;
        for (const sender of all) {
          const decision = decide(policy, action, sender);
          const allowed = decide(grants, action, sender);
          if (answer === 'yes' && allowed !== 'allow') throw new Error(`not allowed: ${JSON.stringify({ action, because, sender })}`);
          if (decision === 'deny' && hit.length === 0) throw new Error(`a Deny was overlooked: ${JSON.stringify({ action, sender })}`);
          if (decision !== 'deny' && hit.some(({ extent }) => extent === 'certain'))
            throw new Error(`a certain Deny doesn't hit: ${JSON.stringify({ action, sender, denies })}`);
        }
      }
    }),
    runs,
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
});

test('what was decided for one target changes nothing for the next', () => {
  fc.assert(
    fc.property(policies(['Allow', 'Allow', 'Deny']), fc.array(targets, { minLength: 2, maxLength: 6 }), (json, list) => {
      const policy = parsed(json);
      const decideNext = coverer(policy, facts);
      for (const target of list) {
        const [next, alone] = [decideNext(target, pullActions), coverage({ policy, target, actions: pullActions, facts })];
        expect({ ...next, words: explain(next) }).toEqual({ ...alone, words: explain(alone) });
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what is not found open lets no stranger in', () => {
  const strangers = identities.filter(({ organization }) => organization !== 'o-1');
  fc.assert(
    fc.property(
      policies(['Allow', 'Allow', 'Allow', 'Deny']),
      fc.constantFrom(...strangers),
      fc.constantFrom(...contexts),
      (policy, stranger, context) => {
        if (exposures(parsed(policy)).length > 0) return;
        // Whoever gets in is named: by account, ARN, organization, endpoint – never because nothing was said.
        const unheardOf: Identity = { account: '400000000000', arn: 'arn:aws:iam::400000000000:role/stranger' };
        const sender = {
          principal: asPrincipal(stranger.organization === undefined ? unheardOf : { ...unheardOf, organization: 'o-9', path: 'o-9/r-9/' }),
          context: { ...context, 'aws:SourceVpce': 'vpce-9' },
        };
        expect(pullActions.filter((action) => decide(policy, action, sender) === 'allow')).toEqual([]);
      },
    ),
    runs,
  );
});

const edited = (policy: unknown, wanted: Parameters<typeof edit>[0]['wants'], mode: 'merge' | 'reconcile' = 'merge') =>
  edit({ policy: parsed(policy), wants: wanted, facts, policySid, mode, marker });

test('after an edit the targets are let in, nobody else gains, nobody loses, foreign statements are as they were, a second edit changes nothing', () => {
  const kinds = { changed: 0, unchanged: 0, refused: 0 };
  fc.assert(
    fc.property(policies(['Allow', 'Allow', 'Allow', 'Deny']), wants, fc.nat(), (policy, wanted, chance) => {
      const result = edited(policy, wanted);
      kinds[result.kind] += 1;
      if (result.kind !== 'changed') return;
      const after = JSON.parse(result.text) as { Statement: unknown[]; Version?: string; Id?: string };
      const before = policy['Statement'] as unknown[];
      expect(after.Statement.slice(0, before.length)).toEqual(before);
      expect([after.Version, after.Id]).toEqual([policy['Version'], policy['Id']]);
      for (const identity of pick(identities, chance)) {
        const mine = wanted.filter(({ target }) => isOf(target, identity));
        for (const context of pick(contexts, chance).slice(0, 1)) {
          for (const action of pullActions) {
            const sender = { principal: asPrincipal(identity), context };
            const [was, is] = [decide(policy, action, sender), decide(after, action, sender)];
            const wantsIt = mine.some(({ actions }) => actions.includes(action));
            if (is === 'allow' && was !== 'allow' && !wantsIt) throw new Error(`${identity.arn} gained ${action}`);
            if (was === 'allow' && is !== 'allow') throw new Error(`${identity.arn} lost ${action}`);
            if (wantsIt && is === 'implicit-deny') throw new Error(`${identity.arn} was not let in for ${action}`);
          }
        }
      }
      expect(edited(after, wanted).kind).toBe('unchanged');
    }),
    runs,
  );
  for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(50);
});

test('merging is adding: what was granted by one merge is still there after any others', () => {
  fc.assert(
    fc.property(fc.array(wants, { minLength: 2, maxLength: 4 }), (all) => {
      let policy: unknown = { Version: '2012-10-17', Statement: [] };
      for (const wanted of all) {
        const result = edited(policy, wanted);
        if (result.kind === 'changed') policy = JSON.parse(result.text);
      }
      for (const wanted of all) expect(edited(policy, wanted).kind).toBe('unchanged');
    }),
    { numRuns: 1_000 },
  );
});

test('reconciling leaves in our statements only what is wanted, foreign statements as they were, and is done at once', () => {
  fc.assert(
    fc.property(policies(['Allow']), wants, wants, (policy, old, wanted) => {
      const first = edited(policy, old);
      const start = (first.kind === 'changed' ? JSON.parse(first.text) : policy) as Record<string, unknown>;
      const result: ReturnType<typeof edit> = edited(start, wanted, 'reconcile');
      if (result.kind !== 'changed') return;
      const after = JSON.parse(result.text) as Record<string, unknown>;
      const foreign = policy['Statement'] as unknown[];
      expect((after['Statement'] as unknown[]).slice(0, foreign.length)).toEqual(foreign);
      const allowed = new Set(wanted.flatMap((want) => ownValues(edited({ Statement: [] }, [want]))));
      for (const value of ownValues(result)) expect(allowed).toContain(value);
      expect(result.text).toContain(marker);
      expect(edited(after, wanted, 'reconcile').kind).toBe('unchanged');
    }),
    { numRuns: 1_000 },
  );
});

function ownValues(result: ReturnType<typeof edit>): string[] {
  if (result.kind !== 'changed') return [];
  const { policy }: Edited = result;
  return policy.statements.flatMap((statement) => readOwn(statement, policySid)?.values ?? []);
}

const pathPatterns = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'o-1/*',
      'o-1/r-1/*',
      'o-1/*/ou-t/*',
      'o-1/*/ou-p/*',
      'o-1/r-1/ou-p/*',
      'o-1/r-1/ou-p/ou-t/*',
      'o-1/r-1/ou-q/ou-t/*',
      'o-2/*',
      'o-1/*/ou-*',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('o-1/', 'r-1/', 'ou-p/', 'ou-t/', '*', '?'), { maxLength: 5 }).map((parts) => parts.join('')),
  },
);
const own: fc.Arbitrary<OwnStatement> = fc
  .tuple(
    fc.uniqueArray(pathPatterns, { minLength: 1, maxLength: 3 }),
    fc.subarray([...pullActions], { minLength: 1 }),
    fc.integer({ min: 1, max: 9 }),
  )
  .map(([values, actions, number]) => ({ sid: { kind: 'OrgPaths', number, marker: undefined }, actions, values }));

test('folding keeps the meaning', () => {
  const meaning = (statements: readonly OwnStatement[]) =>
    pullActions.flatMap((action) => {
      const values = statements.filter(({ actions }) => actions.includes(action)).flatMap((statement) => statement.values.map(glob));
      return paths.filter((path) => values.some((value) => matches(value, path))).map((path) => `${action} ${path}`);
    });
  const count = (list: readonly OwnStatement[]) => list.reduce((sum, { values }) => sum + values.length, 0);
  fc.assert(
    fc.property(fc.array(own, { maxLength: 3 }), (statements) => {
      const { statements: left, folded } = fold(statements);
      expect([count(left) + folded.length, meaning(left)]).toEqual([count(statements), meaning(statements)]);
    }),
    runs,
  );
});

const alphabet = fc.constantFrom('a', 'b', '*', '?', '*');
const pattern = fc.array(alphabet, { maxLength: 6 }).map((characters) => characters.join(''));
const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 }).map((characters) => characters.join(''));
const glob = (text: string) => {
  const found = parseGlob(text, { version: undefined, wild: true });
  if (!found) throw new Error(text);
  return found;
};
const asRegExp = (text: string) => new RegExp(`^${text.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`, 's');

test('globs match as a regular expression would', () => {
  fc.assert(
    fc.property(pattern, words, (text, word) => matches(glob(text), word) === asRegExp(text).test(word)),
    { numRuns: 20_000 },
  );
});

/** Every word over a, b and one letter that no pattern names, up to 5 letters: enough to tell patterns of up to 4 tokens apart. */
const everyWord = Array.from({ length: 6 })
  .reduce<string[][]>((lists) => [...lists, (lists.at(-1) ?? []).flatMap((word) => ['a', 'b', 'c'].map((letter) => word + letter))], [['']])
  .flat();

test('containment of globs is exactly inclusion', () => {
  const short = fc.array(alphabet, { maxLength: 4 }).map((characters) => characters.join(''));
  fc.assert(
    fc.property(fc.array(short, { minLength: 1, maxLength: 3 }), short, (outer, inner) => {
      const [wide, narrow] = [outer.map(asRegExp), asRegExp(inner)];
      const truth = everyWord.every((word) => !narrow.test(word) || wide.some((one) => one.test(word)));
      if (contains(outer.map(glob), glob(inner)) !== truth) throw new Error(`${JSON.stringify(outer)} ${inner}: ${truth}`);
    }),
    { numRuns: 10_000 },
  );
});
