/** JSON as a policy is written in (RFC 8259). A policy that names a key twice has no one meaning: JSON.parse would drop the first. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** A JSON value, or why the text is none. */
export function parseJson(text: string): { readonly ok: true; readonly json: Json } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, json: JSON.parse(text) as Json };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The JSON paths of keys that an object names twice, in text that parses: `$.Statement[0].Condition.StringLike`. */
export function duplicateKeys(text: string): string[] {
  interface Frame {
    readonly path: string;
    readonly keys: Set<string> | undefined;
    index: number;
    key: string;
  }
  const found: string[] = [];
  const stack: Frame[] = [];
  const place = () => {
    const frame = stack.at(-1);
    if (!frame) return '$';
    return frame.keys ? `${frame.path}.${frame.key}` : `${frame.path}[${frame.index}]`;
  };
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\],]/g)) {
    const frame = stack.at(-1);
    if (token === '{' || token === '[') stack.push({ path: place(), keys: token === '{' ? new Set() : undefined, index: 0, key: '' });
    else if (token === '}' || token === ']') stack.pop();
    else if (token === ',' && frame) frame.index += 1;
    else if (token.endsWith(':') && frame?.keys) {
      const quoted = token.slice(0, token.lastIndexOf('"') + 1);
      frame.key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
      if (frame.keys.has(frame.key)) found.push(place());
      frame.keys.add(frame.key);
    }
  }
  return found;
}
