/**
 * JSON that goes and comes whole. The SDK sends and reads the members that its own version knows, and drops others without a word; a
 * document that belongs to its author may have members that AWS learnt since.
 */
import { isObject, type JsonObject } from '../domain/json.ts';

/** What of the SDK's commands is used here; its own types of middleware differ from command to command. */
interface Command {
  readonly middlewareStack: unknown;
}
type Handler = (args: { request: { body?: string } }) => Promise<{ response: { body: AsyncIterable<Uint8Array> | Buffer } }>;
interface Stack {
  add(middleware: (next: Handler) => Handler, options: { step: 'serialize' | 'deserialize'; priority: 'low' }): void;
}

/** The request's body is this document as it stands; it is signed after that. */
export function sendWhole({ middlewareStack }: Command, document: JsonObject): void {
  const replaceBody = (next: Handler): Handler => {
    return async (args) => {
      args.request.body = JSON.stringify(document);
      return next(args);
    };
  };
  (middlewareStack as Stack).add(replaceBody, { step: 'serialize', priority: 'low' });
}

/** Gives what came, once it has come. */
export function wholeAnswer({ middlewareStack }: Command): () => JsonObject {
  let text = '{}';
  const keepBody = (next: Handler): Handler => {
    return async (args) => {
      const result = await next(args);
      const chunks: Uint8Array[] = [];
      for await (const chunk of result.response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      result.response.body = body;
      text = body.toString('utf8');
      return result;
    };
  };
  (middlewareStack as Stack).add(keepBody, { step: 'deserialize', priority: 'low' });
  return () => {
    const answer: unknown = JSON.parse(text);
    return isObject(answer) ? answer : {};
  };
}
