import { expect, test } from '@jest/globals';
import { accountLogs } from '../../src/steps/account-log.ts';
import { RecordingLog } from '../fakes/log.ts';

test('an account’s events bear its label; its details come as one group when it ends', async () => {
  const log = new RecordingLog();
  const account = accountLogs(log)('dev-a 222222222222');
  account.info('task definition web:1 → web:2');
  account.info('  ~ containers.web.image: a → b');
  await account.group('d-1  following until succeeded', async () => account.info('d-1  Install ✓'));
  await account.group('Why d-1 did not succeed, and what to do', async () => account.info('No healthy task.'));
  account.info('d-1 failed\nfor some reason');
  await account.end('dev-a 222222222222: failed after 3 s');
  expect(log.lines).toEqual([
    'dev-a 222222222222  task definition web:1 → web:2',
    'dev-a 222222222222  d-1  following until succeeded',
    'dev-a 222222222222  d-1  Install ✓',
    'dev-a 222222222222  Why d-1 did not succeed, and what to do',
    'dev-a 222222222222  d-1 failed',
    '▼ dev-a 222222222222: failed after 3 s',
    'task definition web:1 → web:2',
    '  ~ containers.web.image: a → b',
    'd-1  following until succeeded',
    'd-1  Install ✓',
    'Why d-1 did not succeed, and what to do',
    'No healthy task.',
    'd-1 failed\nfor some reason',
  ]);
});

test('what all accounts warn of alike is one annotation', () => {
  const log = new RecordingLog();
  const logOf = accountLogs(log);
  const [a, b] = [logOf('a'), logOf('b')];
  for (const one of [a, b]) one.warning('The wait may take long.');
  b.notice('Only here.');
  expect(log.lines).toEqual(['warning: a: The wait may take long.', 'b  warning: The wait may take long.', 'notice: b: Only here.']);
});

test('no line of another account comes into a group, and groups come one after the other', async () => {
  const log = new RecordingLog();
  const group = log.group.bind(log);
  log.group = async (title, work) => {
    const result = await group(title, work);
    await Promise.resolve();
    log.lines.push('▲');
    return result;
  };
  const logOf = accountLogs(log);
  const [a, b, c] = [logOf('a'), logOf('b'), logOf('c')];
  a.info('one');
  b.info('two');
  const ends = Promise.all([a.end('a ends'), b.end('b ends')]);
  c.info('meanwhile');
  await Promise.resolve();
  c.warning('and meanwhile');
  await ends;
  expect(log.lines).toEqual([
    'a  one',
    'b  two',
    '▼ a ends',
    'one',
    '▲',
    '▼ b ends',
    'two',
    '▲',
    'c  meanwhile',
    'warning: c: and meanwhile',
  ]);
});
