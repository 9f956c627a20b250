/** `target-ous` as targets of a policy: organization IDs filled in, names looked up in the organization's tree. */
import { organizationOf, parseOuId, type OrganizationId, type OuTarget } from '../domain/organization.ts';
import type { Target } from '../domain/policy/target.ts';
import { InputError } from '../errors.ts';
import { didYouMean } from '../inputs.ts';
import type { OrganizationNode, Organizations } from '../ports/organizations.ts';

export interface OuRequest {
  readonly targets: readonly OuTarget[];
  readonly organizationId: OrganizationId | undefined;
  readonly organizations: Organizations;
}

/** What only the inputs show to be wrong: a path of another organization than `organization-id`. */
export function foreignPaths({ targets, organizationId }: Omit<OuRequest, 'organizations'>): string[] {
  if (organizationId === undefined) return [];
  return targets.flatMap((target) => {
    const organization =
      target.kind === 'path' ? organizationOf(target.path) : target.kind === 'organization' ? target.organization : organizationId;
    return organization === undefined || organization === organizationId
      ? []
      : [`${organization} is not the organization-id ${organizationId}`];
  });
}

/**
 * Organizations is asked only for what the targets leave open: the organization's ID (from any member account), and the tree where an
 * OU is named by names.
 * @throws InputError for a name that is not there, or that two OUs have, with the candidates
 */
export async function resolveOus({ targets, organizationId, organizations }: OuRequest): Promise<Target[]> {
  const needsId = targets.some(({ kind }) => kind !== 'path');
  const organization = organizationId ?? (needsId ? (await organizations.organization()).id : undefined);
  const tree = cachedTree(organizations);
  const resolved: Target[] = [];
  for (const target of targets) resolved.push(await resolve({ target, organization, tree }));
  return resolved;
}

interface Tree {
  root(): Promise<OrganizationNode>;
  children(parent: OrganizationNode): Promise<readonly OrganizationNode[]>;
}

async function resolve({
  target,
  organization,
  tree,
}: {
  target: OuTarget;
  organization: OrganizationId | undefined;
  tree: Tree;
}): Promise<Target> {
  if (target.kind === 'path') return target;
  if (organization === undefined) throw new Error('an OU without an organization');
  switch (target.kind) {
    case 'organization':
      return { kind: 'organization', organization: target.organization ?? organization };
    case 'root':
      return { kind: 'root', organization, root: target.root };
    case 'ou':
      return { kind: 'ou', organization, ou: target.ou };
    case 'name':
      return { kind: 'ou', organization, ou: await find(target.names, tree) };
  }
}

async function find(names: readonly string[], tree: Tree) {
  let here = await tree.root();
  for (const name of names) {
    const children = await tree.children(here);
    const [first, ...others] = children.filter((child) => child.name === name);
    const known = children.map((child) => child.name);
    if (first === undefined)
      throw unknownName({
        names,
        name,
        parent: here,
        problem: `no OU "${name}"${didYouMean(name, known)}; there are: ${known.join(', ') || 'none'}`,
      });
    if (others.length > 0) {
      const ids = [first, ...others].map(({ id }) => id).join(', ');
      throw unknownName({ names, name, parent: here, problem: `more than one OU "${name}": name one by its ID, ${ids}` });
    }
    here = first;
  }
  const id = parseOuId(here.id);
  if (!id.ok) throw new Error(`Organizations answered with an OU ID that is none: ${here.id}`);
  return id.value;
}

function unknownName({
  names,
  parent,
  problem,
}: {
  names: readonly string[];
  name: string;
  parent: OrganizationNode;
  problem: string;
}): InputError {
  return new InputError([
    { input: 'target-ous', problem: `"${names.join('/')}": below ${parent.name} (${parent.id}) there is ${problem}` },
  ]);
}

/** Each node's children are asked for once. */
function cachedTree(organizations: Organizations): Tree {
  const children = new Map<string, Promise<readonly OrganizationNode[]>>();
  let root: Promise<OrganizationNode> | undefined;
  return {
    root: async () => (root ??= organizations.root()),
    children: async (parent) => {
      const known = children.get(parent.id) ?? organizations.children(parent).then((found = []) => found);
      children.set(parent.id, known);
      return known;
    },
  };
}
