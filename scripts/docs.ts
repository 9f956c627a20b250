// Renders action.yml and the README's tables from the mode declarations. `--check` only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { fillTables, renderActionYaml, renderTables } from '../src/manifest.ts';
import { modes } from '../src/modes/index.ts';

const readme = await readFile('README.md', 'utf8');
const rendered = new Map([
  ['action.yml', renderActionYaml(modes)],
  ['README.md', fillTables(readme, renderTables(modes))],
]);

for (const [file, text] of rendered) {
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${file} is not what the modes say. Run "npm run docs" and commit the result.`);
    process.exitCode = 1;
  } else {
    await writeFile(file, text);
    console.log(`${file} written`);
  }
}
