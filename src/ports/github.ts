/** The GitHub runner and the event that started it: inputs, outputs, state, summary, ID token. */
import * as core from '@actions/core';

/** The run, as the runner's environment tells it. */
export interface Run {
  /** `owner/name`. */
  readonly repository: string;
  readonly workflow: string;
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

export interface GitHub {
  readonly run: Run;
  /** Every input that arrived, by its name in `action.yml`, as it was written; empty ones are not given. */
  inputs(): ReadonlyMap<string, string>;
  /** The pull request of this event, if it is one. */
  pullRequest(): Promise<PullRequest | undefined>;
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
  setFailed(message: string): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

const inputPrefix = 'INPUT_';

export function actionsGitHub(environment: Environment): GitHub {
  const variable = (name: string): string => environment[name] ?? '';
  return {
    run: {
      repository: variable('GITHUB_REPOSITORY'),
      workflow: variable('GITHUB_WORKFLOW'),
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
    setFailed: (message) => core.setFailed(message),
  };
}
