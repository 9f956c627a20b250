/** `share`: makes the repository policy cover the target OUs, accounts, roles and services. */
import { code, codeBlock } from '../domain/markdown.ts';
import { defineMode } from '../mode.ts';
import { checkShare, hasTargets, resolveTargets, shareRepository } from '../steps/share-repository.ts';
import { planShare } from '../steps/plan-share.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { openRegistry, registryAccount } from '../steps/sessions.ts';
import { together } from '../steps/together.ts';
import { missingRepository } from '../steps/publish-image.ts';
import { common, registrySide, repository, sharing } from './shared-inputs.ts';

export const share = defineMode({
  name: 'share',
  summary:
    'Makes the repository policy cover the target OUs, accounts, roles and services; writes only what is missing, and never touches statements of others.',
  inputs: { ...common, ...registrySide, ...repository, ...sharing },
  outputs: ['policy-changed', 'policy', 'plan'],
  check: (inputs) => [
    ...(hasTargets(inputs)
      ? []
      : [{ input: 'target-ous', problem: 'is required, or one of target-accounts and target-roles: there is nobody to share with' }]),
    ...checkShare(inputs),
  ],
  run: async ({ inputs, ports, output, signal }) => {
    const { session, ecr } = openRegistry({ inputs, ports });
    const place = { repository: inputs.repository, registryId: registryAccount(inputs) };
    const [found, wanted] = await together('registry-role', [ecr.repository(place), resolveTargets({ inputs, session, ports })]);
    if (found === undefined) throw missingRepository(place);
    if (inputs['dry-run']) {
      const planned = await planShare({ inputs, wanted, session, ecr, repository: found, ports, signal });
      output('policy-changed', String(planned.policy.changed));
      return tellPlan('share', [planned], { ports, output });
    }
    const ensured = await shareRepository({ inputs, wanted, session, ecr, repository: found, ports, signal });
    output('policy-changed', String(ensured.changed));
    output('policy', ensured.policyText ?? '');
    const { policyText, writes } = await ensured.settled;
    const changed = writes > 0;
    output('policy-changed', String(changed));
    output('policy', policyText ?? '');
    ports.log.info(changed ? 'The policy is written and confirmed.' : 'The policy covers all of this already: nothing written.');
    await ports.github.summarise(policySummary({ repository: found.uri, ...ensured }));
  },
});

/** The summary's section on the policy. */
export function policySummary({
  repository,
  changed,
  diff,
  explanation,
}: {
  repository: string;
  changed: boolean;
  diff: readonly string[];
  explanation: readonly string[];
}): string {
  const head = `### Repository policy\n\n${code(repository)} ${changed ? 'was changed' : 'covers all of this already: nothing written'}.\n`;
  return `${head}\n${codeBlock(changed ? diff : explanation, changed ? 'diff' : '')}\n`;
}
