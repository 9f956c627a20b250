import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startProxy, type ConnectProxy, type ProxyOptions } from '../../emulator/proxy.ts';
import type { Region } from '../../src/domain/account.ts';
import { awsEcr, type Ecr } from '../../src/ports/ecr.ts';
import { proxyAgents } from '../../src/ports/proxy.ts';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { region, shared, start, type Started } from '../emulator/start.ts';

let started: Started;
let proxy: ConnectProxy;
const before = { ...process.env };
/** A name that no resolver knows: only the proxy finds it. */
const endpoint = 'http://aws.example.test';
const port = () => Number(new URL(started.emulator.url).port);

beforeEach(async () => {
  started = await start();
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) Reflect.deleteProperty(process.env, name);
});
afterEach(async () => {
  await proxy.close();
  await started.emulator.close();
  process.env = { ...before };
  expect(started.emulator.violations).toEqual([]);
});

async function through(options: Partial<ProxyOptions> = {}): Promise<void> {
  proxy = await startProxy({ route: (authority) => (authority.startsWith('aws.example.test:') ? port() : undefined), ...options });
}

/** The SDK with our agents, one try. */
function client(): ECRClient {
  const { accessKeyId, secretAccessKey } = started.key(shared);
  return new ECRClient({
    region,
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    requestHandler: { ...proxyAgents() },
  });
}
const call = async () => client().send(new GetAuthorizationTokenCommand({}));

test.each(['HTTP_PROXY', 'http_proxy'])('%s: the SDK goes through it, in one tunnel', async (name) => {
  await through();
  process.env[name] = proxy.url;
  const sdk = client();
  for (let time = 0; time < 3; time += 1)
    await expect(sdk.send(new GetAuthorizationTokenCommand({}))).resolves.toMatchObject({ authorizationData: [{}] });
  expect(proxy.tunnels).toEqual(['aws.example.test:80']);
});

test.each([
  ['NO_PROXY', 'aws.example.test'],
  ['no_proxy', '.example.test,other.test'],
  ['NO_PROXY', '*'],
])('%s=%s: the SDK does not', async (name, value) => {
  await through();
  process.env['HTTP_PROXY'] = proxy.url;
  process.env[name] = value;
  await expect(call()).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  expect(proxy.tunnels).toEqual([]);
});

test('loopback never goes through a proxy', async () => {
  await through();
  process.env['HTTP_PROXY'] = process.env['HTTPS_PROXY'] = proxy.url;
  process.env['AWS_ENDPOINT_URL'] = started.emulator.url;
  const { accessKeyId, secretAccessKey } = started.key(shared);
  const ecr: Ecr = awsEcr(
    { region: region as Region, credentials: async () => ({ accessKeyId, secretAccessKey }) },
    { mask: () => undefined },
  );
  await expect(ecr.authorization()).resolves.toMatchObject({ username: 'AWS' });
  expect(proxy.tunnels).toEqual([]);
});

test('credentials in the proxy’s URL are given to it', async () => {
  await through({ credentials: 'us er:p@ss' });
  process.env['HTTP_PROXY'] = proxy.url.replace('http://', 'http://us%20er:p%40ss@');
  await expect(call()).resolves.toMatchObject({ authorizationData: [{}] });
});

test.each([
  [
    'refuses',
    { credentials: 'someone:else' },
    /the proxy 127\.0\.0\.1:\d+ answered 407 to CONNECT aws\.example\.test:80 \(HTTPS_PROXY, HTTP_PROXY/,
  ],
  ['can’t reach the host', { route: () => undefined }, /answered 502 to CONNECT aws\.example\.test:80/],
])('a proxy that %s is named', async (_, options, message) => {
  await through(options);
  process.env['HTTP_PROXY'] = proxy.url;
  await expect(call()).rejects.toThrow(message);
});

test('a proxy that is not there is named', async () => {
  await through();
  process.env['HTTP_PROXY'] = 'http://127.0.0.1:1';
  await expect(call()).rejects.toThrow(/the proxy 127\.0\.0\.1:1 can’t be used: connect ECONNREFUSED/);
});

test('without a proxy the SDK keeps its own agents', async () => {
  await through();
  expect(proxyAgents({ NO_PROXY: '*', HTTPS_PROXY: '' })).toBeUndefined();
});
