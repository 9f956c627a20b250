import { describe, expect, test } from '@jest/globals';
import { lineOfStep, parseBuildFailure, pushedDigest } from '../../src/domain/build-failure.ts';

const buildx = `#5 [2/3] RUN make
#5 0.123 ERROR: a test failed
#5 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [2/3] RUN make:
0.123 ERROR: a test failed
------
Dockerfile.prod:12
--------------------
  10 |     FROM base
  11 |     COPY . .
  12 | >>> RUN make
  13 |     CMD ["web"]
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
`;

describe('a failed build', () => {
  test('of buildx: file, line, step and reason', () => {
    expect(parseBuildFailure(buildx)).toEqual({
      reason: 'process "/bin/sh -c make" did not complete successfully: exit code: 2',
      step: 'RUN make',
      place: { file: 'Dockerfile.prod', line: 12 },
    });
  });

  test('of an older buildx: the same without the first words', () => {
    expect(parseBuildFailure(buildx.replace('failed to build: ', ''))?.reason).toMatch(/^process/);
  });

  test('that has no step', () => {
    expect(parseBuildFailure('#1 ERROR: x\nERROR: failed to solve: base: not found\n')).toEqual({
      reason: 'base: not found',
      step: undefined,
      place: undefined,
    });
  });

  test('of the classic builder: step and reason', () => {
    const output = `Step 1/2 : FROM scratch\n ---> \nStep 2/2 : RUN make all\n ---> Running in 0123\nThe command '/bin/sh -c make all' returned a non-zero code: 2\n`;
    expect(parseBuildFailure(output)).toEqual({
      reason: "The command '/bin/sh -c make all' returned a non-zero code: 2",
      step: 'RUN make all',
      place: undefined,
    });
  });

  test('that says nothing of it', () => {
    expect(parseBuildFailure('no space left on device')).toBeUndefined();
  });
});

test('the line of a step, where only one is like it', () => {
  expect(lineOfStep('FROM x\n  RUN a\nRUN b\nRUN b\n', 'RUN a')).toBe(2);
  expect(lineOfStep('FROM x\n  RUN a\nRUN b\nRUN b\n', 'RUN b')).toBeUndefined();
  expect(lineOfStep('FROM x\n', 'RUN c')).toBeUndefined();
});

test('the digest that was about to be pushed', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  expect(pushedDigest(`#7 pushing layers 0.1s done\n#7 pushing manifest for host/shop/web:v1@${digest}\n#7 ERROR: x`)).toBe(digest);
  expect(pushedDigest('#7 exporting layers')).toBeUndefined();
});
