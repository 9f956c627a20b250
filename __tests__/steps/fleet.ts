/** What the tests of a fan-out start from: some accounts with a service each, all faked, by one clock and one journal. */
import type { AccountId } from '../../src/domain/account.ts';
import type { WaveSize } from '../../src/domain/fan-out.ts';
import type { Session } from '../../src/ports/credentials.ts';
import type { Ports } from '../../src/ports/index.ts';
import { fanOut, type FanOutInputs } from '../../src/steps/fan-out.ts';
import { prepareDeployment, readDocuments, type DeploymentInputs, type PreparedDeployment } from '../../src/steps/prepare-deployment.ts';
import { eachTarget, openTargets, type FanOutMember } from '../../src/steps/targets.ts';
import { event, FakeCodedeploy, target, type Moment } from '../fakes/codedeploy.ts';
import { FakeEcs } from '../fakes/ecs.ts';
import { image, region, Setting, someInputs } from './deployment-setting.ts';

/** Over in a minute and a half. */
export const shortLife: readonly Moment[] = [
  { after: 0, status: 'InProgress', target: target([event('Install', 'InProgress')]) },
  { after: 90, status: 'Succeeded', target: target([event('Install', 'Succeeded', 80)], { running: 2, traffic: 100 }) },
];

export const failedLife: readonly Moment[] = [
  { after: 0, status: 'InProgress' },
  { after: 30, status: 'Failed', error: { code: 'HEALTH_CONSTRAINTS', message: 'no healthy task' } },
];

/** Accounts by a digit: `2` is 222222222222. */
export class Fleet extends Setting {
  readonly members: readonly Member[];
  readonly fleetOutputs: string[] = [];

  constructor(digits: string) {
    super();
    this.members = Array.from(digits, (digit) => new Member(digit, this));
  }

  member(digit: string): Member {
    const found = this.members.find(({ account }) => account.startsWith(digit));
    if (!found) throw new Error(`there is no account ${digit}`);
    return found;
  }

  get fleetPorts(): Ports {
    const owner = ({ region: _region, ...session }: Session) => this.members.find(({ session: own }) => own.identity === session.identity);
    const of = (session: Session): Member => {
      const member = owner(session);
      if (!member) throw new Error('a session of nobody');
      return member;
    };
    const ports: Partial<Ports> = {
      ...this.ports,
      credentials: {
        open: ({ expectedAccount = '' }) => this.member(expectedAccount[0] ?? '').session,
        available: async () => true,
      },
      ecs: (session) => of(session).ecs,
      codedeploy: (session) => of(session).codedeploy,
    };
    return ports as Ports;
  }

  targets(inputs: Partial<DeploymentInputs> = {}) {
    const accounts = this.members.map(({ account, name }) => ({ account, name, ouPath: '' }));
    return openTargets({
      inputsFor: (target): DeploymentInputs => ({ ...someInputs, ...inputs, 'deploy-account-id': target?.account }),
      accounts,
      ports: this.fleetPorts,
    });
  }

  async prepareAll(inputs: Partial<DeploymentInputs> = {}) {
    const targets = this.targets(inputs);
    const prepared = await eachTarget({ targets, 'max-parallel': 10, signal: this.abort.signal }, async (one) =>
      prepareDeployment({ ...one, images: [image], documents: await readDocuments({ ...one, images: [image] }) }),
    );
    return targets.map(({ member }, index) => ({
      member: member as FanOutMember,
      prepared: prepared[index] as PreparedDeployment,
      images: [image],
    }));
  }

  /** Prepares and deploys to all. */
  async fanOut(given: Partial<FanOutInputs> = {}, inputs: Partial<DeploymentInputs> = {}): Promise<void> {
    const everything: readonly WaveSize[] = [{ percent: 100 }];
    await fanOut({
      inputs: { waves: everything, 'max-parallel': 10, 'max-failures': 0, ...given },
      accounts: await this.prepareAll(inputs),
      ports: this.fleetPorts,
      memory: this.memory,
      signal: this.abort.signal,
      output: (name, value) => {
        this.outputs.set(name, value);
        this.fleetOutputs.push(name);
      },
    });
  }

  /** `2 wave 1 succeeded`, from the output `deployments`. */
  get fates(): readonly string[] {
    return this.deployments.map((one) => `${one['account-id']?.[0] ?? ''} wave ${one['wave'] ?? ''} ${one['status'] ?? ''}`);
  }

  get deployments(): readonly Readonly<Record<string, string>>[] {
    return JSON.parse(this.outputs.get('deployments') ?? '[]') as Readonly<Record<string, string>>[];
  }

  /** The calls that change something, each with its account's digit. */
  override get writes(): readonly string[] {
    return this.journal.filter((call) => /:(Register|Create|Stop|Continue)/.test(call));
  }
}

export class Member {
  readonly account: AccountId;
  readonly name: string;
  readonly ecs: FakeEcs;
  readonly codedeploy: FakeCodedeploy;
  readonly session: Session;
  /** Why its role can't be assumed. */
  refusal: Error | undefined;

  constructor(digit: string, { journal, clock }: Fleet) {
    this.account = digit.repeat(12) as AccountId;
    this.name = `dev-${digit}`;
    const own: string[] = [];
    own.push = (...calls) => journal.push(...calls.map((call) => `${digit} ${call}`));
    this.ecs = new FakeEcs(own);
    this.codedeploy = new FakeCodedeploy({ clock, journal: own });
    this.codedeploy.life = shortLife;
    this.session = {
      side: 'deploy',
      region,
      how: 'oidc',
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 's' }),
      identity: async () => {
        if (this.refusal) throw this.refusal;
        return { account: this.account, arn: `arn:aws:sts::${this.account}:assumed-role/deploy/x` };
      },
      expiresAt: () => undefined,
      ending: () => undefined,
    };
  }
}
