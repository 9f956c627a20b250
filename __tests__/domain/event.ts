/** Events for the tests of tags: a push to a branch, unless a test says more. */
import type { TagEvent } from '../../src/domain/tags.ts';

export const sha = '0123456789abcdef0123456789abcdef01234567';
export const headSha = 'fedcba9876543210fedcba9876543210fedcba98';

export function on(ref: string, more: Partial<TagEvent> = {}): TagEvent {
  return {
    eventName: 'push',
    ref,
    sha,
    revision: sha,
    shortShaLength: 7,
    defaultBranch: 'main',
    baseRef: undefined,
    now: Date.parse('2026-11-21T12:34:56.789Z'),
    commitTime: Date.parse('2026-11-20T08:30:00Z'),
    pullRequest: undefined,
    tree: undefined,
    ...more,
  };
}

export const pull = on('refs/pull/7/merge', { eventName: 'pull_request', pullRequest: { number: 7, headSha }, baseRef: 'main' });
