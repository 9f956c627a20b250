/**
 * The article's story on your machine, against an AWS on localhost: a shared registry, an OU, blue, then green
 * (https://aws.amazon.com/blogs/containers/sharing-amazon-ecr-repositories-with-multiple-accounts-using-aws-organizations/).
 * It runs the committed dist/ exactly as a runner would. Ends with exit code 0 only if everything was as it must be.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import { Job, type StepResult } from '../../emulator/runner.ts';
import {
  accounts,
  cluster,
  developmentOu,
  organizationId,
  region,
  repositoryName,
  roles,
  service,
  startScenario,
} from '../../emulator/scenario.ts';
import { pullAs } from './pull.ts';

const helloWorld = resolve(import.meta.dirname, '../hello-world');
const joinsLater = '555555555555';
const started = performance.now();
const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);
const chapter = (title: string): void => console.log(`\n${bold(`# ${title}`)}`);
const failures: string[] = [];
const expect = (fact: boolean, otherwise: string): void => {
  if (!fact) failures.push(otherwise);
};

function engineAnswers(): boolean {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: ['ignore', 'ignore', 'ignore'], timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

const docker = engineAnswers();
console.log(
  docker
    ? 'A Docker engine answers: the images are built and pushed for real.'
    : 'No Docker engine answers here, so nothing is built: a small prebuilt OCI image is pushed instead, without Docker.',
);

// AWS's clock runs 100 times as fast, so that a canary of five minutes takes three seconds.
const scenario = await startScenario({ speed: 100 });
const { emulator } = scenario;
// What every job sees of the runner and of AWS: the engine's address too, if it is not the usual one.
const passedOn = Object.fromEntries(
  ['DOCKER_HOST', 'DOCKER_CONFIG'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
);

async function release(colour: 'blue' | 'green', runId: string): Promise<StepResult> {
  const job = new Job({
    environment: emulator.environment(passedOn),
    runId,
    event: { name: 'push', ref: 'refs/heads/main', sha: colour === 'blue' ? 'b'.repeat(40) : 'e'.repeat(40) },
    onLine: (line) => console.log(`  ${line}`),
  });
  cpSync(helloWorld, job.workspace, { recursive: true });
  const page = readFileSync(join(helloWorld, colour, 'index.html'), 'utf8');
  if (!docker) writeOciLayout(join(job.workspace, 'image'), { files: { 'usr/share/nginx/html/index.html': page } });
  const result = await job.step({
    with: {
      mode: 'release',
      'aws-region': region,
      repository: repositoryName,
      ...(docker ? { 'build-args': `BASE=scratch\nCOLOUR=${colour}` } : { image: 'oci:image' }),
      tags: colour,
      'registry-role': roles.registry,
      'target-ous': developmentOu,
      'deploy-role': roles.deploy(accounts.devA),
      cluster,
      service,
    },
  });
  for (const post of await job.finish()) expect(post.exitCode === 0, `the post step of ${colour} ended with ${String(post.exitCode)}`);
  job.remove();
  expect(result.exitCode === 0, `the release of ${colour} ended with ${String(result.exitCode)}`);
  expect(/^sha256:[0-9a-f]{64}$/.test(result.outputs['image-digest'] ?? ''), `the release of ${colour} gave no digest`);
  expect(/^d-\w+$/.test(result.outputs['deployment-id'] ?? ''), `the release of ${colour} gave no deployment ID`);
  expect(result.outputs['deployment-status'] === 'Succeeded', `the deployment of ${colour} did not succeed`);
  return result;
}

async function pull(account: string, name: string, image: string, allowed: boolean): Promise<void> {
  const { pulled, answer } = await pullAs({ scenario, account, image, docker });
  console.log(`  ${name} ${account}: ${pulled ? 'pulls' : 'is refused'} – ${answer}`);
  expect(pulled === allowed, `${name} ${account} should ${allowed ? '' : 'not '}be able to pull`);
}

function outputs(result: StepResult): void {
  for (const [name, value] of Object.entries(result.outputs))
    console.log(`  ${name.padEnd(22)} ${value.length > 120 ? `${value.slice(0, 117)}…` : value}`);
}

try {
  chapter(`Blue: one step builds, pushes, shares with ${developmentOu} of ${organizationId}, and deploys`);
  const blue = await release('blue', '1001');
  const blueImage = blue.outputs['image-uri'] ?? '';

  chapter('Who can pull it, each with its own credentials');
  await pull(accounts.devA, 'dev-a, in the OU,', blueImage, true);
  await pull(accounts.outside, 'outside, in another OU,', blueImage, false);

  chapter('Green: the same step again; the policy is there already');
  const green = await release('green', '1002');
  expect(green.outputs['policy-changed'] === 'false', 'the second release wrote the policy again');

  chapter(`An account is made in the OU now: ${joinsLater}`);
  scenario.addAccount(joinsLater, { name: 'dev-c', ou: 'Workloads/Development' });
  await pull(joinsLater, 'dev-c, new in the OU,', green.outputs['image-uri'] ?? '', true);

  chapter('What the last step gives to those that follow');
  outputs(green);

  chapter('The job summary that it renders');
  console.log(green.summary.replaceAll(/^/gm, '  '));

  for (const violation of emulator.violations) expect(false, `the emulator did not expect: ${violation}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  chapter(failures.length === 0 ? `Done in ${seconds} s` : `Failed after ${seconds} s`);
  for (const [colour, result] of [['blue', blue] as const, ['green', green] as const]) {
    console.log(`  ${colour.padEnd(6)} ${result.outputs['image-digest'] ?? '-'} ${result.outputs['deployment-id'] ?? '-'}`);
  }
} finally {
  await emulator.close();
}
for (const failure of failures) console.error(`  ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
