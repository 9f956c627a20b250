/**
 * One (operator, key) clause of a Condition, with set operators and IfExists around the operator
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html):
 *
 *   key absent      plain: false, negated: true    ForAnyValue: false    ForAllValues and …IfExists: true
 *   key present     every request carries one organization path, so ForAnyValue and ForAllValues both mean the operator itself
 *   several-valued  without a set operator AWS doesn't say what a clause on such a key means: unknown
 */
import { isPresent, unknownKey, type Knowledge, type Requests } from '../known.ts';
import { qualified } from './operators.ts';
import type { Clause } from '../document.ts';
import type { Judgement } from '../value-set.ts';

/** The key of the places. */
export const organizationPaths = 'aws:principalorgpaths';

const severalValued = new Set([
  organizationPaths,
  'aws:sourceorgpaths',
  'aws:vpceorgpaths',
  'aws:tagkeys',
  'aws:calledvia',
  'aws:principalservicenameslist',
]);

/** One clause, ready to be asked about many targets. */
export interface PreparedClause {
  /** `precise` tells "some of the requests meet it" from "none": asked for a Deny. */
  readonly judge: (requests: Requests, precise: boolean) => Judgement;
  /** A judgement in words. Apart, since most are never read. */
  readonly explain: (judgement: Judgement, requests: Requests) => string;
  /** The only places at which all can meet the clause: `places` of operator.ts. */
  readonly places?: ReadonlySet<string> | undefined;
}

export function isSeveralValued(key: string): boolean {
  return severalValued.has(key.toLowerCase());
}

export function prepareClause({ operator: text, key, values }: Clause, version: string | undefined): PreparedClause {
  const { operator, name, set, ifExists } = qualified(text);
  if (!operator) return undecided(`the condition operator ${text} is not known`);
  const label = `${text} ${key}`;
  if (set === undefined && name !== 'Null' && isSeveralValued(key)) {
    return undecided(`${label}: a key of several values needs ForAnyValue or ForAllValues`);
  }
  const prepared = operator.prepare({ values, version });
  const keyName = key.toLowerCase();
  const onAbsent = ifExists || set === 'all' || (set === undefined && prepared.absent) ? 'all' : 'none';
  return {
    places: keyName === organizationPaths && onAbsent === 'none' ? prepared.places : undefined,
    judge: (requests, precise) => {
      const known = requests.knows(keyName) ?? unknownKey;
      return combine(
        isPresent(known) ? looseless(prepared.present(known, precise), known) : undefined,
        known.absent ? onAbsent : undefined,
      );
    },
    explain: (judgement, requests) =>
      reasonOf({ judgement, label, listed: judgement.by ?? summary(values), known: requests.knows(keyName) !== undefined }),
  };
}

const undecided = (because: string): PreparedClause => ({ judge: () => ({ answer: 'unknown' }), explain: () => because });

/** That some of the values match proves nothing when they are more than can occur. */
function looseless(judgement: Judgement, { loose }: Knowledge): Judgement {
  return loose === true && judgement.answer === 'part' ? varies : judgement;
}

const [varies, unknown]: readonly [Judgement, Judgement] = [{ answer: 'varies' }, { answer: 'unknown' }];

/** With the key and without it. */
function combine(met: Judgement | undefined, onAbsent: 'all' | 'none' | undefined): Judgement {
  if (!met) return { answer: onAbsent ?? 'none' };
  if (onAbsent === undefined || met.answer === onAbsent) return met;
  return met.answer === 'unknown' ? unknown : varies;
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
