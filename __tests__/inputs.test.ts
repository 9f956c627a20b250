import { describe, expect, test } from '@jest/globals';
import { parseAccountId, parseRegion, parseRoleArn } from '../src/domain/account.ts';
import { InputError } from '../src/errors.ts';
import {
  boolean,
  didYouMean,
  integer,
  lines,
  list,
  listOf,
  oneOf,
  optional,
  readInputs,
  required,
  template,
  text,
  withDefault,
} from '../src/inputs.ts';

const rows = {
  'aws-region': required(parseRegion, 'The Region.'),
  'registry-id': optional(parseAccountId, 'The account.'),
  wait: withDefault(boolean, 'true', 'Whether to wait.'),
  platforms: listOf(list(text), 'Platforms.'),
} as const;

function read(given: Record<string, string>) {
  return readInputs({ rows, given: new Map(Object.entries(given)), known: [...Object.keys(rows), 'cluster'], mode: 'login' });
}

describe('readInputs', () => {
  test('gives each row its parsed value, its default, or its absence', () => {
    expect(read({ 'aws-region': 'eu-west-1', platforms: 'linux/amd64,linux/arm64' }).values).toEqual({
      'aws-region': 'eu-west-1',
      'registry-id': undefined,
      wait: true,
      platforms: ['linux/amd64', 'linux/arm64'],
    });
  });

  test('reports every problem at once', () => {
    const attempt = () => read({ 'registry-id': '123', wait: 'yes' });
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(
      [
        '3 inputs need attention:',
        '  - aws-region: is required',
        '  - registry-id: "123" is not an AWS account ID (12 digits; quote it in YAML, or a leading zero is lost)',
        '  - wait: "yes" is neither true nor false',
      ].join('\n'),
    );
  });

  test('warns once for an input that is ignored and for one that is unknown', () => {
    expect(read({ 'aws-region': 'eu-west-1', cluster: 'dev', 'aws-regoin': 'x' }).warnings).toEqual([
      'Input "cluster" is ignored: it has no meaning in mode login.',
      'Input "aws-regoin" is unknown and ignored (did you mean "aws-region"?).',
    ]);
  });
});

describe('parsers', () => {
  test.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false],
  ])('boolean reads %s as core.getBooleanInput does', (given, value) => {
    expect(boolean(given)).toEqual({ ok: true, value });
  });

  test.each(['yes', '1', 'tRUE', 'on', ' '])('boolean refuses %j', (given) => {
    expect(boolean(given).ok).toBe(false);
  });

  test('lines keep commas, lists split at them', () => {
    expect(lines(text)('a,b\n\n c ')).toEqual({ ok: true, value: ['a,b', 'c'] });
    expect(list(text)('a,b\n\n c ')).toEqual({ ok: true, value: ['a', 'b', 'c'] });
  });

  test.each(['0', '61', '1.5', '-1', 'abc', '1e1'])('integer refuses %s', (given) => {
    expect(integer({ least: 1, most: 60, unit: 'minutes' })(given)).toEqual({
      ok: false,
      problem: `"${given}" is not a whole number of minutes from 1 to 60`,
    });
  });

  test('oneOf names the choices, and the nearest', () => {
    expect(oneOf(['wait', 'stop', 'fail'])('wiat')).toEqual({
      ok: false,
      problem: '"wiat" is not one of wait, stop, fail (did you mean "wait"?)',
    });
  });

  test('didYouMean keeps silent when nothing is near', () => {
    expect(didYouMean('kubernetes', ['wait', 'stop'])).toBe('');
  });
});

describe('a template', () => {
  const role = template(parseRoleArn);

  test('keeps its text for each account', () =>
    expect(role('arn:aws:iam::{account-id}:role/{region}')).toMatchObject({
      ok: true,
      value: { template: 'arn:aws:iam::{account-id}:role/{region}' },
    }));

  test.each([
    [
      'arn:aws:iam::{account-id}:rolle/x',
      '"arn:aws:iam::{account-id}:rolle/x" is not an IAM role ARN such as arn:aws:iam::111111111111:role/deploy',
    ],
    [
      'arn:aws:iam::{account}:role/{what}',
      '{account} is not one of {account-id}, {account-name}, {region} (did you mean "{account-id}"?); {what} is not one of {account-id}, {account-name}, {region}',
    ],
  ])('%j is refused', (text, problem) => expect(role(text)).toEqual({ ok: false, problem }));
});
