/** What the tests of the deployment steps start from: one service, one group, everybody else faked. */
import type { AccountId, Region } from '../../src/domain/account.ts';
import type { Digest, RepositoryName } from '../../src/domain/image.ts';
import type { PinnedImage } from '../../src/domain/task-definition.ts';
import type { Cleanup, Memory } from '../../src/cleanup.ts';
import { AwsError } from '../../src/errors.ts';
import type { Identity, Session, SideRequest } from '../../src/ports/credentials.ts';
import type { Files } from '../../src/ports/files.ts';
import type { Ports } from '../../src/ports/index.ts';
import type { DeployRequest } from '../../src/steps/deploy-service.ts';
import {
  prepareDeployment,
  type DeploymentInputs,
  type PreparedDeployment,
  type PrepareRequest,
} from '../../src/steps/prepare-deployment.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeCodedeploy } from '../fakes/codedeploy.ts';
import { FakeEcs } from '../fakes/ecs.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';

export const region = 'eu-west-1' as Region;
export const account = '222222222222' as AccountId;
export const image: PinnedImage = {
  host: '111111111111.dkr.ecr.eu-west-1.amazonaws.com',
  repository: 'shop/web' as RepositoryName,
  digest: `sha256:${'4be1'.repeat(16)}` as Digest,
};

export const someInputs: DeploymentInputs = {
  'aws-region': region,
  'deploy-region': undefined,
  'deploy-role': undefined,
  'deploy-account-id': account,
  audience: 'sts.amazonaws.com',
  'role-session-name': undefined,
  'role-chaining': 'auto',
  'role-duration-seconds': undefined,
  'role-external-id': undefined,
  'role-session-tags': [],
  cluster: 'dev',
  service: 'web',
  'task-definition': undefined,
  'container-name': undefined,
  'environment-variables': [],
  'codedeploy-application': undefined,
  'codedeploy-deployment-group': undefined,
  'codedeploy-appspec': undefined,
  'codedeploy-deployment-config': undefined,
  'codedeploy-deployment-description': undefined,
  'auto-rollback': 'group',
  'wait-until': 'succeeded',
  'wait-for-minutes': undefined,
  'on-active-deployment': 'wait',
  'on-cancel': 'rollback',
  'on-timeout': 'leave',
  'force-new-deployment': false,
};

export function awsError(code: string, { httpStatusCode = 400 }: { httpStatusCode?: number } = {}): AwsError {
  const cause = Object.assign(new Error(code), { name: code, $metadata: { httpStatusCode }, $fault: 'client' });
  return new AwsError(`${code}: the test says so`, { service: 'codedeploy', operation: 'Test', code, cause });
}

class FakeFiles implements Pick<Files, 'readText' | 'resolve'> {
  readonly texts = new Map<string, string>();
  readText = async (path: string) => this.texts.get(path);
  resolve = (path: string) => `/workspace/${path}`;
}

export class Setting {
  readonly journal: string[] = [];
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly github = new FakeGitHub();
  readonly files = new FakeFiles();
  readonly ecs = new FakeEcs(this.journal, this.clock);
  readonly codedeploy = new FakeCodedeploy({ clock: this.clock, journal: this.journal });
  readonly outputs = new Map<string, string>();
  readonly remembered: Cleanup[] = [];
  readonly abort = new AbortController();
  identity: () => Promise<Identity> = async () => ({ account, arn: `arn:aws:sts::${account}:assumed-role/deploy/x` });

  /** When the credentials end for good. */
  ending: Session['ending'] = () => undefined;

  readonly session: Session = {
    side: 'deploy',
    region,
    how: 'environment',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 's' }),
    identity: async () => {
      this.journal.push('sts:GetCallerIdentity');
      return this.identity();
    },
    expiresAt: () => undefined,
    ending: () => this.ending(),
  };

  readonly memory: Memory = {
    remember: (item) => {
      this.journal.push('remember');
      this.remembered.push(item);
    },
    forget: (item) => {
      this.journal.push('forget');
      this.remembered.splice(this.remembered.indexOf(item), 1);
    },
  };

  get side() {
    return { session: this.session, ecs: this.ecs, codedeploy: this.codedeploy };
  }

  get ports() {
    return { clock: this.clock, log: this.log, github: this.github, files: this.files as unknown as Files };
  }

  async prepare(inputs: Partial<DeploymentInputs> = {}, more: Partial<PrepareRequest> = {}): Promise<PreparedDeployment> {
    return prepareDeployment({ inputs: { ...someInputs, ...inputs }, side: this.side, ports: this.ports, images: [image], ...more });
  }

  get request(): DeployRequest {
    const output = (name: string, value: string): void => void this.outputs.set(name, value);
    return { images: [image], ports: this.ports, memory: this.memory, signal: this.abort.signal, output };
  }

  /** The calls that change something. */
  get writes(): readonly string[] {
    return this.journal.filter((call) => /:(Register|Create|Update|Stop|Continue)/.test(call));
  }
}

/** What was thrown. */
export async function failureOf(work: Promise<unknown>): Promise<Error & { hint?: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Ports whose sessions are opened anew; `opened` gets what was asked for. */
export function reopening(setting: Setting, opened: SideRequest[] = []): Ports {
  const ports: Partial<Ports> = {
    ...setting.ports,
    credentials: {
      open: (request) => {
        opened.push(request);
        return setting.session;
      },
      available: async () => true,
    },
    ecs: () => setting.ecs,
    codedeploy: () => setting.codedeploy,
  };
  return ports as Ports;
}
