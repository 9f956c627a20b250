/** The CloudWatch alarms that stop a deployment. https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html */
import { flag, records, text } from '../coral.ts';
import type { Outcome } from '../life/outcome.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

/** The setting of a request, as CodeDeploy checks it. */
export const checkedAlarms = (given: Json | undefined): Json | undefined => {
  if (!given) return undefined;
  const alarms = records(given, 'alarms') ?? [];
  const enabled = flag(given, 'enabled') ?? false;
  if (alarms.length > 10)
    throw new AwsFault('AlarmsLimitExceededException', 'The maximum number of alarms for a deployment group (10) was exceeded.');
  const named = alarms.every((each) => /^.{1,255}$/.test(text(each, 'name') ?? ''));
  if (!named || (enabled && alarms.length === 0))
    throw new AwsFault('InvalidAlarmConfigException', 'The format of the alarm configuration is invalid.');
  return { enabled, ignorePollAlarmFailure: flag(given, 'ignorePollAlarmFailure') ?? false, alarms };
};

/** An alarm stops a deployment only where the group, or the deployment, watches alarms. */
export const withAlarm = (outcome: Outcome, alarms: Json): Outcome => {
  if (outcome === 'succeed' || !('alarmAt' in outcome)) return outcome;
  const names = flag(alarms, 'enabled') === true ? (records(alarms, 'alarms') ?? []).map((each) => text(each, 'name') ?? '') : [];
  const fired = outcome.alarm ?? names[0];
  return fired !== undefined && names.includes(fired) ? { ...outcome, alarm: fired } : 'succeed';
};
