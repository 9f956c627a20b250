/**
 * `action.yml` and the README's tables, rendered from the modes. Nothing here is read at run time: `npm run docs` writes them, and a
 * test compares them with what is committed.
 */
import type { Rows } from './inputs.ts';
import { outputs, type Mode, type OutputName } from './mode.ts';

interface DocumentedInput {
  readonly name: string;
  readonly description: string;
  readonly modes: readonly string[];
  readonly requiredIn: readonly string[];
  readonly shownDefault: string | undefined;
  readonly expression: string | undefined;
}

const modeInput = (modes: readonly Mode[]): DocumentedInput => ({
  name: 'mode',
  description: `What the step does: ${modes.map(({ name }) => `\`${name}\``).join(', ')}.`,
  modes: modes.map(({ name }) => name),
  requiredIn: [],
  shownDefault: 'release',
  expression: undefined,
});

/** Every input once, in the order of the modes; one that two modes read differently is described by both. */
function documentedInputs(modes: readonly Mode[]): readonly DocumentedInput[] {
  const found = new Map<string, DocumentedInput>([['mode', modeInput(modes)]]);
  for (const mode of modes) {
    for (const [name, row] of entries(mode.inputs)) {
      if (row.description.trim() === '') throw new Error(`input ${name} of mode ${mode.name} has no description`);
      const before = found.get(name);
      const required = row.required ? [mode.name] : [];
      found.set(name, {
        name,
        description:
          before === undefined || before.description.includes(row.description)
            ? (before?.description ?? row.description)
            : `${before.description} In \`${mode.name}\`: ${row.description}`,
        modes: [...(before?.modes ?? []), mode.name],
        requiredIn: [...(before?.requiredIn ?? []), ...required],
        shownDefault: before?.shownDefault ?? row.shownDefault,
        expression: row.expression,
      });
    }
  }
  return [...found.values()];
}

/** What an author may write. */
const written = (modes: readonly Mode[]): readonly DocumentedInput[] =>
  documentedInputs(modes).filter(({ expression }) => expression === undefined);

const entries = (rows: Rows) => Object.entries(rows);

/** The outputs that some mode can set, in the order of their declaration. */
function documentedOutputs(
  modes: readonly Mode[],
): readonly (readonly [name: OutputName, description: string, modes: readonly string[]])[] {
  return (Object.keys(outputs) as OutputName[]).flatMap((name) => {
    const setBy = modes.filter((mode) => mode.outputs.includes(name)).map((mode) => mode.name);
    return setBy.length === 0 ? [] : [[name, outputs[name], setBy] as const];
  });
}

function fullDescription({ description, shownDefault, requiredIn, modes }: DocumentedInput): string {
  const need = requiredIn.length === 0 ? '' : requiredIn.length === modes.length ? ' Required.' : ` Required in ${requiredIn.join(', ')}.`;
  return `${description}${shownDefault === undefined ? '' : ` Default: \`${shownDefault}\`.`}${need}`;
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
