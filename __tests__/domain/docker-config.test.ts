import { describe, expect, test } from '@jest/globals';
import { isolatedDockerConfig, storedLogin } from '../../src/domain/docker-config.ts';

const ours = '111111111111.dkr.ecr.eu-west-1.amazonaws.com';
const isolate = (existing: object | string | undefined, hosts = [ours]): unknown => {
  const text = typeof existing === 'object' ? JSON.stringify(existing) : existing;
  const parsed = isolatedDockerConfig({ existing: text, folder: '/home/ci/.docker', hosts });
  if (!parsed.ok) throw new Error(parsed.problem);
  return JSON.parse(parsed.value);
};

const empty = { auths: { [ours]: {} }, credHelpers: {}, cliPluginsExtraDirs: ['/home/ci/.docker/cli-plugins'] };

describe('an isolated configuration', () => {
  test.each([undefined, '', '{}'])('of nothing (%j) finds the user’s plugins, and no store of the machine', (existing) => {
    expect(isolate(existing)).toEqual(empty);
  });

  test('keeps logins, helpers and settings of others, and drops what would answer for our host', () => {
    expect(
      isolate({
        auths: { 'ghcr.io': { auth: 'eA==' }, [ours]: { auth: 'b2xk' }, [`https://${ours}/v2/`]: { auth: 'b2xk' } },
        credHelpers: { [ours]: 'ecr-login', 'gcr.io': 'gcloud' },
        cliPluginsExtraDirs: ['/opt/plugins'],
        currentContext: 'builder',
        proxies: { default: { httpProxy: 'http://proxy:3128' } },
      }),
    ).toEqual({
      auths: { 'ghcr.io': { auth: 'eA==' }, [ours]: {} },
      credHelpers: { 'gcr.io': 'gcloud' },
      cliPluginsExtraDirs: ['/opt/plugins', '/home/ci/.docker/cli-plugins'],
      currentContext: 'builder',
      proxies: { default: { httpProxy: 'http://proxy:3128' } },
    });
  });

  test('does not write into the machine’s store, but goes on reading logins of others from it', () => {
    expect(
      isolate({
        credsStore: 'desktop',
        auths: { 'https://index.docker.io/v1/': {}, 'ghcr.io': { auth: 'eA==' }, [ours]: {} },
        credHelpers: { 'gcr.io': 'gcloud', [ours]: 'ecr-login' },
      }),
    ).toEqual({
      ...empty,
      credsStore: 'desktop',
      auths: { 'https://index.docker.io/v1/': {}, 'ghcr.io': { auth: 'eA==' }, [ours]: {} },
      credHelpers: { 'gcr.io': 'gcloud', [ours]: '' },
    });
  });

  test.each([
    ['{', 'is not JSON'],
    ['[]', 'is not a JSON object'],
  ])('%s is refused', (text, problem) => {
    expect(() => isolate(text)).toThrow(problem);
  });
});

describe('the login that a configuration has', () => {
  const auth = btoa('AWS:p4ssw0rd');
  test('stands in the file where our own login has put it, also beside a store of the machine', () => {
    const text = JSON.stringify({ auths: { [ours]: { auth } }, credsStore: 'desktop', credHelpers: { [ours]: '' } });
    expect(storedLogin(text, ours)).toEqual({ username: 'AWS', password: 'p4ssw0rd' });
    expect(
      storedLogin(JSON.stringify({ auths: { [ours]: {} }, credsStore: 'desktop', credHelpers: { [ours]: '' } }), ours),
    ).toBeUndefined();
  });

  test('is a helper’s, or the store’s', () => {
    const text = JSON.stringify({ auths: { 'ghcr.io': {} }, credsStore: 'desktop', credHelpers: { 'gcr.io': 'gcloud' } });
    expect(storedLogin(text, 'gcr.io')).toEqual({ helper: 'gcloud', server: 'gcr.io' });
    expect(storedLogin(text, 'ghcr.io')).toEqual({ helper: 'desktop', server: 'ghcr.io' });
    expect(storedLogin(text, 'quay.io')).toBeUndefined();
  });
});
