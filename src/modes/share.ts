/** `share`: makes the repository policy cover the target OUs, accounts, roles and services. */
import { code, codeBlock } from '../domain/markdown.ts';
import type { PlanPart } from '../domain/plan.ts';
import { defineMode } from '../mode.ts';
import { idleCreation } from '../steps/create-repository.ts';
import { planShareBlindly } from '../steps/plan-blindly.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { checkShare, hasTargets } from '../steps/share-repository.ts';
import { shareRepositories, type SharedRepository } from '../steps/share-repositories.ts';
import { openRegistry, registryAccount, sideProblems } from '../steps/sessions.ts';
import { checkReplication } from '../steps/wait-for-replication.ts';
import { common, creating, registryKind, registrySide, replicating, repositories, sharing } from './shared-inputs.ts';

export const share = defineMode({
  name: 'share',
  summary:
    'Makes the repository policy cover the target OUs, accounts, roles and services; writes only what is missing, and never touches statements of others.',
  inputs: { ...common, ...registrySide, ...registryKind, ...repositories, ...creating, ...replicating, ...sharing },
  outputs: ['policy-changed', 'policy', 'plan'],
  check: (inputs) => [
    ...sideProblems(inputs),
    ...(hasTargets(inputs)
      ? []
      : [{ input: 'target-ous', problem: 'is required, or one of target-accounts and target-roles: there is nobody to share with' }]),
    ...(inputs['registry-type'] === 'public'
      ? [{ input: 'registry-type', problem: 'public has nothing to share: everybody may pull its images' }]
      : []),
    ...checkShare(inputs),
    ...checkReplication(inputs),
  ],
  warn: idleCreation,
  run: async ({ inputs, ports, output, signal }) => {
    const { session, ecr } = openRegistry({ inputs, ports });
    const repositories = [...new Set(inputs.repository)];
    const known = new Map<string, SharedRepository>();
    const tell = (name: string, shared: SharedRepository): void => {
      known.set(name, shared);
      output('policy-changed', String([...known.values()].some(({ changed }) => changed)));
      if (name === repositories[0]) output('policy', shared.policyText ?? '');
    };
    const request = { inputs, repositories, registryId: registryAccount(inputs), session, ecr, ports, signal, tell };
    if (inputs['dry-run']) {
      const parts: PlanPart[] = [];
      await shareRepositories({ ...request, plan: (part) => void parts.push(part) });
      output('policy-changed', String(parts.some(({ writes }) => writes.length > 0)));
      return tellPlan('share', parts, { ports, output });
    }
    try {
      await shareRepositories(request);
    } finally {
      for (const { uri, ensured } of known.values()) await ports.github.summarise(policySummary({ repository: uri, ...ensured }));
    }
  },
  planBlindly: async ({ inputs, output }) => {
    output('policy-changed', 'false');
    return planShareBlindly(inputs, inputs.repository);
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
