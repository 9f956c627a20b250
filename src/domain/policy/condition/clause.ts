/**
 * One (operator, key) clause of a Condition, with set operators and IfExists around the operator
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html):
 *
 *   key absent      plain: false, negated: true    ForAnyValue: false    ForAllValues and …IfExists: true
 *   key present     every request carries one organization path, so ForAnyValue and ForAllValues both mean the operator itself
 *   several-valued  without a set operator AWS doesn't say what a clause on such a key means: unknown
 */
import { unknownKey, type Requests } from '../known.ts';
import { qualified } from './operators.ts';
import type { Clause } from '../document.ts';
import type { Judgement } from '../value-set.ts';

const severalValued = new Set([
  'aws:principalorgpaths',
  'aws:sourceorgpaths',
  'aws:vpceorgpaths',
  'aws:tagkeys',
  'aws:calledvia',
  'aws:principalservicenameslist',
]);

/** A judgement with its reason in words, put together when asked for. */
export interface ClauseJudgement extends Judgement {
  readonly because: () => string;
}

export type PreparedClause = (question: { readonly requests: Requests; readonly precise: boolean }) => ClauseJudgement;

export function isSeveralValued(key: string): boolean {
  return severalValued.has(key.toLowerCase());
}

export function prepareClause({ operator: text, key, values }: Clause, version: string | undefined): PreparedClause {
  const { operator, name, set, ifExists } = qualified(text);
  if (!operator) return () => ({ answer: 'unknown', because: () => `the condition operator ${text} is not known` });
  const prepared = operator.prepare({ values, version });
  const keyName = key.toLowerCase();
  const bare = set === undefined && name !== 'Null' && isSeveralValued(key);
  const onAbsent = ifExists || set === 'all' || (set === undefined && prepared.absent) ? 'all' : 'none';
  const label = `${text} ${key}`;
  return ({ requests, precise }) => {
    if (bare) return { answer: 'unknown', because: () => `${label}: a key of several values needs ForAnyValue or ForAllValues` };
    const known = requests.knows(keyName);
    const { present, absent, loose, arn } = known ?? unknownKey;
    const met: Judgement | undefined = present && prepared.present({ possible: present, arn, precise });
    const judgement = combine(met && loose === true && met.answer === 'part' ? { answer: 'varies' } : met, absent ? onAbsent : undefined);
    return {
      ...judgement,
      because: () => reasonOf({ judgement, label, listed: judgement.by ?? summary(values), known: known !== undefined }),
    };
  };
}

/** With the key and without it. */
function combine(met: Judgement | undefined, onAbsent: 'all' | 'none' | undefined): Judgement {
  if (!met) return { answer: onAbsent ?? 'none' };
  if (onAbsent === undefined || met.answer === onAbsent) return met;
  return { answer: met.answer === 'unknown' ? 'unknown' : 'varies' };
}

interface Reason {
  readonly judgement: Judgement;
  readonly label: string;
  readonly listed: string;
  readonly known: boolean;
}

function reasonOf({ judgement: { answer, witness }, label, listed, known }: Reason): string {
  switch (answer) {
    case 'all':
      return `${label} ${listed} is met by all of them`;
    case 'none':
      return `${label} ${listed} is met by none of them`;
    case 'part':
      return `${label} ${listed} is met by some of them only${witness === undefined ? '' : ` (${witness})`}`;
    case 'varies':
      return known ? `${label} ${listed} is not met by all of them` : `${label} narrows by something that differs between requests`;
    case 'unknown':
      return `${label} ${listed}: whether they meet it can't be told from here`;
  }
}

function summary(values: readonly string[]): string {
  return values.length <= 3 ? values.join(', ') : `${values.slice(0, 2).join(', ')} and ${values.length - 2} more`;
}
