/**
 * Workflow commands in text that is not ours. The runner acts on a line that starts with `::` (after blanks) and, in the old form,
 * on `##[` anywhere in a line (actions/runner, ActionCommand.cs: TryParseV2 and TryParse). A zero-width space breaks both and
 * leaves the text readable. What .NET trims is JavaScript's white space and U+0085.
 */
const breaker = '\u200b';

/** The same text, in which no line is a workflow command. */
export function defuse(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/^([\s\u0085]*):(?=:)/, `$1:${breaker}`).replaceAll('##[', `##${breaker}[`))
    .join('\n');
}
