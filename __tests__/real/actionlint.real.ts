/** actionlint finds nothing in our own workflows, those of examples/, and those that the README shows whole. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { workflowFolder } from './act.ts';
import { describeReal, programs } from './parts.ts';

const root = resolve(import.meta.dirname, '../..');

const files = [join(root, '.github/workflows'), workflowFolder].flatMap((folder) =>
  readdirSync(folder).map((name): [name: string, text: string] => [name, readFileSync(join(folder, name), 'utf8')]),
);

const shown = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```yaml\n([^]*?)```/g)]
  .map(([, text = '']) => text)
  .filter((text) => /^on:/m.test(text) && /^jobs:/m.test(text))
  .map((text, index): [name: string, text: string] => [`README.md, workflow ${index + 1}`, text]);

describeReal('actionlint', { needs: ['actionlint'] }, () => {
  test.each([...files, ...shown])('has nothing to say of %s', (name, text) => {
    const { stdout, stderr } = spawnSync(programs.actionlint, ['-no-color', '-stdin-filename', name, '-'], {
      input: text,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
  });

  test('reads workflows of all three', () => {
    expect(files.length).toBeGreaterThan(readdirSync(workflowFolder).length);
    expect(shown.length).toBeGreaterThan(0);
  });
});
