/** Logs Docker in to the shared registry for the steps that follow; the post step takes it back. */
import type { AccountId } from '../domain/account.ts';
import { hostOfAccount } from '../domain/image.ts';
import { InputError } from '../errors.ts';
import { defineMode } from '../mode.ts';
import type { Session } from '../ports/credentials.ts';
import { loginDocker } from '../steps/docker-login.ts';
import { registryPlace } from '../steps/plan-blindly.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { openRegistry, registryAccount, sideProblems } from '../steps/sessions.ts';
import { common, registrySide } from './shared-inputs.ts';

export const login = defineMode({
  name: 'login',
  summary: 'Logs Docker in to the shared registry for the steps that follow; the post step takes it back.',
  inputs: { ...common, ...registrySide },
  outputs: ['registry', 'plan'],
  check: sideProblems,
  run: async ({ inputs, ports, output, memory }) => {
    const { session, ecr } = openRegistry({ inputs, ports });
    const [authorization] = await Promise.all([ecr.authorization(), session.identity()]);
    const host = await registryHost({ own: authorization.host, registryId: registryAccount(inputs), session });
    if (inputs['dry-run']) {
      output('registry', host);
      return tellPlan('login', [{ writes: [], login: { registry: host } }], { ports, output });
    }
    await loginDocker({ hosts: [host], login: authorization, ports, memory });
    output('registry', host);
    ports.log.info(`Docker is logged in to ${host}; the end of the job logs it out.`);
    await ports.github.summarise(`### Login\n\nDocker is logged in to \`${host}\`.\n`);
  },
  planBlindly: async ({ inputs }) => ({ wished: [`a login to ${registryPlace(inputs)}`], unknown: ['the host of that registry'] }),
});

/** The registry's host: that of the credentials at hand, with the account that is meant (RULES 5.4). */
async function registryHost({
  own,
  registryId,
  session,
}: {
  own: string;
  registryId: AccountId | undefined;
  session: Session;
}): Promise<string> {
  if (registryId === undefined) return own;
  const host = hostOfAccount(own, registryId);
  if (host !== undefined) return host;
  const { account } = await session.identity();
  if (account === registryId) return own;
  throw new InputError(
    [{ input: 'registry-id', problem: `the host of ${registryId} can’t be told from ${own}, the registry of ${account}` }],
    {
      hint: 'Give registry-role, a role in the account that owns the registry.',
    },
  );
}
