import { expect, test } from '@jest/globals';
import { imageLabels } from '../../src/domain/image-labels.ts';

const facts = {
  repository: { name: 'shop', description: 'The shop', url: 'https://github.com/acme/shop', license: 'MIT' },
  revision: '0123456789abcdef',
  commitTime: Date.parse('2026-11-20T08:30:00Z'),
  version: '1.2.3',
};
const name = (label: string) => `org.opencontainers.image.${label}`;

test('those of docker/metadata-action, in the order of their names', () => {
  expect(imageLabels(facts, [])).toEqual([
    [name('created'), '2026-11-20T08:30:00.000Z'],
    [name('description'), 'The shop'],
    [name('licenses'), 'MIT'],
    [name('revision'), '0123456789abcdef'],
    [name('source'), 'https://github.com/acme/shop'],
    [name('title'), 'shop'],
    [name('url'), 'https://github.com/acme/shop'],
    [name('version'), '1.2.3'],
  ]);
});

test('the author’s own win, and may be others', () => {
  const labels = new Map(
    imageLabels(facts, [
      [name('title'), 'Web shop'],
      ['team', 'red'],
    ]),
  );
  expect([labels.get(name('title')), labels.get('team'), labels.size]).toEqual(['Web shop', 'red', 9]);
});

test('nobody knows when the commit was made: no label says so', () => {
  expect(imageLabels({ ...facts, commitTime: undefined }, []).map(([label]) => label)).not.toContain(name('created'));
});
