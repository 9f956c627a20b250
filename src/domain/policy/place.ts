// Places in an organization, as patterns of organization paths name them:
//
//   place                 pattern         who lies there
//   o-…/[r-…/[ou-…/…]]    the place, *    the path, and all below it
//   o-…/ou-…              o-…/*/ou-…/*    the OU wherever it lies, and all below it (our own canonical form)
//
// What is granted at a place around a path is granted to the path: that is looked up, without an automaton. The "*" in the middle
// doesn't widen the second form: OU IDs are unique in an organization
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths).

/** The place that a pattern names; `undefined` when it is of another form. */
export function placeNamed(pattern: string): string | undefined {
  const path = /^(o-[a-z0-9]+\/(?:r-[a-z0-9]+\/(?:ou-[a-z0-9-]+\/)*)?)\*$/.exec(pattern)?.[1];
  if (path !== undefined) return path;
  const [, organization, ou] = /^(o-[a-z0-9]+\/)\*\/(ou-[a-z0-9-]+)\/\*$/.exec(pattern) ?? [];
  return organization === undefined || ou === undefined ? undefined : organization + ou;
}

/** Is the place a path that is written out (and not an OU wherever it lies)? */
export function isPath(place: string): boolean {
  return place.endsWith('/');
}

/** `o-…/` of a path or a place; empty where there is none. */
export function organizationIn(path: string): string {
  return path.startsWith('o-') ? path.slice(0, path.indexOf('/') + 1) : '';
}

/** The place itself and every place around it: `o-…/`, `o-…/r-…/`, … and the OUs in it. */
export function placesAround(place: string): string[] {
  return isPath(place) ? placesOf(place, [place]) : [organizationIn(place), place];
}

/**
 * The places around a path of which only parts are known: `head`, from the organization down, and `parts`, in which OUs may be named.
 */
export function placesOf(head: string, parts: readonly string[]): string[] {
  const organization = organizationIn(head);
  if (organization === '') return [];
  const places: string[] = [];
  for (let at = organization.length - 1; at >= 0; at = head.indexOf('/', at + 1)) places.push(head.slice(0, at + 1));
  for (const part of parts) {
    for (const segment of part.split('/')) if (segment.startsWith('ou-')) places.push(organization + segment);
  }
  return places;
}
