/**
 * buildx's builders, and what their drivers can't do (Docker's documentation, "Build drivers"; RULES 5.11): the `docker` driver builds
 * inside the engine, which without the containerd image store has no attestations, annotations, cache exporters or several platforms.
 */
import { parseCsv } from './csv.ts';

export interface Builder {
  readonly name: string;
  /** `docker`, `docker-container`, `kubernetes`, `remote`. */
  readonly driver: string;
}

/** What a build asks of its builder beyond a Dockerfile. */
export interface BuildWishes {
  readonly platforms: readonly string[];
  readonly annotations: readonly string[];
  readonly 'cache-from': readonly string[];
  readonly 'cache-to': readonly string[];
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
}

/** The output of `docker buildx inspect`; undefined where it is no builder. */
export function parseBuilder(text: string): Builder | undefined {
  const value = (name: string): string | undefined => new RegExp(`^${name}:[ \\t]*(\\S+)[ \\t]*$`, 'm').exec(text)?.[1];
  const [name, driver] = [value('Name'), value('Driver')];
  return name === undefined || driver === undefined ? undefined : { name, driver };
}

/** The inputs that the `docker` driver can't serve; none where the engine has the containerd image store. */
export function beyondEngine(wishes: BuildWishes): readonly (keyof BuildWishes)[] {
  return [
    ...(wishes.platforms.length > 1 ? (['platforms'] as const) : []),
    ...(wishes.annotations.length > 0 ? (['annotations'] as const) : []),
    ...(wishes['cache-from'].some((cache) => !['registry', 'local'].includes(cacheType(cache))) ? (['cache-from'] as const) : []),
    ...(wishes['cache-to'].some((cache) => cacheType(cache) !== 'inline') ? (['cache-to'] as const) : []),
    ...(isWished(wishes.provenance) ? (['provenance'] as const) : []),
    ...(isWished(wishes.sbom) ? (['sbom'] as const) : []),
  ];
}

/** What `docker build` without buildx leaves out, of what a build can do without. */
export function lostWithoutBuildx(wishes: BuildWishes): readonly (keyof BuildWishes)[] {
  const lost = beyondEngine(wishes).filter((input) => input !== 'platforms');
  const sources = wishes['cache-from'].some((cache) => classicCacheSource(cache) === undefined) ? (['cache-from'] as const) : [];
  const targets = wishes['cache-to'].length > 0 ? (['cache-to'] as const) : [];
  return [...new Set([...lost, ...sources, ...targets])];
}

/** A cache source as `docker build --cache-from` takes it: an image. */
export function classicCacheSource(cache: string): string | undefined {
  const { type, ref } = attributes(cache);
  if (!cache.includes('=')) return cache;
  return type === 'registry' ? ref : undefined;
}

/** `registry` for a plain image, as buildx has it. */
export function cacheType(cache: string): string {
  return attributes(cache).type ?? 'registry';
}

/** Whether `provenance` or `sbom` asks for an attestation: any text but false. */
function isWished(attestation: string | undefined): boolean {
  return attestation !== undefined && !isFalse(attestation);
}

/** The value of `--attest` for `provenance` or `sbom`, as docker/build-push-action makes it. */
export function attestation(
  type: 'provenance' | 'sbom',
  value: string | undefined,
  { builderId }: { readonly builderId: string },
): readonly string[] {
  if (value === undefined) return [];
  if (isFalse(value)) return [`type=${type},disabled=true`];
  const given = isTrue(value) ? [] : [value];
  const named = type === 'provenance' && !/(^|,)"?builder-id=/.test(value) ? [`builder-id=${builderId}`] : [];
  return [[`type=${type}`, ...given, ...named].join(',')];
}

/** The platforms of a build without an emulator, in the words of a failed step. */
export function lacksEmulator(reason: string): boolean {
  return reason.includes('exec format error') || /\.buildkit_qemu_emulator/.test(reason);
}

export function isPlatform(text: string): boolean {
  return /^[a-z0-9_.-]+\/[a-z0-9_.-]+(\/[a-z0-9_.-]+)?$/i.test(text);
}

function attributes(text: string): Readonly<Record<string, string>> {
  const [fields = []] = parseCsv(text);
  return Object.fromEntries(
    fields
      .filter((field) => field.includes('='))
      .map((field) => [field.slice(0, field.indexOf('=')).trim(), field.slice(field.indexOf('=') + 1)]),
  );
}

function isTrue(text: string): boolean {
  return /^true$/i.test(text);
}

function isFalse(text: string): boolean {
  return /^false$/i.test(text);
}
