/**
 * Whom a grant is for. A target stands for a set of requests:
 *
 *   organization  every principal of every account in it         root  the same: an organization has one root
 *   ou            … of the accounts in the OU and below; `path` when the tree was read, else its parents are unknown
 *   path          … of the accounts at this path and below
 *   account       … of one account; its organization and the path of its OU when known
 *   role          one role, whatever its session
 *   service       an AWS service on behalf of one account's functions or build projects
 */
import type { AccountId, Region, RoleArn } from '../account.ts';
import type { OrganizationId, OrgPath, OuId, RootId } from '../organization.ts';

/** Where an account lies: `path` is that of the OU (or root) which holds it directly. */
interface Membership {
  readonly organization?: OrganizationId | undefined;
  readonly path?: OrgPath | undefined;
}

export type PullService = 'lambda' | 'codebuild';

export type Target =
  | { readonly kind: 'organization'; readonly organization: OrganizationId }
  | { readonly kind: 'root'; readonly organization: OrganizationId; readonly root: RootId }
  | { readonly kind: 'ou'; readonly organization: OrganizationId; readonly ou: OuId; readonly path?: OrgPath | undefined }
  | { readonly kind: 'path'; readonly path: OrgPath }
  | ({ readonly kind: 'account'; readonly account: AccountId } & Membership)
  | ({ readonly kind: 'role'; readonly role: RoleArn } & Membership)
  | { readonly kind: 'service'; readonly service: PullService; readonly account: AccountId };

/** What is known of the repository. */
export interface Facts {
  readonly repositoryArn: string;
  /** Who writes the policy, as a target: an account or a role. A policy that shuts it out is refused. */
  readonly editor?: Target | undefined;
}

export interface RepositoryFacts {
  readonly partition: string;
  readonly region: Region;
  readonly account: AccountId;
}

/** The parts of `arn:<partition>:ecr:<region>:<account>:repository/<name>`. */
export function repositoryFacts({ repositoryArn }: Facts): RepositoryFacts {
  const [, partition = 'aws', , region = '', account = ''] = repositoryArn.split(':');
  return { partition, region: region as Region, account: account as AccountId };
}

/** How the log names a target. */
export function describeTarget(target: Target): string {
  switch (target.kind) {
    case 'organization':
      return `organization ${target.organization}`;
    case 'root':
      return `root ${target.root} of ${target.organization}`;
    case 'ou':
      return target.path === undefined ? `${target.ou} of ${target.organization}` : `${target.ou} (${target.path})`;
    case 'path':
      return target.path;
    case 'account':
      return `account ${target.account}`;
    case 'role':
      return target.role;
    case 'service':
      return `${target.service} in account ${target.account}`;
  }
}
