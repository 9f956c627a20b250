/**
 * Many accounts in one step: the waves in which they are deployed to, and the placeholders by which one input means what each account
 * needs.
 *
 *   waves        = size *( "," size )             cumulative: `1, 10%, 100%` is one account, then up to a tenth of all, then the rest
 *   size         = number | percentage "%"        a percentage is rounded up; a last 100% is implied
 *   accounts     = "discover" | ID *( "," ID )    or a JSON list of IDs, as the output `accounts` of mode discover is one
 *   placeholder  = "{account-id}" | "{account-name}" | "{region}"
 */
import { parseAccountId, type AccountId, type Region } from './account.ts';
import { bad, ok, parseAll, type Parsed, type Parser } from './parsed.ts';

/** How many accounts have had their turn when a wave ends. */
export type WaveSize = { readonly count: number } | { readonly percent: number };

export function parseWaves(text: string): Parsed<readonly WaveSize[]> {
  const sizes = parseAll(entries(text), parseSize);
  if (!sizes.ok) return sizes;
  const falls = sizes.value.some((size, index) => isLess(size, sizes.value[index - 1]));
  return falls ? bad(`"${text}" does not grow: each size counts the accounts of the waves before too, as in 1, 10%, 100%`) : sizes;
}

function parseSize(text: string): Parsed<WaveSize> {
  const [, digits = '', percent] = /^([1-9]\d{0,5}) ?(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === '' || (percent === '%' && number > 100))
    return bad(`"${text}" is neither a number of accounts from 1 nor a percentage from 1% to 100%`);
  return ok(percent === '%' ? { percent: number } : { count: number });
}

function isLess(size: WaveSize, before: WaveSize | undefined): boolean {
  if (before === undefined) return false;
  if ('percent' in size) return 'percent' in before && size.percent < before.percent;
  return 'count' in before && size.count < before.count;
}

/** In the order of the accounts; a wave that would add none is left out. */
export function cutWaves<T>(accounts: readonly T[], sizes: readonly WaveSize[]): readonly (readonly T[])[] {
  const all = accounts.length;
  const ends = [...sizes.map((size) => ('percent' in size ? Math.ceil((all * size.percent) / 100) : size.count)), all];
  let start = 0;
  return ends.flatMap((end) => {
    const wave = accounts.slice(start, end);
    start = Math.max(start, Math.min(end, all));
    return wave.length === 0 ? [] : [wave];
  });
}

/** How a fan-out goes where nothing is said, as it would be written. */
export const fanOutDefaults = { waves: '100%', 'max-parallel': '10', 'max-failures': '0' } as const;

/** Whose accounts they are is known by now, or is asked of Organizations. */
export type DeployAccounts = 'discover' | readonly AccountId[];

export function parseDeployAccounts(text: string): Parsed<DeployAccounts> {
  const words = entries(text.replace(/^\s*\[([^]*)\]\s*$/, '$1').replaceAll('"', ''));
  if (words.length === 0) return bad('names no account');
  if (!words.includes('discover')) return parseAll(words, parseAccountId);
  return words.length === 1 ? ok('discover') : bad('"discover" stands alone: it means the accounts of target-ous');
}

function entries(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

export const placeholders = ['{account-id}', '{account-name}', '{region}'] as const;

/** What stands for the placeholders in one account. */
export interface Filling {
  /** Undefined where nobody has said it before the credentials do. */
  readonly account: AccountId | undefined;
  /** Empty where Organizations was not asked. */
  readonly name: string;
  readonly region: Region;
}

/** Whatever stands in braces, known or not. */
export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(/\{[^{}]*\}/g)].map(([placeholder]) => placeholder);
}

/** The text with its placeholders filled in, all at once: what stands for one is not looked through. A problem for one that nothing is known of. */
export function fillPlaceholders(text: string, { account, name, region }: Filling): Parsed<string> {
  const found = placeholdersIn(text);
  if (account === undefined && found.includes('{account-id}'))
    return bad('holds {account-id}: deploy-accounts says which accounts are meant, or deploy-account-id the one');
  if (name === '' && found.includes('{account-name}'))
    return bad('holds {account-name}, which is known with deploy-accounts: discover only');
  const meanings: Readonly<Record<string, string>> = { '{account-id}': account ?? '', '{account-name}': name, '{region}': region };
  return ok(text.replaceAll(/\{[^{}]*\}/g, (placeholder) => meanings[placeholder] ?? placeholder));
}

/** Text that may hold placeholders, and what it must be when they are filled in. */
export interface Template<T> {
  readonly template: string;
  readonly parse: Parser<T>;
}

/** An account's name is the text of whoever may rename it: within a path or an ARN it must stay one part. */
export function fillTemplate<T>({ template, parse }: Template<T>, filling: Filling): Parsed<T> {
  if (placeholdersIn(template).includes('{account-name}') && /[/\\]|^\.+$/.test(filling.name))
    return bad(`"${template}" can't take the account name "${filling.name}": it would lead elsewhere`);
  const filled = fillPlaceholders(template, filling);
  return filled.ok ? parse(filled.value) : bad(`"${template}" ${filled.problem}`);
}
