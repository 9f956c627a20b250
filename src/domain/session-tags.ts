/**
 * Tags of a role session (https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html): 50 at most, a key of 1 to 128 and a
 * value of at most 256 letters, digits, blanks or any of _.:/=+-@. Keys are the same whatever their case; `aws:` is AWS's own.
 */
import { bad, ok, type Parsed } from './parsed.ts';

export interface SessionTag {
  readonly key: string;
  readonly value: string;
}

const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** `key=value`; the value may hold further "=". */
export function parseSessionTag(line: string): Parsed<SessionTag> {
  const at = line.indexOf('=');
  if (at < 1) return bad(`"${line}" is not key=value`);
  const [key, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  if (/^aws:/i.test(key)) return bad(`"${key}" begins with "aws:", which is AWS's own`);
  if (key.length < 1 || key.length > 128) return bad(`the key "${key}" has not 1 to 128 characters`);
  if (value.length > 256) return bad(`the value of "${key}" has more than 256 characters`);
  if (!characters.test(key) || !characters.test(value))
    return bad(`"${line}" holds other characters than letters, digits, blanks and _.:/=+-@`);
  return ok({ key, value });
}

/** The tags of one session, each key once. */
export function checkSessionTags(tags: readonly SessionTag[]): Parsed<readonly SessionTag[]> {
  if (tags.length > 50) return bad(`there are ${tags.length}, and a session takes 50 at most`);
  const keys = tags.map(({ key }) => key.toLowerCase());
  const twice = tags.find(({ key }, index) => keys.indexOf(key.toLowerCase()) < index);
  return twice ? bad(`the key "${twice.key}" is given twice`) : ok(tags);
}
