import { beforeEach, describe, expect, test } from '@jest/globals';
import { cleanupMemory } from '../../src/cleanup.ts';
import { formatPlatform } from '../../src/domain/oci.ts';
import { CancelledError, CommandError, InputError } from '../../src/errors.ts';
import {
  checkPublish,
  findSource,
  preparePublish,
  publishImage,
  type PublishedImage,
  type PublishInputs,
} from '../../src/steps/publish-image.ts';
import { FakeDocker } from '../fakes/docker.ts';
import { digestOf, FakeEcr } from '../fakes/ecr.ts';
import { FakeFiles } from '../fakes/files.ts';
import { FakeGitHub } from '../fakes/github.ts';
import type { Journal } from '../fakes/journal.ts';
import { RecordingLog } from '../fakes/log.ts';
import { FakeOciRegistry } from '../fakes/oci-registry.ts';

let journal: Journal;
let ecr: FakeEcr;
let docker: FakeDocker;
let files: FakeFiles;
let ociRegistry: FakeOciRegistry;
let github: FakeGitHub;
let log: RecordingLog;

beforeEach(() => {
  journal = [];
  ecr = new FakeEcr(journal);
  docker = new FakeDocker(journal);
  files = new FakeFiles(journal);
  ociRegistry = new FakeOciRegistry({ ecr, journal });
  github = new FakeGitHub();
  log = new RecordingLog();
  files.files.set('/workspace/Dockerfile', 'FROM scratch');
  docker.build = pushes('built');
});

/** A build that ends in the registry, as the builder says or not. */
function pushes(word: string, held = word): FakeDocker['build'] {
  return async ({ references }) => {
    ecr.hold(digestOf(held), ...references.map((reference) => reference.slice(reference.lastIndexOf(':') + 1)));
    return digestOf(word);
  };
}

const inputs = (given: Partial<PublishInputs> = {}): PublishInputs => ({
  repository: ecr.name,
  context: '.',
  file: undefined,
  target: undefined,
  platforms: [],
  'build-args': [],
  labels: [],
  tags: ['blue', '1.2.3'],
  image: undefined,
  ...given,
});
const layout = (tags: readonly string[] = ['blue', '1.2.3']) => inputs({ tags, image: { ociLayout: 'image' } });
const ports = () => ({ docker, files, github, log, ociRegistry });
const prepare = async (given = inputs(), place: { registryId?: undefined } = {}) => {
  const source = await findSource({ inputs: given, ports: ports() });
  return preparePublish({ inputs: given, source, registryId: ecr.account, ecr, ports: ports(), ...place });
};
async function publish(given = inputs(), signal = new AbortController().signal): Promise<PublishedImage> {
  return publishImage(await prepare(given), { ecr, ports: ports(), memory: cleanupMemory(github), signal });
}
const uri = '111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web';
const folder = '/temp/ecr-org-deploy-build-1';

describe('a build', () => {
  test('is pushed under each tag, with a Docker configuration that goes with it', async () => {
    await expect(publish(inputs({ target: 'final', 'build-args': [['BASE', 'scratch']] }))).resolves.toEqual({
      host: ecr.host,
      repository: 'shop/web',
      registryId: '111111111111',
      digest: digestOf('built'),
      uri: `${uri}@${digestOf('built')}`,
      tags: ['blue', '1.2.3'],
      pushed: true,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
    });
    expect(journal).toEqual([
      'ecr authorization',
      `docker isolate ${folder} for ${ecr.host}`,
      `docker login ${ecr.host} as AWS in ${folder}`,
      `docker build ${uri}:blue ${uri}:1.2.3`,
      `files remove ${folder}`,
    ]);
    expect(docker.builds).toEqual([
      expect.objectContaining({ context: '/workspace', file: '/workspace/Dockerfile', target: 'final', buildArgs: [['BASE', 'scratch']] }),
    ]);
    expect(log.lines).toEqual([`▼ Build and push ${uri} with docker buildx build`, `Pushed ${uri}@${digestOf('built')}`]);
    expect(github.saved.get('cleanup')).toBe('[]');
  });

  test('has the tags of the event where none are given', async () => {
    await publish(inputs({ tags: [] }));
    expect(journal).toContain(`docker build ${uri}:main ${uri}:sha-0123456789ab`);
    github.pull = { number: 7, headSha: 'fedcba9876543210fedcba9876543210fedcba98', fork: false };
    await publish(inputs({ tags: [] }));
    expect(journal).toContain(`docker build ${uri}:pr-7 ${uri}:pr-7-fedcba987654`);
  });

  test('that was there already, with every tag, pushed nothing', async () => {
    ecr.hold(digestOf('built'), 'blue', '1.2.3');
    await expect(publish()).resolves.toMatchObject({ pushed: false, digest: digestOf('built') });
    expect(log.lines.at(-1)).toBe(`Nothing to push: ${uri}@${digestOf('built')} is there already, with every tag.`);
  });

  test('without buildx says which builder it uses', async () => {
    docker.facts = { ...docker.facts, buildx: undefined };
    await publish();
    expect(log.lines[0]).toBe(`▼ Build and push ${uri} with docker build`);
  });

  test.each([
    ['a failed build', new CommandError('docker buildx build failed with exit code 1: no', { command: 'docker', exitCode: 1 })],
    ['a cancelled build', new CancelledError('cancelled')],
  ])('%s leaves no configuration behind', async (_, error) => {
    docker.build = async () => Promise.reject(error);
    await expect(publish()).rejects.toThrow(error);
    expect(journal.at(-1)).toBe(`files remove ${folder}`);
    expect(files.folders.size).toBe(0);
    expect(github.saved.get('cleanup')).toBe('[]');
  });

  test('the folder is remembered before anything is in it', async () => {
    let saved: string | undefined;
    docker.build = async (...given) => {
      saved = github.saved.get('cleanup');
      return pushes('built')(...given);
    };
    await publish();
    expect(JSON.parse(saved ?? '')).toEqual([{ kind: 'remove-folder', path: folder }]);
    expect(saved).not.toContain('p4ssw0rd');
  });

  test('a refused login builds nothing', async () => {
    docker.loginFailure = new CommandError('docker login failed', { command: 'docker login', exitCode: 1 });
    await expect(publish()).rejects.toThrow('docker login failed');
    expect(docker.builds).toEqual([]);
    expect(files.folders.size).toBe(0);
  });

  test('a run that is cancelled before it, does nothing', async () => {
    await expect(publish(inputs(), AbortSignal.abort(new CancelledError('cancelled')))).rejects.toThrow(CancelledError);
    expect(journal).toEqual([]);
  });
});

describe('the registry’s word', () => {
  test('must be the builder’s', async () => {
    docker.build = pushes('built', 'something else');
    await expect(publish()).rejects.toMatchObject({
      name: 'AwsError',
      message: `${uri}@${digestOf('built')} was pushed, but the registry does not have it`,
      hint: expect.stringContaining('run this again'),
    });
  });

  test('a tag that names another image afterwards is an error with both digests', async () => {
    docker.build = async (...given) => {
      const digest = await pushes('built')(...given);
      ecr.hold(digestOf('another'), 'blue');
      return digest;
    };
    await expect(publish()).rejects.toThrow(`${digestOf('built')} was pushed, but of its tags, blue is ${digestOf('another')}`);
  });

  test('a moving tag may be moved by another run meanwhile: a warning', async () => {
    docker.build = async (...given) => {
      const digest = await pushes('built')(...given);
      ecr.hold(digestOf('another'), 'latest');
      return digest;
    };
    await expect(publish(inputs({ tags: ['latest', 'blue'] }))).resolves.toMatchObject({ digest: digestOf('built') });
    expect(log.lines).toContain(
      `warning: Tag latest was moved to ${digestOf('another')} by another run meanwhile; this run goes on by digest.`,
    );
  });
});

describe('an OCI layout', () => {
  beforeEach(() => ociRegistry.hold('/workspace/image', 'layout'));

  test('is pushed without Docker', async () => {
    docker.facts = { engine: undefined, problem: 'none', buildx: undefined };
    const image = await publish(layout());
    expect(image).toMatchObject({ digest: digestOf('layout'), pushed: true });
    expect(image.platforms?.map(formatPlatform)).toEqual(['linux/arm64']);
    expect(journal).toEqual(['ecr authorization', `registry push ${uri} blue 1.2.3`]);
  });

  test('only missing tags are pushed', async () => {
    ecr.hold(digestOf('layout'), 'blue');
    await expect(publish(layout())).resolves.toMatchObject({ pushed: true, tags: ['blue', '1.2.3'] });
    expect(journal).toEqual(['ecr authorization', `registry push ${uri} 1.2.3`]);
  });

  test('that is there with every tag is not pushed, and needs no login', async () => {
    ecr.hold(digestOf('layout'), 'blue', '1.2.3');
    await expect(publish(layout())).resolves.toMatchObject({ pushed: false });
    expect(journal).toEqual([]);
  });

  test('a broken one is told before anything is asked for', async () => {
    await expect(publish(inputs({ image: { ociLayout: 'elsewhere' } }))).rejects.toThrow('/workspace/elsewhere: is not an OCI layout');
    expect(journal).toEqual([]);
  });
});

describe('an immutable repository', () => {
  beforeEach(() => {
    ecr.rule = { mutability: 'IMMUTABLE', exclusionFilters: [] };
    ociRegistry.hold('/workspace/image', 'layout');
  });

  test('same digest is success', async () => {
    ecr.hold(digestOf('layout'), 'blue', '1.2.3');
    await expect(publish(layout())).resolves.toMatchObject({ pushed: false, digest: digestOf('layout') });
  });

  test('another digest is an error with both, before anything is pushed', async () => {
    ecr.hold(digestOf('old'), 'blue');
    const publishing = publish(layout());
    await expect(publishing).rejects.toThrow(InputError);
    await expect(publishing).rejects.toMatchObject({
      message: `tags: blue is ${digestOf('old')} already, and the new image is ${digestOf('layout')}`,
      hint: expect.stringContaining('Nothing was built or pushed'),
    });
    expect(journal).toEqual([]);
  });

  test('a tag that a build can’t have is an error before the build', async () => {
    ecr.hold(digestOf('old'), 'blue');
    await expect(publish()).rejects.toThrow(`blue is ${digestOf('old')} already, and the new image is not built yet`);
    expect(journal).toEqual([]);
  });

  test('a moving tag stays, with a notice', async () => {
    ecr.hold(digestOf('old'), 'main');
    await expect(publish(inputs({ tags: [] }))).resolves.toMatchObject({ tags: ['sha-0123456789ab'], pushed: true });
    expect(log.lines[0]).toBe(`notice: Tag main stays on ${digestOf('old')}: shop/web does not let tags move.`);
    expect(ecr.tags.get('main')).toBe(digestOf('old'));
  });

  test('moving tags only, all taken: an error that says what to give', async () => {
    ecr.hold(digestOf('old'), 'latest');
    await expect(publish(inputs({ tags: ['latest'] }))).rejects.toMatchObject({
      hint: expect.stringContaining('a tag that names the commit'),
    });
    expect(journal).toEqual([]);
  });

  test('the commit’s own image is reused: no build, further tags by its manifest', async () => {
    ecr.hold(digestOf('first run'), 'sha-0123456789ab');
    await expect(publish(inputs({ tags: ['sha-0123456789ab', '1.2.3'] }))).resolves.toMatchObject({
      digest: digestOf('first run'),
      pushed: true,
    });
    expect(journal).toEqual(['ecr put 1.2.3']);
    expect(log.lines[0]).toBe(`Nothing to build: sha-0123456789ab is ${digestOf('first run')} already.`);
    journal.length = 0;
    await expect(publish(inputs({ tags: ['sha-0123456789ab', '1.2.3'] }))).resolves.toMatchObject({ pushed: false });
    expect(journal).toEqual([]);
  });

  test('an excluded tag moves', async () => {
    ecr.rule = { mutability: 'IMMUTABLE_WITH_EXCLUSION', exclusionFilters: ['bl*'] };
    ecr.hold(digestOf('old'), 'blue');
    await expect(publish()).resolves.toMatchObject({ pushed: true });
    expect(ecr.tags.get('blue')).toBe(digestOf('built'));
  });
});

describe('before anything is built or pushed', () => {
  test('a missing repository: says where, and how to make it', async () => {
    ecr.exists = false;
    await expect(publish()).rejects.toMatchObject({
      message: 'repository: shop/web does not exist in the registry of 111111111111',
      hint: expect.stringContaining('aws ecr create-repository --repository-name shop/web'),
    });
    const own = prepare(inputs(), { registryId: undefined });
    await expect(own).rejects.toThrow('does not exist in the registry of these credentials');
    expect(journal).toEqual([]);
  });

  test.each<[string, Partial<PublishInputs>, string]>([
    ['no context', { context: 'app' }, 'context: there is no folder app; check out the repository first'],
    ['a context that is a file', { context: 'Dockerfile' }, 'context: there is no folder Dockerfile'],
    ['no Dockerfile in the context', { context: '/workspace/app' }, 'file: there is no Dockerfile /workspace/app/Dockerfile'],
    ['no such Dockerfile', { file: 'Dockerfile.prod' }, 'file: there is no Dockerfile Dockerfile.prod'],
    [
      'a tag of another repository',
      { tags: [`${ecrHost()}/shop/api:1`] },
      'tags: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1 is not of',
    ],
  ])('%s', async (_, given, message) => {
    if (given.context === '/workspace/app') files.folders.add('/workspace/app');
    await expect(publish(inputs(given))).rejects.toThrow(message);
    expect(journal).toEqual([]);
  });

  test('no engine: says why, and what else would do', async () => {
    docker.facts = { engine: undefined, problem: 'docker was not found on PATH', buildx: undefined };
    await expect(publish()).rejects.toMatchObject({
      name: 'CommandError',
      message: 'No Docker engine to build with: docker was not found on PATH',
      hint: expect.stringContaining('image: oci:PATH'),
    });
    expect(journal).toEqual([]);
  });

  test('several platforms need buildx', async () => {
    docker.facts = { ...docker.facts, buildx: undefined };
    await expect(publish(inputs({ platforms: ['linux/amd64', 'linux/arm64'] }))).rejects.toThrow(
      'platforms: several platforms need buildx',
    );
    expect(journal).toEqual([]);
  });

  test('what needs no call is checked with the inputs', () => {
    expect(checkPublish({ tags: ['-x'], platforms: ['linux/amd64', 'amd64'] })).toEqual([
      { input: 'tags', problem: expect.stringContaining('"-x" is not a tag') },
      { input: 'platforms', problem: expect.stringContaining('"amd64" is not a platform') },
    ]);
    expect(checkPublish({ tags: ['x, y'], platforms: ['linux/arm/v7'] })).toEqual([]);
  });
});

function ecrHost(): string {
  return '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
}
