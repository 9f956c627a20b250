import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RepositoryName } from '../../src/domain/image.ts';
import { formatPlatform } from '../../src/domain/oci.ts';
import { AwsError, CancelledError, CommandError, InputError } from '../../src/errors.ts';
import { checkPublish, type PublishInputs } from '../../src/steps/prepare-publish.ts';
import { digestOf, FakeEcr } from '../fakes/ecr.ts';
import { imageOf } from '../fakes/oci-registry.ts';
import { folder, PublishSetting, uri } from './publish-setting.ts';

let setting: PublishSetting;
const names = (...repositories: [string, ...string[]]) => repositories as [RepositoryName, ...RepositoryName[]];
const layout = { image: { kind: 'layout', path: 'image' } } as const;
const immutable = { mutability: 'IMMUTABLE', exclusionFilters: [] } as const;

beforeEach(() => {
  setting = new PublishSetting();
  setting.ociRegistry.hold('/workspace/image', 'layout');
});

describe('a build', () => {
  test('is pushed under each tag, with a Docker configuration that goes with it', async () => {
    const { ecr, journal, log, github } = setting;
    await expect(setting.publish({ target: 'final', 'build-args': [['BASE', 'scratch']] })).resolves.toEqual({
      host: ecr.host,
      repository: 'shop/web',
      registryId: '111111111111',
      digest: digestOf('built'),
      uri: `${uri}@${digestOf('built')}`,
      tags: ['blue', '1.2.3'],
      pushed: true,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      isIndex: false,
      others: [],
    });
    expect(journal).toEqual([
      'ecr authorization',
      `docker isolate ${folder} for ${ecr.host}`,
      `docker login ${ecr.host} as AWS in ${folder}`,
      `docker build ${uri}:blue ${uri}:1.2.3`,
      `files remove ${folder}`,
    ]);
    expect(log.lines).toEqual([`▼ Build and push ${uri} with docker buildx build`, `Pushed ${uri}@${digestOf('built')}`]);
    expect(github.saved.get('cleanup')).toBe('[]');
  });

  test('has the tags of the event where none are given', async () => {
    await setting.publish({ tags: [] });
    expect(setting.journal).toContain(`docker build ${uri}:main ${uri}:sha-0123456789ab`);
    setting.github.pull = { number: 7, headSha: 'fedcba9876543210fedcba9876543210fedcba98', fork: false };
    await setting.publish({ tags: [] });
    expect(setting.journal).toContain(`docker build ${uri}:pr-7 ${uri}:pr-7-fedcba987654`);
  });

  test('that was there already, with every tag, pushed nothing', async () => {
    setting.ecr.hold({ digest: digestOf('built'), tags: ['blue', '1.2.3'] });
    await expect(setting.publish()).resolves.toMatchObject({ pushed: false, digest: digestOf('built') });
    expect(setting.log.lines.at(-1)).toBe(`Nothing to push: ${uri}@${digestOf('built')} is there already, with every tag.`);
  });

  test.each([
    ['a failed build', new CommandError('docker buildx build failed with exit code 1: no', { command: 'docker', exitCode: 1 })],
    ['a cancelled build', new CancelledError('cancelled')],
  ])('%s leaves no configuration behind', async (_, error) => {
    setting.docker.build = async () => Promise.reject(error);
    await expect(setting.publish()).rejects.toThrow(error);
    expect(setting.journal.at(-1)).toBe(`files remove ${folder}`);
    expect(setting.files.folders.size).toBe(0);
    expect(setting.github.saved.get('cleanup')).toBe('[]');
  });

  test('the folder is remembered before anything is in it', async () => {
    let saved: string | undefined;
    setting.docker.build = async (...given) => {
      saved = setting.github.saved.get('cleanup');
      return setting.pushes('built')(...given);
    };
    await setting.publish();
    expect(JSON.parse(saved ?? '')).toEqual([{ kind: 'remove-folder', path: folder }]);
    expect(saved).not.toContain('p4ssw0rd');
  });

  test('a refused login builds nothing', async () => {
    setting.docker.loginFailure = new CommandError('docker login failed', { command: 'docker login', exitCode: 1 });
    await expect(setting.publish()).rejects.toThrow('docker login failed');
    expect(setting.docker.builds).toEqual([]);
    expect(setting.files.folders.size).toBe(0);
  });

  test('a run that is cancelled before it, does nothing', async () => {
    await expect(setting.publish({}, AbortSignal.abort(new CancelledError('cancelled')))).rejects.toThrow(CancelledError);
    expect(setting.journal).toEqual([]);
  });
});

describe('the registry’s word', () => {
  test('must be the builder’s', async () => {
    setting.docker.build = setting.pushes('built', 'something else');
    await expect(setting.publish()).rejects.toMatchObject({
      name: 'AwsError',
      message: `${uri}@${digestOf('built')} was pushed, but the registry does not have it`,
      hint: expect.stringContaining('run this again'),
    });
  });

  test('a tag that names another image afterwards is an error with both digests', async () => {
    setting.docker.build = async (...given) => {
      const digest = await setting.pushes('built')(...given);
      setting.ecr.hold({ digest: digestOf('another'), tags: ['blue'] });
      return digest;
    };
    await expect(setting.publish()).rejects.toThrow(`${digestOf('built')} was pushed, but of its tags, blue is ${digestOf('another')}`);
  });

  test('a moving tag may be moved by another run meanwhile: a warning', async () => {
    setting.docker.build = async (...given) => {
      const digest = await setting.pushes('built')(...given);
      setting.ecr.hold({ digest: digestOf('another'), tags: ['latest'] });
      return digest;
    };
    await expect(setting.publish({ tags: ['latest', 'blue'] })).resolves.toMatchObject({ digest: digestOf('built') });
    expect(setting.log.lines).toContain(
      `warning: Tag latest was moved to ${digestOf('another')} by another run meanwhile; this run goes on by digest.`,
    );
  });

  test('an index is told as one, with its platforms', async () => {
    setting.ecr.web.indexes.add(digestOf('built'));
    await expect(setting.publish()).resolves.toMatchObject({ isIndex: true, platforms: [{ os: 'linux', architecture: 'arm64' }] });
    expect(setting.log.lines.at(-1)).toBe('It is an index: linux/arm64.');
  });
});

describe('an OCI layout', () => {
  test('is pushed without Docker', async () => {
    setting.docker.facts = { ...setting.docker.facts, engine: undefined, problem: 'none', buildx: undefined };
    const image = await setting.publish(layout);
    expect(image).toMatchObject({ digest: digestOf('layout'), pushed: true });
    expect(image.platforms?.map(formatPlatform)).toEqual(['linux/arm64']);
    expect(setting.journal).toEqual(['ecr authorization', `registry push ${uri} blue 1.2.3`]);
  });

  test('only missing tags are pushed', async () => {
    setting.ecr.hold({ digest: digestOf('layout'), tags: ['blue'] });
    await expect(setting.publish(layout)).resolves.toMatchObject({ pushed: true, tags: ['blue', '1.2.3'] });
    expect(setting.journal).toEqual(['ecr authorization', `registry push ${uri} 1.2.3`]);
  });

  test('that is there with every tag is not pushed, and needs no login', async () => {
    setting.ecr.hold({ digest: digestOf('layout'), tags: ['blue', '1.2.3'] });
    await expect(setting.publish(layout)).resolves.toMatchObject({ pushed: false });
    expect(setting.journal).toEqual([]);
  });

  test('a broken one is told before anything is asked for', async () => {
    await expect(setting.publish({ image: { kind: 'layout', path: 'elsewhere' } })).rejects.toThrow(
      '/workspace/elsewhere: is not an OCI layout',
    );
    expect(setting.journal).toEqual([]);
  });
});

describe('an image of the Docker engine', () => {
  const local = { image: { kind: 'local', reference: 'web:latest' } } as const;

  test('is pushed under each tag of each repository, with a configuration that goes with it', async () => {
    setting.local('web:latest', 'local');
    setting.ecr.add('shop/api');
    await expect(setting.publish({ ...local, repository: names('shop/web', 'shop/api') })).resolves.toMatchObject({
      digest: digestOf('local'),
      pushed: true,
    });
    const api = uri.replace('web', 'api');
    expect(setting.journal).toEqual([
      'ecr authorization',
      `docker isolate ${folder} for ${setting.ecr.host}`,
      `docker login ${setting.ecr.host} as AWS in ${folder}`,
      `docker push web:latest as ${uri}:blue ${uri}:1.2.3 ${api}:blue ${api}:1.2.3`,
      `files remove ${folder}`,
    ]);
    expect(setting.log.lines[0]).toBe(`▼ Push web:latest to ${uri}, ${api}`);
  });

  test('that is not there: says where it was looked for, and how others are named', async () => {
    await expect(setting.publish(local)).rejects.toMatchObject({
      name: 'InputError',
      message: 'image: the Docker engine has no image web:latest',
      hint: expect.stringContaining('A name that begins with a host'),
    });
  });

  test('without an engine', async () => {
    setting.docker.facts = { ...setting.docker.facts, engine: undefined, problem: 'docker was not found on PATH' };
    await expect(setting.publish(local)).rejects.toThrow(
      'No Docker engine to take the image web:latest from: docker was not found on PATH',
    );
  });

  test('replaces the commit’s image where tags move, and leaves it where they don’t', async () => {
    setting.local('web:latest', 'local');
    setting.ecr.hold({ digest: digestOf('first'), tags: ['sha-0123456789ab'] });
    await expect(setting.publish({ ...local, tags: ['sha-0123456789ab'] })).resolves.toMatchObject({ digest: digestOf('local') });
    setting.ecr.hold({ digest: digestOf('first'), tags: ['sha-0123456789ab'] });
    setting.ecr.web.rule = immutable;
    await expect(setting.publish({ ...local, tags: ['sha-0123456789ab'] })).resolves.toMatchObject({
      digest: digestOf('first'),
      pushed: false,
    });
    expect(setting.log.lines).toContain(
      `web:latest is not pushed: shop/web:sha-0123456789ab is ${digestOf('first')} already, and is taken again (on-existing-tag: reuse).`,
    );
  });
});

describe('an image of a registry', () => {
  const digest = digestOf('released');
  const registry = (reference: object): Partial<PublishInputs> => ({
    image: { kind: 'registry', reference: { host: undefined, tag: undefined, digest: undefined, ...reference } as never },
    tags: ['prod'],
  });

  test('in the same repository gets further tags by its manifest: no Docker, no login', async () => {
    setting.ecr.hold({ digest, tags: ['v1'] });
    for (const reference of [
      { repository: 'shop/web', digest },
      { host: setting.ecr.host, repository: 'shop/web', tag: 'v1' },
    ]) {
      setting.journal.length = 0;
      setting.ecr.web.tags.delete('prod');
      await expect(setting.publish(registry(reference))).resolves.toMatchObject({ digest, tags: ['prod'], pushed: true });
      expect(setting.journal).toEqual(['ecr put shop/web:prod']);
    }
    expect(setting.tags()).toEqual({ v1: digest, prod: digest });
  });

  test('in another repository of the same registry is copied, its blobs taken over from there', async () => {
    setting.ecr.add('dev/web');
    setting.ecr.hold({ in: 'dev/web', digest });
    await expect(setting.publish(registry({ repository: 'dev/web', digest }))).resolves.toMatchObject({ digest, pushed: true });
    expect(setting.journal).toEqual([
      'ecr authorization',
      `registry read ${setting.ecr.host}/dev/web@${digest} as AWS`,
      `registry push ${uri} prod from dev/web`,
    ]);
  });

  test('of another host is copied with the login that Docker has for it, which is masked', async () => {
    setting.docker.logins.set('ghcr.io', { username: 'octocat', password: 'hush' });
    setting.ociRegistry.remote.set('ghcr.io/acme/web:1', imageOf('ghcr.io/acme/web', 'elsewhere'));
    await expect(setting.publish(registry({ host: 'ghcr.io', repository: 'acme/web', tag: '1' }))).resolves.toMatchObject({
      digest: digestOf('elsewhere'),
    });
    expect(setting.journal).toEqual(['registry read ghcr.io/acme/web:1 as octocat', 'ecr authorization', `registry push ${uri} prod`]);
    expect(setting.github.masks).toEqual(['hush']);
  });

  test.each([
    ['another account in this Region takes the same token', '222222222222.dkr.ecr.eu-west-1.amazonaws.com'],
    ['another Region has a token of its own', '111111111111.dkr.ecr.us-east-1.amazonaws.com'],
  ])('%s', async (_, host) => {
    const journal: string[] = [];
    setting.otherRegions.set('us-east-1', new FakeEcr(journal));
    setting.ociRegistry.remote.set(`${host}/acme/web:1`, imageOf('it', 'elsewhere'));
    await setting.publish(registry({ host, repository: 'acme/web', tag: '1' }));
    expect(setting.journal).toContain(`registry read ${host}/acme/web:1 as AWS`);
    expect(journal).toEqual(host.includes('us-east-1') ? ['ecr authorization'] : []);
  });

  test.each([
    [
      'of this registry',
      { repository: 'shop/web', digest },
      `image: shop/web@${digest} can't be had: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web has no such image`,
    ],
    [
      'of another',
      { host: 'ghcr.io', repository: 'acme/web', tag: '1' },
      "image: ghcr.io/acme/web:1 can't be had: ghcr.io has no such image that anybody may read",
    ],
  ])('that is not there, %s: says where it was looked for', async (_, reference, message) => {
    await expect(setting.publish(registry(reference))).rejects.toMatchObject({
      name: 'InputError',
      message,
      hint: expect.stringContaining('docker:REFERENCE'),
    });
    expect(setting.tags()).toEqual({});
  });
});

describe('several repositories', () => {
  const both = { repository: names('shop/web', 'shop/api') };
  const api = uri.replace('web', 'api');

  beforeEach(() => void setting.ecr.add('shop/api'));

  test('one build, the same digest everywhere; each is read back', async () => {
    await expect(setting.publish(both)).resolves.toMatchObject({
      repository: 'shop/web',
      tags: ['blue', '1.2.3'],
      others: [{ repository: 'shop/api', tags: ['blue', '1.2.3'] }],
    });
    expect(setting.journal).toContain(`docker build ${uri}:blue ${uri}:1.2.3 ${api}:blue ${api}:1.2.3`);
    expect(setting.log.lines.slice(-2)).toEqual([`Pushed ${uri}@${digestOf('built')}`, `Pushed ${api}@${digestOf('built')}`]);
  });

  test('one that does not have it in the end is an error that names it', async () => {
    setting.docker.build = async ({ references, ...request }, options) =>
      setting.pushes('built')({ ...request, references: references.slice(0, 2) }, options);
    await expect(setting.publish(both)).rejects.toThrow(`${api}@${digestOf('built')} was pushed, but the registry does not have it`);
  });

  test('all that are missing are told at once, before anything is built', async () => {
    await expect(setting.publish({ repository: names('shop/none', 'shop/web', 'shop/nothing') })).rejects.toThrow(
      /shop\/none does not exist .*\n.*shop\/nothing does not exist/,
    );
    expect(setting.journal).toEqual([]);
  });

  test('the commit’s image of one is copied to the other: nothing is built', async () => {
    setting.ecr.hold({ in: 'shop/api', digest: digestOf('first'), tags: ['sha-0123456789ab'] });
    await expect(setting.publish({ ...both, tags: ['sha-0123456789ab'] })).resolves.toMatchObject({
      digest: digestOf('first'),
      pushed: true,
    });
    expect(setting.journal).toEqual([
      'ecr authorization',
      `registry read ${setting.ecr.host}/shop/api@${digestOf('first')} as AWS`,
      `registry push ${uri} sha-0123456789ab from shop/api`,
    ]);
  });

  test('a layout goes to each, and only where it is missing', async () => {
    setting.ecr.hold({ digest: digestOf('layout'), tags: ['blue', '1.2.3'] });
    await expect(setting.publish({ ...both, ...layout })).resolves.toMatchObject({ pushed: true });
    expect(setting.journal).toEqual(['ecr authorization', `registry push ${api} blue 1.2.3`]);
    expect(setting.log.lines.slice(-2)).toEqual([
      `Nothing to push: ${uri}@${digestOf('layout')} is there already, with every tag.`,
      `Pushed ${api}@${digestOf('layout')}`,
    ]);
  });
});

describe('an immutable repository', () => {
  beforeEach(() => {
    setting.ecr.web.rule = immutable;
  });

  test('pain 32: same digest is success', async () => {
    setting.ecr.hold({ digest: digestOf('layout'), tags: ['blue', '1.2.3'] });
    await expect(setting.publish(layout)).resolves.toMatchObject({ pushed: false, digest: digestOf('layout') });
  });

  test('another digest is an error with both, before anything is pushed', async () => {
    setting.ecr.hold({ digest: digestOf('old'), tags: ['blue'] });
    const publishing = setting.publish(layout);
    await expect(publishing).rejects.toThrow(InputError);
    await expect(publishing).rejects.toMatchObject({
      message: `tags: blue of shop/web is ${digestOf('old')} already, and the new image is ${digestOf('layout')}`,
      hint: expect.stringContaining('Nothing was built or pushed'),
    });
    expect(setting.journal).toEqual([]);
  });

  test('a tag that a build can’t have is an error before the build', async () => {
    setting.ecr.hold({ digest: digestOf('old'), tags: ['blue'] });
    await expect(setting.publish()).rejects.toThrow(`blue of shop/web is ${digestOf('old')} already, and the new image is not known`);
    expect(setting.journal).toEqual([]);
  });

  test('a moving tag stays, with a notice', async () => {
    setting.ecr.hold({ digest: digestOf('old'), tags: ['main'] });
    await expect(setting.publish({ tags: [] })).resolves.toMatchObject({ tags: ['sha-0123456789ab'], pushed: true });
    expect(setting.log.lines[0]).toBe(`notice: Tag main stays on ${digestOf('old')}: shop/web does not let tags move.`);
    expect(setting.tags()['main']).toBe(digestOf('old'));
  });

  test('moving tags only, all taken: an error that says what to give', async () => {
    setting.ecr.hold({ digest: digestOf('old'), tags: ['latest'] });
    await expect(setting.publish({ tags: ['latest'] })).rejects.toMatchObject({
      hint: expect.stringContaining('a tag that names the commit'),
    });
    expect(setting.journal).toEqual([]);
  });

  test('an excluded tag moves', async () => {
    setting.ecr.web.rule = { mutability: 'IMMUTABLE_WITH_EXCLUSION', exclusionFilters: ['bl*'] };
    setting.ecr.hold({ digest: digestOf('old'), tags: ['blue'] });
    await expect(setting.publish()).resolves.toMatchObject({ pushed: true });
    expect(setting.tags()['blue']).toBe(digestOf('built'));
  });
});

describe('reuse', () => {
  const tags = ['sha-0123456789ab', '1.2.3', 'latest'];

  test.each(['MUTABLE', 'IMMUTABLE'] as const)(
    '%s: the commit’s own image is taken again: no build, further tags by its manifest',
    async (mutability) => {
      setting.ecr.web.rule = { mutability, exclusionFilters: [] };
      setting.ecr.hold({ digest: digestOf('first run'), tags: ['sha-0123456789ab'] });
      await expect(setting.publish({ tags })).resolves.toMatchObject({ digest: digestOf('first run'), pushed: true });
      expect(setting.journal).toEqual(['ecr put shop/web:1.2.3', 'ecr put shop/web:latest']);
      expect(setting.log.lines[0]).toBe(
        `Nothing to build: shop/web:sha-0123456789ab is ${digestOf('first run')} already, and is taken again (on-existing-tag: reuse).`,
      );
      setting.journal.length = 0;
      await expect(setting.publish({ tags })).resolves.toMatchObject({ pushed: false });
      expect(setting.journal).toEqual([]);
    },
  );

  test('the tree’s own image is taken again, also of another commit', async () => {
    setting.git.answer = { answer: 'tree', id: 'feed'.repeat(10) };
    setting.ecr.hold({ digest: digestOf('earlier'), tags: ['tree-feedfeedfeed'] });
    await expect(setting.publish({ tags: ['type=tree', 'type=sha,format=long'] })).resolves.toMatchObject({ digest: digestOf('earlier') });
    expect(setting.journal).toEqual([`ecr put shop/web:sha-${setting.github.run.sha}`]);
  });

  test('no other tag is a reason to', async () => {
    setting.ecr.hold({ digest: digestOf('old'), tags: ['latest', '1.2.3', 'main', 'sha-0123456'] });
    await expect(setting.publish({ tags: ['latest', '1.2.3', 'main', 'sha-0123456'] })).resolves.toMatchObject({
      digest: digestOf('built'),
    });
  });

  test('an image that is given is never replaced by one that is there', async () => {
    setting.ecr.hold({ digest: digestOf('first run'), tags: ['sha-0123456789ab'] });
    await expect(setting.publish({ ...layout, tags: ['sha-0123456789ab'] })).resolves.toMatchObject({ digest: digestOf('layout') });
  });

  test('on-existing-tag: fail is an error before anything is built, also where tags move', async () => {
    setting.ecr.hold({ digest: digestOf('first run'), tags: ['sha-0123456789ab'] });
    await expect(setting.publish({ tags, 'on-existing-tag': 'fail' })).rejects.toMatchObject({
      message: `tags: sha-0123456789ab of shop/web is ${digestOf('first run')} already, and the new image is not known by its digest, so it can’t be the same`,
    });
    expect(setting.journal).toEqual([]);
  });
});

describe('two runs at once, where tags can’t move', () => {
  const lost = (output = '') =>
    new CommandError('docker buildx build failed', {
      command: 'docker buildx build',
      exitCode: 1,
      output: `${output}\nERROR: tag invalid: The image tag 'x' already exists in the 'shop/web' repository and cannot be overwritten because the tag is immutable.`,
    });
  const pushing = (word: string) => `#9 pushing manifest for ${uri}:blue@${digestOf(word)} 0.1s done`;
  /** The other run is faster by a moment. */
  const meanwhile = (word: string, tags: readonly string[], error: Error) => {
    setting.docker.build = async () => {
      setting.ecr.hold({ digest: digestOf(word), tags });
      throw error;
    };
  };

  beforeEach(() => {
    setting.ecr.web.rule = immutable;
  });

  test('the commit’s image of the other one is taken', async () => {
    meanwhile('other run', ['sha-0123456789ab'], lost(pushing('ours')));
    await expect(setting.publish({ tags: ['sha-0123456789ab', '1.2.3'] })).resolves.toMatchObject({
      digest: digestOf('other run'),
      pushed: true,
    });
    expect(setting.tags()).toEqual({ 'sha-0123456789ab': digestOf('other run'), '1.2.3': digestOf('other run') });
    expect(setting.log.lines).toContain('Another run took a tag meanwhile that can’t move: looking again.');
  });

  test('both made the same image: success, and the tags that are left are set', async () => {
    meanwhile('same', ['blue'], lost(pushing('same')));
    await expect(setting.publish()).resolves.toMatchObject({ digest: digestOf('same'), pushed: true });
    expect(setting.journal.slice(-1)).toEqual(['ecr put shop/web:1.2.3']);
  });

  test('another image under a fixed tag: an error with both digests', async () => {
    meanwhile('other run', ['blue'], lost(pushing('ours')));
    await expect(setting.publish()).rejects.toMatchObject({
      name: 'InputError',
      message: `tags: blue of shop/web is ${digestOf('other run')} already, and the new image is ${digestOf('ours')}`,
      hint: expect.stringContaining('Another run was faster'),
    });
    expect(setting.tags()).toEqual({ blue: digestOf('other run') });
  });

  test('a layout, pushed by both: success', async () => {
    setting.ociRegistry.push = async () => {
      setting.ecr.hold({ digest: digestOf('layout'), tags: ['blue', '1.2.3'] });
      throw new AwsError('the registry answered 400 TAG_INVALID: cannot be overwritten because the tag is immutable', {
        service: 'ecr',
        operation: 'PutImage',
        code: 'TAG_INVALID',
      });
    };
    await expect(setting.publish(layout)).resolves.toMatchObject({ digest: digestOf('layout') });
  });

  test('a further tag that the other run has just set to the same image', async () => {
    setting.ecr.hold({ digest: digestOf('first'), tags: ['sha-0123456789ab'] });
    setting.ecr.beforePut = () => {
      setting.ecr.beforePut = undefined;
      setting.ecr.hold({ digest: digestOf('first'), tags: ['1.2.3'] });
    };
    await expect(setting.publish({ tags: ['sha-0123456789ab', '1.2.3'] })).resolves.toMatchObject({ digest: digestOf('first') });
  });

  test('a build that fails of something else fails as ever', async () => {
    meanwhile('other run', ['sha-0123456789ab'], new CommandError('no space left on device', { command: 'docker', exitCode: 1 }));
    await expect(setting.publish({ tags: ['sha-0123456789ab'] })).rejects.toThrow('no space left on device');
  });
});

describe('with create-repository', () => {
  const creating = { 'create-repository': true, 'image-tag-mutability': 'IMMUTABLE' } as const;
  beforeEach(() => void setting.ecr.repositories.delete('shop/web'));

  test('a missing repository is made after every check and before the build', async () => {
    await expect(setting.publish(creating)).resolves.toMatchObject({ uri: `${uri}@${digestOf('built')}`, pushed: true });
    expect(setting.journal.filter((entry) => /create|build/.test(entry))).toEqual([
      'ecr create repository',
      expect.stringContaining('docker isolate'),
      expect.stringContaining('docker login'),
      `docker build ${uri}:blue ${uri}:1.2.3`,
      expect.stringContaining('files remove'),
    ]);
    expect(setting.ecr.web.rule.mutability).toBe('IMMUTABLE');
    expect(setting.log.lines[0]).toBe(`Created ${uri} (IMMUTABLE).`);
  });

  test('one that is there is left as it is', async () => {
    setting.ecr.add('shop/web');
    await setting.publish(creating);
    expect(setting.journal).not.toContain('ecr create repository');
    expect(setting.ecr.web.rule.mutability).toBe('MUTABLE');
  });

  test('nothing is made where a check fails', async () => {
    await expect(setting.publish({ ...creating, tags: [`${setting.ecr.host}/shop/api:1`] })).rejects.toThrow('is not of');
    expect(setting.journal).toEqual(['ecr authorization']);
    expect(setting.ecr.repositories.size).toBe(0);
  });

  test('another run makes it at the same moment: it is taken as it is', async () => {
    const { createRepository } = setting.ecr;
    setting.ecr.createRepository = async (place) => ({ ...(await createRepository(place, { mutability: 'MUTABLE' })), created: false });
    await expect(setting.publish(creating)).resolves.toMatchObject({ pushed: true });
    expect(setting.log.lines[0]).toBe(`${uri} exists by now (MUTABLE): another run made it, or the reply was lost.`);
  });
});

describe('before anything is built or pushed', () => {
  test('a missing repository: says where, and how to make it', async () => {
    setting.ecr.repositories.delete('shop/web');
    await expect(setting.publish()).rejects.toMatchObject({
      message: 'repository: shop/web does not exist in the registry of 111111111111',
      hint: expect.stringContaining('Nothing was built or pushed. Give create-repository: true'),
    });
    expect(setting.journal).toEqual([]);
  });

  test('a tag of another repository', async () => {
    await expect(setting.publish({ tags: [`${setting.ecr.host}/shop/api:1`] })).rejects.toThrow(
      `tags: ${setting.ecr.host}/shop/api:1 is not of ${uri}`,
    );
    expect(setting.journal).toEqual([]);
  });

  test('what needs no call is checked with the inputs', () => {
    const inputs = setting.inputs({
      tags: ['-x'],
      platforms: ['linux/amd64', 'amd64'],
      repository: names('shop/web', 'shop/web'),
      secrets: [['npm', 'a']],
      'secret-envs': [
        ['npm', 'NPM'],
        ['id', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
      ],
    });
    expect(checkPublish(inputs)).toEqual([
      { input: 'tags', problem: expect.stringContaining('"-x" is not a tag') },
      { input: 'repository', problem: 'shop/web is given twice' },
      { input: 'platforms', problem: expect.stringContaining('"amd64" is not a platform') },
      { input: 'secrets', problem: 'the secret npm is given twice' },
      { input: 'secret-envs', problem: 'id would hand the job’s ID token to the build' },
    ]);
    expect(checkPublish(setting.inputs({ tags: ['x, y', 'type=sha'], platforms: ['linux/arm/v7'] }))).toEqual([]);
  });
});
