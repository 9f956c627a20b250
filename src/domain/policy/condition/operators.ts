/** Every condition operator, by name. Names are read in any case: what ECR stored in another case it took for the same. */
import { arnOperators } from './arn.ts';
import { boolOperator } from './bool.ts';
import { nullOperator } from './null.ts';
import { stringOperators } from './string.ts';
import { unreadOperators } from './unread.ts';
import type { Operator } from './operator.ts';

const operators: readonly Operator[] = [...stringOperators, ...arnOperators, boolOperator, nullOperator, ...unreadOperators];

const byName: ReadonlyMap<string, Operator> = new Map(operators.map((operator) => [operator.name.toLowerCase(), operator]));

export interface Qualified {
  readonly name: string;
  readonly operator: Operator | undefined;
  /** `any` for ForAnyValue, `all` for ForAllValues. */
  readonly set: 'any' | 'all' | undefined;
  readonly ifExists: boolean;
}

/** Takes `ForAnyValue:StringLikeIfExists` apart. An unknown operator is `undefined`: what it means can't be said. */
export function qualified(text: string): Qualified {
  const [, set, name = '', suffix] = /^(ForAnyValue:|ForAllValues:)?(.*?)(IfExists)?$/is.exec(text) ?? [];
  const operator = byName.get(name.toLowerCase());
  const senseless = operator?.name === 'Null' && (set !== undefined || suffix !== undefined);
  return {
    name: operator?.name ?? name,
    operator: senseless ? undefined : operator,
    set: set === undefined ? undefined : set.toLowerCase() === 'foranyvalue:' ? 'any' : 'all',
    ifExists: suffix !== undefined,
  };
}
