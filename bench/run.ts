/** `npm run bench [-- NAME…] [-- --small]`: runs the benches, each in a process of its own. `--small` shows only that they work. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const benches = ['modes', 'coverage', 'policy-writers', 'discover', 'notice', 'reuse', 'fan-out'] as const;
const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const unknown = named.filter((name) => !benches.some((bench) => bench === name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are ${benches.join(', ')}.`);
  process.exit(1);
}
for (const name of named.length > 0 ? named : benches) {
  console.log(`\n## ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...options], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
