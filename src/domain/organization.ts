/**
 * Identifiers of AWS Organizations (https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html):
 *
 *   organization  o-[a-z0-9]{10,32}
 *   root          r-[0-9a-z]{4,32}
 *   OU            ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}      the middle part is the root's own suffix
 *   path          <organization>/<root>/(<OU>/)*        always closed by "/"; at most five OUs deep
 *
 * Organization IDs are unique in the world, OU and root IDs only within their organization: a path always starts with `o-…`.
 */
import { bad, matching, ok, type Branded, type Parsed } from './parsed.ts';

export type OrganizationId = Branded<'OrganizationId'>;
export type RootId = Branded<'RootId'>;
export type OuId = Branded<'OuId'>;
/** `o-…/r-…/ou-…/…/`, closed by a slash: the value of `aws:PrincipalOrgPaths` for accounts directly in the last OU. */
export type OrgPath = Branded<'OrgPath'>;

const organization = 'o-[a-z0-9]{10,32}';
const root = 'r-[0-9a-z]{4,32}';
const ou = 'ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}';

export const parseOrganizationId = matching<'OrganizationId'>(
  new RegExp(`^${organization}$`),
  'an organization ID such as o-a1b2c3d4e5 ("o-" and 10 to 32 lower-case letters and digits)',
);
export const parseRootId = matching<'RootId'>(new RegExp(`^${root}$`), 'a root ID such as r-ab12');
export const parseOuId = matching<'OuId'>(
  new RegExp(`^${ou}$`),
  'an OU ID such as ou-ab12-11111111 ("ou-", the suffix of the root, "-" and 8 to 32 lower-case letters and digits)',
);
export const parseOrgPath = matching<'OrgPath'>(
  new RegExp(`^${organization}/${root}/(${ou}/){0,5}$`),
  'an organization path such as o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ (closed by a slash, at most five OUs deep)',
);

/** What `target-ous` names: who may pull. */
export type OuTarget =
  | { readonly kind: 'organization'; readonly organization?: OrganizationId }
  | { readonly kind: 'root'; readonly root: RootId }
  | { readonly kind: 'ou'; readonly ou: OuId }
  | { readonly kind: 'path'; readonly path: OrgPath }
  | { readonly kind: 'name'; readonly names: readonly string[] };

/**
 * One entry of `target-ous`: an OU or root ID, an organization ID, a full path (its closing slash or `/*` may be left out), or
 * the names of the OUs from the root down, as `Workloads/Development`.
 */
export function parseOuTarget(text: string): Parsed<OuTarget> {
  if (/^ou-/.test(text)) return map(parseOuId(text), (ou) => ({ kind: 'ou', ou }));
  if (/^r-[^/]*$/.test(text)) return map(parseRootId(text), (root) => ({ kind: 'root', root }));
  if (/^o-[^/]*$/.test(text)) return map(parseOrganizationId(text), (organization) => ({ kind: 'organization', organization }));
  if (/^o-/.test(text)) return map(parseOrgPath(text.replace(/\/?\*?$/, '/')), (path) => ({ kind: 'path', path }));
  if (text.includes('*')) return bad(`"${text}" has a wildcard: name an OU by ID, by path or by name`);
  const names = text.split('/').map((name) => name.trim());
  if (names.some((name) => parseRootId(name).ok || parseOuId(name).ok))
    return bad(`"${text}" is a path without its organization: write o-…/r-…/ou-…/, or only the ID of the OU`);
  if (names.some((name) => name === '' || name.length > 128))
    return bad(`"${text}" is neither an OU ID, a path, nor OU names as Workloads/Development`);
  return ok({ kind: 'name', names });
}

/** An OU target as its author wrote it. */
export function formatOuTarget(target: OuTarget): string {
  switch (target.kind) {
    case 'organization':
      return target.organization ?? 'the whole organization';
    case 'root':
      return target.root;
    case 'ou':
      return target.ou;
    case 'path':
      return target.path;
    case 'name':
      return target.names.join('/');
  }
}

/** The organization a path belongs to. */
export function organizationOf(path: OrgPath): OrganizationId {
  return path.slice(0, path.indexOf('/')) as OrganizationId;
}

function map<T, U>(parsed: Parsed<T>, change: (value: T) => U): Parsed<U> {
  return parsed.ok ? ok(change(parsed.value)) : parsed;
}
