/** Bool: the key's value is "true" or "false", as one of the clause's values says. */
import type { Operator } from './operator.ts';

export const boolOperator: Operator = {
  name: 'Bool',
  prepare: ({ values }) => {
    const wanted = new Set(values.map((value) => value.toLowerCase()));
    return {
      absent: false,
      present: ({ present: { literal, fixed } }) => {
        if (literal !== undefined && fixed) return { answer: wanted.has(literal.toLowerCase()) ? 'all' : 'none' };
        return { answer: wanted.has('true') && wanted.has('false') ? 'all' : 'varies' };
      },
    };
  },
};
