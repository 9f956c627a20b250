/**
 * The ARN operators: ArnEquals means the same as ArnLike. Each of the six parts between colons is matched by itself, so that a
 * `*` doesn't run over a colon (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN).
 */
import { memo } from '../memo.ts';
import { judge, strongest, valueSet, type Judgement, type ValueSet } from '../value-set.ts';
import { negate, type Operator } from './operator.ts';
import type { Possible } from '../words.ts';

interface ArnPattern {
  readonly text: string;
  /** `undefined`: not six parts, we don't know what AWS makes of it. */
  readonly parts: readonly ValueSet[] | undefined;
  /** The account, when the pattern names one. */
  readonly account: string | undefined;
}

function readPattern(text: string, setOf: (part: string) => ValueSet): ArnPattern {
  const [scheme, partition, service, region, account, ...resource] = text.split(':');
  const parts = [scheme, partition, service, region, account, resource.length === 0 ? undefined : resource.join(':')];
  const known = parts.every((part) => part !== undefined) && !text.includes('${') ? parts : undefined;
  return {
    text,
    parts: known?.map(setOf),
    account: known === undefined || /[*?]/.test(account ?? '') ? undefined : account,
  };
}

const operator = (name: string, negated: boolean): Operator => ({
  name,
  prepare: ({ values, version }) => {
    // Patterns differ in a part or two.
    const setOf = memo((part: string) => valueSet([part], { version, wild: true }));
    const near = nearAccount(values.map((text) => readPattern(text, setOf)));
    return {
      absent: negated,
      present: ({ arn }) => {
        const judgement = arn
          ? strongest(
              near(arn[4]).map((pattern) => fit(pattern, arn)),
              ['all', 'unknown', 'part', 'varies'],
            )
          : varies;
        return negated ? negate(judgement) : judgement;
      },
    };
  },
});

const varies: Judgement = { answer: 'varies' };

/** A pattern that names another account than theirs is met by none of them. */
function nearAccount(patterns: readonly ArnPattern[]): (asking: Possible | undefined) => readonly ArnPattern[] {
  const byAccount = Map.groupBy(patterns, ({ account }) => account);
  const ofAny = byAccount.get(undefined) ?? [];
  return (asking) => {
    const known = asking?.fixed === true ? asking.literal : undefined;
    return known === undefined ? patterns : [...ofAny, ...(byAccount.get(known) ?? [])];
  };
}

/** All parts must match; they don't depend on each other. */
function fit({ text, parts }: ArnPattern, arn: readonly Possible[]): Judgement {
  if (!parts) return { answer: 'unknown', by: text };
  const answers = arn.map((possible, index) => {
    const values = parts[index];
    return values ? judge(values, { possible, precise: true }).answer : 'none';
  });
  if (answers.includes('none')) return { answer: 'none' };
  if (answers.includes('unknown')) return { answer: 'unknown', by: text };
  if (answers.every((answer) => answer === 'all')) return { answer: 'all', by: text };
  return { answer: answers.every((answer) => answer === 'all' || answer === 'part') ? 'part' : 'varies', by: text };
}

export const arnOperators: readonly Operator[] = [
  operator('ArnEquals', false),
  operator('ArnLike', false),
  operator('ArnNotEquals', true),
  operator('ArnNotLike', true),
];
