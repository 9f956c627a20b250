import { describe, expect, test } from '@jest/globals';
import { accountMask, jobOutputsOf } from '../../src/domain/workflow-file.ts';

describe('account IDs are masked where', () => {
  test.each([
    ['registry-id: ${{ secrets.SHARED }}', 'SHARED'],
    ['  - registries: "${{secrets.SHARED}},222222222222"', 'SHARED'],
    ['registry-role: arn:aws:iam::${{ secrets.ACCOUNT_ID }}:role/ecr', 'ACCOUNT_ID'],
    ['role-to-assume: arn:aws-cn:iam::${{ secrets.X }}:role/deploy', 'X'],
    ['image: ${{ secrets.HUB }}.dkr.ecr.eu-west-1.amazonaws.com/shop/web', 'HUB'],
    ['mask-aws-account-id: true', undefined],
    ["mask-aws-account-id: 'TRUE'", undefined],
  ])('%s', (line, secret) => {
    expect(accountMask(`jobs:\n  x:\n    ${line}\n`)).toEqual({ line: 3, secret });
  });

  test.each([
    'registry-id: ${{ vars.SHARED }}',
    'registry-role: ${{ secrets.ROLE_ARN }}',
    'mask-aws-account-id: false',
    '# registry-id: ${{ secrets.SHARED }}',
    'token: ${{ secrets.TOKEN }}',
    '',
  ])('and not where %j', (line) => {
    expect(accountMask(line)).toBeUndefined();
  });
});

describe('the outputs of a job', () => {
  const workflow = {
    jobs: {
      image: {
        outputs: {
          uri: '${{ steps.ship.outputs.image-uri }}',
          host: "${{ steps['ship'].outputs['registry'] || '' }}",
          image: '${{ steps.ship.outputs.image }}',
          number: 7,
        },
      },
      deploy: {},
    },
  };

  test('that are made of these step outputs', () => {
    expect(jobOutputsOf(workflow, { job: 'image', names: ['image-uri', 'registry'] })).toEqual(['uri', 'host']);
    expect(jobOutputsOf(workflow, { job: 'image', names: ['image-name'] })).toEqual([]);
  });

  test.each([['deploy'], ['none']])('of %s are none', (job) => {
    expect(jobOutputsOf(workflow, { job, names: ['image-uri'] })).toEqual([]);
  });

  test.each([[null], ['text'], [{ jobs: [] }]])('of what is no workflow (%j) are none', (value) => {
    expect(jobOutputsOf(value, { job: 'image', names: ['image-uri'] })).toEqual([]);
  });
});
