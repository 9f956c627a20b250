import type { AccountId } from '../../src/domain/account.ts';
import type { OrganizationAccount } from '../../src/domain/discovery.ts';
import type { OrganizationId, OrgPath } from '../../src/domain/organization.ts';
import type { ListedAccount, Organization, OrganizationNode, Organizations, Parent } from '../../src/ports/organizations.ts';

export interface FakeNode extends OrganizationNode {
  readonly children?: readonly FakeNode[];
  readonly accounts?: readonly ListedAccount[];
}

export const someOrganization: Organization = { id: 'o-a1b2c3d4e5' as OrganizationId, management: '999999999999' as AccountId };

/** A tree in memory, and the journal of what was asked. */
export class FakeOrganizations implements Organizations {
  readonly journal: string[] = [];
  /** Method → what its next calls throw. */
  readonly failures = new Map<keyof Organizations, Error>();
  /** Whether accounts tell their paths. */
  tellsPaths = true;
  readonly #root: FakeNode;

  constructor(root: FakeNode = { id: 'r-ab12', name: 'Root' }) {
    this.#root = root;
  }

  organization = async (): Promise<Organization> => {
    this.#note('organization');
    return someOrganization;
  };

  root = async (): Promise<OrganizationNode> => {
    this.#note('root');
    return this.#root;
  };

  children = async ({ id }: { readonly id: string }): Promise<readonly OrganizationNode[] | undefined> => {
    this.#note('children', id);
    const node = this.#find(id)?.node;
    return node && (node.children ?? []);
  };

  pathOf = async (ou: string): Promise<OrgPath | undefined> => {
    this.#note('pathOf', ou);
    return this.#find(ou)?.path;
  };

  parentOf = async (account: AccountId): Promise<Parent | undefined> => {
    this.#note('parentOf', account);
    const found = this.#nodes().find(({ node }) => node.accounts?.some(({ id }) => id === account));
    return found && { id: found.node.id, isRoot: found.node === this.#root };
  };

  accountsIn = async ({ id }: { readonly id: string }): Promise<readonly ListedAccount[] | undefined> => {
    this.#note('accountsIn', id);
    const node = this.#find(id)?.node;
    return node && (node.accounts ?? []);
  };

  accounts = async (): Promise<readonly OrganizationAccount[] | undefined> => {
    this.#note('accounts');
    const all = this.#nodes().flatMap(({ node, path }) => (node.accounts ?? []).map((account) => ({ ...account, path })));
    return this.tellsPaths ? all : undefined;
  };

  #note(method: keyof Organizations, of = ''): void {
    this.journal.push(`${method} ${of}`.trim());
    const failure = this.failures.get(method);
    if (failure) throw failure;
  }

  #find(id: string): { node: FakeNode; path: OrgPath } | undefined {
    return this.#nodes().find(({ node }) => node.id === id);
  }

  #nodes(): { node: FakeNode; path: OrgPath }[] {
    const below = (node: FakeNode, above: string): { node: FakeNode; path: OrgPath }[] => {
      const path = `${above}${node.id}/`;
      return [{ node, path: path as OrgPath }, ...(node.children ?? []).flatMap((child) => below(child, path))];
    };
    return below(this.#root, `${someOrganization.id}/`);
  }
}
