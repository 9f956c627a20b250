/**
 * The log of a fan-out: while the accounts are under way a line for each event, with the account's label before it; when one ends, all
 * that it said as one group. Groups of the accounts themselves would run into each other, and groups don't nest, so they become lines.
 */
import type { Log } from '../ports/log.ts';

export interface AccountLog extends Log {
  /** Tells the account's whole course under a title, as a group. */
  end(title: string): Promise<void>;
}

/** Hands out the accounts' logs, all of which end in one. */
export function accountLogs(log: Log): (label: string) => AccountLog {
  const lines = ungrouped(log);
  const warned = new Set<string>();
  return (label) => {
    const course: string[] = [];
    let depth = 0;
    const say = (text: string): void => {
      course.push(text);
      // Within a group, only what tells of a deployment's progress is an event: `d-9XKQ2T7LM  Install ✓`.
      if (depth > 0 ? /^\S+ {2}\S/.test(text) : !text.startsWith(' ')) lines.info(`${label}  ${firstLine(text)}`);
    };
    const annotated =
      (kind: 'notice' | 'warning' | 'error'): Log['warning'] =>
      (text, annotation) => {
        course.push(`${kind}: ${text}`);
        // What all accounts say alike is annotated once, since a step has ten annotations.
        if (warned.has(text)) lines.info(`${label}  ${kind}: ${firstLine(text)}`);
        else lines[kind](`${label}: ${text}`, annotation);
        warned.add(text);
      };
    return {
      info: say,
      debug: (text) => log.debug(`${label}  ${text}`),
      notice: annotated('notice'),
      warning: annotated('warning'),
      error: annotated('error'),
      group: async (title, work) => {
        say(title);
        depth += 1;
        try {
          return await work();
        } finally {
          depth -= 1;
        }
      },
      end: async (title) => lines.group(title, course),
    };
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Lines that come while a group is open wait for its end. */
function ungrouped(log: Log) {
  const waiting: (() => void)[] = [];
  let groups = Promise.resolve();
  let open = 0;
  const outside = (write: () => void): void => {
    if (open > 0) waiting.push(write);
    else write();
  };
  const group = async (title: string, content: readonly string[]): Promise<void> => {
    await log.group(title, async () => content.forEach((line) => log.info(line)));
    open -= 1;
    if (open === 0) for (const write of waiting.splice(0)) write();
  };
  return {
    info: (text: string) => outside(() => log.info(text)),
    notice: (...said: Parameters<Log['notice']>) => outside(() => log.notice(...said)),
    warning: (...said: Parameters<Log['warning']>) => outside(() => log.warning(...said)),
    error: (...said: Parameters<Log['error']>) => outside(() => log.error(...said)),
    group: async (title: string, content: readonly string[]): Promise<void> => {
      open += 1;
      groups = groups.then(async () => group(title, content));
      await groups;
    },
  };
}
