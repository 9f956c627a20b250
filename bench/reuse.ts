/**
 * What `type=tree` saves in a repository of many services: a commit touches one of them, and every service is published. With the tree
 * only that one is built; without it (the commit's tags alone) all are. Builds are counted, not timed: a build that is not made saves
 * whatever it would have taken. Docker is a stand-in that pushes a small image.
 *
 *     npm run bench -- reuse [--small]
 */
import { execFileSync } from 'node:child_process';
import { Job, randomSha } from '../emulator/runner.ts';
import { region, roles, startScenario, accounts } from '../emulator/scenario.ts';
import { fakeDocker, pushes } from '../__tests__/end-to-end/fake-docker.ts';
import { median, printTable } from './measure.ts';

const services = Array.from({ length: process.argv.includes('--small') ? 3 : 20 }, (_, index) => `service-${index + 1}`);

interface Measured {
  readonly builds: number;
  readonly dockerCommands: number;
  readonly calls: number;
  /** To the registry itself: what a push sends. */
  readonly registryRequests: number;
  /** Of one service, in the median. */
  readonly milliseconds: number;
}

/** Publishes all services at a first commit, then again at one that touches the first service; measures the second time. */
async function publishAll(tags: string): Promise<Measured> {
  const { emulator } = await startScenario();
  try {
    for (const service of services) emulator.world.repository({ account: accounts.registry, region, name: `shop/${service}` });
    const first = await checkout({ emulator, tags, changed: '' });
    first.remove();
    emulator.requests.clear();
    const second = await checkout({ emulator, tags, changed: ' changed' });
    second.remove();
    const { entries } = emulator.requests;
    return {
      builds: second.docker.filter((call) => call.startsWith('docker buildx build')).length,
      dockerCommands: second.docker.length,
      calls: entries.length,
      registryRequests: entries.filter(({ service }) => service === 'registry').length,
      milliseconds: median(second.milliseconds),
    };
  } finally {
    await emulator.close();
  }
}

interface Checkout {
  readonly emulator: Awaited<ReturnType<typeof startScenario>>['emulator'];
  readonly tags: string;
  /** What is new in the first service. */
  readonly changed: string;
}

async function checkout({ emulator, tags, changed }: Checkout) {
  const job = new Job({ environment: emulator.environment(), event: { name: 'push', ref: 'refs/heads/main', sha: randomSha() } });
  const docker = fakeDocker(job, { buildx: 'docker', build: pushes });
  for (const service of services)
    job.write(`${service}/Dockerfile`, `FROM scratch\n# ${service}${service === services[0] ? changed : ''}\n`);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench', ...args], { cwd: job.workspace });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'bench');
  const milliseconds: number[] = [];
  for (const service of services) {
    const inputs = { 'aws-region': region, 'registry-role': roles.registry, repository: `shop/${service}`, context: service, tags };
    const step = await job.step({ with: { mode: 'publish', ...inputs }, environment: { PATH: docker.path } });
    if (step.exitCode !== 0) throw new Error(`${service} ended with ${String(step.exitCode)}:\n${step.raw}`);
    milliseconds.push(step.milliseconds);
  }
  return { docker: docker.calls(), milliseconds, remove: () => job.remove() };
}

const commit = 'type=sha,format=long';
const rows = [
  ['tags of the commit', await publishAll(commit)],
  ['and of the tree', await publishAll(`type=tree\n${commit}`)],
] as const;
printTable(
  [`${services.length} services, one is touched`, 'builds', 'docker commands', 'calls', 'of them to the registry', 'ms a service (median)'],
  rows.map(([name, { builds, dockerCommands, calls, registryRequests, milliseconds }]) => [
    name,
    ...[builds, dockerCommands, calls, registryRequests, Math.round(milliseconds)],
  ]),
);
