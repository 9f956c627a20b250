/**
 * A runner that reaches the world through a proxy only: AWS's own host names, TLS all the way, tunnels by CONNECT. What no resolver
 * knows leads to the emulator behind a TLS server, and the registry's host to the registry.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, type ConnectProxy } from '../../emulator/proxy.ts';
import { writeOciLayout } from '../../emulator/oci-layout.ts';
import type { Scenario } from '../../emulator/scenario.ts';
import {
  describeReal,
  digestInRegistry,
  host,
  newJob,
  newRepository,
  overRegistry,
  registryInputs,
  story,
  unique,
  variable,
} from './parts.ts';

let scenario: Scenario;
let folder: string;
let aws: Server;
let proxy: ConnectProxy;
let environment: Record<string, string>;

/** By what a client of this Region calls: plain, dual-stack and FIPS. */
const hosts = [
  'sts.eu-west-1.amazonaws.com',
  'sts.eu-west-1.api.aws',
  'sts-fips.eu-west-1.amazonaws.com',
  'sts-fips.eu-west-1.api.aws',
  'api.ecr.eu-west-1.amazonaws.com',
  'ecr.eu-west-1.api.aws',
  'api.ecr-fips.eu-west-1.amazonaws.com',
  'ecr-fips.eu-west-1.api.aws',
  'api.ecr-public.us-east-1.amazonaws.com',
];

/** A certificate of an authority that lives as long as the test. */
function certify(names: readonly string[]): { key: string; cert: string } {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(join(folder, 'names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '1',
    '-subj',
    '/CN=proxy test',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
  );
  openssl('req', ...key, '-keyout', 'aws.key', '-out', 'aws.csr', '-subj', '/CN=aws');
  openssl(
    'x509',
    '-req',
    '-in',
    'aws.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '1',
    '-extfile',
    'names',
    '-out',
    'aws.crt',
  );
  return { key: readFileSync(join(folder, 'aws.key'), 'utf8'), cert: readFileSync(join(folder, 'aws.crt'), 'utf8') };
}

/** TLS before the emulator. */
async function startAws(to: string): Promise<Server> {
  const server = createServer(certify(hosts), (incoming, outgoing) => {
    const forward = request(new URL(incoming.url ?? '/', to), { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    incoming.pipe(forward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

describeReal('behind a proxy', { needs: ['registry'] }, () => {
  overRegistry((started) => (scenario = started));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ecr-org-deploy-proxy-'));
    aws = await startAws(scenario.emulator.url);
    proxy = await startProxy({
      credentials: 'runner:s3cret',
      route: (authority) => {
        const name = authority.replace(/:443$/, '');
        if (hosts.includes(name)) return (aws.address() as AddressInfo).port;
        return name === host ? { host, port: 443 } : undefined;
      },
    });
    const authorities = ['ca.crt'].map((name) => readFileSync(join(folder, name), 'utf8'));
    writeFileSync(join(folder, 'all.crt'), [...authorities, readFileSync(variable('NODE_EXTRA_CA_CERTS'), 'utf8')].join('\n'));
    environment = {
      AWS_ENDPOINT_URL: '',
      HTTPS_PROXY: proxy.url.replace('http://', 'http://runner:s3cret@'),
      NODE_EXTRA_CA_CERTS: join(folder, 'all.crt'),
    };
  });
  afterAll(async () => {
    await proxy.close();
    aws.closeAllConnections();
    await new Promise((closed) => aws.close(closed));
    rmSync(folder, { recursive: true });
  });

  const tunnels = (): readonly string[] => [...new Set(proxy.tunnels.map((authority) => authority.replace(/:443$/, '')))].toSorted();

  test('AWS’s APIs and the registry are reached through it', async () => {
    const job = newJob(scenario, { environment });
    const digest = writeOciLayout(join(job.workspace, 'image'), { files: { 'index.html': unique() } });
    const repository = newRepository(scenario);
    const step = await job.step({ with: { ...registryInputs, mode: 'publish', repository, image: 'oci:image', tags: 'v1' } });
    expect(story(step)).toBe('exit code 0');
    expect(await digestInRegistry(repository, 'v1')).toBe(digest);
    expect(tunnels()).toEqual([host, 'api.ecr.eu-west-1.amazonaws.com', 'sts.eu-west-1.amazonaws.com'].toSorted());
    // The proxy's password is in nobody's log.
    expect(step.log.join('\n')).not.toContain('s3cret');
    job.remove();
  });

  test.each([
    ['dual-stack', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, '.api.aws', '111111111111.dkr-ecr.eu-west-1.on.aws'],
    ['FIPS', { AWS_USE_FIPS_ENDPOINT: 'true' }, '-fips.eu-west-1.amazonaws.com', '111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com'],
  ])('%s endpoints: the API’s and the registry’s', async (_, choice, api, registry) => {
    const before = proxy.tunnels.length;
    const job = newJob(scenario, { environment: { ...environment, ...choice } });
    const step = await job.step({ with: { ...registryInputs, mode: 'login', 'dry-run': 'true' } });
    expect(story(step)).toBe('exit code 0');
    expect(step.outputs['registry']).toBe(registry);
    for (const authority of proxy.tunnels.slice(before)) expect(authority).toContain(api);
    job.remove();
  });

  test('what NO_PROXY names is not, whatever its letters', async () => {
    const before = proxy.tunnels.length;
    const job = newJob(scenario, { environment: { ...environment, no_proxy: '.amazonaws.com' } });
    const step = await job.step({ with: { ...registryInputs, mode: 'login', 'dry-run': 'true' } });
    expect(step.exitCode).toBe(1);
    expect(step.log.at(-1)).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(proxy.tunnels).toHaveLength(before);
    job.remove();
  });
});
