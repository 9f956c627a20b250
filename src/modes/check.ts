/** `check`: would a deployment of this image work, to this account or to these? Reads only, and tells everything that it finds. */
import {
  accountInWords,
  countInWords,
  failingAccounts,
  findingLines,
  findingsJson,
  findingsMarkdown,
  findingsOf,
  verdict,
  type CheckFinding,
} from '../domain/findings.ts';
import { largeOutputLimit } from '../domain/output-limit.ts';
import { CheckError } from '../errors.ts';
import { defineMode } from '../mode.ts';
import type { Log } from '../ports/log.ts';
import { checkAccounts } from '../steps/check-accounts.ts';
import { accountProblems, inputsOf, resolveAccounts } from '../steps/deploy-accounts.ts';
import { imageInputProblems } from '../steps/find-image.ts';
import { planTargetsBlindly } from '../steps/plan-blindly.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { common, deploying, discovering, imageToDeploy, manyAccounts, registrySide } from './shared-inputs.ts';

export const check = defineMode({
  name: 'check',
  summary: 'Tells whether a `deploy` of this image to this account (or to these) would work: every finding, with what to do; reads only.',
  inputs: { ...common, ...registrySide, ...deploying, ...imageToDeploy, ...manyAccounts, ...discovering },
  outputs: ['findings', 'plan'],
  check: (inputs) => [...accountProblems(inputs), ...imageInputProblems(inputs)],
  run: async ({ inputs, ports, output }) => {
    const { log, github } = ports;
    const targets = await resolveAccounts({ inputs, ports });
    const found = await checkAccounts({ inputs, targets, inputsOf: (target) => inputsOf(inputs, target), ports });
    const findings = found.flat();
    output('findings', findingsJson(findings, largeOutputLimit));
    for (const each of found) await tell(each, { isFolded: targets.length > 1, log });
    await github.summarise(findingsMarkdown(findings));
    if (inputs['dry-run']) await tellPlan('check', [{ writes: [] }], { ports, output });
    if (failingAccounts(findings).length > 0)
      throw new CheckError(verdict(findings), {
        hint: 'Each is in the log above and in the job summary, with what to do. Nothing was changed.',
      });
    log.info(verdict(findings));
  },
  planBlindly: async ({ inputs, ports, output }) => {
    const reason = 'nothing could be looked at: this run has no AWS credentials';
    const unchecked = findingsOf({ id: undefined, name: '' }, [{ severity: 'warning', subject: 'credentials', reason }]);
    output('findings', findingsJson(unchecked, largeOutputLimit));
    const blind = await planTargetsBlindly({
      inputs,
      inputsFor: (target) => inputsOf(inputs, target),
      images: inputs.image,
      ports,
    });
    return { ...blind, wished: blind.wished.map((wish) => `a check of ${wish}`) };
  },
});

/** One account in the log; of many each is folded. */
async function tell(
  findings: readonly CheckFinding[],
  { isFolded, log }: { readonly isFolded: boolean; readonly log: Log },
): Promise<void> {
  const [first] = findings;
  if (!first) return;
  const title = `${accountInWords(first.account)}: ${countInWords(findings)}`;
  const tellLines = async (): Promise<void> => {
    for (const line of findingLines(findings)) log.info(line);
  };
  if (isFolded) return log.group(title, tellLines);
  log.info(title);
  await tellLines();
}
