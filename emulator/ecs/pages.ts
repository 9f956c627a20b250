/** A page of a list of ARNs, as ECS's `List…` operations cut it. */
import { number, text } from '../coral.ts';
import { invalid } from './checks.ts';
import { page } from '../json.ts';
import type { Json } from '../service.ts';

export const pagedArns = (all: readonly string[], input: Json): { readonly items: readonly string[]; readonly next?: string } => {
  const size = number(input, 'maxResults') ?? 100;
  if (size < 1 || size > 100) throw invalid('maxResults must be between 1 and 100.');
  return page(all, { token: text(input, 'nextToken'), size });
};
