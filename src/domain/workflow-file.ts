/**
 * What a workflow file shows of masks, which nobody else tells a step: where an account ID is kept as a secret, GitHub masks it, and
 * drops every job output that holds it – whole, with a line in the log of another job (RULES 5.9).
 *
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
 */
import { isObject, type Json } from './json.ts';

const secret = '\\$\\{\\{\\s*secrets\\.(?<name>\\w+)\\s*\\}\\}';

/** How a file says that an account ID is masked: a secret where only twelve digits can stand, or the input that masks them. */
const signs: readonly RegExp[] = [
  new RegExp(`^\\s*(?:-\\s+)?["']?(?:registry-id|registries|deploy-account-id|target-accounts)["']?\\s*:\\s*["']?${secret}`),
  new RegExp(`arn:[\\w-]+:\\w*:[\\w-]*:${secret}:`),
  new RegExp(`${secret}\\.dkr[.-]ecr`),
  /^\s*(?:-\s+)?["']?mask-aws-account-id["']?\s*:\s*["']?true\b/i,
];

export interface Mask {
  /** From 1. */
  readonly line: number;
  /** The secret's name; undefined where another action masks the ID. */
  readonly secret: string | undefined;
}

/** The first sign that account IDs are masked; undefined where there is none. */
export function accountMask(text: string): Mask | undefined {
  for (const [index, line] of text.split('\n').entries()) {
    const match = /^\s*#/.test(line) ? null : signs.map((sign) => sign.exec(line)).find((found) => found !== null);
    if (match) return { line: index + 1, secret: match.groups?.['name'] };
  }
  return undefined;
}

/** The names of a job's outputs that are made of one of these step outputs. */
export function jobOutputsOf(
  workflow: Json,
  { job, names }: { readonly job: string; readonly names: readonly string[] },
): readonly string[] {
  const jobs = isObject(workflow) ? workflow['jobs'] : undefined;
  const own = isObject(jobs) ? jobs[job] : undefined;
  const outputs = isObject(own) ? own['outputs'] : undefined;
  if (!isObject(outputs)) return [];
  return Object.entries(outputs)
    .filter(([, expression]) => typeof expression === 'string' && stepOutputs(expression).some((name) => names.includes(name)))
    .map(([name]) => name);
}

/** `steps.release.outputs.image-uri`, also as `steps['release'].outputs['image-uri']`. */
function stepOutputs(expression: string): readonly string[] {
  return [...expression.matchAll(/\bsteps(?:\.[\w-]+|\[[^\]]*\])\.outputs(?:\.([\w-]+)|\[\s*'([\w-]+)'\s*\])/g)].map(
    ([, plain, quoted]) => plain ?? quoted ?? '',
  );
}
