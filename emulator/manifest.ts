/** What a manifest refers to: an image its configuration and layers, an index its images (OCI image spec, Docker schema 2). */
import { listOf, isRecord, parseRecord, record, records } from './json.ts';
import { AwsFault, type Json } from './service.ts';

const indexTypes = new Set(['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json']);

export interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

export interface Manifest {
  readonly mediaType: string;
  readonly isIndex: boolean;
  readonly artifactType: string | undefined;
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly children: readonly Descriptor[];
  /** The digest of the image that this artifact is about. */
  readonly subject: string | undefined;
}

export function isIndex(mediaType: string): boolean {
  return indexTypes.has(mediaType);
}

/** Reads a manifest; `mediaType` is what the client said it is, and must agree with what it says itself. */
export function parseManifest(bytes: Buffer, mediaType?: string): Manifest {
  const invalid = (reason: string) =>
    new AwsFault('InvalidParameterException', `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${reason}'`);
  const json = parseRecord(bytes.toString());
  if (!json) throw invalid('Invalid JSON syntax');
  const own = typeof json.mediaType === 'string' ? json.mediaType : undefined;
  const type =
    mediaType ??
    own ??
    (json.manifests === undefined ? 'application/vnd.oci.image.manifest.v1+json' : 'application/vnd.oci.image.index.v1+json');
  if (own !== undefined && own !== type) throw invalid(`The media type ${type} does not match the manifest's ${own}`);
  if (json.schemaVersion !== 2) throw invalid('Unsupported manifest schema version');
  const config = record(json, 'config');
  const subject = record(json, 'subject');
  if (isIndex(type) ? !Array.isArray(json.manifests) : !config) throw invalid('Invalid image manifest');
  const artifactType = typeof json.artifactType === 'string' ? json.artifactType : undefined;
  return {
    mediaType: type,
    isIndex: isIndex(type),
    artifactType: artifactType ?? (typeof config?.mediaType === 'string' ? config.mediaType : undefined),
    config: config && descriptor(config),
    // Layers with URLs of their own (Windows base layers) stay where they are.
    layers: records(json, 'layers')
      .filter((layer) => listOf(layer.urls).length === 0)
      .map(descriptor),
    children: records(json, 'manifests').map(descriptor),
    subject: isRecord(subject) && typeof subject.digest === 'string' ? subject.digest : undefined,
  };
}

function descriptor(json: Json): Descriptor {
  const { digest, mediaType, size } = json;
  return {
    digest: typeof digest === 'string' ? digest : '',
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    size: typeof size === 'number' ? size : 0,
  };
}
