/**
 * What `docker buildx build --push` does of its work that others can see: notes its secrets, pushes a small image under each `--tag` with
 * the login of DOCKER_CONFIG, and writes the metadata file. For the tests of ring 4, which have no engine.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const values = (name) => process.argv.flatMap((argument, at) => (argument === name ? [process.argv[at + 1] ?? ''] : []));
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const { auths = {} } = JSON.parse(readFileSync(join(process.env.DOCKER_CONFIG ?? '', 'config.json'), 'utf8'));

const send = async (method, url, { type = 'application/octet-stream', body } = {}) => {
  const authorization = `Basic ${auths[new URL(url).host]?.auth ?? ''}`;
  const reply = await fetch(url, { method, headers: { authorization, 'content-type': type }, ...(body && { body }) });
  if (!reply.ok) throw new Error(`${method} ${url}: ${reply.status} ${await reply.text()}`);
  return reply;
};

for (const secret of values('--secret')) {
  const file = /src=(.*)$/.exec(secret)?.[1];
  const variable = /env=(.*)$/.exec(secret)?.[1];
  const value = file === undefined ? process.env[variable ?? ''] : readFileSync(file, 'utf8');
  appendFileSync(
    process.env.HOME + '/secrets',
    `${secret.split(',')[0]} ${createHash('sha256')
      .update(value ?? '')
      .digest('hex')}\n`,
  );
}

const layer = Buffer.from(`built from ${values('--label').find((label) => label.includes('revision'))}`);
const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: {} }));
const descriptor = (mediaType, bytes) => ({
  mediaType: `application/vnd.oci.image.${mediaType}`,
  digest: digestOf(bytes),
  size: bytes.length,
});
const type = 'application/vnd.oci.image.manifest.v1+json';
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: descriptor('config.v1+json', config),
    layers: [descriptor('layer.v1.tar', layer)],
  }),
);

for (const reference of values('--tag')) {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const base = `http://${host}/v2/${repository}`;
  for (const blob of [layer, config]) await send('POST', `${base}/blobs/uploads/?digest=${digestOf(blob)}`, { body: blob });
  console.error(`#9 pushing manifest for ${reference}@${digestOf(manifest)}`);
  await send('PUT', `${base}/manifests/${tag}`, { type, body: manifest });
}
for (const file of values('--metadata-file')) writeFileSync(file, JSON.stringify({ 'containerimage.digest': digestOf(manifest) }));
