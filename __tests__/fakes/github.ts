import type { GitHub, PullRequest, Run, SourceEvent } from '../../src/ports/github.ts';

export const someRun: Run = {
  repository: 'acme/shop',
  workflow: 'Release',
  workflowRef: 'acme/shop/.github/workflows/release.yml@refs/heads/main',
  job: 'release',
  runId: '1000',
  runAttempt: '1',
  eventName: 'push',
  ref: 'refs/heads/main',
  sha: '0123456789abcdef0123456789abcdef01234567',
  actor: 'octocat',
  serverUrl: 'https://github.com',
  workspace: '/workspace',
  temp: '/tmp',
};

/** A runner that keeps what it is told. */
export class FakeGitHub implements GitHub {
  readonly run: Run;
  readonly given = new Map<string, string>();
  readonly masks: string[] = [];
  readonly outputs = new Map<string, string>();
  readonly exported = new Map<string, string>();
  readonly saved = new Map<string, string>();
  readonly failures: string[] = [];
  summary = '';
  hasIdToken = true;
  pull: PullRequest | undefined;
  idTokens: (audience: string) => Promise<string> = async () => 'header.e30.signature';

  constructor(run: Partial<Run> = {}) {
    this.run = { ...someRun, ...run };
  }

  /** What the event tells beside the run; its revision is the run's commit. */
  source: Partial<SourceEvent> = {};

  inputs = () => this.given;
  pullRequest = async () => this.pull;
  sourceEvent = async (): Promise<SourceEvent> => ({
    repository: { name: 'shop', description: '', url: 'https://github.com/acme/shop', license: '', defaultBranch: 'main' },
    baseRef: undefined,
    revision: this.run.sha,
    commitTime: Date.parse('2026-11-20T08:30:00Z'),
    shortShaLength: 7,
    ...this.source,
  });
  idToken = async (audience: string) => this.idTokens(audience);
  mask = (secret: string) => void this.masks.push(secret);
  setOutput = (name: string, value: string) => void this.outputs.set(name, value);
  exportVariable = (name: string, value: string) => void this.exported.set(name, value);
  summarise = async (markdown: string) => void (this.summary += markdown);
  saveState = (name: string, value: string) => void this.saved.set(name, value);
  state = (name: string) => this.saved.get(name) ?? '';
  setFailed = (message: string) => void this.failures.push(message);
}
