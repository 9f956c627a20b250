/** Said before a wait that the credentials will not outlive (RULES 3): the deployment goes on, but nobody follows it any more. */
import { utc, type Session } from '../ports/credentials.ts';
import type { Log } from '../ports/log.ts';
import { byOidc } from '../ports/sts.ts';

/** Sessions that say nothing of their end last an hour, unless somebody asked for more. */
const usualMinutes = 60;

export interface Wait {
  readonly session: Pick<Session, 'ending' | 'role'>;
  /** How long it may take. */
  readonly minutes: number;
}

export interface Shortness {
  readonly problem: string;
  readonly advice: string;
}

/** Undefined for credentials that last. */
export function shortnessOf({ session, minutes }: Wait): Shortness | undefined {
  const ending = session.ending();
  if (ending === undefined || (ending.left ?? usualMinutes * 60_000) >= minutes * 60_000) return undefined;
  const until = ending.at === undefined ? 'for an hour as a rule, nobody says' : `until ${utc(ending.at)}`;
  return ending.why === 'environment'
    ? {
        problem: `The wait may take ${minutes} min, but the credentials come from the environment and can't be renewed (they last ${until}).`,
        advice: 'Give deploy-role to let the action renew them itself.',
      }
    : {
        problem: `The wait may take ${minutes} min, but ${session.role ?? 'the role'} was assumed by role chaining, which ends after an hour (${until}), from a session in the environment that can't be renewed.`,
        advice: byOidc,
      };
}

export function warnOfEnding({ log, ...wait }: Wait & { readonly log: Log }): void {
  const short = shortnessOf(wait);
  if (short) log.warning(`${short.problem} ${short.advice}`);
}
