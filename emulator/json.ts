/** Reads unknown JSON without `any`: each reader says what AWS says when a request's shape is wrong. */
import { AwsFault, type Json } from './service.ts';

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object in a text; undefined for anything else. */
export function parseRecord(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A list as IAM and Docker documents write it: one value stands for a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
}

function wrongType(name: string): AwsFault {
  return new AwsFault('SerializationException', `Unexpected type at '${name}'`);
}

export function optionalText(input: Json, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(name);
  return value;
}

/** A required string member. `fault` is the service's own name for a missing parameter. */
export function text(input: Json, name: string, fault = 'InvalidParameterException'): string {
  const value = optionalText(input, name);
  if (value === undefined)
    throw new AwsFault(fault, `Invalid parameter at '${name}' failed to satisfy constraint: 'Member must not be null'`);
  return value;
}

export function optionalNumber(input: Json, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) throw wrongType(name);
  return number;
}

export function flag(input: Json, name: string): boolean {
  return input[name] === true || input[name] === 'true';
}

export function records(input: Json, name: string): readonly Json[] {
  return listOf(input[name]).map((value) => {
    if (!isRecord(value)) throw wrongType(name);
    return value;
  });
}

export function texts(input: Json, name: string): readonly string[] {
  return listOf(input[name]).map((value) => {
    if (typeof value !== 'string') throw wrongType(name);
    return value;
  });
}

export function record(input: Json, name: string): Json | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw wrongType(name);
  return value;
}

/** AWS JSON 1.1 timestamps: seconds since the epoch, with milliseconds behind the point. */
export function timestamp(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

/** One page of a list: the token is the next index, as opaque to the caller as AWS's own. */
export function page<T>(
  all: readonly T[],
  { token, size }: { token: string | undefined; size: number },
): { items: readonly T[]; next?: string } {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(from) || from < 0) throw new AwsFault('InvalidParameterException', 'Invalid token');
  const items = all.slice(from, from + size);
  return from + size < all.length ? { items, next: Buffer.from(String(from + size)).toString('base64url') } : { items };
}
