/**
 * The state of the AWS that is emulated: organizations, accounts, identities and repositories. Built in a few lines, before or
 * while the emulator runs:
 *
 *     const world = new World();
 *     world.organization({ id: 'o-a1b2c3d4e5', rootId: 'r-ab12', management: '999999999999' });
 *     const dev = world.ou('Workloads/Development', { id: 'ou-ab12-11111111' });
 *     world.account('222222222222', { name: 'dev-a', ou: dev });
 */
import { EmulatorClock } from './clock.ts';
import { newRole, newUser, sessionKey, userKey, type AccessKey, type Role, type SessionKey, type Trust, type User } from './identity.ts';
import { ensureUnit, findBelow, newOrganization, pathOf, type Organization, type Unit } from './organization.ts';
import { newRepository, type Repository, type RepositorySettings } from './repository.ts';
import type { Json } from './service.ts';

export type AccountState = 'PENDING_ACTIVATION' | 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE' | 'CLOSED';

export interface Account {
  readonly id: string;
  name: string;
  email: string;
  state: AccountState;
  /** Undefined: in no organization. */
  unit: Unit | undefined;
  joinedAt: number;
  /** Whether IAM here knows GitHub's OIDC provider. */
  oidcProvider: boolean;
  /** What that provider is registered for. */
  oidcAudiences: readonly string[];
  readonly roles: Map<string, Role>;
  readonly users: Map<string, User>;
  /** `<region>/<name>` → repository. */
  readonly repositories: Map<string, Repository>;
  /** Region → the registry's policy text. */
  readonly registryPolicies: Map<string, string>;
  /** Region → what the registry's policy decides on; where it is not set: all requests, AWS's default (`V2`). */
  readonly registryPolicyScopes: Map<string, 'V1' | 'V2'>;
  /** Region → the registry's replication rules, and since when they hold. */
  readonly replication: Map<string, { readonly rules: readonly Json[]; readonly since: number }>;
}

/** A registry password that GetAuthorizationToken handed out. */
export interface RegistryToken {
  readonly key: AccessKey;
  readonly region: string;
  /** Session time, milliseconds. */
  readonly expiresAt: number;
}

export interface LayerUrl {
  readonly repository: Repository;
  readonly digest: string;
  /** Session time, milliseconds. */
  readonly expiresAt: number;
}

export class World {
  readonly organizations: Organization[] = [];
  readonly accounts = new Map<string, Account>();
  readonly accessKeys = new Map<string, AccessKey | SessionKey>();
  /** Password → what it is good for. */
  readonly registryTokens = new Map<string, RegistryToken>();
  /** Token of GetDownloadUrlForLayer's link → the layer. */
  readonly layerUrls = new Map<string, LayerUrl>();
  /** How far AWS's wall clock, and GitHub's, is ahead of this machine's, in milliseconds. */
  clockOffset = 0;
  #clock = new EmulatorClock();
  #sorted: readonly Account[] = [];
  #origin = { real: Date.now(), aws: this.#clock.now() };

  get clock(): EmulatorClock {
    return this.#clock;
  }

  /** The emulator that serves this world brings its own, faster clock. */
  useClock(clock: EmulatorClock): void {
    this.#clock = clock;
    this.#origin = { real: Date.now(), aws: clock.now() };
  }

  /**
   * The time by which credentials and tokens expire: real time plus what `clock.advance` jumped over. Not AWS time: a clock that
   * runs a thousand times as fast would let every session die before the client, whose clock doesn't, could renew it.
   */
  sessionTime(): number {
    const { real, aws } = this.#origin;
    const skipped = this.#clock.now() - aws - (Date.now() - real) * this.#clock.speed;
    return this.wallTime() + (skipped < 60 * this.#clock.speed ? 0 : skipped);
  }

  /** What stands in the `Date` of answers, and what requests are signed by. */
  wallTime(): number {
    return Date.now() + this.clockOffset;
  }

  organization(given: { id: string; rootId: string; management: string; delegatedAdministrators?: readonly string[] }): Organization {
    const organization = newOrganization(given);
    this.organizations.push(organization);
    this.account(given.management, { name: 'management', ou: organization.root });
    return organization;
  }

  /** The root of the first organization. */
  get root(): Unit {
    return this.#firstOrganization().root;
  }

  /** The OU of a name path; those above it are made as needed. */
  ou(path: string, { id, organization = this.#firstOrganization() }: { id?: string; organization?: Organization } = {}): Unit {
    return ensureUnit(organization, { path, ...(id === undefined ? {} : { id }) });
  }

  /** Makes an account, or changes the one there is; without `ou` a new one is in no organization. */
  account(
    id: string,
    given: Partial<Pick<Account, 'name' | 'email' | 'state' | 'joinedAt' | 'oidcProvider' | 'oidcAudiences'>> & { ou?: Unit } = {},
  ): Account {
    if (!/^\d{12}$/.test(id)) throw new Error(`An account ID has 12 digits: ${id}`);
    const { ou, ...facts } = given;
    let account = this.accounts.get(id);
    if (!account) {
      account = {
        id,
        name: id,
        email: `aws+${id}@example.com`,
        state: 'ACTIVE',
        unit: undefined,
        joinedAt: this.clock.now(),
        oidcProvider: true,
        oidcAudiences: ['sts.amazonaws.com'],
        roles: new Map(),
        users: new Map(),
        repositories: new Map(),
        registryPolicies: new Map(),
        registryPolicyScopes: new Map(),
        replication: new Map(),
      };
      this.accounts.set(id, account);
    }
    Object.assign(account, facts);
    if (ou) account.unit = ou;
    return account;
  }

  /** Moves an account to another unit; undefined takes it out of its organization. */
  move(id: string, unit: Unit | undefined): void {
    this.account(id).unit = unit;
  }

  user(account: string, name: string, { deny }: { deny?: readonly string[] } = {}): AccessKey {
    const user = newUser(account, { name, ...(deny ? { deny } : {}) });
    this.account(account).users.set(name, user);
    return this.#remember(userKey(user));
  }

  role(arn: string, given: { trust?: Trust; maxSessionSeconds?: number; deny?: readonly string[] } = {}): Role {
    const role = newRole(arn, given);
    this.account(role.account).roles.set(arn, role);
    return role;
  }

  findRole(arn: string): Role | undefined {
    return this.accounts.get(arn.split(':')[4] ?? '')?.roles.get(arn);
  }

  /** Keys of a role without asking STS; STS uses it too. */
  session(
    role: Role,
    { name = 'session', seconds = 3600, tags }: { name?: string; seconds?: number; tags?: Record<string, string> } = {},
  ): SessionKey {
    return this.#remember(sessionKey(role, { name, expiresAt: this.sessionTime() + seconds * 1000, ...(tags ? { tags } : {}) }));
  }

  repository(given: RepositorySettings): Repository {
    const repository = newRepository(given, this.clock.now());
    this.account(given.account).repositories.set(`${given.region}/${given.name}`, repository);
    return repository;
  }

  findRepository({ account, region, name }: { account: string; region: string; name: string }): Repository | undefined {
    return this.accounts.get(account)?.repositories.get(`${region}/${name}`);
  }

  /** The path of an account's unit as it is now; undefined outside of organizations. */
  pathOf(account: string): string | undefined {
    const unit = this.accounts.get(account)?.unit;
    return unit && pathOf(unit);
  }

  organizationOf(account: string): Organization | undefined {
    return this.accounts.get(account)?.unit?.organization;
  }

  /** The accounts directly in a unit, in order of their IDs. */
  accountsIn(unit: Unit): readonly Account[] {
    return this.#sortedAccounts().filter((account) => account.unit === unit);
  }

  /** All accounts of an organization, in order of their IDs. */
  accountsOf(organization: Organization): readonly Account[] {
    return this.#sortedAccounts().filter((account) => account.unit?.organization === organization);
  }

  findUnit(organization: Organization, id: string): Unit | undefined {
    return findBelow(organization.root, id);
  }

  /** Sorted once for each account that is made: organizations are listed page by page, and have thousands. */
  #sortedAccounts(): readonly Account[] {
    if (this.#sorted.length !== this.accounts.size) {
      this.#sorted = [...this.accounts.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    }
    return this.#sorted;
  }

  #firstOrganization(): Organization {
    const [first] = this.organizations;
    if (!first) throw new Error('The world has no organization yet: call world.organization() first');
    return first;
  }

  #remember<K extends AccessKey>(key: K): K {
    this.accessKeys.set(key.accessKeyId, key);
    return key;
  }
}
