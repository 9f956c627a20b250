import { beforeEach, expect, test } from '@jest/globals';
import { stepOutputs, type StepOutputs } from '../src/outputs.ts';
import { FakeFiles } from './fakes/files.ts';
import { FakeGitHub } from './fakes/github.ts';
import { RecordingLog } from './fakes/log.ts';

let files: FakeFiles;
let github: FakeGitHub;
let log: RecordingLog;
let outputs: StepOutputs;
const uri = '111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:0';
const workflow = (registryId: string) => `jobs:
  release:
    outputs: { uri: '\${{ steps.s.outputs.image-uri }}', image: '\${{ steps.s.outputs.image }}' }
    steps:
      - { id: s, uses: o/a@v1, with: { mode: publish } }
      - with:
          registry-id: ${registryId}
`;

beforeEach(() => {
  files = new FakeFiles();
  github = new FakeGitHub();
  log = new RecordingLog();
  outputs = stepOutputs({ files, github, log });
});
const inRepository = (text: string) => files.files.set('/workspace/.github/workflows/release.yml', text);

test('an output is set as soon as it is known; the last value holds', () => {
  outputs.set('policy-changed', 'true');
  outputs.set('policy-changed', 'false');
  expect([...github.outputs]).toEqual([['policy-changed', 'false']]);
});

test('the large ones have 450,000 characters together, and whoever gets less is told', () => {
  outputs.set('policy', 'p'.repeat(10_000));
  outputs.set('plan', 'x'.repeat(440_000));
  expect(github.outputs.get('plan')).toHaveLength(440_000);
  expect(log.lines).toEqual([]);
  outputs.set('plan', 'x'.repeat(440_001));
  expect(github.outputs.get('plan')).toBe('{"truncated":true}');
  expect(log.lines).toEqual([expect.stringMatching(/^warning: Output plan has 440001 characters, more than GitHub takes/)]);
  // The same output again does not count twice.
  outputs.set('policy', 'p'.repeat(449_000));
  expect(github.outputs.get('policy')).toHaveLength(449_000);
});

test('pain 27: an output of the job that GitHub will drop is named, with what to pass instead', async () => {
  inRepository(workflow('${{ secrets.SHARED }}'));
  outputs.set('image-uri', uri);
  outputs.set('image', 'shop/web@sha256:0');
  await outputs.warnOfDropped();
  expect(log.lines).toEqual([
    'warning: GitHub will not give uri to other jobs: its account ID is the secret SHARED, and an output that holds a masked value is dropped whole. Pass the output image instead, which holds none, and registry-id beside it.',
  ]);
});

test.each([
  ['no account ID is masked', workflow('"111111111111"')],
  ['the file is no YAML', 'jobs: [ registry-id: ${{ secrets.X }}'],
  ['the file is not checked out', undefined],
])('nothing is said where %s', async (_, text) => {
  if (text !== undefined) inRepository(text);
  outputs.set('image-uri', uri);
  await outputs.warnOfDropped();
  expect(log.lines).toEqual([]);
});

test('nothing is read where no output holds an account ID', async () => {
  inRepository(workflow('${{ secrets.SHARED }}'));
  files.readText = async () => Promise.reject(new Error('read'));
  outputs.set('image', 'shop/web@sha256:111111111111');
  outputs.set('registry', '127.0.0.1:5000');
  await outputs.warnOfDropped();
  expect(log.lines).toEqual([]);
});
