import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildRequest } from '../../src/domain/docker-arguments.ts';
import { CancelledError, DocumentError } from '../../src/errors.ts';
import { dockerCli, type DockerConfig, type DockerFacts } from '../../src/ports/docker.ts';
import { RecordingLog } from '../fakes/log.ts';
import { plainBuild } from '../build-request.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const host = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
const request: BuildRequest = {
  ...plainBuild,
  file: '/work/app/Dockerfile',
  references: [`${host}/shop/web:blue`, `${host}/shop/web:1.2`],
};
const withBuildx: DockerFacts = {
  engine: '28.2.2',
  problem: undefined,
  buildx: 'v0.24',
  builder: { name: 'default', driver: 'docker' },
  builderProblem: undefined,
  hasContainerdStore: false,
};
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

/** Asks again until there is an answer. */
async function until(ask: () => Promise<string>): Promise<string> {
  for (;;) {
    const answer = await ask().catch(() => '');
    if (answer !== '') return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

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
  const script = `case "$1 $2" in
    "version --format") echo 28.2.2;;
    "info --format") echo '[["driver-type","io.containerd.snapshotter.v1"]]';;
    "buildx version") echo "github.com/docker/buildx v0.24.0 abc";;
    "buildx inspect") [ "$3" = none ] && { echo "ERROR: no builder \\"none\\" found" >&2; exit 1; }; printf 'Name:   %s\\nDriver: docker\\n' "\${3:-default}";;
  esac`;

  test('tells the engine, its image store, buildx and the builder', async () => {
    await fakeDocker(script);
    await expect(cli().probe()).resolves.toEqual({
      engine: '28.2.2',
      problem: undefined,
      buildx: 'github.com/docker/buildx v0.24.0 abc',
      builder: { name: 'default', driver: 'docker' },
      builderProblem: undefined,
      hasContainerdStore: true,
    });
    await expect(cli().isInstalled()).resolves.toBe(true);
    await expect(cli().probe({ builder: 'multi' })).resolves.toMatchObject({ builder: { name: 'multi' } });
  });

  test('a builder that is not there: says why, in buildx’s words', async () => {
    await fakeDocker(script);
    await expect(cli().probe({ builder: 'none' })).resolves.toMatchObject({
      builder: undefined,
      builderProblem: 'docker buildx inspect failed with exit code 1: ERROR: no builder "none" found',
    });
  });

  test('no engine, no buildx: says why, in Docker’s words', async () => {
    await fakeDocker('echo; echo "Cannot connect to the Docker daemon at unix:///x. Is it running?" >&2; exit 1');
    await expect(cli().probe()).resolves.toMatchObject({
      engine: undefined,
      problem: 'docker version failed with exit code 1: Cannot connect to the Docker daemon at unix:///x. Is it running?',
      buildx: undefined,
      builder: undefined,
      hasContainerdStore: false,
    });
  });

  test('no Docker at all', async () => {
    environment['PATH'] = join(folder, 'bin');
    await expect(cli().probe()).resolves.toMatchObject({ engine: undefined, problem: 'docker was not found on PATH' });
    await expect(cli().isInstalled()).resolves.toBe(false);
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

  test('keeps what lies beside, but for what Docker finds by other ways; the end of it leaves all of that alone', async () => {
    for (const name of ['contexts', 'trust/private', 'cli-plugins', 'buildx']) {
      await mkdir(join(folder, 'home/.docker', name), { recursive: true });
      await writeFile(join(folder, 'home/.docker', name, 'kept'), '');
    }
    await writeFile(join(folder, 'home/.docker/.token_seed'), '');
    await cli().isolate({ folder: own(), hosts: [host] });
    expect((await readdir(own())).toSorted()).toEqual(['config.json', 'contexts', 'trust']);
    expect(JSON.parse(await readFile(join(own(), 'config.json'), 'utf8'))).toMatchObject({
      cliPluginsExtraDirs: [join(folder, 'home/.docker/cli-plugins')],
    });
    await rm(own(), { recursive: true });
    expect(await readFile(join(folder, 'home/.docker/trust/private/kept'), 'utf8')).toBe('');
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
      `docker login ${host} failed with exit code 1: Error response from daemon: 400 Bad Request`,
    );
  });

  test('a cancelled login ends its child', async () => {
    await fakeDocker(`cat > /dev/null; echo $$ > '${folder}/pid'; exec sleep 60`);
    const cancel = new AbortController();
    const logging = cli().login({ config: config(), host, login, signal: cancel.signal });
    const pid = await until(async () => readFile(join(folder, 'pid'), 'utf8'));
    cancel.abort(new CancelledError('cancelled'));
    await expect(logging).rejects.toThrow(CancelledError);
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });
});

describe('the login for another host', () => {
  const inForce = (config: object) => writeFile(join(folder, 'home/.docker/config.json'), JSON.stringify(config));
  const helper = (text: string) =>
    writeFile(join(folder, 'bin/docker-credential-desk'), `#!/bin/sh\ncat > '${folder}/asked'\n${text}\n`, { mode: 0o755 });

  test('is the one in the configuration', async () => {
    await inForce({ auths: { 'https://index.docker.io/v1/': { auth: btoa('octocat:a:b') }, 'ghcr.io': {} } });
    await expect(cli().loginFor('docker.io')).resolves.toEqual({ username: 'octocat', password: 'a:b' });
    await expect(cli().loginFor('ghcr.io')).resolves.toBeUndefined();
    await expect(cli().loginFor('quay.io')).resolves.toBeUndefined();
  });

  test('is what a helper program says', async () => {
    await inForce({ auths: { 'ghcr.io': {} }, credsStore: 'desk' });
    await helper(`echo '{"ServerURL":"ghcr.io","Username":"octocat","Secret":"hush"}'`);
    await expect(cli().loginFor('ghcr.io')).resolves.toEqual({ username: 'octocat', password: 'hush' });
    expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('ghcr.io');
    await inForce({ credHelpers: { 'quay.io': 'desk' } });
    await helper('echo "credentials not found in native keychain"; exit 1');
    await expect(cli().loginFor('quay.io')).resolves.toBeUndefined();
  });

  test('is none without a configuration', async () => {
    await expect(cli().loginFor('ghcr.io')).resolves.toBeUndefined();
  });
});

describe('an image of the engine', () => {
  test('is there or not', async () => {
    await fakeDocker('[ "$1 $2 $5" = "image inspect web:latest" ] && echo sha256:0 || exit 1');
    await expect(cli().hasImage('web:latest')).resolves.toBe(true);
    await expect(cli().hasImage('web:none')).resolves.toBe(false);
  });

  const push = async (signal = new AbortController().signal) =>
    cli().push({ image: 'web:latest', references: request.references }, { config: config(), signal });

  test('is tagged, pushed under each name, and loses them again', async () => {
    await fakeDocker(`[ "$1" = push ] && echo "x: digest: ${digest} size: 528" || true`);
    await expect(push()).resolves.toBe(digest);
    expect((await journal()).filter((line) => line.startsWith('argv'))).toEqual([
      `argv: tag web:latest ${host}/shop/web:blue`,
      `argv: tag web:latest ${host}/shop/web:1.2`,
      `argv: push ${host}/shop/web:blue`,
      `argv: push ${host}/shop/web:1.2`,
      `argv: rmi --no-prune ${host}/shop/web:blue`,
      `argv: rmi --no-prune ${host}/shop/web:1.2`,
    ]);
  });

  test('loses them after a failed push, too', async () => {
    await fakeDocker('[ "$1" = push ] && { echo denied >&2; exit 1; } || true');
    await expect(push()).rejects.toThrow(`docker push ${host}/shop/web:blue failed with exit code 1: denied`);
    expect((await journal()).filter((line) => line.includes('rmi'))).toHaveLength(2);
  });
});

describe('a builder of its own', () => {
  test('is made with the configuration of the step, and removed with that of the post step', async () => {
    await fakeDocker('true');
    await cli().createBuilder('own', { config: config(), signal: new AbortController().signal });
    await cli().removeBuilder({ name: 'own', buildxConfig: '/builders' });
    expect(await journal()).toEqual([
      'argv: buildx create --name own --driver docker-container --bootstrap',
      `config: ${folder} /builders `,
      'argv: buildx rm --force own',
      'config:  /builders ',
    ]);
  });

  test('that is gone is removed; another failure is one', async () => {
    await fakeDocker('echo "ERROR: no builder \\"own\\" found" >&2; exit 1');
    await cli().removeBuilder({ name: 'own', buildxConfig: '' });
    await fakeDocker('echo "ERROR: busy" >&2; exit 1');
    await expect(cli().removeBuilder({ name: 'own', buildxConfig: '' })).rejects.toThrow(
      'docker buildx rm failed with exit code 1: ERROR: busy',
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

  test('a failed step is told with its line in the Dockerfile', async () => {
    await fakeDocker(
      `printf '%s\\n' 'Dockerfile:12' '--------------------' '  12 | >>> RUN make' '--------------------' 'ERROR: failed to build: failed to solve: exit code: 2' >&2; exit 1`,
    );
    await expect(cli().buildAndPush(request, options(withBuildx))).rejects.toMatchObject({
      name: 'CommandError',
      message: 'docker buildx build failed at Dockerfile:12, RUN make: exit code: 2',
      place: { file: '/work/app/Dockerfile', line: 12 },
    });
    // A remote one is not in the checkout.
    const remote = { ...request, context: 'https://example.com/x.git', file: 'Dockerfile' };
    await expect(cli().buildAndPush(remote, options(withBuildx))).rejects.toMatchObject({
      message: expect.stringContaining('Dockerfile:12'),
      place: undefined,
    });
  });

  test('gets the variables that it is passed, and no other', async () => {
    environment['NPM_TOKEN'] = 'hush';
    await fakeDocker(`env > '${folder}/environment'; ${writesMetadata(`{"containerimage.digest":"${digest}"}`)}`);
    await cli().buildAndPush(request, { ...options(withBuildx), passed: ['NPM_TOKEN', 'DOCKER_CONFIG', 'ABSENT'] });
    const variables = await readFile(join(folder, 'environment'), 'utf8');
    expect(variables).toContain('NPM_TOKEN=hush');
    expect(variables).toContain(`DOCKER_CONFIG=${folder}\n`);
    expect(variables).not.toMatch(/ABSENT|AWS_SECRET/);
    expect((await journal()).join('\n')).not.toContain('hush');
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

  test('a failed step is told, with its line where the Dockerfile has it once', async () => {
    await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nRUN make\n');
    await fakeDocker(
      `printf '%s\\n' 'Step 2/2 : RUN make' ' ---> Running in 0'; echo "The command returned a non-zero code: 2" >&2; exit 2`,
    );
    await expect(cli().buildAndPush({ ...request, file: join(folder, 'Dockerfile') }, options(classic))).rejects.toMatchObject({
      message: 'docker build failed at Dockerfile:2, RUN make: The command returned a non-zero code: 2',
      place: { file: join(folder, 'Dockerfile'), line: 2 },
    });
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
