import { describe, expect, test } from '@jest/globals';
import { cleanupMemory, remembered, type Cleanup } from '../src/cleanup.ts';
import { FakeGitHub } from './fakes/github.ts';

const folder = (path: string): Cleanup => ({ kind: 'remove-folder', path });
/** As large as a deployment with role-session-tags, in characters of three bytes. */
const large = (index: number): Cleanup => folder(`/temp/${index}/${'–'.repeat(650)}`);

/** The runner, and each save in its order. */
class Runner extends FakeGitHub {
  readonly saves: { readonly name: string; readonly value: string }[] = [];

  override saveState = (name: string, value: string): undefined => {
    this.saves.push({ name, value });
    this.saved.set(name, value);
  };
}

describe('what is left to the post step', () => {
  test('comes back in the order in which it was remembered, without what was forgotten', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const [one, two, three] = [folder('/1'), folder('/2'), folder('/3')];
    for (const item of [one, two, three, two]) memory.remember(item);
    memory.forget(two);
    memory.forget(folder('/3'));
    expect(remembered(runner)).toEqual([one, three]);
    expect([...runner.saved.keys()]).toEqual(['cleanup']);
  });

  test('nothing was remembered: nothing comes back', () => expect(remembered(new Runner())).toEqual([]));

  test('of a hundred accounts is saved in pieces, each of which fits into an environment variable', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const items = Array.from({ length: 100 }, (_, index) => large(index));
    for (const item of items) memory.remember(item);
    expect(remembered(runner)).toEqual(items);
    expect([...runner.saved.keys()]).toEqual(['cleanup', ...[1, 2, 3, 4, 5, 6].map((piece) => `cleanup-${piece}`)]);
    expect(Math.max(...runner.saves.map(({ value }) => Buffer.byteLength(value)))).toBeLessThan(30_000);
    expect(runner.saves).toHaveLength(100);
  });

  test('a change saves its own piece only, and what was forgotten whole hides nothing', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const items = Array.from({ length: 30 }, (_, index) => large(index));
    for (const item of items) memory.remember(item);
    const first = JSON.parse(runner.state('cleanup')) as readonly Cleanup[];
    runner.saves.length = 0;
    for (const item of items.slice(0, first.length)) memory.forget(item);
    expect(new Set(runner.saves.map(({ name }) => name))).toEqual(new Set(['cleanup']));
    expect(runner.state('cleanup')).toBe('[]');
    expect(remembered(runner)).toEqual(items.slice(first.length));
    for (const item of items) memory.forget(item);
    expect([...new Set(runner.saved.values())]).toEqual(['[]']);
  });

  test('what was remembered in an earlier piece stays there', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const items = Array.from({ length: 30 }, (_, index) => large(index));
    for (const item of [...items, ...items.slice(0, 1)]) memory.remember(item);
    expect(runner.saves.at(-1)?.name).toBe('cleanup');
    expect(remembered(runner)).toEqual(items);
  });

  test('what alone is too large has a piece of its own', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const items = [folder('/1'), folder('x'.repeat(30_000)), folder('/2')];
    for (const item of items) memory.remember(item);
    expect(remembered(runner)).toEqual(items);
    expect([...runner.saved.keys()]).toEqual(['cleanup', 'cleanup-1', 'cleanup-2']);
  });
});

describe('a killed run', () => {
  test('leaves all that it had remembered, whenever it was killed', () => {
    const runner = new Runner();
    const memory = cleanupMemory(runner);
    const items = Array.from({ length: 40 }, (_, index) => large(index));
    for (const [index, item] of items.entries()) {
      memory.remember(item);
      expect(remembered(runner)).toEqual(items.slice(0, index + 1));
    }
  });

  test.each(['[{"kind":"remove-fol', '{}', '[null,{"kind":"unknown"}]'])('with a piece that is %s leaves the others', (broken) => {
    const runner = new Runner();
    runner.saved.set('cleanup', JSON.stringify([folder('/1')]));
    runner.saved.set('cleanup-1', broken);
    runner.saved.set('cleanup-2', JSON.stringify([folder('/2')]));
    expect(remembered(runner)).toEqual([folder('/1'), folder('/2')]);
  });
});
