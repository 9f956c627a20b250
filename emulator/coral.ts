/**
 * Reads a request's members as AWS's service framework (Coral) does for ECS and CodeDeploy: `null` counts as absent, an unknown member
 * is ignored, and a wrong type is a `SerializationException` in the framework's own opaque words, which name a Java class and no field.
 */
import { isRecord } from './json.ts';
import { AwsFault } from './service.ts';
import type { Json } from './service.ts';

const fault = (message: string): AwsFault => new AwsFault('SerializationException', message);

const mistyped = (value: unknown, wanted: string): AwsFault => {
  if (Array.isArray(value)) return fault(`Unrecognized collection type class java.lang.${wanted}`);
  if (isRecord(value)) return fault('Start of structure or map found where not expected');
  if (typeof value === 'boolean') return fault(`${value ? 'TRUE' : 'FALSE'}_VALUE cannot be converted to ${wanted}`);
  return fault(`${typeof value === 'string' ? 'STRING' : 'NUMBER'}_VALUE cannot be converted to ${wanted}`);
};

const member = (json: Json, name: string): unknown => json[name] ?? undefined;

export const text = (json: Json, name: string): string | undefined => {
  const value = member(json, name);
  if (value === undefined || typeof value === 'string') return value;
  throw mistyped(value, 'String');
};

export const number = (json: Json, name: string): number | undefined => {
  const value = member(json, name);
  if (value === undefined || typeof value === 'number') return value;
  throw mistyped(value, 'Integer');
};

export const flag = (json: Json, name: string): boolean | undefined => {
  const value = member(json, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw mistyped(value, 'Boolean');
};

export const record = (json: Json, name: string): Json | undefined => {
  const value = member(json, name);
  if (value === undefined || isRecord(value)) return value;
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  throw fault(Array.isArray(value) ? `Unrecognized collection type class com.amazonaws.madison.frontend.${type}` : 'Unexpected field type');
};

const list = (json: Json, name: string): readonly unknown[] | undefined => {
  const value = member(json, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value as readonly unknown[];
  throw fault(isRecord(value) ? 'Start of structure or map found where not expected' : 'Unexpected field type');
};

export const texts = (json: Json, name: string): string[] | undefined =>
  list(json, name)?.map((value) => {
    if (typeof value !== 'string') throw mistyped(value, 'String');
    return value;
  });

export const records = (json: Json, name: string): Json[] | undefined =>
  list(json, name)?.map((value) => {
    if (!isRecord(value)) throw fault('Unexpected value type in payload');
    return value;
  });

/** Members that are undefined are not sent. */
export const present = (json: Json): Json => Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
