/** A page of a list, with CodeDeploy's own word for a token it does not know. */
import { text } from '../coral.ts';
import { page } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

export const paged = <T>(all: readonly T[], input: Json): { readonly items: readonly T[]; readonly next?: string } => {
  try {
    return page(all, { token: text(input, 'nextToken'), size: 100 });
  } catch (error) {
    if (error instanceof AwsFault && error.code !== 'SerializationException') {
      throw new AwsFault('InvalidNextTokenException', 'The next token was specified in an invalid format.');
    }
    throw error;
  }
};
