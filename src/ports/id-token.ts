/** The job's OIDC token: asked of GitHub, held for the sides that open together, and read only for its claims. */
import { readClaims, type Claims } from '../domain/id-token.ts';
import type { Json } from '../domain/json.ts';
import { AwsError, toError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { GitHub } from './github.ts';

export interface IdTokens {
  /** A token for an audience; one that is younger than a minute serves the sides that are opened together. */
  get(audience: string): Promise<string>;
  /** The next one is a new one: STS has called this one too old. */
  forget(audience: string): void;
}

/** A token lives five minutes: what is left after this is enough for every retry of the SDK. */
const reuse = 60_000;
const attempts = 3;

export function reusedIdTokens({ github, clock }: { readonly github: GitHub; readonly clock: Clock }): IdTokens {
  const held = new Map<string, { readonly at: number; readonly token: Promise<string> }>();
  return {
    get: async (audience) => {
      const last = held.get(audience);
      if (last && clock.monotonic() - last.at < reuse) return last.token;
      const token = askFor({ github, clock, audience });
      held.set(audience, { at: clock.monotonic(), token });
      token.catch(() => held.delete(audience));
      return token;
    },
    forget: (audience) => void held.delete(audience),
  };
}

/** GitHub's token service fails now and then; three tries, half a second and then a second apart. */
async function askFor({ github, clock, audience }: { github: GitHub; clock: Clock; audience: string }): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await github.idToken(audience);
    } catch (error) {
      if (attempt === attempts) {
        const why = toError(error).message.replaceAll(/\s+/g, ' ');
        throw new AwsError(`GitHub gave the job no ID token: ${why}`, {
          service: 'github',
          operation: 'GetIdToken',
          code: 'NoIdToken',
          cause: error,
          hint: 'Nothing was changed. Run the job again; https://www.githubstatus.com tells whether GitHub has a problem.',
        });
      }
      await clock.sleep(500 * attempt);
    }
  }
}

/** What a token says. The token itself is never printed. */
export function claimsOf(token: string): Claims {
  try {
    return readClaims(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Json);
  } catch {
    return readClaims(null);
  }
}
