import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildRequest } from '../../src/domain/docker-arguments.ts';
import { CancelledError, DocumentError } from '../../src/errors.ts';
import { dockerCli, type DockerConfig, type DockerFacts } from '../../src/ports/docker.ts';
import { RecordingLog } from '../fakes/log.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
const request: BuildRequest = {
  context: '/work/app',
  file: '/work/app/Dockerfile',
  target: undefined,
  platforms: [],
  buildArgs: [],
  labels: [],
  references: [`${host}/shop/web:blue`, `${host}/shop/web:1.2`],
};
const withBuildx: DockerFacts = { engine: '28.2.2', problem: undefined, buildx: 'v0.24' };
const classic: DockerFacts = { ...withBuildx, buildx: undefined };

let folder: string;
let log: RecordingLog;
let environment: Record<string, string>;

/** A `docker` first on PATH that notes what it is called with, then does as the test says. */
async function fakeDocker(script: string): Promise<void> {
  const note = `{ echo "argv: $*"; echo "config: $DOCKER_CONFIG $BUILDX_CONFIG $DOCKER_BUILDKIT"; } >> '${folder}/journal'`;
  await writeFile(join(folder, 'bin/docker'), `#!/bin/sh\n${note}\n${script}\n`, { mode: 0o755 });
}
const journal = async () => (await readFile(join(folder, 'journal'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
const cli = () => dockerCli({ log, environment });
const config = (): DockerConfig => ({ folder, variables: { DOCKER_CONFIG: folder, BUILDX_CONFIG: '/builders' } });
const options = (facts: DockerFacts, signal = new AbortController().signal) => ({ config: config(), facts, signal });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-test-'));
  for (const name of ['bin', 'home/.docker', 'own']) await mkdir(join(folder, name), { recursive: true });
  environment = {
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    HOME: join(folder, 'home'),
    AWS_SECRET_ACCESS_KEY: 'hidden',
  };
  log = new RecordingLog();
});
afterEach(async () => rm(folder, { recursive: true }));

describe('probe', () => {
  test('tells the engine and buildx', async () => {
    await fakeDocker('case "$1" in version) echo 28.2.2;; buildx) echo "github.com/docker/buildx v0.24.0 abc";; esac');
    await expect(cli().probe()).resolves.toEqual({ engine: '28.2.2', problem: undefined, buildx: 'github.com/docker/buildx v0.24.0 abc' });
  });

  test('no engine, no buildx: says why, in Docker’s words', async () => {
    await fakeDocker('echo; echo "Cannot connect to the Docker daemon at unix:///x. Is it running?" >&2; exit 1');
    await expect(cli().probe()).resolves.toEqual({
      engine: undefined,
      problem: 'docker version failed with exit code 1: Cannot connect to the Docker daemon at unix:///x. Is it running?',
      buildx: undefined,
    });
  });

  test('no Docker at all', async () => {
    environment['PATH'] = join(folder, 'bin');
    await expect(cli().probe()).resolves.toMatchObject({ engine: undefined, problem: 'docker was not found on PATH' });
  });
});

describe('isolate', () => {
  const inForce = (text: string) => writeFile(join(folder, 'home/.docker/config.json'), text);
  const own = () => join(folder, 'own');

  test('writes what was in force, for the user’s eyes only, and keeps contexts and builders', async () => {
    await inForce(JSON.stringify({ auths: { 'ghcr.io': { auth: 'eA==' } }, currentContext: 'far' }));
    await mkdir(join(folder, 'home/.docker/contexts'));
    await expect(cli().isolate({ folder: own(), hosts: [host] })).resolves.toEqual({
      folder: own(),
      variables: { DOCKER_CONFIG: own(), BUILDX_CONFIG: join(folder, 'home/.docker/buildx') },
    });
    const written = join(own(), 'config.json');
    expect(JSON.parse(await readFile(written, 'utf8'))).toMatchObject({ auths: { 'ghcr.io': { auth: 'eA==' } }, currentContext: 'far' });
    expect((await stat(written)).mode & 0o777).toBe(0o600);
    expect(await readlink(join(own(), 'contexts'))).toBe(join(folder, 'home/.docker/contexts'));
  });

  test('without any configuration', async () => {
    environment['BUILDX_CONFIG'] = '/elsewhere';
    const { variables } = await cli().isolate({ folder: own(), hosts: [host] });
    expect(variables.BUILDX_CONFIG).toBe('/elsewhere');
    await expect(stat(join(own(), 'contexts'))).rejects.toThrow('ENOENT');
  });

  test('starts from DOCKER_CONFIG where that is set', async () => {
    environment['DOCKER_CONFIG'] = join(folder, 'bin');
    await writeFile(join(folder, 'bin/config.json'), '{"detachKeys":"ctrl-x"}');
    await cli().isolate({ folder: own(), hosts: [host] });
    expect(JSON.parse(await readFile(join(own(), 'config.json'), 'utf8'))).toMatchObject({ detachKeys: 'ctrl-x' });
    expect(cli().variables).toEqual({ DOCKER_CONFIG: join(folder, 'bin'), BUILDX_CONFIG: '' });
  });

  test('a broken configuration is the author’s to mend, and nothing is written', async () => {
    await inForce('{');
    const isolating = cli().isolate({ folder: own(), hosts: [host] });
    await expect(isolating).rejects.toThrow(DocumentError);
    await expect(isolating).rejects.toThrow(/\.docker\/config\.json: is not JSON/);
    await expect(stat(join(own(), 'config.json'))).rejects.toThrow('ENOENT');
  });
});

describe('login', () => {
  const login = { username: 'AWS', password: 'p4ssw0rd' };

  test('gives the password by stdin, and no argument or variable has it', async () => {
    await fakeDocker(`cat > '${folder}/stdin'; env > '${folder}/environment'; echo "WARNING! stored unencrypted" >&2`);
    await cli().login({ config: config(), host, login });
    expect(await readFile(join(folder, 'stdin'), 'utf8')).toBe('p4ssw0rd');
    expect(await journal()).toEqual([`argv: login --username AWS --password-stdin ${host}`, `config: ${folder} /builders `]);
    expect(await readFile(join(folder, 'environment'), 'utf8')).not.toMatch(/p4ssw0rd|hidden/);
    expect(log.lines).toEqual([]);
  });

  test('a refusal fails', async () => {
    await fakeDocker('echo "Error response from daemon: 400 Bad Request" >&2; exit 1');
    await expect(cli().login({ config: config(), host, login })).rejects.toThrow(
      'docker login failed with exit code 1: Error response from daemon: 400 Bad Request',
    );
  });
});

describe('with buildx', () => {
  const writesMetadata = (text: string) =>
    `while [ $# -gt 0 ]; do [ "$1" = --metadata-file ] && echo '${text}' > "$2"; shift; done; echo "#1 building"`;

  test('builds and pushes all tags in one command; the digest is that of the metadata', async () => {
    await fakeDocker(writesMetadata(`{"containerimage.digest":"${digest}"}`));
    await expect(cli().buildAndPush(request, options(withBuildx))).resolves.toBe(digest);
    const lines = await journal();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^argv: buildx build .*--push .*--tag \S+:blue --tag \S+:1\.2 \/work\/app$/);
    expect(log.lines).toEqual(['#1 building']);
  });

  test('no digest is an error, not a guess', async () => {
    await fakeDocker(writesMetadata('{}'));
    await expect(cli().buildAndPush(request, options(withBuildx))).rejects.toThrow(
      'docker buildx build ended well, but the digest is unknown: the build’s metadata has no containerimage.digest',
    );
  });

  test('a failed build says its last lines', async () => {
    await fakeDocker('echo "ERROR: failed to solve: base not found" >&2; exit 1');
    await expect(cli().buildAndPush(request, options(withBuildx))).rejects.toThrow(
      'docker buildx build failed with exit code 1: ERROR: failed to solve: base not found',
    );
  });

  test('a cancelled build ends at once', async () => {
    await fakeDocker('echo begun; exec sleep 60');
    const cancel = new AbortController();
    const building = cli().buildAndPush(request, options(withBuildx, cancel.signal));
    while (log.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const begun = Date.now();
    cancel.abort(new CancelledError('cancelled'));
    await expect(building).rejects.toThrow(CancelledError);
    expect(Date.now() - begun).toBeLessThan(2_500);
  });
});

describe('the classic builder', () => {
  test('builds once, without BuildKit, then pushes each tag', async () => {
    await fakeDocker(`[ "$1" = push ] && echo "x: digest: ${digest} size: 528" || echo "Successfully built"`);
    await expect(cli().buildAndPush(request, options(classic))).resolves.toBe(digest);
    expect(await journal()).toEqual([
      `argv: build --file /work/app/Dockerfile --tag ${host}/shop/web:blue --tag ${host}/shop/web:1.2 /work/app`,
      `config: ${folder} /builders 0`,
      `argv: push ${host}/shop/web:blue`,
      `config: ${folder} /builders `,
      `argv: push ${host}/shop/web:1.2`,
      `config: ${folder} /builders `,
    ]);
  });

  test('a failed build pushes nothing', async () => {
    await fakeDocker('[ "$1" = build ] && exit 1');
    await expect(cli().buildAndPush(request, options(classic))).rejects.toThrow('docker build failed with exit code 1: it said nothing');
    expect((await journal()).filter((line) => line.includes('push'))).toEqual([]);
  });

  test('a failed push names its reference', async () => {
    await fakeDocker('[ "$1" = push ] || exit 0; echo "denied: not authorized" >&2; exit 1');
    await expect(cli().buildAndPush(request, options(classic))).rejects.toThrow(
      `docker push ${host}/shop/web:blue failed with exit code 1: denied: not authorized`,
    );
  });

  test('one image under two digests is an error', async () => {
    await fakeDocker(
      '[ "$1" = push ] || exit 0; case "$2" in *blue) d=a;; *) d=b;; esac; printf "x: digest: sha256:"; printf "%064d" 0 | tr 0 $d; echo " size: 1"',
    );
    await expect(cli().buildAndPush(request, options(classic))).rejects.toThrow('docker push pushed one image under 2 digests');
  });
});
