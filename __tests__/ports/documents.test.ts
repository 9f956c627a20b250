import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../src/domain/json.ts';
import { bad, ok, type Parsed } from '../../src/domain/parsed.ts';
import { DocumentError } from '../../src/errors.ts';
import { fillScalars, parseDocument } from '../../src/ports/documents.ts';
import { parse } from 'yaml';

const yaml = `# who owns it
version: 0.0
resources:   # one only
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>   # filled in
        x-unknown: [1, two]
`;
const path = ['resources', 0, 'TargetService', 'Properties', 'TaskDefinition'];

describe('strings filled in', () => {
  const hostile = 'x", "b": {} # : *a\\';
  const fill = (text: string): Parsed<string> =>
    text.includes('{bad}') ? bad(`"${text}" is bad`) : ok(text.replaceAll('{name}', () => hostile));

  test.each([
    ['td.json', '{"a": "{name}", "n": 1}'],
    ['td.yml', 'a: "{name}" # of {name}\nn: 1\n'],
    ['td.yml', "a: '{name}'\nn: 1\n"],
  ])('%s %j: each is the one string that it was', (file, text) => {
    expect(parseDocument(file, fillScalars(file, text, fill)).value).toEqual({ a: hostile, n: 1 });
  });

  test('plain ones, in a list, as a key and in a block', () => {
    const text = 'list:\n  - of-{name}\nof-{name}: |\n  first {name}\n  second\nlast: 80\n';
    const filled = fillScalars('td.yml', text, fill);
    expect(parseDocument('td.yml', filled).value).toEqual({
      list: [`of-${hostile}`],
      [`of-${hostile}`]: `first ${hostile}\nsecond\n`,
      last: 80,
    });
    expect(filled.split('\n')).toHaveLength(text.split('\n').length);
  });

  test('without placeholders the text stays as it is; what can’t be filled in is told with its place', () => {
    const text = '# {name}\na: "b"\n';
    expect(fillScalars('td.yml', text, fill)).toBe(text);
    expect(() => fillScalars('td.yml', 'a: b\nc: "{bad}"\n', fill)).toThrow('td.yml:2:4: "{bad}" is bad');
  });
});

describe('YAML', () => {
  test('knows where a value stands, or what is around it', () => {
    const document = parseDocument('appspec.yaml', yaml);
    expect(document.position(path)).toEqual({ line: 7, column: 25 });
    expect(document.position(['resources', 0, 'TargetService', 'Properties', 'Hooks'])).toEqual({ line: 7, column: 9 });
    expect(document.position([])).toEqual({ line: 2, column: 1 });
  });

  test('comes back with one value changed and all else as it was', () => {
    const document = parseDocument('appspec.yaml', yaml);
    expect(document.textWith(path, 'arn:web:43')).toBe(yaml.replace('<TASK_DEFINITION>', '"arn:web:43"'));
    // What is set once does not show in the next text.
    expect(document.textWith(path, 'arn:web:44')).not.toContain('43');
  });

  test('stays as it is, to the letter, where the value stands there already', () => {
    const text = 'a: { TaskDefinition: arn } # c\n';
    expect(parseDocument('a.yaml', text).textWith(['a', 'TaskDefinition'], 'arn')).toBe(text);
  });

  test.each([
    ['one that was left empty', 'a:\n  TaskDefinition:\n  b: 1\n', 'a:\n  TaskDefinition: "arn"\n  b: 1\n'],
    ['one that is quoted', "a: { TaskDefinition: 'x' } # c\n", 'a: { TaskDefinition: "arn" } # c\n'],
    ['one in a block', 'a:\n  TaskDefinition: |\n    x\n    y\n  b: 1 # c\n', 'a:\n  TaskDefinition: "arn"\n  b: 1 # c\n'],
  ])('changes %s', (_name, before, after) => {
    expect(parseDocument('a.yaml', before).textWith(['a', 'TaskDefinition'], 'arn')).toBe(after);
  });

  test('takes a value that was not there', () => {
    const text = parseDocument('a.yaml', 'a:\n  b: 1\n').textWith(['a', 'TaskDefinition'], 'arn');
    expect(text).toBe('a:\n  b: 1\n  TaskDefinition: "arn"\n');
  });
});

describe('JSON', () => {
  const json = '{\n\t"version": 0.0,\n\t"a": [1, { "b": null, "c": "x: #y" }]\n}\n';
  test('stays JSON, and the version 0.0', () => {
    const text = parseDocument('a.json', json).textWith(['a', 1, 'b'], 'arn');
    expect(text).toBe(json.replace('null', '"arn"'));
    expect(JSON.parse(text)).toEqual({ version: 0, a: [1, { b: 'arn', c: 'x: #y' }] });
    expect(text).toContain('"version": 0.0');
  });
  test('also with a key that was not there', () => {
    expect(JSON.parse(parseDocument('a.json', json).textWith(['a', 1, 'new'], 'arn'))).toMatchObject({ a: [1, { new: 'arn' }] });
  });
});

describe('what can’t be read', () => {
  test.each([
    ['a.yaml', 'a: [1\nb: 2\n', /^a\.yaml:2:1: is not YAML: /],
    ['a.yaml', 'a: 1\na: 2\n', /^a\.yaml:2:1: is not YAML: Map keys must be unique/],
    ['a.yaml', 'a:\n\tb: 1\n', /^a\.yaml:2:1: is not YAML: Tabs/],
    ['a.json', '{"a": 1,,}', /^a\.json:1:9: is not JSON: /],
    ['a.json', '{"a": 1', /^a\.json:1:8: is not JSON: /],
    ['a.yaml', 'a: 1\nb: !Ref Role\n', /^a\.yaml:2:4: has the tag !Ref, which means nothing here: write the value itself, or let the tool/],
    ['a.yaml', 'a: !Sub "x"\nb: !GetAtt\n  - y\n', /^a\.yaml:1:4: has the tag !Sub, .*\na\.yaml:2:4: has the tag !GetAtt, /],
    ['a.yaml', 'a: !!binary aGk=\n', /^a\.yaml: holds a value that JSON has not/],
    ['a.yaml', 'a: [.inf]\n', /^a\.yaml: holds a value that JSON has not/],
    ['two.yaml', 'a: 1\n---\nb: 2\n', /^two\.yaml:2:1: is not YAML: Source contains multiple documents/],
  ])('%s: %j', (file, text, message) => {
    expect(() => parseDocument(file, text)).toThrow(DocumentError);
    expect(() => parseDocument(file, text)).toThrow(message);
  });
  test('a tag that only says the type is no matter', () => {
    expect(parseDocument('a.yaml', 'a: !!str 5\nb: !!map { c: !!int 1 }\n').value).toEqual({ a: '5', b: { c: 1 } });
  });
  test('nothing is null', () => expect(parseDocument('a.yaml', '').value).toBeNull());
});

test('any document comes back as it was but for the one value', () => {
  const inner = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,5}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
  fc.assert(
    fc.property(inner, fc.constantFrom('a.yaml', 'a.json'), (other, file) => {
      const value = { ...other, at: { TaskDefinition: 'x' } };
      const text = parseDocument(file, JSON.stringify(value, undefined, 2)).textWith(['at', 'TaskDefinition'], 'arn: "43" #');
      const back = (file.endsWith('json') ? JSON.parse(text) : parse(text)) as Json;
      expect(back).toEqual(JSON.parse(JSON.stringify({ ...value, at: { TaskDefinition: 'arn: "43" #' } })));
    }),
  );
});
