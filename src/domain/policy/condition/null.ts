/** Null: "true" means that the key is absent, "false" that it is there (and not null). */
import type { Operator } from './operator.ts';

export const nullOperator: Operator = {
  name: 'Null',
  prepare: ({ values }) => {
    const wanted = new Set(values.map((value) => value.toLowerCase()));
    return { absent: wanted.has('true'), present: () => ({ answer: wanted.has('false') ? 'all' : 'none' }) };
  },
};
