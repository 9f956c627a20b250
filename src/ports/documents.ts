/**
 * YAML and JSON documents of a person: read with the position of every value, and written back with one value changed and everything
 * else as it was – comments, key order, spelling. JSON is read as the YAML that it is, and written back as JSON.
 */
import { isCollection, isNode, isScalar, LineCounter, parseDocument as parseYaml, Scalar, Document, visit } from 'yaml';
import { formatPath, isObject, type Json, type JsonPath } from '../domain/json.ts';
import { ok, type Parsed } from '../domain/parsed.ts';
import { DocumentError, toError, type DocumentProblem } from '../errors.ts';

export interface Position {
  /** From 1, as the column. */
  readonly line: number;
  readonly column: number;
}

export interface ParsedDocument {
  /** The path as the author wrote it. */
  readonly file: string;
  readonly value: Json;
  /** Where the value at this path stands, or the nearest one around it that does. */
  position(path: JsonPath): Position | undefined;
  /** The document's text with this value there, which may be new; one that stands there already leaves the text as it is. */
  textWith(path: JsonPath, value: string): string;
}

/**
 * @param file as the author wrote it, for messages
 * @throws DocumentError with every syntax problem, each with line and column
 */
export function parseDocument(file: string, text: string): ParsedDocument {
  const lines = new LineCounter();
  const document = parseYaml(text, { lineCounter: lines, prettyErrors: false });
  const language = isJson(file) ? 'JSON' : 'YAML';
  const faults = [
    ...document.errors.map(({ message, pos: [offset] }) => ({ offset, problem: `is not ${language}: ${message}` })),
    ...document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED').map(({ pos: [offset] }) => unresolvedTag(text, offset)),
  ];
  if (faults.length > 0) {
    throw new DocumentError(
      faults.map(({ offset, problem }) => {
        const { line, col } = lines.linePos(offset);
        return { file, problem, line, column: col };
      }),
    );
  }
  return {
    file,
    value: valueOf(file, document),
    position: (path) => positionOf({ document, lines, path }),
    textWith: (path, value) => {
      if (document.getIn(path) === value) return text;
      const place = plainPlace(document.getIn(path, true));
      if (place) return `${text.slice(0, place.start)}${JSON.stringify(value)}${text.slice(place.end)}`;
      // On a copy: what is set once must not show in the next text. A place behind an alias is many places: then all are written out.
      const copy = isCollection(document.getIn(path.slice(0, -1), true))
        ? document.clone()
        : new Document(document.toJS(), { aliasDuplicateObjects: false });
      setText({ document: copy, path, value, quoted: isJson(file) });
      return copy.toString({ lineWidth: 0, flowCollectionPadding: !isJson(file) });
    },
  };
}

/**
 * The text with its strings filled in, each still the one string that it was, whatever stands in it then: nobody's text becomes a
 * document's structure. Lines stay where they are.
 * @throws DocumentError where a string can't be filled in
 */
export function fillScalars(file: string, text: string, fill: (text: string) => Parsed<string>): string {
  const lines = new LineCounter();
  const places: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const problems: DocumentProblem[] = [];
  const document = parseYaml(text, { lineCounter: lines, prettyErrors: false });
  // What is no document is told by whoever reads it.
  if (document.errors.length > 0) return text;
  visit(document, {
    Scalar: (_, { value, range, type }) => {
      if (typeof value !== 'string' || !range) return;
      const filled = fill(value);
      const [from, to] = range;
      if (!filled.ok) {
        const { line, col } = lines.linePos(from);
        problems.push({ file, problem: filled.problem, line, column: col });
      } else if (filled.value !== value) {
        const isBlock = type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED;
        const source = isBlock ? fill(text.slice(from, to)) : ok(JSON.stringify(filled.value));
        if (source.ok) places.push({ from, to, text: source.value });
      }
    },
  });
  if (problems.length > 0) throw new DocumentError(problems);
  return places.toReversed().reduce((whole, place) => `${whole.slice(0, place.from)}${place.text}${whole.slice(place.to)}`, text);
}

/** `!Ref` and its like mean something to CloudFormation or Serverless only; read without its tag, the value would be another. */
function unresolvedTag(text: string, offset: number): { readonly offset: number; readonly problem: string } {
  const tag = /^!\S*/.exec(text.slice(offset))?.[0] ?? '';
  return {
    offset,
    problem: `has the tag ${tag}, which means nothing here: write the value itself, or let the tool that knows the tag render the file in a step before`,
  };
}

/** The document's value; aliases that name nothing, too many of them, and a value that holds itself are the author's to mend. */
function valueOf(file: string, document: Document): Json {
  try {
    const value: unknown = document.toJS();
    JSON.stringify(value);
    if (isJsonValue(value)) return value;
  } catch (error) {
    throw new DocumentError([{ file, problem: `has an alias that can't be followed: ${toError(error).message.split('\n')[0] ?? ''}` }], {
      cause: error,
    });
  }
  throw new DocumentError([
    { file, problem: 'holds a value that JSON has not, such as .inf, .nan or what !!binary, !!set or !!timestamp makes' },
  ]);
}

function isJsonValue(value: unknown): value is Json {
  if (Array.isArray(value)) return value.every(isJsonValue);
  if (isObject(value)) return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJsonValue);
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function isJson(file: string): boolean {
  return /\.json$/i.test(file);
}

/** Where a value of one line stands in the text, so that nothing else need be touched. Double quotes are read by YAML and JSON alike. */
function plainPlace(node: unknown): { readonly start: number; readonly end: number } | undefined {
  if (!isScalar(node) || !node.range || node.anchor !== undefined || node.tag !== undefined) return undefined;
  const [start, end] = node.range;
  const isPlain = ['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'].includes(node.type ?? '');
  return isPlain && end > start ? { start, end } : undefined;
}

/** Anything else – a value that was left empty, or is new and comes last – is set in the parsed document, whose comments survive. */
function setText({ document, path, value, quoted }: { document: Document; path: JsonPath; value: string; quoted: boolean }): void {
  const before = document.getIn(path, true);
  if (isScalar(before)) {
    Object.assign(before, { value, type: 'QUOTE_DOUBLE', source: undefined });
    return;
  }
  const parent = document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) throw new Error(`${formatPath(path)} has no place in the document`);
  const name = path.at(-1);
  parent.set(quoted && typeof name === 'string' ? quotedText(name) : name, quotedText(value));
}

function quotedText(value: string): Scalar<string> {
  return Object.assign(new Scalar(value), { type: 'QUOTE_DOUBLE' });
}

function positionOf({ document, lines, path }: { document: Document; lines: LineCounter; path: JsonPath }): Position | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const [offset] = (isNode(node) && node.range) || [];
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    }
  }
  return undefined;
}
