/**
 * The cases of cases/*.json, which need no TypeScript to be edited: a policy (a list of statements is one of Version 2012-10-17),
 * a target by its name in tree.json, the actions (the three of a pull unless said), and what is expected:
 *
 *   answer    yes | no | unknown, for every action or by action
 *   denies    extent, and `where` for a partial one
 *   exposed   the statements that let strangers in, as the log names them
 *   notes     codes of what a person should know
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { coverage, explain } from '../../../src/domain/policy/coverage.ts';
import { parsePolicy } from '../../../src/domain/policy/document.ts';
import { exposures } from '../../../src/domain/policy/exposure.ts';
import { pullActions } from '../../../src/domain/policy/grant.ts';
import type { Target } from '../../../src/domain/policy/target.ts';

interface Case {
  readonly rule: string;
  readonly name: string;
  readonly policy: unknown;
  readonly target: string;
  readonly actions?: readonly string[];
  readonly expected: {
    readonly answer: string | Record<string, string>;
    readonly denies?: readonly { readonly extent: string; readonly where?: string }[];
    readonly exposed?: readonly string[];
    readonly notes?: readonly string[];
  };
}

const folder = new URL('cases/', import.meta.url);
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const { repositoryArn, targets } = read('tree.json') as { repositoryArn: string; targets: Record<string, Target> };
const files = readdirSync(folder).filter((file) => file !== 'tree.json');
const cases = new Map(files.map((file) => [file, read(file) as Case[]]));

for (const [file, list] of cases) {
  describe(file, () => {
    test.each(list.map((one) => [one.name, one] as const))('%s', (_, { policy, target: name, actions = pullActions, expected }) => {
      const parsed = parsePolicy(JSON.stringify(Array.isArray(policy) ? { Version: '2012-10-17', Statement: policy } : policy));
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const target = targets[name];
      if (!target) throw new Error(`tree.json has no target ${name}`);
      const decided = coverage({ policy: parsed.policy, target, actions, facts: { repositoryArn } });
      const answers = Object.fromEntries(decided.actions.map(({ action, answer }) => [action, answer]));
      const wanted =
        typeof expected.answer === 'string' ? Object.fromEntries(actions.map((action) => [action, expected.answer])) : expected.answer;
      expect({
        answer: answers,
        denies: decided.denies.map(({ extent, where }) => ({ extent, ...(where === undefined ? {} : { where }) })),
        exposed: exposures(parsed.policy).map(({ statement }) => statement),
        notes: decided.notes.map(({ code }) => code),
        explained: explain(decided).every((line) => line.trim() !== ''),
      }).toEqual({
        answer: wanted,
        denies: expected.denies ?? [],
        exposed: expected.exposed ?? [],
        notes: expected.notes ?? [],
        explained: true,
      });
    });
  });
}

test('there are at least 120 cases, no name twice, and at most three for one rule', () => {
  const all = [...cases.values()].flat();
  const perRule = Map.groupBy(all, ({ rule }) => rule);
  expect(all.length).toBeGreaterThanOrEqual(120);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect([...perRule].filter(([, list]) => list.length > 3).map(([rule]) => rule)).toEqual([]);
});
