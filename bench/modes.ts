/**
 * Times the committed bundle as a process, mode by mode, on the emulator: without latency, with 50 ms a request, and with 100 ms more
 * on the first request of each new connection; beside a probe without any SDK that makes the calls of `deploy`.
 *
 *     npm run bench -- modes [--small]
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { writeOciLayout } from '../emulator/oci-layout.ts';
import { Job } from '../emulator/runner.ts';
import {
  accounts,
  cluster,
  developmentOu,
  organizationId,
  region,
  repositoryName,
  roles,
  service,
  sharedPolicy,
  startScenario,
  type Scenario,
} from '../emulator/scenario.ts';
import { median, printTable } from './measure.ts';

const latencies = [
  { name: '0 ms', latency: {} },
  { name: '50 ms', latency: { perRequestMs: 50 } },
  { name: '50 + 100 ms', latency: { perRequestMs: 50, firstOnConnectionMs: 100 } },
] as const;

const common = { 'aws-region': region };
const registrySide = { repository: repositoryName, 'registry-role': roles.registry };
const sharing = { 'organization-id': organizationId, 'target-ous': developmentOu };
const deploying = { 'deploy-role': roles.deploy(accounts.devA), cluster, service, 'wait-until': 'started' };

/** Mode → its inputs, once the image is pushed and shared. */
const modes: Readonly<Record<string, (image: string) => Record<string, string>>> = {
  login: () => ({ ...common, mode: 'login', 'registry-role': roles.registry }),
  publish: () => ({ ...common, ...registrySide, mode: 'publish', image: 'oci:image', tags: 'v2' }),
  share: () => ({ ...common, ...registrySide, ...sharing, mode: 'share' }),
  deploy: (image) => ({ ...common, ...deploying, mode: 'deploy', 'registry-role': roles.registry, image }),
};

interface Timed {
  readonly milliseconds: number;
  readonly calls: number;
}

/** One run in a world of its own, where the image is there and the policy has settled long ago. */
async function timeMode(mode: string, latency: (typeof latencies)[number]['latency']): Promise<Timed> {
  return inPreparedWorld(latency, async ({ scenario, job, image }) => {
    const inputs = modes[mode]?.(image) ?? {};
    const result = await job.step({ with: inputs });
    if (result.exitCode !== 0) throw new Error(`${mode} ended with ${String(result.exitCode)}:\n${result.raw}`);
    return { milliseconds: result.milliseconds, calls: scenario.emulator.requests.entries.length };
  });
}

async function timeProbe(latency: (typeof latencies)[number]['latency']): Promise<Timed> {
  return inPreparedWorld(latency, async ({ scenario, image }) => {
    const started = performance.now();
    const child = spawn(process.execPath, [resolve(import.meta.dirname, 'probe.ts')], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        ...scenario.emulator.environment(),
        PROBE_REGISTRY_ROLE: roles.registry,
        PROBE_DEPLOY_ROLE: roles.deploy(accounts.devA),
        PROBE_REGISTRY_ID: accounts.registry,
        PROBE_REPOSITORY: repositoryName,
        PROBE_DIGEST: image.split('@')[1],
        PROBE_IMAGE: image,
        PROBE_CLUSTER: cluster,
        PROBE_SERVICE: service,
      },
    });
    const code = await new Promise((settle) => child.once('close', settle));
    if (code !== 0) throw new Error(`the probe ended with ${String(code)}`);
    return { milliseconds: performance.now() - started, calls: scenario.emulator.requests.entries.length };
  });
}

interface Prepared {
  readonly scenario: Scenario;
  readonly job: Job;
  readonly image: string;
}

async function inPreparedWorld<T>(latency: (typeof latencies)[number]['latency'], work: (prepared: Prepared) => Promise<T>): Promise<T> {
  const scenario = await startScenario({ latency, policy: sharedPolicy });
  const { emulator } = scenario;
  const job = new Job({ environment: emulator.environment() });
  try {
    writeOciLayout(`${job.workspace}/image`, { files: { 'index.html': 'bench' } });
    const digest = await pushLayout({ scenario, job });
    const image = `${await emulator.registryHost(accounts.registry)}/${repositoryName}@${digest}`;
    emulator.requests.clear();
    return await work({ scenario, job, image });
  } finally {
    job.remove();
    await emulator.close();
  }
}

async function pushLayout({ scenario, job }: { scenario: Scenario; job: Job }): Promise<string> {
  const result = await job.step({ with: { ...common, ...registrySide, mode: 'publish', image: 'oci:image', tags: 'v1' } });
  const digest = result.outputs['image-digest'];
  if (digest === undefined) throw new Error(`the image was not pushed: ${result.raw}; ${scenario.emulator.violations.join()}`);
  return digest;
}

const runs = process.argv.includes('--small') ? 1 : 9;
const rows: (string | number)[][] = [];
for (const name of [...Object.keys(modes), 'probe without SDK']) {
  const columns: number[] = [];
  let calls = 0;
  for (const { latency } of latencies) {
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const timed = name in modes ? await timeMode(name, latency) : await timeProbe(latency);
      times.push(timed.milliseconds);
      calls = timed.calls;
    }
    columns.push(median(times));
  }
  const [none = 0, each = 0] = columns;
  rows.push([name, ...columns.map((time) => Math.round(time)), calls, ((each - none) / 50).toFixed(1)]);
}
printTable(['mode, ms (median)', ...latencies.map(({ name }) => name), 'calls', 'depth'], rows);
console.log(`\n${runs} runs each. "depth" is how many requests stand in a row: (time at 50 ms − time at 0 ms) / 50 ms.`);
