/**
 * nektos/act as the runner: it runs a workflow of examples/workflows as it stands, on this machine (no container), in a repository
 * that has the hello-world's files. `OWNER/ecr-org-deploy@v1` is this checkout, actions/checkout is act's own; nothing is fetched.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Scenario } from '../../emulator/scenario.ts';
import { helloWorld, jobEnvironment, programs, unique } from './parts.ts';

const root = resolve(import.meta.dirname, '../..');
export const workflowFolder = join(root, 'examples/workflows');

/** What starts the workflow; the payload is what GitHub says of the commit. */
export interface Event {
  readonly name: 'push' | 'pull_request';
  readonly payload: (sha: string) => object;
}

export interface Workflow {
  /** Its name in examples/workflows. */
  readonly file: string;
  readonly event: Event;
}

export interface WorkflowRun {
  readonly exitCode: number | null;
  /** As act shows it: each line begins with the workflow and the job. */
  readonly log: readonly string[];
  /** The commit that it ran for. */
  readonly sha: string;
}

/** Runs every job that the event starts; `environment` beats what a job gets otherwise. */
export async function runWorkflow(
  workflow: Workflow,
  scenario: Scenario,
  environment: Readonly<Record<string, string>> = {},
): Promise<WorkflowRun> {
  const folder = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-act-'));
  try {
    const sha = commit(join(folder, 'repository'), workflow);
    writeFileSync(join(folder, 'event.json'), JSON.stringify(workflow.event.payload(sha)));
    for (const each of ['action.yml', 'dist']) cpSync(join(root, each), join(folder, 'action', each), { recursive: true });
    return { ...(await act({ folder, workflow, environment: { ...jobEnvironment(scenario), ...environment } })), sha };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A repository of the workflow and an image that is this run's alone and needs no other; gives its commit. */
function commit(repository: string, { file }: Workflow): string {
  cpSync(helloWorld, repository, { recursive: true });
  cpSync(join(workflowFolder, file), join(repository, '.github/workflows', file));
  const dockerfile = join(repository, 'Dockerfile');
  const fromScratch = readFileSync(dockerfile, 'utf8').replace(/^ARG BASE=.*$/m, 'ARG BASE=scratch');
  writeFileSync(dockerfile, `${fromScratch}LABEL run=${unique()}\n`);
  const git = (...args: readonly string[]): string => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('-c', 'user.name=octocat', '-c', 'user.email=octocat@example.com', 'commit', '--quiet', '--message=Say hello');
  return git('rev-parse', 'HEAD');
}

interface Given {
  readonly folder: string;
  readonly workflow: Workflow;
  /** What every step sees beside the runner's own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

async function act({ folder, workflow: { file, event }, environment }: Given): Promise<Omit<WorkflowRun, 'sha'>> {
  // What act can't know of the run.
  const run = { GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '1000', GITHUB_RUN_ATTEMPT: '1' };
  const options = [
    `--directory=${join(folder, 'repository')}`,
    `--workflows=.github/workflows/${file}`,
    `--eventpath=${join(folder, 'event.json')}`,
    '--platform=ubuntu-latest=-self-hosted',
    `--local-repository=OWNER/ecr-org-deploy@v1=${join(folder, 'action')}`,
    `--action-cache-path=${join(folder, 'cache')}`,
    '--no-cache-server',
    `--secret=GITHUB_TOKEN=${unique()}`,
    ...Object.entries({ ...run, ...environment }).map(([name, value]) => `--env=${name}=${value}`),
  ];
  const child = spawn(programs.act, [event.name, ...options], {
    env: {
      HOME: folder,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      DOCKER_CONFIG: process.env['DOCKER_CONFIG'],
      DOCKER_HOST: process.env['DOCKER_HOST'],
      // The jobs of a matrix share a map in act (its LocalRepositoryCache) without a lock; one processor at a time makes that safe.
      GOMAXPROCS: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
  const exitCode = await new Promise<number | null>((settle, reject) => child.once('error', reject).once('close', settle));
  return { exitCode, log: Buffer.concat(said).toString('utf8').split('\n') };
}
