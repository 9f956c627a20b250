/**
 * What every request of a target is known to carry (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html):
 * for each global condition key its possible values, and whether it may be absent. A key that is not listed may be anything.
 *
 *   IAM principals  aws:PrincipalOrgPaths is one path, aws:PrincipalOrgID the organization, aws:PrincipalIsAWSService "false",
 *                   aws:PrincipalAccount and aws:PrincipalArn as far as the target says; aws:Source* (of services) are absent
 *   services        aws:SourceArn is a function or a build project of the account; aws:PrincipalOrg* are absent
 *   everybody       aws:SecureTransport "true" (ECR speaks TLS only), aws:ResourceAccount, aws:RequestedRegion
 */
import { accountOf } from '../account.ts';
import { organizationOf } from '../organization.ts';
import { memo } from './memo.ts';
import { repositoryFacts, type Facts, type PullService, type RepositoryFacts, type Target } from './target.ts';
import { anything, exactly, wordsOf, type Possible } from './words.ts';
import type { Piece } from './automaton.ts';

export interface Knowledge {
  /** The values when the key is present; without it the key is never present. */
  readonly present?: Possible;
  /** Can the key be absent? */
  readonly absent: boolean;
  /** `present` is wider than what can occur: that some of it matches proves nothing. */
  readonly loose?: boolean;
  /** For ARN keys: the values of the six parts. */
  readonly arn?: readonly Possible[];
}

/** Knowledge of a key that can be there. */
export type PresentKey = Knowledge & { readonly present: Possible };

export function isPresent(knowledge: Knowledge): knowledge is PresentKey {
  return knowledge.present !== undefined;
}

/** Everything known of one target's requests. */
export interface Requests {
  /** `undefined` for a set of accounts. */
  readonly account: string | undefined;
  readonly role: string | undefined;
  /** The service's name when the principal is no IAM principal. */
  readonly service: string | undefined;
  /** What is known of a key, by its name in lower case. */
  readonly knows: (key: string) => Knowledge | undefined;
}

export const unknownKey: Knowledge = { present: anything, absent: true, loose: true };
const absentKey: Knowledge = { absent: true };
const always = (possible: Possible): Knowledge => ({ present: possible, absent: false });
/** On the requests of IAM principals the keys of service calls are absent. */
const sourceKeys = [
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:principalservicename',
  'aws:principalservicenameslist',
];
const is = (text: string) => always(exactly(text));

/** What is known of each target's requests to one repository. */
export function requestsTo(facts: Facts): (target: Target) => Requests {
  const repository = repositoryFacts(facts);
  const common: ReadonlyMap<string, Knowledge> = new Map([
    ['aws:securetransport', is('true')],
    ['aws:resourceaccount', is(repository.account)],
    ['aws:requestedregion', is(repository.region)],
  ]);
  const members: ReadonlyMap<string, Knowledge> = new Map([
    ...common,
    ['aws:principalisawsservice', is('false')],
    ...sourceKeys.map((key) => [key, absentKey] as const),
  ]);
  const sourcesOf = memo((service: PullService) => sources(service, repository));
  return (target) => {
    const shared = target.kind === 'service' ? common : members;
    const { account, role, service, own } =
      target.kind === 'service' ? serviceRequests(target, sourcesOf(target.service)) : memberRequests(target, repository);
    // Most clauses of a policy are on one key: the last answer is the likely next.
    let last: { readonly key: string; readonly knowledge: Knowledge | undefined } | undefined;
    return {
      account,
      role,
      service,
      knows: (key) => {
        if (last?.key !== key) last = { key, knowledge: own(key) ?? shared.get(key) };
        return last.knowledge;
      },
    };
  };
}

/** Who asks, and the keys that depend on the target. */
type Own = Omit<Requests, 'knows'> & { readonly own: (key: string) => Knowledge | undefined };

const unknownAccount: Knowledge = { present: anything, absent: false, loose: true };

function memberRequests(target: Exclude<Target, { kind: 'service' }>, repository: RepositoryFacts): Own {
  const account = target.kind === 'account' ? target.account : target.kind === 'role' ? accountOf(target.role) : undefined;
  const role = target.kind === 'role' ? target.role : undefined;
  // Asked by the Allows, and again after other keys by the Denies: its places are found once.
  let paths: Knowledge | undefined;
  return {
    account,
    role,
    service: undefined,
    own: (key) => {
      switch (key) {
        case 'aws:principalorgid': {
          const organization = organizationIn(target);
          return organization === undefined ? unknownKey : is(organization);
        }
        case 'aws:principalorgpaths':
          return (paths ??= pathKnowledge(target));
        case 'aws:principalaccount':
          return account === undefined ? unknownAccount : is(account);
        case 'aws:principalarn':
          return role === undefined ? principalArns(repository, account) : exactArn(role);
        default:
          return undefined;
      }
    },
  };
}

function pathKnowledge(target: Target): Knowledge {
  const paths = pathsOf(target);
  return paths ? always(paths) : unknownKey;
}

function organizationIn(target: Exclude<Target, { kind: 'service' }>): string | undefined {
  if ('path' in target && target.path !== undefined) return organizationOf(target.path);
  return 'organization' in target ? target.organization : undefined;
}

/** The organization paths of a target, as far as we know them: `undefined` if even the organization is unknown. */
export function pathsOf(target: Target): Possible | undefined {
  const below: readonly Piece[] = [{ some: 'ous' }];
  const somewhere = (organization: string): Piece[] => [{ text: `${organization}/` }, { some: 'root' }, { text: '/' }];
  switch (target.kind) {
    case 'organization':
      return wordsOf(somewhere(target.organization), below);
    case 'root':
      return wordsOf([{ text: `${target.organization}/${target.root}/` }], below);
    case 'ou':
      if (target.path !== undefined) return wordsOf([{ text: target.path }], below);
      return wordsOf([...somewhere(target.organization), { some: 'ous' }, { text: `${target.ou}/` }], below);
    case 'path':
      return wordsOf([{ text: target.path }], below);
    case 'account':
    case 'role':
      if (target.path !== undefined) return exactly(target.path);
      return target.organization === undefined ? undefined : wordsOf([...somewhere(target.organization), { some: 'ous' }]);
    case 'service':
      return undefined;
  }
}

const some: Piece = { some: 'any' };

/** `arn:<partition>:iam|sts::<account>:…`: roles, users, the root user, federated users. */
function principalArns({ partition }: RepositoryFacts, account: string | undefined): Knowledge {
  const owner = account === undefined ? anything : exactly(account);
  const joined = wordsOf([{ text: `arn:${partition}:` }], [some, { text: account === undefined ? '::' : `::${account}:` }, some]);
  const arn = [exactly('arn'), exactly(partition), anything, exactly(''), owner, anything];
  return { present: joined, absent: false, loose: true, arn };
}

function exactArn(arn: string): Knowledge {
  const [scheme = '', partition = '', service = '', region = '', account = '', ...resource] = arn.split(':');
  return { ...is(arn), arn: [scheme, partition, service, region, account, resource.join(':')].map(exactly) };
}

function serviceRequests(target: Extract<Target, { kind: 'service' }>, ofAccount: Sources): Own {
  const { service, account } = target;
  const name = `${service}.amazonaws.com`;
  return {
    account: undefined,
    role: undefined,
    service: name,
    own: (key) => {
      switch (key) {
        case 'aws:sourcearn':
          return ofAccount(account);
        case 'aws:sourceaccount':
          // AWS documents aws:SourceAccount for CodeBuild only; whether Lambda sends it is not known.
          return { present: exactly(account), absent: service === 'lambda' };
        case 'aws:principalisawsservice':
          return is('true');
        case 'aws:principalservicename':
          return is(name);
        case 'aws:principalorgid':
        case 'aws:principalorgpaths':
        case 'aws:principalaccount':
          return absentKey;
        default:
          return undefined;
      }
    },
  };
}

/** The functions or build projects of an account. */
type Sources = (account: string) => Knowledge;

/** Accounts differ in one part alone: the others are made once. */
function sources(service: PullService, { partition, region }: RepositoryFacts): Sources {
  const resource = service === 'lambda' ? 'function:' : 'project/';
  const before = ['arn', partition, service, region].map(exactly);
  const after = wordsOf([{ text: resource }], [some]);
  return (account) => ({
    present: wordsOf([{ text: `arn:${partition}:${service}:${region}:${account}:${resource}` }], [some]),
    absent: false,
    arn: [...before, exactly(account), after],
  });
}
