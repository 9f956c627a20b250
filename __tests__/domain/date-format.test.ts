import { expect, test } from '@jest/globals';
import { formatDate } from '../../src/domain/date-format.ts';

const time = Date.parse('2020-01-10T15:25:50.042Z');

test.each([
  ['YYYYMMDD', 'UTC', '20200110'],
  ['dddd, MMMM Do YYYY, h:mm:ss a', 'UTC', 'Friday, January 10th 2020, 3:25:50 pm'],
  ['YYYYMMDD-HHmmss', 'Asia/Tokyo', '20200111-002550'],
  ['YYYY-MM-DDTHH:mm:ss.SSS[Z]', 'UTC', '2020-01-10T15:25:50.042Z'],
  ['YYYY-MM-DD[T]HH:mm:ss.SSS[Z]', 'UTC', '2020-01-10T15:25:50.042Z'],
  ['YY.M.D H:m:s', 'UTC', '20.1.10 15:25:50'],
  ['DDDD DDD Q ddd MMM', 'UTC', '010 10 1 Fri Jan'],
  ['X x SS S A hh', 'UTC', '1578669950 1578669950042 04 0 PM 03'],
  ['Z ZZ', 'America/St_Johns', '-03:30 -0330'],
  ['HH', 'Atlantis/Centre', undefined],
  ['gggg', 'UTC', undefined],
  ['Hmm', 'UTC', undefined],
  ['w', 'UTC', undefined],
  ['LT', 'UTC', undefined],
  ['', 'UTC', ''],
])('%j in %s is %j', (format, zone, text) => {
  const formatted = formatDate({ time, format, zone });
  expect(formatted.ok ? formatted.value : undefined).toBe(text);
});

test('what it does not know is named', () => {
  expect(formatDate({ time, format: 'gggg', zone: 'UTC' })).toEqual({
    ok: false,
    problem: expect.stringContaining('has "gggg", which is not supported'),
  });
  expect(formatDate({ time, format: 'HH', zone: 'Nowhere' })).toEqual({
    ok: false,
    problem: '"Nowhere" is not a time zone such as Europe/Berlin',
  });
});
