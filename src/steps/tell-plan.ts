/** Tells the plan of a dry run: in the log, in the job summary and as the output `plan`. */
import { largeOutputLimit } from '../domain/output-limit.ts';
import { planJson, planLines, planMarkdown, planOf, type PlanPart } from '../domain/plan.ts';
import type { Ports } from '../ports/index.ts';

export interface Telling {
  readonly ports: Pick<Ports, 'github' | 'log'>;
  readonly output: (name: 'plan', value: string) => void;
}

export async function tellPlan(mode: string, parts: readonly PlanPart[], { ports, output }: Telling): Promise<void> {
  const plan = planOf(mode, parts);
  output('plan', planJson(plan, largeOutputLimit));
  for (const line of planLines(plan)) ports.log.info(line);
  await ports.github.summarise(planMarkdown(plan));
}
