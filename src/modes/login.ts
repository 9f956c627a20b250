/** Logs Docker in to the shared registry for the steps that follow; the post step takes it back. */
import { parseAccountId, type AccountId } from '../domain/account.ts';
import { hostOfAccount } from '../domain/image.ts';
import { code } from '../domain/markdown.ts';
import { InputError, type InputProblem } from '../errors.ts';
import { list, listOf } from '../inputs.ts';
import { defineMode } from '../mode.ts';
import type { Session } from '../ports/credentials.ts';
import { loginDocker, requireDocker } from '../steps/docker-login.ts';
import { registryPlace } from '../steps/plan-blindly.ts';
import { checkRegistryType } from '../steps/public-registry.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { openRegistry, registryAccount, sideProblems } from '../steps/sessions.ts';
import { common, registryKind, registrySide } from './shared-inputs.ts';

export const login = defineMode({
  name: 'login',
  summary: 'Logs Docker in to the shared registry for the steps that follow; the post step takes it back.',
  inputs: {
    ...common,
    ...registrySide,
    ...registryKind,
    registries: listOf(
      list(parseAccountId),
      'Accounts whose registries in this Region are logged in to as well; their repository policies decide what may be done there.',
    ),
  },
  outputs: ['registry', 'plan'],
  check: (inputs) => [...sideProblems(inputs), ...checkRegistryType(inputs)],
  run: async ({ inputs, ports, output, memory, signal }) => {
    await requireDocker(ports.docker);
    const { session, imageRegistry } = openRegistry({ inputs, ports });
    const [authorization] = await Promise.all([imageRegistry.authorization(), session.identity()]);
    const further = inputs.registries.map((account) => ({ input: 'registries', account }));
    const hosts =
      inputs['registry-type'] === 'public'
        ? [authorization.host]
        : await registryHosts({
            own: authorization.host,
            wanted: [{ input: 'registry-id', account: registryAccount(inputs) }, ...further],
            session,
          });
    const [host = authorization.host] = hosts;
    if (inputs['dry-run']) {
      output('registry', host);
      return tellPlan('login', [{ writes: [], login: { registries: hosts } }], { ports, output });
    }
    await loginDocker({ hosts, login: authorization, ports, memory, signal });
    output('registry', host);
    ports.log.info(`Docker is logged in to ${hosts.join(', ')}${until(authorization.expiresAt)}; the end of the job logs it out.`);
    await ports.github.summarise(`### Login\n\nDocker is logged in to ${hosts.map(code).join(', ')}.\n`);
  },
  planBlindly: async ({ inputs }) => ({ wished: [`a login to ${registryPlace(inputs)}`], unknown: ['the host of that registry'] }),
});

function until(expiresAt: number | undefined): string {
  return expiresAt === undefined ? '' : ` until ${new Date(expiresAt).toISOString().slice(11, 16)} UTC`;
}

interface WantedRegistry {
  readonly input: string;
  /** Undefined: that of the credentials at hand. */
  readonly account: AccountId | undefined;
}

/** The registries' hosts, each once: that of the credentials at hand, with the account that is meant (RULES 5.4). */
async function registryHosts({
  own,
  wanted,
  session,
}: {
  own: string;
  wanted: readonly WantedRegistry[];
  session: Session;
}): Promise<readonly string[]> {
  const { account: caller } = await session.identity();
  const problems: InputProblem[] = [];
  const hosts = wanted.flatMap(({ input, account }): readonly string[] => {
    const host = account === undefined ? own : (hostOfAccount(own, account) ?? (account === caller ? own : undefined));
    if (host !== undefined) return [host];
    problems.push({ input, problem: `the host of ${account ?? ''} can’t be told from ${own}, the registry of ${caller}` });
    return [];
  });
  if (problems.length > 0) throw new InputError(problems, { hint: 'Give registry-role, a role in the account that owns the registry.' });
  return [...new Set(hosts)];
}
