/**
 * Semantic versions (semver.org 2.0.0), with the `v` that Git tags have before them.
 *
 *   version = ["v"] major "." minor "." patch ["-" prerelease] ["+" build];  no number has a leading zero
 */
export interface SemanticVersion {
  /** As it was written. */
  readonly raw: string;
  /** `major.minor.patch[-prerelease]`: build metadata is no part of a version. */
  readonly version: string;
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  readonly isPrerelease: boolean;
}

const number = '(0|[1-9]\\d{0,15})';
const identifier = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const form = new RegExp(
  `^v?${number}\\.${number}\\.${number}(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/** Undefined for any other text. */
export function parseSemver(text: string): SemanticVersion | undefined {
  const match = text.length <= 256 ? form.exec(text) : null;
  if (!match) return undefined;
  const [, major = '', minor = '', patch = '', prerelease] = match;
  const full = `${major}.${minor}.${patch}`;
  return {
    raw: text,
    version: prerelease === undefined ? full : `${full}-${prerelease}`,
    major,
    minor,
    patch,
    isPrerelease: prerelease !== undefined,
  };
}
