// The two forms of organization path patterns that can be decided without an automaton:
//
//   below      o-…/[r-…/[ou-…/…]]*    a path from the organization down, and all below it
//   anywhere   o-…/*/ou-…/*           an OU wherever it lies (our own canonical form), and all below it
//
// The middle "*" doesn't widen "anywhere": OU IDs are unique in an organization
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths).
export type PathForm =
  { readonly is: 'below'; readonly path: string } | { readonly is: 'anywhere'; readonly organization: string; readonly ou: string };

export function pathForm(text: string): PathForm | undefined {
  const path = /^(o-[a-z0-9]+\/(?:r-[a-z0-9]+\/(?:ou-[a-z0-9-]+\/)*)?)\*$/.exec(text)?.[1];
  if (path !== undefined) return { is: 'below', path };
  const [, organization, ou] = /^(o-[a-z0-9]+)\/\*\/(ou-[a-z0-9-]+)\/\*$/.exec(text) ?? [];
  return organization === undefined || ou === undefined ? undefined : { is: 'anywhere', organization, ou };
}

/** Does the one form match everything that the other does? Exact. */
export function formContains(outer: PathForm, inner: PathForm): boolean {
  const head = inner.is === 'below' ? inner.path : `${inner.organization}/`;
  if (outer.is === 'below') return head.startsWith(outer.path);
  if (inner.is === 'anywhere') return outer.organization === inner.organization && outer.ou === inner.ou;
  const [organization, , ...ous] = inner.path.split('/');
  return organization === outer.organization && ous.includes(outer.ou);
}
