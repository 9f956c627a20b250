import type { Log } from '../../src/ports/log.ts';

/** Keeps every line, prefixed with its kind. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];
  readonly info = (text: string) => void this.lines.push(text);
  readonly debug = (text: string) => void this.lines.push(`debug: ${text}`);
  readonly notice = (text: string) => void this.lines.push(`notice: ${text}`);
  readonly warning = (text: string) => void this.lines.push(`warning: ${text}`);
  readonly error = (text: string) => void this.lines.push(`error: ${text}`);

  async group<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.lines.push(`▼ ${title}`);
    return work();
  }
}
