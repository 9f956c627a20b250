/** Said before a wait that the credentials will not outlive (RULES 3): the deployment goes on, but nobody follows it any more. */
import { utc, type Session } from '../ports/credentials.ts';
import type { Log } from '../ports/log.ts';
import { byOidc } from '../ports/sts.ts';

/** Sessions that say nothing of their end last an hour, unless somebody asked for more. */
const usualMinutes = 60;

export function warnOfEnding({
  session,
  minutes,
  log,
}: {
  readonly session: Pick<Session, 'ending' | 'role'>;
  /** How long the wait may take. */
  readonly minutes: number;
  readonly log: Log;
}): void {
  const ending = session.ending();
  if (ending === undefined || (ending.left ?? usualMinutes * 60_000) >= minutes * 60_000) return;
  const until = ending.at === undefined ? 'for an hour as a rule, nobody says' : `until ${utc(ending.at)}`;
  log.warning(
    ending.why === 'environment'
      ? `The wait may take ${minutes} min, but the credentials come from the environment and can't be renewed (they last ${until}). Give deploy-role to let the action renew them itself.`
      : `The wait may take ${minutes} min, but ${session.role ?? 'the role'} was assumed by role chaining, which ends after an hour (${until}), from a session in the environment that can't be renewed. ${byOidc}`,
  );
}
