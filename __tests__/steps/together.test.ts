import { expect, test } from '@jest/globals';
import { AwsError, DocumentError, InputError } from '../../src/errors.ts';
import { together } from '../../src/steps/together.ts';
import { failureOf } from './deployment-setting.ts';

const refused = (role: string): AwsError =>
  new AwsError(`STS refused ${role}.`, { service: 'sts', operation: 'AssumeRole', code: 'AccessDenied', hint: 'Mend its trust.' });

test('all go well: their results, in order', async () => {
  expect(await together(['registry-role', Promise.resolve(1)], ['deploy-role', Promise.resolve('two')])).toEqual([1, 'two']);
});

test('one that fails alone is told as it is', async () => {
  const error = refused('web-deploy');
  expect(await failureOf(together(['registry-role', Promise.resolve(1)], ['deploy-role', Promise.reject(error)]))).toBe(error);
});

test('both sides refused: each is told by its own input', async () => {
  const failing = together(
    ['registry-role', Promise.reject(refused('ecr-release'))],
    ['deploy-role', Promise.reject(refused('web-deploy'))],
  );
  expect((await failureOf(failing)).message).toBe(
    [
      '2 inputs need attention:',
      '  - registry-role: STS refused ecr-release. Mend its trust.',
      '  - deploy-role: STS refused web-deploy. Mend its trust.',
    ].join('\n'),
  );
});

test('problems that name their input or file keep it, and what all wait for is said once', async () => {
  const failing = together(
    ['registry-role', Promise.reject(new InputError([{ input: 'tags', problem: 'is taken' }], { hint: 'Choose another.' }))],
    ['registry-role', Promise.reject(refused('ecr-release'))],
    ['registry-role', Promise.reject(refused('ecr-release'))],
    ['deploy-role', Promise.reject(new DocumentError([{ file: 'task.json', problem: 'is not there' }]))],
  );
  expect(await failureOf(failing)).toMatchObject({
    message: [
      '3 inputs need attention:',
      '  - tags: is taken',
      '  - documents: task.json: is not there',
      '  - registry-role: STS refused ecr-release. Mend its trust.',
    ].join('\n'),
    hint: 'Choose another.\nNothing was changed.',
  });
});

test('a fault of our own is no finding', async () => {
  const bug = new TypeError('of ours');
  expect(await failureOf(together(['registry-role', Promise.reject(refused('x'))], ['deploy-role', Promise.reject(bug)]))).toBe(bug);
});
