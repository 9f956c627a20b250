/**
 * When are two readings of a policy the same state? When they say the same, markers included, however ECR may have laid out the
 * text meanwhile: the order of statements, keys and list items and "one string or a list of one" don't count
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
 *
 * Every cooperating write has a fresh marker, so its state never was before; a foreign write without one is told by what it says.
 */
import { isObject, type Json } from './json.ts';
import type { Policy } from './document.ts';

export function stateOf(policy: Policy): string {
  return policy.statements
    .map(({ json }) => canonical(json))
    .sort()
    .join('\n');
}

function canonical(json: Json): string {
  if (Array.isArray(json)) {
    const items = (json as readonly Json[]).map(canonical).sort();
    return items.length === 1 ? (items[0] ?? '') : `[${items.join()}]`;
  }
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`);
  return `{${entries.sort().join()}}`;
}
