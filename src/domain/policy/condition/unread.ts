/**
 * Operators of keys that we never know the value of: numbers, dates, addresses, bytes. They narrow by something that differs
 * between requests, so all that matters is what they make of an absent key.
 */
import type { Operator } from './operator.ts';

const operator = (name: string, negated = false): Operator => ({
  name,
  prepare: () => ({ absent: negated, present: () => ({ answer: 'varies' }) }),
});

export const unreadOperators: readonly Operator[] = [
  ...['Numeric', 'Date'].flatMap((type) => [
    operator(`${type}Equals`),
    operator(`${type}NotEquals`, true),
    ...['LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map((comparison) => operator(`${type}${comparison}`)),
  ]),
  operator('IpAddress'),
  operator('NotIpAddress', true),
  operator('BinaryEquals'),
];
