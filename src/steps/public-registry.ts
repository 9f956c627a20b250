/** What `registry-type: public` goes with: ECR Public has logins, repositories and images, and nothing of the rest. */
import { partitionOf, type Region } from '../domain/account.ts';
import type { InputProblem } from '../errors.ts';
import type { RegistryType } from './sessions.ts';

const everybody = 'is for private registries: everybody may pull a public image';

/** Why an input makes no sense with a public registry. */
const privateOnly = {
  registries: 'is for private registries: public.ecr.aws is the same host for every account',
  'create-repository': 'is for private registries: create it with aws ecr-public create-repository --region us-east-1',
  'wait-for-replication': 'is for private registries: ECR Public does not replicate',
  'fail-on-severity': 'is for private registries: ECR Public does not scan images',
  'target-ous': everybody,
  'target-accounts': everybody,
  'target-roles': everybody,
} as const;

type PrivateOnly = keyof typeof privateOnly;

/** Of the inputs that are for private registries, those that a mode has: a list, a wish, or `none`. */
export type RegistryTypeInputs = { readonly 'aws-region': Region; readonly 'registry-type': RegistryType } & {
  readonly [Name in PrivateOnly]?: readonly unknown[] | string | boolean;
};

/** For a mode's `check`: what the inputs alone show to be wrong. */
export function checkRegistryType(inputs: RegistryTypeInputs): readonly InputProblem[] {
  if (inputs['registry-type'] === 'private') return [];
  const partition = partitionOf(inputs['aws-region']);
  const given = (Object.keys(privateOnly) as PrivateOnly[]).filter((name) => isGiven(inputs[name]));
  return [
    ...(partition === 'aws'
      ? []
      : [{ input: 'registry-type', problem: `public is of the partition aws only, and ${inputs['aws-region']} is in ${partition}` }]),
    ...given.map((input) => ({ input, problem: privateOnly[input] })),
  ];
}

function isGiven(value: readonly unknown[] | string | boolean | undefined): boolean {
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? value !== 'none' : value !== undefined && value.length > 0;
}
