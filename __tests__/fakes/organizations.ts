import type { OrganizationId } from '../../src/domain/organization.ts';
import type { OrganizationNode, Organizations } from '../../src/ports/organizations.ts';

interface Node extends OrganizationNode {
  readonly children?: readonly Node[];
}

/** A tree in memory, and the journal of what was asked. */
export class FakeOrganizations implements Organizations {
  readonly journal: string[] = [];
  readonly #root: Node;

  constructor(root: Node = { id: 'r-ab12', name: 'Root' }) {
    this.#root = root;
  }

  organizationId = async (): Promise<OrganizationId> => {
    this.journal.push('organizationId');
    return 'o-a1b2c3d4e5' as OrganizationId;
  };

  root = async (): Promise<OrganizationNode> => {
    this.journal.push('root');
    return this.#root;
  };

  children = async ({ id }: OrganizationNode): Promise<readonly OrganizationNode[]> => {
    this.journal.push(`children ${id}`);
    return find(this.#root, id)?.children ?? [];
  };
}

function find(node: Node, id: string): Node | undefined {
  if (node.id === id) return node;
  for (const child of node.children ?? []) {
    const found = find(child, id);
    if (found) return found;
  }
  return undefined;
}
