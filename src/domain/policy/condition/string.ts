/** The String operators: exact, without regard to case, or with `*` and `?`; each with its negation. */
import { judge, valueSet, type ValueSet } from '../value-set.ts';
import { lowerCase } from '../words.ts';
import { negate, type Operator } from './operator.ts';

interface Form {
  readonly name: string;
  readonly wild?: boolean;
  readonly folded?: boolean;
  readonly negated?: boolean;
}

const operator = ({ name, wild = false, folded = false, negated = false }: Form): Operator => ({
  name,
  prepare: ({ values: texts, version }) => {
    const values = valueSet(folded ? texts.map((text) => text.toLowerCase()) : texts, { version, wild });
    return {
      absent: negated,
      places: folded || negated ? undefined : placesIn(values),
      present: ({ present }, precise) => {
        const judgement = judge(values, { possible: folded ? lowerCase(present) : present, precise: precise || negated });
        return negated ? negate(judgement) : judgement;
      },
    };
  },
});

/** An exact value is the path of the one who is let in: the last of the places around it. */
function placesIn({ exact, placed, rest, variables }: ValueSet): ReadonlySet<string> | undefined {
  return rest.length + variables.length > 0 ? undefined : new Set([...placed.keys(), ...exact.keys()]);
}

export const stringOperators: readonly Operator[] = [
  operator({ name: 'StringEquals' }),
  operator({ name: 'StringNotEquals', negated: true }),
  operator({ name: 'StringEqualsIgnoreCase', folded: true }),
  operator({ name: 'StringNotEqualsIgnoreCase', folded: true, negated: true }),
  operator({ name: 'StringLike', wild: true }),
  operator({ name: 'StringNotLike', wild: true, negated: true }),
];
