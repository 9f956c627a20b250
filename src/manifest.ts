/**
 * `action.yml` and the README's tables, rendered from the modes. Nothing here is read at run time: `npm run docs` writes them, and a
 * test compares them with what is committed.
 */
import { outputs, type Mode, type OutputName } from './mode.ts';

interface DocumentedInput {
  readonly name: string;
  /** Each with the modes that say so, in the order of the modes. */
  readonly descriptions: readonly Said[];
  readonly defaults: readonly Said[];
  readonly modes: readonly string[];
  readonly requiredIn: readonly string[];
  readonly expression: string | undefined;
}

interface Said {
  readonly text: string;
  readonly by: readonly string[];
}

const modeInput = (modes: readonly Mode[]): DocumentedInput => {
  const names = modes.map(({ name }) => name);
  return {
    name: 'mode',
    descriptions: [{ text: `What the step does: ${codes(names)}.`, by: names }],
    defaults: [{ text: 'release', by: names }],
    modes: names,
    requiredIn: [],
    expression: undefined,
  };
};

/** Every input once, in the order of the modes; one that modes read differently is described by each of them. */
function documentedInputs(modes: readonly Mode[]): readonly DocumentedInput[] {
  const names = new Set(modes.flatMap(({ inputs }) => Object.keys(inputs)));
  return [modeInput(modes), ...[...names].map((name) => documentedInput(name, modes))];
}

function documentedInput(name: string, modes: readonly Mode[]): DocumentedInput {
  const rows = modes.flatMap(({ name: mode, inputs: { [name]: row } }) => (row ? [{ mode, row }] : []));
  for (const { mode, row } of rows) if (row.description.trim() === '') throw new Error(`input ${name} of mode ${mode} has no description`);
  return {
    name,
    descriptions: whatIsSaid(rows.map(({ mode, row }) => ({ mode, text: row.description }))),
    defaults: whatIsSaid(rows.flatMap(({ mode, row }) => (row.shownDefault === undefined ? [] : [{ mode, text: row.shownDefault }]))),
    modes: rows.map(({ mode }) => mode),
    requiredIn: rows.flatMap(({ mode, row }) => (row.required ? [mode] : [])),
    expression: rows.at(-1)?.row.expression,
  };
}

function whatIsSaid(said: readonly { readonly mode: string; readonly text: string }[]): readonly Said[] {
  return [...Map.groupBy(said, ({ text }) => text)].map(([text, by]) => ({ text, by: by.map(({ mode }) => mode) }));
}

/** What an author may write. */
const written = (modes: readonly Mode[]): readonly DocumentedInput[] =>
  documentedInputs(modes).filter(({ expression }) => expression === undefined);

/** The outputs that some mode can set, in the order of their declaration. */
function documentedOutputs(
  modes: readonly Mode[],
): readonly (readonly [name: OutputName, description: string, modes: readonly string[]])[] {
  return (Object.keys(outputs) as OutputName[]).flatMap((name) => {
    const setBy = modes.filter((mode) => mode.outputs.includes(name)).map((mode) => mode.name);
    return setBy.length === 0 ? [] : [[name, outputs[name], setBy] as const];
  });
}

function fullDescription({ descriptions, defaults, requiredIn, modes }: DocumentedInput): string {
  const [first, ...others] = descriptions;
  const described = [first?.text ?? '', ...others.map(({ text, by }) => `In ${codes(by)}: ${text}`)].join(' ');
  const [usual, ...exceptions] = defaults;
  const except = exceptions.map(({ text, by }) => `; in ${codes(by)}: \`${text}\``).join('');
  const shown = usual === undefined ? '' : ` Default: \`${usual.text}\`${except}.`;
  const need = requiredIn.length === 0 ? '' : requiredIn.length === modes.length ? ' Required.' : ` Required in ${requiredIn.join(', ')}.`;
  return `${described}${shown}${need}`;
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/** The text of `action.yml`. Only the runner's own values stand there as `default:`: an explicit empty value would beat any other (RULES 5.5). */
export function renderActionYaml(modes: readonly Mode[]): string {
  const inputs = documentedInputs(modes).flatMap((input) => [
    `  ${input.name}:`,
    `    description: ${quoted(`${fullDescription(input)} Modes: ${input.modes.length === modes.length ? 'all' : input.modes.join(', ')}.`)}`,
    '    required: false',
    ...(input.expression === undefined ? [] : [`    default: ${input.expression}`]),
  ]);
  const set = documentedOutputs(modes).flatMap(([name, description, setBy]) => [
    `  ${name}:`,
    `    description: ${quoted(`${description} Modes: ${setBy.join(', ')}.`)}`,
  ]);
  return [
    '# Rendered from src/modes by "npm run docs". Do not edit.',
    'name: ecr-org-deploy',
    'description: One shared Amazon ECR registry, many AWS accounts - build and push by digest, share with your OUs, deploy ECS blue/green.',
    'author: ecr-org-deploy contributors',
    'branding:',
    '  icon: upload-cloud',
    '  color: orange',
    'inputs:',
    ...inputs,
    'outputs:',
    ...set,
    'runs:',
    '  using: node24',
    '  main: dist/index.js',
    '  post: dist/post/index.js',
    '  post-if: always()',
    '',
  ].join('\n');
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The README's tables by the name of their markers: `<!-- modes -->` … `<!-- /modes -->`. */
export function renderTables(modes: readonly Mode[]): Readonly<Record<string, string>> {
  return {
    modes: table(
      ['mode', 'what it does'],
      modes.map(({ name, summary }) => [`\`${name}\``, summary]),
    ),
    inputs: table(
      ['input', 'modes', 'meaning'],
      written(modes).map((input) => [
        `\`${input.name}\``,
        input.modes.length === modes.length ? 'all' : input.modes.join(', '),
        fullDescription(input),
      ]),
    ),
    outputs: table(
      ['output', 'modes', 'meaning'],
      documentedOutputs(modes).map(([name, description, setBy]) => [`\`${name}\``, setBy.join(', '), description]),
    ),
  };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The same text with each table between its markers replaced; throws where a marker is missing. */
export function fillTables(markdown: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [name, content]) => {
    const pattern = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`);
    if (!pattern.test(text)) throw new Error(`the README has no markers <!-- ${name} --> … <!-- /${name} -->`);
    return text.replace(pattern, (_, open: string, close: string) => `${open}\n\n<!-- prettier-ignore -->\n${content}\n\n${close}`);
  }, markdown);
}
