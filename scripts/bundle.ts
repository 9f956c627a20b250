/**
 * dist/: the two entries, bundled by ncc from what tsc compiled into build/. A module that the source imports lazily becomes a chunk of
 * its own. `--check` bundles into a temporary folder and compares byte for byte with what is committed.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const check = process.argv.includes('--check');
const into = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-dist-'));

function bundle(entry: string, out: string): void {
  execFileSync('ncc', ['build', entry, '--out', out, '--license', 'licenses.txt', '--quiet'], { stdio: 'inherit' });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

function differences(expected: string, actual: string): string[] {
  const names = new Set([...filesBelow(expected), ...filesBelow(actual)]);
  return [...names].filter((name) => {
    try {
      return !readFileSync(join(expected, name)).equals(readFileSync(join(actual, name)));
    } catch {
      return true;
    }
  });
}

bundle('build/main.js', into);
bundle('build/post.js', join(into, 'post'));

if (check) {
  const stale = differences(into, 'dist');
  for (const name of stale) console.error(`dist/${name} is not what the sources give`);
  if (stale.length > 0) {
    console.error('Run "npm run build" and commit dist/.');
    process.exitCode = 1;
  }
} else {
  rmSync('dist', { recursive: true, force: true });
  cpSync(into, 'dist', { recursive: true });
  console.log(
    filesBelow('dist')
      .map((name) => `${String(Math.ceil(statSync(join('dist', name)).size / 1024)).padStart(6)} kB  ${relative('.', join('dist', name))}`)
      .join('\n'),
  );
}
rmSync(into, { recursive: true, force: true });
