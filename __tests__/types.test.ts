/** What must not compile. `npm run types` fails where one of these lines is no error any more; the test only runs them. */
import { expect, test } from '@jest/globals';
import type { AccountId } from '../src/domain/account.ts';
import { parseTag, type RepositoryName, type Tag } from '../src/domain/image.ts';
import { optional, required, text, type Values } from '../src/inputs.ts';
import { defineMode, type OutputName } from '../src/mode.ts';

test('text is no branded value until its parser made it one', () => {
  // @ts-expect-error a string is no AccountId
  const account: AccountId = '111111111111';
  // @ts-expect-error nor is one brand another
  const mixUp = (repository: RepositoryName): Tag => repository;
  const parsed = parseTag('v1');
  // @ts-expect-error a parsed value is reached only after looking whether it is ok
  const value = parsed.value as Tag;
  expect([account, mixUp, value]).toHaveLength(3);
});

test('a mode knows its own inputs and outputs, and no others', () => {
  const rows = { cluster: required(text, 'The cluster.'), file: optional(text, 'A file.') } as const;
  type Inputs = Values<typeof rows>;
  // @ts-expect-error an optional input may be absent
  const file = (inputs: Inputs): string => inputs.file;
  // @ts-expect-error no such input
  const service = (inputs: Inputs): unknown => inputs.service;
  const mode = defineMode({
    name: 'some',
    summary: 'Some mode.',
    inputs: rows,
    outputs: ['changed'],
    run: async ({ inputs, output }) => {
      output('changed', inputs.cluster);
      // @ts-expect-error not declared by this mode
      output('deployment-id', inputs.cluster);
    },
  });
  // @ts-expect-error no such output of the action
  const misspelt: OutputName = 'deployment_id';
  expect([file, service, misspelt, mode.name]).toHaveLength(4);
});
