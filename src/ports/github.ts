/** The GitHub runner and the event that started it: inputs, outputs, state, summary, ID token. */
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import * as core from '@actions/core';
import { isObject, type JsonObject } from '../domain/json.ts';
import { InputError, type Place } from '../errors.ts';

/** The run, as the runner's environment tells it. */
export interface Run {
  /** `owner/name`. */
  readonly repository: string;
  readonly workflow: string;
  /** `owner/name/.github/workflows/release.yml@refs/heads/main`. */
  readonly workflowRef: string;
  readonly job: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly eventName: string;
  /** `refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge`. */
  readonly ref: string;
  /** The commit that triggered the run; on pull requests the merge commit. */
  readonly sha: string;
  readonly actor: string;
  /** `https://github.com`. */
  readonly serverUrl: string;
  readonly workspace: string;
  /** Emptied at the beginning and the end of each job. */
  readonly temp: string;
}

export interface PullRequest {
  readonly number: number;
  /** The commit at the head of the pull request's branch: what the author wrote, not the merge commit. */
  readonly headSha: string;
  readonly fork: boolean;
}

/** The repository as the event tells it; empty text where it does not. */
export interface SourceRepository {
  /** Without its owner. */
  readonly name: string;
  readonly description: string;
  readonly url: string;
  /** An SPDX identifier. */
  readonly license: string;
  readonly defaultBranch: string | undefined;
}

/** What tags and labels depend on, as docker/metadata-action reads it. */
export interface SourceEvent {
  readonly repository: SourceRepository;
  /** The branch that a pull request goes into, or that a pushed tag is on. */
  readonly baseRef: string | undefined;
  /** The commit that tags and labels name: the run's, or the pull request's head with DOCKER_METADATA_PR_HEAD_SHA. */
  readonly revision: string;
  /** When it was committed, in milliseconds since the epoch; undefined where the event does not tell. */
  readonly commitTime: number | undefined;
  /** DOCKER_METADATA_SHORT_SHA_LENGTH, or 7. */
  readonly shortShaLength: number;
}

export interface GitHub {
  readonly run: Run;
  /** Every input that arrived, by its name in `action.yml`, as it was written; empty ones are not given. */
  inputs(): ReadonlyMap<string, string>;
  /** The pull request of this event, if it is one. */
  pullRequest(): Promise<PullRequest | undefined>;
  /** @throws InputError where a variable of docker/metadata-action's is malformed */
  sourceEvent(): Promise<SourceEvent>;
  /** Whether the job may ask for an ID token (`permissions: id-token: write`). */
  readonly hasIdToken: boolean;
  /** A fresh OIDC token for an audience; it lives five minutes. */
  idToken(audience: string): Promise<string>;
  mask(secret: string): void;
  setOutput(name: string, value: string): void;
  /** Sets an environment variable for the steps that follow, and for this process. */
  exportVariable(name: string, value: string): void;
  /** Adds Markdown to the job summary. */
  summarise(markdown: string): Promise<void>;
  /** What the post step will read. The last save of a name wins. */
  saveState(name: string, value: string): void;
  state(name: string): string;
  /** Fails the step; the annotation is at the place, if there is one. */
  setFailed(message: string, place?: Place): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

const inputPrefix = 'INPUT_';

export function actionsGitHub(environment: Environment): GitHub {
  const variable = (name: string): string => environment[name] ?? '';
  return {
    run: {
      repository: variable('GITHUB_REPOSITORY'),
      workflow: variable('GITHUB_WORKFLOW'),
      workflowRef: variable('GITHUB_WORKFLOW_REF'),
      job: variable('GITHUB_JOB'),
      runId: variable('GITHUB_RUN_ID'),
      runAttempt: variable('GITHUB_RUN_ATTEMPT'),
      eventName: variable('GITHUB_EVENT_NAME'),
      ref: variable('GITHUB_REF'),
      sha: variable('GITHUB_SHA'),
      actor: variable('GITHUB_ACTOR'),
      serverUrl: variable('GITHUB_SERVER_URL') || 'https://github.com',
      workspace: variable('GITHUB_WORKSPACE') || process.cwd(),
      temp: variable('RUNNER_TEMP') || variable('TMPDIR') || '/tmp',
    },
    inputs: () =>
      new Map(
        Object.keys(environment)
          .filter((name) => name.startsWith(inputPrefix))
          .map((name): [string, string] => [name.slice(inputPrefix.length).toLowerCase(), core.getInput(name.slice(inputPrefix.length))])
          .filter(([, value]) => value !== ''),
      ),
    pullRequest: async () => {
      // Octokit comes with this module, so it is loaded only where the event can be a pull request's.
      if (!variable('GITHUB_EVENT_NAME').startsWith('pull_request')) return undefined;
      const { context } = await import('@actions/github');
      const pull = context.payload.pull_request as
        { number: number; head: { sha: string; repo: { full_name: string } | null } } | undefined;
      if (!pull) return undefined;
      return { number: pull.number, headSha: pull.head.sha, fork: pull.head.repo?.full_name !== variable('GITHUB_REPOSITORY') };
    },
    sourceEvent: async () => sourceEventIn(await readPayload(variable('GITHUB_EVENT_PATH')), variable),
    hasIdToken: variable('ACTIONS_ID_TOKEN_REQUEST_URL') !== '' && variable('ACTIONS_ID_TOKEN_REQUEST_TOKEN') !== '',
    idToken: async (audience) => core.getIDToken(audience),
    mask: (secret) => core.setSecret(secret),
    setOutput: (name, value) => core.setOutput(name, value),
    exportVariable: (name, value) => core.exportVariable(name, value),
    summarise: async (markdown) => {
      // The summary is for readers: that it can't be written is no reason to fail what was done.
      try {
        await core.summary.addRaw(markdown, true).write();
      } catch (error) {
        core.warning(`The job summary could not be written: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    saveState: (name, value) => core.saveState(name, value),
    state: (name) => core.getState(name),
    setFailed: (message, place) => {
      process.exitCode = core.ExitCode.Failure;
      const file = place && relative(variable('GITHUB_WORKSPACE') || process.cwd(), place.file);
      core.error(message, { ...(file !== undefined && { file }), ...(place?.line !== undefined && { startLine: place.line }) });
    },
  };
}

/** The event as GitHub sent it; empty where there is none, as on a machine that is no runner. */
async function readPayload(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  try {
    return objectIn(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Sources: docker/metadata-action, src/context.ts and src/meta.ts; GitHub's "Webhook events and payloads". */
function sourceEventIn(payload: JsonObject, variable: (name: string) => string): SourceEvent {
  const repository = objectIn(payload['repository']);
  const pull = objectIn(payload['pull_request']);
  const [, name = ''] = variable('GITHUB_REPOSITORY').split('/');
  const isHead = /true/i.test(variable('DOCKER_METADATA_PR_HEAD_SHA')) && variable('GITHUB_EVENT_NAME').startsWith('pull_request');
  const revision = (isHead && text(objectIn(pull['head'])['sha'])) || variable('GITHUB_SHA');
  const isTag = variable('GITHUB_REF').startsWith('refs/tags/');
  const baseRef = isTag ? text(payload['base_ref']).replace(/^refs\/heads\//, '') : text(objectIn(pull['base'])['ref']);
  return {
    repository: {
      name: text(repository['name']) || name,
      description: text(repository['description']),
      url: text(repository['html_url']) || `${variable('GITHUB_SERVER_URL') || 'https://github.com'}/${variable('GITHUB_REPOSITORY')}`,
      license: text(objectIn(repository['license'])['spdx_id']),
      defaultBranch: text(repository['default_branch']) || undefined,
    },
    baseRef: baseRef || undefined,
    revision,
    commitTime: commitTimeIn(payload, revision),
    shortShaLength: shortShaLength(variable('DOCKER_METADATA_SHORT_SHA_LENGTH')),
  };
}

function commitTimeIn({ commits, head_commit }: JsonObject, revision: string): number | undefined {
  const commit = [...(Array.isArray(commits) ? (commits as unknown[]) : []), head_commit].map(objectIn).find(({ id }) => id === revision);
  const time = Date.parse(text(commit?.['timestamp']));
  return Number.isNaN(time) ? undefined : time;
}

function shortShaLength(given: string): number {
  if (given === '') return 7;
  if (!/^[1-9]\d?$/.test(given))
    throw new InputError([{ input: 'tags', problem: `DOCKER_METADATA_SHORT_SHA_LENGTH is "${given}", not a number of digits` }]);
  return Number(given);
}

function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
