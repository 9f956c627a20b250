/**
 * The error family, by who must act. `message` says what failed, for which thing and why; `hint` what to do next. The facts are
 * fields, the cause is kept. Anything thrown that is not of this family is our own bug, and main says so.
 *
 *   ActionError
 *   ├── InputError       the workflow's author: every problem of the `with:` block at once
 *   ├── DocumentError    the author of a file: file, JSON path, line and column
 *   ├── AwsError         whoever owns the role or the resource: operation, code, request ID
 *   ├── CommandError     the build: a child process that failed
 *   ├── DeploymentError  the service's team: ID, status, reason, console URL
 *   ├── FanOutError      the same, where more accounts failed than may
 *   ├── CheckError       whoever the findings name: they were told each
 *   └── CancelledError   nobody: the run was cancelled
 *
 * Deliberately absent: a RetryableError. Whether to try again is decided where the call is made, never by whoever catches.
 */
import type { LifecycleEvent } from './domain/deployment.ts';

export interface Explanation {
  /** What to do next, in one or two sentences. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export abstract class ActionError extends Error {
  abstract override readonly name: string;
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: Explanation = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/** One thing wrong with one input, e.g. `{ input: 'aws-region', problem: '"eu" is not an AWS Region such as eu-west-1' }`. */
export interface InputProblem {
  readonly input: string;
  readonly problem: string;
}

export class InputError extends ActionError {
  override readonly name = 'InputError' as const;
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[], explanation?: Explanation) {
    const lines = problems.map(({ input, problem }) => `${input}: ${problem}`);
    super(
      lines.length === 1 ? (lines[0] ?? '') : `${lines.length} inputs need attention:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
      explanation,
    );
    this.problems = problems;
  }
}

/** One thing wrong in a document. `path` is a JSON path such as `$.Resources[0].TargetService`. Lines and columns start at 1. */
export interface DocumentProblem {
  /** The file's path as the author wrote it, or a description such as `the live service's task definition web:42`. */
  readonly file: string;
  readonly problem: string;
  readonly path?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** `appspec.yaml:2:12: $.Resources is empty`. */
export function formatProblem({ file, problem, path, line, column }: DocumentProblem): string {
  const place = line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`;
  return `${file}${place}: ${path === undefined ? '' : `${path} `}${problem}`;
}

export class DocumentError extends ActionError {
  override readonly name = 'DocumentError' as const;
  readonly problems: readonly DocumentProblem[];

  constructor(problems: readonly DocumentProblem[], explanation?: Explanation) {
    super(problems.map(formatProblem).join('\n'), explanation);
    this.problems = problems;
  }
}

export interface AwsFacts extends Explanation {
  /** As IAM spells it without the service: `SetRepositoryPolicy`. */
  readonly operation: string;
  /** As IAM spells it: `ecr`, `ecs`, `codedeploy`, `sts`, `organizations`. */
  readonly service: string;
  /** The exception's name: `RepositoryNotFoundException`. */
  readonly code: string;
  readonly requestId?: string | undefined;
}

export class AwsError extends ActionError {
  override readonly name = 'AwsError' as const;
  readonly operation: string;
  readonly service: string;
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(message: string, facts: AwsFacts) {
    super(message, facts);
    this.operation = facts.operation;
    this.service = facts.service;
    this.code = facts.code;
    this.requestId = facts.requestId;
  }
}

/** A line of a file in the checkout, by its absolute path. Lines start at 1. */
export interface Place {
  readonly file: string;
  readonly line?: number | undefined;
}

export interface CommandFacts extends Explanation {
  readonly command: string;
  readonly exitCode: number;
  readonly output?: string;
  readonly place?: Place | undefined;
}

export class CommandError extends ActionError {
  override readonly name = 'CommandError' as const;
  /** The command as it may be shown: never with a secret in it. */
  readonly command: string;
  readonly exitCode: number;
  /** The last of what it printed; the log has it already. */
  readonly output: string;
  /** Where its author has to look. */
  readonly place: Place | undefined;

  constructor(message: string, facts: CommandFacts) {
    super(message, facts);
    this.command = facts.command;
    this.exitCode = facts.exitCode;
    this.output = facts.output ?? '';
    this.place = facts.place;
  }
}

export interface DeploymentFacts extends Explanation {
  readonly deploymentId: string;
  readonly status: string;
  readonly url: string;
  /** How far it came; none where that is not known. */
  readonly events?: readonly LifecycleEvent[] | undefined;
  /** The deployment that undoes it, if one does. */
  readonly rollback?: { readonly id: string; readonly status: string; readonly url: string } | undefined;
}

export class DeploymentError extends ActionError {
  override readonly name = 'DeploymentError' as const;
  readonly deploymentId: string;
  readonly status: string;
  readonly url: string;
  readonly events: readonly LifecycleEvent[];
  readonly rollback: DeploymentFacts['rollback'];

  constructor(message: string, facts: DeploymentFacts) {
    super(message, facts);
    this.deploymentId = facts.deploymentId;
    this.status = facts.status;
    this.url = facts.url;
    this.events = facts.events ?? [];
    this.rollback = facts.rollback;
  }
}

/** More accounts of a fan-out failed than may; `message` names them, and what each failed with was told already. */
export class FanOutError extends ActionError {
  override readonly name = 'FanOutError' as const;
}

/** A check found what would make a deployment fail; the findings themselves are told where they were found. */
export class CheckError extends ActionError {
  override readonly name = 'CheckError' as const;
}

/** The run was cancelled (SIGINT or SIGTERM); `message` says what was done about what was under way. */
export class CancelledError extends ActionError {
  override readonly name = 'CancelledError' as const;
  /** What was done, without that the run was cancelled. */
  readonly fate: string;

  constructor(message: string, { fate = message, ...explanation }: Explanation & { readonly fate?: string } = {}) {
    super(message, explanation);
    this.fate = fate;
  }
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`something that is no Error was thrown: ${String(thrown)}`, { cause: thrown });
}
