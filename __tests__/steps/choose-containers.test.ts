import { expect, test } from '@jest/globals';
import type { RepositoryName } from '../../src/domain/image.ts';
import type { TaskDefinition } from '../../src/domain/task-definition.ts';
import { chooseContainers, type Choice, type ExpectedImage } from '../../src/steps/choose-containers.ts';

const definition: TaskDefinition = {
  family: 'shop',
  containerDefinitions: [{ name: 'web', image: '1.example/shop/web:1' }, { name: 'proxy' }, { name: 'log', essential: false }],
};
const repository = 'shop/web' as RepositoryName;
const named = (container: string): ExpectedImage => ({ container, repository });

test.each<[string, readonly ExpectedImage[], string | undefined, Choice['containers']]>([
  ['one image finds its container', [{ repository }], undefined, { images: ['web'], environment: 'web' }],
  ['or is told it', [{ repository }], 'proxy', { images: ['proxy'], environment: 'proxy' }],
  [
    'lines name theirs, and the first gets the environment',
    [named('log'), named('web')],
    undefined,
    { images: ['log', 'web'], environment: 'log' },
  ],
  ['unless another is named', [named('log'), named('web')], 'proxy', { images: ['log', 'web'], environment: 'proxy' }],
])('%s', (_name, images, wanted, containers) => {
  expect(chooseContainers({ definition, images, wanted })).toEqual({ containers, problems: [] });
});

test('pain 23: every container that is not there is said at once', () => {
  expect(chooseContainers({ definition, images: [named('wbe'), named('web'), named('porxy')], wanted: 'x' })).toEqual({
    containers: undefined,
    problems: [
      { input: 'image', problem: '"wbe" is not in the task definition shop: its containers are web, proxy, log' },
      { input: 'image', problem: '"porxy" is not in the task definition shop: its containers are web, proxy, log' },
      { input: 'container-name', problem: '"x" is not in the task definition shop: its containers are web, proxy, log' },
    ],
  });
});
