/**
 * A mode run in this process, by our real ports against the emulator, with a clock that both share: sleeping makes AWS's time pass, twenty
 * times as much as was asked for, so that hours of following are few calls.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../../emulator/scenario.ts';
import type { Cleanup } from '../../src/cleanup.ts';
import type { Mode } from '../../src/mode.ts';
import { inputNames } from '../../src/modes/index.ts';
import { awsCodedeploy } from '../../src/ports/codedeploy.ts';
import { stsCredentials } from '../../src/ports/credentials.ts';
import type { Docker } from '../../src/ports/docker.ts';
import { awsEcrPublic } from '../../src/ports/ecr-public.ts';
import { awsEcr } from '../../src/ports/ecr.ts';
import { awsEcs } from '../../src/ports/ecs.ts';
import { workspaceFiles } from '../../src/ports/files.ts';
import type { Ports } from '../../src/ports/index.ts';
import { httpOciRegistry } from '../../src/ports/oci-registry.ts';
import { awsOrganizations } from '../../src/ports/organizations.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeGit } from '../fakes/git.ts';
import { FakeGitHub } from '../fakes/github.ts';
import { RecordingLog } from '../fakes/log.ts';

export class InProcess {
  readonly workspace = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-mode-'));
  readonly github: FakeGitHub;
  readonly log = new RecordingLog();
  readonly clock: FakeClock;
  readonly outputs = new Map<string, string>();
  /** What the post step would do. */
  readonly remembered = new Set<Cleanup>();
  readonly #scenario: Scenario;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(scenario: Scenario, environment: Readonly<Record<string, string>> = {}) {
    this.#scenario = scenario;
    this.#environment = environment;
    process.env['AWS_ENDPOINT_URL'] = scenario.emulator.url;
    this.clock = new SharedClock(scenario);
    this.github = new FakeGitHub({ workspace: this.workspace, temp: join(this.workspace, 'temp') });
    this.github.idTokens = async (audience) => scenario.emulator.github.identity.token(audience);
  }

  /** @throws as the mode does */
  async run(mode: Mode, given: Readonly<Record<string, string>>): Promise<void> {
    this.#scenario.emulator.requests.clear();
    await mode.prepare(new Map(Object.entries(given)), inputNames).run({
      ports: this.#ports(),
      output: (name, value) => void this.outputs.set(name, value),
      memory: { remember: (item) => void this.remembered.add(item), forget: (item) => void this.remembered.delete(item) },
      signal: new AbortController().signal,
    });
  }

  remove(): void {
    delete process.env['AWS_ENDPOINT_URL'];
    rmSync(this.workspace, { recursive: true, force: true });
  }

  #ports(): Ports {
    const { github, log, clock } = this;
    const ociRegistry = httpOciRegistry({ clock });
    return {
      github,
      log,
      clock,
      files: workspaceFiles(github.run),
      credentials: stsCredentials({ github, clock, log, environment: this.#environment }),
      docker: {} as Docker,
      git: new FakeGit(),
      ociRegistry,
      ecr: (session) => awsEcr(session, { mask: github.mask }),
      ecrPublic: (session) => awsEcrPublic(session, { ociRegistry, mask: github.mask }),
      ecs: awsEcs,
      codedeploy: awsCodedeploy,
      organizations: (session) => awsOrganizations(session, { clock }),
    };
  }
}

class SharedClock extends FakeClock {
  readonly #scenario: Scenario;

  constructor(scenario: Scenario) {
    super(Date.now());
    this.#scenario = scenario;
  }

  override async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const passing = milliseconds * 20;
    this.#scenario.emulator.clock.advance(passing);
    await super.sleep(passing, signal);
  }
}
