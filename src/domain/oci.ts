/**
 * OCI images as documents: manifests, indexes, layouts and configurations.
 *
 *   image manifest   config descriptor and layer descriptors                     (image-spec: manifest.md)
 *   image index      descriptors of manifests, each with its platform             (image-spec: image-index.md)
 *   layout           `oci-layout`, `index.json`, `blobs/<algorithm>/<hex>`        (image-spec: image-layout.md)
 *   platform         `os/architecture[/variant]`, e.g. linux/arm64/v8
 *
 * An index also holds build attestations, as manifests for the platform `unknown/unknown` (BuildKit: attestation-storage.md);
 * nothing runs them, so they are no platform of the image.
 */
import { parseDigest, type Digest } from './image.ts';
import { isObject, type JsonObject } from './json.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export const indexMediaTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
] as const;
export const imageMediaTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;
/** Every kind of manifest that we read. */
export const manifestMediaTypes = [...indexMediaTypes, ...imageMediaTypes] as const;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What a manifest says of a blob or another manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly platform?: Platform;
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly children: readonly Descriptor[];
}

export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export type Manifest = ImageIndex | ImageManifest;

export function isIndex(mediaType: string): boolean {
  return indexMediaTypes.some((known) => known === mediaType);
}

/**
 * Reads a manifest or an index.
 * @param mediaType as the registry or the descriptor says it; where it doesn't, the document's own
 */
export function parseManifest(text: string, mediaType?: string): Parsed<Manifest> {
  const document = parseObject(text);
  if (!document.ok) return document;
  const { value } = document;
  const type = mediaType ?? (typeof value['mediaType'] === 'string' ? value['mediaType'] : typeByShape(value));
  if (isIndex(type)) {
    const children = parseDescriptors(value['manifests'], 'manifests');
    return children.ok ? ok({ kind: 'index', mediaType: type, children: children.value }) : children;
  }
  if (!imageMediaTypes.some((known) => known === type)) return bad(`has the media type ${type}, which is no image`);
  const config = parseDescriptor(value['config'], 'config');
  if (!config.ok) return config;
  const layers = parseDescriptors(value['layers'], 'layers');
  return layers.ok ? ok({ kind: 'image', mediaType: type, config: config.value, layers: layers.value }) : layers;
}

/** The one image of an OCI layout, from its `index.json`. */
export function parseLayoutIndex(text: string): Parsed<Descriptor> {
  const document = parseObject(text);
  if (!document.ok) return document;
  const manifests = parseDescriptors(document.value['manifests'], 'manifests');
  if (!manifests.ok) return manifests;
  const [only, ...more] = manifests.value;
  if (!only) return bad('names no image: $.manifests is empty');
  if (more.length > 0) return bad(`names ${manifests.value.length} images, and it can't be known which is meant; write one image a layout`);
  return ok(only);
}

/** The platforms that an index's images run on, attestations left out. */
export function platformsOf(index: ImageIndex): readonly Platform[] {
  return index.children.flatMap(({ platform }) => (platform === undefined || isAttestation(platform) ? [] : [platform]));
}

/** The platform in an image's configuration. */
export function parseConfiguration(text: string): Parsed<Platform> {
  const document = parseObject(text);
  return document.ok ? parsePlatform(document.value, '$') : document;
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

export function formatPlatforms(platforms: readonly Platform[]): string {
  return platforms.map(formatPlatform).join(', ');
}

export function isAttestation({ os, architecture }: Platform): boolean {
  return os === 'unknown' && architecture === 'unknown';
}

function parseObject(text: string): Parsed<JsonObject> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? ok(value) : bad('is not a JSON object');
  } catch (error) {
    return bad(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Documents without `mediaType` are OCI's: an index has manifests, an image has a configuration. */
function typeByShape(document: JsonObject): string {
  return 'manifests' in document ? indexMediaTypes[0] : imageMediaTypes[0];
}

function parseDescriptors(value: unknown, path: string): Parsed<readonly Descriptor[]> {
  if (!Array.isArray(value)) return bad(`has no list at $.${path}`);
  const descriptors: Descriptor[] = [];
  for (const [at, one] of value.entries()) {
    const descriptor = parseDescriptor(one, `${path}[${at}]`);
    if (!descriptor.ok) return descriptor;
    descriptors.push(descriptor.value);
  }
  return ok(descriptors);
}

function parseDescriptor(value: unknown, path: string): Parsed<Descriptor> {
  if (!isObject(value)) return bad(`has no descriptor at $.${path}`);
  const { mediaType, digest, size, platform } = value;
  if (typeof mediaType !== 'string') return bad(`has no media type at $.${path}.mediaType`);
  const parsed = parseDigest(typeof digest === 'string' ? digest : '');
  if (!parsed.ok) return bad(`has no sha256 digest at $.${path}.digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return bad(`has no size at $.${path}.size`);
  const where = platform === undefined ? undefined : parsePlatform(platform, `$.${path}.platform`);
  if (where && !where.ok) return where;
  return ok({ mediaType, digest: parsed.value, size, ...(where && { platform: where.value }) });
}

function parsePlatform(value: unknown, path: string): Parsed<Platform> {
  if (!isObject(value)) return bad(`has no platform at ${path}`);
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return bad(`has no os and architecture at ${path}`);
  return ok({ os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) });
}
