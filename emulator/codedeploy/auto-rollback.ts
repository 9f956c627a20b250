/** When a rollback follows by itself. https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AutoRollbackConfiguration.html */
import { flag, texts } from '../coral.ts';
import type { RollbackEvent } from '../life/failure.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

export const ROLLBACK_EVENTS: readonly RollbackEvent[] = ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM', 'DEPLOYMENT_STOP_ON_REQUEST'];

/** The setting of a request, as CodeDeploy checks it. */
export const checkedRollback = (given: Json | undefined): Json | undefined => {
  if (!given) return undefined;
  const events = texts(given, 'events') ?? [];
  const enabled = flag(given, 'enabled') ?? false;
  if (events.some((event) => !(ROLLBACK_EVENTS as readonly string[]).includes(event))) {
    throw new AwsFault('InvalidAutoRollbackConfigException', 'The auto-rollback configuration contains an event that is not valid.');
  }
  if (enabled && events.length === 0) {
    throw new AwsFault('InvalidAutoRollbackConfigException', 'Auto-rollback is enabled, but no events are specified.');
  }
  return { enabled, events };
};
