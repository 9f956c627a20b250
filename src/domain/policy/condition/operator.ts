/**
 * One condition operator (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
 * It is prepared once with a clause's values, then asked how a key's possible values lie to them. Set operators and IfExists are
 * none of its business: `clause.ts` puts them around it. A new operator is one object and one line in `operators.ts`.
 */
import type { Answer } from '../automaton.ts';
import type { Judgement } from '../value-set.ts';
import type { PresentKey } from '../known.ts';

export interface Prepared {
  /** How the key's possible values lie to the clause's; `precise` tells "some of them match" from "none". */
  readonly present: (key: PresentKey, precise: boolean) => Judgement;
  /** Is the condition met by a request without the key? */
  readonly absent: boolean;
  /**
   * On organization paths: the only places (place.ts) at which `present` may answer "all", and "unknown" of a path that is known to its
   * end; `undefined` where that can't be said.
   */
  readonly places?: ReadonlySet<string> | undefined;
}

export interface Operator {
  readonly name: string;
  readonly prepare: (clause: { readonly values: readonly string[]; readonly version: string | undefined }) => Prepared;
}

/** The judgement of the negated operator. */
export function negate({ answer, by }: Judgement): Judgement {
  const opposite: Answer = answer === 'all' ? 'none' : answer === 'none' ? 'all' : answer;
  return { answer: opposite, ...(by === undefined ? {} : { by }) };
}
