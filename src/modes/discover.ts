/** Expands OUs to their active accounts, for a matrix of jobs. */
import { leftOutLines, matrixOf, unitOf, type OrganizationAccount } from '../domain/discovery.ts';
import { largeOutputLimit } from '../domain/output-limit.ts';
import { code, escapeMarkdown, table } from '../domain/markdown.ts';
import { formatOuTarget, parseOuTarget } from '../domain/organization.ts';
import { InputError } from '../errors.ts';
import { list, required } from '../inputs.ts';
import { defineMode } from '../mode.ts';
import { discoverAccounts, type Discovery } from '../steps/discover-accounts.ts';
import { foreignPaths } from '../steps/resolve-ous.ts';
import { openOrganization, sideProblems } from '../steps/sessions.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { common, discovering, manyAccounts } from './shared-inputs.ts';

export const discover = defineMode({
  name: 'discover',
  summary: 'Expands OUs to their active accounts, and gives the `matrix` for `strategy.matrix`; reads only.',
  inputs: {
    ...common,
    'organization-id': discovering['organization-id'],
    'organization-role': discovering['organization-role'],
    'target-ous': required(
      list(parseOuTarget),
      'The OUs whose accounts are listed, all levels down: IDs, full paths, names, or `r-…`/`o-…` for all, the management account among them.',
    ),
    'exclude-accounts': manyAccounts['exclude-accounts'],
  },
  outputs: ['matrix', 'accounts', 'account-count', 'plan'],
  check: (inputs) => [
    ...sideProblems(inputs),
    ...foreignPaths({ targets: inputs['target-ous'], organizationId: inputs['organization-id'] }).map((problem) => ({
      input: 'target-ous',
      problem,
    })),
  ],
  run: async ({ inputs, ports, output }) => {
    const { log, github } = ports;
    const { session, organizations } = openOrganization({ inputs, ports });
    const [discovery] = await Promise.all([discoverAccounts({ inputs, organizations, session, log }), session.identity()]);
    const { accounts, strangers } = discovery;
    const { matrix, ids } = outputsOf(accounts);
    output('account-count', String(accounts.length));
    output('matrix', matrix);
    output('accounts', ids ?? '');
    for (const line of lines(discovery)) log.info(line);
    for (const id of strangers) log.warning(`exclude-accounts: ${id} is not among the accounts that were found.`);
    if (ids === undefined)
      log.warning(`The output accounts is empty: GitHub would drop it together with the matrix, at ${accounts.length} accounts.`);
    if (accounts.length === 0)
      log.warning('No active account was found. An empty matrix fails a job: give the job that uses it an if: account-count is not 0.');
    await github.summarise(summary(discovery));
    if (inputs['dry-run']) await tellPlan('discover', [{ writes: [] }], { ports, output });
  },
  planBlindly: async ({ inputs, output }) => {
    output('account-count', '0');
    output('matrix', JSON.stringify(matrixOf([])));
    output('accounts', '[]');
    return {
      wished: inputs['target-ous'].map((target) => `the active accounts of ${formatOuTarget(target)}`),
      unknown: ['which those are'],
    };
  },
});

/**
 * The outputs as JSON, as far as GitHub takes them: the list of IDs may be left out, the matrix never, nor a part of it.
 * @throws InputError where the matrix alone is too large
 */
function outputsOf(accounts: readonly OrganizationAccount[]): { matrix: string; ids: string | undefined } {
  const matrix = JSON.stringify(matrixOf(accounts));
  const ids = JSON.stringify(accounts.map(({ id }) => id));
  if (matrix.length > largeOutputLimit) {
    throw new InputError(
      [{ input: 'target-ous', problem: `have ${accounts.length} active accounts, more than a job's outputs can hold` }],
      {
        hint: 'Name fewer OUs, and discover in several jobs.',
      },
    );
  }
  return { matrix, ids: matrix.length + ids.length > largeOutputLimit ? undefined : ids };
}

/** The log has the first accounts, the summary more of them, the outputs all. */
const linesShown = 100;
const rowsShown = 1_000;

function lines({ organization, accounts, leftOut }: Discovery): readonly string[] {
  return [
    `${organization.id}: ${count(accounts.length)}`,
    ...accounts.slice(0, linesShown).map(({ id, name, path }) => `  ${id}  ${name}  ${path}`),
    ...(accounts.length > linesShown ? [`  and ${accounts.length - linesShown} more`] : []),
    ...leftOutLines(leftOut),
  ];
}

const count = (accounts: number): string => `${accounts} active account${accounts === 1 ? '' : 's'}`;

function summary({ organization, accounts, leftOut }: Discovery): string {
  const rows = accounts.slice(0, rowsShown).map(({ id, name, path }) => [code(id), escapeMarkdown(name), code(unitOf(path)), code(path)]);
  return [
    '### Accounts',
    '',
    `${count(accounts.length)} of ${code(organization.id)}.`,
    '',
    ...(rows.length > 0 ? [table(['Account', 'Name', 'OU', 'Path'], rows), ''] : []),
    ...(accounts.length > rowsShown ? [`And ${accounts.length - rowsShown} more.`, ''] : []),
    ...leftOutLines(leftOut).map((line) => `- ${escapeMarkdown(line)}`),
    '',
  ].join('\n');
}
