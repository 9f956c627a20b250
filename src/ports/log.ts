/**
 * The step's log. The runner parses workflow commands out of every line that it reads, also the old `##[…]` form anywhere in a line
 * (RULES 5.2), and much of what we print belongs to others: build output, hook log tails, ECS events, account and branch names,
 * AWS error texts. So every line that is not a command of ours is defused here, in the one place where lines leave.
 */
import * as core from '@actions/core';
import { defuse } from '../domain/workflow-command.ts';

export interface Annotation {
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Log {
  info(text: string): void;
  debug(text: string): void;
  notice(text: string, annotation?: Annotation): void;
  warning(text: string, annotation?: Annotation): void;
  error(text: string, annotation?: Annotation): void;
  /** Runs `work`; what is logged meanwhile is folded under `title`. Groups don't nest. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
}

export const actionsLog: Log = {
  info: (text) => core.info(defuse(text)),
  debug: (text) => core.debug(text),
  notice: (text, annotation) => core.notice(text, properties(annotation)),
  warning: (text, annotation) => core.warning(text, properties(annotation)),
  error: (text, annotation) => core.error(text, properties(annotation)),
  group: (title, work) => core.group(defuse(title), work),
};

function properties({ title, file, line, column }: Annotation = {}): core.AnnotationProperties {
  return {
    ...(title !== undefined && { title }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { startLine: line }),
    ...(column !== undefined && { startColumn: column }),
  };
}
