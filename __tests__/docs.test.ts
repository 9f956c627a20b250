/** action.yml and the README say what the modes declare, and nothing else. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { outputs } from '../src/mode.ts';
import { fillTables, renderActionYaml, renderTables } from '../src/manifest.ts';
import { inputNames, modes } from '../src/modes/index.ts';

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

interface Action {
  readonly inputs: Record<string, { description: string; required: boolean; default?: string }>;
  readonly outputs: Record<string, { description: string }>;
  readonly runs: Record<string, string>;
}

describe('action.yml', () => {
  const action = parse(read('action.yml')) as Action;

  test('is what "npm run docs" renders', () => {
    expect(read('action.yml')).toBe(renderActionYaml(modes));
  });

  test('has every input once, each with a description, and no default but the runner’s own values', () => {
    expect(Object.keys(action.inputs).toSorted()).toEqual(['mode', ...inputNames].toSorted());
    const defaults = Object.entries(action.inputs).flatMap(([name, input]) => ('default' in input ? [[name, input.default]] : []));
    expect(defaults).toEqual([
      ['strategy', '${{ toJSON(strategy) }}'],
      ['github-token', '${{ github.token }}'],
    ]);
  });

  test('declares exactly the outputs that a mode can set', () => {
    const settable = new Set(modes.flatMap((mode) => mode.outputs));
    expect(Object.keys(action.outputs)).toEqual(Object.keys(outputs).filter((name) => settable.has(name as keyof typeof outputs)));
  });

  test('runs the two bundles on Node 24', () => {
    expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/post/index.js', 'post-if': 'always()' });
  });
});

test('the README’s tables are those of the modes', () => {
  const readme = read('README.md');
  expect(readme).toBe(fillTables(readme, renderTables(modes)));
});

test('the README’s examples name only inputs that exist', () => {
  const workflows = [...read('README.md').matchAll(/```yaml\n([^]*?)```/g)].map(
    ([, text = '']) => parse(text) as { jobs: Record<string, { steps: { uses?: string; with?: object }[] }> },
  );
  const used = workflows
    .flatMap(({ jobs }) => Object.values(jobs))
    .flatMap(({ steps }) => steps.filter(({ uses }) => uses?.startsWith('OWNER/ecr-org-deploy')));
  expect(used.length).toBeGreaterThan(2);
  for (const step of used) for (const name of Object.keys(step.with ?? {})) expect(['mode', ...inputNames]).toContain(name);
});

test('an input without a description is refused', () => {
  const [mode] = modes;
  if (!mode) throw new Error('there are no modes');
  const bare = {
    ...mode,
    inputs: {
      naked: {
        description: ' ',
        parse: () => ({ ok: true, value: '' }) as const,
        absent: { ok: true, value: '' } as const,
        required: false,
      },
    },
  };
  expect(() => renderActionYaml([bare])).toThrow('input naked of mode release has no description');
});
