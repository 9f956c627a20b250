/**
 * Comma-separated values, as Docker's actions read their list inputs (csv-parse with `relax_quotes`): a field may be quoted, then it may
 * hold commas, line breaks and `""` for a quote; a quote inside an unquoted field is itself. Empty lines are no records.
 *
 *   record = field *("," field);  records are separated by line breaks
 */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  let rest = text.replaceAll(/\r\n?/g, '\n');
  while (rest !== '') {
    const { field, length } = nextField(rest);
    const end = rest[length];
    record.push(field);
    rest = rest.slice(length + 1);
    if (end === ',' && rest !== '') continue;
    if (end === ',') record.push('');
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  }
  return records;
}

/** One field as `parseCsv` reads it back; nothing is quoted that needn't be. */
export function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text of the first field, and how much of `text` it takes. */
function nextField(text: string): { field: string; length: number } {
  const quoted = /^"((?:[^"]|"")*)"(?=[,\n]|$)/.exec(text);
  if (quoted) return { field: (quoted[1] ?? '').replaceAll('""', '"'), length: quoted[0].length };
  const field = /^[^,\n]*/.exec(text)?.[0] ?? '';
  return { field, length: field.length };
}
