/**
 * A GitHub runner in small: runs the committed `dist/` as a child process, with `INPUT_*` and the runner's files, and reads the log as
 * a runner does (masks, groups, annotations). A `Job` keeps what steps leave to each other and runs their post steps in reverse order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const action = resolve(import.meta.dirname, '../dist');

export interface JobOptions {
  /** What the job's steps see beside the runner's own variables, e.g. the emulator's `environment()`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The checkout. Default: an empty folder. */
  readonly workspace?: string;
  readonly event?: { readonly name: string; readonly ref: string; readonly sha?: string; readonly payload?: unknown };
  readonly repository?: string;
  readonly runId?: string;
  readonly runAttempt?: string;
  /** Called with each line as the runner would show it. */
  readonly onLine?: (line: string) => void;
}

export interface StepOptions {
  readonly with: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with each line as the runner would show it, and the child: to cancel in the middle. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  /** Called once, with the child: to cancel where no line tells when. */
  readonly onStart?: (child: ChildProcess) => void;
}

export interface StepResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** As the runner shows it: masks applied, commands carried out. */
  readonly log: readonly string[];
  /** As the child printed it. */
  readonly raw: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly milliseconds: number;
}

interface Done {
  readonly options: StepOptions;
  readonly state: Readonly<Record<string, string>>;
}

export class Job {
  readonly folder = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-job-'));
  readonly temp = join(this.folder, 'temp');
  readonly workspace: string;
  readonly #options: JobOptions;
  readonly #masks: string[] = [];
  readonly #done: Done[] = [];
  #exported: Record<string, string> = {};

  constructor(options: JobOptions = {}) {
    this.#options = options;
    this.workspace = options.workspace ?? join(this.folder, 'workspace');
    for (const folder of [this.temp, this.workspace]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(this.folder, 'event.json'), JSON.stringify(options.event?.payload ?? {}));
  }

  /** Writes a file into the checkout. */
  write(path: string, text: string): void {
    const at = join(this.workspace, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  /** `uses: OWNER/ecr-org-deploy@v1` with these inputs. */
  async step(options: StepOptions): Promise<StepResult> {
    const inputs = Object.entries({ 'github-token': '', ...options.with }).map(([name, value]) => [inputVariable(name), value]);
    const result = await this.#run({ entry: 'index.js', options, variables: Object.fromEntries(inputs) as Record<string, string> });
    this.#done.push({ options, state: result.state });
    return result;
  }

  /** The post steps, last step first, as after every job, also a failed or cancelled one. */
  async finish(): Promise<StepResult[]> {
    const results: StepResult[] = [];
    for (const { options, state } of this.#done.splice(0).reverse()) {
      const variables = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
      results.push(await this.#run({ entry: 'post/index.js', options, variables }));
    }
    return results;
  }

  /** What steps exported with `GITHUB_ENV`. */
  get exported(): Readonly<Record<string, string>> {
    return this.#exported;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run({
    entry,
    options,
    variables,
  }: {
    entry: string;
    options: StepOptions;
    variables: Record<string, string>;
  }): Promise<StepResult> {
    const files = this.#files();
    const started = performance.now();
    const child = spawn(process.execPath, [join(action, entry)], {
      cwd: this.workspace,
      env: { ...this.#environment(), ...options.environment, ...files.variables, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (entry === 'index.js') options.onStart?.(child);
    const log: string[] = [];
    const raw: string[] = [];
    const show = (line: string): void => {
      raw.push(line);
      const shown = this.#interpret(line);
      if (shown === undefined) return;
      log.push(shown);
      this.#options.onLine?.(shown);
      options.onLine?.(shown, child);
    };
    readLines(child, show);
    const { exitCode, signal } = await new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((settle, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => settle({ exitCode: code, signal: by }));
    });
    const milliseconds = performance.now() - started;
    this.#exported = { ...this.#exported, ...files.read('env') };
    return {
      exitCode,
      signal,
      log,
      raw: raw.join('\n'),
      outputs: files.read('output'),
      state: files.read('state'),
      summary: files.text('summary'),
      milliseconds,
    };
  }

  #environment(): Record<string, string> {
    const { event, repository = 'acme/shop', runId = '1000', runAttempt = '1', environment = {} } = this.#options;
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.folder,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'octocat',
      GITHUB_EVENT_NAME: event?.name ?? 'push',
      GITHUB_EVENT_PATH: join(this.folder, 'event.json'),
      GITHUB_JOB: 'release',
      GITHUB_REF: event?.ref ?? 'refs/heads/main',
      GITHUB_REF_NAME: (event?.ref ?? 'refs/heads/main').replace(/^refs\/(heads|tags|pull)\//, ''),
      GITHUB_REPOSITORY: repository,
      GITHUB_RUN_ATTEMPT: runAttempt,
      GITHUB_RUN_ID: runId,
      GITHUB_RUN_NUMBER: runId,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: event?.sha ?? '0123456789abcdef0123456789abcdef01234567',
      GITHUB_WORKFLOW: 'Release',
      GITHUB_WORKFLOW_REF: `${repository}/.github/workflows/release.yml@refs/heads/main`,
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_OS: 'Linux',
      RUNNER_ARCH: 'X64',
      RUNNER_TEMP: this.temp,
      ...environment,
      ...this.#exported,
    };
  }

  /** The files of one step: `GITHUB_OUTPUT` and its like. */
  #files(): { variables: Record<string, string>; text: (kind: FileKind) => string; read: (kind: FileKind) => Record<string, string> } {
    const folder = mkdtempSync(join(this.folder, 'files-'));
    for (const kind of Object.keys(fileVariables)) writeFileSync(join(folder, kind), '');
    const text = (kind: FileKind): string => readFileSync(join(folder, kind), 'utf8');
    return {
      variables: Object.fromEntries(Object.entries(fileVariables).map(([kind, variable]) => [variable, join(folder, kind)])),
      text,
      read: (kind) => parseFileCommands(text(kind)),
    };
  }

  /** A line as the runner shows it; undefined where it is only a command. */
  #interpret(line: string): string | undefined {
    const command = /^[\s\u0085]*::([a-z-]+)(?: ([^:]*))?::(.*)$/s.exec(line);
    if (!command) return this.#masked(line);
    const [, name = '', , data = ''] = command;
    const value = decode(data);
    switch (name) {
      case 'add-mask':
        if (value !== '') this.#masks.push(value);
        return undefined;
      case 'debug':
        return undefined;
      case 'group':
        return this.#masked(`▼ ${value}`);
      case 'endgroup':
        return undefined;
      case 'error':
      case 'warning':
      case 'notice':
        return this.#masked(`${name[0]?.toUpperCase() ?? ''}${name.slice(1)}: ${value}`);
      default:
        return this.#masked(line);
    }
  }

  #masked(line: string): string {
    return this.#masks.reduce((text, mask) => text.replaceAll(mask, '***'), line);
  }
}

const fileVariables = {
  output: 'GITHUB_OUTPUT',
  state: 'GITHUB_STATE',
  env: 'GITHUB_ENV',
  path: 'GITHUB_PATH',
  summary: 'GITHUB_STEP_SUMMARY',
} as const;
type FileKind = keyof typeof fileVariables;

/** As the runner names it: upper case, blanks as underscores; a hyphen stays. */
function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/** `name=value` or `name<<delimiter`, lines, delimiter; the last of a name wins. */
function parseFileCommands(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const heredoc = /^(.+?)<<(.+)$/.exec(line);
    if (heredoc) {
      const end = lines.indexOf(heredoc[2] ?? '', at + 1);
      if (end < 0) throw new Error(`the file command ${heredoc[1] ?? ''} is not closed`);
      values[heredoc[1] ?? ''] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (line.includes('=')) {
      values[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    }
  }
  return values;
}

function decode(data: string): string {
  return data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

/** Calls `show` with every line of stdout and stderr, in the order of their arrival. */
function readLines(child: ChildProcess, show: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(show);
    });
    stream?.on('end', () => {
      if (rest !== '') show(rest);
    });
  }
}

/** A commit ID for a job's event. */
export function randomSha(): string {
  return randomBytes(20).toString('hex');
}
