/**
 * Action and Resource: globs, and their Not forms. Actions don't care for case, ARNs do; variables are for Resource only
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html, …_resource.html).
 */
import { matches, parseGlob } from './pattern.ts';
import type { Names } from './document.ts';

/** Does Action/NotAction take in this action (`ecr:BatchGetImage`)? */
export function takesAction({ not, names }: Names, action: string): boolean {
  const wanted = action.toLowerCase();
  const named = names.some((name) => {
    if (!/[*?]/.test(name)) return name.toLowerCase() === wanted;
    const glob = parseGlob(name.toLowerCase(), { version: undefined, wild: true });
    return glob !== undefined && matches(glob, wanted);
  });
  return named !== not;
}

/** Does Resource take in this repository? `unknown` with NotResource or a variable. */
export function takesResource({
  resources,
  version,
  arn,
}: {
  resources: Names | undefined;
  version: string | undefined;
  arn: string;
}): 'all' | 'none' | 'unknown' {
  if (!resources) return 'all';
  if (resources.not) return 'unknown';
  const globs = resources.names.map((name) => parseGlob(name, { version, wild: true }));
  if (globs.some((glob) => glob && matches(glob, arn))) return 'all';
  return globs.includes(undefined) ? 'unknown' : 'none';
}
