/**
 * A moment of time in words, by a format of moment.js as `docker/metadata-action` takes it.
 *
 *   YYYY YY  Q  MMMM MMM MM M  DDDD DDD DD D Do  dddd ddd  HH H hh h  mm m  ss s  SSS SS S  A a  Z ZZ  X x  [text as it is]
 *
 * moment's other words (weeks, eras, what depends on a locale) are refused; letters that are none of its words stand for themselves.
 */
import { bad, ok, type Parsed } from './parsed.ts';

/** moment.js: src/lib/format/format.js, formattingTokens. */
const words =
  /\[[^[]*?\]|[Hh]mm(?:ss)?|Mo|M{1,4}|DDDo|Do|D{1,4}|do|d{1,4}|w[ow]?|W[oW]?|Qo?|N{1,5}|YYYYYY?|YYYY|YY|y{1,4}|yo|g{1,5}|G{1,5}|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?|LTS?|L{1,4}|l{1,4}|[^]/g;

/**
 * @param time milliseconds since the epoch
 * @param zone a name of the IANA time zone database
 */
export function formatDate({ time, format, zone }: { time: number; format: string; zone: string }): Parsed<string> {
  const fields = fieldsOf(time, zone);
  if (!fields) return bad(`"${zone}" is not a time zone such as Europe/Berlin`);
  const texts: string[] = [];
  for (const word of format.match(words) ?? []) {
    if (word.startsWith('[') && word.length > 1) texts.push(word.slice(1, -1));
    else if (!isWord(word)) texts.push(word);
    else {
      const text = Object.hasOwn(fields, word) ? fields[word] : undefined;
      if (text === undefined)
        return bad(`the date format "${format}" has "${word}", which is not supported; write [${word}] for the letters`);
      texts.push(text);
    }
  }
  return ok(texts.join(''));
}

/** One letter may have come as "any other character". */
function isWord(word: string): boolean {
  return word.length > 1 || 'MDdwWQNygGeEaAhHkmsSxXzZLl'.includes(word);
}

/** The text of every word of a format; undefined for a zone that is none. */
function fieldsOf(time: number, zone: string): Readonly<Record<string, string>> | undefined {
  const part = partsOf(time, zone);
  if (!part) return undefined;
  const [year, month, day, hour, minute, second] = [part('year'), part('month'), part('day'), part('hour'), part('minute'), part('second')];
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const milliseconds = String(((time % 1000) + 1000) % 1000).padStart(3, '0');
  const dayOfYear = String(Math.floor((wall - Date.UTC(Number(year), 0, 1)) / 86_400_000) + 1);
  const twelve = String(Number(hour) % 12 || 12);
  const half = Number(hour) < 12 ? 'AM' : 'PM';
  const offset = offsetText(Math.round((wall - Math.floor(time / 1000) * 1000) / 60_000));
  return {
    ...{ YYYY: year, YY: year.slice(-2), Q: String(Math.ceil(Number(month) / 3)) },
    ...{ MMMM: part('monthName'), MMM: part('monthName').slice(0, 3), MM: month, M: String(Number(month)) },
    ...{ DDDD: dayOfYear.padStart(3, '0'), DDD: dayOfYear, DD: day, D: String(Number(day)), Do: ordinal(Number(day)) },
    ...{ dddd: part('weekday'), ddd: part('weekday').slice(0, 3) },
    ...{ HH: hour, H: String(Number(hour)), hh: twelve.padStart(2, '0'), h: twelve },
    ...{ mm: minute, m: String(Number(minute)), ss: second, s: String(Number(second)) },
    ...{ SSS: milliseconds, SS: milliseconds.slice(0, 2), S: milliseconds.slice(0, 1) },
    ...{ A: half, a: half.toLowerCase(), Z: offset, ZZ: offset.replace(':', '') },
    ...{ X: String(Math.floor(time / 1000)), x: String(time) },
  };
}

/** The calendar's fields in a time zone, each as two digits or more. */
function partsOf(time: number, zone: string): ((name: string) => string) | undefined {
  try {
    const common = { timeZone: zone, calendar: 'gregory', numberingSystem: 'latn' } as const;
    const digits = new Intl.DateTimeFormat('en-US', {
      ...common,
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    });
    const named = new Intl.DateTimeFormat('en-US', { ...common, month: 'long', weekday: 'long' });
    const parts = new Map<string, string>(digits.formatToParts(time).map(({ type, value }) => [type, value]));
    for (const { type, value } of named.formatToParts(time)) parts.set(type === 'month' ? 'monthName' : type, value);
    return (name) => parts.get(name) ?? '';
  } catch {
    return undefined;
  }
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (count: number): string => String(count).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function ordinal(day: number): string {
  const teen = day % 100 >= 11 && day % 100 <= 13;
  return `${day}${(!teen && ['th', 'st', 'nd', 'rd'][day % 10]) || 'th'}`;
}
