/**
 * A revision: the text of an AppSpec, known by the SHA-256 of its content.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RevisionLocation.html
 */
import { record, text } from '../coral.ts';
import { sha256 } from '../ecs/ids.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

export interface Revision {
  readonly type: 'AppSpecContent' | 'String';
  readonly sha256: string;
  readonly content: string;
  readonly registeredAt: number;
  description?: string;
  firstUsedAt?: number;
  lastUsedAt?: number;
  readonly groups: Set<string>;
}

export const badRevision = (message: string): AwsFault => new AwsFault('InvalidRevisionException', message);

/** A revision's location; the content is `null` everywhere but in GetApplicationRevision's reply. */
export const locationOf = (revision: Revision, withContent = false): Json => {
  const content = { sha256: revision.sha256, content: withContent ? revision.content : null };
  return revision.type === 'String'
    ? { revisionType: 'String', string: content }
    : { revisionType: 'AppSpecContent', appSpecContent: content };
};

/** The text of a revision's location and its hash, which must be that of the text. */
export const contentOf = (
  location: Json,
): { readonly type: Revision['type']; readonly content: string | undefined; readonly sha256: string | undefined } => {
  const type = text(location, 'revisionType');
  if (type !== 'AppSpecContent' && type !== 'String') {
    throw badRevision(`The revision type ${type ?? 'null'} is not supported here: use AppSpecContent`);
  }
  const given = record(location, type === 'String' ? 'string' : 'appSpecContent');
  if (!given) throw badRevision('The revision has no content');
  const content = text(given, 'content');
  const hash = text(given, 'sha256');
  if (content !== undefined && hash !== undefined && hash.toLowerCase() !== sha256(content)) {
    throw badRevision('The sha256 of the revision does not match its content');
  }
  return { type, content, sha256: hash?.toLowerCase() ?? (content === undefined ? undefined : sha256(content)) };
};

/** The revision of this location among those of an application; a new one is kept there. */
export const register = (application: { readonly revisions: Map<string, Revision> }, location: Json, at: number): Revision => {
  const { type, content, sha256: hash } = contentOf(location);
  if (hash === undefined) throw badRevision('The revision has no content');
  const known = application.revisions.get(hash);
  if (known) return known;
  if (content === undefined || content === '') throw badRevision('The AppSpec content is empty');
  const made: Revision = { type, content, sha256: hash, registeredAt: at, groups: new Set() };
  application.revisions.set(hash, made);
  return made;
};
